#include "tests/support.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *support_shared(const char *name)
{
    const char *root = getenv("YAGURA_SHARED");
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/%s", root ? root : "../shared", name);
    if (access(str_text(&path), R_OK) != 0) {
        fprintf(stderr, "skipped: %s is not there\n", str_text(&path));
        return NULL;
    }
    return mem_strdup(str_text(&path));
}

char *support_temp_dir(void)
{
    const char *tmp = getenv("TMPDIR");
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/yagura-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(path.data));
    return mem_strdup(str_text(&path));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

void support_remove_tree(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void support_write(const char *dir, const char *name, const void *bytes, size_t size)
{
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/%s", dir, name);
    CLEANUP_FREE char *parent = mem_strdup(str_text(&path));
    struct error e = ERROR_INIT;
    *strrchr(parent, '/') = '\0';
    assert_true(file_make_dirs(parent, 0755, &e));
    int fd = open(str_text(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

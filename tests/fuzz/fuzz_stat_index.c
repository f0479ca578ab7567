/* A stat index beside a manifest of two entries: what does not fit is as good as none. */
#include "content/manifest_build.h"
#include "content/stat_index.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct manifest *small_manifest(void)
{
    CLEANUP(build_cleanup) struct build *b = build_new();
    struct manifest_entry root = {.mode = S_IFDIR | 0755, .name = ""};
    struct manifest_entry child = {.mode = S_IFLNK | 0777,
                                   .name = "a",
                                   .name_length = 1,
                                   .target = "b",
                                   .target_size = 1,
                                   .size = 1};
    struct manifest *m = NULL;
    CLEANUP_CLOSE int fd = memfd_create("manifest", MFD_CLOEXEC);
    build_root(b, &root);
    if (!build_add(b, 0, &child, 1, NULL) || !build_write(b, fd, "www", 1, 1, NULL, NULL) ||
        !manifest_open(&m, fd, NULL))
        abort();
    return m;
}

static const char *name;

static void remove_file(void)
{
    unlink(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct manifest *m;
    static const uint8_t hash[32];
    if (!m)
        m = small_manifest();
    static char path[] = "/tmp/fuzz-stat-XXXXXX";
    static int fd = -1;
    if (fd < 0 && ((fd = mkstemp(path)) < 0 || atexit(remove_file) != 0))
        abort();
    name = path;
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    CLEANUP(stat_index_cleanup) struct stat_index *s = stat_index_load(m, hash, AT_FDCWD, path);
    for (uint32_t i = 0; i < manifest_count(m); i++) {
        struct manifest_entry entry;
        struct stat st = {.st_ino = 1, .st_dev = 1, .st_mode = S_IFDIR | 0755};
        manifest_entry(m, i, &entry);
        stat_index_trusts(s, i, &entry, &st);
        stat_index_note(s, i, &st, 1);
    }
    return 0;
}

#include "base/json_file.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

json_t *json_file_read(int dirfd, const char *name, size_t most_bytes, struct error *e)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(e, errno, "opening failed");
        error_at(e, name, 0, 0);
        return NULL;
    }
    return file_read_fd(&text, &size, fd, most_bytes, e)
               ? json_parse(text, size, name, most_bytes, most_bytes, e)
               : NULL;
}

bool json_file_replace(int dirfd, const char *name, const json_t *value, struct error *e)
{
    CLEANUP_STR struct str text = {0};
    json_add_line(&text, value);
    str_add_char(&text, '\n');
    if (!file_replace(dirfd, name, text.data, text.length, 0600, e))
        return false;
    file_give_to_owner(dirfd, name);
    return true;
}

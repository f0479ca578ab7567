#include "content/xattrs.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LIST_SIZE = 65536, VALUE_SIZE = 65536 }; /* the kernel's own limits (limits.h) */

static bool kept(const char *name)
{
    return str_starts(name, "user.") || str_starts(name, "trusted.") ||
           str_starts(name, "security.") || str_starts(name, "system.posix_acl_");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Where the attributes are: of the path, links not followed. A path "/proc/self/fd/N" is a
 * link itself: with `through` it is followed, to the open file. */
struct place {
    char path[64 + 256];
    bool through;
};

static ssize_t list_at(const struct place *at, char *out, size_t size)
{
    return at->through ? listxattr(at->path, out, size) : llistxattr(at->path, out, size);
}

static ssize_t get_at(const struct place *at, const char *name, void *out, size_t size)
{
    return at->through ? getxattr(at->path, name, out, size) : lgetxattr(at->path, name, out, size);
}

static bool read_listed(const uint8_t **out, size_t *size, const struct place *at, char *list,
                        size_t list_size, struct arena *arena, struct error *e)
{
    VEC(const char *) names = {0};
    for (size_t i = 0; i < list_size; i += strlen(list + i) + 1)
        if (kept(list + i))
            VEC_PUSH(&names, list + i);
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, by_text);

    CLEANUP_STR struct str packed = {0};
    CLEANUP_FREE uint8_t *value = names.count ? mem_alloc(VALUE_SIZE) : NULL;
    bool good = true;
    for (size_t i = 0; good && i < names.count; i++) {
        ssize_t n = get_at(at, names.items[i], value, VALUE_SIZE);
        if (n < 0 && errno == ENODATA) /* taken away meanwhile, or not for us */
            continue;
        if (n < 0) {
            error_set_errno(e, errno, "reading the attribute %s", names.items[i]);
            good = false;
            continue;
        }
        uint16_t head[2] = {(uint16_t)strlen(names.items[i]), 0};
        uint32_t value_size = (uint32_t)n;
        str_add_bytes(&packed, head, sizeof head);
        str_add_bytes(&packed, &value_size, sizeof value_size);
        str_add_bytes(&packed, names.items[i], head[0]);
        str_add_bytes(&packed, value, (size_t)n);
    }
    VEC_FREE(&names);
    if (good && packed.length) {
        *out = arena_dup(arena, packed.data, packed.length);
        *size = packed.length;
    }
    return good;
}

static bool none(ssize_t listed)
{
    return listed == 0 || (listed < 0 && (errno == ENOTSUP || errno == ENOSYS || errno == ENODATA));
}

static bool read_at(const uint8_t **out, size_t *size, const struct place *at, struct arena *arena,
                    struct error *e)
{
    *out = NULL;
    *size = 0;
    char small[512];
    ssize_t n = list_at(at, small, sizeof small);
    if (none(n))
        return true;
    if (n > 0)
        return read_listed(out, size, at, small, (size_t)n, arena, e);
    CLEANUP_FREE char *list = mem_alloc(LIST_SIZE);
    if (errno == ERANGE)
        n = list_at(at, list, LIST_SIZE);
    if (none(n))
        return true;
    if (n < 0) {
        error_set_errno(e, errno, "listing the attributes");
        return false;
    }
    return read_listed(out, size, at, list, (size_t)n, arena, e);
}

bool xattrs_read_fd(const uint8_t **out, size_t *size, int fd, struct arena *arena, struct error *e)
{
    *out = NULL;
    *size = 0;
    char small[512]; /* most files have none: one system call without building a path */
    ssize_t n = flistxattr(fd, small, sizeof small);
    if (none(n))
        return true;
    struct place at = {.through = true};
    snprintf(at.path, sizeof at.path, "/proc/self/fd/%d", fd);
    return read_at(out, size, &at, arena, e);
}

bool xattrs_read_name(const uint8_t **out, size_t *size, int dirfd, const char *name,
                      struct arena *arena, struct error *e)
{
    struct place at = {.through = false};
    snprintf(at.path, sizeof at.path, "/proc/self/fd/%d/%s", dirfd, name);
    return read_at(out, size, &at, arena, e);
}

bool xattrs_next(const uint8_t *packed, size_t size, size_t *position, const char **name,
                 size_t *name_size, const uint8_t **value, size_t *value_size)
{
    if (*position + 8 > size)
        return false;
    uint16_t names;
    uint32_t values;
    memcpy(&names, packed + *position, sizeof names);
    memcpy(&values, packed + *position + 4, sizeof values);
    if (names > size - *position - 8 || values > size - *position - 8 - names)
        return false;
    *name = (const char *)packed + *position + 8;
    *name_size = names;
    *value = packed + *position + 8 + names;
    *value_size = values;
    *position += 8 + (size_t)names + values;
    return true;
}

static bool wanted_has(const uint8_t *wanted, size_t size, const char *name)
{
    const char *other;
    const uint8_t *value;
    size_t position = 0, other_size, value_size;
    while (xattrs_next(wanted, size, &position, &other, &other_size, &value, &value_size))
        if (strlen(name) == other_size && memcmp(name, other, other_size) == 0)
            return true;
    return false;
}

bool xattrs_write_fd(int fd, const uint8_t *wanted, size_t size, struct error *e)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool good = true;
    CLEANUP_FREE char *list = NULL;
    ssize_t n = listxattr(path, NULL, 0);
    if (n > 0) {
        list = mem_alloc(LIST_SIZE);
        n = listxattr(path, list, LIST_SIZE);
    }
    for (ssize_t i = 0; i < n; i += (ssize_t)strlen(list + i) + 1)
        if (kept(list + i) && !wanted_has(wanted, size, list + i) &&
            removexattr(path, list + i) != 0 && errno != ENODATA) {
            error_set_errno(e, errno, "removing the attribute %s", list + i);
            good = false;
        }
    const char *name;
    const uint8_t *value;
    size_t position = 0, name_size, value_size;
    while (xattrs_next(wanted, size, &position, &name, &name_size, &value, &value_size)) {
        char terminated[256];
        snprintf(terminated, sizeof terminated, "%.*s", (int)name_size, name);
        if (setxattr(path, terminated, value, value_size, 0) != 0) {
            error_set_errno(e, errno, "setting the attribute %s", terminated);
            good = false;
        }
    }
    return good;
}

#include "respond/evidence.h"

#include "base/file.h"
#include "base/str.h"
#include "collect/volatile.h"
#include "content/walk.h"
#include "record/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_SUMS_BYTES = 16 << 20 };

/* ---- taking --------------------------------------------------------------------------------- */

static bool on_file(void *context, const char *name, struct error *e)
{
    return evidence_begin(context, name, e);
}

static bool on_bytes(void *context, const void *bytes, size_t size, struct error *e)
{
    return evidence_add(context, bytes, size, e);
}

static void on_unread(void *context, const char *what, const char *why)
{
    evidence_unread(context, what, why);
}

static bool take(struct evidence_folder **out, struct response *r, enum volatile_part part,
                 struct error *e)
{
    CLEANUP_EVIDENCE struct evidence_folder *f = NULL;
    if (!respond_is_live(r)) {
        error_set(e, ERR_USAGE,
                  "only a running host has sockets and processes, and this incident "
                  "is about %s",
                  r->incident.target);
        return false;
    }
    if (!evidence_folder_make(&f, r, part == VOLATILE_FIRST ? "first" : "rest", e))
        return false;
    struct volatile_sink sink = {on_file, on_bytes, on_unread, f};
    /* what was read until then is evidence, too */
    struct error second = ERROR_INIT;
    bool good = volatile_read(part, &sink, e);
    if (!good)
        evidence_unread(f, "/proc", e->message);
    if (!evidence_end(f, r, good ? e : &second))
        return false;
    *out = f;
    f = NULL;
    return good;
}

bool evidence_first(struct evidence_folder **out, struct response *r, struct error *e)
{
    return take(out, r, VOLATILE_FIRST, e);
}

bool evidence_rest(struct response *r, struct evidence_folder *first, json_t *result,
                   struct error *e)
{
    CLEANUP_EVIDENCE struct evidence_folder *rest = NULL;
    struct error second = ERROR_INIT, third = ERROR_INIT;
    bool good = !first || evidence_enter(first, r, result, e);
    bool more = take(&rest, r, VOLATILE_REST, &second);
    if (rest && !evidence_enter(rest, r, result, more ? &second : &third))
        more = false;
    if (good && !more)
        *e = second;
    return good && more;
}

/* ---- proving -------------------------------------------------------------------------------- */

static void keep(struct response *r, struct evidence_entry *list, size_t *count, const json_t *o)
{
    struct evidence_entry entry = {.folder = arena_strdup(r->arena, json_get_string(o, "folder")),
                                   .sha256 = arena_strdup(r->arena, json_get_string(o, "sha256")),
                                   .time = arena_strdup(r->arena, json_get_string(o, "time")),
                                   .who = arena_strdup(r->arena, json_get_string(o, "who")),
                                   .files = json_integer_value(json_object_get(o, "files")),
                                   .bytes = json_integer_value(json_object_get(o, "bytes"))};
    for (size_t i = 0; i < *count; i++)
        if (str_equal(list[i].folder, entry.folder)) {
            list[i] = entry;
            return;
        }
    list[(*count)++] = entry;
}

/* The ledger and not r->incident: an action that has just entered something is proved at once. */
bool evidence_entries(struct response *r, struct evidence_entry **out, size_t *count,
                      struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct ledger_entry *entries;
    size_t all;
    if (!ledger_read(r->state, NULL, arena, &entries, &all, e))
        return false;
    *count = 0;
    *out = arena_alloc(r->arena, (all + 1) * sizeof **out);
    for (size_t i = 0; i < all; i++) {
        if (!strstr(entries[i].body, "\"evidence\""))
            continue;
        CLEANUP_JSON json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 4 << 20, 4 << 20, NULL);
        if (o && str_equal(json_get_string(o, "kind"), "respond") &&
            str_equal(json_get_string(o, "what"), "evidence") &&
            str_equal(json_get_string(o, "incident"), r->incident.id) &&
            json_get_string(o, "folder") && json_get_string(o, "sha256") &&
            json_get_string(o, "time") && json_get_string(o, "who"))
            keep(r, *out, count, o);
    }
    return true;
}

const struct evidence_entry *evidence_last(const struct evidence_entry *entries, size_t count,
                                           const char *kind)
{
    size_t n = strlen(kind);
    for (size_t i = count; i-- > 0;)
        if (str_starts(entries[i].folder, kind) && entries[i].folder[n] == '-')
            return &entries[i];
    return NULL;
}

int evidence_open(struct response *r, const struct evidence_entry *entry, struct error *e)
{
    CLEANUP_CLOSE int parent = respond_evidence(r, e);
    int fd = parent < 0 || strchr(entry->folder, '/')
                 ? -1
                 : openat(parent, entry->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && parent >= 0)
        error_set_errno(e, errno, "opening the evidence %s", entry->folder);
    return fd;
}

/* The hash of a file of the folder in hexadecimal; false if it is none. */
static bool hash_name(int dirfd, const char *name, char out[65])
{
    struct stat st;
    uint8_t sha256[SHA256_SIZE];
    uint64_t size;
    CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        !walk_hash_fd(sha256, fd, &size, NULL))
        return false;
    sodium_bin2hex(out, 65, sha256, sizeof sha256);
    return true;
}

/* "HASH  NAME", as it is listed in sums; the rest of the line behind the hash. */
static bool is_listed(const char *sums, size_t size, const char *name)
{
    size_t position = 0, length;
    const char *line;
    while (str_next_line(sums, size, &position, &line, &length))
        if (length == 66 + strlen(name) && memcmp(line + 66, name, length - 66) == 0)
            return true;
    return str_equal(name, "SHA256SUMS");
}

static const char *find_stranger(struct response *r, int dirfd, const char *sums, size_t size)
{
    const char *found = NULL;
    DIR *dir = file_list(dirfd, ".");
    if (!dir)
        return NULL;
    for (const struct dirent *d; !found && (d = readdir(dir));)
        if (!str_equal(d->d_name, ".") && !str_equal(d->d_name, "..") &&
            !is_listed(sums, size, d->d_name))
            found = arena_strdup(r->arena, d->d_name);
    closedir(dir);
    return found;
}

bool evidence_is_whole(struct response *r, const struct evidence_entry *entry, size_t *files,
                       const char **problem)
{
    struct error e = ERROR_INIT;
    char hash[65];
    size_t size = 0, position = 0, length;
    const char *line;
    CLEANUP_FREE char *sums = NULL;
    CLEANUP_CLOSE int dir = evidence_open(r, entry, &e);
    *files = 0;
    if (dir < 0) {
        *problem = arena_strdup(r->arena, e.message);
        return false;
    }
    CLEANUP_CLOSE int fd = openat(dir, "SHA256SUMS", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || !file_read_fd(&sums, &size, fd, MOST_SUMS_BYTES, &e) ||
        !hash_name(dir, "SHA256SUMS", hash) || !str_equal(hash, entry->sha256)) {
        *problem = arena_printf(
            r->arena, _("%s/SHA256SUMS is not the one that the ledger knows of"), entry->folder);
        return false;
    }
    while (str_next_line(sums, size, &position, &line, &length)) {
        const char *name = length > 66 ? arena_strndup(r->arena, line + 66, length - 66) : "";
        if (!*name || strchr(name, '/') || !hash_name(dir, name, hash) ||
            memcmp(hash, line, 64) != 0) {
            *problem =
                arena_printf(r->arena, _("%s/%s is not what was written"), entry->folder, name);
            return false;
        }
        ++*files;
    }
    const char *stranger = find_stranger(r, dir, sums, size);
    if (stranger)
        *problem =
            arena_printf(r->arena, _("%s/%s was not written by yagura"), entry->folder, stranger);
    return !stranger;
}

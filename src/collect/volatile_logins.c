/* Who is and was logged in. */
#include "base/str.h"
#include "collect/utmp.h"
#include "collect/volatile_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_TAIL_BYTES = 4 << 20, /* some 10,000 logins, the youngest */
    LAST_PIECE = 1024,         /* records of lastlog at a time */
    MOST_PIECES = 4096
};

struct logins {
    struct volatile_reader *r;
    const char *path;
};

static json_t *record(const struct logins *l, const struct utmp_entry *entry)
{
    json_t *o = json_object();
    time_t when = (time_t)entry->seconds;
    struct tm tm;
    char text[64] = "";
    if (gmtime_r(&when, &tm))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_put_string(o, "source", l->path);
    json_put_string(o, "type", entry->type);
    json_put_string(o, "time", text);
    json_put_string(o, "line", entry->line);
    json_put_string(o, "host", entry->host);
    return o;
}

static void put(void *context, const struct utmp_entry *entry)
{
    const struct logins *l = context;
    json_t *o = record(l, entry);
    json_put_string(o, "user", entry->user);
    if (*entry->address)
        json_put_string(o, "address", entry->address);
    json_put_int(o, "pid", entry->pid);
    volatile_line(l->r, o);
}

static void put_last(void *context, uint64_t uid, const struct utmp_entry *entry)
{
    const struct logins *l = context;
    json_t *o = record(l, entry);
    json_put_int(o, "uid", (int64_t)uid);
    volatile_line(l->r, o);
}

/* -1 where there is none; what it may be instead of a file is not opened. */
static int open_file(struct logins *l, struct stat *st)
{
    int fd = open(l->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT)
            volatile_unread(l->r, l->path, strerror(errno));
        return -1;
    }
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    volatile_unread(l->r, l->path, _("it is not a regular file"));
    close(fd);
    return -1;
}

static bool read_file(struct logins *l, size_t record_size)
{
    struct stat st;
    CLEANUP_CLOSE int fd = open_file(l, &st);
    if (fd < 0)
        return false;
    uint64_t skip = st.st_size > MOST_TAIL_BYTES ? (uint64_t)(st.st_size - MOST_TAIL_BYTES) : 0;
    skip = (skip + record_size - 1) / record_size * record_size;
    CLEANUP_FREE char *data = mem_resize(NULL, MOST_TAIL_BYTES);
    size_t size = 0;
    ssize_t n;
    while (size < MOST_TAIL_BYTES &&
           (n = pread(fd, data + size, MOST_TAIL_BYTES - size, (off_t)(skip + size))) > 0)
        size += (size_t)n;
    if (skip)
        volatile_unread(l->r, l->path, _("only its youngest 4 MiB were read"));
    if (utmp_parse(data, size, put, l))
        volatile_unread(l->r, l->path, _("its last record is cut short"));
    return true;
}

/* An entry for user number 4,294,967,294 makes it a terabyte, all of it holes. */
static bool read_last(struct logins *l)
{
    struct stat st;
    CLEANUP_CLOSE int fd = open_file(l, &st);
    if (fd < 0)
        return false;
    size_t record_size = utmp_last_size();
    CLEANUP_FREE char *data = mem_resize(NULL, LAST_PIECE * record_size);
    off_t at = 0;
    for (size_t pieces = 0;; pieces++) {
        off_t found = lseek(fd, at, SEEK_DATA);
        if (found < 0)
            return true; /* ENXIO: nothing more */
        at = found / (off_t)record_size * (off_t)record_size;
        ssize_t n = pread(fd, data, LAST_PIECE * record_size, at);
        if (n < (ssize_t)record_size)
            return true;
        if (pieces == MOST_PIECES) {
            volatile_unread(l->r, l->path, _("it has more records than are read"));
            return true;
        }
        utmp_parse_last(data, (size_t)n, (uint64_t)at / record_size, put_last, l);
        at += (off_t)((size_t)n / record_size * record_size);
    }
}

void volatile_logins(struct volatile_reader *r)
{
    static const char *const paths[] = {"/run/utmp", "/var/log/wtmp", "/var/log/wtmp.1",
                                        "/var/log/btmp"};
    struct logins l = {.r = r};
    bool any = false;
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        l.path = paths[i];
        any |= read_file(&l, utmp_size());
    }
    l.path = "/var/log/lastlog";
    any |= read_last(&l);
    if (!any)
        volatile_unread(r, "/var/log/wtmp",
                        _("this host keeps no such file; its journal may know: journalctl -t sshd "
                          "-t login -t sudo"));
}

/* yagura-tree - reads the archive of a site from descriptor 3 and streams what is in it as frames
 * (act/archive_frames.h) on descriptor 4.
 *
 * Read are tar and zip, as libexec/unpack/reading.h says. An archive is taken as a whole or not at
 * all: what cannot be read, is encrypted, or is no file, folder or link ends the stream with a
 * reason. Names are judged by who reads the frames.
 *
 * Bounds: 1,000,000 members, 16 GiB in all; once there are more than 100 MiB, not more than 1,000
 * bytes may come out of one byte that went in.
 *
 * It cages itself (base/cage.h, CAGE_BYTES) before the first byte of the archive is read. */
#include "act/archive_frames.h"
#include "act/room.h"
#include "base/cage.h"
#include "base/error.h"
#include "base/helper.h"
#include "base/language.h"
#include "base/mem.h"
#include "libexec/unpack/reading.h"

#include <archive_entry.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024ull * 1024)

static const size_t read_bytes = 128 << 10;
enum { IN = HELPER_FIRST_FD, OUT, MOST_MEMBERS = 1000000, MOST_RATIO = 1000 };
#define RATIO_FROM_BYTES (100 * MIB)

struct reading {
    struct archive *archive;
    uint64_t total;
    size_t members;
    char stop[512]; /* why nothing more comes; empty = go on */
};

static void stop(struct reading *r, const char *text)
{
    snprintf(r->stop, sizeof r->stop, "%s", text);
}

static void stop_at(struct reading *r, const char *name, const char *why)
{
    snprintf(r->stop, sizeof r->stop, "%.200s: %.250s", name, why);
}

static bool write_all(const void *bytes, size_t size)
{
    for (const char *at = bytes; size;) {
        ssize_t n = write(OUT, at, size);
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* False if nobody reads any more. */
static bool send(struct tree_frame head, const char *name, const void *body, size_t size)
{
    head.name_size = (uint32_t)strlen(name);
    head.body_size = (uint32_t)size;
    return write_all(&head, sizeof head) && write_all(name, head.name_size) &&
           write_all(body, size);
}

static void check_bounds(struct reading *r)
{
    int64_t in = archive_filter_bytes(r->archive, -1), out = archive_filter_bytes(r->archive, 0);
    uint64_t total = out > 0 && (uint64_t)out > r->total ? (uint64_t)out : r->total;
    if (total > ROOM_MOST_BYTES)
        stop(r, _("the archive unfolds to more than 16 GiB"));
    else if (total > RATIO_FROM_BYTES && (in <= 0 || total / (uint64_t)in > MOST_RATIO))
        stop(r, _("the archive unfolds to more than 1,000 times its size"));
}

static bool send_bytes(struct reading *r, const char *bytes, size_t size)
{
    static const struct tree_frame piece = {.kind = TREE_PIECE};
    static const char zeros[TREE_MOST_BODY]; /* `bytes` NULL: a hole of a sparse file */
    while (size && !*r->stop) {
        size_t n = size < sizeof zeros ? size : sizeof zeros;
        r->total += n;
        check_bounds(r);
        if (!send(piece, "", bytes ? bytes : zeros, n))
            return false;
        bytes += bytes ? n : 0;
        size -= n;
    }
    return true;
}

static bool send_content(struct reading *r, const char *name)
{
    uint64_t at = 0;
    for (;;) {
        const void *piece;
        size_t size;
        la_int64_t offset;
        int state = archive_read_data_block(r->archive, &piece, &size, &offset);
        if (state == ARCHIVE_EOF || *r->stop)
            return true;
        if (state < ARCHIVE_WARN || offset < 0 || (uint64_t)offset < at) {
            const char *why = archive_error_string(r->archive);
            stop_at(r, name, why ? why : _("it is damaged"));
            return true;
        }
        if (!send_bytes(r, NULL, (uint64_t)offset - at) || !send_bytes(r, piece, size))
            return false;
        at = (uint64_t)offset + size;
    }
}

static bool take_entry(struct reading *r, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    const char *same = archive_entry_hardlink(entry), *target = archive_entry_symlink(entry);
    struct tree_frame head = {.program = (archive_entry_perm(entry) & 0100) != 0,
                              .mtime = archive_entry_mtime(entry)};
    if (!name || strlen(name) > TREE_MOST_NAME) {
        stop(r, _("a name in the archive cannot be read"));
        return true;
    }
    if (++r->members > MOST_MEMBERS) {
        stop(r, _("the archive has more than 1,000,000 members"));
        return true;
    }
    if (archive_entry_is_encrypted(entry)) {
        stop_at(r, name, _("it is encrypted"));
        return true;
    }
    if (same || archive_entry_filetype(entry) == AE_IFLNK) {
        const char *to = same ? same : target;
        head.kind = same ? TREE_SAME : TREE_LINK;
        if (to && strlen(to) <= TREE_MOST_NAME)
            return send(head, name, to, strlen(to));
        stop_at(r, name, _("where this link leads cannot be read"));
        return true;
    }
    if (archive_entry_filetype(entry) == AE_IFDIR) {
        head.kind = TREE_FOLDER;
        return send(head, name, "", 0);
    }
    if (archive_entry_filetype(entry) != AE_IFREG) {
        stop_at(r, name, _("it is no file, folder or link"));
        return true;
    }
    head.kind = TREE_FILE;
    return send(head, name, "", 0) && send_content(r, name);
}

static bool read_all(struct reading *r)
{
    struct archive_entry *entry;
    for (;;) {
        int state = archive_read_next_header(r->archive, &entry);
        if (state == ARCHIVE_EOF) {
            if (!r->members)
                stop(r, _("there is nothing in it"));
            return true;
        }
        if (state < ARCHIVE_WARN) {
            const char *why = archive_error_string(r->archive);
            stop(r, why ? why : _("it is damaged"));
            return true;
        }
        if (!take_entry(r, entry))
            return false;
        check_bounds(r); /* what was skipped costs as well */
        if (*r->stop)
            return true;
    }
}

int main(void)
{
    static const struct cage_limits limits = {.memory_bytes = 1024 * MIB, .cpu_seconds = 1800};
    static const struct tree_frame stopped = {.kind = TREE_STOP}, ended = {.kind = TREE_END};
    struct error e = ERROR_INIT;
    struct reading r = {0};
    language_set(NULL); /* and C.UTF-8, for the names of members */
    signal(SIGPIPE, SIG_IGN);
    r.archive = reading_open();
    if (!cage_enter(CAGE_BYTES, -1, &limits, &e))
        error_text(&e, r.stop, sizeof r.stop);
    else if (!r.archive || archive_read_open_fd(r.archive, IN, read_bytes) != ARCHIVE_OK) {
        const char *why = r.archive ? archive_error_string(r.archive) : NULL;
        stop(&r, why ? why : _("no memory"));
    } else if (!read_all(&r))
        return 1;
    bool told = *r.stop ? send(stopped, "", r.stop, strlen(r.stop)) : send(ended, "", "", 0);
    archive_read_free(r.archive);
    return told && !*r.stop ? 0 : 2;
}

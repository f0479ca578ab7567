/* yagura-unpack - reads an archive from descriptor 0 and streams its *.json members as frames
 * (feed/members.h) on descriptor 1. With yagura-tree the one that is linked with libarchive.
 *
 * Read are tar, zip and single files, plain or compressed by gzip, bzip2, xz, lzma, zstd, lz4
 * or compress. Names are labels: nothing is written anywhere, so "/etc/passwd" and "../x" do
 * no harm. An archive within the archive is not opened.
 *
 * Bounds: a member has at most 64 MiB, all together 4 GiB, at most 1,000,000 members; once
 * there are more than 100 MiB, not more than 1,000 bytes may come out of one byte that went
 * in. Whoever breaks them ends the stream with a reason, what came before stays.
 *
 * It cages itself (base/cage.h, CAGE_BYTES) before the first byte of the archive is read. */
#include "base/cage.h"
#include "base/error.h"
#include "base/language.h"
#include "base/mem.h"
#include "base/str.h"
#include "feed/members.h"
#include "libexec/unpack/reading.h"

#include <archive_entry.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define MIB (1024ull * 1024)

enum { MOST_MEMBERS = 1000000, MOST_RATIO = 1000 };
#define MOST_TOTAL_BYTES (4096 * MIB)
#define RATIO_FROM_BYTES (100 * MIB)

struct unpacking {
    struct archive *archive;
    uint64_t total;
    size_t members;
    char stop[512];   /* why nothing more comes; empty = go on */
    char member[512]; /* why this one could not be read */
};

static void stop(struct unpacking *u, const char *text)
{
    snprintf(u->stop, sizeof u->stop, "%s", text);
}

static bool is_document(const struct unpacking *u, const char *name)
{
    /* a compressed single file has no name of its own */
    return archive_format(u->archive) == ARCHIVE_FORMAT_RAW || str_ends_nocase(name, ".json");
}

/* What came out: of members that were read, or of the compression around all of them, which
 * also counts those that were passed over. */
static void check_bounds(struct unpacking *u)
{
    int64_t in = archive_filter_bytes(u->archive, -1), out = archive_filter_bytes(u->archive, 0);
    if (out > 0 && (uint64_t)out > u->total)
        u->total = (uint64_t)out;
    if (u->total > MOST_TOTAL_BYTES)
        stop(u, _("the archive unfolds to more than 4 GiB; the rest was not read"));
    else if (u->total > RATIO_FROM_BYTES && (in <= 0 || u->total / (uint64_t)in > MOST_RATIO))
        stop(u, _("the archive unfolds to more than 1,000 times its size; the rest was not read"));
}

/* *why is set if the member cannot be had as a whole. Data beyond the bound of a member are
 * still counted: skipping them costs as much as reading. */
static void read_member(struct unpacking *u, struct str *body, const char **why)
{
    str_clear(body);
    for (;;) {
        const void *piece;
        size_t size;
        la_int64_t offset;
        int state = archive_read_data_block(u->archive, &piece, &size, &offset);
        if (state == ARCHIVE_EOF)
            return;
        if (state < ARCHIVE_WARN) {
            const char *said = archive_error_string(u->archive);
            snprintf(u->member, sizeof u->member, _("this member cannot be read: %s"),
                     said ? said : _("it is damaged"));
            *why = u->member;
            return;
        }
        u->total += size;
        check_bounds(u);
        if (*u->stop)
            return;
        if ((uint64_t)offset > MEMBER_MOST_BYTES || size > MEMBER_MOST_BYTES - (size_t)offset ||
            (size_t)offset < body->length) {
            *why = _("it has more than the 64 MiB that are read at most");
            continue;
        }
        while (!*why && body->length < (size_t)offset) /* a hole in a sparse file */
            str_add_char(body, '\0');
        if (!*why)
            str_add_bytes(body, piece, size);
    }
}

static bool take_entry(struct unpacking *u, struct archive_entry *entry, struct str *body)
{
    const char *name = archive_entry_pathname_utf8(entry);
    if (!name)
        name = archive_entry_pathname(entry);
    if (!name)
        name = _("(a name that cannot be read)");
    if (++u->members > MOST_MEMBERS) {
        stop(u, _("the archive has more than 1,000,000 members; the rest was not read"));
        return true;
    }
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return true;
    bool regular = archive_entry_filetype(entry) == AE_IFREG;
    if (is_document(u, name) ? !regular : regular && member_is_archive(name)) {
        const char *said = regular ? _("an archive in an archive is not read: unpack the outer one")
                                   : _("it is no regular file");
        return member_write(1, MEMBER_REFUSED, name, said, strlen(said));
    }
    if (!is_document(u, name))
        return member_write(1, MEMBER_IGNORED, name, "", 0);
    if (archive_entry_is_encrypted(entry)) {
        const char *why = _("it is encrypted");
        return member_write(1, MEMBER_REFUSED, name, why, strlen(why));
    }
    const char *why = NULL;
    read_member(u, body, &why);
    if (*u->stop)
        return true;
    if (why)
        return member_write(1, MEMBER_REFUSED, name, why, strlen(why));
    return member_write(1, MEMBER_FILE, name, str_text(body), body->length);
}

/* false if nobody reads any more. */
static bool unpack(struct unpacking *u)
{
    CLEANUP_STR struct str body = {0};
    struct archive_entry *entry;
    for (;;) {
        int state = archive_read_next_header(u->archive, &entry);
        if (state == ARCHIVE_EOF)
            return true;
        if (state < ARCHIVE_WARN) {
            const char *why = archive_error_string(u->archive);
            snprintf(u->stop, sizeof u->stop,
                     u->members ? _("the archive cannot be read any further: %s")
                                : _("the archive cannot be read: %s"),
                     why ? why : _("it is damaged"));
            return true;
        }
        if (!take_entry(u, entry, &body))
            return false;
        check_bounds(u); /* members that were passed over cost as well */
        if (*u->stop)
            return true;
    }
}

int main(void)
{
    static const struct cage_limits limits = {.memory_bytes = 1024 * MIB, .cpu_seconds = 600};
    struct error e = ERROR_INIT;
    struct unpacking u = {0};
    language_set(NULL); /* and C.UTF-8, for the names of members */
    signal(SIGPIPE, SIG_IGN);
    u.archive = reading_open();
    if (u.archive) {
        archive_read_support_format_raw(u.archive);
        archive_read_support_format_empty(u.archive);
    }
    if (!cage_enter(CAGE_BYTES, -1, &limits, &e)) {
        char text[1024];
        error_text(&e, text, sizeof text);
        member_write(1, MEMBER_STOP, "", text, strlen(text));
        return 2;
    }
    if (!u.archive || archive_read_open_fd(u.archive, 0, 128 * 1024) != ARCHIVE_OK) {
        const char *why = u.archive ? archive_error_string(u.archive) : NULL;
        snprintf(u.stop, sizeof u.stop, _("the archive cannot be read: %s"),
                 why ? why : _("no memory"));
    } else if (!unpack(&u)) {
        return 1;
    }
    if (*u.stop)
        member_write(1, MEMBER_STOP, "", u.stop, strlen(u.stop));
    else
        member_write(1, MEMBER_END, "", "", 0);
    archive_read_free(u.archive);
    return *u.stop ? 2 : 0;
}

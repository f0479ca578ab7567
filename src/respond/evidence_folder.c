#include "base/file.h"
#include "base/monotonic.h"
#include "base/str.h"
#include "model/date.h"
#include "record/ledger.h"
#include "respond/clock.h"
#include "respond/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { MOST_UNREAD = 1000, MOST_FOLDERS = 10000 };
/* RESERVE: what SQLite wants for a few entries, its log included, with much to spare.
 * LISTS: index.json and SHA256SUMS, which come last and are not to be cut. */
static const uint64_t most_folder_bytes = (uint64_t)1 << 30, reserve_bytes = 512 << 10,
                      lists_bytes = 64 << 10;

struct unread {
    const char *what, *why;
};

struct evidence_folder {
    int fd;
    char name[64], sums_sha256[65];
    struct arena *arena;
    uint64_t left;        /* of what may be written */
    uint64_t copies_left; /* of that, for all copies of programs together */
    int64_t begun, begun_us, took_us;
    VEC(struct evidence_row) rows;
    VEC(struct unread) unread;
    size_t unread_more;
    /* the file that is being written */
    int file;
    bool open, whole_lines, is_copy, cut, copies_begun;
    uint64_t most, size, lost;
    EVP_MD_CTX *hash;
};

void evidence_folder_free(struct evidence_folder *f)
{
    if (!f)
        return;
    mem_cleanup_close(&f->file);
    mem_cleanup_close(&f->fd);
    VEC_FREE(&f->rows);
    VEC_FREE(&f->unread);
    EVP_MD_CTX_free(f->hash);
    arena_free(f->arena);
    free(f);
}

void evidence_folder_cleanup(struct evidence_folder **f)
{
    evidence_folder_free(*f);
}

const char *evidence_folder_name(const struct evidence_folder *f)
{
    return f->name;
}

int evidence_folder_fd(const struct evidence_folder *f)
{
    return f->fd;
}

uint64_t evidence_room(const struct evidence_folder *f)
{
    return f->left;
}

const struct evidence_row *evidence_rows(struct evidence_folder *f, size_t *count)
{
    *count = f->rows.count;
    return f->rows.items;
}

static void say_read_only(struct error *e)
{
    error_set(e, ERR_SYSTEM,
              "the disk of the evidence can only be read: mount it writable, or mount another one "
              "over DIR/evidence of the state, and do this again");
}

static void say_full(struct error *e, uint64_t room)
{
    error_set(e, ERR_SYSTEM,
              "the disk of the evidence is full: %llu KiB are free, and more than %llu are needed; "
              "free some, or mount another disk over DIR/evidence of the state",
              (unsigned long long)room >> 10,
              (unsigned long long)(reserve_bytes + lists_bytes) >> 10);
}

/* How much the disk takes beyond what it needs for itself; 0 with an error where that is nothing.
 */
static uint64_t room_on_disk(int fd, struct error *e)
{
    struct statvfs disk;
    if (fstatvfs(fd, &disk) != 0) {
        error_set_errno(e, errno, "asking how much room there is for evidence");
        return 0;
    }
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (disk.f_flag & ST_RDONLY)
        say_read_only(e);
    else if (room <= reserve_bytes + lists_bytes)
        say_full(e, room);
    else
        return room - reserve_bytes - lists_bytes < most_folder_bytes
                   ? room - reserve_bytes - lists_bytes
                   : most_folder_bytes;
    return 0;
}

bool evidence_folder_make(struct evidence_folder **out, struct response *r, const char *kind,
                          struct error *e)
{
    char name[64];
    struct error why = ERROR_INIT;
    CLEANUP_CLOSE int parent = respond_evidence(r, &why);
    if (parent < 0) {
        if (why.sys_errno == EROFS)
            say_read_only(e);
        else if (why.sys_errno == ENOSPC || why.sys_errno == EDQUOT)
            say_full(e, 0);
        else if (e)
            *e = why;
        return false;
    }
    uint64_t room = room_on_disk(parent, e);
    if (!room)
        return false;
    int made = -1, number = 0;
    do
        snprintf(name, sizeof name, "%.40s-%d", kind, ++number);
    while ((made = mkdirat(parent, name, 0700)) != 0 && errno == EEXIST && number < MOST_FOLDERS);
    int fd = made == 0 ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0) {
        if (errno == EROFS)
            say_read_only(e);
        else
            error_set_errno(e, errno, "making the folder of evidence %s", name);
        return false;
    }
    struct evidence_folder *f = mem_alloc(sizeof *f);
    f->fd = fd;
    f->file = -1;
    f->left = room;
    f->arena = arena_new();
    f->begun = date_now();
    f->begun_us = monotonic_us();
    f->hash = EVP_MD_CTX_new();
    if (!f->hash)
        mem_gone();
    snprintf(f->name, sizeof f->name, "%s", name);
    *out = f;
    return true;
}

void evidence_unread(struct evidence_folder *f, const char *what, const char *why)
{
    if (f->unread.count == MOST_UNREAD) {
        f->unread_more++;
        return;
    }
    VEC_PUSH(&f->unread,
             ((struct unread){arena_strdup(f->arena, what), arena_strdup(f->arena, why)}));
}

static void end_file(struct evidence_folder *f)
{
    uint8_t sha256[32];
    if (!f->open)
        return;
    EVP_DigestFinal_ex(f->hash, sha256, NULL);
    mem_cleanup_close(&f->file);
    f->file = -1;
    f->open = false;
    struct evidence_row *row = &f->rows.items[f->rows.count - 1];
    row->size = f->size;
    row->cut = f->cut;
    sodium_bin2hex(row->sha256, sizeof row->sha256, sha256, sizeof sha256);
    f->left -= f->size < f->left ? f->size : f->left;
    if (f->is_copy)
        f->copies_left -= f->size < f->copies_left ? f->size : f->copies_left;
    if (f->cut)
        evidence_unread(f, row->name,
                        arena_printf(f->arena, _("there was no room for %llu bytes of it"),
                                     (unsigned long long)f->lost));
}

bool evidence_begin(struct evidence_folder *f, const char *name, struct error *e)
{
    end_file(f);
    f->file = openat(f->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->file < 0 && (errno == ENOSPC || errno == EDQUOT)) {
        evidence_unread(f, name, strerror(errno));
        f->cut = true; /* open is false: what is added goes nowhere */
        return true;
    }
    if (f->file < 0) {
        error_set_errno(e, errno, "making the file of evidence %s", name);
        return false;
    }
    if (!EVP_DigestInit_ex2(f->hash, EVP_sha256(), NULL))
        mem_gone();
    f->open = true;
    f->cut = false;
    f->size = f->lost = 0;
    f->whole_lines = str_ends(name, ".jsonl");
    f->is_copy = str_ends(name, ".bin");
    if (f->is_copy && !f->copies_begun)
        f->copies_left = f->left / 2;
    f->copies_begun |= f->is_copy;
    f->most = (f->is_copy ? f->copies_left : f->left) / 2;
    VEC_PUSH(&f->rows, ((struct evidence_row){.name = arena_strdup(f->arena, name)}));
    return true;
}

/* How many of these bytes fit, JSON Lines by whole lines. */
static size_t fitting(const struct evidence_folder *f, const char *bytes, size_t size)
{
    if (size <= f->most - f->size)
        return size;
    size_t fits = (size_t)(f->most - f->size);
    while (f->whole_lines && fits && bytes[fits - 1] != '\n')
        fits--;
    return fits;
}

bool evidence_add(struct evidence_folder *f, const void *bytes, size_t size, struct error *e)
{
    if (!size || f->cut || !f->open) {
        f->lost += size;
        return true;
    }
    size_t fits = fitting(f, bytes, size), done = 0;
    while (done < fits) {
        ssize_t n = write(f->file, (const char *)bytes + done, fits - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != ENOSPC && errno != EDQUOT) {
            error_set_errno(e, errno, "writing evidence (%s)",
                            f->rows.items[f->rows.count - 1].name);
            return false;
        }
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done < fits) { /* somebody else took the room: back to the last whole line */
        while (f->whole_lines && done && ((const char *)bytes)[done - 1] != '\n')
            done--;
        if (ftruncate(f->file, (off_t)(f->size + done)) != 0) {
            error_set_errno(e, errno, "writing evidence");
            return false;
        }
    }
    EVP_DigestUpdate(f->hash, bytes, done);
    f->size += done;
    if (done < size) {
        f->cut = true;
        f->lost += size - done;
    }
    return true;
}

bool evidence_write(struct evidence_folder *f, const char *name, const void *bytes, size_t size,
                    struct error *e)
{
    if (!evidence_begin(f, name, e))
        return false;
    f->most = f->left;
    if (!evidence_add(f, bytes, size, e))
        return false;
    bool cut = f->cut;
    end_file(f);
    if (cut)
        error_set(e, ERR_LIMIT, "the disk of the evidence is full: %s does not fit", name);
    return !cut;
}

void evidence_listed(struct evidence_folder *f, const char *name, uint64_t size,
                     const uint8_t sha256[32])
{
    struct evidence_row row = {.name = arena_strdup(f->arena, name), .size = size};
    end_file(f);
    sodium_bin2hex(row.sha256, sizeof row.sha256, sha256, 32);
    f->left -= size < f->left ? size : f->left;
    VEC_PUSH(&f->rows, row);
}

/* ---- index and sums ------------------------------------------------------------------------- */

static json_t *index_of(struct evidence_folder *f, struct response *r)
{
    struct utsname host;
    struct clock_state clock = clock_look();
    json_t *o = json_object(), *files = json_array(), *unread = json_array();
    json_put_string(o, "type", "evidence");
    json_put_string(o, "incident", r->incident.id);
    json_put_string(o, "folder", f->name);
    json_put_string(o, "host", uname(&host) == 0 ? host.nodename : "");
    json_put_string(o, "who", r->options->who);
    json_put_string(o, "yagura", YAGURA_VERSION);
    clock_put_time(o, "begun", f->begun);
    clock_put_time(o, "ended", date_now());
    json_put_int(o, "took_us", f->took_us);
    clock_put(o, "clock_", &clock);
    for (size_t i = 0; i < f->rows.count; i++) {
        const struct evidence_row *row = &f->rows.items[i];
        json_t *file = json_object();
        json_put_string(file, "name", row->name);
        json_put_int(file, "bytes", (int64_t)row->size);
        json_put_string(file, "sha256", row->sha256);
        if (row->cut)
            json_put_bool(file, "cut", true);
        json_array_append_new(files, file);
    }
    json_object_set_new(o, "files", files);
    for (size_t i = 0; i < f->unread.count; i++) {
        json_t *u = json_object();
        json_put_string(u, "what", f->unread.items[i].what);
        json_put_string(u, "why", f->unread.items[i].why);
        json_array_append_new(unread, u);
    }
    json_object_set_new(o, "unread", unread);
    if (f->unread_more)
        json_put_int(o, "unread_more", (int64_t)f->unread_more);
    return o;
}

bool evidence_end(struct evidence_folder *f, struct response *r, struct error *e)
{
    CLEANUP_STR struct str text = {0}, sums = {0};
    end_file(f);
    f->left += lists_bytes;
    f->took_us = monotonic_us() - f->begun_us;
    CLEANUP_JSON json_t *index = index_of(f, r);
    json_add_line(&text, index);
    str_add_char(&text, '\n');
    if (!evidence_write(f, "index.json", text.data, text.length, e))
        return false;
    for (size_t i = 0; i < f->rows.count; i++)
        str_printf(&sums, "%s  %s\n", f->rows.items[i].sha256, f->rows.items[i].name);
    if (!evidence_write(f, "SHA256SUMS", sums.data, sums.length, e))
        return false;
    f->rows.count--; /* it does not list itself */
    snprintf(f->sums_sha256, sizeof f->sums_sha256, "%s", f->rows.items[f->rows.count].sha256);
    return true;
}

static bool sync_name(int dirfd, const char *name, struct error *e)
{
    CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fsync(fd) == 0)
        return true;
    error_set_errno(e, errno, "writing evidence (%s) to the disk", name);
    return false;
}

bool evidence_enter(struct evidence_folder *f, struct response *r, json_t *result, struct error *e)
{
    uint64_t bytes = 0;
    bool cut = false;
    for (size_t i = 0; i < f->rows.count; i++) {
        bytes += f->rows.items[i].size;
        cut |= f->rows.items[i].cut;
        if (!sync_name(f->fd, f->rows.items[i].name, e))
            return false;
    }
    if (!sync_name(f->fd, "SHA256SUMS", e) || !sync_name(f->fd, ".", e) ||
        !sync_name(f->fd, "..", e))
        return false;
    CLEANUP_JSON json_t *entry = incident_entry(r->incident.id, "evidence", NULL, r->options->who);
    json_put_string(entry, "folder", f->name);
    json_put_string(entry, "sha256", f->sums_sha256);
    json_put_int(entry, "files", (int64_t)f->rows.count);
    json_put_int(entry, "bytes", (int64_t)bytes);
    json_put_int(entry, "unread", (int64_t)(f->unread.count + f->unread_more));
    if (!ledger_append(r->state, entry, date_now(), e))
        return false;
    CLEANUP_JSON json_t *told = json_object();
    json_put_string(told, "folder", f->name);
    json_put_string(told, "sha256", f->sums_sha256);
    json_put_int(told, "files", (int64_t)f->rows.count);
    json_put_int(told, "bytes", (int64_t)bytes);
    json_put_int(told, "unread", (int64_t)(f->unread.count + f->unread_more));
    json_put_int(told, "took_us", f->took_us);
    if (!json_get_array(result, "evidence"))
        json_object_set_new(result, "evidence", json_array());
    json_array_append(json_get_array(result, "evidence"), told);
    if (cut)
        respond_say(r, arena_printf(r->arena,
                                    _("%s: the disk has no room for all of the evidence; "
                                      "index.json in it says what is left out"),
                                    f->name));
    return true;
}

#include "respond/bundle.h"

#include "base/file.h"
#include "base/str.h"
#include "base/tar_writer.h"
#include "content/walk.h"
#include "model/date.h"
#include "record/keys.h"
#include "record/ledger.h"
#include "record/minisign.h"
#include "respond/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { OUT_BYTES = 256 << 10, IN_BYTES = 256 << 10, LEVEL = 3, MOST_DEPTH = 64 };
static const uint64_t most_kept_bytes = (uint64_t)4 << 30;

struct bundle {
    struct evidence_folder *report;
    const char *incident;
    struct tar_writer tar;
    int fd;
    ZSTD_CCtx *deflate;
    EVP_MD_CTX *whole, *one; /* of the bundle, of a member */
    char *in, *out;
    struct str sums;
    uint64_t written, most, kept_left;
    struct bundle_told told;
    bool hashing; /* what goes into the archive now is the content of a member */
};

static void bundle_free(struct bundle *b)
{
    mem_cleanup_close(&b->fd);
    ZSTD_freeCCtx(b->deflate);
    EVP_MD_CTX_free(b->whole);
    EVP_MD_CTX_free(b->one);
    free(b->in);
    free(b->out);
    str_free(&b->sums);
}

/* ---- the bytes ------------------------------------------------------------------------------ */

static bool put_out(struct bundle *b, size_t size, struct error *e)
{
    b->written += size;
    if (b->written > b->most) {
        error_set(e, ERR_LIMIT,
                  "the disk of the evidence has no room for the bundle: %llu MiB are not enough; "
                  "free some, or mount another disk over DIR/evidence of the state",
                  (unsigned long long)b->most >> 20);
        return false;
    }
    for (size_t done = 0; done < size;) {
        ssize_t n = write(b->fd, b->out + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(e, errno, "writing the bundle of evidence");
            return false;
        }
        done += (size_t)n;
    }
    EVP_DigestUpdate(b->whole, b->out, size);
    return true;
}

static bool compress_more(struct bundle *b, const void *bytes, size_t size, ZSTD_EndDirective how,
                          struct error *e)
{
    ZSTD_inBuffer in = {bytes, size, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {b->out, OUT_BYTES, 0};
        left = ZSTD_compressStream2(b->deflate, &out, &in, how);
        if (ZSTD_isError(left)) {
            error_set(e, ERR_SYSTEM, "compressing: %s", ZSTD_getErrorName(left));
            return false;
        }
        if (out.pos && !put_out(b, out.pos, e))
            return false;
    } while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
    return true;
}

static bool on_tar(void *context, const void *bytes, size_t size, struct error *e)
{
    struct bundle *b = context;
    if (b->hashing)
        EVP_DigestUpdate(b->one, bytes, size);
    return compress_more(b, bytes, size, ZSTD_e_continue, e);
}

/* ---- members -------------------------------------------------------------------------------- */

/* A line of sha256sum(1): a name with a line break or a backslash is escaped, and the line begins
 * with a backslash then. */
static void add_sum(struct bundle *b, const uint8_t sha256[32], const char *name)
{
    char hash[65];
    bool escape = strpbrk(name, "\n\\") != NULL;
    str_add(&b->sums, escape ? "\\" : "");
    sodium_bin2hex(hash, sizeof hash, sha256, 32);
    str_printf(&b->sums, "%s  ", hash);
    for (const char *c = name; *c; c++)
        if (*c == '\n')
            str_add(&b->sums, "\\n");
        else if (*c == '\\')
            str_add(&b->sums, "\\\\");
        else
            str_add_char(&b->sums, *c);
    str_add_char(&b->sums, '\n');
}

/* As it was, but for the bits that would make a plant dangerous again where root unpacks it. */
static bool begin_member(struct bundle *b, const char *name, const struct stat *st,
                         const char *link, struct error *e)
{
    struct stat tame = *st;
    tame.st_mode &= (mode_t) ~(S_ISUID | S_ISGID);
    return tar_begin(&b->tar, name, &tame, link, e);
}

/* From a descriptor, or (fd -1) from memory. `st` says how much. */
static bool put_content(struct bundle *b, const char *name, const struct stat *st, int fd,
                        const void *bytes, struct error *e)
{
    uint8_t sha256[32];
    uint64_t missing;
    if (!begin_member(b, name, st, NULL, e))
        return false;
    if (!EVP_DigestInit_ex2(b->one, EVP_sha256(), NULL))
        mem_gone();
    b->hashing = true;
    bool good = fd >= 0 || tar_add(&b->tar, bytes, (size_t)st->st_size, e);
    while (good && fd >= 0 && b->tar.left) {
        ssize_t n = read(fd, b->in, IN_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            evidence_unread(b->report, name, strerror(errno));
        if (n <= 0)
            break;
        good = tar_add(&b->tar, b->in, (size_t)n, e);
    }
    b->hashing = false;
    if (!good || !tar_end_member(&b->tar, &missing, e))
        return false;
    if (missing)
        evidence_unread(b->report, name, _("it became shorter while it was read; zeros follow"));
    /* what was filled up is hashed as it lies in the archive */
    static const char zeros[512];
    for (; missing; missing -= missing < sizeof zeros ? missing : sizeof zeros)
        EVP_DigestUpdate(b->one, zeros, missing < sizeof zeros ? (size_t)missing : sizeof zeros);
    EVP_DigestFinal_ex(b->one, sha256, NULL);
    add_sum(b, sha256, name);
    b->told.files++;
    b->told.bytes += (uint64_t)st->st_size;
    return true;
}

static bool put_bytes(struct bundle *b, const char *name, const void *bytes, size_t size,
                      struct error *e)
{
    struct stat st = {.st_mode = S_IFREG | 0600, .st_size = (off_t)size};
    st.st_mtim.tv_sec = date_now();
    return put_content(b, name, &st, -1, bytes, e);
}

/* False only if the archive cannot go on. */
static bool put_name(struct bundle *b, int dirfd, const char *name, const char *as,
                     uint64_t *bytes_left, int depth, struct error *e);

static bool put_folder(struct bundle *b, int parent, const char *name, const char *as,
                       uint64_t *bytes_left, int depth, struct error *e)
{
    DIR *dir = file_list(parent, name);
    if (!dir) {
        evidence_unread(b->report, as, strerror(errno));
        return true;
    }
    bool good = true;
    for (const struct dirent *d; good && (d = readdir(dir));) {
        if (str_equal(d->d_name, ".") || str_equal(d->d_name, ".."))
            continue;
        CLEANUP_STR struct str below = {0};
        str_printf(&below, "%s/%s", as, d->d_name);
        good = put_name(b, dirfd(dir), d->d_name, str_text(&below), bytes_left, depth + 1, e);
    }
    closedir(dir);
    return good;
}

static bool put_file(struct bundle *b, int dirfd, const char *name, const char *as,
                     uint64_t *bytes_left, struct error *e)
{
    struct stat st;
    CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        evidence_unread(b->report, as, fd < 0 ? strerror(errno) : _("it is not a regular file"));
        return true;
    }
    if ((uint64_t)st.st_size > *bytes_left) {
        evidence_unread(b->report, as,
                        _("it is left out of the bundle: what was put aside is more "
                          "than 4 GiB"));
        return true;
    }
    *bytes_left -= (uint64_t)st.st_size;
    return put_content(b, as, &st, fd, NULL, e);
}

static bool put_name(struct bundle *b, int dirfd, const char *name, const char *as,
                     uint64_t *bytes_left, int depth, struct error *e)
{
    struct stat st;
    char to[4097] = "";
    uint64_t missing;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        evidence_unread(b->report, as, strerror(errno));
        return true;
    }
    if (S_ISREG(st.st_mode))
        return put_file(b, dirfd, name, as, bytes_left, e);
    if (S_ISSOCK(st.st_mode) || depth > MOST_DEPTH) {
        evidence_unread(b->report, as,
                        S_ISSOCK(st.st_mode) ? _("it is a socket") : _("it lies too deep"));
        return true;
    }
    if (S_ISLNK(st.st_mode) && readlinkat(dirfd, name, to, sizeof to - 1) < 0) {
        evidence_unread(b->report, as, strerror(errno));
        return true;
    }
    if (!begin_member(b, as, &st, to, e) || !tar_end_member(&b->tar, &missing, e))
        return false;
    return !S_ISDIR(st.st_mode) || put_folder(b, dirfd, name, as, bytes_left, depth, e);
}

/* ---- what goes in --------------------------------------------------------------------------- */

static bool put_evidence(struct bundle *b, struct response *r, struct error *e)
{
    struct evidence_entry *entries;
    size_t count;
    uint64_t any = UINT64_MAX;
    if (!evidence_entries(r, &entries, &count, e))
        return false;
    CLEANUP_CLOSE int dir = respond_evidence(r, e);
    if (dir < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (str_starts(entries[i].folder, "report-"))
            continue; /* an earlier report would hold an earlier bundle */
        const char *as =
            arena_printf(r->arena, "yagura-%s/evidence/%s", r->incident.id, entries[i].folder);
        if (!put_name(b, dir, entries[i].folder, as, &any, 0, e))
            return false;
    }
    return true;
}

static bool put_kept(void *context, const struct kept *k, struct error *e)
{
    struct bundle *b = context;
    CLEANUP_STR struct str as = {0}, record = {0}, record_as = {0};
    str_printf(&as, "yagura-%s/%s", b->incident, k->as);
    if (!put_name(b, k->dirfd, k->name, str_text(&as), &b->kept_left, 0, e))
        return false;
    if (k->recordfd < 0)
        return true;
    str_printf(&record, "%s.json", k->name);
    str_printf(&record_as, "%s.json", str_text(&as));
    return put_name(b, k->recordfd, str_text(&record), str_text(&record_as), &b->kept_left, 0, e);
}

static void not_kept(void *context, const char *what, const char *why)
{
    const struct bundle *b = context;
    evidence_unread(b->report, what, why);
}

static bool put_all_kept(struct bundle *b, struct response *r, struct error *e)
{
    struct kept_visitor visitor = {.each = put_kept, .unread = not_kept, .context = b};
    return kept_each(r, &visitor, e);
}

static bool put_ledger(struct bundle *b, struct response *r, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str lines = {0}, checkpoint = {0};
    CLEANUP_FREE char *key = NULL;
    struct ledger_entry *entries;
    size_t count, size;
    if (!ledger_read(r->state, NULL, arena, &entries, &count, e) ||
        !ledger_checkpoint(r->state, &checkpoint, date_now(), e))
        return false;
    for (size_t i = 0; i < count; i++) {
        CLEANUP_JSON json_t *o = json_object();
        json_put_int(o, "seq", entries[i].seq);
        json_put_string(o, "hash", entries[i].hash);
        json_put_string(o, "body", entries[i].body); /* as text: the hash is over these bytes */
        json_add_line(&lines, o);
        str_add_char(&lines, '\n');
    }
    CLEANUP_CLOSE int fd =
        openat(state_dirfd(r->state), "keys/ledger.pub", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    const char *at = arena_printf(arena, "yagura-%s/ledger", r->incident.id);
    if (fd < 0)
        error_set_errno(e, errno, "reading the public key of the ledger");
    return fd >= 0 && file_read_fd(&key, &size, fd, 4096, e) &&
           put_bytes(b, arena_printf(arena, "%s/entries.jsonl", at), lines.data, lines.length, e) &&
           put_bytes(b, arena_printf(arena, "%s/checkpoint.txt", at), checkpoint.data,
                     checkpoint.length, e) &&
           put_bytes(b, arena_printf(arena, "%s/ledger.pub", at), key, size, e);
}

/* What the ledger's steps mean. */
static bool put_runbook(struct bundle *b, struct response *r, struct error *e)
{
    return put_bytes(b, arena_printf(r->arena, "yagura-%s/runbook.yaml", r->incident.id),
                     r->book->text, r->book->size, e);
}

static bool put_report(struct bundle *b, struct response *r, struct error *e)
{
    size_t count;
    uint64_t any = UINT64_MAX;
    const struct evidence_row *rows = evidence_rows(b->report, &count);
    for (size_t i = 0; i < count; i++)
        if (!put_name(b, evidence_folder_fd(b->report), rows[i].name,
                      arena_printf(r->arena, "yagura-%s/report/%s", r->incident.id, rows[i].name),
                      &any, 0, e))
            return false;
    return true;
}

static const char *comment(struct response *r, const char *of)
{
    char when[32];
    date_format(date_now(), when);
    return arena_printf(r->arena, "yagura evidence %s %s made %s", r->incident.id, of, when);
}

static bool put_sums(struct bundle *b, struct response *r, const struct keypair *key,
                     struct error *e)
{
    CLEANUP_STR struct str sums = {0}, signature = {0};
    str_add_bytes(&sums, str_text(&b->sums), b->sums.length);
    minisign_sign(&signature, key, str_text(&sums), sums.length, comment(r, "SHA256SUMS"));
    return put_bytes(b, arena_printf(r->arena, "yagura-%s/SHA256SUMS", r->incident.id),
                     str_text(&sums), sums.length, e) &&
           put_bytes(b, arena_printf(r->arena, "yagura-%s/SHA256SUMS.minisig", r->incident.id),
                     signature.data, signature.length, e);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static const char name_of_bundle[] = "bundle.tar.zst",
                  name_of_signature[] = "bundle.tar.zst.minisig";

/* The bundle's bytes, mapped: it lies in our own folder, where nobody else can make it shorter. */
static void *map_bundle(int fd, size_t *size, struct error *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0) {
        error_set(e, ERR_CORRUPT, "the bundle of evidence is empty");
        return NULL;
    }
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        error_set_errno(e, errno, "reading the bundle of evidence");
        return NULL;
    }
    *size = (size_t)st.st_size;
    return bytes;
}

static bool sign(struct evidence_folder *report, struct response *r, const struct keypair *key,
                 struct error *e)
{
    size_t size;
    CLEANUP_STR struct str signature = {0};
    CLEANUP_CLOSE int fd =
        openat(evidence_folder_fd(report), name_of_bundle, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    void *bytes = map_bundle(fd, &size, e);
    if (!bytes)
        return false;
    minisign_sign(&signature, key, bytes, size, comment(r, name_of_bundle));
    munmap(bytes, size);
    return evidence_write(report, name_of_signature, signature.data, signature.length, e);
}

bool bundle_verify(struct response *r, int folderfd, struct error *e)
{
    struct keypair key;
    char said[MINISIGN_COMMENT_SIZE];
    size_t size, signature_size;
    CLEANUP_FREE char *signature = NULL;
    CLEANUP_CLOSE int fd = openat(folderfd, name_of_bundle, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP_CLOSE int sig = openat(folderfd, name_of_signature, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || sig < 0) {
        error_set_errno(e, errno, "opening the bundle of evidence and its signature");
        return false;
    }
    if (!file_read_fd(&signature, &signature_size, sig, 64 << 10, e) ||
        !keys_open(&key, state_dirfd(r->state), "ledger", false, e))
        return false;
    void *bytes = map_bundle(fd, &size, e);
    bool good = bytes && minisign_verify(&key, signature, bytes, size, said, e);
    if (bytes)
        munmap(bytes, size);
    keys_wipe(&key);
    return good;
}

static bool write_bundle(struct bundle *b, struct response *r, const struct keypair *key,
                         struct error *e)
{
    uint8_t sha256[32];
    if (!put_evidence(b, r, e) || !put_all_kept(b, r, e) || !put_ledger(b, r, e) ||
        !put_runbook(b, r, e) || !put_report(b, r, e) || !put_sums(b, r, key, e) ||
        !tar_end(&b->tar, e) || !compress_more(b, "", 0, ZSTD_e_end, e))
        return false;
    EVP_DigestFinal_ex(b->whole, sha256, NULL);
    evidence_listed(b->report, name_of_bundle, b->written, sha256);
    return sign(b->report, r, key, e);
}

bool bundle_write(struct evidence_folder *report, struct response *r, struct bundle_told *told,
                  struct error *e)
{
    struct keypair key;
    if (!keys_open(&key, state_dirfd(r->state), "ledger", false, e))
        return false;
    if (!key.has_secret) {
        error_set(e, ERR_ABSENT,
                  "the secret key of the ledger is not on this host: the bundle "
                  "cannot be signed");
        return false;
    }
    CLEANUP(bundle_free)
    struct bundle b = {.report = report,
                       .incident = r->incident.id,
                       .fd = openat(evidence_folder_fd(report), name_of_bundle,
                                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
                       .deflate = ZSTD_createCCtx(),
                       .whole = EVP_MD_CTX_new(),
                       .one = EVP_MD_CTX_new(),
                       .in = mem_resize(NULL, IN_BYTES),
                       .out = mem_resize(NULL, OUT_BYTES),
                       .most = evidence_room(report),
                       .kept_left = most_kept_bytes};
    if (!b.deflate || !b.whole || !b.one || !EVP_DigestInit_ex2(b.whole, EVP_sha256(), NULL))
        mem_gone();
    ZSTD_CCtx_setParameter(b.deflate, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(b.deflate, ZSTD_c_checksumFlag, 1);
    b.tar = (struct tar_writer){.write = on_tar, .context = &b};
    if (b.fd < 0)
        error_set_errno(e, errno, "making the bundle of evidence");
    bool good = b.fd >= 0 && write_bundle(&b, r, &key, e);
    if (!good)
        unlinkat(evidence_folder_fd(report), name_of_bundle, 0);
    keys_wipe(&key);
    *told = b.told;
    return good;
}

#include "collect/origin.h"

#include "base/str.h"

#include <openssl/evp.h>
#include <stdlib.h>

static const char ucf_path[] = "/var/lib/ucf/hashfile";
enum {
    MOST_HASHED = 512 << 20,
    PIECE_BYTES = 1 << 20,
    MOST_UCF_BYTES = 16 << 20,
    MOST_LINKS = 16,
    MOST_PATH = 4096
};

struct ucf_file {
    const char *path, *md5; /* 32 digits */
};

struct origins {
    struct arena *arena;
    struct dpkg_index *index;
    struct error error; /* why there is none */
    VEC(struct ucf_file) ucf;
    const char *ucf_error; /* "" = read, or not there */
};

static void read_ucf(struct collection *c, struct origins *o)
{
    CLEANUP_FREE char *text = NULL;
    size_t size = 0, position = 0, length;
    const char *line;
    struct error e = ERROR_INIT;
    o->ucf_error = "";
    if (!target_read(c->target, ucf_path, MOST_UCF_BYTES, &text, &size, &e)) {
        if (e.code != ERR_ABSENT)
            o->ucf_error = arena_strdup(o->arena, e.message);
        return;
    }
    while (str_next_line(text, size, &position, &line, &length))
        if (length > MD5_DIGITS + 2 && line[MD5_DIGITS] == ' ' && line[MD5_DIGITS + 2] == '/') {
            struct ucf_file f = {
                arena_strndup(o->arena, line + MD5_DIGITS + 2, length - MD5_DIGITS - 2),
                arena_strndup(o->arena, line, MD5_DIGITS)};
            VEC_PUSH(&o->ucf, f);
        }
}

/* Why there is no index, in words that help. */
static void tell_absent(struct collection *c, struct error *e)
{
    static const char *const rpm[] = {"/var/lib/rpm", "/usr/lib/sysimage/rpm"};
    struct target_stat st;
    for (size_t i = 0; i < ARRAY_COUNT(rpm); i++)
        if (target_stat(c->target, rpm[i], true, &st, NULL)) {
            error_set(e, ERR_UNSUPPORTED,
                      "the packages of this host are rpm's, whose record is not read: rpm -Va, on "
                      "the host, tells what differs from its packages");
            return;
        }
    error_set(e, ERR_UNSUPPORTED,
              "no record of dpkg is there, and no other package manager's is read");
}

struct origins *origins_acquire(struct collection *c)
{
    if (c->origins && *c->origins)
        return *c->origins;
    struct origins *o = mem_alloc(sizeof *o);
    o->arena = arena_new();
    if (!dpkg_index_open(&o->index, c, o->arena, &o->error))
        o->index = NULL;
    if (!o->index && o->error.code == ERR_ABSENT)
        tell_absent(c, &o->error);
    read_ucf(c, o);
    if (c->origins)
        *c->origins = o;
    return o;
}

void origins_release(struct collection *c, struct origins *o)
{
    if (!c->origins)
        origins_free(o);
}

void origins_free(struct origins *o)
{
    if (!o)
        return;
    VEC_FREE(&o->ucf);
    arena_free(o->arena);
    free(o);
}

const struct dpkg_index *origins_index(const struct origins *o, const char **why)
{
    *why = o->error.message;
    return o->index;
}

/* --- checksums --- */

/* Of a file that grows while it is read no more is read than it had at first. */
bool origin_md5(struct collection *c, const char *path, uint8_t out[MD5_BYTES], struct error *e)
{
    struct target_stat st;
    if (!target_stat(c->target, path, true, &st, e))
        return false;
    if (st.size > MOST_HASHED) { /* a sparse one costs its author nothing */
        error_set(e, ERR_LIMIT, "is larger than %d MiB: its checksum was not made",
                  MOST_HASHED >> 20);
        return false;
    }
    size_t room = st.size < PIECE_BYTES ? (size_t)st.size + 1 : PIECE_BYTES;
    CLEANUP_FREE char *piece = mem_alloc(room);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = md && EVP_DigestInit_ex(md, EVP_md5(), NULL);
    if (!good)
        error_set(e, ERR_SYSTEM, "the checksum MD5 cannot be made here");
    size_t got = room;
    for (uint64_t at = 0; good && at <= st.size && got == room; at += got)
        good = target_read_at(c->target, path, at, piece, room, &got, e) &&
               EVP_DigestUpdate(md, piece, got);
    good = good && EVP_DigestFinal_ex(md, out, NULL);
    EVP_MD_CTX_free(md);
    return good;
}

static void as_digits(const uint8_t md5[MD5_BYTES], char out[MD5_DIGITS + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < MD5_BYTES; i++) {
        out[(size_t)2 * i] = digits[md5[i] >> 4];
        out[2 * i + 1] = digits[md5[i] & 15];
    }
    out[MD5_DIGITS] = '\0';
}

/* --- links --- */

/* "/a/b/../c" to "/a/c", by the names alone. */
static const char *plain_path(struct arena *arena, const char *path)
{
    CLEANUP_STR struct str out = {0};
    for (const char *p = path; *p;) {
        p += strspn(p, "/");
        size_t length = strcspn(p, "/");
        if (length == 2 && p[0] == '.' && p[1] == '.') {
            const char *last = out.length ? strrchr(out.data, '/') : NULL;
            out.length = last ? (size_t)(last - out.data) : 0;
            if (out.data)
                out.data[out.length] = '\0';
        } else if (length && !(length == 1 && *p == '.')) {
            str_add_char(&out, '/');
            str_add_bytes(&out, p, length);
        }
        p += length;
    }
    return arena_strdup(arena, out.length ? str_text(&out) : "/");
}

/* Where the last part of a path leads; the folders on the way are taken as they are named. */
static bool follow(struct collection *c, const char **path, struct error *e)
{
    for (unsigned i = 0; i < MOST_LINKS; i++) {
        struct target_stat st;
        char to[MOST_PATH];
        if (!target_stat(c->target, *path, false, &st, e))
            return false;
        if (st.type != TARGET_LINK)
            return true;
        if (!target_readlink(c->target, *path, to, sizeof to, e))
            return false;
        const char *slash = strrchr(*path, '/');
        *path = *to == '/' ? plain_path(c->arena, to)
                           : plain_path(c->arena,
                                        arena_printf(c->arena, "%.*s/%s",
                                                     slash ? (int)(slash - *path) : 0, *path, to));
    }
    error_set(e, ERR_UNREADABLE, "more than %d links, one after the other", MOST_LINKS);
    return false;
}

static bool is_same_file(struct collection *c, const char *a, const char *b)
{
    struct target_stat x, y;
    return str_equal(a, b) || (target_stat(c->target, a, true, &x, NULL) &&
                               target_stat(c->target, b, true, &y, NULL) && x.inode == y.inode &&
                               x.device == y.device);
}

/* --- the questions --- */

/* What maintainer scripts and adduser copy. */
static const struct {
    const char *name; /* of the copy: a path, or a last part */
    const char *from;
} originals[] = {
    {"/etc/profile", "/usr/share/base-files/profile"},
    {"/etc/motd", "/usr/share/base-files/motd"},
    {"/etc/nsswitch.conf", "/usr/share/libc-bin/nsswitch.conf"},
    {".bashrc", "/usr/share/base-files/dot.bashrc"},
    {".profile", "/usr/share/base-files/dot.profile"},
    {".bashrc", "/etc/skel/.bashrc"},
    {".profile", "/etc/skel/.profile"},
    {".bash_logout", "/etc/skel/.bash_logout"},
};

static bool is_copy(struct collection *c, struct origins *o, const char *path,
                    const uint8_t md5[MD5_BYTES], const char **package)
{
    const char *last = strrchr(path, '/');
    last = last ? last + 1 : path;
    for (size_t i = 0; i < ARRAY_COUNT(originals); i++) {
        struct dpkg_entry entry;
        if (!str_equal(originals[i].name, path) && !str_equal(originals[i].name, last))
            continue;
        if (!dpkg_index_find(o->index, originals[i].from, md5, c->arena, &entry) ||
            !entry.has_md5 || memcmp(entry.md5, md5, MD5_BYTES) != 0)
            continue;
        *package = entry.package;
        return true;
    }
    return false;
}

static const struct ucf_file *ucf_find(const struct origins *o, const char *path)
{
    for (size_t i = 0; i < o->ucf.count; i++)
        if (str_equal(o->ucf.items[i].path, path))
            return &o->ucf.items[i];
    return NULL;
}

static struct origin unreadable(struct collection *c, const char *path, const char *why)
{
    return (struct origin){ORIGIN_UNREADABLE, "", arena_strdup(c->arena, why), path};
}

struct origin origin_of_md5(struct collection *c, struct origins *o, const char *path,
                            const uint8_t md5[MD5_BYTES])
{
    struct origin found = {ORIGIN_NONE, "", "", path};
    struct dpkg_entry entry;
    if (!o->index)
        return unreadable(c, path, o->error.message);
    if (dpkg_index_find(o->index, path, md5, c->arena, &entry)) {
        found.package = entry.package;
        found.state = memcmp(entry.md5, md5, MD5_BYTES) == 0 ? ORIGIN_PACKAGE : ORIGIN_CHANGED;
        if (!entry.has_md5) {
            found.state = ORIGIN_UNREADABLE;
            found.reason = _("its package came without checksums");
        }
        return found;
    }
    const struct ucf_file *ucf = ucf_find(o, path);
    char digits[MD5_DIGITS + 1];
    as_digits(md5, digits);
    if (ucf) {
        found.state = str_equal(ucf->md5, digits) ? ORIGIN_PACKAGE : ORIGIN_CHANGED;
        found.package = "ucf";
    } else if (is_copy(c, o, path, md5, &found.package)) {
        found.state = ORIGIN_PACKAGE;
    } else if (*o->ucf_error) {
        return unreadable(c, path, o->ucf_error);
    } else if (dpkg_index_unread(o->index)) {
        return unreadable(c, path, _("some of dpkg's lists of files could not be read"));
    }
    return found;
}

struct origin origin_of(struct collection *c, struct origins *o, const char *path)
{
    uint8_t md5[MD5_BYTES];
    struct error e = ERROR_INIT;
    const char *asked = path;
    if (!o->index)
        return unreadable(c, path, o->error.message);
    if (!follow(c, &path, &e) || !origin_md5(c, asked, md5, &e))
        return unreadable(c, asked, e.message);
    /* A folder on the way may be a link: then "../" leads elsewhere than the names say. */
    if (!is_same_file(c, asked, path))
        return (struct origin){ORIGIN_NONE, "", "", asked};
    return origin_of_md5(c, o, path, md5);
}

void origin_put(struct collection *c, struct fact *f, const struct origin *origin)
{
    static const char *const names[] = {
        [ORIGIN_PACKAGE] = "package", [ORIGIN_CHANGED] = "changed", [ORIGIN_NONE] = "none"};
    if (origin->state == ORIGIN_UNREADABLE)
        fact_put_state(c->facts, f, "origin", VALUE_UNREADABLE, origin->reason);
    else
        fact_put(c->facts, f, "origin", names[origin->state]);
    if (*origin->package)
        fact_put(c->facts, f, "package", origin->package);
}

#include "content/objects.h"

#include "base/file.h"
#include "base/mem.h"
#include "content/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum {
    CHUNK = 256 * 1024,
    SAMPLE = 1024 * 1024, /* of a file; decides whether it is worth compressing */
    LEVEL = 3,            /* zstd's own default */
    NAME_SIZE = 80
};

/* What one thread needs to put or get an object; kept for the next, as making one costs more
 * than a small page. */
struct worker {
    struct worker *next;
    ZSTD_CCtx *deflate;
    ZSTD_DCtx *inflate;
    EVP_MD_CTX *digest;
    uint8_t *in, *out; /* in: SAMPLE bytes; out: ZSTD_compressBound(SAMPLE) */
};

struct objects {
    int dirfd;
    EVP_MD *sha256;
    pthread_mutex_t lock;
    struct worker *idle;
    atomic_uint temporaries;
    struct walk_progress *progress;
};

static struct worker *worker_take(struct objects *o)
{
    pthread_mutex_lock(&o->lock);
    struct worker *w = o->idle;
    if (w)
        o->idle = w->next;
    pthread_mutex_unlock(&o->lock);
    if (w)
        return w;
    w = mem_alloc(sizeof *w);
    w->deflate = ZSTD_createCCtx();
    w->inflate = ZSTD_createDCtx();
    w->digest = EVP_MD_CTX_new();
    w->in = malloc(SAMPLE);
    w->out = malloc(ZSTD_compressBound(SAMPLE));
    if (!w->deflate || !w->inflate || !w->digest || !w->in || !w->out)
        mem_gone();
    ZSTD_CCtx_setParameter(w->deflate, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(w->deflate, ZSTD_c_checksumFlag, 1);
    return w;
}

static void begin_hash(struct worker *w, const struct objects *o)
{
    if (!EVP_DigestInit_ex2(w->digest, o->sha256, NULL))
        mem_gone();
}

static void worker_give(struct objects *o, struct worker *w)
{
    pthread_mutex_lock(&o->lock);
    w->next = o->idle;
    o->idle = w;
    pthread_mutex_unlock(&o->lock);
}

static void worker_free(struct worker *w)
{
    ZSTD_freeCCtx(w->deflate);
    ZSTD_freeDCtx(w->inflate);
    EVP_MD_CTX_free(w->digest);
    free(w->in);
    free(w->out);
    free(w);
}

bool objects_open(struct objects **out, int state_dirfd, struct error *e)
{
    if (mkdirat(state_dirfd, "objects", 0700) != 0 && errno != EEXIST) {
        error_set_errno(e, errno, "making the folder for objects");
        return false;
    }
    int fd = openat(state_dirfd, "objects", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        error_set_errno(e, errno, "opening the folder of objects");
        return false;
    }
    struct objects *o = mem_alloc(sizeof *o);
    o->dirfd = fd;
    o->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    if (!o->sha256)
        mem_gone();
    pthread_mutex_init(&o->lock, NULL);
    *out = o;
    return true;
}

void objects_free(struct objects *o)
{
    if (!o)
        return;
    while (o->idle) {
        struct worker *w = o->idle;
        o->idle = w->next;
        worker_free(w);
    }
    EVP_MD_free(o->sha256);
    pthread_mutex_destroy(&o->lock);
    close(o->dirfd);
    free(o);
}

void objects_cleanup(struct objects **o)
{
    objects_free(*o);
}

/* "ab/cdef...", with ".zst" behind it if asked for. */
static void object_name(char out[NAME_SIZE], const uint8_t sha256[32], bool compressed)
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    for (int i = 0; i < 32; i++) {
        *p++ = digits[sha256[i] >> 4];
        *p++ = digits[sha256[i] & 15];
        if (i == 0)
            *p++ = '/';
    }
    strcpy(p, compressed ? ".zst" : "");
}

static int object_open(struct objects *o, const uint8_t sha256[32], bool *compressed)
{
    for (int i = 0; i < 2; i++) {
        char name[NAME_SIZE];
        *compressed = i == 0;
        object_name(name, sha256, *compressed);
        int fd = openat(o->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 || errno != ENOENT)
            return fd;
    }
    return -1;
}

void objects_count_in(struct objects *o, struct walk_progress *progress)
{
    o->progress = progress;
}

bool objects_has(struct objects *o, const uint8_t sha256[32])
{
    bool compressed;
    CLEANUP_CLOSE int fd = object_open(o, sha256, &compressed);
    return fd >= 0;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size, struct error *e)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            error_set_errno(e, n < 0 ? errno : EIO, "writing");
            return false;
        }
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* The file that the content comes from. */
struct source {
    int fd;
    uint64_t size;
};

static bool zstd_failed(size_t code, struct error *e)
{
    if (!ZSTD_isError(code))
        return false;
    error_set(e, ERR_SYSTEM, "compressing: %s", ZSTD_getErrorName(code));
    return true;
}

static bool gains(size_t compressed, size_t plain)
{
    return compressed + plain / 8 < plain;
}

/* The content, hashed and written to `to` as `compress` says, for more than one SAMPLE. */
static bool put_long(struct worker *w, const struct source *from, int to, bool compress,
                     uint8_t hash[32], uint64_t *total, struct error *e)
{
    ZSTD_CCtx_reset(w->deflate, ZSTD_reset_session_only);
    ZSTD_CCtx_setPledgedSrcSize(w->deflate, from->size);
    *total = 0;
    for (bool last = false; !last;) {
        size_t got;
        if (!file_read_at(from->fd, *total, w->in, CHUNK, &got, e))
            return false;
        EVP_DigestUpdate(w->digest, w->in, got);
        *total += got;
        last = got < CHUNK || *total >= from->size;
        if (!compress) {
            if (!write_all(to, w->in, got, e))
                return false;
            continue;
        }
        ZSTD_inBuffer in = {w->in, got, 0};
        size_t left;
        do {
            ZSTD_outBuffer out = {w->out, ZSTD_compressBound(SAMPLE), 0};
            left = ZSTD_compressStream2(w->deflate, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
            if (zstd_failed(left, e) || !write_all(to, w->out, out.pos, e))
                return false;
        } while (last ? left != 0 : in.pos < in.size);
    }
    EVP_DigestFinal_ex(w->digest, hash, NULL);
    return true;
}

static bool put_content(struct worker *w, const struct source *from, int to, bool *compressed,
                        uint8_t hash[32], uint64_t *total, struct error *e)
{
    size_t got;
    if (!file_read_at(from->fd, 0, w->in, SAMPLE, &got, e))
        return false;
    size_t packed = 0;
    ZSTD_CCtx_reset(w->deflate, ZSTD_reset_session_only);
    if (got) {
        packed = ZSTD_compress2(w->deflate, w->out, ZSTD_compressBound(SAMPLE), w->in, got);
        if (zstd_failed(packed, e))
            return false;
    }
    *compressed = gains(packed, got);
    if (from->size > SAMPLE)
        return put_long(w, from, to, *compressed, hash, total, e);
    EVP_DigestUpdate(w->digest, w->in, got);
    EVP_DigestFinal_ex(w->digest, hash, NULL);
    *total = got;
    return *compressed ? write_all(to, w->out, packed, e) : write_all(to, w->in, got, e);
}

static bool make_folder(struct objects *o, const char *name, struct error *e)
{
    char folder[3] = {name[0], name[1], 0};
    if (mkdirat(o->dirfd, folder, 0700) == 0 || errno == EEXIST)
        return true;
    error_set_errno(e, errno, "making the folder objects/%s", folder);
    return false;
}

static bool put(struct objects *o, const struct source *from, const uint8_t sha256[32],
                struct error *e)
{
    char temporary[NAME_SIZE], name[NAME_SIZE];
    snprintf(temporary, sizeof temporary, "tmp-%d-%u", (int)getpid(),
             atomic_fetch_add(&o->temporaries, 1));
    CLEANUP_CLOSE int fd =
        openat(o->dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set_errno(e, errno, "making an object");
        return false;
    }
    struct worker *w = worker_take(o);
    begin_hash(w, o);
    uint8_t hash[32];
    uint64_t total = 0;
    bool compressed = false;
    bool good = put_content(w, from, fd, &compressed, hash, &total, e);
    worker_give(o, w);
    if (good && (total != from->size || memcmp(hash, sha256, sizeof hash) != 0)) {
        error_set(e, ERR_CORRUPT, "the content changed while it was being kept");
        good = false;
    }
    object_name(name, sha256, compressed);
    good = good && make_folder(o, name, e);
    /* Whoever was here first keeps the name: the content is the same. */
    if (good && renameat2(o->dirfd, temporary, o->dirfd, name, RENAME_NOREPLACE) == 0)
        return true;
    if (good && errno != EEXIST) {
        error_set_errno(e, errno, "keeping an object");
        good = false;
    }
    unlinkat(o->dirfd, temporary, 0);
    return good;
}

bool objects_put(struct objects *o, int fd, uint64_t size, const uint8_t sha256[32],
                 struct error *e)
{
    return objects_has(o, sha256) || put(o, &(struct source){.fd = fd, .size = size}, sha256, e);
}

/* Where the content goes: a file, or a block of `size` bytes. */
struct sink {
    int fd;
    uint8_t *bytes;
    uint64_t size, done;
    struct walk_progress *progress;
};

static bool sink_add(struct sink *to, EVP_MD_CTX *digest, const uint8_t *bytes, size_t size,
                     struct error *e)
{
    if (size > to->size - to->done) {
        error_set(e, ERR_CORRUPT, "a kept object is longer than it was");
        return false;
    }
    EVP_DigestUpdate(digest, bytes, size);
    if (to->fd >= 0) {
        if (!write_all(to->fd, bytes, size, e))
            return false;
    } else
        memcpy(to->bytes + to->done, bytes, size);
    to->done += size;
    if (to->progress)
        __atomic_add_fetch(&to->progress->bytes, size, __ATOMIC_RELAXED);
    return true;
}

static bool get_plain(struct worker *w, int fd, struct sink *to, struct error *e)
{
    size_t got;
    do {
        if (!file_read_at(fd, to->done, w->in, CHUNK, &got, e) ||
            !sink_add(to, w->digest, w->in, got, e))
            return false;
    } while (got == CHUNK);
    return true;
}

static bool get_compressed(struct worker *w, int fd, struct sink *to, struct error *e)
{
    ZSTD_DCtx_reset(w->inflate, ZSTD_reset_session_only);
    uint64_t offset = 0;
    size_t left = 1, got;
    do {
        if (!file_read_at(fd, offset, w->in, CHUNK, &got, e))
            return false;
        offset += got;
        ZSTD_inBuffer in = {w->in, got, 0};
        while (in.pos < in.size && left) {
            ZSTD_outBuffer out = {w->out, CHUNK, 0};
            left = ZSTD_decompressStream(w->inflate, &out, &in);
            if (ZSTD_isError(left)) {
                error_set(e, ERR_CORRUPT, "a kept object is damaged: %s", ZSTD_getErrorName(left));
                return false;
            }
            if (!sink_add(to, w->digest, w->out, out.pos, e))
                return false;
        }
    } while (got == CHUNK && left);
    if (left) {
        error_set(e, ERR_CORRUPT, "a kept object is cut short");
        return false;
    }
    return true;
}

/* A copy that shares its blocks with the object, where the file system can: hashed as well. */
static bool get_reflink(struct worker *w, int fd, struct sink *to, bool *done, struct error *e)
{
    *done = to->fd >= 0 && lseek(to->fd, 0, SEEK_CUR) == 0 && ioctl(to->fd, FICLONE, fd) == 0;
    if (!*done)
        return true;
    size_t got;
    do {
        if (!file_read_at(fd, to->done, w->in, CHUNK, &got, e))
            return false;
        EVP_DigestUpdate(w->digest, w->in, got);
        to->done += got;
    } while (got == CHUNK);
    return true;
}

static bool get(struct objects *o, const uint8_t sha256[32], struct sink *to, struct error *e)
{
    bool compressed;
    CLEANUP_CLOSE int fd = object_open(o, sha256, &compressed);
    if (fd < 0) {
        error_set_errno(e, errno, "opening a kept object");
        return false;
    }
    struct worker *w = worker_take(o);
    begin_hash(w, o);
    bool good, cloned = false;
    if (compressed)
        good = get_compressed(w, fd, to, e);
    else
        good = get_reflink(w, fd, to, &cloned, e) && (cloned || get_plain(w, fd, to, e));
    uint8_t hash[32];
    EVP_DigestFinal_ex(w->digest, hash, NULL);
    worker_give(o, w);
    if (good && (to->done != to->size || memcmp(hash, sha256, sizeof hash) != 0)) {
        error_set(e, ERR_CORRUPT, "a kept object is damaged: its content is not what was kept");
        good = false;
    }
    return good;
}

bool objects_get(struct objects *o, const uint8_t sha256[32], int fd, uint64_t size,
                 struct error *e)
{
    return get(o, sha256, &(struct sink){.fd = fd, .size = size, .progress = o->progress}, e);
}

bool objects_get_bytes(struct objects *o, const uint8_t sha256[32], size_t most, char **out,
                       size_t *size, struct error *e)
{
    bool compressed;
    CLEANUP_CLOSE int fd = object_open(o, sha256, &compressed);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        error_set_errno(e, errno, "opening a kept object");
        return false;
    }
    uint64_t plain = (uint64_t)st.st_size;
    if (compressed) {
        uint8_t head[18]; /* the longest header of a frame (RFC 8878, 3.1.1.1) */
        size_t got;
        if (!file_read_at(fd, 0, head, sizeof head, &got, e))
            return false;
        plain = ZSTD_getFrameContentSize(head, got);
        if (plain == ZSTD_CONTENTSIZE_ERROR || plain == ZSTD_CONTENTSIZE_UNKNOWN) {
            error_set(e, ERR_CORRUPT, "a kept object is damaged: it does not say its size");
            return false;
        }
    }
    if (plain > most) {
        error_set(e, ERR_LIMIT, "a kept object has %llu bytes, more than %zu are not read here",
                  (unsigned long long)plain, most);
        return false;
    }
    CLEANUP_FREE uint8_t *bytes = mem_alloc((size_t)plain + 1);
    struct sink to = {.fd = -1, .bytes = bytes, .size = plain};
    if (!get(o, sha256, &to, e))
        return false;
    *out = (char *)bytes;
    *size = (size_t)plain;
    bytes = NULL;
    return true;
}

void objects_hold(struct objects *o)
{
    while (flock(o->dirfd, LOCK_SH) != 0 && errno == EINTR)
        continue;
}

void objects_hold_alone(struct objects *o)
{
    while (flock(o->dirfd, LOCK_EX) != 0 && errno == EINTR)
        continue;
}

void objects_let_go(struct objects *o)
{
    flock(o->dirfd, LOCK_UN);
}

bool objects_sync(struct objects *o, struct error *e)
{
    if (syncfs(o->dirfd) == 0)
        return true;
    error_set_errno(e, errno, "making the objects durable");
    return false;
}

/* ---- sweeping --------------------------------------------------------------------------- */

static bool hash_of_name(uint8_t out[32], const char *folder, const char *name)
{
    char text[65];
    size_t length = strcspn(name, ".");
    if (strlen(folder) != 2 || length != 62)
        return false;
    snprintf(text, sizeof text, "%s%.62s", folder, name);
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        if (strspn(text + 2 * (size_t)i, "0123456789abcdef") < 2 ||
            sscanf(text + 2 * (size_t)i, "%2x", &byte) != 1)
            return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

static void remove_counted(int dirfd, const char *name, uint64_t *removed, uint64_t *freed)
{
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && unlinkat(dirfd, name, 0) == 0) {
        *removed += 1;
        *freed += (uint64_t)st.st_blocks * 512;
    }
}

static DIR *open_folder(int dirfd, const char *name, struct error *e)
{
    DIR *folder = file_list(dirfd, name);
    if (!folder)
        error_set_errno(e, errno, "opening objects/%s", name);
    return folder;
}

static void cleanup_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

bool objects_sweep(struct objects *o, bool (*keep)(void *context, const uint8_t sha256[32]),
                   void *context, uint64_t *removed, uint64_t *freed, struct error *e)
{
    *removed = *freed = 0;
    CLEANUP(cleanup_folder) DIR *all = open_folder(o->dirfd, ".", e);
    if (!all)
        return false;
    for (struct dirent *d; (d = readdir(all));) {
        if (strncmp(d->d_name, "tmp-", 4) == 0)
            unlinkat(o->dirfd, d->d_name, 0);
        if (strlen(d->d_name) != 2 || d->d_name[0] == '.')
            continue;
        CLEANUP(cleanup_folder) DIR *folder = open_folder(o->dirfd, d->d_name, e);
        if (!folder)
            return false;
        for (struct dirent *f; (f = readdir(folder));) {
            uint8_t sha256[32];
            if (hash_of_name(sha256, d->d_name, f->d_name) && !keep(context, sha256))
                remove_counted(dirfd(folder), f->d_name, removed, freed);
        }
    }
    return true;
}

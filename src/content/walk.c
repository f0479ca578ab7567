#include "content/walk.h"

#include "base/cores.h"
#include "base/file.h"
#include "content/xattrs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    HASH_BUFFER = 128 * 1024,
    LIST_BUFFER = 32 * 1024,
    PIECE = 64,
    TRIES = 3,
    MOST_THREADS = 64
};

/* ---- hashing ---------------------------------------------------------------------------- */

/* Fetching a digest costs more than hashing a page: once for the program. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    if (!sha256)
        mem_gone(); /* every OpenSSL has SHA-256 */
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
    return size ? mem_resize(NULL, size) : NULL;
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
    return mem_resize(old, size);
}

static void crypto_free(void *p, const char *file, int line)
{
    free(p);
}

void walk_begin(void)
{
    CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
}

struct hasher {
    EVP_MD_CTX *context;
    uint8_t *buffer;
    const struct walk_options *options; /* NULL: nobody else wants the file, nothing stops us */
};

static void hasher_open(struct hasher *h, const struct walk_options *options)
{
    pthread_once(&sha256_once, fetch_sha256);
    h->options = options;
    h->context = EVP_MD_CTX_new();
    h->buffer = malloc(HASH_BUFFER); /* not mem_alloc(): no need to touch it all */
    if (!h->context || !h->buffer)
        mem_gone();
}

static void hasher_close(struct hasher *h)
{
    EVP_MD_CTX_free(h->context);
    free(h->buffer);
}

/* Reads to the end; `expected` saves the last read, which would only say that it is the end. */
static bool hash_fd(struct hasher *h, int fd, uint64_t expected, uint8_t out[SHA256_SIZE],
                    uint64_t *size, struct error *e)
{
    const atomic_bool *stop = h->options ? h->options->stop : NULL;
    if (!EVP_DigestInit_ex2(h->context, sha256, NULL))
        mem_gone();
    uint64_t total = 0;
    while (total != expected || expected == 0) {
        size_t most = HASH_BUFFER, got;
        if (expected && expected - total < most)
            most = (size_t)(expected - total);
        if (!file_read_at(fd, total, h->buffer, most, &got, e))
            return false;
        EVP_DigestUpdate(h->context, h->buffer, got);
        total += got;
        if (got < most || (stop && *stop))
            break;
    }
    EVP_DigestFinal_ex(h->context, out, NULL);
    *size = total;
    return true;
}

bool walk_hash_fd(uint8_t out[SHA256_SIZE], int fd, uint64_t *size, struct error *e)
{
    struct hasher h;
    hasher_open(&h, NULL);
    uint64_t read_bytes;
    bool good = hash_fd(&h, fd, UINT64_MAX, out, &read_bytes, e);
    hasher_close(&h);
    if (good && size)
        *size = read_bytes;
    return good;
}

/* ---- one entry -------------------------------------------------------------------------- */

static bool same_content(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_mode == b->st_mode &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void entry_failed(struct walk_entry *entry, struct arena *arena, const struct error *e)
{
    if (!entry->error)
        entry->error = arena_dup(arena, e, sizeof *e);
}

static int open_entry(int dirfd, const char *name, struct error *e)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    int fd = openat(dirfd, name, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM) /* O_NOATIME is for the owner and root */
        fd = openat(dirfd, name, flags);
    if (fd < 0)
        error_set_errno(e, errno, "opening");
    return fd;
}

/* Hashes a regular file, again if it changes meanwhile; st becomes what was hashed. */
static bool hash_entry(struct hasher *h, struct walk_entry *entry, int dirfd, struct arena *arena,
                       struct error *e)
{
    for (int try = 0; try < TRIES; try++) {
        CLEANUP_CLOSE int fd = open_entry(dirfd, entry->name, e);
        if (fd < 0)
            return false;
        if (try) { /* what is there now may be something else than what was listed */
            if (fstat(fd, &entry->st) != 0 || !S_ISREG(entry->st.st_mode)) {
                error_set(e, ERR_UNREADABLE, "it was replaced while it was looked at");
                return false;
            }
        }
        uint64_t size;
        if (!hash_fd(h, fd, (uint64_t)entry->st.st_size, entry->sha256, &size, e))
            return false;
        struct stat after;
        if (fstat(fd, &after) != 0) {
            error_set_errno(e, errno, "looking at it");
            return false;
        }
        if (!same_content(&after, &entry->st) || size != (uint64_t)after.st_size)
            continue;
        entry->hashed = true;
        const struct walk_options *o = h->options;
        if (o && o->hashed && !o->hashed(o->context, entry, fd, e))
            return false;
        return !entry->xattrs ||
               xattrs_read_fd(&entry->xattr_bytes, &entry->xattr_size, fd, arena, e);
    }
    entry->hashed = entry->unstable = true;
    return true;
}

static void look(struct hasher *h, struct walk_entry *entry, int dirfd, struct arena *arena)
{
    struct error e = ERROR_INIT;
    bool good = true;
    if (entry->hash && S_ISREG(entry->st.st_mode))
        good = hash_entry(h, entry, dirfd, arena, &e);
    else if (entry->xattrs)
        good = xattrs_read_name(&entry->xattr_bytes, &entry->xattr_size, dirfd, entry->name, arena,
                                &e);
    if (!good)
        entry_failed(entry, arena, &e);
}

static bool stat_entry(struct walk_entry *entry, int dirfd, const struct stat *known,
                       struct arena *arena, struct error *e)
{
    if (known)
        entry->st = *known;
    else if (fstatat(dirfd, entry->name, &entry->st, AT_SYMLINK_NOFOLLOW) != 0) {
        error_set_errno(e, errno, "looking at it");
        return false;
    }
    if (!S_ISLNK(entry->st.st_mode))
        return true;
    char target[4097];
    ssize_t n = readlinkat(dirfd, entry->name, target, sizeof target);
    if (n <= 0 || n == (ssize_t)sizeof target) {
        error_set_errno(e, n < 0 ? errno : ENAMETOOLONG, "reading the link");
        return false;
    }
    entry->target = arena_strndup(arena, target, (size_t)n);
    return true;
}

/* One for each thread that looks at single names, kept: its buffer is what costs. */
static struct hasher *own_hasher(void)
{
    static _Thread_local struct hasher own;
    if (!own.context)
        hasher_open(&own, NULL);
    return &own;
}

bool walk_one(struct walk_entry *out, int dirfd, const char *name, const struct stat *known,
              bool hash, bool xattrs, struct arena *arena, struct error *e)
{
    *out = (struct walk_entry){
        .name = name, .name_length = strlen(name), .hash = hash, .xattrs = xattrs};
    if (!stat_entry(out, dirfd, known, arena, e))
        return false;
    look(own_hasher(), out, dirfd, arena);
    if (out->error && e)
        *e = *out->error;
    return !out->error;
}

/* ---- the pool --------------------------------------------------------------------------- */

struct folder {
    struct walk_dir dir;
    atomic_size_t pieces; /* still to be looked at */
};

/* A directory to list (path), or the entries from..to of one that is listed (folder). */
struct job {
    struct job *below;
    struct folder *folder;
    size_t from, to;
    uint32_t tag;
    dev_t parent_dev;
    char path[];
};

struct pool {
    const struct walk_options *options;
    int rootfd;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *top; /* last in, first out: few directories wait, however wide the tree */
    size_t unfinished;
    struct error *root_error;
};

static struct job *job_new(const char *folder, const char *name)
{
    size_t a = strlen(folder), b = strlen(name);
    struct job *job = mem_alloc(sizeof *job + a + b + 2);
    memcpy(job->path, folder, a);
    if (a)
        job->path[a++] = '/';
    memcpy(job->path + a, name, b);
    return job;
}

/* Puts a chain of jobs on top. */
static void push(struct pool *p, struct job *first, struct job *last, size_t count)
{
    pthread_mutex_lock(&p->lock);
    last->below = p->top;
    p->top = first;
    p->unfinished += count;
    if (count > 1)
        pthread_cond_broadcast(&p->changed);
    else
        pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static struct job *take(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (!p->top && p->unfinished)
        pthread_cond_wait(&p->changed, &p->lock);
    struct job *job = p->top;
    if (job)
        p->top = job->below;
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void finished(struct pool *p, struct job *job)
{
    free(job);
    pthread_mutex_lock(&p->lock);
    if (--p->unfinished == 0)
        pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static bool stopped(const struct pool *p)
{
    return p->options->stop && *p->options->stop;
}

static void folder_failed(struct folder *f, const struct error *e)
{
    if (!f->dir.error)
        f->dir.error = arena_dup(f->dir.arena, e, sizeof *e);
}

static int open_folder(int rootfd, const char *path, struct error *e)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    const char *name = path[0] ? path : ".";
    int fd = (int)syscall(SYS_openat2, rootfd, name, &how, sizeof how);
    if (fd < 0 && errno == EPERM) {
        how.flags &= ~(uint64_t)O_NOATIME;
        fd = (int)syscall(SYS_openat2, rootfd, name, &how, sizeof how);
    }
    if (fd < 0)
        error_set_errno(e, errno, "opening the directory");
    return fd;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct walk_entry *)a)->name, ((const struct walk_entry *)b)->name);
}

struct kernel_dirent {
    uint64_t ino;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* The names in a directory; what could be read stays when an error ends it early. */
static bool read_names(struct folder *f, struct error *e)
{
    VEC(struct walk_entry) entries = {0};
    _Alignas(struct kernel_dirent) char buffer[LIST_BUFFER];
    bool good = true;
    for (;;) {
        ssize_t n = syscall(SYS_getdents64, f->dir.fd, buffer, sizeof buffer);
        if (n < 0) {
            error_set_errno(e, errno, "listing the directory");
            good = false;
        }
        if (n <= 0)
            break;
        for (ssize_t at = 0; at < n;) {
            struct kernel_dirent *d = (struct kernel_dirent *)(void *)(buffer + at);
            at += d->length;
            if (strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0)
                continue;
            struct walk_entry entry = {.name = arena_strdup(f->dir.arena, d->name)};
            entry.name_length = strlen(entry.name);
            VEC_PUSH(&entries, entry);
        }
    }
    if (entries.count)
        qsort(entries.items, entries.count, sizeof *entries.items, by_name);
    f->dir.entries = entries.items;
    f->dir.count = entries.count;
    return good;
}

/* The stat of each; names that are gone by now are dropped. */
static void stat_all(struct folder *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->dir.count; i++) {
        struct walk_entry *entry = &f->dir.entries[i];
        struct error e = ERROR_INIT;
        if (!stat_entry(entry, f->dir.fd, NULL, f->dir.arena, &e)) {
            if (e.code == ERR_ABSENT)
                continue;
            entry_failed(entry, f->dir.arena, &e);
        }
        f->dir.entries[kept++] = *entry;
    }
    f->dir.count = kept;
}

static void folder_done(struct pool *p, struct folder *f)
{
    if (!stopped(p))
        p->options->done(p->options->context, &f->dir);
    if (f->dir.fd >= 0)
        close(f->dir.fd);
    free(f->dir.entries);
    arena_free(f->dir.arena);
    free(f);
}

static bool wants_look(const struct walk_entry *entry)
{
    return !entry->error && (entry->xattrs || (entry->hash && S_ISREG(entry->st.st_mode)));
}

/* The arena of a folder is not for two threads: each piece has its own, joined to the entries
 * by pointers and freed with the folder; so a piece that needs memory copies under the lock. */
static void look_at_piece(struct pool *p, struct hasher *h, struct folder *f, size_t from,
                          size_t to)
{
    struct arena *own = arena_new();
    for (size_t i = from; i < to && !stopped(p); i++) {
        struct walk_entry *entry = &f->dir.entries[i];
        if (!wants_look(entry))
            continue;
        look(h, entry, f->dir.fd, own);
        if (p->options->progress && entry->hashed) {
            __atomic_add_fetch(&p->options->progress->files, 1, __ATOMIC_RELAXED);
            __atomic_add_fetch(&p->options->progress->bytes, (uint64_t)entry->st.st_size,
                               __ATOMIC_RELAXED);
        }
    }
    if (arena_used(own)) {
        pthread_mutex_lock(&p->lock);
        for (size_t i = from; i < to; i++) {
            struct walk_entry *entry = &f->dir.entries[i];
            if (entry->xattr_bytes)
                entry->xattr_bytes = arena_dup(f->dir.arena, entry->xattr_bytes, entry->xattr_size);
            if (entry->error)
                entry->error = arena_dup(f->dir.arena, entry->error, sizeof *entry->error);
        }
        pthread_mutex_unlock(&p->lock);
    }
    arena_free(own);
    if (atomic_fetch_sub(&f->pieces, 1) == 1)
        folder_done(p, f);
}

static void go_down(struct pool *p, const struct folder *f)
{
    struct job *first = NULL, *last = NULL;
    size_t count = 0;
    for (size_t i = f->dir.count; i-- > 0;) {
        const struct walk_entry *entry = &f->dir.entries[i];
        if (!entry->descend || !S_ISDIR(entry->st.st_mode))
            continue;
        struct job *job = job_new(f->dir.path, entry->name);
        job->tag = entry->tag;
        job->parent_dev = f->dir.st.st_dev;
        job->below = first;
        first = job;
        if (!last)
            last = job;
        count++;
    }
    if (first)
        push(p, first, last, count);
}

/* Cuts the folder into pieces: the first for this thread, the others for whoever is free. */
static void look_at_all(struct pool *p, struct hasher *h, struct folder *f)
{
    size_t wanted = 0, pieces = 1;
    size_t count = f->dir.count, first_end = count;
    for (size_t i = 0; i < count; i++)
        wanted += wants_look(&f->dir.entries[i]);
    if (wanted > PIECE && p->options->threads > 1) {
        pieces = (count + PIECE - 1) / PIECE;
        first_end = PIECE;
    }
    atomic_store(&f->pieces, pieces);
    struct job *first = NULL, *last = NULL;
    for (size_t i = pieces; i-- > 1;) {
        struct job *job = job_new("", "");
        job->folder = f;
        job->from = i * PIECE;
        job->to = job->from + PIECE < count ? job->from + PIECE : count;
        job->below = first;
        first = job;
        if (!last)
            last = job;
    }
    if (first)
        push(p, first, last, pieces - 1);
    look_at_piece(p, h, f, 0, first_end);
}

static void list(struct pool *p, struct hasher *h, const struct job *job)
{
    struct error e = ERROR_INIT;
    struct folder *f = mem_alloc(sizeof *f);
    f->dir.arena = arena_new();
    f->dir.path = arena_strdup(f->dir.arena, job->path);
    f->dir.tag = job->tag;
    f->dir.fd = open_folder(p->rootfd, job->path, &e);
    bool is_root = !job->path[0];
    if (f->dir.fd < 0 || fstat(f->dir.fd, &f->dir.st) != 0) {
        if (f->dir.fd >= 0)
            error_set_errno(&e, errno, "looking at the directory");
        folder_failed(f, &e);
        if (is_root)
            *p->root_error = e;
    } else {
        f->dir.crosses = !is_root && f->dir.st.st_dev != job->parent_dev;
        if (!read_names(f, &e))
            folder_failed(f, &e);
        stat_all(f);
        if (p->options->progress)
            __atomic_add_fetch(&p->options->progress->names, f->dir.count + 1, __ATOMIC_RELAXED);
        if (is_root &&
            !xattrs_read_fd(&f->dir.xattr_bytes, &f->dir.xattr_size, f->dir.fd, f->dir.arena, &e))
            folder_failed(f, &e);
    }
    if (!stopped(p)) {
        p->options->listed(p->options->context, &f->dir);
        go_down(p, f);
    }
    look_at_all(p, h, f);
}

static void *work(void *context)
{
    struct pool *p = context;
    struct hasher h;
    hasher_open(&h, p->options);
    for (struct job *job; (job = take(p)); finished(p, job)) {
        if (job->folder)
            look_at_piece(p, &h, job->folder, job->from, job->to);
        else if (!stopped(p))
            list(p, &h, job);
    }
    hasher_close(&h);
    return NULL;
}

bool walk(int rootfd, const struct walk_options *options, struct error *e)
{
    struct walk_options own = *options;
    if (!own.threads)
        own.threads = cores_up(MOST_THREADS);
    if (own.threads > MOST_THREADS)
        own.threads = MOST_THREADS;
    struct error root_error = ERROR_INIT;
    struct pool pool = {.options = &own,
                        .rootfd = rootfd,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER,
                        .root_error = &root_error};
    struct job *root = job_new("", "");
    root->tag = own.root_tag;
    push(&pool, root, root, 1);

    pthread_t threads[MOST_THREADS];
    unsigned started = 0;
    while (started + 1 < own.threads && pthread_create(&threads[started], NULL, work, &pool) == 0)
        started++;
    work(&pool);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (root_error.code != ERR_NONE) {
        if (e)
            *e = root_error;
        return false;
    }
    return true;
}

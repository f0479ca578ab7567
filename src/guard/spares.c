#include "guard/spares.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "content/placing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* A pause of the restorer: what was put off until then is done. It is done after the longest
 * wait all the same, as somebody may change pages for ever. Copies are made after a longer one. */
enum { ROUND_MS = 20, PAUSE_MS = 200, LONGEST_WAIT_MS = 2000, REFILL_PAUSE_MS = 1000, NICE = 10 };
/* What could not be made (no room, no quota) is tried again after this; one round gives up after so
 * many. */
enum { RETRY_MS = 60000, FAILURES_A_ROUND = 16 };
enum { HASH_DIGITS = 26 };

enum slot_state { SLOT_EMPTY, SLOT_READY, SLOT_UNFIT };

/* Of an entry of which there is to be a copy. The thread writes all of it and then `state`; the
 * restorer takes it back to SLOT_EMPTY. */
struct slot {
    uint32_t index;
    uint64_t number;
    struct timespec ctime;
    ino_t inode;
    atomic_int state;
};

struct unnamed {
    char name[ASIDE_NAME_SIZE], evidence[ASIDE_NAME_SIZE];
};

struct spares {
    struct mender mender; /* for making copies */
    struct slot *slots;   /* by index */
    uint32_t *order;      /* numbers of slots: which to fill first */
    size_t count;
    int dir;
    struct alive *alive;
    pthread_t thread;
    atomic_bool stop;
    atomic_int_least64_t last_taken_ms, first_unnamed_ms;
    atomic_uint_least64_t ready, unfit;
    int64_t retry_ms;
    pthread_mutex_t lock;
    VEC(struct unnamed) unnamed; /* evidence under a copy's name */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void beat(const struct spares *s)
{
    if (s->alive)
        alive_beat(s->alive);
}

static void write_hash(char out[HASH_DIGITS + 1], const uint8_t sha256[SHA256_SIZE])
{
    for (size_t i = 0; i < HASH_DIGITS / 2; i++)
        snprintf(out + 2 * i, 3, "%02x", sha256[i]);
}

static void name_of(const struct spares *s, const struct slot *slot, char out[ASIDE_NAME_SIZE])
{
    struct manifest_entry entry;
    char hash[HASH_DIGITS + 1];
    manifest_entry(s->mender.manifest, slot->index, &entry);
    write_hash(hash, entry.sha256);
    snprintf(out, ASIDE_NAME_SIZE, "%llu-%s", (unsigned long long)slot->number, hash);
}

/* ---- which ---------------------------------------------------------------------------------- */

struct wish {
    uint32_t index;
    uint64_t size;
    bool entry_page;
};

static int by_wish(const void *a, const void *b)
{
    const struct wish *x = a, *y = b;
    int order = y->entry_page - x->entry_page;
    if (!order)
        order = (x->size > y->size) - (x->size < y->size);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static bool is_put_back(const struct spares *s, uint32_t index, struct str *path)
{
    str_clear(path);
    manifest_add_path(s->mender.manifest, index, path);
    enum policy policy = policy_of_path(s->mender.policies, str_text(path), false);
    return policy == POLICY_FIXED || policy == POLICY_APPEND;
}

static int by_index(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static struct slot *find(const struct spares *s, uint32_t index)
{
    struct slot key = {.index = index};
    return s->count ? bsearch(&key, s->slots, s->count, sizeof key, by_index) : NULL;
}

static void choose(struct spares *s, uint64_t most_bytes)
{
    VEC(struct wish) wishes = {0};
    for (uint32_t i = 0; i < manifest_count(s->mender.manifest); i++) {
        struct manifest_entry entry;
        manifest_entry(s->mender.manifest, i, &entry);
        if (!S_ISREG(entry.mode) || entry.size > SPARE_LARGEST)
            continue;
        struct wish wish = {i, entry.size,
                            entry.name_length > 6 && memcmp(entry.name, "index.", 6) == 0};
        VEC_PUSH(&wishes, wish);
    }
    if (wishes.count)
        qsort(wishes.items, wishes.count, sizeof *wishes.items, by_wish);
    struct statvfs disk;
    if (fstatvfs(s->dir, &disk) == 0 && disk.f_bavail * disk.f_frsize / 10 < most_bytes)
        most_bytes = disk.f_bavail * disk.f_frsize / 10;
    s->slots = mem_alloc((wishes.count + 1) * sizeof *s->slots);
    s->order = mem_alloc((wishes.count + 1) * sizeof *s->order);
    CLEANUP_STR struct str path = {0};
    uint64_t bytes = 0;
    for (size_t i = 0; i < wishes.count && s->count < SPARES_MOST; i++) {
        uint64_t takes = (wishes.items[i].size + 4095) / 4096 * 4096;
        if (bytes + takes > most_bytes || !is_put_back(s, wishes.items[i].index, &path))
            continue;
        bytes += takes;
        s->order[s->count] = wishes.items[i].index;
        s->slots[s->count++].index = wishes.items[i].index;
    }
    VEC_FREE(&wishes);
    if (s->count)
        qsort(s->slots, s->count, sizeof *s->slots, by_index);
    for (size_t i = 0; i < s->count; i++)
        s->order[i] = (uint32_t)(find(s, s->order[i]) - s->slots);
}

/* ---- what a guard that was killed has left ------------------------------------------------- */

static bool is_copy(int dir, const char *name, const char *hash)
{
    CLEANUP_CLOSE int fd =
        openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    uint8_t sha256[SHA256_SIZE];
    uint64_t size;
    char digits[HASH_DIGITS + 1];
    /* What is larger than any copy is evidence, and need not be read. */
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > SPARE_LARGEST ||
        !walk_hash_fd(sha256, fd, &size, NULL))
        return false;
    write_hash(digits, sha256);
    return str_equal(digits, hash);
}

static void name_evidence(struct spares *s, const char *name, const char *evidence)
{
    char other[ASIDE_NAME_SIZE];
    int aside = s->mender.aside->fd;
    if (placing_rename(s->dir, name, aside, evidence, RENAME_NOREPLACE) == 0 || errno == ENOENT)
        return;
    aside_bad_name(s->mender.aside, other);
    placing_rename(s->dir, name, aside, other, RENAME_NOREPLACE);
}

static void clear_left(struct spares *s)
{
    int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *d; !s->stop && (d = readdir(folder));) {
        char *rest;
        struct stat st;
        char evidence[ASIDE_NAME_SIZE];
        unsigned long long number = strtoull(d->d_name, &rest, 10);
        if (d->d_name[0] == '.' || fstatat(s->dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (*rest == '-' && is_copy(s->dir, d->d_name, rest + 1)) {
            unlinkat(s->dir, d->d_name, 0);
            continue;
        }
        aside_bad_name_of(number, st.st_ctim.tv_sec, evidence);
        name_evidence(s, d->d_name, evidence);
    }
    closedir(folder);
}

/* ---- making them ---------------------------------------------------------------------------- */

static bool passes(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EIO;
}

/* Begun under a name that aside_clear_ready() removes: what is in our folder is whole. False: it
 * may be possible another time. */
static bool fill(struct spares *s, struct slot *slot)
{
    char ready[ASIDE_NAME_SIZE], name[ASIDE_NAME_SIZE];
    struct aside *aside = s->mender.aside;
    struct stat st;
    struct error e = ERROR_INIT, partly = ERROR_INIT;
    slot->number = atomic_fetch_add(&aside->next, 1);
    aside_ready_name(aside, ready);
    name_of(s, slot, name);
    if (placing_make(&s->mender, slot->index, aside->fd, ready, &partly, &e) &&
        partly.code == ERR_NONE) {
        if (renameat(aside->fd, ready, s->dir, name) == 0 &&
            fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            slot->inode = st.st_ino;
            slot->ctime = st.st_ctim;
            atomic_fetch_add(&s->ready, 1); /* before it can be taken */
            atomic_store(&slot->state, SLOT_READY);
            return true;
        }
        e.sys_errno = errno;
    }
    unlinkat(aside->fd, ready, 0);
    if (e.sys_errno || passes(partly.sys_errno))
        return false;
    atomic_store(&slot->state, SLOT_UNFIT); /* its content is damaged, or its owner cannot be set */
    atomic_fetch_add(&s->unfit, 1);
    return true;
}

static bool is_quiet(struct spares *s, int64_t ms)
{
    return now_ms() - atomic_load(&s->last_taken_ms) >= ms;
}

static void fill_all(struct spares *s)
{
    if (atomic_load(&s->ready) + atomic_load(&s->unfit) == s->count ||
        !is_quiet(s, REFILL_PAUSE_MS) || now_ms() < s->retry_ms)
        return;
    int failures = 0;
    for (size_t i = 0; i < s->count && failures < FAILURES_A_ROUND && !s->stop; i++) {
        struct slot *slot = &s->slots[s->order[i]];
        if (!is_quiet(s, PAUSE_MS))
            break;
        failures += atomic_load(&slot->state) == SLOT_EMPTY && !fill(s, slot);
    }
    if (failures)
        s->retry_ms = now_ms() + RETRY_MS;
}

static void name_all(struct spares *s)
{
    pthread_mutex_lock(&s->lock);
    struct unnamed *items = s->unnamed.items;
    size_t count = s->unnamed.count;
    memset(&s->unnamed, 0, sizeof s->unnamed);
    atomic_store(&s->first_unnamed_ms, 0);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < count; i++) {
        name_evidence(s, items[i].name, items[i].evidence);
        beat(s); /* somebody may wait for our end */
    }
    free(items);
}

static void *run(void *context)
{
    struct spares *s = context;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    clear_left(s);
    while (!s->stop) {
        int64_t unnamed = atomic_load(&s->first_unnamed_ms);
        if (unnamed && (is_quiet(s, PAUSE_MS) || now_ms() - unnamed >= LONGEST_WAIT_MS))
            name_all(s);
        fill_all(s);
        usleep(ROUND_MS * 1000);
    }
    name_all(s);
    return NULL;
}

/* ---- for the restorer ----------------------------------------------------------------------- */

bool spares_take(struct spares *s, uint32_t index, struct mend_ready *out)
{
    struct slot *slot = find(s, index);
    if (!slot || atomic_load(&slot->state) != SLOT_READY)
        return false;
    struct stat st;
    out->dirfd = s->dir;
    out->number = slot->number;
    name_of(s, slot, out->name);
    bool sound = fstatat(s->dir, out->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                 st.st_ino == slot->inode && st.st_ctim.tv_sec == slot->ctime.tv_sec &&
                 st.st_ctim.tv_nsec == slot->ctime.tv_nsec;
    atomic_store(&s->last_taken_ms, now_ms());
    atomic_fetch_sub(&s->ready, 1);
    atomic_store(&slot->state, SLOT_EMPTY);
    return sound; /* else somebody was there: the next start sees what it is */
}

void spares_note_evidence(struct spares *s, const char *name, const char *evidence)
{
    struct unnamed unnamed;
    snprintf(unnamed.name, sizeof unnamed.name, "%s", name);
    snprintf(unnamed.evidence, sizeof unnamed.evidence, "%s", evidence);
    pthread_mutex_lock(&s->lock);
    if (!s->unnamed.count)
        atomic_store(&s->first_unnamed_ms, now_ms());
    VEC_PUSH(&s->unnamed, unnamed);
    pthread_mutex_unlock(&s->lock);
}

bool spares_lost(const struct spares *s)
{
    struct stat st;
    return fstat(s->dir, &st) == 0 && !st.st_nlink;
}

int spares_dir(const struct spares *s)
{
    return s->dir;
}

void spares_count(struct spares *s, uint64_t *ready, uint64_t *wanted)
{
    *ready = atomic_load(&s->ready);
    *wanted = s->count - atomic_load(&s->unfit);
}

/* ---- start and stop ------------------------------------------------------------------------- */

static void spares_free(struct spares *s)
{
    if (s->dir >= 0)
        close(s->dir);
    free(s->slots);
    free(s->order);
    VEC_FREE(&s->unnamed);
    free(s);
}

bool spares_start(struct spares **out, const struct manifest *manifest,
                  const struct policies *policies, struct objects *objects, struct aside *aside,
                  uint64_t most_bytes, struct alive *alive, struct error *e)
{
    struct spares *s = mem_alloc(sizeof *s);
    *s = (struct spares){
        .mender = {.manifest = manifest, .policies = policies, .objects = objects, .aside = aside},
        .alive = alive,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .dir = aside_open_spare(aside, e)};
    if (s->dir >= 0) {
        choose(s, most_bytes);
        int code = pthread_create(&s->thread, NULL, run, s);
        if (!code) {
            *out = s;
            return true;
        }
        error_set_errno(e, code, "starting the thread that makes copies");
    }
    spares_free(s);
    return false;
}

void spares_stop(struct spares *s, bool clear)
{
    if (!s)
        return;
    s->stop = true;
    pthread_join(s->thread, NULL);
    for (size_t i = 0; clear && i < s->count; i++) {
        struct mend_ready copy;
        if (spares_take(s, s->slots[i].index, &copy))
            unlinkat(s->dir, copy.name, 0);
        beat(s);
    }
    if (clear)
        unlinkat(s->mender.aside->fd, ASIDE_SPARE, AT_REMOVEDIR);
    spares_free(s);
}

/* packaged_files.c - programs and libraries that dpkg knows otherwise, or not at all: facts of
 * kind `packaged-file`.
 *
 * Always: the few programs that an intruder replaces to stay hidden or to come back. With
 * COLLECT_FILES: everything that packages put below /usr, /etc, /opt and /var, and what lies in the
 * folders of programs and libraries without a package.
 *
 * Bounded in time: what was not reached is unknown, said, and reached by the next run, which goes
 * on from what is remembered: files found unchanged, by their inode, size and times. An audit,
 * which asks for this besides, has 15 seconds and remembers for ever. A scan has
 * collection.patience and remembers only that it was broken off, and not for long: root can set the
 * clock, and with it a ctime, or write past the file system, so that each scan reads every file
 * again.
 *
 * Checksums take nearly all of the time: collection.threads make them side by side. What one of
 * them does not find as dpkg knows it is stated when all are through, in the order of the index. */
#include "base/monotonic.h"
#include "collect/origin.h"
#include "collect/persistence.h"

#include "base/str.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    MAGIC = 0x32465044, /* "DPF2" */
    QUICK_MS = 15 * 1000,
    TELL_MS = 200,
    REMEMBER_MS = 2000,
    MARK_BYTES = 16,
    MOST_KNOWN = 500000, /* below what the cache takes */
    MOST_DIFFER = 2000,  /* more of them say one thing: the record is another system's */
    MOST_STRANGERS = 2000,
    MOST_BARE = 1000,
    STACK_BYTES = 512 << 10
};

/* What hides an intruder, or lets one in, if it is not what it was. */
static const char *const always[] = {
    "/usr/bin/ls",
    "/usr/bin/ps",
    "/usr/bin/top",
    "/usr/bin/find",
    "/usr/bin/login",
    "/usr/bin/su",
    "/usr/bin/sudo",
    "/usr/bin/passwd",
    "/usr/bin/bash",
    "/usr/bin/dash",
    "/usr/bin/ss",
    "/usr/bin/netstat",
    "/usr/bin/lsof",
    "/usr/bin/crontab",
    "/usr/bin/dpkg",
    "/usr/bin/apt-get",
    "/usr/bin/ssh",
    "/usr/sbin/sshd",
    "/usr/sbin/cron",
    "/usr/sbin/agetty",
    "/usr/sbin/nginx",
    "/usr/sbin/apache2",
    "/usr/sbin/php-fpm8.2",
    "/usr/sbin/unix_chkpwd",
    "/usr/bin/systemctl",
    "/usr/bin/loginctl",
    "/usr/bin/last",
    "/usr/bin/w.procps",
    "/usr/lib/systemd/systemd",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libpam.so.0.85.1",
    "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
};

/* Of a file that was found unchanged: a piece of a SHA-256. */
struct mark {
    uint8_t bytes[MARK_BYTES];
};

struct check {
    struct collection *c;
    struct origins *origins;
    const struct dpkg_index *index;
    struct arena *scratch;
    const struct mark *known; /* sorted: files found unchanged before */
    size_t known_count;
    VEC(struct mark) good; /* now */
    int64_t since;         /* when the comparison began that this one goes on with; seconds */
    int64_t begun_ms, told_ms, remembered_ms; /* of a clock that nobody sets */
    uint64_t files, bytes;                    /* compared and not told yet */
    size_t hashed;
    size_t differ, strangers; /* found, of which the first are stated */
};

/* --- what is remembered --- */

static struct mark mark_of(const struct dpkg_entry *entry, const struct target_stat *st)
{
    CLEANUP_STR struct str of = {0};
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    struct mark mark;
    bytes_put_string(&of, entry->path);
    str_add_bytes(&of, entry->md5, MD5_BYTES);
    const uint64_t numbers[] = {st->device, st->inode, st->size, (uint64_t)st->mtime,
                                (uint64_t)st->ctime};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        bytes_put_u64le(&of, numbers[i]);
    if (!EVP_Digest(of.data, of.length, digest, NULL, EVP_sha256(), NULL))
        mem_gone();
    memcpy(mark.bytes, digest, MARK_BYTES);
    return mark;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct mark));
}

static const char *memory_slot(struct check *k)
{
    return arena_printf(k->scratch, "packaged-files%s %s", k->c->patience ? "-scan" : "",
                        target_name(k->c->target));
}

static const char *memory_key(struct check *k)
{
    const struct collect_patience *p = k->c->patience;
    return p ? arena_printf(k->scratch, "%s %s", memory_slot(k), p->session) : memory_slot(k);
}

static bool has_memory(const struct check *k)
{
    return k->c->cache && (!k->c->patience || k->c->patience->session);
}

static void recall(struct check *k)
{
    const void *data = NULL;
    size_t size = 0;
    k->since = k->c->now;
    if (!has_memory(k) || !k->c->cache->get(k->c->cache->self, memory_key(k), &data, &size))
        return;
    struct bytes b = bytes_of(data, size);
    uint32_t magic = bytes_u32le(&b), count = bytes_u32le(&b);
    int64_t since = (int64_t)bytes_u64le(&b);
    if (magic != MAGIC || count > MOST_KNOWN || bytes_left(&b) != (size_t)count * MARK_BYTES)
        return;
    if (k->c->patience &&
        (since > k->c->now || k->c->now - since >= (int64_t)COLLECT_GOES_ON_SECONDS))
        return;
    k->since = since;
    struct mark *known = arena_dup(k->scratch, bytes_take(&b, (size_t)count * MARK_BYTES),
                                   (size_t)count * MARK_BYTES);
    qsort(known, count, sizeof *known, by_bytes);
    k->known = known;
    k->known_count = count;
}

/* A scan that is through leaves nothing: the next one reads all of it. */
static void remember(struct check *k, bool through)
{
    CLEANUP_STR struct str out = {0};
    if (!has_memory(k) || k->good.count > MOST_KNOWN)
        return;
    size_t count = through && k->c->patience ? 0 : k->good.count;
    bytes_put_u32le(&out, MAGIC);
    bytes_put_u32le(&out, (uint32_t)count);
    bytes_put_u64le(&out, count ? (uint64_t)k->since : 0);
    str_add_bytes(&out, k->good.items, count * sizeof *k->good.items);
    k->c->cache->put(k->c->cache->self, memory_slot(k), memory_key(k), out.data, out.length);
}

/* --- comparing --- */

/* A run that is over at once still comes further than the one before. */
static bool in_time(const struct check *k)
{
    unsigned most = k->c->patience ? k->c->patience->ms : QUICK_MS;
    return !k->hashed || monotonic_ms() - k->begun_ms < most;
}

/* To whoever shows it; and to the memory, as somebody may break it off. */
static void tell(struct check *k, bool now)
{
    int64_t at = monotonic_ms();
    if (k->c->compared && (now || at - k->told_ms >= TELL_MS)) {
        k->c->compared(k->c->compared_self, k->files, k->bytes);
        k->files = k->bytes = 0;
        k->told_ms = at;
    }
    if (k->c->patience && at - k->remembered_ms >= REMEMBER_MS) {
        remember(k, false);
        k->remembered_ms = at;
    }
}

/* By its name, and whether somebody may run it; of a file system without modes by its folder. */
static const char *what_is(const char *path, bool conffile, const struct target_stat *st)
{
    bool runs =
        st->has_owner ? (st->mode & 0111) != 0 : strstr(path, "/bin/") || strstr(path, "/sbin/");
    return conffile ? "setting" : strstr(path, ".so") ? "library" : runs ? "program" : "file";
}

static struct fact *add(struct check *k, const char *path, const char *package, const char *state,
                        const char *what)
{
    struct fact *f = facts_add(k->c->facts, "packaged-file", path, 0, -1, CONFIDENCE_HIGH);
    struct target_stat st;
    fact_put(k->c->facts, f, "path", path);
    fact_put(k->c->facts, f, "package", package);
    fact_put(k->c->facts, f, "what_it_is", what);
    if (state)
        fact_put(k->c->facts, f, "state", state);
    if (target_stat(k->c->target, path, true, &st, NULL))
        persist_put_times(k->c, f, &st);
    return f;
}

static void add_differing(struct check *k, const struct dpkg_entry *entry, const char *state,
                          const char *what)
{
    if (k->differ++ < MOST_DIFFER)
        add(k, entry->path, entry->package, state, what);
}

/* One file and dpkg's word of it. */
struct look {
    enum { AS_PACKAGED, OTHERWISE, NOT_READ, GONE } found;
    bool is_known; /* by what is remembered: it was not read now */
    bool has_stat;
    struct target_stat st;
    struct mark mark;
    uint8_t md5[MD5_BYTES]; /* of OTHERWISE */
};

/* Changes nothing of the check: several threads do it at once. The error is that of NOT_READ. */
static void look_at(const struct check *k, const struct dpkg_entry *entry, struct look *l,
                    struct error *e)
{
    *l = (struct look){.found = NOT_READ};
    *e = ERROR_INIT;
    /* A link in its place is another package's way (alternatives): what it leads to counts. */
    l->has_stat = target_stat(k->c->target, entry->path, true, &l->st, e);
    if (!l->has_stat) {
        if (e->code == ERR_ABSENT)
            l->found = GONE;
        return;
    }
    l->mark = mark_of(entry, &l->st);
    l->is_known = k->known_count &&
                  bsearch(&l->mark, k->known, k->known_count, sizeof *k->known, by_bytes) != NULL;
    if (l->is_known)
        l->found = AS_PACKAGED;
    else if (origin_md5(k->c, entry->path, l->md5, e))
        l->found = memcmp(l->md5, entry->md5, MD5_BYTES) == 0 ? AS_PACKAGED : OTHERWISE;
}

static void count(struct check *k, const struct look *l)
{
    if (!l->has_stat)
        return;
    k->files++;
    k->bytes += l->st.size;
    k->hashed += !l->is_known;
}

/* Times are of seconds: what changes again in this one would look the same. */
static void keep(struct check *k, const struct look *l)
{
    if (l->is_known || l->st.ctime < k->c->now - 2)
        VEC_PUSH(&k->good, l->mark);
}

static void state(struct check *k, const struct dpkg_entry *entry, const struct look *l,
                  const char *why)
{
    const char *what = l->has_stat ? what_is(entry->path, entry->conffile, &l->st) : "file";
    switch (l->found) {
    case AS_PACKAGED:
        keep(k, l);
        break;
    case OTHERWISE: /* of another package, perhaps, which lies in its place */
        if (origin_of_md5(k->c, k->origins, entry->path, l->md5).state == ORIGIN_PACKAGE)
            keep(k, l);
        else
            add_differing(k, entry, "changed", what);
        break;
    case NOT_READ:
        fact_put_state(k->c->facts, add(k, entry->path, entry->package, NULL, what), "state",
                       VALUE_UNREADABLE, why);
        break;
    case GONE:
        add_differing(k, entry, "missing", entry->conffile ? "setting" : what);
        break;
    }
}

static void compare_always(struct check *k)
{
    for (size_t i = 0; i < ARRAY_COUNT(always); i++) {
        struct dpkg_entry entry;
        struct look l;
        struct error e;
        if (!dpkg_index_find(k->index, always[i], NULL, k->scratch, &entry) || !entry.has_md5)
            continue;
        look_at(k, &entry, &l, &e);
        state(k, &entry, &l, e.message);
    }
}

struct odd {
    size_t index;
    struct look look;
    const char *why;
};

/* Those who go through the index together, and what is theirs together. */
struct crew {
    struct check *k;
    pthread_mutex_t lock;
    size_t next; /* to be taken */
    VEC(struct odd) odd;
    VEC(const char *) bare; /* packages whose files have no checksum to be compared with */
};

static bool take(struct crew *crew, size_t *index)
{
    pthread_mutex_lock(&crew->lock);
    bool more = crew->next < dpkg_index_count(crew->k->index) && in_time(crew->k);
    if (more)
        *index = crew->next++;
    pthread_mutex_unlock(&crew->lock);
    return more;
}

/* Some packages come without checksums; and whoever deletes their list hides what he changed. */
static void note_bare(struct crew *crew, const struct dpkg_entry *entry, struct arena *arena)
{
    struct check *k = crew->k;
    struct dpkg_entry other;
    struct target_stat st;
    if (!target_stat(k->c->target, entry->path, false, &st, NULL) || st.type != TARGET_FILE ||
        (dpkg_index_find(k->index, entry->path, NULL, arena, &other) && other.has_md5))
        return;
    pthread_mutex_lock(&crew->lock);
    bool is_new = crew->bare.count < MOST_BARE;
    for (size_t i = crew->bare.count; i > 0 && is_new; i--)
        is_new = !str_equal(crew->bare.items[i - 1], entry->package);
    if (is_new)
        VEC_PUSH(&crew->bare, (const char *)arena_strdup(k->scratch, entry->package));
    pthread_mutex_unlock(&crew->lock);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One thing of each package, however many files it has. */
static void state_bare(struct crew *crew)
{
    struct check *k = crew->k;
    if (crew->bare.count)
        qsort(crew->bare.items, crew->bare.count, sizeof *crew->bare.items, by_name);
    for (size_t i = 0; i < crew->bare.count; i++) {
        const char *package = crew->bare.items[i];
        struct fact *f = add(k, arena_printf(k->scratch, "/var/lib/dpkg/info/%s.md5sums", package),
                             package, NULL, "program");
        fact_put_state(k->c->facts, f, "state", VALUE_UNREADABLE,
                       _("its package came without checksums"));
    }
    if (crew->bare.count == MOST_BARE)
        facts_unread(k->c->facts, N_("packaged-file"), "/var/lib/dpkg",
                     _("more packages came without checksums than are stated"));
}

static void *work(void *context)
{
    struct crew *crew = context;
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i; take(crew, &i);) {
        struct dpkg_entry entry;
        struct look l;
        struct error e;
        if (!dpkg_index_at(crew->k->index, i, arena, &entry))
            continue;
        if (!entry.has_md5) {
            note_bare(crew, &entry, arena);
            continue;
        }
        look_at(crew->k, &entry, &l, &e);
        pthread_mutex_lock(&crew->lock);
        count(crew->k, &l);
        if (l.found == AS_PACKAGED) {
            keep(crew->k, &l);
        } else {
            struct odd odd = {i, l,
                              l.found == NOT_READ ? arena_strdup(crew->k->scratch, e.message) : ""};
            VEC_PUSH(&crew->odd, odd);
        }
        tell(crew->k, false);
        pthread_mutex_unlock(&crew->lock);
    }
    return NULL;
}

/* With fewer threads than there may be it takes longer, and is the same. */
static void work_together(struct crew *crew)
{
    pthread_t threads[COLLECT_MOST_THREADS];
    pthread_attr_t attributes;
    unsigned started = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (started < COLLECT_MOST_THREADS && started + 1 < crew->k->c->threads &&
           pthread_create(&threads[started], &attributes, work, crew) == 0)
        started++;
    work(crew);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attributes);
}

static int by_index(const void *a, const void *b)
{
    size_t x = ((const struct odd *)a)->index, y = ((const struct odd *)b)->index;
    return (x > y) - (x < y);
}

static void compare_all(struct check *k)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct crew crew = {.k = k, .lock = PTHREAD_MUTEX_INITIALIZER};
    work_together(&crew);
    if (crew.odd.count)
        qsort(crew.odd.items, crew.odd.count, sizeof *crew.odd.items, by_index);
    for (size_t i = 0; i < crew.odd.count; i++) {
        const struct odd *odd = &crew.odd.items[i];
        struct dpkg_entry entry;
        if (dpkg_index_at(k->index, odd->index, arena, &entry))
            state(k, &entry, &odd->look, odd->why);
    }
    state_bare(&crew);
    VEC_FREE(&crew.odd);
    VEC_FREE(&crew.bare);
    size_t all = dpkg_index_count(k->index);
    tell(k, true);
    remember(k, crew.next == all);
    /* one thing to be said of all files: not the next one's name, nor that of each rule */
    if (crew.next < all)
        facts_unread(k->c->facts, N_("the comparison with the packages"), "/var/lib/dpkg",
                     arena_printf(k->c->arena,
                                  _("not all files of packages were compared in %lld seconds: "
                                    "%zu of %zu are done; run it again, it goes on from here"),
                                  (long long)(monotonic_ms() - k->begun_ms) / 1000, crew.next,
                                  all));
    if (k->differ > MOST_DIFFER)
        facts_unread(k->c->facts, N_("packaged-file"), "/var/lib/dpkg",
                     _("more files differ from dpkg's record than are stated"));
}

/* --- strangers --- */

enum wanted { PROGRAMS, LIBRARIES, KERNEL_MODULES };

static bool counts(enum wanted wanted, const char *name, const struct target_stat *st)
{
    switch (wanted) {
    case PROGRAMS:
        return !st->has_owner || (st->mode & 0111);
    case LIBRARIES:
        return strstr(name, ".so") != NULL;
    case KERNEL_MODULES:
        return strstr(name, ".ko") != NULL;
    }
    return false;
}

static void look_for_strangers(struct check *k, const char *folder, enum wanted wanted,
                               unsigned depth)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct target_entry *entries;
    struct target_stat *stats;
    struct error e = ERROR_INIT;
    size_t count;
    if (!target_list_stat(k->c->target, folder, arena, &entries, &stats, &count, &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(k->c->facts, N_("packaged-file"), folder, e.message);
        return;
    }
    for (size_t i = 0; i < count && k->strangers <= MOST_STRANGERS; i++) {
        const char *path = arena_printf(arena, "%s/%s", folder, entries[i].name);
        struct dpkg_entry entry;
        /* modules that dkms(8) built lie in "updates" */
        if (entries[i].type == TARGET_DIR && depth && !str_equal(entries[i].name, "updates"))
            look_for_strangers(k, path, wanted, depth - 1);
        if (entries[i].type != TARGET_FILE || !counts(wanted, entries[i].name, &stats[i]) ||
            dpkg_index_find(k->index, path, NULL, arena, &entry))
            continue;
        if (k->strangers++ < MOST_STRANGERS)
            add(k, path, "", "unknown", wanted == PROGRAMS ? "program" : "library");
        else
            facts_unread(k->c->facts, N_("packaged-file"), path,
                         _("more files of no package than are stated"));
    }
}

/* Folders in which the linker looks: those of architectures, too. */
static void look_into_libraries(struct check *k, const char *lib)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct target_entry *entries;
    size_t count;
    look_for_strangers(k, lib, LIBRARIES, 0);
    if (!target_list(k->c->target, lib, arena, &entries, &count, NULL))
        return; /* said by the line above */
    for (size_t i = 0; i < count; i++)
        if (strstr(entries[i].name, "-linux-gnu"))
            look_for_strangers(k, arena_printf(arena, "%s/%s", lib, entries[i].name), LIBRARIES, 0);
    look_for_strangers(k, arena_printf(arena, "%s/modules", lib), KERNEL_MODULES, 12);
}

void collect_packaged_files(struct collection *c)
{
    static const char *const programs[] = {"/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/games"};
    CLEANUP_ARENA struct arena *scratch = arena_new();
    struct check k = {.c = c, .origins = origins_acquire(c), .scratch = scratch};
    const char *why;
    struct target_stat st;
    k.index = origins_index(k.origins, &why);
    k.begun_ms = k.told_ms = k.remembered_ms = monotonic_ms();
    if (!k.index) {
        facts_unread(c->facts, N_("packaged-file"), "/var/lib/dpkg", why);
        origins_release(c, k.origins);
        return;
    }
    if (dpkg_index_unread(k.index))
        facts_unread(c->facts, N_("packaged-file"), "/var/lib/dpkg/info",
                     _("some of dpkg's lists of files could not be read"));
    bool merged = target_stat(c->target, "/bin", false, &st, NULL) && st.type == TARGET_LINK;
    if (c->purposes & COLLECT_FILES) {
        recall(&k);
        compare_all(&k);
        for (size_t i = 0; i < ARRAY_COUNT(programs); i++)
            if (!merged || str_starts(programs[i], "/usr/"))
                look_for_strangers(&k, programs[i], PROGRAMS, 0);
        look_into_libraries(&k, "/usr/lib");
        if (!merged)
            look_into_libraries(&k, "/lib");
    } else {
        compare_always(&k);
    }
    VEC_FREE(&k.good);
    origins_release(c, k.origins);
}

#include "collect/collect.h"

#include "base/cores.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

enum {
    AUDIT = COLLECT_AUDIT,
    PERSISTENCE = COLLECT_PERSISTENCE,
    SECRETS = COLLECT_SECRETS,
    SERVED = SECRETS | COLLECT_SITES, /* sites are where secrets are looked for */
    ANY = AUDIT | PERSISTENCE | SERVED
};

/* The order matters twice: hosts are recognised first, and later rows look at the facts of
 * earlier ones. Rows of one cage kind stand together: each change costs a fork. */
static const struct collect_source sources[] = {
    {N_("text/systeminfo"), CAGE_ROOT, FAMILY_ANY, ANY, collect_windows_text},
    {N_("text/showrev"), CAGE_ROOT, FAMILY_ANY, ANY, collect_solaris_text},
    {N_("windows/registry"), CAGE_ROOT, FAMILY_ANY, ANY, collect_registry},
    {N_("solaris/host"), CAGE_ROOT, FAMILY_ANY, ANY, collect_solaris_host},
    {N_("linux/host"), CAGE_ROOT, FAMILY_ANY, ANY, collect_linux_host},
    {N_("windows/system"), CAGE_ROOT, FAMILY_WINDOWS, ANY, collect_windows},
    {N_("windows/iis"), CAGE_ROOT, FAMILY_WINDOWS, ANY, collect_iis},
    {N_("windows/files"), CAGE_ROOT, FAMILY_WINDOWS, AUDIT, collect_windows_files},
    {N_("solaris/patches"), CAGE_ROOT, FAMILY_SOLARIS, AUDIT, collect_solaris_patches},
    {N_("solaris/services"), CAGE_ROOT, FAMILY_SOLARIS, AUDIT | PERSISTENCE,
     collect_solaris_services},
    {N_("solaris/trust"), CAGE_ROOT, FAMILY_SOLARIS, AUDIT | PERSISTENCE, collect_trust},
    {N_("debian/dpkg"), CAGE_ROOT, FAMILY_DEBIAN, AUDIT, collect_dpkg},
    {N_("debian/apt"), CAGE_ROOT, FAMILY_DEBIAN, AUDIT, collect_apt},
    {N_("netscape"), CAGE_ROOT, FAMILY_WINDOWS | FAMILY_SOLARIS, AUDIT | SERVED, collect_netscape},
    {N_("apache"), CAGE_ROOT, FAMILY_WINDOWS | FAMILY_SOLARIS | FAMILY_LINUX, AUDIT | SERVED,
     collect_apache},
    {N_("leavings"), CAGE_ROOT, FAMILY_WINDOWS | FAMILY_SOLARIS, AUDIT | PERSISTENCE,
     collect_leavings},
    {N_("unix/files"), CAGE_ROOT, FAMILY_SOLARIS | FAMILY_LINUX, AUDIT, collect_unix_files},
    {N_("linux/kernel"), CAGE_ROOT, FAMILY_DEBIAN, AUDIT, collect_kernel},
    {N_("linux/containers"), CAGE_ROOT, FAMILY_LINUX, AUDIT, collect_containers},
    {N_("linux/firewall"), CAGE_ROOT, FAMILY_LINUX, AUDIT, collect_firewall},
    {N_("linux/nginx"), CAGE_ROOT, FAMILY_LINUX, ANY, collect_nginx},
    {N_("linux/apache2"), CAGE_ROOT, FAMILY_LINUX, ANY, collect_apache2},
    {N_("linux/lighttpd"), CAGE_ROOT, FAMILY_LINUX, ANY, collect_lighttpd},
    {N_("linux/php-fpm"), CAGE_ROOT, FAMILY_LINUX, AUDIT, collect_php_fpm},
    {N_("unix/accounts"), CAGE_ROOT, FAMILY_LINUX | FAMILY_SOLARIS, PERSISTENCE | SECRETS,
     collect_accounts},
    {N_("linux/persistence files"), CAGE_ROOT, FAMILY_LINUX, PERSISTENCE, collect_persist_files},
    {N_("linux/persistence cron"), CAGE_ROOT, FAMILY_LINUX, PERSISTENCE, collect_persist_cron},
    {N_("linux/persistence units"), CAGE_ROOT, FAMILY_LINUX, PERSISTENCE, collect_persist_units},
    {N_("linux/persistence keys"), CAGE_ROOT, FAMILY_LINUX, PERSISTENCE, collect_persist_keys},
    {N_("linux/persistence logins"), CAGE_ROOT, FAMILY_LINUX, PERSISTENCE, collect_persist_logins},
    {N_("linux/persistence servers"), CAGE_ROOT, FAMILY_LINUX, PERSISTENCE,
     collect_persist_servers},
    {N_("windows/persistence"), CAGE_ROOT, FAMILY_WINDOWS, PERSISTENCE, collect_persist_windows},
    {N_("secrets"), CAGE_ROOT, FAMILY_ANY, SECRETS, collect_secrets},
    {N_("linux/listeners"), CAGE_LIVE, FAMILY_LINUX, AUDIT, collect_listeners},
    {N_("linux/processes"), CAGE_LIVE, FAMILY_LINUX, AUDIT, collect_processes},
    {N_("linux/upstreams"), CAGE_LIVE, FAMILY_LINUX, AUDIT, collect_upstreams},
    {N_("linux/stray programs"), CAGE_LIVE, FAMILY_LINUX, COLLECT_FILES, collect_stray_programs},
    /* What takes seconds has a cage, and so limits of time, of its own. */
    {N_("linux/privileged files"), CAGE_ROOT, FAMILY_LINUX, PERSISTENCE, collect_privileged_files},
    {N_("debian/packaged files"), CAGE_ROOT, FAMILY_DEBIAN, PERSISTENCE, collect_packaged_files},
};

enum {
    FRAME_BEGIN = 1, /* u32: the row that starts */
    FRAME_DONE,      /* u32: the row that is done */
    FRAME_FACT,
    FRAME_HOST,    /* further values of the host fact */
    FRAME_CACHE,   /* slot, key, value */
    FRAME_COMPARED /* u64 files, u64 bytes */
};

enum {
    MOST_FACTS = 500000,
    MOST_CACHED_BYTES = 8 << 20, /* fits into a frame; what is larger is parsed each time */
    MOST_KEPT_BYTES = 256 << 10  /* a list of packages is larger, and asked for once */
};

/* --- in the child --- */

struct kept {
    const char *key;
    const void *data;
    size_t size;
};

struct child {
    struct collection c;
    struct cage *cage;
    enum cage_kind kind;
    size_t first;
    struct cache cache; /* get() as in the parent, put() through the pipe */
    struct arena *arena;
    VEC(struct kept) kept; /* what was put, for later rows: the parent's mappings are older */
    size_t facts_sent, host_sent;
    struct windows *windows;
    struct origins *origins;
};

static bool child_cache_get(void *self, const char *key, const void **data, size_t *size)
{
    const struct child *child = self;
    for (size_t i = child->kept.count; i > 0; i--) {
        const struct kept *k = &child->kept.items[i - 1];
        if (str_equal(k->key, key)) {
            *data = k->data;
            *size = k->size;
            return true;
        }
    }
    return child->c.cache && child->c.cache->get(child->c.cache->self, key, data, size);
}

static void child_cache_put(void *self, const char *slot, const char *key, const void *data,
                            size_t size)
{
    struct child *child = self;
    CLEANUP_STR struct str head = {0};
    if (size > MOST_CACHED_BYTES)
        return;
    bytes_put_string(&head, slot);
    bytes_put_string(&head, key);
    const struct iovec parts[] = {{head.data, head.length}, {(void *)data, size}};
    cage_send_parts(child->cage, FRAME_CACHE, parts, ARRAY_COUNT(parts));
    if (size <= MOST_KEPT_BYTES) {
        struct kept k = {arena_strdup(child->arena, key), arena_dup(child->arena, data, size),
                         size};
        VEC_PUSH(&child->kept, k);
    }
}

static void send_number(struct cage *cage, uint32_t type, size_t number)
{
    CLEANUP_STR struct str frame = {0};
    bytes_put_u32le(&frame, (uint32_t)number);
    cage_send(cage, type, frame.data, frame.length);
}

/* What the row added: new facts, and new values of a host fact that went over before. */
static void send_new_facts(struct child *child)
{
    CLEANUP_STR struct str frame = {0};
    struct fact *host = collect_host(&child->c);
    size_t count = facts_count(child->c.facts);
    bool host_is_new = false;
    for (; child->facts_sent < count; child->facts_sent++) {
        const struct fact *f = facts_at(child->c.facts, child->facts_sent);
        host_is_new |= f == host;
        fact_encode(&frame, f);
        if (frame.length > (size_t)256 * 1024) {
            cage_send(child->cage, FRAME_FACT, frame.data, frame.length);
            str_clear(&frame);
        }
    }
    if (frame.length)
        cage_send(child->cage, FRAME_FACT, frame.data, frame.length);
    if (host && !host_is_new && host->value_count > child->host_sent) {
        struct fact more = *host;
        more.values += child->host_sent;
        more.value_count -= child->host_sent;
        str_clear(&frame);
        fact_encode(&frame, &more);
        cage_send(child->cage, FRAME_HOST, frame.data, frame.length);
    }
    if (host)
        child->host_sent = host->value_count;
}

static void send_compared(void *self, uint64_t files, uint64_t bytes)
{
    const struct child *child = self;
    CLEANUP_STR struct str frame = {0};
    bytes_put_u64le(&frame, files);
    bytes_put_u64le(&frame, bytes);
    cage_send(child->cage, FRAME_COMPARED, frame.data, frame.length);
}

static bool fits(const struct collect_source *row, const struct collection *c)
{
    return (row->purposes & c->purposes) &&
           (row->families == FAMILY_ANY || (row->families & collect_families(c->facts)));
}

static void run_rows(struct cage *cage, void *context)
{
    struct child *child = context;
    CLEANUP_ARENA struct arena *kept = arena_new();
    child->cage = cage;
    child->arena = kept;
    const struct cache *parents = child->c.cache;
    child->cache = (struct cache){child_cache_get, child_cache_put, child};
    for (size_t i = child->first; i < ARRAY_COUNT(sources); i++) {
        if (sources[i].cage != child->kind)
            break;
        if (!fits(&sources[i], &child->c))
            continue;
        send_number(cage, FRAME_BEGIN, i);
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct collection c = child->c;
        c.arena = arena;
        c.windows = &child->windows;
        c.origins = &child->origins;
        c.cache = parents ? &child->cache : NULL;
        c.compared = send_compared;
        c.compared_self = child;
        sources[i].collect(&c);
        send_new_facts(child);
        send_number(cage, FRAME_DONE, i);
    }
    VEC_FREE(&child->kept);
}

/* --- in the parent --- */

struct parent {
    struct facts *facts;
    const struct cache *cache;
    const struct collect_patience *patience;
    size_t begun, done; /* row + 1 */
};

static bool take_facts(struct parent *p, struct bytes *in, struct error *e)
{
    while (bytes_left(in))
        if (!facts_add_encoded(p->facts, in, e))
            return false;
    if (facts_count(p->facts) > MOST_FACTS) {
        error_set(e, ERR_LIMIT, "the target gave more than %d facts", MOST_FACTS);
        return false;
    }
    return true;
}

static bool take_host_values(struct parent *p, struct bytes *in, struct error *e)
{
    CLEANUP(facts_cleanup) struct facts *more = facts_new();
    struct fact *host = (struct fact *)facts_first(p->facts, "host");
    if (!host || !facts_add_encoded(more, in, e))
        return false;
    const struct fact *f = facts_at(more, 0);
    for (size_t i = 0; i < f->value_count; i++)
        fact_put_state(p->facts, host, f->values[i].key, f->values[i].state, f->values[i].text);
    return true;
}

static void take_cache(struct parent *p, struct bytes *in)
{
    size_t slot_length = 0, key_length = 0;
    const char *slot = bytes_string(in, 8192, &slot_length);
    const char *key = bytes_string(in, 8192, &key_length);
    if (in->failed || !p->cache)
        return;
    CLEANUP_ARENA struct arena *arena = arena_new();
    p->cache->put(p->cache->self, arena_strndup(arena, slot, slot_length),
                  arena_strndup(arena, key, key_length), in->data + in->position, bytes_left(in));
}

static void take_compared(const struct parent *p, struct bytes *in)
{
    uint64_t files = bytes_u64le(in), bytes = bytes_u64le(in);
    if (p->patience && p->patience->files)
        __atomic_fetch_add(p->patience->files, files, __ATOMIC_RELAXED);
    if (p->patience && p->patience->bytes)
        __atomic_fetch_add(p->patience->bytes, bytes, __ATOMIC_RELAXED);
}

static bool take_frame(void *context, uint32_t type, const void *data, size_t size, struct error *e)
{
    struct parent *p = context;
    struct bytes in = bytes_of(data, size);
    switch (type) {
    case FRAME_BEGIN:
        p->begun = (size_t)bytes_u32le(&in) + 1;
        return true;
    case FRAME_DONE:
        p->done = (size_t)bytes_u32le(&in) + 1;
        return true;
    case FRAME_FACT:
        return take_facts(p, &in, e);
    case FRAME_HOST:
        return take_host_values(p, &in, e);
    case FRAME_CACHE:
        take_cache(p, &in);
        return true;
    case FRAME_COMPARED:
        take_compared(p, &in);
        return true;
    default:
        error_set(e, ERR_FORMAT, "a collector sent something unknown");
        return false;
    }
}

/* The kernel knows what runs and listens, and tells it only while it runs: of a disk nobody can
 * say it, and rules must not take the silence for "none". */
static void state_not_running(struct collection *c)
{
    static const char *const records[] = {N_("listening sockets"), N_("running processes")};
    for (size_t i = 0; i < ARRAY_COUNT(records); i++)
        facts_unread(c->facts, records[i], target_name(c->target),
                     _("the system was not running when it was looked at"));
}

/* The checksums of all files of packages: whoever waits for them has all processors, with two
 * threads each, of which one reckons while the other waits for the disk; who asks for them besides
 * takes one from the server. An image is read through one socket. */
static unsigned threads_of(size_t first, size_t end, const struct collection *c)
{
    bool much = false;
    for (size_t i = first; i < end; i++)
        much |= sources[i].collect == collect_packaged_files && fits(&sources[i], c);
    return much && c->patience && target_rootfd(c->target) >= 0
               ? 2 * cores_up(COLLECT_MOST_THREADS / 2)
               : 1;
}

/* What is to be patient has the time, and a minute for what stands beside it. */
static const struct cage_limits *limits_of(const struct collection *c, struct cage_limits *out)
{
    enum { BESIDES_MS = 60 * 1000, WALLS = 20, LEAST_MS = 30 * 1000, SECOND_MS = 1000 };
    if (!c->patience)
        return NULL;
    unsigned all = c->patience->ms + BESIDES_MS; /* cage.h: so many walls in all */
    *out = (struct cage_limits){.cpu_seconds = all / SECOND_MS,
                                .wall_ms = all / WALLS > LEAST_MS ? all / WALLS : LEAST_MS,
                                .threads = c->threads};
    return out;
}

/* The rows from `first` on that share its cage. Returns the row to go on with. */
static size_t run_cage(size_t first, struct collection *c, struct parent *p)
{
    size_t end = first;
    bool any = false;
    while (end < ARRAY_COUNT(sources) && sources[end].cage == sources[first].cage) {
        any |= fits(&sources[end], c) || first == 0;
        end++;
    }
    if (sources[first].cage == CAGE_LIVE && target_kind(c->target) != TARGET_LIVE) {
        if ((c->purposes & COLLECT_AUDIT) && (collect_families(c->facts) & FAMILY_LINUX))
            state_not_running(c);
        return end;
    }
    if (!any)
        return end;

    struct error e = ERROR_INIT;
    struct child child = {.c = *c, .kind = sources[first].cage, .first = first};
    child.c.threads = threads_of(first, end, c);
    child.facts_sent = facts_count(c->facts);
    struct fact *host = collect_host(c);
    child.host_sent = host ? host->value_count : 0;
    int keep[2];
    size_t keep_count = 0;
    if (target_socket(c->target) >= 0)
        keep[keep_count++] = target_socket(c->target);
    if (c->netlink_fd >= 0)
        keep[keep_count++] = c->netlink_fd;
    p->begun = p->done = 0;
    struct cage_limits limits;
    if (cage_run(sources[first].cage, target_rootfd(c->target), keep, keep_count,
                 limits_of(&child.c, &limits), run_rows, &child, take_frame, p, &e))
        return end;
    /* Which row was it? The one that began and did not end; if none had begun, the first. */
    size_t failed = p->begun > p->done ? p->begun - 1 : p->done ? p->done : first;
    if (failed < first || failed >= end)
        failed = first;
    facts_unread(c->facts, sources[failed].name, target_name(c->target), e.message);
    return failed + 1;
}

/* Of a text that no source took for its own: which are read, and what this one begins with. */
static const char *strange_text(const struct target *target, struct arena *arena)
{
    enum { MOST_SHOWN = 60 };
    size_t size, position = 0, length;
    const char *line, *text = target_text(target, &size);
    CLEANUP_STR struct str begins = {0};
    while (!begins.length && str_next_line(text, size, &position, &line, &length)) {
        while (length && str_is_space(*line))
            line++, length--;
        str_add_printable(&begins, line, length < MOST_SHOWN ? length : MOST_SHOWN);
    }
    const char *read = _("this text is neither what systeminfo prints on Windows nor what "
                         "showrev -p prints on Solaris (with uname -a before it)");
    return begins.length ? arena_printf(arena, _("%s; it begins: %s"), read, str_text(&begins))
                         : arena_printf(arena, _("%s; it is empty"), read);
}

bool collect_all(struct facts *facts, struct target *target, const struct wants *wants,
                 unsigned purposes, const struct collect_patience *patience,
                 const struct cache *cache, int64_t now, struct error *e)
{
    CLEANUP_CLOSE int netlink = -1;
    if (target_kind(target) == TARGET_LIVE)
        netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    struct collection c = {.target = target,
                           .facts = facts,
                           .wants = wants,
                           .cache = cache,
                           .purposes = purposes,
                           .patience = patience,
                           .netlink_fd = netlink,
                           .now = now};
    struct parent p = {.facts = facts, .cache = cache, .patience = patience};
    for (size_t row = 0; row < ARRAY_COUNT(sources);)
        row = run_cage(row, &c, &p);
    for (size_t i = 0; i < target_volume_count(target); i++) {
        struct target_volume v;
        if (target_volume(target, i, &v) && v.cut)
            facts_unread(facts, N_("disk image"), target_name(target), v.description);
    }
    if (!collect_host(&c))
        facts_unread(facts, N_("operating system"), target_name(target),
                     target_kind(target) == TARGET_TEXT
                         ? strange_text(target, facts_arena(facts))
                         : _("none was recognised; the path or image may be cut short, or not the "
                             "system's volume"));
    return true;
}

/* Every kind of which another tool's text names no record: all but host, product and hotfix. */
static const char not_in_texts[] =
    "package hotfix-leavings file registry service site vdir script-map directory object trust "
    "share listener process kernel update update-source firewall leaving rc inetd";

void collect_text_unread(struct collection *c, const char *what, const char *reason)
{
    struct fact *f = facts_unread(c->facts, what, target_name(c->target), reason);
    fact_put(c->facts, f, "kinds", not_in_texts);
}

bool collect_is_source(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(sources); i++)
        if (str_equal(sources[i].name, name))
            return true;
    return false;
}

struct fact *collect_host(struct collection *c)
{
    return (struct fact *)facts_first(c->facts, "host");
}

unsigned collect_families(const struct facts *facts)
{
    const struct fact *host = facts_first(facts, "host");
    const char *family = host ? fact_text(host, "family") : "";
    static const struct {
        const char *name;
        unsigned mask;
    } families[] = {{"windows", FAMILY_WINDOWS},
                    {"solaris", FAMILY_SOLARIS},
                    {"debian", FAMILY_DEBIAN | FAMILY_LINUX},
                    {"linux", FAMILY_LINUX}};
    for (size_t i = 0; i < ARRAY_COUNT(families); i++)
        if (str_equal(family, families[i].name))
            return families[i].mask;
    return FAMILY_NONE;
}

void wants_with_prefix(const struct wants *wants, const char *prefix, size_t *first, size_t *count)
{
    size_t low = 0, high = wants ? wants->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *w = wants->items[middle], *p = prefix;
        while (*p && str_lower(*w) == str_lower(*p))
            w++, p++;
        if (*p && (unsigned char)str_lower(*w) < (unsigned char)str_lower(*p))
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    *count = 0;
    while (wants && low < wants->count && str_starts_nocase(wants->items[low], prefix)) {
        low++;
        ++*count;
    }
}

static void said(struct collection *c, const char *what, const char *path, const struct error *e,
                 bool *lost)
{
    if (e->code == ERR_ABSENT)
        return;
    facts_unread(c->facts, what, path, e->message);
    if (lost)
        *lost = true;
}

char *collect_text_of(struct collection *c, const char *what, const char *path, size_t most,
                      size_t *size, bool *lost)
{
    CLEANUP_FREE char *data = NULL;
    size_t length;
    struct error e = ERROR_INIT;
    if (!target_read(c->target, path, most, &data, &length, &e)) {
        said(c, what, path, &e, lost);
        return NULL;
    }
    if (size)
        *size = length;
    return arena_strndup(c->arena, data, length);
}

char *collect_text(struct collection *c, const char *path, size_t most, size_t *size)
{
    return collect_text_of(c, path, path, most, size, NULL);
}

bool collect_there(struct collection *c, const char *what, const char *path, bool *lost)
{
    struct target_stat st;
    struct error e = ERROR_INIT;
    bool there = target_stat(c->target, path, true, &st, &e);
    if (!there)
        said(c, what, path, &e, lost);
    return there;
}

size_t collect_list(struct collection *c, const char *what, const char *path,
                    struct target_entry **out, bool *lost)
{
    size_t count;
    struct error e = ERROR_INIT;
    if (target_list(c->target, path, c->arena, out, &count, &e))
        return count;
    *out = NULL;
    said(c, what, path, &e, lost);
    return 0;
}

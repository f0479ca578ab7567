#include "judge/patches.h"

#include "base/str.h"
#include "model/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { MOST_PATCHES = 20000 };
#define NO_NODE SIZE_MAX

struct node {
    const char *key;
    const struct advisory_patch *patch; /* NULL: known only from the host or an edge */
    VEC(size_t) supersedes;             /* direct */
    VEC(size_t) superseded_by;          /* direct */
    size_t edges_left[2];               /* while circles are looked for: down, up */
    bool in_circle;
    /* found out once, when first asked for */
    const char **successors;
    size_t successor_count;
    bool has_marker;
    enum marker marker;
    const struct fact *marker_fact;
};

struct patches {
    struct arena *arena;
    const struct facts *facts;
    struct node *nodes;
    size_t count, capacity;
    size_t *slots; /* open addressing by key without case: index + 1, 0 = free */
    size_t slot_count;
    VEC(const char *) circles;
    /* of walk(): when a node was last seen, and what is still to be looked at */
    uint32_t *seen, round;
    size_t *queue;
};

/* FNV-1a; how long a chain gets is bounded by MOST_PATCHES. */
static size_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *key; key++)
        hash = (hash ^ (unsigned char)str_lower(*key)) * UINT64_C(0x100000001b3);
    return (size_t)hash;
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t *slot_of(const struct patches *p, const char *key)
{
    size_t i = hash_of(key) % p->slot_count;
    while (p->slots[i] && !str_equal_nocase(p->nodes[p->slots[i] - 1].key, key))
        i = (i + 1) % p->slot_count;
    return &p->slots[i];
}

static const struct node *find(const struct patches *p, const char *key)
{
    size_t number = *slot_of(p, key);
    return number ? &p->nodes[number - 1] : NULL;
}

static size_t node_of(struct patches *p, const char *key)
{
    size_t *slot = slot_of(p, key);
    if (*slot)
        return *slot - 1;
    if (p->count ==
        MOST_PATCHES) /* only a made-up host or feed has so many: the rest stands alone */
        return NO_NODE;
    if (p->count == p->capacity) {
        size_t wanted = p->capacity ? p->capacity * 2 : 64;
        struct node *grown = arena_alloc(p->arena, wanted * sizeof *grown);
        if (p->count)
            memcpy(grown, p->nodes, p->count * sizeof *grown);
        p->nodes = grown;
        p->capacity = wanted;
    }
    p->nodes[p->count].key = key;
    *slot = ++p->count;
    return p->count - 1;
}

static void edge(struct patches *p, const char *newer, const char *older)
{
    size_t a = node_of(p, newer), b = node_of(p, older);
    if (a == b || a == NO_NODE || b == NO_NODE)
        return;
    for (size_t i = 0; i < p->nodes[a].supersedes.count; i++)
        if (p->nodes[a].supersedes.items[i] == b)
            return;
    VEC_PUSH(&p->nodes[a].supersedes, b);
    VEC_PUSH(&p->nodes[b].superseded_by, a);
}

/* Takes away, again and again, what supersedes nothing (or is superseded by nothing) any more.
 * What is left stands in circles or between two of them. `up` walks the other way. */
static void trim(struct patches *p, bool up, size_t *queue)
{
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->nodes[i].in_circle && !p->nodes[i].edges_left[up])
            queue[tail++] = i;
    while (head < tail) {
        struct node *n = &p->nodes[queue[head++]];
        n->in_circle = false;
        size_t edges = up ? n->supersedes.count : n->superseded_by.count;
        const size_t *items = up ? n->supersedes.items : n->superseded_by.items;
        for (size_t i = 0; i < edges; i++) {
            struct node *other = &p->nodes[items[i]];
            if (other->edges_left[up] && !--other->edges_left[up] && other->in_circle)
                queue[tail++] = items[i];
        }
    }
}

static void find_circles(struct patches *p)
{
    size_t *queue = arena_alloc(p->arena, (p->count + 1) * sizeof *queue);
    for (size_t i = 0; i < p->count; i++) {
        struct node *n = &p->nodes[i];
        n->in_circle = true;
        n->edges_left[0] = n->supersedes.count;
        n->edges_left[1] = n->superseded_by.count;
    }
    trim(p, false, queue);
    trim(p, true, queue);
    for (size_t i = 0; i < p->count; i++)
        if (p->nodes[i].in_circle)
            VEC_PUSH(&p->circles, p->nodes[i].key);
}

/* VEC memory is malloc's; the graph lives in an arena: copy and let go. */
static void settle(struct patches *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct node *n = &p->nodes[i];
        size_t *down = n->supersedes.items, *up = n->superseded_by.items;
        n->supersedes.items = arena_dup(p->arena, down, n->supersedes.count * sizeof *down);
        n->superseded_by.items = arena_dup(p->arena, up, n->superseded_by.count * sizeof *up);
        free(down);
        free(up);
    }
    const char **circles = p->circles.items;
    p->circles.items = arena_dup(p->arena, circles, p->circles.count * sizeof *circles);
    free(circles);
}

static bool same_version(const char *a, const char *b)
{
    return !*a || !*b || str_equal_nocase(a, b);
}

/* Sun calls the PC i386, its patches _x86. */
static bool same_arch(const char *a, const char *b)
{
    static const char *const pc[] = {"x86", "i386", "i86pc"};
    bool pc_a = false, pc_b = false;
    for (size_t i = 0; i < ARRAY_COUNT(pc); i++) {
        pc_a |= str_equal_nocase(a, pc[i]);
        pc_b |= str_equal_nocase(b, pc[i]);
    }
    return (pc_a && pc_b) || str_equal_nocase(a, b);
}

bool patches_on_platform(const struct facts *facts, const char *platform)
{
    const struct fact *host = facts_first(facts, "host");
    if (!*platform)
        return true;
    char family[32] = "", version[32] = "", arch[32] = "";
    int parts = sscanf(platform, "%31[^:]:%31[^:]:%31s", family, version, arch);
    return host && parts >= 1 && str_equal_nocase(fact_text(host, "family"), family) &&
           (parts < 2 || str_equal(fact_text(host, "version"), version)) &&
           (parts < 3 || same_arch(fact_text(host, "arch"), arch));
}

static bool is_solaris_patch(const char *key)
{
    return strspn(key, "0123456789") == 6 && key[6] == '-';
}

/* 108662-02 is 108662-01 and more: same base, revision at least as high. */
static bool is_later_revision(const char *installed, const char *wanted)
{
    return is_solaris_patch(wanted) && strncmp(installed, wanted, 7) == 0 &&
           version_compare(VERSION_SOLARIS, installed, wanted) >= 0;
}

static int by_revision(const void *x, const void *y)
{
    return version_compare(VERSION_SOLARIS, *(const char *const *)x, *(const char *const *)y);
}

/* Each revision of a patch supersedes the one before it. */
static void add_revision_edges(struct patches *p)
{
    const char **keys = arena_alloc(p->arena, (p->count + 1) * sizeof *keys);
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++)
        if (is_solaris_patch(p->nodes[i].key))
            keys[count++] = p->nodes[i].key;
    if (count)
        qsort(keys, count, sizeof *keys, by_revision);
    for (size_t i = 1; i < count; i++)
        if (is_later_revision(keys[i], keys[i - 1]))
            edge(p, keys[i], keys[i - 1]);
}

/* Solaris patches name what they obsolete themselves, in what is installed. */
static void add_host_edges(struct patches *p, const struct facts *facts)
{
    for (const struct fact *f = facts_first(facts, "hotfix"); f;
         f = facts_next(facts, "hotfix", f)) {
        const char *list = fact_text(f, "obsoletes");
        if (!*list || !str_equal(fact_text(f, "installed"), "1"))
            continue;
        char *copy = arena_strdup(p->arena, list), *save = NULL;
        for (char *old = strtok_r(copy, " ,", &save); old; old = strtok_r(NULL, " ,", &save))
            edge(p, fact_text(f, "id"), old);
    }
}

/* An upper bound of the keys that will come. */
static size_t most_keys(const struct facts *facts, const struct advisory_patch *const *list,
                        size_t count)
{
    size_t keys = 0;
    for (size_t i = 0; i < count; i++)
        keys += 1 + list[i]->supersedes_count;
    for (const struct fact *f = facts_first(facts, "hotfix"); f && keys < MOST_PATCHES;
         f = facts_next(facts, "hotfix", f))
        keys += 2 + strlen(fact_text(f, "obsoletes")) / 2;
    return keys < MOST_PATCHES ? keys + 1 : MOST_PATCHES;
}

struct patches *patches_of(struct arena *arena, const struct advisories *set,
                           const struct facts *facts, const char *product, const char *version,
                           int64_t as_of)
{
    struct patches *p = arena_alloc(arena, sizeof *p);
    p->arena = arena;
    p->facts = facts;
    const struct advisory_patch *const *list;
    size_t count = advisories_patches(set, product, &list);
    p->slot_count = 2 * most_keys(facts, list, count) + 1;
    p->slots = arena_alloc(arena, p->slot_count * sizeof *p->slots);
    for (size_t i = 0; i < count; i++) {
        if (as_of != DATE_NONE && list[i]->released > as_of)
            continue;
        if (!same_version(list[i]->version, version) ||
            !patches_on_platform(facts, list[i]->platform))
            continue;
        size_t at = node_of(p, list[i]->key);
        if (at == NO_NODE)
            continue;
        p->nodes[at].patch = list[i];
        for (size_t j = 0; j < list[i]->supersedes_count; j++)
            edge(p, list[i]->key, list[i]->supersedes[j]);
    }
    add_host_edges(p, facts);
    add_revision_edges(p);
    find_circles(p);
    settle(p);
    p->seen = arena_alloc(arena, (p->count + 1) * sizeof *p->seen);
    p->queue = arena_alloc(arena, (p->count + 1) * sizeof *p->queue);
    return p;
}

const struct advisory_patch *patches_find(const struct patches *p, const char *key)
{
    const struct node *n = find(p, key);
    return n ? n->patch : NULL;
}

/* Breadth first, so that the nearest come first; nodes of a circle lead nowhere. The result is
 * in the arena, of just the size it needs; what is used on the way is the graph's own. */
static size_t walk(const struct patches *graph, const struct node *start, bool up, bool with_self,
                   const char ***out)
{
    struct patches *p = (struct patches *)graph;
    size_t head = 0, tail = 0, total = 0;
    p->round++;
    p->queue[tail++] = (size_t)(start - p->nodes);
    p->seen[p->queue[0]] = p->round;
    while (head < tail) {
        const struct node *n = &p->nodes[p->queue[head++]];
        if (n->in_circle)
            continue;
        size_t edges = up ? n->superseded_by.count : n->supersedes.count;
        const size_t *items = up ? n->superseded_by.items : n->supersedes.items;
        for (size_t i = 0; i < edges; i++) {
            if (p->seen[items[i]] != p->round && !p->nodes[items[i]].in_circle) {
                p->seen[items[i]] = p->round;
                p->queue[tail++] = items[i];
            }
        }
    }
    const char **keys = arena_alloc(p->arena, (tail + 1) * sizeof *keys);
    for (size_t i = with_self ? 0 : 1; i < tail; i++)
        keys[total++] = p->nodes[p->queue[i]].key;
    *out = keys;
    return total;
}

size_t patches_successors(const struct patches *p, const char *key, const char *const **out)
{
    struct node *n = (struct node *)find(p, key);
    if (!n) {
        const char **alone = arena_alloc(p->arena, sizeof *alone);
        alone[0] = key;
        *out = alone;
        return 1;
    }
    if (!n->successors)
        n->successor_count = walk(p, n, true, true, &n->successors);
    *out = n->successors;
    return n->successor_count;
}

size_t patches_superseded(const struct patches *p, const char *key, const char *const **out)
{
    const struct node *n = find(p, key);
    const char **keys = NULL;
    size_t count = n ? walk(p, n, false, false, &keys) : 0;
    *out = keys;
    return count;
}

/* Of those that nothing supersedes the one that covers most. */
const char *patches_newest(const struct patches *p, const char *key)
{
    const char *const *all;
    size_t count = patches_successors(p, key, &all);
    const char *best = key;
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        const struct node *n = find(p, all[i]);
        bool maximal = n && n->patch && !n->in_circle;
        for (size_t j = 0; maximal && j < n->superseded_by.count; j++)
            maximal = !p->nodes[n->superseded_by.items[j]].patch;
        if (!maximal)
            continue;
        const char *const *below;
        size_t covers = patches_superseded(p, all[i], &below);
        if (covers >= most) {
            most = covers;
            best = all[i];
        }
    }
    return best;
}

/* NT 3 had its hotfixes copied by hand, and only what has a number is in a list. */
static bool is_listed(const struct patches *p, const char *key)
{
    const struct fact *host = facts_first(p->facts, "host");
    const char *digits = key + (str_starts_nocase(key, "KB")  ? 2
                                : str_starts_nocase(key, "Q") ? 1
                                                              : 0);
    if (!host || !str_is_digit(*digits) || str_starts(fact_text(host, "version"), "3."))
        return false;
    for (const struct fact *f = facts_first(p->facts, "complete"); f;
         f = facts_next(p->facts, "complete", f))
        if (str_equal(fact_text(f, "of"), "hotfix"))
            return true;
    return false;
}

static int64_t date_of(const struct fact *f, const char *key)
{
    int64_t when = DATE_NONE;
    return f && date_parse(fact_text(f, key), &when) ? when : DATE_NONE;
}

/* The table in patches.h. */
static enum marker marker_of_record(const struct patches *p, const char *key,
                                    const struct fact *recorded)
{
    const struct fact *host = facts_first(p->facts, "host");
    const struct fact_value *pack = fact_value(recorded, "service_pack");
    int64_t now = date_of(host, "last_written"), then = date_of(recorded, "last_written");
    if (then == DATE_NONE)
        then = date_of(recorded, "time");
    if (!is_listed(p, key) || now == DATE_NONE || now <= then)
        return MARKER_PRESENT;
    bool raised = pack && patches_service_pack_level(fact_text(host, "service_pack")) >
                              patches_service_pack_level(pack->text);
    return raised ? MARKER_LOST : MARKER_DENIED;
}

/* What the host says itself comes first; of two records the later counts. */
static enum marker look_for_marker(const struct patches *p, const char *key,
                                   const struct fact **where)
{
    enum marker marker = MARKER_ABSENT;
    for (const struct fact *f = facts_first(p->facts, "hotfix"); f;
         f = facts_next(p->facts, "hotfix", f)) {
        const char *id = fact_text(f, "id"), *installed = fact_text(f, "installed");
        if (!str_equal_nocase(id, key) && !is_later_revision(id, key))
            continue;
        if (str_equal(installed, "1")) {
            *where = f;
            return MARKER_PRESENT;
        }
        if (str_equal(installed, "pending")) {
            *where = f;
            marker = MARKER_PENDING;
        }
    }
    if (marker != MARKER_ABSENT)
        return marker;
    for (const struct fact *f = facts_first(p->facts, "patch-recorded"); f;
         f = facts_next(p->facts, "patch-recorded", f)) {
        const char *id = fact_text(f, "id");
        if (!str_equal_nocase(id, key) && !is_later_revision(id, key))
            continue;
        *where = f;
        marker = marker_of_record(p, key, f);
    }
    return marker;
}

enum marker patches_marker(const struct patches *p, const char *key, const struct fact **where)
{
    struct node *n = (struct node *)find(p, key);
    const struct fact *ignored = NULL;
    if (!n)
        return look_for_marker(p, key, where ? where : &ignored);
    if (!n->has_marker) {
        n->marker = look_for_marker(p, key, &n->marker_fact);
        n->has_marker = true;
    }
    if (where && n->marker_fact)
        *where = n->marker_fact;
    return n->marker;
}

static enum proof judge_file(const struct patches *p, const struct advisory_file *file)
{
    CLEANUP_STR struct str key = {0};
    str_printf(&key, "file-version:%s", file->path);
    const struct fact *host = facts_first(p->facts, "host");
    const struct fact_value *v = host ? fact_value(host, str_text(&key)) : NULL;
    if (!v || v->state == VALUE_UNREADABLE)
        return PROOF_UNREADABLE;
    if (v->state == VALUE_ABSENT) /* a server that is there has its core somewhere */
        return file->core ? PROOF_UNREADABLE : PROOF_MISSING;
    struct version_range range;
    struct error e = ERROR_INIT;
    if (!version_range_parse(&range, p->arena, file->range, VERSION_WINDOWS, &e))
        return PROOF_UNREADABLE;
    return version_range_has(&range, v->text) ? PROOF_NEW : PROOF_OLD;
}

enum proof patches_proof(const struct patches *p, const struct advisory_file *files, size_t count,
                         const struct advisory_file **deciding)
{
    size_t readable = 0, missing = 0;
    enum proof result = PROOF_NONE;
    for (size_t i = 0; i < count; i++) {
        bool repeated = false; /* several ranges for one file: judged with the first */
        for (size_t j = 0; j < i; j++)
            repeated |= str_equal_nocase(files[j].path, files[i].path);
        if (repeated)
            continue;
        enum proof one = judge_file(p, &files[i]);
        for (size_t j = i + 1; one == PROOF_OLD && j < count; j++)
            if (str_equal_nocase(files[j].path, files[i].path))
                one = judge_file(p, &files[j]);
        if (one == PROOF_MISSING) {
            missing++;
            continue;
        }
        readable++;
        /* Too old beats unreadable beats new: one old file is enough to be open. */
        if (one == PROOF_OLD || (one == PROOF_UNREADABLE && result != PROOF_OLD) ||
            result == PROOF_NONE) {
            result = one;
            if (deciding)
                *deciding = &files[i];
        }
    }
    return !readable && missing ? PROOF_MISSING : result;
}

double patches_service_pack_level(const char *text)
{
    char *end;
    double level = strtod(text, &end);
    if (end == text)
        return 0;
    if (*end >= 'a' && *end <= 'z')
        level += 0.5 + 0.01 * (*end - 'a');
    return level;
}

bool patches_is_service_pack(const char *key)
{
    return str_starts(key, "service-pack:");
}

bool patches_is_key(const char *key)
{
    size_t colons = 0, digits = 0;
    for (const char *c = key; *c; c++) {
        colons += *c == ':';
        digits += *c >= '0' && *c <= '9';
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-", *c))
            return false;
    }
    return digits && colons == (patches_is_service_pack(key) ? 3u : 0u);
}

/* The same text stands in `contained-in` and `requires` without the prefix. */
static const char *without_prefix(const char *pack)
{
    return pack + (patches_is_service_pack(pack) ? strlen("service-pack:") : 0);
}

bool patches_same_pack_line(const char *a, const char *b)
{
    a = without_prefix(a);
    b = without_prefix(b);
    const char *end_a = strrchr(a, ':'), *end_b = strrchr(b, ':');
    return end_a && end_b && end_a - a == end_b - b && strncasecmp(a, b, (size_t)(end_a - a)) == 0;
}

bool patches_brings_pack(const char *pack, const char *wanted)
{
    return patches_same_pack_line(pack, wanted) &&
           patches_service_pack_level(strrchr(pack, ':') + 1) >=
               patches_service_pack_level(strrchr(wanted, ':') + 1);
}

bool patches_has_service_pack(const struct facts *facts, const char *key)
{
    key = without_prefix(key);
    char product[64], version[32], level[16];
    if (sscanf(key, "%63[^:]:%31[^:]:%15s", product, version, level) != 3)
        return false;
    const struct fact *host = facts_first(facts, "host");
    if (!host || !str_equal_nocase(fact_text(host, "family"), product) ||
        !str_equal(fact_text(host, "version"), version))
        return false;
    return patches_service_pack_level(fact_text(host, "service_pack")) >=
           patches_service_pack_level(level);
}

bool patches_in_service_pack(const struct patches *p, const char *key)
{
    const char *const *all;
    size_t count = patches_successors(p, key, &all);
    for (size_t i = 0; i < count; i++) {
        const struct node *n = find(p, all[i]);
        for (size_t j = 0; n && n->patch && j < n->patch->contained_count; j++)
            if (patches_has_service_pack(p->facts, n->patch->contained_in[j]))
                return true;
    }
    return false;
}

size_t patches_circles(const struct patches *p, const char *const **out)
{
    *out = p->circles.items;
    return p->circles.count;
}

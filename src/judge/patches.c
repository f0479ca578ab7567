#include "judge/patches.h"

#include "base/str.h"
#include "model/date.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_PATCHES = 20000 };

struct node {
    const char *key;
    const struct advisory_patch *patch; /* NULL: known only from the host or an edge */
    VEC(size_t) supersedes;             /* direct */
    VEC(size_t) superseded_by;          /* direct */
    bool in_circle;
    unsigned char colour; /* of the depth-first walk */
};

struct patches {
    struct arena *arena;
    const struct facts *facts;
    struct node *nodes; /* sorted by key without case after building */
    size_t count, capacity;
    VEC(const char *) circles;
};

static size_t node_of(struct patches *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_equal_nocase(p->nodes[i].key, key))
            return i;
    if (p->count == MOST_PATCHES)
        return 0;
    if (p->count == p->capacity) {
        size_t wanted = p->capacity ? p->capacity * 2 : 64;
        struct node *grown = arena_alloc(p->arena, wanted * sizeof *grown);
        if (p->count)
            memcpy(grown, p->nodes, p->count * sizeof *grown);
        p->nodes = grown;
        p->capacity = wanted;
    }
    p->nodes[p->count].key = key;
    return p->count++;
}

static const struct node *find(const struct patches *p, const char *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_equal_nocase(p->nodes[i].key, key))
            return &p->nodes[i];
    return NULL;
}

static void edge(struct patches *p, const char *newer, const char *older)
{
    size_t a = node_of(p, newer), b = node_of(p, older);
    if (a == b)
        return;
    for (size_t i = 0; i < p->nodes[a].supersedes.count; i++)
        if (p->nodes[a].supersedes.items[i] == b)
            return;
    VEC_PUSH(&p->nodes[a].supersedes, b);
    VEC_PUSH(&p->nodes[b].superseded_by, a);
}

/* A node is in a circle if it can be reached from itself. Walked with an explicit stack:
 * the depth is the attacker's. */
static void find_circles(struct patches *p)
{
    size_t *stack = arena_alloc(p->arena, (p->count + 1) * sizeof *stack);
    for (size_t start = 0; start < p->count; start++) {
        if (!p->nodes[start].supersedes.count || !p->nodes[start].superseded_by.count)
            continue;
        for (size_t i = 0; i < p->count; i++)
            p->nodes[i].colour = 0;
        size_t depth = 0;
        stack[depth++] = start;
        while (depth && !p->nodes[start].in_circle) {
            struct node *n = &p->nodes[stack[--depth]];
            for (size_t i = 0; i < n->supersedes.count; i++) {
                size_t to = n->supersedes.items[i];
                if (to == start)
                    p->nodes[start].in_circle = true;
                else if (!p->nodes[to].colour) {
                    p->nodes[to].colour = 1;
                    stack[depth++] = to;
                }
            }
        }
        if (p->nodes[start].in_circle)
            VEC_PUSH(&p->circles, p->nodes[start].key);
    }
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

static void add_revision_edges(struct patches *p)
{
    size_t count = p->count;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (i != j && is_later_revision(p->nodes[i].key, p->nodes[j].key))
                edge(p, p->nodes[i].key, p->nodes[j].key);
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

struct patches *patches_of(struct arena *arena, const struct advisories *set,
                           const struct facts *facts, const char *product, const char *version,
                           int64_t as_of)
{
    struct patches *p = arena_alloc(arena, sizeof *p);
    p->arena = arena;
    p->facts = facts;
    const struct advisory_patch *const *list;
    size_t count = advisories_patches(set, product, &list);
    for (size_t i = 0; i < count; i++) {
        if (as_of != DATE_NONE && list[i]->released > as_of)
            continue;
        if (!same_version(list[i]->version, version) ||
            !patches_on_platform(facts, list[i]->platform))
            continue;
        size_t at = node_of(p, list[i]->key);
        p->nodes[at].patch = list[i];
        for (size_t j = 0; j < list[i]->supersedes_count; j++)
            edge(p, list[i]->key, list[i]->supersedes[j]);
    }
    add_host_edges(p, facts);
    add_revision_edges(p);
    find_circles(p);
    settle(p);
    return p;
}

const struct advisory_patch *patches_find(const struct patches *p, const char *key)
{
    const struct node *n = find(p, key);
    return n ? n->patch : NULL;
}

/* Breadth first, so that the nearest come first; nodes of a circle lead nowhere. */
static size_t walk(const struct patches *p, const char *key, bool up, bool with_self,
                   const char *const **out)
{
    const struct node *start = find(p, key);
    size_t total = 0;
    const char **keys = arena_alloc(p->arena, (p->count + 1) * sizeof *keys);
    if (!start) {
        if (with_self)
            keys[total++] = key;
        *out = keys;
        return total;
    }
    bool *seen = arena_alloc(p->arena, p->count * sizeof *seen);
    size_t *queue = arena_alloc(p->arena, p->count * sizeof *queue);
    size_t head = 0, tail = 0;
    queue[tail++] = (size_t)(start - p->nodes);
    seen[queue[0]] = true;
    while (head < tail) {
        const struct node *n = &p->nodes[queue[head++]];
        if (n != start || with_self)
            keys[total++] = n->key;
        if (n->in_circle)
            continue;
        size_t edges = up ? n->superseded_by.count : n->supersedes.count;
        const size_t *items = up ? n->superseded_by.items : n->supersedes.items;
        for (size_t i = 0; i < edges; i++) {
            if (!seen[items[i]] && !p->nodes[items[i]].in_circle) {
                seen[items[i]] = true;
                queue[tail++] = items[i];
            }
        }
    }
    *out = keys;
    return total;
}

size_t patches_successors(const struct patches *p, const char *key, const char *const **out)
{
    return walk(p, key, true, true, out);
}

size_t patches_superseded(const struct patches *p, const char *key, const char *const **out)
{
    return walk(p, key, false, false, out);
}

const char *patches_newest(const struct patches *p, const char *key)
{
    const char *const *all;
    size_t count = patches_successors(p, key, &all);
    const char *best = key;
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        const struct node *n = find(p, all[i]);
        if (!n || !n->patch || n->in_circle)
            continue;
        bool maximal = true;
        for (size_t j = 0; j < n->superseded_by.count; j++)
            if (p->nodes[n->superseded_by.items[j]].patch)
                maximal = false;
        const char *const *below;
        size_t covers = patches_superseded(p, all[i], &below);
        if (maximal && covers >= most) {
            most = covers;
            best = all[i];
        }
    }
    return best;
}

enum marker patches_marker(const struct patches *p, const char *key, const struct fact **where)
{
    enum marker marker = MARKER_ABSENT;
    for (const struct fact *f = facts_first(p->facts, "hotfix"); f;
         f = facts_next(p->facts, "hotfix", f)) {
        const char *id = fact_text(f, "id"), *installed = fact_text(f, "installed");
        if (!str_equal_nocase(id, key) && !is_later_revision(id, key))
            continue;
        if (str_equal(installed, "1")) {
            if (where)
                *where = f;
            return MARKER_PRESENT;
        }
        if (str_equal(installed, "pending")) {
            if (where)
                *where = f;
            marker = MARKER_PENDING;
        }
    }
    return marker;
}

static enum proof judge_file(const struct patches *p, const struct advisory_file *file)
{
    CLEANUP_STR struct str key = {0};
    str_printf(&key, "file-version:%s", file->path);
    const struct fact *host = facts_first(p->facts, "host");
    const struct fact_value *v = host ? fact_value(host, str_text(&key)) : NULL;
    if (!v || v->state == VALUE_UNREADABLE)
        return PROOF_UNREADABLE;
    if (v->state == VALUE_ABSENT)
        return PROOF_MISSING;
    struct version_range range;
    struct error e = ERROR_INIT;
    if (!version_range_parse(&range, p->arena, file->range, VERSION_WINDOWS, &e))
        return PROOF_UNREADABLE;
    return version_range_has(&range, v->text) ? PROOF_NEW : PROOF_OLD;
}

enum proof patches_proof(const struct patches *p, const struct advisory_file *files,
                         size_t count, const struct advisory_file **deciding)
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

/* The same text stands in `contained-in` and `requires` without the prefix. */
bool patches_has_service_pack(const struct facts *facts, const char *key)
{
    if (patches_is_service_pack(key))
        key += strlen("service-pack:");
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

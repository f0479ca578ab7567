#include "collect/solaris.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_PATCHES = 50000, MOST_PACKAGES = 2000 };

struct patch_set {
    struct arena *arena;
    VEC(struct patch *) list;
    size_t *slots;     /* open addressing: index + 1 into list; 0 = free */
    size_t slot_count; /* a power of two, at least twice the patches */
    size_t refused;
};

struct patch_set *patch_set_new(void)
{
    struct patch_set *set = mem_alloc(sizeof *set);
    set->arena = arena_new();
    set->slot_count = 256;
    set->slots = mem_alloc(set->slot_count * sizeof *set->slots);
    return set;
}

void patch_set_free(struct patch_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->list.count; i++)
        VEC_FREE(&set->list.items[i]->packages);
    VEC_FREE(&set->list);
    free(set->slots);
    arena_free(set->arena);
    free(set);
}

void patch_set_cleanup(struct patch_set **set)
{
    patch_set_free(*set);
}

size_t patch_set_count(const struct patch_set *set)
{
    return set->list.count;
}

const struct patch *patch_set_at(const struct patch_set *set, size_t index)
{
    return set->list.items[index];
}

size_t patch_set_refused(const struct patch_set *set)
{
    return set->refused;
}

bool patch_set_is_id(const char *text)
{
    size_t letters = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    size_t base = strspn(text + letters, "0123456789");
    if (letters > 4 || base < 5 || base > 8 || text[letters + base] != '-')
        return false;
    const char *revision = text + letters + base + 1;
    size_t length = strspn(revision, "0123456789");
    return length >= 1 && length <= 3 && !revision[length];
}

/* FNV-1a: the ids are short and bounded in number, a flood costs no more than the bound. */
static size_t hash(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static size_t *slot_of(struct patch_set *set, const char *id)
{
    size_t i = hash(id) & (set->slot_count - 1);
    while (set->slots[i] && !str_equal(set->list.items[set->slots[i] - 1]->id, id))
        i = (i + 1) & (set->slot_count - 1);
    return &set->slots[i];
}

static void grow(struct patch_set *set)
{
    free(set->slots);
    set->slot_count *= 2;
    set->slots = mem_alloc(set->slot_count * sizeof *set->slots);
    for (size_t i = 0; i < set->list.count; i++)
        *slot_of(set, set->list.items[i]->id) = i + 1;
}

struct patch *patch_set_add(struct patch_set *set, const char *id, enum patch_state state,
                            const char *path, uint64_t line)
{
    if (!patch_set_is_id(id))
        return NULL;
    size_t *slot = slot_of(set, id);
    if (*slot) {
        struct patch *there = set->list.items[*slot - 1];
        if (state > there->state) {
            there->state = state;
            there->path = arena_strdup(set->arena, path);
            there->line = line;
        }
        return there;
    }
    if (set->list.count == MOST_PATCHES) {
        set->refused++;
        return NULL;
    }
    struct patch *patch = arena_alloc(set->arena, sizeof *patch);
    patch->id = arena_strdup(set->arena, id);
    patch->state = state;
    patch->path = arena_strdup(set->arena, path);
    patch->line = line;
    patch->obsoletes = patch->requires = patch->incompatibles = patch->date = "";
    patch->directory = "";
    VEC_PUSH(&set->list, patch);
    *slot = set->list.count;
    if (set->list.count * 2 > set->slot_count)
        grow(set);
    return patch;
}

void patch_set_package(struct patch_set *set, struct patch *patch, const char *package)
{
    if (patch->packages.count >= MOST_PACKAGES)
        return;
    for (size_t i = patch->packages.count; i-- > 0;)
        if (str_equal(patch->packages.items[i], package))
            return;
    VEC_PUSH(&patch->packages, arena_strdup(set->arena, package));
}

/* "106832-03, 106976-01" to "106832-03 106976-01"; words that are no patch numbers are left
 * out: they can neither obsolete nor be required. */
static const char *ids_of(struct patch_set *set, char *text)
{
    CLEANUP_STR struct str ids = {0};
    for (char *word = text; *word;) {
        size_t length = strcspn(word, ", \t\r");
        char *next = word + length + (word[length] != '\0');
        word[length] = '\0';
        if (patch_set_is_id(word))
            str_printf(&ids, "%s%s", ids.length ? " " : "", word);
        word = next;
    }
    return ids.length ? arena_strdup(set->arena, str_text(&ids)) : "";
}

/* "Tue Jan 11 10:21:04 PST 2000" to "2000-01-11"; anything else stays as it is. */
static const char *date_of(struct patch_set *set, const char *text)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char month[4];
    int day, year;
    if (sscanf(text, "%*3s %3s %2d %*8s %*8s %4d", month, &day, &year) == 3 ||
        sscanf(text, "%*3s %3s %2d %*8s %4d", month, &day, &year) == 3)
        for (int i = 0; i < 12; i++)
            if (str_equal_nocase(month, months[i]) && day >= 1 && day <= 31 && year >= 1980)
                return arena_printf(set->arena, "%04d-%02d-%02d", year, i + 1, day);
    return arena_strndup(set->arena, text, strlen(text) > 60 ? 60 : strlen(text));
}

enum part {
    PART_INSTALLED,
    PART_FROM,
    PART_OBSOLETES,
    PART_REQUIRES,
    PART_INCOMPATIBLES,
    PART_PACKAGES,
    PARTS
};

/* Cuts "Installed: a From: b ..." into its parts, in place. */
static void split(char *parts[PARTS], char *text)
{
    static const char *const names[PARTS] = {
        "Installed:", "From:", "Obsoletes:", "Requires:", "Incompatibles:", "Packages:"};
    for (char *at = text; *at; at++) {
        if (at != text && !str_is_space(at[-1]))
            continue;
        for (size_t i = 0; i < PARTS; i++) {
            if (!str_starts(at, names[i]) || parts[i])
                continue;
            parts[i] = at + strlen(names[i]);
            *at = '\0';
            at = parts[i] - 1;
            break;
        }
    }
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i])
            parts[i] = str_trim(parts[i]);
}

void patch_set_describe(struct patch_set *set, struct patch *patch, char *text)
{
    char *parts[PARTS] = {0};
    split(parts, text);
    if (parts[PART_INSTALLED] && !*patch->date)
        patch->date = date_of(set, parts[PART_INSTALLED]);
    if (parts[PART_OBSOLETES] && !*patch->obsoletes)
        patch->obsoletes = ids_of(set, parts[PART_OBSOLETES]);
    if (parts[PART_REQUIRES] && !*patch->requires)
    patch->requires = ids_of(set, parts[PART_REQUIRES]);
    if (parts[PART_INCOMPATIBLES] && !*patch->incompatibles)
        patch->incompatibles = ids_of(set, parts[PART_INCOMPATIBLES]);
    if (!parts[PART_PACKAGES])
        return;
    for (char *word = parts[PART_PACKAGES]; *word;) {
        size_t length = strcspn(word, ", \t");
        char *next = word + length + (word[length] != '\0');
        word[length] = '\0';
        if (length && length <= 64)
            patch_set_package(set, patch, word);
        word = next;
    }
}

bool patch_set_add_line(struct patch_set *set, char *line, const char *path, uint64_t number)
{
    line = str_trim(line);
    if (!str_starts(line, "Patch:"))
        return false;
    line = str_trim(line + strlen("Patch:"));
    size_t length = strcspn(line, " \t");
    char *rest = line + length + (line[length] != '\0');
    line[length] = '\0';
    struct patch *patch = patch_set_add(set, line, PATCH_INSTALLED, path, number);
    if (!patch)
        return false;
    patch_set_describe(set, patch, rest);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_packages(struct facts *facts, struct fact *f, const struct patch *patch)
{
    CLEANUP_STR struct str names = {0};
    if (patch->packages.count)
        qsort(patch->packages.items, patch->packages.count, sizeof *patch->packages.items, by_name);
    for (size_t i = 0; i < patch->packages.count; i++)
        str_printf(&names, "%s%s", i ? " " : "", patch->packages.items[i]);
    fact_put(facts, f, "packages", str_text(&names));
}

void patch_set_facts(const struct patch_set *set, struct facts *facts)
{
    for (size_t i = 0; i < set->list.count; i++) {
        const struct patch *patch = set->list.items[i];
        struct fact *f =
            facts_add(facts, "hotfix", patch->path, patch->line, -1,
                      patch->state == PATCH_CLAIMED ? CONFIDENCE_LOW : CONFIDENCE_HIGH);
        fact_put(facts, f, "id", patch->id);
        fact_put(facts, f, "installed", patch->state == PATCH_BACKED_OUT ? "0" : "1");
        fact_put(facts, f, "place", patch->path);
        fact_put(facts, f, "obsoletes", patch->obsoletes);
        fact_put(facts, f, "requires", patch->requires);
        fact_put(facts, f, "incompatibles", patch->incompatibles);
        put_packages(facts, f, patch);
        fact_put(facts, f, "date", patch->date);
        if (*patch->directory && patch->state != PATCH_INSTALLED) {
            f = facts_add(facts, "hotfix-leavings", patch->directory, 0, -1, CONFIDENCE_HIGH);
            fact_put(facts, f, "id", patch->id);
            fact_put(facts, f, "path", patch->directory);
        }
    }
}

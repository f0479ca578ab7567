#include "judge/rules.h"

#include "base/file.h"
#include "base/str.h"
#include "judge/rules_parse.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_RULES = 20000, MOST_FILE_BYTES = 256 * 1024 };

struct rules {
    struct arena *arena;
    VEC(struct rule *) list; /* by name */
    VEC(const char *) wants;
};

/* The forms of docs/facts.md. */
bool rules_is_want(const char *field)
{
    static const char *const forms[] = {
        "HKLM\\", "file:", "file-version:", "file-mode:", "file-owner:", "file-acl:"};
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++)
        if (str_starts_nocase(field, forms[i]))
            return true;
    return false;
}

static int compare_rules(const void *a, const void *b)
{
    return strcmp((*(struct rule *const *)a)->name, (*(struct rule *const *)b)->name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_nocase(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    while (*x && str_lower(*x) == str_lower(*y))
        x++, y++;
    return (unsigned char)str_lower(*x) - (unsigned char)str_lower(*y);
}

static void gather_wants(struct rules *rules)
{
    VEC(const char *) all = {0};
    for (size_t i = 0; i < rules->list.count; i++) {
        const struct rule *rule = rules->list.items[i];
        for (size_t k = 0; k < rule->field_count; k++)
            if (rules_is_want(rule->fields[k]))
                VEC_PUSH(&all, rule->fields[k]);
    }
    if (all.count)
        qsort(all.items, all.count, sizeof *all.items, compare_nocase);
    for (size_t i = 0; i < all.count; i++)
        if (!rules->wants.count ||
            !str_equal_nocase(rules->wants.items[rules->wants.count - 1], all.items[i]))
            VEC_PUSH(&rules->wants, all.items[i]);
    VEC_FREE(&all);
}

/* --- also: names to rules; one that is missing, or a circle, leaves the rule out --- */

static struct rule *find(const struct rules *rules, const char *name)
{
    struct rule key = {.name = name}, *wanted = &key;
    struct rule **found = rules->list.count ? bsearch(&wanted, rules->list.items, rules->list.count,
                                                      sizeof *rules->list.items, compare_rules)
                                            : NULL;
    return found ? *found : NULL;
}

/* Depth first; a rule that is still on the way (1) closes a circle. */
static bool resolve(const struct rules *rules, struct rule *rule, uint8_t *state, unsigned depth,
                    struct sigma_problems *problems)
{
    if (state[rule->index])
        return state[rule->index] == 2;
    state[rule->index] = 1;
    const struct rule **also =
        arena_alloc(rules->arena, (rule->also_count + 1) * sizeof(struct rule *));
    for (size_t i = 0; i < rule->also_count; i++) {
        struct rule *other = find(rules, rule->also[i]);
        bool good = other && depth < 16 && resolve(rules, other, state, depth + 1, problems);
        if (!good) {
            sigma_problem(problems, false, rule->path, NULL,
                          !other                     ? _("also: there is no rule \"%s\"")
                          : state[other->index] == 1 ? _("also: a circle through \"%s\"")
                                                     : _("also: the rule \"%s\" is not usable"),
                          rule->also[i]);
            state[rule->index] = 3;
            return false;
        }
        also[i] = other;
    }
    rule->also_rules = also;
    state[rule->index] = 2;
    return true;
}

static void number(struct rules *rules)
{
    for (size_t i = 0; i < rules->list.count; i++)
        rules->list.items[i]->index = i;
}

static void finish(struct rules *rules, struct sigma_problems *problems)
{
    size_t kept = 0;
    if (rules->list.count)
        qsort(rules->list.items, rules->list.count, sizeof *rules->list.items, compare_rules);
    number(rules);
    CLEANUP_FREE uint8_t *state = mem_alloc(rules->list.count + 1);
    for (size_t i = 0; i < rules->list.count; i++)
        resolve(rules, rules->list.items[i], state, 0, problems);
    for (size_t i = 0; i < rules->list.count; i++) {
        if (state[i] == 2)
            rules->list.items[kept++] = rules->list.items[i];
        else
            sigma_free(rules->list.items[i]->sigma);
    }
    rules->list.count = kept;
    number(rules);
    gather_wants(rules);
}

/* --- reading --- */

static struct rule *add(struct rules *rules, const char *name, const char *path, const char *text,
                        size_t size, struct sigma_problems *problems)
{
    struct rule *rule = rules_parse(rules->arena, name, path, text, size, problems);
    if (!rule)
        return NULL;
    rule->path = arena_strdup(rules->arena, path); /* the problems' arena may go first */
    for (size_t i = 0; i < rules->list.count; i++)
        if (str_equal(rules->list.items[i]->name, name)) { /* the later directory wins */
            sigma_free(rules->list.items[i]->sigma);
            rules->list.items[i] = rule;
            return rule;
        }
    VEC_PUSH(&rules->list, rule);
    return rule;
}

/* The length of a rule's text without its examples. They are cut off only as they are written
 * by custom: the key `examples` at two spaces, last in the top-level map `yagura`, which is the
 * last of the file. Anything else is read whole. */
static size_t without_examples(const char *text, size_t size)
{
    size_t position = 0, length, cut = size;
    const char *line;
    bool ours = false;
    while (str_next_line(text, size, &position, &line, &length)) {
        if (!length || *line == '#')
            continue;
        if (*line != ' ') {
            if (cut != size)
                return size;
            ours = length == 7 && memcmp(line, "yagura:", 7) == 0;
        } else if (ours && length == 11 && memcmp(line, "  examples:", 11) == 0) {
            cut = (size_t)(line - text);
        } else if (cut != size && (length < 4 || memcmp(line, "    ", 4) != 0)) {
            return size;
        }
    }
    return cut;
}

static void add_file(struct rules *rules, const char *dir, const char *file,
                     struct sigma_problems *problems)
{
    const char *path = arena_printf(rules->arena, "%s/%s", dir, file);
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    struct stat st;
    struct error e = ERROR_INIT;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* a FIFO would keep us for ever */
        sigma_problem(problems, false, arena_strdup(problems->arena, path), NULL,
                      "it is no regular file");
        return;
    }
    if (!file_read(&text, &size, path, MOST_FILE_BYTES, &e)) {
        sigma_problem(problems, false, arena_strdup(problems->arena, path), NULL, "%s", e.message);
        return;
    }
    char name[256];
    size_t shorter = without_examples(text, size);
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - 4), file);
    struct rule *rule =
        add(rules, name, arena_strdup(problems->arena, path), text, shorter, problems);
    if (rule)
        rule->examples_passed_over = shorter != size;
}

static bool add_dir(struct rules *rules, const char *dir, bool *there,
                    struct sigma_problems *problems, struct error *e)
{
    DIR *d = opendir(dir);
    if (!d) {
        if (errno == ENOENT)
            return true;
        error_set_errno(e, errno, "cannot read the rules in %s", dir);
        return false;
    }
    *there = true;
    VEC(const char *) names = {0};
    struct dirent *entry;
    while ((entry = readdir(d)) && names.count < MOST_RULES)
        if (entry->d_name[0] != '.' && str_ends(entry->d_name, ".yml"))
            VEC_PUSH(&names, arena_strdup(rules->arena, entry->d_name));
    if (entry)
        sigma_problem(problems, false, arena_strdup(problems->arena, dir), NULL,
                      "it holds more than %d rules; the rest was not read", MOST_RULES);
    closedir(d);
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    for (size_t i = 0; i < names.count; i++)
        add_file(rules, dir, names.items[i], problems);
    VEC_FREE(&names);
    return true;
}

static struct rules *new_rules(void)
{
    struct rules *rules = mem_alloc(sizeof *rules);
    rules->arena = arena_new();
    return rules;
}

bool rules_load(struct rules **out, const char *const *dirs, size_t count,
                struct sigma_problems *problems, struct error *e)
{
    struct rules *rules = new_rules();
    struct sigma_problems own = {.arena = rules->arena};
    bool there = false, good = true;
    for (size_t i = 0; i < count && good; i++)
        good = add_dir(rules, dirs[i], &there, problems ? problems : &own, e);
    if (good && !there) {
        error_set(e, ERR_ABSENT, "none of the directories of rules is there: %s",
                  count ? dirs[0] : "none was named");
        good = false;
    }
    if (good)
        finish(rules, problems ? problems : &own);
    sigma_problems_free(&own);
    if (!good) {
        rules_free(rules);
        return false;
    }
    *out = rules;
    return true;
}

bool rules_load_text(struct rules **out, const char *name, const char *text, size_t size,
                     struct sigma_problems *problems, struct error *e)
{
    struct rules *rules = new_rules();
    struct sigma_problems own = {.arena = rules->arena};
    struct sigma_problems *told = problems ? problems : &own;
    const char *path = arena_printf(told->arena, "%s.yml", name);
    add(rules, name, path, text, size, told);
    finish(rules, told);
    bool good = rules->list.count == 1;
    if (!good) {
        const struct sigma_problem *first = told->list.count ? &told->list.items[0] : NULL;
        for (size_t i = 0; i < told->list.count; i++)
            if (first->warning)
                first = &told->list.items[i];
        error_set(e, ERR_FORMAT, "%s", first ? first->message : "no rule");
        error_at(e, path, first ? first->line : 0, first ? first->column : 0);
    }
    sigma_problems_free(&own);
    if (!good) {
        rules_free(rules);
        return false;
    }
    *out = rules;
    return true;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->list.count; i++)
        sigma_free(rules->list.items[i]->sigma);
    VEC_FREE(&rules->list);
    VEC_FREE(&rules->wants);
    arena_free(rules->arena);
    free(rules);
}

void rules_cleanup(struct rules **rules)
{
    rules_free(*rules);
}

size_t rules_count(const struct rules *rules)
{
    return rules->list.count;
}

const struct rule *rules_at(const struct rules *rules, size_t index)
{
    return rules->list.items[index];
}

const struct rule *rules_find(const struct rules *rules, const char *name)
{
    return find(rules, name);
}

size_t rules_wants(const struct rules *rules, const char *const **out)
{
    *out = rules->wants.items;
    return rules->wants.count;
}

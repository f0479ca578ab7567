#include "content/profile.h"

#include "base/file.h"
#include "base/str.h"
#include "base/where.h"
#include "base/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MOST_BYTES = 256 * 1024 };

static bool name_valid(const char *name)
{
    size_t length = strlen(name);
    return length && length < 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

static struct yaml_node *load(const char *name, struct arena *arena, char path[4096],
                              struct error *e)
{
    char file[80];
    snprintf(file, sizeof file, "profiles/%s.yaml", name_valid(name) ? name : "-");
    if (!name_valid(name) || !where_is(WHERE_DATA, file, path, 4096)) {
        error_set(e, ERR_ABSENT, "there is no profile \"%.64s\"", name);
        return NULL;
    }
    CLEANUP_FREE char *text = NULL;
    size_t size, count;
    struct yaml_node **documents;
    if (!file_read(&text, &size, path, MOST_BYTES, e) ||
        !yaml_parse(&documents, &count, arena, text, size, path, e))
        return NULL;
    if (count != 1 || documents[0]->kind != YAML_MAP) {
        error_set(e, ERR_FORMAT, "a profile is one map");
        error_at(e, path, 1, 0);
        return NULL;
    }
    return documents[0];
}

bool profile_read_policies(struct policies *to, const struct yaml_node *list, const char *path,
                           struct error *e)
{
    if (list && list->kind != YAML_SEQUENCE && !yaml_is_null(list)) {
        yaml_error(e, list, path, "%s", _("policies are a list"));
        return false;
    }
    for (size_t i = 0; list && i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        const char *pattern = item->kind == YAML_MAP ? yaml_get_text(item, "path") : NULL;
        const char *name = pattern ? yaml_get_text(item, "policy") : NULL;
        enum policy policy;
        struct error wrong = ERROR_INIT;
        if (!name || !policy_from_name(name, &policy)) {
            yaml_error(e, item, path, "%s",
                       _("a policy is {path: PATTERN, policy: fixed, append, upload, free or "
                         "ignore}"));
            return false;
        }
        if (!policies_add(to, pattern, policy, &wrong)) {
            yaml_error(e, item, path, "%s", wrong.message);
            return false;
        }
    }
    return true;
}

bool profile_add(struct policies *to, const char *name, struct error *e)
{
    char path[4096];
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct yaml_node *top = load(name, arena, path, e);
    return top && profile_read_policies(to, yaml_get(top, "policies"), path, e);
}

/* How many files it asks for, all of which are there; 0 if one is missing. */
static size_t fits(const struct yaml_node *list, int rootfd, int treefd)
{
    struct stat st;
    for (size_t i = 0; list && i < list->count; i++) {
        const struct yaml_node *name = list->items[i];
        if (name->kind != YAML_SCALAR ||
            (!file_stat_beneath(rootfd, name->text, false, &st, NULL) &&
             (treefd < 0 || !file_stat_beneath(treefd, name->text, false, &st, NULL))))
            return 0;
    }
    return list ? list->count : 0;
}

bool profile_describe(const char *name, struct arena *arena, const char **title, const char **fits,
                      struct error *e)
{
    char path[4096];
    const struct yaml_node *top = load(name, arena, path, e);
    if (!top)
        return false;
    const char *text = yaml_get_text(top, "title");
    const struct yaml_node *list = yaml_get(top, "fits");
    CLEANUP_STR struct str files = {0};
    for (size_t i = 0; list && i < list->count; i++)
        str_printf(&files, "%s%s", i ? ", " : "", list->items[i]->text);
    *title = text ? text : name;
    *fits = arena_strdup(arena, str_text(&files));
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct profile_name *)a)->name, ((const struct profile_name *)b)->name);
}

bool profiles_list(struct arena *arena, struct profile_name **out, size_t *count, struct error *e)
{
    char folder[4096], path[4096];
    DIR *dir = where_is(WHERE_DATA, "profiles", folder, sizeof folder) ? opendir(folder) : NULL;
    if (!dir) {
        error_set(e, ERR_ABSENT, "the folder of profiles is not where the program's data are");
        return false;
    }
    VEC(struct profile_name) names = {0};
    bool good = true;
    for (struct dirent *d; good && (d = readdir(dir));) {
        if (!str_ends(d->d_name, ".yaml"))
            continue;
        char *name = arena_strndup(arena, d->d_name, strlen(d->d_name) - 5);
        const struct yaml_node *top = load(name, arena, path, e);
        const char *title = top ? yaml_get_text(top, "title") : NULL;
        good = top != NULL;
        VEC_PUSH(&names, ((struct profile_name){name, title ? title : name}));
    }
    closedir(dir);
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, by_name);
    *out = names.count ? arena_dup(arena, names.items, names.count * sizeof *names.items) : NULL;
    *count = names.count;
    VEC_FREE(&names);
    return good;
}

bool profile_keeps(const char *name, struct arena *arena, const char ***out, size_t *count,
                   struct error *e)
{
    char path[4096];
    const struct yaml_node *top = load(name, arena, path, e);
    const struct yaml_node *list = top ? yaml_get(top, "keeps") : NULL;
    *count = list && list->kind == YAML_SEQUENCE ? list->count : 0;
    *out = arena_alloc(arena, (*count + 1) * sizeof **out);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = list->items[i]->kind == YAML_SCALAR ? list->items[i]->text : "";
    return top != NULL;
}

const char *profile_propose(int rootfd, int treefd, struct arena *arena, struct error *e)
{
    struct profile_name *names;
    size_t count, best = 0;
    const char *proposed = "static";
    if (!profiles_list(arena, &names, &count, e))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        char path[4096];
        const struct yaml_node *top = load(names[i].name, arena, path, e);
        size_t found = top ? fits(yaml_get(top, "fits"), rootfd, treefd) : 0;
        if (found > best) {
            best = found;
            proposed = names[i].name;
        }
    }
    return proposed;
}

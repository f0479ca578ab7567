#include "collect/solaris.h"

#include "collect/conf_lines.h"

enum {
    MOST_LINE = 1024 * 1024, /* PATCHLIST of a package with 10,000 patches is 100 kB */
    MOST_VALUE = 1024
};

/* The value of NAME=VALUE without its quotes. */
static char *value_of(char *text)
{
    text = str_trim(text);
    size_t length = strlen(text);
    if (length >= 2 && (*text == '"' || *text == '\'') && text[length - 1] == *text) {
        text[length - 1] = '\0';
        text++;
    }
    return text;
}

static const char **field_of(struct pkginfo *p, const char *key)
{
    const struct {
        const char *key;
        const char **field;
    } known[] = {{"PKG", &p->name},           {"NAME", &p->title},
                 {"VERSION", &p->version},    {"ARCH", &p->arch},
                 {"CATEGORY", &p->category},  {"BASEDIR", &p->base_dir},
                 {"INSTDATE", &p->installed}, {"SUNW_PATCHID", &p->patch_id}};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (str_equal(known[i].key, key))
            return known[i].field;
    return NULL;
}

/* Patches are tied to the package at the end, when its name is known. */
struct reading {
    struct pkginfo *out;
    struct patch_set *patches;
    struct arena *arena;
    const char *path;
    VEC(struct patch *) listed;
    const char *obsoletes, *requires;
};

static void read_list(struct reading *r, char *value, uint64_t line)
{
    for (char *word; (word = conf_lines_word(&value));) {
        struct patch *patch = patch_set_add(r->patches, word, PATCH_INSTALLED, r->path, line);
        if (patch)
            VEC_PUSH(&r->listed, patch);
        else if (!patch_set_is_id(word))
            r->out->bad_patches++;
    }
}

/* PATCH_INFO_<id>: only PATCHLIST says that a patch is in; the rest may be of one that was. */
static void read_info(struct reading *r, const char *id, char *value, uint64_t line)
{
    bool backed_out = str_find_nocase(value, "backed out") && !str_starts(value, "Installed:");
    struct patch *patch = patch_set_add(r->patches, id, PATCH_BACKED_OUT, r->path, line);
    if (!patch)
        r->out->bad_patches += !patch_set_is_id(id);
    else if (!backed_out)
        patch_set_describe(r->patches, patch, value);
}

static void read_line(struct reading *r, char *line, uint64_t number)
{
    char *equals = strchr(line, '=');
    if (!equals || *line == '#')
        return;
    *equals = '\0';
    const char *key = str_trim(line);
    char *value = value_of(equals + 1);
    const char **field = field_of(r->out, key);
    if (field && !*field) {
        size_t length = strlen(value);
        *field = arena_strndup(r->arena, value, length > MOST_VALUE ? MOST_VALUE : length);
    }
    if (!r->patches)
        return;
    if (str_equal(key, "PATCHLIST"))
        read_list(r, value, number);
    else if (str_starts(key, "PATCH_INFO_"))
        read_info(r, key + strlen("PATCH_INFO_"), value, number);
    else if (str_equal(key, "SUNW_OBSOLETES"))
        r->obsoletes = arena_printf(r->arena, "Obsoletes: %s", value);
    else if (str_equal(key, "SUNW_REQUIRES"))
    r->requires = arena_printf(r->arena, "Requires: %s", value);
}

/* An instance that installpatch added for a patch: SUNW_PATCHID names it. */
static void read_instance(struct reading *r)
{
    struct patch *patch = patch_set_add(r->patches, r->out->patch_id, PATCH_INSTALLED, r->path, 0);
    if (!patch)
        return;
    if (r->obsoletes)
        patch_set_describe(r->patches, patch, arena_strdup(r->arena, r->obsoletes));
    if (r->requires)
        patch_set_describe(r->patches, patch, arena_strdup(r->arena, r->requires));
    VEC_PUSH(&r->listed, patch);
}

void pkginfo_parse(struct pkginfo *out, struct patch_set *patches, struct arena *arena,
                   struct facts *facts, const char *data, size_t size, const char *path,
                   const char *fallback)
{
    struct pkginfo info = {0};
    struct reading r = {.out = &info, .patches = patches, .arena = arena, .path = path};
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(data, size, CONF_PLAIN, MOST_LINE);
    for (char *line; (line = conf_lines_next(&lines));)
        read_line(&r, line, lines.line);
    if (facts)
        conf_lines_state(&lines, facts, N_("package"), path);
    if (!info.name || !*info.name)
        info.name = arena_strndup(arena, fallback, strcspn(fallback, "."));
    if (patches && info.patch_id)
        read_instance(&r);
    for (size_t i = 0; i < r.listed.count; i++)
        patch_set_package(patches, r.listed.items[i], info.name);
    VEC_FREE(&r.listed);
    *out = info;
}

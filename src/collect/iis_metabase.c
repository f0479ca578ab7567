#include "collect/iis_metabase.h"

#include "base/bytes.h"
#include "base/str.h"

#include <stdlib.h>

enum {
    MOST_NODES = 8192,
    MOST_PROPERTIES = 64, /* of one node */
    MOST_ITEMS = 1024,    /* of one list */
    MOST_LINE = 8192,
    MOST_MAP = 512, /* bytes of a script map in MetaBase.bin */
    MOST_MAPS = 512,
};

/* IIScnfg.h; the second name is the one that mdutil prints. */
static const struct {
    const char *name, *other;
    unsigned id;
} known[] = {
    {"KeyType", NULL, 1002},
    {"ServerComment", NULL, 1015},
    {"ServerState", NULL, 1016},
    {"ServerAutoStart", NULL, 1017},
    {"ServerBindings", NULL, 1023},
    {"SecureBindings", NULL, 2021},
    {"UseHostName", NULL, 2066},
    {"Path", "VrPath", 3001},
    {"UNCUserName", "VrUserName", 3002},
    {"LogType", NULL, 4000},
    {"LogFileDirectory", NULL, 4001},
    {"LogExtFileFlags", "LogExtFileFlags", 4013},
    {"AuthFlags", "Authorization", 6000},
    {"DirBrowseFlags", "DirectoryBrowsing", 6005},
    {"DefaultDoc", "DefaultLoadFile", 6006},
    {"ScriptMaps", NULL, 6014},
    {"AccessFlags", "AccessPerm", 6016},
    {"AnonymousUserName", NULL, 6020},
    {"SSIExecDisable", NULL, 6028},
    {"AspEnableParentPaths", NULL, 7008},
    {"EnableDirBrowsing", NULL, 0},
    {"LogExtFileUriQuery", NULL, 0},
    {"LogExtFileUserAgent", NULL, 0},
    {"LogExtFileWin32Status", NULL, 0},
};

static const char *known_name(const char *name)
{
    uint64_t id = 0;
    bool is_id = str_to_u64(name, &id);
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if ((is_id && id && known[i].id == id) || str_equal_nocase(name, known[i].name) ||
            (known[i].other && str_equal_nocase(name, known[i].other)))
            return known[i].name;
    return NULL;
}

struct reader {
    struct metabase *m;
    struct arena *arena;
    struct metabase_node *node;         /* of the section that we are in */
    struct metabase_property *property; /* that a following line may continue, or NULL */
    size_t line;
};

/* --- growing in the arena --- */

static void *grown(struct arena *arena, const void *items, size_t count, size_t *capacity,
                   size_t size)
{
    *capacity = *capacity ? *capacity * 2 : 8;
    void *wider = arena_alloc(arena, *capacity * size);
    if (count)
        memcpy(wider, items, count * size);
    return wider;
}

static void begin_node(struct reader *r, char *path)
{
    for (char *c = path; *c; c++)
        if (*c == '\\')
            *c = '/';
    while (*path == '/')
        path++;
    if (str_starts_nocase(path, "LM/"))
        path += 3;
    else if (str_equal_nocase(path, "LM"))
        path += 2;
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        path[--length] = '\0';
    r->node = NULL;
    r->property = NULL;
    struct metabase *m = r->m;
    if (m->count == MOST_NODES) {
        m->cut = true;
        return;
    }
    if (m->count == m->capacity)
        m->nodes = grown(r->arena, m->nodes, m->count, &m->capacity, sizeof *m->nodes);
    r->node = &m->nodes[m->count++];
    *r->node = (struct metabase_node){.path = arena_strdup(r->arena, path), .line = r->line};
}

static void begin_property(struct reader *r, const char *name)
{
    struct metabase_node *n = r->node;
    const char *spelled = known_name(name);
    r->property = NULL;
    if (!n || !spelled)
        return;
    if (n->count == MOST_PROPERTIES) {
        r->m->cut = true;
        return;
    }
    if (n->count == n->capacity)
        n->properties =
            grown(r->arena, n->properties, n->count, &n->capacity, sizeof *n->properties);
    r->property = &n->properties[n->count++];
    *r->property = (struct metabase_property){.name = spelled, .line = r->line};
}

static void add_item(struct reader *r, const char *text, size_t length)
{
    struct metabase_property *p = r->property;
    if (!p)
        return;
    if (p->count == MOST_ITEMS) {
        r->m->cut = true;
        return;
    }
    /* lists are short: doubled at each power of two */
    if ((p->count & (p->count - 1)) == 0) {
        const char **wider = arena_alloc(r->arena, (p->count ? p->count * 2 : 1) * sizeof *wider);
        if (p->count)
            memcpy(wider, p->items, p->count * sizeof *wider);
        p->items = wider;
    }
    ((const char **)p->items)[p->count++] = arena_strndup(r->arena, text, length);
}

/* --- lines --- */

/* A quoted item; quotes within it stay as they are. */
static void add_quoted(struct reader *r, char *text)
{
    text = str_trim(text);
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '"' && text[length - 1] == '"')
        add_item(r, text + 1, length - 2);
    else
        add_item(r, text, length);
}

/* Behind the colon: [attributes] (TYPE) value. */
static void value_of(struct reader *r, char *text)
{
    text = str_trim(text);
    if (*text == '[') {
        char *end = strchr(text, ']');
        text = end ? str_trim(end + 1) : text;
    }
    bool list = false;
    if (*text == '(') {
        char *end = strchr(text, ')');
        if (end) {
            *end = '\0';
            list = str_equal_nocase(text + 1, "LIST");
            text = str_trim(end + 1);
        }
    }
    if (list || (*text == '(' && strstr(text, "Items)")))
        return; /* the items follow, one a line */
    char *names = str_starts_nocase(text, "0x") ? strstr(text, "={") : NULL;
    if (names)
        *names = '\0';
    if (*text)
        add_quoted(r, text);
}

/* id <tab> name <tab> attributes <tab> user type <tab> data type <tab> data */
static void columns(struct reader *r, char *text)
{
    char *cells[6] = {0};
    size_t count = 0;
    for (char *cell = text; cell && count < ARRAY_COUNT(cells); count++) {
        char *end = count + 1 < ARRAY_COUNT(cells) ? strchr(cell, '\t') : NULL;
        if (end)
            *end++ = '\0';
        cells[count] = str_trim(cell);
        cell = end;
    }
    if (count < ARRAY_COUNT(cells))
        return;
    begin_property(r, cells[0]);
    if (!r->property)
        begin_property(r, cells[1]);
    if (!str_starts_nocase(cells[4], "MULTISZ") && !str_equal_nocase(cells[4], "Multi-String")) {
        add_quoted(r, cells[5]);
        return;
    }
    char *save = NULL;
    for (char *item = strtok_r(cells[5], "|", &save); item; item = strtok_r(NULL, "|", &save))
        add_quoted(r, item);
}

static void take_line(struct reader *r, char *line)
{
    bool indented = str_is_space(*line);
    char *text = str_trim(line);
    size_t length = strlen(text);
    if (!length || *text == '#' || *text == ';')
        return;
    if (*text == '[' && text[length - 1] == ']') {
        text[length - 1] = '\0';
        begin_node(r, text + 1);
        return;
    }
    if (str_starts_nocase(text, "/LM/") || str_starts_nocase(text, "LM/") ||
        str_starts_nocase(text, "\\LM\\") || str_starts_nocase(text, "LM\\")) {
        begin_node(r, text);
        return;
    }
    if (indented && *text == '"') {
        add_quoted(r, text);
        return;
    }
    if (str_is_digit(*text) && strchr(text, '\t')) {
        columns(r, text);
        return;
    }
    char *colon = strchr(text, ':');
    if (!colon)
        return;
    *colon = '\0';
    begin_property(r, str_trim(text));
    if (r->property)
        value_of(r, colon + 1);
}

static bool is_service(const char *path)
{
    return str_starts_nocase(path, "W3SVC") || str_starts_nocase(path, "MSFTPSVC") ||
           str_starts_nocase(path, "SMTPSVC") || str_starts_nocase(path, "NNTPSVC");
}

bool iis_metabase_parse(struct metabase *out, struct arena *arena, const char *text, size_t size,
                        struct error *e)
{
    struct metabase m = {0};
    struct reader r = {.m = &m, .arena = arena};
    size_t position = 0, length;
    const char *line;
    char copy[MOST_LINE];
    while (str_next_line(text, size, &position, &line, &length)) {
        r.line++;
        if (length >= sizeof copy || memchr(line, '\0', length)) {
            m.cut |= length >= sizeof copy;
            continue;
        }
        memcpy(copy, line, length);
        copy[length] = '\0';
        take_line(&r, copy);
    }
    bool any = false;
    for (size_t i = 0; i < m.count; i++)
        any |= is_service(m.nodes[i].path) && m.nodes[i].count;
    if (!any) {
        error_set(e, ERR_FORMAT, "is no text export of a metabase");
        return false;
    }
    *out = m;
    return true;
}

/* --- asking --- */

const struct metabase_node *iis_metabase_node(const struct metabase *m, const char *path)
{
    for (size_t i = 0; i < m->count; i++)
        if (str_equal_nocase(m->nodes[i].path, path))
            return &m->nodes[i];
    return NULL;
}

const struct metabase_property *iis_metabase_own(const struct metabase_node *node, const char *name)
{
    for (size_t i = 0; node && i < node->count; i++)
        if (str_equal(node->properties[i].name, name))
            return &node->properties[i];
    return NULL;
}

/* One walk through the nodes: the longest path that is this one or above it. */
const struct metabase_property *iis_metabase_get(const struct metabase *m, const char *path,
                                                 const char *name)
{
    const struct metabase_property *best = NULL;
    size_t best_length = 0, length = strlen(path);
    for (size_t i = 0; i < m->count; i++) {
        size_t own = strlen(m->nodes[i].path);
        if (own > length || own < best_length || !str_starts_nocase(path, m->nodes[i].path) ||
            (own && path[own] && path[own] != '/'))
            continue;
        const struct metabase_property *p = iis_metabase_own(&m->nodes[i], name);
        if (p && (!best || own > best_length)) {
            best = p;
            best_length = own;
        }
    }
    return best;
}

const char *iis_metabase_text(const struct metabase *m, const char *path, const char *name)
{
    const struct metabase_property *p = iis_metabase_get(m, path, name);
    return p && p->count ? p->items[0] : NULL;
}

bool iis_metabase_number(const char *text, uint32_t *out)
{
    uint64_t n;
    if (!text)
        return false;
    if (str_equal_nocase(text, "True") || str_equal_nocase(text, "False")) {
        *out = str_lower(*text) == 't';
        return true;
    }
    bool minus = *text == '-', hex = str_starts_nocase(text, "0x");
    if (hex ? !str_hex_to_u64(text, &n) : !str_to_u64(text + minus, &n))
        return false;
    if (n > UINT32_MAX)
        return false;
    *out = minus ? (uint32_t)(0 - (uint32_t)n) : (uint32_t)n;
    return true;
}

/* --- strings of MetaBase.bin --- */

/* ".ext,X:\...,n" with printable characters only. */
static bool is_map(const char *text)
{
    size_t extension = strspn(text + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_");
    if (*text != '.' || !extension || extension > 15 || text[1 + extension] != ',')
        return false;
    const char *path = text + extension + 2;
    const char *end = strchr(path, ',');
    return end && end > path + 3 && path[1] == ':' && path[2] == '\\' && str_is_digit(end[1]);
}

struct maps {
    const char **items;
    size_t count;
    struct arena *arena;
};

static void found(struct maps *maps, const char *text)
{
    if (!is_map(text) || maps->count == MOST_MAPS)
        return;
    for (size_t i = 0; i < maps->count; i++)
        if (str_equal_nocase(maps->items[i], text))
            return;
    maps->items[maps->count++] = arena_strdup(maps->arena, text);
}

/* A run of printable ASCII from `at`, `step` bytes a character. */
static size_t run_at(const uint8_t *bytes, size_t size, size_t at, size_t step, size_t most,
                     char *run)
{
    size_t length = 0;
    for (; at + step <= size && length < most; at += step) {
        if (bytes[at] < 0x20 || bytes[at] > 0x7e || (step == 2 && bytes[at + 1]))
            break;
        run[length++] = (char)bytes[at];
    }
    run[length] = '\0';
    return length;
}

/* What begins like a map is passed over as a whole, so that the time is that of one walk. */
static void scan(const uint8_t *bytes, size_t size, size_t step, struct maps *maps)
{
    for (size_t i = 0; i + step <= size; i++) {
        char run[MOST_MAP];
        if (bytes[i] != '.')
            continue;
        run_at(bytes, size, i, step, 20, run);
        const char *path = strchr(run, ',');
        if (!path || path[1] == '\0' || path[2] != ':')
            continue;
        size_t length = run_at(bytes, size, i, step, sizeof run - 1, run);
        found(maps, run);
        i += length * step - 1;
    }
}

void iis_metabase_strings(const void *bytes, size_t size, struct arena *arena,
                          const char *const **out, size_t *count)
{
    struct maps maps = {.items = arena_alloc(arena, MOST_MAPS * sizeof *maps.items),
                        .arena = arena};
    scan(bytes, size, 2, &maps);
    scan(bytes, size, 1, &maps);
    *out = maps.items;
    *count = maps.count;
}

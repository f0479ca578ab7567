/* iis_export.c - IIS 4.0 and 5.0 as a text export of the metabase has it. */
#include "collect/iis_internal.h"

/* "W3SVC/1/ROOT/x" -> instance "1" and path "/x"; false if it is no part of a site. The
 * service as a whole is instance "*". */
static bool place_of(struct iis *s, const char *path, const char **instance, const char **below)
{
    if (!str_starts_nocase(path, "W3SVC"))
        return false;
    *instance = "*";
    *below = "";
    if (!path[5])
        return true;
    const char *number = path + 6;
    size_t digits = strspn(number, "0123456789");
    if (path[5] != '/' || !digits || (number[digits] && number[digits] != '/'))
        return false;
    *instance = arena_strndup(s->c->arena, number, digits);
    if (!number[digits])
        return true;
    if (!str_starts_nocase(number + digits, "/ROOT"))
        return false;
    const char *rest = number + digits + 5;
    *below = *rest == '/' ? rest : "/";
    return !*rest || *rest == '/';
}

static void export_maps(struct iis *s, const struct metabase_node *n)
{
    const char *instance, *below;
    const struct metabase_property *maps = iis_metabase_own(n, "ScriptMaps");
    if (!maps || !place_of(s, n->path, &instance, &below))
        return;
    for (size_t i = 0; i < maps->count; i++) {
        if (maps->items[i][0] != '.')
            continue;
        struct fact *f =
            iis_facts_begin(s, "script-map", instance, maps->line + i + 1, true, CONFIDENCE_HIGH);
        if (*below)
            iis_facts_put(s, f, "path", below);
        iis_facts_put_map(s, f, maps->items[i], "text-export");
    }
}

static void export_vdir(struct iis *s, const struct metabase_node *n)
{
    static const char *const makes_one[] = {"Path", "AccessFlags", "DirBrowseFlags"};
    const char *instance, *below, *text;
    uint32_t flags;
    bool is_one = false;
    for (size_t i = 0; i < ARRAY_COUNT(makes_one); i++)
        is_one |= iis_metabase_own(n, makes_one[i]) != NULL;
    if (!is_one || s->vdirs >= IIS_MOST_VDIRS || !place_of(s, n->path, &instance, &below) ||
        !*below)
        return;
    struct fact *f = iis_facts_begin(s, "vdir", instance, n->line, true, CONFIDENCE_HIGH);
    iis_facts_put(s, f, "path", below);
    const struct metabase_property *own = iis_metabase_own(n, "Path");
    if (own && own->count)
        iis_facts_put_place(s, f, own->items[0]);
    if (iis_metabase_number(iis_metabase_text(&s->export, n->path, "AccessFlags"), &flags))
        iis_facts_put_access(s, f, flags);
    if (iis_metabase_number(iis_metabase_text(&s->export, n->path, "EnableDirBrowsing"), &flags))
        iis_facts_put_yes(s, f, "dir_browse", flags);
    else if (iis_metabase_number(iis_metabase_text(&s->export, n->path, "DirBrowseFlags"), &flags))
        iis_facts_put_yes(s, f, "dir_browse", flags & IIS_DIR_BROWSE_ENABLED);
    text = iis_metabase_text(&s->export, n->path, "AspEnableParentPaths");
    /* IIS 4.0 and 5.0 allow them where nothing is said */
    if (!iis_metabase_number(text, &flags))
        flags = 1;
    iis_facts_put_yes(s, f, "parent_paths", flags);
    iis_facts_put(s, f, "from", "text-export");
    s->vdirs++;
}

static const char *joined(struct iis *s, const struct metabase_property *p)
{
    CLEANUP_STR struct str out = {0};
    for (size_t i = 0; p && i < p->count; i++)
        str_printf(&out, "%s%s", i ? " " : "", p->items[i]);
    return arena_strdup(s->c->arena, str_text(&out));
}

/* MD_EXTLOG_*, IIScnfg.h: what a line of the log holds, as single settings. */
static void put_log_fields(struct iis *s, struct fact *f, const char *path)
{
    static const struct {
        const char *name, *key;
        uint32_t bit;
    } rows[] = {
        {"LogExtFileUriQuery", "logextfileuriquery", 0x200},
        {"LogExtFileWin32Status", "logextfilewin32status", 0x800},
        {"LogExtFileUserAgent", "logextfileuseragent", 0x10000},
    };
    uint32_t all, one;
    bool known = iis_metabase_number(iis_metabase_text(&s->export, path, "LogExtFileFlags"), &all);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (iis_metabase_number(iis_metabase_text(&s->export, path, rows[i].name), &one))
            iis_facts_put_yes(s, f, rows[i].key, one);
        else if (known)
            iis_facts_put_yes(s, f, rows[i].key, all & rows[i].bit);
    }
}

static void export_site(struct iis *s, const struct metabase_node *n)
{
    static const struct {
        const char *name, *key;
    } rows[] = {
        {"ServerComment", "name"},
        {"AnonymousUserName", "user"},
        {"UseHostName", "usehostname"},
        {"LogType", "logtype"},
        {"LogFileDirectory", "logfiledirectory"},
        {"LogExtFileFlags", "logextfileflags"},
        {"SSIExecDisable", "ssiexecdisable"},
        {"ServerAutoStart", "serverautostart"},
        {"ServerState", "serverstate"},
        {"AuthFlags", "authflags"},
    };
    const char *instance, *below;
    if (!place_of(s, n->path, &instance, &below) || *below || str_equal(instance, "*"))
        return;
    struct fact *f = iis_facts_begin(s, "site", instance, n->line, true, CONFIDENCE_HIGH);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *text = iis_metabase_text(&s->export, n->path, rows[i].name);
        if (text)
            iis_facts_put(s, f, rows[i].key, text);
    }
    iis_facts_put(s, f, "bindings",
                  joined(s, iis_metabase_get(&s->export, n->path, "ServerBindings")));
    iis_facts_put(s, f, "securebindings", joined(s, iis_metabase_own(n, "SecureBindings")));
    const char *top = arena_printf(s->c->arena, "%s/ROOT", n->path);
    const char *root = iis_metabase_text(&s->export, top, "Path");
    if (root) {
        iis_facts_put(s, f, "root", root);
        iis_facts_put_volume(s, f, root);
    }
    put_log_fields(s, f, n->path);
    iis_facts_put_groups(s, f);
    iis_facts_put(s, f, "from", "text-export");
    s->sites++;
}

void iis_export_collect(struct iis *s)
{
    for (size_t i = 0; i < s->export.count; i++) {
        export_site(s, &s->export.nodes[i]);
        export_vdir(s, &s->export.nodes[i]);
        export_maps(s, &s->export.nodes[i]);
    }
}

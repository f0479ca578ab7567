/* persist_servers.c - what lives in the web server: modules of nginx, Apache and PHP that no
 * package brought, settings that put a file before every page (auto_prepend_file, php.ini and
 * .user.ini), what .htaccess files make a program of, and hooks of git beside the pages.
 *
 * The document roots are those of the sites found, and the places where Debian's servers look when
 * nobody said otherwise. A root is walked by names: only those kinds of files are read. */
#include "collect/persistence.h"

#include "base/str.h"
#include "collect/conf_lines.h"

enum { MOST_LINE = 32 << 10, MOST_NAMES = 400000, MOST_DEPTH = 64 };

/* --- modules --- */

/* Folders one level down: /usr/lib/php/20220829 ... */
static void read_module_folders(struct persist *p, const char *above)
{
    struct target_entry *entries;
    size_t count = persist_list(p, "module", above, &entries);
    for (size_t i = 0; i < count; i++)
        if (entries[i].type != TARGET_FILE && str_is_digit(entries[i].name[0]))
            persist_modules(p, "module",
                            arena_printf(p->c->arena, "%s/%s", above, entries[i].name));
}

/* --- settings --- */

/* The value behind a setting's name: `= x`, ` x`, `[x] = y`; quotes are taken off. */
static const char *value_of(struct arena *arena, const char *line, const char *name)
{
    const char *at = str_find_nocase(line, name);
    if (!at)
        return NULL;
    at += strlen(name);
    at += strspn(at, " \t=]\"'");
    size_t length = strcspn(at, "\"';#\\\r\n");
    char *value = str_trim(arena_strndup(arena, at, length));
    return *value && !str_equal_nocase(value, "none") ? value : NULL;
}

static void add_setting(struct persist *p, const char *type, const char *path, uint64_t line,
                        const struct origin *origin, const char *value)
{
    struct fact *f = persist_add(p, type, path, line, origin);
    fact_put(p->c->facts, f, "runs", value);
    if (*value == '/') {
        struct origin of = origin_of(p->c, p->origins, value);
        struct target_stat st;
        if (of.state != ORIGIN_UNREADABLE || target_stat(p->c->target, value, true, &st, NULL))
            fact_put(p->c->facts, f, "leads_to", of.path);
    }
}

/* Words with a slash; a name alone is one of the folder of modules, which is looked at by itself,
 * as is "modules" of nginx. Other folders that a path may start from are not known here. */
static void add_library(struct persist *p, const char *path, uint64_t number, const char *word)
{
    if (!strchr(word, '/') || (str_starts(word, "modules/") && !strstr(word, "..")))
        return;
    struct origin origin = {ORIGIN_UNREADABLE, "", "", word};
    if (*word == '/')
        origin = origin_of(p->c, p->origins, word);
    else
        origin.reason = _("it is named from a folder that is not known");
    if (origin.state != ORIGIN_PACKAGE)
        add_setting(p, "module", path, number, &origin, word);
}

/* `load_module x;`, `LoadModule name x`, `LoadFile x y`, `extension=x`, and a pool's
 * `php_admin_value[extension] = x`. */
static void read_libraries(struct persist *p, const char *path, uint64_t number, const char *line)
{
    static const char *const loads[] = {"load_module", "LoadModule", "LoadFile", "zend_extension",
                                        "extension"};
    const char *bracket = str_starts_nocase(line, "php_") ? strchr(line, '[') : NULL;
    const char *at = bracket ? bracket + 1 : line;
    for (size_t i = 0; i < ARRAY_COUNT(loads); i++) {
        size_t length = strlen(loads[i]);
        if (!str_starts_nocase(at, loads[i]) || !strchr(" \t=]\"'", at[length]))
            continue;
        at += length;
        char *rest = arena_strndup(p->c->arena, at, strcspn(at, ";")), *word;
        for (char *c = rest; (c = strpbrk(c, "\"'=]"));)
            *c = ' ';
        while ((word = conf_lines_word(&rest)))
            add_library(p, path, number, word);
        return;
    }
}

static void read_setting(struct persist *p, const char *path, uint64_t number,
                         const struct origin *origin, const char *line)
{
    static const char *const prepends[] = {"auto_prepend_file", "auto_append_file"};
    for (size_t i = 0; i < ARRAY_COUNT(prepends); i++) {
        const char *value = value_of(p->c->arena, line, prepends[i]);
        if (value)
            add_setting(p, "prepend", path, number, origin, value);
    }
    read_libraries(p, path, number, line);
}

static void read_settings(struct persist *p, const char *path, bool always)
{
    struct target_stat st;
    size_t size;
    if (!persist_there(p, "prepend", path, &st))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    const char *text =
        origin.state == ORIGIN_PACKAGE && !always ? NULL : persist_text(p, "prepend", path, &size);
    if (!text)
        return;
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text, size, CONF_BACKSLASH, MOST_LINE);
    for (char *line; (line = conf_lines_next(&lines));) {
        line = str_trim(line);
        if (*line && *line != ';' && *line != '#')
            read_setting(p, path, lines.line, &origin, line);
    }
}

/* A folder's files that end so. */
static void read_folder(struct persist *p, const char *folder, const char *suffix)
{
    struct target_entry *entries;
    size_t count = persist_list(p, "prepend", folder, &entries);
    for (size_t i = 0; i < count; i++)
        if (str_ends(entries[i].name, suffix))
            read_settings(p, arena_printf(p->c->arena, "%s/%s", folder, entries[i].name), false);
}

/* /etc/php/8.2/fpm/php.ini, conf.d and pool.d beside it. */
static void read_php(struct persist *p)
{
    struct target_entry *versions, *kinds;
    size_t count = persist_list(p, "prepend", "/etc/php", &versions);
    for (size_t i = 0; i < count; i++) {
        const char *version = arena_printf(p->c->arena, "/etc/php/%s", versions[i].name);
        size_t inner =
            versions[i].type == TARGET_FILE ? 0 : persist_list(p, "prepend", version, &kinds);
        for (size_t k = 0; k < inner; k++) {
            const char *kind = arena_printf(p->c->arena, "%s/%s", version, kinds[k].name);
            if (kinds[k].type == TARGET_FILE || str_equal(kinds[k].name, "mods-available"))
                continue;
            read_settings(p, arena_printf(p->c->arena, "%s/php.ini", kind), false);
            read_folder(p, arena_printf(p->c->arena, "%s/conf.d", kind), ".ini");
            read_folder(p, arena_printf(p->c->arena, "%s/pool.d", kind), ".conf");
        }
    }
    read_settings(p, "/etc/php.ini", false); /* Fedora and its kin */
    read_folder(p, "/etc/php.d", ".ini");
    read_folder(p, "/etc/php-fpm.d", ".conf");
    read_settings(p, "/usr/local/etc/php/php.ini", false);
    read_folder(p, "/usr/local/etc/php/conf.d", ".ini");
}

/* Every file that the configurations of the servers are made of. */
static void read_server_files(struct persist *p)
{
    for (const struct fact *f = facts_first(p->c->facts, "web-server"); f;
         f = facts_next(p->c->facts, "web-server", f)) {
        const char *files = fact_text(f, "files"), *line;
        size_t position = 0, length;
        while (str_next_line(files, strlen(files), &position, &line, &length))
            read_settings(p, arena_strndup(p->c->arena, line, length), false);
    }
}

/* --- document roots --- */

/* What makes a program of a file, or puts one before it (Apache 2.4; mod_php's settings). */
static bool runs_by_htaccess(const char *line)
{
    static const char *const directives[] = {"SetHandler",     "AddHandler",      "Action",
                                             "ForceType",      "AddOutputFilter", "SetInputFilter",
                                             "ExtFilterDefine"};
    if (str_starts_nocase(line, "AddType") || str_starts_nocase(line, "AddCharset"))
        return str_find_nocase(line, "php") || str_find_nocase(line, "cgi");
    if (str_starts_nocase(line, "Options"))
        return str_find_nocase(line, "+ExecCGI") || str_find_nocase(line, "+Includes");
    if (str_starts_nocase(line, "php_value") || str_starts_nocase(line, "php_admin_value"))
        return str_find_nocase(line, "_file") || str_find_nocase(line, "include_path") ||
               str_find_nocase(line, "allow_url");
    for (size_t i = 0; i < ARRAY_COUNT(directives); i++)
        if (str_starts_nocase(line, directives[i]))
            return !str_find_nocase(line, " none") && !str_find_nocase(line, "default-handler");
    return false;
}

static void read_htaccess(struct persist *p, const char *path)
{
    struct target_stat st;
    size_t size;
    if (!persist_there(p, "htaccess", path, &st))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    const char *text =
        origin.state == ORIGIN_PACKAGE ? NULL : persist_text(p, "htaccess", path, &size);
    const char *runs = text ? persist_lines(p, text, size, runs_by_htaccess) : "";
    if (!*runs)
        return;
    struct fact *f = persist_add(p, "htaccess", path, 0, &origin);
    fact_put(p->c->facts, f, "runs", runs);
}

/* A folder .git in the pages: hooks (githooks(5)) run when somebody deploys. */
static void read_git(struct persist *p, const char *folder)
{
    struct target_entry *entries;
    const char *hooks = arena_printf(p->c->arena, "%s/hooks", folder);
    size_t count = persist_list(p, "hook", hooks, &entries), size;
    for (size_t i = 0; i < count; i++) {
        struct target_stat st;
        const char *path = arena_printf(p->c->arena, "%s/%s", hooks, entries[i].name);
        if (str_ends(entries[i].name, ".sample") || !persist_there(p, "hook", path, &st) ||
            (st.has_owner && !(st.mode & 0111)))
            continue;
        struct origin origin = origin_of(p->c, p->origins, path);
        const char *text =
            origin.state == ORIGIN_PACKAGE ? NULL : persist_text(p, "hook", path, &size);
        if (!text)
            continue;
        struct fact *f = persist_add(p, "hook", path, 0, &origin);
        fact_put(p->c->facts, f, "runs", persist_lines(p, text, size, NULL));
    }
}

struct walk {
    struct persist *p;
    VEC(const char *) roots;
    size_t names;
    bool full;
};

static bool is_walked(const struct walk *w, const char *root)
{
    for (size_t i = 0; i < w->roots.count; i++) {
        size_t length = strlen(w->roots.items[i]);
        if (str_starts(root, w->roots.items[i]) && (!root[length] || root[length] == '/'))
            return true;
    }
    return false;
}

static void walk_folder(struct walk *w, const char *folder, unsigned depth)
{
    struct target_entry *entries;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct collection *c = w->p->c;
    struct error e = ERROR_INIT;
    size_t count;
    if (depth > MOST_DEPTH) {
        persist_add_unread(w->p, "htaccess", arena_strdup(c->arena, folder),
                           _("it lies deeper than 64 folders"));
        return;
    }
    if (!target_list(c->target, folder, arena, &entries, &count, &e)) {
        if (e.code != ERR_ABSENT)
            persist_add_unread(w->p, "htaccess", folder, e.message);
        return;
    }
    w->names += count;
    w->full |= w->names > MOST_NAMES;
    for (size_t i = 0; i < count && !w->full; i++) {
        const char *path = arena_printf(arena, "%s/%s", folder, entries[i].name);
        if (str_equal(entries[i].name, ".htaccess"))
            read_htaccess(w->p, arena_strdup(c->arena, path));
        else if (str_equal(entries[i].name, ".user.ini"))
            read_settings(w->p, arena_strdup(c->arena, path), true);
        struct target_stat st;
        bool is_folder = entries[i].type == TARGET_DIR ||
                         (entries[i].type < 0 && target_stat(c->target, path, false, &st, NULL) &&
                          st.type == TARGET_DIR);
        if (is_folder && str_equal(entries[i].name, ".git"))
            read_git(w->p, arena_strdup(c->arena, path));
        if (is_folder)
            walk_folder(w, path, depth + 1);
    }
}

static void walk_root(struct walk *w, const char *root)
{
    char *plain = arena_strdup(w->p->c->arena, root);
    for (size_t n = strlen(plain); n > 1 && plain[n - 1] == '/'; n--)
        plain[n - 1] = '\0';
    if (*plain != '/' || !plain[1] || is_walked(w, plain))
        return;
    VEC_PUSH(&w->roots, (const char *)plain);
    walk_folder(w, plain, 0);
}

void collect_persist_servers(struct collection *c)
{
    static const char *const usual[] = {"/var/www", "/srv/www", "/usr/share/nginx/html"};
    static const char *const keyed[][2] = {{"site", "root"}, {"vdir", "directory"}};
    struct persist p = persist_begin(c);
    struct walk w = {.p = &p};
    persist_modules(&p, "module", "/usr/lib/nginx/modules");
    persist_modules(&p, "module", "/usr/lib/apache2/modules");
    read_module_folders(&p, "/usr/lib/php");
    read_php(&p);
    read_server_files(&p);
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        walk_root(&w, usual[i]);
    for (size_t k = 0; k < ARRAY_COUNT(keyed); k++)
        for (const struct fact *f = facts_first(c->facts, keyed[k][0]); f;
             f = facts_next(c->facts, keyed[k][0], f))
            walk_root(&w, fact_text(f, keyed[k][1]));
    if (w.full)
        persist_add_unread(&p, "htaccess", w.roots.items[w.roots.count - 1],
                           _("more names than are looked at: the rest was left out"));
    VEC_FREE(&w.roots);
    persist_end(&p);
}

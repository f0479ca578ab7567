#include "collect/apache_conf.h"

#include "base/language.h"
#include "base/str.h"
#include "collect/conf_lines.h"
#include "model/version.h"

#include <stdlib.h>

enum { MOST_LINE = 65536, MOST_DEFINES = 4096, MOST_FOLDERS = 8, MOST_EXPANDED = 65536 };

void apache_conf_free(struct apache_conf *a)
{
    VEC_FREE(&a->environment);
    VEC_FREE(&a->defines);
    VEC_FREE(&a->modules);
}

/* --- names and their values --- */

static const char *lookup(const struct apache_names *names, const char *name, size_t length)
{
    for (size_t i = names->count; i > 0; i--)
        if (strlen(names->items[i - 1].name) == length &&
            !strncmp(names->items[i - 1].name, name, length))
            return names->items[i - 1].value;
    return NULL;
}

static void assign(struct apache_names *names, const char *name, const char *value)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->items[i].name, name)) {
            names->items[i].value = value;
            return;
        }
    struct apache_name item = {name, value};
    if (names->count < MOST_DEFINES)
        VEC_PUSH(names, item);
}

/* ${NAME} by Define, then by the environment; what nobody set stays as it is (server/util.c). */
static char *resolve(struct apache_conf *a, const char *text)
{
    CLEANUP_STR struct str out = {0};
    while (*text && out.length < MOST_EXPANDED) {
        size_t length = str_starts(text, "${") ? strcspn(text + 2, "}") : 0;
        const char *value = NULL;
        if (length && text[2 + length] == '}') {
            value = lookup(&a->defines, text + 2, length);
            value = value ? value : lookup(&a->environment, text + 2, length);
        }
        if (value) {
            str_add(&out, value);
            text += length + 3;
        } else {
            str_add_char(&out, *text++);
        }
    }
    return arena_strdup(a->r->c->arena, str_text(&out));
}

/* --- the environment --- */

/* The value of an assignment with the variables before it; NULL where a shell would be needed. */
static const char *shell_value(struct apache_conf *a, const char *text)
{
    CLEANUP_STR struct str out = {0};
    char quote = '\0';
    for (; *text && (quote || (!str_is_space(*text) && *text != ';' && *text != '#')); text++) {
        if (*text == '`' && quote != '\'')
            return NULL;
        if (*text == quote) {
            quote = '\0';
        } else if (!quote && (*text == '"' || *text == '\'')) {
            quote = *text;
        } else if (*text == '\\' && quote != '\'' && text[1]) {
            str_add_char(&out, *++text);
        } else if (*text == '$' && quote != '\'') {
            bool braced = text[1] == '{';
            const char *name = text + 1 + braced;
            size_t length =
                strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
            const char *value = lookup(&a->environment, name, length);
            if (!length || !value || (braced && name[length] != '}') || out.length > MOST_EXPANDED)
                return NULL;
            str_add(&out, value);
            text = name + length + braced - 1;
        } else {
            str_add_char(&out, *text);
        }
    }
    return arena_strdup(a->r->c->arena, str_text(&out));
}

void apache_conf_environment(struct apache_conf *a, const char *path)
{
    size_t size;
    unsigned conditions = 0;
    struct target_stat st;
    struct error e = ERROR_INIT;
    if (!target_stat(a->r->c->target, path, true, &st, &e) && e.code == ERR_ABSENT)
        return;
    char *text = collect_text(a->r->c, path, CONF_MOST_FILE, &size);
    if (!text) {
        conf_unread(a->r, path, 0, _("the variables of the server's environment are not known"));
        return;
    }
    /* Debian's own file decides it by the folder's name; /etc/apache2 has none. */
    assign(&a->environment, "SUFFIX", "");
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text, size, CONF_BACKSLASH, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines));) {
        char *rest = str_trim(row);
        if (str_starts(rest, "if ") || str_starts(rest, "case "))
            conditions++;
        else if (conditions && (str_equal(rest, "fi") || str_equal(rest, "esac")))
            conditions--;
        if (str_starts(rest, "export "))
            rest = str_trim(rest + strlen("export "));
        size_t length =
            strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
        if (!length || rest[length] != '=' || conditions)
            continue;
        const char *value = shell_value(a, rest + length + 1);
        char *name = arena_strndup(a->r->c->arena, rest, length);
        if (value)
            assign(&a->environment, name, value);
        else
            conf_unread(a->r, path, lines.line,
                        arena_printf(a->r->c->arena, _("the value of %s takes a shell"), name));
    }
    conf_lines_state(&lines, a->r->c->facts, a->r->what, path);
}

/* --- modules --- */

void apache_conf_module(struct apache_conf *a, const char *name)
{
    if (!apache_conf_has_module(a, name) && a->modules.count < MOST_DEFINES)
        VEC_PUSH(&a->modules, arena_strdup(a->r->c->arena, name));
}

bool apache_conf_has_module(const struct apache_conf *a, const char *name)
{
    for (size_t i = 0; i < a->modules.count; i++)
        if (str_equal(a->modules.items[i], name))
            return true;
    return false;
}

/* A module is known by its symbol and by the name of its source file: mod_NAME.c for
 * mod_NAME.so, but for these. */
static void load_module(struct apache_conf *a, const struct conf_node *node)
{
    static const char *const rows[][2] = {
        {"mpm_event_module", "event.c"},     {"mpm_worker_module", "worker.c"},
        {"mpm_prefork_module", "prefork.c"}, {"mpm_itk_module", "mpm_itk.c"},
        {"php_module", "mod_php.c"},         {"php7_module", "mod_php7.c"},
        {"php5_module", "mod_php5.c"}};
    const char *symbol = conf_arg(node, 0), *file = conf_arg(node, 1);
    apache_conf_module(a, symbol);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (str_equal(rows[i][0], symbol)) {
            apache_conf_module(a, rows[i][1]);
            return;
        }
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    size_t length = strcspn(base, ".");
    apache_conf_module(a, arena_printf(a->r->c->arena, "%.*s.c", (int)length, base));
}

/* --- words --- */

static bool escapes(const char *s, char quote)
{
    return s[0] == '\\' && (s[1] == '\\' || (quote && s[1] == quote));
}

static char *take_word(char **rest)
{
    char *s = *rest;
    while (str_is_space(*s))
        s++;
    if (!*s)
        return NULL;
    char quote = *s == '"' || *s == '\'' ? *s++ : '\0';
    char *word = s, *to = s;
    for (; *s && (quote ? *s != quote : !str_is_space(*s)); s++) {
        if (escapes(s, quote))
            s++;
        *to++ = *s;
    }
    *rest = *s ? s + 1 : s;
    *to = '\0';
    return word;
}

static struct conf_node *add(struct apache_conf *a, struct conf_node *parent, char *text,
                             const char *path, uint64_t line)
{
    struct arena *arena = a->r->c->arena;
    char *name = take_word(&text);
    char *rest = resolve(a, text);
    struct conf_node *node =
        conf_add(a->r, parent, arena_strdup(arena, name ? name : ""), path, line);
    if (!node)
        return NULL;
    VEC(const char *) words = {0};
    for (char *word; words.count < CONF_MOST_ARGS && (word = take_word(&rest));)
        VEC_PUSH(&words, word);
    node->args = arena_dup(arena, words.items, words.count * sizeof *words.items);
    node->arg_count = words.count;
    VEC_FREE(&words);
    return node;
}

/* --- conditions --- */

enum answer { NO, YES, NOT_KNOWN };

static bool has_module(const struct apache_conf *a, const char *name)
{
    return apache_conf_has_module(a, name);
}

static bool has_define(const struct apache_conf *a, const char *name)
{
    return lookup(&a->defines, name, strlen(name)) != NULL;
}

static bool has_file(const struct apache_conf *a, const char *name)
{
    struct target_stat st;
    return target_stat(a->r->c->target, conf_beneath(a->r->c->arena, a->root, name), true, &st,
                       NULL);
}

static enum answer by_version(const struct apache_conf *a, const struct conf_node *node)
{
    const char *operator= conf_arg(node, 0), *wanted = conf_arg(node, 1);
    if (!*wanted) {
        wanted = operator;
        operator= "=";
    }
    bool negated = *operator== '!';
    operator+= negated;
    if (!*a->version || *wanted == '/' || strchr(operator, '~'))
        return NOT_KNOWN;
    /* a version of two numbers is one with a third of 0 (mod_version.c) */
    const char *dot = strchr(wanted, '.');
    const char *whole = dot && strchr(dot + 1, '.') ? wanted
                        : dot                       ? arena_printf(a->r->c->arena, "%s.0", wanted)
                              : arena_printf(a->r->c->arena, "%s.0.0", wanted);
    int order = version_compare(VERSION_GENERIC, a->version, whole);
    bool holds = str_equal(operator, "=") || str_equal(operator, "==") ? order == 0
                 : str_equal(operator, ">")                            ? order > 0
                 : str_equal(operator, ">=")                           ? order >= 0
                 : str_equal(operator, "<")                            ? order < 0
                                                                       : order <= 0;
    return holds != negated ? YES : NO;
}

/* Whether a section is decided while it is read, and how. */
static bool is_condition(const struct apache_conf *a, const struct conf_node *node,
                         enum answer *answer)
{
    static const struct {
        const char *name;
        bool (*holds)(const struct apache_conf *a, const char *name);
    } rows[] = {{"IfModule", has_module}, {"IfDefine", has_define}, {"IfFile", has_file}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (!str_equal_nocase(node->name, rows[i].name))
            continue;
        const char *name = conf_arg(node, 0);
        bool negated = *name == '!';
        *answer = rows[i].holds(a, name + negated) != negated ? YES : NO;
        return true;
    }
    if (str_equal_nocase(node->name, "IfVersion")) {
        *answer = by_version(a, node);
        return true;
    }
    *answer = NOT_KNOWN;
    return str_equal_nocase(node->name, "Macro") || str_equal_nocase(node->name, "IfDirective") ||
           str_equal_nocase(node->name, "IfSection") || str_equal_nocase(node->name, "Perl") ||
           str_equal_nocase(node->name, "Comment");
}

/* --- files --- */

struct section {
    char *name;
    struct conf_node *parent; /* what stands in it hangs there; NULL: it is passed over */
};

struct file {
    struct apache_conf *a;
    const char *path;
    struct section stack[CONF_MOST_NESTED];
    size_t level, deeper; /* sections beyond the stack are passed over */
    uint64_t line;
};

static void open_section(struct file *f, char *text)
{
    struct apache_conf *a = f->a;
    char *end = strrchr(text, '>');
    if (end)
        *end = '\0';
    struct conf_node *parent = f->stack[f->level].parent;
    char *after = text + 1;
    char *name = arena_strndup(a->r->c->arena, after, strcspn(after, " \t"));
    if (f->deeper || f->level + 1 == CONF_MOST_NESTED) {
        if (!f->deeper)
            conf_unread(a->r, f->path, f->line, _("sections lie deeper in sections than is read"));
        f->deeper++;
        return;
    }
    f->stack[++f->level] = (struct section){name, NULL};
    if (!parent)
        return;
    struct conf_node outside = {0}; /* a condition leaves no node in the tree */
    struct conf_node *node = add(a, &outside, after, f->path, f->line);
    if (!node)
        return;
    enum answer answer;
    if (is_condition(a, node, &answer)) {
        if (answer == NOT_KNOWN && !str_equal_nocase(name, "Comment"))
            conf_unread(a->r, f->path, f->line,
                        arena_printf(a->r->c->arena, _("what <%s> decides is not known"), name));
        f->stack[f->level].parent = answer == YES ? parent : NULL;
        return;
    }
    struct conf_node *kept = conf_add(a->r, parent, node->name, f->path, f->line);
    if (!kept)
        return;
    kept->args = node->args;
    kept->arg_count = node->arg_count;
    kept->block = true;
    f->stack[f->level].parent = kept;
}

static void close_section(struct file *f, char *text)
{
    char *name = text + 2;
    name[strcspn(name, "> \t")] = '\0';
    if (f->deeper) {
        f->deeper--;
        return;
    }
    if (!f->level || !str_equal_nocase(f->stack[f->level].name, name)) {
        conf_unread(f->a->r, f->path, f->line, _("a section is closed that is not open"));
        return;
    }
    f->level--;
}

/* A folder means all files in it, and in the folders in it (server/config.c). */
static void read_path(struct apache_conf *a, struct conf_node *parent, const char *path,
                      unsigned depth)
{
    struct target_stat st;
    if (!target_stat(a->r->c->target, path, true, &st, NULL) || st.type != TARGET_DIR) {
        apache_conf_read(a, parent, path);
        return;
    }
    struct target_entry *entries;
    size_t count;
    struct error e = ERROR_INIT;
    if (depth == MOST_FOLDERS ||
        !target_list(a->r->c->target, path, a->r->c->arena, &entries, &count, &e)) {
        conf_unread(a->r, path, 0, e.code ? e.message : _("folders lie deeper than is read"));
        return;
    }
    for (size_t i = 0; i < count && a->r->files < CONF_MOST_FILES; i++)
        read_path(a, parent, conf_beneath(a->r->c->arena, path, entries[i].name), depth + 1);
}

static void include(struct apache_conf *a, struct conf_node *parent, const struct conf_node *node)
{
    const char *const *paths;
    size_t count;
    const char *name = conf_beneath(a->r->c->arena, a->root, conf_arg(node, 0));
    conf_paths(a->r, name, &paths, &count);
    bool optional = str_equal_nocase(node->name, "IncludeOptional");
    for (size_t i = 0; i < count; i++) {
        struct target_stat st;
        struct error e = ERROR_INIT;
        if (!optional || target_stat(a->r->c->target, paths[i], true, &st, &e) ||
            e.code != ERR_ABSENT)
            read_path(a, parent, paths[i], 0);
    }
}

static void take_directive(struct file *f, struct conf_node *parent, char *text)
{
    struct apache_conf *a = f->a;
    struct conf_node *node = add(a, parent, text, f->path, f->line);
    if (!node)
        return;
    const char *name = node->name;
    if (str_equal_nocase(name, "Include") || str_equal_nocase(name, "IncludeOptional"))
        include(a, parent, node);
    else if (str_equal_nocase(name, "Define"))
        assign(&a->defines, conf_arg(node, 0), conf_arg(node, 1));
    else if (str_equal_nocase(name, "UnDefine"))
        assign(&a->defines, conf_arg(node, 0), NULL);
    else if (str_equal_nocase(name, "LoadModule"))
        load_module(a, node);
    else if (str_equal_nocase(name, "ServerRoot"))
        a->root = conf_arg(node, 0);
    else if (str_equal_nocase(name, "Use"))
        conf_unread(a->r, f->path, f->line, _("what a macro means is not read"));
}

void apache_conf_read(struct apache_conf *a, struct conf_node *parent, const char *path)
{
    size_t size;
    char *text = conf_open(a->r, path, &size);
    if (!text)
        return;
    struct file f = {.a = a, .path = arena_strdup(a->r->c->arena, path)};
    f.stack[0].parent = parent;
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text, size, CONF_BACKSLASH, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines));) {
        char *rest = str_trim(row);
        f.line = lines.line;
        if (!*rest || *rest == '#')
            continue;
        if (str_starts(rest, "</"))
            close_section(&f, rest);
        else if (*rest == '<')
            open_section(&f, rest);
        else if (!f.deeper && f.stack[f.level].parent)
            take_directive(&f, f.stack[f.level].parent, rest);
    }
    if (f.level)
        conf_unread(a->r, f.path, f.line, _("the file ends within a section"));
    if (lines.too_long)
        conf_unread(a->r, f.path, lines.first_too_long,
                    _("a line is too long and was passed over"));
    conf_close(a->r);
}

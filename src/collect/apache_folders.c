#include "collect/apache_folders.h"

#include "base/str.h"

static bool named(const struct conf_node *node, const char *name)
{
    return str_equal_nocase(node->name, name);
}

static const char *without_slash(struct arena *arena, const char *path)
{
    size_t length = strlen(path);
    return length > 1 && path[length - 1] == '/' ? arena_strndup(arena, path, length - 1) : path;
}

static bool is_folder_section(const struct conf_node *node)
{
    return named(node, "Directory") || named(node, "DirectoryMatch");
}

static bool is_regex_section(const struct conf_node *node)
{
    return named(node, "DirectoryMatch") || str_equal(conf_arg(node, 0), "~");
}

static char *lower_words(struct arena *arena, const struct conf_node *node)
{
    CLEANUP_STR struct str out = {0};
    for (size_t i = 0; i < node->arg_count; i++)
        str_printf(&out, "%s%s", i ? " " : "", node->args[i]);
    char *text = arena_strdup(arena, str_text(&out));
    str_lower_all(text);
    return text;
}

void apache_folders_state(struct collection *c, const char *instance, const struct conf_node *main)
{
    struct facts *facts = c->facts;
    for (const struct conf_node *n = main->first; n; n = n->next) {
        if (named(n, "VirtualHost"))
            apache_folders_state(c, instance, n);
        if (!is_folder_section(n))
            continue;
        struct fact *f = facts_add(facts, "directory", n->path, n->line, -1, CONFIDENCE_HIGH);
        fact_put(facts, f, "server", "apache2");
        fact_put(facts, f, "instance", instance);
        fact_put(facts, f, "path", conf_arg(n, str_equal(conf_arg(n, 0), "~")));
        for (const struct conf_node *s = n->first; s; s = s->next)
            if (named(s, "Options") || named(s, "AllowOverride") || named(s, "Dav")) {
                char *key = arena_strdup(c->arena, s->name);
                str_lower_all(key);
                fact_put(facts, f, key, lower_words(c->arena, s));
            }
    }
}

static size_t parts(const char *path)
{
    size_t count = 0;
    for (; *path; path++)
        count += *path == '/' && path[1] && path[1] != '/';
    return count;
}

/* Whether a section's folder, with or without wildcards, is this one or one above it. */
static bool section_holds(struct arena *arena, const struct conf_node *section, const char *path)
{
    const char *pattern = without_slash(arena, conf_arg(section, 0));
    if (str_equal(pattern, "/"))
        return true;
    size_t wanted = parts(pattern), length = 0;
    for (size_t seen = 0; path[length]; length++)
        if (path[length] == '/' && seen++ == wanted)
            break;
    const char *head = arena_strndup(arena, path, length);
    return conf_is_pattern(pattern) ? conf_match(pattern, head) : str_equal(pattern, head);
}

static void take_options(struct apache_folder *f, const struct conf_node *options)
{
    for (size_t i = 0; i < options->arg_count; i++) {
        const char *word = options->args[i];
        bool sign = *word == '+' || *word == '-', on = *word != '-';
        if (!sign && !i)
            f->indexes = false;
        word += sign;
        if (str_equal_nocase(word, "Indexes") || str_equal_nocase(word, "All"))
            f->indexes = on;
        else if (str_equal_nocase(word, "None"))
            f->indexes = false;
    }
}

static void take_section(struct arena *arena, struct apache_folder *f,
                         const struct conf_node *section)
{
    for (const struct conf_node *s = section->first; s; s = s->next) {
        if (named(s, "Options"))
            take_options(f, s);
        else if (named(s, "AllowOverride"))
            f->override = lower_words(arena, s);
    }
}

/* Sections of one length of path. */
static void take_sections(struct arena *arena, struct apache_folder *f,
                          const struct conf_node *block, const char *path, size_t length)
{
    for (const struct conf_node *n = block->first; n; n = n->next) {
        if (!is_folder_section(n))
            continue;
        if (is_regex_section(n))
            f->not_known |= conf_find(n, "Options") || conf_find(n, "AllowOverride");
        else if (parts(without_slash(arena, conf_arg(n, 0))) == length &&
                 section_holds(arena, n, path))
            take_section(arena, f, n);
    }
}

struct apache_folder apache_folder_at(struct arena *arena, const struct conf_node *main,
                                      const struct conf_node *host, const char *path)
{
    struct apache_folder f = {.override = "none"};
    take_section(arena, &f, main);
    if (host != main)
        take_section(arena, &f, host);
    size_t most = parts(path);
    for (size_t length = 0; length <= most; length++) {
        take_sections(arena, &f, main, path, length);
        if (host != main)
            take_sections(arena, &f, host, path, length);
    }
    return f;
}

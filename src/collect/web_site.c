#include "collect/web_site.h"

#include "base/language.h"
#include "base/str.h"

#include <stdlib.h>

enum { MOST_RECORDS = 50000, MOST_SITES = 4096 };

void web_server_free(struct web_server *w)
{
    VEC_FREE(&w->names);
}

void web_server_add(struct web_server *w, const char *listens, const char *modules)
{
    struct facts *facts = w->r->c->facts;
    struct fact *f = facts_add(facts, "web-server", w->instance, 0, -1, CONFIDENCE_HIGH);
    struct target_stat st;
    struct error e = ERROR_INIT;
    fact_put(facts, f, "server", w->server);
    fact_put(facts, f, "instance", w->instance);
    if (target_stat(w->r->c->target, w->program, true, &st, &e))
        fact_put(facts, f, "program", w->program);
    else
        fact_put_state(facts, f, "program", e.code == ERR_ABSENT ? VALUE_ABSENT : VALUE_UNREADABLE,
                       e.message);
    fact_put(facts, f, "user", w->user);
    fact_put(facts, f, "group", w->group);
    fact_put(facts, f, "listens", listens);
    fact_put(facts, f, "modules", modules);
    fact_put(facts, f, "files", str_text(&w->r->names));
}

static struct fact *add(struct web_server *w, const char *kind, const char *path, uint64_t line)
{
    if (w->records == MOST_RECORDS)
        conf_unread(w->r, path, line, _("there are more sites, paths and logs than are stated"));
    if (w->records++ >= MOST_RECORDS)
        return NULL;
    struct facts *facts = w->r->c->facts;
    struct fact *f = facts_add(facts, kind, path, line, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "server", w->server);
    fact_put(facts, f, "instance", w->instance);
    return f;
}

static bool taken(const struct web_server *w, const char *name)
{
    for (size_t i = 0; i < w->names.count; i++)
        if (str_equal(w->names.items[i], name))
            return true;
    return false;
}

/* The first name with the port of the first binding: what a person calls the site. */
static const char *name_of(struct web_server *w, const char *names, const char *bindings)
{
    struct arena *arena = w->r->c->arena;
    char *name = arena_strndup(arena, names, strcspn(names, " "));
    char *binding = arena_strndup(arena, bindings, strcspn(bindings, " "));
    const char *port = strrchr(binding, ':');
    char *flag = str_starts(binding, "unix:") ? NULL : strchr(binding, '/');
    if (flag)
        *flag = '\0';
    if (str_starts(binding, "unix:") || !port)
        port = arena_printf(arena, ":%s", binding);
    const char *base = arena_printf(arena, "%s%s", *name ? name : "*", *binding ? port : "");
    const char *result = base;
    for (size_t n = 2; taken(w, result) && n <= MOST_SITES; n++)
        result = arena_printf(arena, "%s (%zu)", base, n);
    VEC_PUSH(&w->names, result);
    return result;
}

struct fact *web_site_add(struct web_server *w, const char *path, uint64_t line, const char *names,
                          const char *bindings)
{
    if (w->names.count == MOST_SITES) {
        conf_unread(w->r, path, line, _("there are more sites than are stated"));
        return NULL;
    }
    struct fact *f = add(w, "site", path, line);
    if (!f)
        return NULL;
    struct facts *facts = w->r->c->facts;
    fact_put(facts, f, "name", name_of(w, names, bindings));
    fact_put(facts, f, "names", names);
    fact_put(facts, f, "bindings", bindings);
    fact_put(facts, f, "user", w->user);
    fact_put(facts, f, "group", w->group);
    return f;
}

void web_put_folder(struct web_server *w, struct fact *f, const char *key, struct web_folder folder)
{
    struct facts *facts = w->r->c->facts;
    struct arena *arena = w->r->c->arena;
    if (*folder.why) {
        fact_put_state(facts, f, key, VALUE_UNREADABLE, folder.why);
        fact_put(facts, f, arena_printf(arena, "%s_pattern", key), folder.path);
        return;
    }
    struct target_stat st;
    struct error e = ERROR_INIT;
    const char *exists = arena_printf(arena, "%s_exists", key);
    fact_put(facts, f, key, folder.path);
    if (target_stat(w->r->c->target, folder.path, true, &st, &e))
        fact_put(facts, f, exists, "yes");
    else if (e.code == ERR_ABSENT)
        fact_put(facts, f, exists, "no");
    else
        fact_put_state(facts, f, exists, VALUE_UNREADABLE, e.message);
}

static bool is_file(struct web_server *w, const struct web_folder *f)
{
    struct target_stat st;
    return !*f->why && target_stat(w->r->c->target, f->path, true, &st, NULL) &&
           st.type == TARGET_FILE;
}

void web_put_certificate(struct web_server *w, struct fact *site, struct web_folder chain,
                         struct web_folder key)
{
    if (!is_file(w, &chain) || !is_file(w, &key))
        return;
    fact_put(w->r->c->facts, site, "certificate", chain.path);
    fact_put(w->r->c->facts, site, "certificate_key", key.path);
}

struct fact *web_path_add(struct web_server *w, const struct fact *site, const char *path,
                          uint64_t line, const char *url, const char *match)
{
    struct fact *f = add(w, "vdir", path, line);
    if (!f)
        return NULL;
    fact_put(w->r->c->facts, f, "site", fact_text(site, "name"));
    fact_put(w->r->c->facts, f, "path", url);
    fact_put(w->r->c->facts, f, "match", match);
    return f;
}

void web_put_writable(struct web_server *w, struct fact *f, const char *open, const char *why)
{
    struct facts *facts = w->r->c->facts;
    fact_put(facts, f, "writable", "yes");
    if (*why && !*open)
        fact_put_state(facts, f, "open_methods", VALUE_UNREADABLE, why);
    else
        fact_put(facts, f, "open_methods", open);
}

void web_log_add(struct web_server *w, const struct fact *site, const char *path, uint64_t line,
                 const char *role, struct web_folder log, const char *format,
                 const char *format_text)
{
    struct facts *facts = w->r->c->facts;
    struct fact *f = add(w, "log", path, line);
    if (!f)
        return;
    fact_put(facts, f, "site", fact_text(site, "name"));
    fact_put(facts, f, "role", role);
    if (*log.why) {
        fact_put_state(facts, f, "path", VALUE_UNREADABLE, log.why);
        fact_put(facts, f, "path_pattern", log.path);
    } else {
        fact_put(facts, f, "path", log.path);
    }
    if (format)
        fact_put(facts, f, "format", format);
    if (format_text)
        fact_put(facts, f, "format_text", format_text);
}

void web_list_add(struct str *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = str_text(list); *at;) {
        size_t here = strcspn(at, " ");
        if (here == length && !strncmp(at, word, length))
            return;
        at += here + (at[here] == ' ');
    }
    str_printf(list, "%s%s", list->length ? " " : "", word);
}

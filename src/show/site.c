#include "show/site.h"

#include "base/json.h"
#include "base/str.h"
#include "model/date.h"

#include <string.h>

enum { SCREEN = 20 };

static const char *const kind_words[DIFFERENCE_KINDS] = {
    N_("added"), N_("removed"), N_("changed"), N_("type"), N_("moved"), N_("unreadable")};
static const char *const what_words[WHAT_COUNT] = {N_("content"), N_("size"),      N_("mode"),
                                                   N_("owner"),   N_("group"),     N_("time"),
                                                   N_("target"),  N_("attributes")};

const char *show_path(struct arena *arena, const char *path)
{
    CLEANUP_STR struct str out = {0};
    while (*path) { /* a line's end in a name would look like the end of the name */
        size_t plain = strcspn(path, "\n\t");
        str_add_printable(&out, path, plain);
        path += plain;
        if (*path)
            str_printf(&out, "\\x%02x", (unsigned char)*path++);
    }
    return arena_strdup(arena, out.length ? str_text(&out) : ".");
}

const char *show_what(struct arena *arena, unsigned what)
{
    CLEANUP_STR struct str out = {0};
    if (what & WHAT_CONTENT)
        what &= ~(unsigned)(WHAT_SIZE | WHAT_MTIME); /* goes without saying */
    for (unsigned i = 0; i < WHAT_COUNT; i++)
        if (what & 1u << i)
            str_printf(&out, "%s%s", out.length ? ", " : "", _(what_words[i]));
    return arena_strdup(arena, str_text(&out));
}

const char *show_undone(struct arena *arena, enum difference_kind kind, const char *path)
{
    const char *printable = show_path(arena, path);
    if (kind == DIFFERENCE_ADDED)
        return arena_printf(arena, _("%s was added, and is removed"), printable);
    return arena_printf(arena, _("%s is back"), printable);
}

const char *show_tampered(struct arena *arena, enum difference_kind kind, const char *path)
{
    const char *printable = show_path(arena, path);
    if (kind == DIFFERENCE_ADDED)
        return arena_printf(arena, _("%s was added"), printable);
    if (kind == DIFFERENCE_REMOVED)
        return arena_printf(arena, _("%s was removed"), printable);
    return arena_printf(arena, _("%s was changed"), printable);
}

static void json_difference(struct show *s, const struct site *site, const struct difference *d)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    json_t *o = json_object(), *what = json_array();
    json_put_string(o, "type", "difference");
    json_put_string(o, "site", site->row.name);
    json_put_string(o, "kind", difference_kind_name(d->kind));
    json_put_string(o, "path", show_path(arena, d->path));
    if (d->from)
        json_put_string(o, "from", show_path(arena, d->from));
    for (unsigned i = 0; i < WHAT_COUNT; i++)
        if (d->what & 1u << i)
            json_array_append_new(
                what, json_string(difference_what_name((enum difference_what)(1u << i))));
    json_object_set_new(o, "what", what);
    json_put_string(o, "policy", policy_name(d->policy));
    json_object_set_new(o, "wrong", json_boolean(d->wrong));
    if (d->reason)
        json_put_string(o, "reason", d->reason);
    if (d->error)
        json_put_string(o, "error", d->error->message);
    show_json_line(s, o);
}

static const char *type_words(mode_t mode)
{
    return S_ISREG(mode)    ? _("a file")
           : S_ISDIR(mode)  ? _("a folder")
           : S_ISLNK(mode)  ? _("a link")
           : S_ISFIFO(mode) ? _("a FIFO")
           : S_ISSOCK(mode) ? _("a socket")
                            : _("a device");
}

static const char *details_of(struct arena *arena, const struct difference *d)
{
    if (d->error)
        return d->error->message;
    if (d->kind == DIFFERENCE_MOVED)
        return arena_printf(arena, _("was %s"), show_path(arena, d->from));
    if (d->reason)
        return language_text(d->reason);
    if (d->kind == DIFFERENCE_CHANGED)
        return show_what(arena, d->what);
    if (d->kind == DIFFERENCE_TYPE)
        return arena_printf(arena, _("was %s, is %s"), type_words(d->was_mode),
                            type_words(d->now.st_mode));
    if (d->kind == DIFFERENCE_ADDED && !manifest_has_type(d->now.st_mode))
        return type_words(d->now.st_mode);
    return "";
}

void show_difference(struct show *s, const struct site *site, const struct difference *d,
                     size_t beneath)
{
    if (s->json) {
        json_difference(s, site, d);
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str line = {0};
    const char *details = details_of(arena, d);
    str_printf(&line, "%s", show_path(arena, d->path));
    if (beneath)
        str_printf(&line, ngettext(" and %zu name in it", " and %zu names in it", beneath),
                   beneath);
    if (details[0])
        str_printf(&line, " (%s)", details);
    if (!d->wrong && d->kind != DIFFERENCE_UNREADABLE)
        str_printf(&line, " [%s]", policy_name(d->policy));
    const char *first = arena_printf(arena, "%s %s  ",
                                     d->kind == DIFFERENCE_UNREADABLE ? "?"
                                     : d->wrong                       ? "!"
                                                                      : "-",
                                     _(kind_words[d->kind]));
    show_wrap(s, first, show_columns(first), line.data);
}

static size_t count_beneath(const struct differences *found, size_t i)
{
    size_t length = strlen(found->items[i].path), count = 0;
    for (size_t k = i + 1; k < found->count; k++) {
        const char *path = found->items[k].path;
        if (strncmp(path, found->items[i].path, length) != 0)
            break;
        count += path[length] == '/' && found->items[k].beneath;
    }
    return count;
}

void show_differences(struct show *s, const struct site *site, const struct differences *found)
{
    size_t shown = 0, left = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *d = &found->items[i];
        if (!s->json && d->beneath)
            continue;
        if (!s->json && !s->all && shown >= SCREEN) {
            left++;
            continue;
        }
        show_difference(s, site, d, s->json ? 0 : count_beneath(found, i));
        shown++;
    }
    if (left)
        fprintf(s->out, ngettext("and %zu more: --all\n", "and %zu more: --all\n", left), left);
}

/* What is missing is new, what is too much goes. */
static void deployment_line(struct show *s, const struct site *site, const struct difference *d,
                            size_t beneath)
{
    static const char *const words[DIFFERENCE_KINDS] = {
        N_("goes"), N_("new"), N_("changes"), N_("changes"), N_("moves"), N_("unreadable")};
    static const char *const names[DIFFERENCE_KINDS] = {"removed", "added", "changed",
                                                        "changed", "moved", "unreadable"};
    CLEANUP_ARENA struct arena *arena = arena_new();
    bool moved = d->kind == DIFFERENCE_MOVED;
    const char *path = show_path(arena, moved ? d->from : d->path);
    if (s->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "deployment");
        json_put_string(o, "site", site->row.name);
        json_put_string(o, "kind", names[d->kind]);
        json_put_string(o, "path", path);
        if (moved)
            json_put_string(o, "from", show_path(arena, d->path));
        if (d->error)
            json_put_string(o, "error", d->error->message);
        show_json_line(s, o);
        return;
    }
    CLEANUP_STR struct str line = {0};
    str_add(&line, path);
    if (beneath)
        str_printf(&line, ngettext(" and %zu name in it", " and %zu names in it", beneath),
                   beneath);
    if (moved)
        str_printf(&line, _(" (was %s)"), show_path(arena, d->path));
    else if (d->error)
        str_printf(&line, " (%s)", d->error->message);
    else if (d->kind == DIFFERENCE_CHANGED)
        str_printf(&line, " (%s)", show_what(arena, d->what));
    const char *first = arena_printf(arena, "%s %s  ", d->kind == DIFFERENCE_UNREADABLE ? "?" : "-",
                                     _(words[d->kind]));
    show_wrap(s, first, show_columns(first), line.data);
}

void show_deployment(struct show *s, const struct site *site, const struct differences *found)
{
    size_t shown = 0, left = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *d = &found->items[i];
        if (!d->wrong && d->kind != DIFFERENCE_UNREADABLE)
            continue; /* the site's own */
        if (!s->json && d->beneath)
            continue;
        if (!s->json && !s->all && shown >= SCREEN) {
            left++;
            continue;
        }
        deployment_line(s, site, d, s->json ? 0 : count_beneath(found, i));
        shown++;
    }
    if (left)
        fprintf(s->out, ngettext("and %zu more: --all\n", "and %zu more: --all\n", left), left);
}

void show_left_out(struct show *s, const struct capture *taken)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < taken->left_out_count; i++) {
        const char *path = show_path(arena, taken->left_out[i].path);
        if (s->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "left-out");
            json_put_string(o, "path", path);
            json_put_string(o, "error", taken->left_out[i].error.message);
            show_json_line(s, o);
        } else
            show_wrap(s, "? ", 2,
                      arena_printf(arena, "%s: %s", path, taken->left_out[i].error.message));
    }
}

static void json_mend(struct show *s, const char *site, const struct mend_event *event,
                      bool dry_run)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    json_t *o = json_object();
    json_put_string(o, "type", "mend");
    json_put_string(o, "site", site);
    json_put_string(o, "kind", difference_kind_name(event->kind));
    json_put_string(o, "path", show_path(arena, event->path));
    json_object_set_new(o, "undone", json_boolean(event->undone && !dry_run));
    if (event->evidence[0])
        json_put_string(o, "evidence", event->evidence);
    if (event->error)
        json_put_string(o, "error", event->error->message);
    show_json_line(s, o);
}

void show_mend_event(struct show *s, const char *site, const struct mend_event *event, bool dry_run)
{
    if (s->json) {
        json_mend(s, site, event, dry_run);
        return;
    }
    if (!event->undone && !event->error)
        return;
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *path = show_path(arena, event->path), *first = "+ ", *text;
    if (event->error) {
        first = "? ";
        text = arena_printf(arena, "%s: %s", path, event->error->message);
    } else if (dry_run) {
        first = arena_printf(arena, "- %s  ", _(kind_words[event->kind]));
        text = path;
    } else {
        text = show_undone(arena, event->kind, event->path);
        if (event->evidence[0])
            text =
                arena_printf(arena, _("%s (what was there is kept as %s)"), text, event->evidence);
    }
    show_wrap(s, first, show_columns(first), text);
}

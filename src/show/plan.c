#include "show/show.h"

#include "base/json.h"
#include "base/str.h"
#include "judge/patches.h"

static const struct {
    const char *title, *name;
} parts[] = {
    [PLAN_NOW] = {N_("Now: shut what attackers use today"), "now"},
    [PLAN_SERVICE_PACK] = {N_("Then: the service pack"), "service-pack"},
    [PLAN_PATCH] = {N_("Then: patches, in this order"), "patch"},
    [PLAN_UPDATE] = {N_("Then: updates"), "update"},
    [PLAN_SETTING] = {N_("Then: settings"), "setting"},
    [PLAN_NO_REMEDY] = {N_("Cannot be closed: nobody names a remedy"), "no-remedy"},
};

/* As many settings as fit behind the rest; they are many, and the checklist has them all. */
enum { SETTINGS = 10, NAMES = 6 };

static json_t *names(const char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_from_text(items[i]));
    return list;
}

static void step_json(struct show *s, const struct plan_step *step)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    json_t *o = json_object();
    json_put_string(o, "type", "step");
    json_put_int(o, "order", step->order);
    json_put_string(o, "part", parts[step->part].name);
    json_put_string(o, "patch", step->patch);
    json_put_string(o, "what", message_text(arena, &step->what));
    json_put_string(o, "title", step->title);
    json_object_set_new(o, "closes", names(step->closes.items, step->closes.count));
    json_object_set_new(o, "subjects", names(step->subjects.items, step->subjects.count));
    json_object_set_new(o, "requires", names(step->needs.items, step->needs.count));
    json_put_string(o, "check", message_text(arena, &step->check));
    json_put_bool(o, "exploited", step->exploited);
    json_put_bool(o, "lost", step->lost);
    json_object_set_new(o, "reboot", step->reboot < 0 ? json_null() : json_boolean(step->reboot));
    json_put_bool(o, "restart_after", step->restart);
    show_json_line(s, o);
}

static void show_names(struct show *s, struct arena *arena, const char *sentence,
                       const char *const *items, size_t count)
{
    CLEANUP_STR struct str list = {0};
    size_t most = s->all ? count : NAMES;
    for (size_t i = 0; i < count && i < most; i++)
        str_printf(&list, "%s%s", i ? ", " : "", language_text(items[i]));
    if (count > most)
        str_printf(&list, _(" and %zu more"), count - most);
    show_wrap(s, "     ", 7, arena_printf(arena, sentence, str_text(&list)));
}

/* A person looks for a number, not for a key. */
static void show_needs(struct show *s, struct arena *arena, const struct plan *p,
                       const struct plan_step *step)
{
    for (size_t i = 0; i < step->needs.count; i++)
        for (size_t k = 0; k < p->steps.count; k++)
            if (p->steps.items[k]->patch &&
                str_equal_nocase(p->steps.items[k]->patch, step->needs.items[i]))
                show_wrap(s, "     ", 7,
                          arena_printf(arena, _("only after step %u"), p->steps.items[k]->order));
}

/* "audit: MS01-026 must turn to fixed": the whole command stands once, at the end. */
static const char *check_of(struct arena *arena, const struct plan_step *step)
{
    static const char program[] = "yagura ";
    const char *text = show_plain_message(arena, &step->check), *at = strstr(text, program);
    return at ? arena_printf(arena, "%.*s%s", (int)(at - text), text, at + strlen(program)) : text;
}

static void show_step(struct show *s, struct arena *arena, const struct plan *p,
                      const struct plan_step *step, bool windows)
{
    CLEANUP_STR struct str first = {0};
    str_printf(&first, "%3u. ", step->order);
    show_wrap(s, str_text(&first), 5, show_paste(arena, show_message(arena, &step->what)));
    if (step->lost) {
        show_colour(s, SHOW_YELLOW);
        show_wrap(s, "     ", 5,
                  windows ? _("lost with the service pack, or undone since: it was here before; "
                              "apply again")
                          : _("it was here before and is gone or undone: apply again"));
        show_colour(s, SHOW_PLAIN);
    }
    /* What a patch closes alone stands in its check. */
    bool patch = step->part == PLAN_PATCH || step->part == PLAN_SERVICE_PACK;
    if (step->title)
        show_wrap(s, "     ", 7,
                  arena_printf(arena, _("closes %s: %s"), step->closes.items[0],
                               language_text(step->title)));
    else if (step->closes.count > 1 || (step->closes.count && !patch))
        show_names(s, arena, _("closes %s"), step->closes.items, step->closes.count);
    if (step->subjects.count && !step->about_host)
        show_names(s, arena, _("on %s"), step->subjects.items, step->subjects.count);
    show_needs(s, arena, p, step);
    if (step->part != PLAN_SETTING && step->part != PLAN_NO_REMEDY)
        show_wrap(s, "     ", 7, arena_printf(arena, _("check: %s"), check_of(arena, step)));
}

/* What holds for all steps of a part is said once above them. */
static void show_heading(struct show *s, struct arena *arena, enum plan_part part)
{
    static const char *const below[] = {
        [PLAN_SERVICE_PACK] = N_("Make a backup, and try it on a test host first."),
        [PLAN_PATCH] = N_("Try each on a test host first."),
        [PLAN_SETTING] = N_("Check them all together: %s"),
        [PLAN_NO_REMEDY] = NULL, /* so that each part has a place */
    };
    show_colour(s, SHOW_BOLD);
    fprintf(s->out, "\n%s\n", language_text(parts[part].title));
    show_colour(s, SHOW_PLAIN);
    if (part == PLAN_SETTING)
        show_wrap(s, "     ", 5,
                  arena_printf(arena, language_text(below[part]),
                               show_command(arena, "audit --checklist")));
    else if (below[part])
        show_wrap(s, "     ", 5, language_text(below[part]));
}

static void show_end(struct show *s, struct arena *arena, const struct plan *p, size_t i)
{
    const struct plan_step *step = p->steps.items[i];
    bool last = i + 1 == p->steps.count || p->steps.items[i + 1]->part != step->part;
    bool several = i && p->steps.items[i - 1]->part == step->part;
    bool was_in = step->intrusion && (last || !p->steps.items[i + 1]->intrusion);
    bool unsaid = false; /* a patch of which nobody says whether it needs a restart */
    for (size_t k = 0; last && k <= i; k++)
        unsaid |= p->steps.items[k]->part == step->part && p->steps.items[k]->reboot < 0;
    if (was_in)
        show_wrap(s, "     ", 5,
                  _("All that follows is for the new installation, before it goes to the "
                    "network again."));
    if (step->restart && step->part != PLAN_UPDATE)
        show_wrap(s, "     ", 5,
                  several ? _("-- restart here, once for all of them --")
                          : _("-- restart here --"));
    else if (last && unsaid && step->part == PLAN_PATCH)
        show_wrap(s, "     ", 5, _("-- restart here if one of them asks for it --"));
    if (last && step->part == PLAN_SERVICE_PACK)
        show_wrap(s, "     ", 5,
                  arena_printf(arena,
                               _("Check again after the service pack: it may have taken patches "
                                 "away. %s"),
                               show_command(arena, "audit")));
    if (last && step->part == PLAN_UPDATE && step->patch)
        show_wrap(s, "     ", 5,
                  arena_printf(arena,
                               _("Look again afterwards: services and the kernel may wait for a "
                                 "restart. %s"),
                               show_command(arena, "audit")));
}

static void show_head(struct show *s, struct arena *arena, const struct audit *a,
                      const struct plan *p)
{
    size_t patches = 0, packs = 0;
    for (size_t i = 0; i < p->steps.count; i++) {
        patches += p->steps.items[i]->part == PLAN_PATCH;
        packs += p->steps.items[i]->part == PLAN_SERVICE_PACK;
    }
    show_colour(s, SHOW_BOLD);
    show_wrap(s, "", 0,
              *a->host_line ? arena_printf(arena, "%s%s", a->host_name,
                                           arena_printf(arena, _(" (%s)"), a->host_line))
                            : language_text(target_name(a->target)));
    show_colour(s, SHOW_PLAIN);
    if (p->bulletins && packs)
        show_wrap(s, "", 0,
                  arena_printf(arena,
                               _("Open advisories: %zu. What closes them: service packs %zu, "
                                 "patches %zu."),
                               p->bulletins, packs, patches));
    else if (p->bulletins)
        show_wrap(s, "", 0,
                  arena_printf(arena, _("Open advisories: %zu. What closes them: patches %zu."),
                               p->bulletins, patches));
}

static void plan_json(struct show *s, const struct audit *a, const struct plan *p)
{
    size_t found = 0;
    for (size_t i = 0; i < p->steps.count; i++) {
        step_json(s, p->steps.items[i]);
        found += p->steps.items[i]->closes.count > 0;
    }
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_string(o, "target", a->identity);
    json_put_int(o, "found", (int64_t)found);
    json_put_int(o, "unknown", (int64_t)audit_unknown(a));
    json_put_int(o, "bulletins", (int64_t)p->bulletins);
    json_put_int(o, "open_settings", (int64_t)p->open_settings);
    json_put_int(o, "open_ports", (int64_t)p->open_ports);
    json_object_set_new(o, "gone", names(p->gone.items, p->gone.count));
    json_put_bool(o, "safe", false);
    show_json_line(s, o);
}

static void show_gone(struct show *s, struct arena *arena, const struct plan *p)
{
    CLEANUP_STR struct str list = {0};
    for (size_t i = 0; i < p->gone.count; i++)
        str_printf(&list, "%s%s", i ? ", " : "", p->gone.items[i]);
    if (p->gone.count)
        show_wrap(s, "", 0,
                  arena_printf(arena,
                               _("Seen here before and gone now, and no advisory knows them: %s. "
                                 "Compare with your own record."),
                               str_text(&list)));
}

void show_plan_first(struct show *s, const struct audit *a, const struct plan *p, size_t count)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const struct fact *host = facts_first(a->facts, "host");
    bool windows = host && str_equal(fact_text(host, "family"), "windows");
    for (size_t i = 0; i < count; i++)
        if (s->json)
            step_json(s, p->steps.items[i]);
        else
            show_step(s, arena, p, p->steps.items[i], windows);
}

void show_plan(struct show *s, const struct audit *a, const struct plan *p)
{
    if (s->json) {
        plan_json(s, a, p);
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    show_head(s, arena, a, p);
    const struct fact *host = facts_first(a->facts, "host");
    bool windows = host && str_equal(fact_text(host, "family"), "windows");
    size_t settings = 0;
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct plan_step *step = p->steps.items[i];
        if (!i || p->steps.items[i - 1]->part != step->part)
            show_heading(s, arena, step->part);
        if (step->part == PLAN_SETTING && settings++ >= SETTINGS && !s->all)
            continue;
        show_step(s, arena, p, step, windows);
        show_end(s, arena, p, i);
    }
    if (settings > SETTINGS && !s->all)
        show_wrap(s, "     ", 5,
                  arena_printf(arena,
                               ngettext("and %zu more setting: %s", "and %zu more settings: %s",
                                        settings - SETTINGS),
                               settings - SETTINGS, show_command(arena, "patch plan --all")));
    if (!p->steps.count)
        fprintf(s->out, "%s\n", _("No step is known to be needed."));
    fputc('\n', s->out);
    show_gone(s, arena, p);
    show_wrap(s, "", 0,
              arena_printf(arena,
                           _("Patches alone are not enough. Open settings: %zu, open ports: %zu, "
                             "not judged: %zu."),
                           p->open_settings, p->open_ports, p->unknown));
    if (!settings) /* else said above them */
        show_hint(s, _("The settings:"), show_command(arena, "audit --checklist"));
    show_hint(s, _("The ports:"), show_command(arena, "ports"));
    show_hint(s, _("The checks above:"), show_command(arena, "audit"));
    show_hint(s, _("Write down what you applied:"), show_command(arena, "patch record PATCH"));
}

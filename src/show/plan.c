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
};

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
    json_object_set_new(o, "closes", names(step->closes.items, step->closes.count));
    json_object_set_new(o, "subjects", names(step->subjects.items, step->subjects.count));
    json_object_set_new(o, "requires", names(step->needs.items, step->needs.count));
    json_put_string(o, "check", message_text(arena, &step->check));
    json_put_bool(o, "exploited", step->exploited);
    json_put_bool(o, "lost", step->lost);
    json_object_set_new(o, "reboot", step->reboot < 0 ? json_null() : json_boolean(step->reboot));
    show_json_line(s, o);
}

static void show_step(struct show *s, struct arena *arena, const struct plan_step *step)
{
    CLEANUP_STR struct str first = {0}, closes = {0};
    str_printf(&first, "%3u. ", step->order);
    show_wrap(s, str_text(&first), 5, show_message(arena, &step->what));
    if (step->lost) {
        show_colour(s, SHOW_YELLOW);
        show_wrap(
            s, "     ", 5,
            _("was here before and is gone or undone: lost with the service pack? Apply it again"));
        show_colour(s, SHOW_PLAIN);
    }
    size_t most = s->all ? step->closes.count : 6;
    for (size_t i = 0; i < step->closes.count && i < most; i++)
        str_printf(&closes, "%s%s", i ? ", " : "", step->closes.items[i]);
    if (step->closes.count > most)
        str_printf(&closes, _(" and %zu more"), step->closes.count - most);
    show_wrap(s, "     ", 7, arena_printf(arena, _("closes %s"), str_text(&closes)));
    if (step->subjects.count) {
        CLEANUP_STR struct str subjects = {0};
        most = s->all ? step->subjects.count : 6;
        for (size_t i = 0; i < step->subjects.count && i < most; i++)
            str_printf(&subjects, "%s%s", i ? ", " : "", show_translate(step->subjects.items[i]));
        if (step->subjects.count > most)
            str_printf(&subjects, _(" and %zu more"), step->subjects.count - most);
        show_wrap(s, "     ", 7, arena_printf(arena, _("on %s"), str_text(&subjects)));
    }
    if (step->needs.count) {
        CLEANUP_STR struct str needs = {0};
        for (size_t i = 0; i < step->needs.count; i++)
            str_printf(&needs, "%s%s", i ? ", " : "", step->needs.items[i]);
        show_wrap(s, "     ", 7, arena_printf(arena, _("needs %s first"), str_text(&needs)));
    }
    if (step->part == PLAN_PATCH || step->part == PLAN_SERVICE_PACK)
        show_wrap(s, "     ", 7,
                  arena_printf(arena, _("check: %s"), show_message(arena, &step->check)));
}

static void show_restart(struct show *s, const struct plan *p, size_t i)
{
    const struct plan_step *step = p->steps.items[i];
    bool needs = step->reboot == 1;
    bool next_needs = i + 1 < p->steps.count && p->steps.items[i + 1]->reboot == 1 &&
                      p->steps.items[i + 1]->part == step->part;
    if (needs && !next_needs)
        fprintf(s->out, "     %s\n", _("-- restart here --"));
}

void show_plan(struct show *s, const struct audit *a, const struct plan *p)
{
    if (s->json) {
        for (size_t i = 0; i < p->steps.count; i++)
            step_json(s, p->steps.items[i]);
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_string(o, "target", a->identity);
        json_put_int(o, "found", (int64_t)p->steps.count);
        json_put_int(o, "unknown", (int64_t)p->unknown);
        json_put_int(o, "bulletins", (int64_t)p->bulletins);
        json_put_int(o, "open_settings", (int64_t)p->open_settings);
        json_put_int(o, "open_ports", (int64_t)p->open_ports);
        json_put_bool(o, "safe", false);
        show_json_line(s, o);
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t patches = 0;
    for (size_t i = 0; i < p->steps.count; i++)
        patches += p->steps.items[i]->part == PLAN_PATCH;
    show_colour(s, SHOW_BOLD);
    show_wrap(s, "", 0,
              *a->host_line ? arena_printf(arena, "%s (%s)", a->host_name, a->host_line)
                            : target_name(a->target));
    show_colour(s, SHOW_PLAIN);
    if (p->bulletins)
        show_wrap(s, "", 0,
                  arena_printf(arena, _("%zu open advisories come down to %zu patches."),
                               p->bulletins, patches));
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct plan_step *step = p->steps.items[i];
        if (!i || p->steps.items[i - 1]->part != step->part) {
            show_colour(s, SHOW_BOLD);
            fprintf(s->out, "\n%s\n", show_translate(parts[step->part].title));
            show_colour(s, SHOW_PLAIN);
        }
        show_step(s, arena, step);
        show_restart(s, p, i);
        if (step->part == PLAN_SERVICE_PACK &&
            (i + 1 == p->steps.count || p->steps.items[i + 1]->part != PLAN_SERVICE_PACK))
            show_wrap(
                s, "     ", 5,
                _("Check again after the service pack: it may have taken patches away. yagura "
                  "audit"));
    }
    if (!p->steps.count)
        fprintf(s->out, "%s\n", _("No step is known to be needed."));
    fputc('\n', s->out);
    show_wrap(s, "", 0,
              arena_printf(arena,
                           _("Patches alone are not enough: %zu settings and %zu ports are open, "
                             "%zu things could not be judged. yagura audit --checklist · yagura "
                             "ports"),
                           p->open_settings, p->open_ports, p->unknown));
    show_wrap(s, "", 0, _("Write down what you applied: yagura patch record PATCH"));
}

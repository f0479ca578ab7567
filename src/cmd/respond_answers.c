/* respond_answers.c - what an incident asks of the command line while a step is done: to say, to
 * show and to ask the person, to hold the guard, to apply, to move. */
#include "base/json.h"
#include "cmd/quarantine.h"
#include "cmd/respond_running.h"
#include "guard/caller.h"
#include "respond/plan.h"
#include "show/progress.h"
#include "show/respond.h"

static const struct policies *own_policies(void *context, const char *site)
{
    struct running *run = context;
    return config_policies(run->config, site);
}

static bool hold(void *context, const char *site, struct error *e)
{
    struct running *run = context;
    run->held.state = run->response.state;
    run->held.site.row.name = site;
    return cli_hold(&run->hold, &run->held, e);
}

static void release(void *context, const char *site)
{
    struct running *run = context;
    struct error e = ERROR_INIT;
    if (!cli_release(&run->hold, &e))
        cli_complain(&e);
}

static void line(struct running *run, const char *sign, const char *text)
{
    struct show s;
    fflush(stdout); /* both may go into one file: in the order in which they are said */
    show_init(&s, stderr, false);
    show_respond_note(run->cli->json ? &run->cli->show : &s, sign, text);
}

void running_say(void *context, const char *text)
{
    line(context, "! ", text);
}

static void tell_good(void *context, const char *text)
{
    line(context, "- ", text);
}

static void looking(void *context, const struct walk_progress *at)
{
    struct running *run = context;
    progress_end(run->progress);
    run->progress = NULL;
    if (at)
        run->progress =
            progress_start(&run->cli->show, _("looking (this may take a minute)"), at, 0, 0);
}

static void finding(void *context, const struct finding *f)
{
    struct running *run = context;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct show *s = &run->cli->show;
    if (s->json) {
        json_t *o = finding_to_json(f, "");
        show_json_line(s, o);
        return;
    }
    show_wrap(s, "! ", 2,
              arena_printf(arena, "%.8s  %s  %s", f->id, show_severity(f->severity),
                           show_message(arena, &f->summary)));
}

/* A command about what the incident is about: this host, or a volume or image that is named. */
const char *running_about(struct arena *arena, struct response *r, const char *command)
{
    const char *target = plan_target(r);
    return show_command(arena, arena_printf(arena, "%s%s%s", command, *target ? " " : "", target));
}

/* The steps of this incident first, and how to go on with them. */
static void show_the_plan(void *context, const struct audit *a, const struct plan *p, size_t count)
{
    struct running *run = context;
    struct show *s = &run->cli->show;
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (!s->json && count)
        show_wrap(s, "", 0, _("What closes them, the hole that can be reached first:"));
    show_plan_first(s, a, p, count);
    if (s->json)
        return;
    const char *step = respond_step_that(&run->response, "holes");
    if (count && step && respond_is_live(&run->response))
        show_hint(s, _("Apply the packages of it:"),
                  show_command(arena, arena_printf(arena, "respond do %s --apply", step)));
    if (count)
        show_hint(s, _("Write down what you applied:"),
                  running_about(arena, &run->response, "patch record PATCH"));
    if (p->steps.count > count)
        show_hint(s,
                  arena_printf(arena,
                               ngettext("%zu further step, of holes that cannot be reached:",
                                        "%zu further steps, of holes that cannot be reached:",
                                        p->steps.count - count),
                               p->steps.count - count),
                  running_about(arena, &run->response, "patch plan"));
}

/* `patch apply` itself. What it could not look at is for the check of the step to find. */
static bool apply_plan(void *context, const char *path, struct error *e)
{
    struct running *run = context;
    struct audit_request request;
    if (!cli_request(run->cli, &request))
        return false;
    request.state = run->response.state;
    int code = cli_patch_run(run->cli, &request, path, false);
    if (code == EXIT_CLEAN || code == EXIT_UNKNOWN)
        return true;
    error_set(e, code == EXIT_USAGE ? ERR_USAGE : ERR_SYSTEM,
              "the plan was not applied, or not as it should be: see above");
    return false;
}

static void show_source(void *context, const struct site *site, const struct deploy *d)
{
    struct running *run = context;
    struct show *s = &run->cli->show;
    show_left_out(s, d->taken);
    if (!s->json)
        show_wrap(s, "", 0,
                  d->found->wrong ? arena_printf(run->response.arena, _("%s (%s) becomes:"),
                                                 site->row.name, site->row.root)
                                  : arena_printf(run->response.arena, _("%s (%s) is so already"),
                                                 site->row.name, site->row.root));
    show_deployment(s, site, d->found);
}

static bool agreed(void *context)
{
    struct running *run = context;
    return cli_confirm(run->cli, _("Put this in place, and move what was there aside?"));
}

/* As the guard's alarm does it: by the unit of on_tamper where there is one, else as nobody. */
static void alarm_by_hook(void *context, const char *text, size_t size)
{
    struct running *run = context;
    struct caller caller = CALLER_NONE;
    struct error e = ERROR_INIT;
    if (!run->config->on_tamper)
        return;
    if (!caller_start(&caller, run->config->on_tamper, &e))
        cli_complain(&e);
    else if (!caller_tell(caller.fd, text, size))
        running_say(run, _("on_tamper was not told"));
    caller_end(&caller);
}

static bool quarantine(void *context, const struct audit *found)
{
    struct running *run = context;
    return cli_quarantine_found(run->cli, found, SEVERITY_MEDIUM);
}

void running_answers(struct running *run)
{
    struct respond_options *o = &run->options;
    o->show_plan = show_the_plan;
    o->apply_plan = apply_plan;
    o->show_source = show_source;
    o->agreed = agreed;
    o->own_policies = own_policies;
    o->hold = hold;
    o->release = release;
    o->say = running_say;
    o->tell = tell_good;
    o->looking = looking;
    o->finding = finding;
    o->alarm = alarm_by_hook;
    o->quarantine = run->cli->quarantine ? quarantine : NULL;
    o->context = run;
}

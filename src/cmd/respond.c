#include "cmd/respond_running.h"

#include "act/firewall.h"
#include "base/json.h"
#include "base/str.h"
#include "respond/passwords.h"
#include "respond/watch.h"
#include "show/respond.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LEAST_BLOCKS = 256 }; /* free, for the state to be opened and written */

static int failed(const struct error *e)
{
    cli_complain(e);
    return e->code == ERR_USAGE || e->code == ERR_FORMAT || e->code == ERR_ABSENT ? EXIT_USAGE
                                                                                  : EXIT_UNKNOWN;
}

static void end_json(struct cli *cli, size_t found, size_t unknown)
{
    if (!cli->json)
        return;
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_int(o, "found", (int64_t)found);
    json_put_int(o, "unknown", (int64_t)unknown);
    show_json_line(&cli->show, o);
}

/* 1: something is not true; 3: it could not be looked at. A ledger that was changed counts. */
static int code_of(struct running *run, const struct respond_report *report)
{
    size_t found = run->response.incident.problems, unknown = 0;
    for (size_t i = 0; i < report->checks.count; i++) {
        found += report->checks.items[i].result.verdict == CHECK_FALSE;
        unknown += report->checks.items[i].result.verdict == CHECK_UNKNOWN;
    }
    end_json(run->cli, found, unknown);
    return found ? EXIT_FOUND : unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
}

/* Of a list that is to be settled: what to read, what does it, and then once more. */
static void show_ways_on(struct running *run, const struct runbook_step *step)
{
    struct show *s = &run->cli->show;
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *action = step->action.name;
    bool scan = str_equal(action, "scan"), holes = str_equal(action, "holes");
    if (s->json || (!scan && !holes && !str_equal(action, "passwords")))
        return;
    if (scan)
        show_hint(s, _("Why each of them matters, and what to do:"),
                  running_about(arena, &run->response, "scan"));
    if (holes)
        show_hint(s, _("Why one of them matters, and what to do:"),
                  running_about(arena, &run->response, "explain ID"));
    if (holes)
        show_hint(s, _("What cannot be closed now, you answer for:"),
                  show_command(arena, "respond sign ID ... --because \"...\""));
    if (scan && respond_is_live(&run->response))
        show_hint(s, _("Move the files of the intruder out of reach, and end what runs from them:"),
                  show_command(arena, arena_printf(arena, "respond do %s --quarantine", step->id)));
    show_hint(s,
              scan ? _("Once all of it is mended or signed for (what you know, several at once):")
              : holes ? _("Once all of it is closed or signed for:")
                      : _("Once all of it is changed or signed for:"),
              show_command(arena, arena_printf(arena, "respond do %s", step->id)));
}

static int tell(struct running *run, const struct runbook_step *step, struct respond_report *report)
{
    struct response *r = &run->response;
    struct show *s = &run->cli->show;
    struct error e = ERROR_INIT;
    /* a step that cuts off may have gone no further than what comes before that */
    bool verified = respond_verify(r, &e);
    if (!verified)
        cli_complain(&e);
    if (r->incident.problems)
        running_say(run, arena_printf(r->arena, _("THE LEDGER WAS CHANGED: %s"),
                                      show_message(r->arena, &r->incident.problem)));
    show_respond_report(s, r, step, report);
    if (report->outcome == RESPOND_DONE)
        show_what_is_next(s, r);
    if (report->outcome == RESPOND_REFUSED)
        show_ways_on(run, step);
    int code = code_of(run, report);
    respond_report_free(report);
    return code == EXIT_CLEAN && !verified ? EXIT_UNKNOWN : code;
}

/* What is in force of ours; and once nobody asks for it any more, how it is taken away. */
static size_t say_firewall(struct running *run)
{
    struct response *r = &run->response;
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (!respond_is_live(r))
        return 0;
    size_t wrong = cli_say_firewall(run->cli, r->state);
    bool left = r->incident.closed && !run->cli->json &&
                firewall_is_known(state_dirfd(r->state), FIREWALL_ISOLATION);
    for (size_t i = 0; left && i < r->book->steps.count; i++) {
        const struct runbook_step *step = &r->book->steps.items[i];
        if (step->undo.name && str_equal(step->undo.name, "open-network"))
            show_hint(&run->cli->show, _("To open it:"),
                      show_command(arena, arena_printf(arena, "respond undo %s", step->id)));
    }
    return wrong;
}

/* What became of this step (NULL: of all), and where the incident stands. */
static int tell_all(struct running *run, const struct runbook_step *step,
                    struct respond_report *report)
{
    show_respond_report(&run->cli->show, &run->response, step, report);
    show_incident(&run->cli->show, &run->response);
    int code = code_of(run, report);
    respond_report_free(report);
    return code;
}

/* ---- the actions ---------------------------------------------------------------------------- */

static int do_step(struct running *run, const struct runbook_step *step)
{
    struct error e = ERROR_INIT;
    struct respond_report report;
    if (respond_do(&run->response, step, &report, &e))
        return tell(run, step, &report);
    respond_report_free(&report);
    return failed(&e);
}

static int start(struct running *run)
{
    struct cli *cli = run->cli;
    struct error e = ERROR_INIT;
    const char *kind = cli->root ? "root" : cli->image ? "image" : "live";
    const char *target = cli->root ? cli->root : cli->image ? cli->image : "";
    if (cli->root && cli->image)
        return cli_usage(cli, _("one target at a time"));
    if (!respond_start(&run->response, cli->runbook ? cli->runbook : "defacement", kind, target,
                       &e) ||
        !respond_verify(&run->response, &e))
        return failed(&e);
    struct respond_report report;
    const struct runbook_step *first = &run->response.book->steps.items[0];
    if (respond_do(&run->response, first, &report, &e))
        return tell_all(run, cli->json ? NULL : first, &report); /* all steps follow */
    respond_report_free(&report);
    return failed(&e);
}

/* What was asked for is done; a changed ledger is something found all the same. */
static int stands(struct running *run)
{
    show_incident(&run->cli->show, &run->response);
    end_json(run->cli, run->response.incident.problems, 0);
    return run->response.incident.problems ? EXIT_FOUND : EXIT_CLEAN;
}

/* What the ledger says; and of the firewall, which others can change, how it is. */
static int status(struct running *run)
{
    bool closed = run->response.incident.closed;
    show_incident(&run->cli->show, &run->response);
    size_t open = respond_next(&run->response) != NULL && !closed;
    size_t found = run->response.incident.problems + open;
    found += say_firewall(run);
    end_json(run->cli, found, 0);
    return found ? EXIT_FOUND : EXIT_CLEAN;
}

static int next(struct running *run)
{
    const struct runbook_step *step = respond_next(&run->response);
    if (!step)
        return status(run);
    show_respond_step(&run->cli->show, &run->response, step);
    if (!run->cli->json)
        say_firewall(run); /* it may wait for nothing but to be confirmed */
    end_json(run->cli, 1, 0);
    return EXIT_FOUND;
}

static int confirm(struct running *run)
{
    struct error e = ERROR_INIT;
    struct respond_report report;
    const struct runbook_step *step;
    if (respond_confirm(&run->response, &step, &report, &e))
        return tell(run, step, &report);
    respond_report_free(&report);
    return failed(&e);
}

static int skip(struct running *run, const struct runbook_step *step)
{
    struct error e = ERROR_INIT;
    if (!respond_skip(&run->response, step, &e))
        return failed(&e);
    return stands(run);
}

static int undo(struct running *run, const struct runbook_step *step)
{
    struct error e = ERROR_INIT;
    struct respond_report report;
    if (respond_undo(&run->response, step, &report, &e))
        return tell(run, step, &report);
    respond_report_free(&report);
    return failed(&e);
}

static int resume(struct running *run)
{
    struct error e = ERROR_INIT;
    const char *who = run->options.who, *before = run->response.incident.last_who;
    if (!str_equal(who, before))
        running_say(run,
                    arena_printf(run->response.arena,
                                 _("From now on %s leads; the last one who did something was %s."),
                                 who, before));
    struct respond_report report = {0};
    size_t lost;
    if (respond_resume(&run->response, &e) && respond_prove(&run->response, &report, &lost, &e))
        return tell_all(run, NULL, &report);
    respond_report_free(&report);
    return failed(&e);
}

static int end(struct running *run)
{
    struct error e = ERROR_INIT;
    struct respond_report report;
    if (respond_end(&run->response, &report, &e)) {
        if (report.outcome == RESPOND_DONE)
            say_firewall(run); /* it may be cut off on purpose */
        return tell_all(run, NULL, &report);
    }
    respond_report_free(&report);
    return failed(&e);
}

/* Its runbook is gone, or another one now (`why`): it is ended with a reason, or put back. */
static int give_up(struct running *run, const struct error *why)
{
    struct error e = ERROR_INIT;
    const struct incident *i = &run->response.incident;
    if (!i->id || i->closed || !run->options.because || !*run->options.because)
        return failed(why);
    cli_complain(why);
    if (!respond_give_up(&run->response, &e))
        return failed(&e);
    running_say(
        run, arena_printf(run->response.arena,
                          _("Incident %s is closed. Nothing was proved, and what it did is as it "
                            "was: yagura respond start opens another one."),
                          i->id));
    end_json(run->cli, 1, 0);
    return EXIT_FOUND;
}

/* For a timer: says nothing but what is new, or wrong. */
static int watch(struct running *run)
{
    struct error e = ERROR_INIT;
    struct watch_report report;
    bool looked = watch_look(&run->response, &report, &e);
    show_watch_report(&run->cli->show, &run->response, &report);
    if (!looked)
        cli_complain(&e);
    size_t found = report.finds.count, unknown = report.unknown + !looked;
    end_json(run->cli, found, unknown);
    watch_report_free(&report);
    return found ? EXIT_FOUND : unknown ? EXIT_UNKNOWN : EXIT_CLEAN;
}

static int sign(struct running *run, const char *what)
{
    struct error e = ERROR_INIT;
    return respond_sign(&run->response, what, &e) ? EXIT_CLEAN : failed(&e);
}

static int change(struct running *run, enum password_way way, const char *what)
{
    struct error e = ERROR_INIT;
    const char *said = "";
    if (!password_change(&run->response, way, what, &said, &e))
        return failed(&e);
    bool dry = run->cli->dry_run;
    if (dry)
        said = arena_printf(run->response.arena, _("%s: it could be done; nothing was"), what);
    if (run->cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "password-change");
        json_put_string(o, "way", password_way_name(way));
        json_put_string(o, "what", what);
        json_put_bool(o, "done", !dry);
        json_put_string(o, "text", said);
        show_json_line(&run->cli->show, o);
    } else
        show_wrap(&run->cli->show, dry ? "" : "+ ", 2, said);
    return EXIT_CLEAN;
}

static int lock(struct running *run, const char *what)
{
    return change(run, PASSWORD_LOCK, what);
}

static int expire(struct running *run, const char *what)
{
    return change(run, PASSWORD_EXPIRE, what);
}

static int unlock(struct running *run, const char *what)
{
    return change(run, PASSWORD_UNLOCK, what);
}

static int end_sessions(struct running *run, const char *what)
{
    return change(run, PASSWORD_END_SESSIONS, what);
}

static int rotate(struct running *run, const char *what)
{
    return change(run, PASSWORD_ROTATE, what);
}

static int print(struct cli *cli)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(runbook_cleanup) struct runbook *book = NULL;
    struct error e = ERROR_INIT;
    if (!runbook_load(&book, cli->runbook ? cli->runbook : "defacement", arena, &e))
        return failed(&e);
    show_runbook(&cli->show, book);
    end_json(cli, 0, 0);
    return EXIT_CLEAN;
}

/* ---- the command ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(struct running *run);
    int (*on_step)(struct running *run, const struct runbook_step *step);
    int (*on_name)(struct running *run, const char *what); /* of one or more */
} actions[] = {{"start", .run = start},
               {"status", .run = status},
               {"next", .run = next},
               {"do", .on_step = do_step},
               {"skip", .on_step = skip},
               {"undo", .on_step = undo},
               {"sign", .on_name = sign},
               {"lock", .on_name = lock},
               {"expire", .on_name = expire},
               {"unlock", .on_name = unlock},
               {"end-sessions", .on_name = end_sessions},
               {"rotate", .on_name = rotate},
               {"confirm", .run = confirm},
               {"resume", .run = resume},
               {"close", .run = end},
               {"watch", .run = watch}};

/* Whether the way in is known depends on what is named. */
static bool asks_for_the_way(const struct runbook_step *step)
{
    bool asks = false;
    for (size_t i = 0; i < step->before.count; i++)
        asks |= str_equal(step->before.items[i].name, "operator-known");
    for (size_t i = 0; i < step->verify.count; i++)
        asks |= str_equal(step->verify.items[i].name, "operator-known");
    return asks;
}

/* Of several names the first that fails is the last that was tried. */
static void say_how_far(struct running *run, size_t failed)
{
    const struct cli *cli = run->cli;
    CLEANUP_STR struct str done = {0}, left = {0};
    for (size_t k = 1; k < cli->argument_count; k++) {
        struct str *list = k < failed ? &done : &left;
        str_printf(list, "%s%s", list->length ? " " : "", cli->arguments[k]);
    }
    if (cli->argument_count > 2)
        running_say(run, arena_printf(run->response.arena, _("Done: %s. Not done: %s."),
                                      done.length ? str_text(&done) : "-", str_text(&left)));
}

/* An option that the step's action does not know would be silently without effect. */
static bool options_fit(const struct cli *cli, const struct runbook_step *step)
{
    const struct {
        const char *action, *option;
        bool given;
    } rows[] = {{"restore", "--from", cli->from},
                {"restore", "--from-git", cli->from_git},
                {"restore", "--site", cli->site},
                {"restore", "--profile", cli->profile},
                {"holes", "--apply", cli->apply},
                {"holes", "--out", cli->out},
                {"holes", "--receipt", cli->receipt},
                {"holes", "--override", cli->override},
                {"scan", "--rules", cli->rules},
                {"isolate", "--mode", cli->mode},
                {"isolate", "--trial", cli->trial},
                {"isolate", "--allow", cli->allow && !asks_for_the_way(step)}};
    const char *does = str_equal(cli->arguments[0], "do")     ? step->action.name
                       : str_equal(cli->arguments[0], "undo") ? step->undo.name
                                                              : NULL;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (rows[i].given && !str_equal(does, rows[i].action)) {
            cli_usage(cli, _("%s is of the step that does \"%s\""), rows[i].option, rows[i].action);
            return false;
        }
    return true;
}

/* Then the ledger is verified once that is done. */
static bool cuts_first(struct running *run, size_t i)
{
    const struct cli *cli = run->cli;
    const struct runbook_step *step =
        actions[i].on_step ? runbook_find(run->response.book, cli->arguments[1]) : NULL;
    return step && !cli->dry_run && !cli->first_sign &&
           ((actions[i].on_step == do_step && respond_cuts(&step->action)) ||
            (actions[i].on_step == undo && respond_cuts(&step->undo)));
}

static int run_action(struct running *run, size_t i)
{
    struct cli *cli = run->cli;
    struct error e = ERROR_INIT;
    bool opens = actions[i].run == start || actions[i].run == watch;
    if (!opens && (!respond_open(&run->response, NULL, &e) ||
                   (!cuts_first(run, i) && !respond_verify(&run->response, &e))))
        return actions[i].run == end ? give_up(run, &e) : failed(&e);
    if (cli->first_sign && actions[i].run != start && actions[i].run != resume &&
        actions[i].on_step != do_step)
        return cli_usage(cli, _("--first-sign goes with start, do STEP and resume"));
    if (cli->quarantine && respond_target_kind(&run->response) == TARGET_IMAGE)
        return cli_usage(cli, _("nothing is moved on an image: it is evidence"));
    if (cli->first_sign && actions[i].run != start && !respond_first_sign(&run->response, &e))
        return failed(&e);
    if (actions[i].run)
        return actions[i].run(run);
    if (actions[i].on_name) {
        for (size_t k = 1; k < cli->argument_count; k++) {
            int code = actions[i].on_name(run, cli->arguments[k]);
            if (code != EXIT_CLEAN) {
                say_how_far(run, k);
                return code;
            }
        }
        return stands(run);
    }
    const struct runbook_step *step = runbook_find(run->response.book, cli->arguments[1]);
    if (step && !options_fit(cli, step))
        return EXIT_USAGE;
    if (!step)
        return cli_usage(cli, _("there is no step %s: yagura respond status"), cli->arguments[1]);
    return actions[i].on_step(run, step);
}

static void take_config(struct respond_options *o, const struct config *c)
{
    o->dpkg = c->dpkg;
    o->pages = c->health;
    o->page_count = c->health_count;
    o->health_command = c->respond_health;
    o->watch_hours = (unsigned)c->watch_hours;
    o->isolate_again = c->isolate_again;
    o->known_ports = c->allow;
    o->known_port_count = c->allow_count;
}

/* The error was said. A full disk is no reason to stay connected. */
static int without_state(struct running *run)
{
    struct statvfs disk;
    char dir[4096];
    if (state_default_dir(dir, sizeof dir, run->cli->state, NULL) && statvfs(dir, &disk) == 0 &&
        disk.f_bavail < LEAST_BLOCKS)
        running_say(
            run,
            _("The disk is full. Make room first: the state needs a few MiB. If that takes time, "
              "cut this host off at once, from a state elsewhere: yagura respond start --state "
              "/run/yagura, then yagura respond do isolate --state /run/yagura"));
    struct stat st;
    if (state_default_dir(dir, sizeof dir, run->cli->state, NULL) && stat(dir, &st) == 0 &&
        geteuid() != 0 && st.st_uid != geteuid())
        running_say(
            run, arena_printf(run->response.arena,
                              _("This state is another user's (uid %u): go on with the incident as "
                                "that one (sudo); the ledger notes who you are."),
                              st.st_uid));
    return EXIT_UNKNOWN;
}

int cmd_respond(struct cli *cli)
{
    static const char question[] = N_("respond start, status, next, do STEP, skip STEP, undo STEP, "
                                      "sign ID, lock, expire, unlock or end-sessions ACCOUNT, "
                                      "rotate FILE, confirm, resume, close, watch or print?");
    const char *word = cli->argument_count ? cli->arguments[0] : "status";
    if (str_equal(word, "print") && cli->argument_count == 1)
        return print(cli);
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++) {
        size_t wants = actions[i].run ? 1 : 2;
        if (!str_equal(word, actions[i].name))
            continue;
        bool many = actions[i].on_name != NULL;
        if ((cli->argument_count > wants && !many) || (wants == 2 && cli->argument_count < 2))
            return cli_usage(cli,
                             many         ? _("which one? yagura respond %s NAME ...")
                             : wants == 2 ? _("which one? yagura respond %s STEP")
                                          : _("yagura respond %s takes no more words"),
                             word);
        if (cli->quarantine && (actions[i].on_step != do_step || cli->image))
            return cli_usage(cli, _("--quarantine goes with yagura respond do scan"));
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct running run = {.cli = cli, .config = cli_config(cli)};
        run.options = (struct respond_options){.who = cli->who ? cli->who : cli_who(),
                                               .because = cli->because,
                                               .first_sign = cli->first_sign,
                                               .dry_run = cli->dry_run,
                                               .from = cli->from,
                                               .from_git = cli->from_git,
                                               .site = cli->site,
                                               .profile = cli->profile,
                                               .apply = cli->apply,
                                               .out = cli->out,
                                               .allow = cli->allow,
                                               .mode = cli->mode};
        running_answers(&run);
        /* they are asked again later, from wherever that is */
        CLEANUP_FREE char *rules = cli->rules ? realpath(cli->rules, NULL) : NULL;
        run.options.rules = rules ? rules : cli->rules;
        run.response = (struct response){.arena = arena, .options = &run.options};
        if (!run.config)
            return EXIT_USAGE;
        uint64_t seconds = 0;
        if (cli->trial && (!str_to_u64(cli->trial, &seconds) || seconds > FIREWALL_LONGEST)) {
            config_free(run.config);
            return cli_usage(cli, _("a trial lasts %d to %d seconds"), FIREWALL_SHORTEST,
                             FIREWALL_LONGEST);
        }
        run.options.trial_seconds = (unsigned)seconds;
        take_config(&run.options, run.config);
        run.response.state = cli_state_or_fail(cli);
        int code = run.response.state ? run_action(&run, i) : without_state(&run);
        respond_close(&run.response);
        state_close(run.response.state);
        config_free(run.config);
        return code;
    }
    return cli_unknown_action(cli, _(question));
}

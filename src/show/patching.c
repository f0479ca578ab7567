#include "show/patching.h"

#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>

/* --- the plan's file --- */

static const char *held_text(const char *held)
{
    return str_equal(held, "hold")  ? _("held by apt-mark")
           : str_equal(held, "pin") ? _("held by a pin")
                                    : _("phased: not this host's turn yet");
}

void show_patch_plan(struct show *s, const struct patch_plan *p, const char *path)
{
    if (s->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "plan");
        json_put_string(o, "path", path);
        json_put_string(o, "sha256", p->hash);
        json_put_int(o, "packages", (int64_t)p->packages.count);
        json_put_int(o, "held", (int64_t)p->held.count);
        show_json_line(s, o);
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    fputc('\n', s->out);
    show_wrap(s, "", 0,
              arena_printf(arena, _("Written to %s: packages %zu, SHA-256 %s"), path,
                           p->packages.count, p->hash));
    for (size_t i = 0; i < p->held.count; i++)
        show_wrap(s, "  ", 4,
                  arena_printf(arena, _("not in it: %s %s (%s)"), p->held.items[i].name,
                               p->held.items[i].to, held_text(p->held.items[i].held)));
    if (!p->packages.count)
        return;
    show_hint(s, _("Try it on a test host:"),
              show_command_on(arena, arena_printf(arena, "patch stage %s", path), false));
    show_hint(s, _("Or apply it here, where there is no test host:"),
              show_command_on(arena, arena_printf(arena, "patch apply %s", path), false));
}

/* --- before --- */

static void message_line(struct show *s, const char *type, const char *key, const char *first,
                         enum show_colour colour, const struct message *m)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (s->json) {
        json_t *o = json_object();
        json_put_string(o, "type", type);
        if (key)
            json_put_string(o, "key", key);
        json_put_string(o, "text", message_text(arena, m));
        show_json_line(s, o);
        return;
    }
    show_colour(s, colour);
    show_wrap(s, first, 2, show_message(arena, m));
    show_colour(s, SHOW_PLAIN);
}

static const char *or_dash(const char *version)
{
    return *version ? version : "-";
}

enum { SCREEN = 20 };

static bool is_cut(const struct show *s, const struct patching *p)
{
    return !s->all && p->packages.count > SCREEN;
}

static void show_where_all_is(struct show *s, const struct patching_request *r, const char *path)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *word = r->staging ? "stage" : "apply";
    show_hint(s, _("All of them:"),
              show_command_on(arena, arena_printf(arena, "patch %s %s --dry-run --all", word, path),
                              false));
}

static void show_packages(struct show *s, const struct patching *p)
{
    size_t shown = is_cut(s, p) ? SCREEN : p->packages.count;
    struct show_table t = {.columns = 5, .indent = 2};
    struct show_line *head = show_table_line(&t, SHOW_BOLD);
    const char *const titles[] = {_("PACKAGE"), _("FROM"), _("TO"), _("SOURCE"), _("CLOSES")};
    for (size_t i = 0; i < ARRAY_COUNT(titles); i++)
        head->cells[i] = titles[i];
    for (size_t i = 0; i < shown; i++) {
        const struct patching_package *row = &p->packages.items[i];
        struct show_line *line = show_table_line(&t, SHOW_PLAIN);
        line->cells[0] = row->wanted->name;
        line->cells[1] = or_dash(row->before);
        line->cells[2] = or_dash(row->wanted->to);
        line->cells[3] = row->wanted->source;
        line->cells[4] = row->wanted->dependency ? _("comes along") : row->wanted->closes;
    }
    show_table(s, &t, false);
}

/* `undo`: not the command of apt with all versions, but ours, which does the same. */
static void show_way_back(struct show *s, struct arena *arena, const struct patching *p, bool undo)
{
    char *command = arena_strdup(arena, p->way_back);
    for (char *c = command; *c; c++)
        *c = *c == ' ' ? SHOW_COMMAND_BLANK : *c;
    if (*command)
        show_hint(s, _("The way back:"),
                  undo && !*p->missing ? show_command(arena, "patch undo") : command);
    if (*p->missing)
        show_wrap(
            s, "! ", 2,
            arena_printf(arena,
                         _("There is no way back for these: no archive has them any more, nor "
                           "has apt's cache. Keep the packages first: %s"),
                         p->missing));
}

void show_patching_question(struct show *s, const struct patching *p,
                            const struct patching_request *r, const char *path)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t along = 0;
    for (size_t i = 0; i < p->packages.count; i++)
        along += p->packages.items[i].wanted->dependency;
    fputc('\n', s->out);
    show_wrap(
        s, "", 2,
        arena_printf(arena,
                     _("%s, SHA-256 %.12s: packages %zu, of which %zu come along and %zu have "
                       "their version already"),
                     path, r->plan->hash, p->packages.count, along, p->there));
    if (is_cut(s, p))
        show_where_all_is(s, r, path);
    fflush(s->out);
}

void show_patching_check(struct show *s, const struct patching *p, const struct patching_request *r,
                         const char *path)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (!s->json) {
        show_wrap(s, "", 0,
                  arena_printf(arena, _("The plan of %.10s for %s: packages %zu, SHA-256 %s"),
                               r->plan->made, r->plan->host, r->plan->packages.count,
                               r->plan->hash));
        if (r->receipt)
            show_wrap(s, "", 0,
                      arena_printf(arena, _("Tried on %s on %.10s by %s"), r->receipt->host,
                                   r->receipt->when, r->receipt->who));
        if (p->packages.count)
            show_packages(s, p);
        if (is_cut(s, p)) {
            show_wrap(s, "  ", 2,
                      arena_printf(arena, _("... and %zu more."), p->packages.count - SCREEN));
            show_where_all_is(s, r, path);
        }
    }
    for (size_t i = 0; i < p->notes.count; i++)
        message_line(s, "note", NULL, p->cut_off && !i ? "! " : "- ",
                     p->cut_off && !i ? SHOW_RED : SHOW_PLAIN, &p->notes.items[i]);
    for (size_t i = 0; i < p->opinion.notes.count; i++)
        message_line(s, "note", NULL, "! ", SHOW_YELLOW, &p->opinion.notes.items[i]);
    for (size_t i = 0; i < p->opinion.refusals.count; i++)
        message_line(s, "refusal", p->opinion.refusals.items[i].key, "! ", SHOW_RED,
                     &p->opinion.refusals.items[i].text);
    for (size_t i = 0; i < p->obstacles.count; i++)
        message_line(s, "obstacle", NULL, "! ", SHOW_RED, &p->obstacles.items[i]);
    if (!s->json && !p->obstacles.count)
        show_way_back(s, arena, p, is_cut(s, p));
}

static void foreseen(struct show *s, const char *what, const char *name, const char *outcome,
                     const char *text)
{
    if (!s->json) {
        show_wrap(s, "- ", 2, text);
        return;
    }
    json_t *o = json_object();
    json_put_string(o, "type", "foreseen");
    json_put_string(o, "what", what);
    json_put_string(o, "name", name);
    if (outcome)
        json_put_string(o, "outcome", outcome);
    show_json_line(s, o);
}

void show_patching_foreseen(struct show *s, const struct patching *p)
{
    static const char *const texts[] = {[SERVICE_RESTARTED] = N_("would be restarted: %s"),
                                        [SERVICE_FAILED] = NULL, /* nothing has failed yet */
                                        [SERVICE_LEFT] = N_("would need a restart of the host: %s"),
                                        [SERVICE_BY_HAND] =
                                            N_("would have to be restarted by hand: %s")};
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < p->services.count; i++) {
        const struct patching_service *v = &p->services.items[i];
        foreseen(s, "service", v->unit, services_outcome_name(v->outcome),
                 arena_printf(arena, language_text(texts[v->outcome]), v->unit));
    }
    for (size_t i = 0; i < p->pages.count; i++)
        foreseen(
            s, "page", p->pages.items[i].url, NULL,
            arena_printf(arena, _("would be asked before and after: %s"), p->pages.items[i].url));
}

void show_patching_step(struct show *s, enum patching_step step)
{
    static const char *const texts[] = {
        [PATCHING_AUDITS] = N_("Looking at the host, asking its pages ..."),
        [PATCHING_FETCHES] = N_("Fetching ..."),
        [PATCHING_INSTALLS] = N_("Installing: what dpkg begins it finishes ..."),
        [PATCHING_RESTARTS] = N_("Restarting what needs it ..."),
        [PATCHING_ASKS] = N_("Asking the pages again ..."),
        [PATCHING_AUDITS_AGAIN] = N_("Looking at the host again ...")};
    if (!s->json) {
        show_wrap(s, "", 2, language_text(texts[step]));
        fflush(s->out);
    }
}

/* --- afterwards --- */

static void package_result(struct show *s, struct arena *arena, const struct patching_package *row)
{
    bool good = row->finished && str_equal(row->after, row->wanted->to);
    if (s->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "package");
        json_put_string(o, "name", row->wanted->name);
        json_put_string(o, "arch", row->wanted->arch);
        json_put_string(o, "before", row->before);
        json_put_string(o, "after", row->after);
        json_put_string(o, "to", row->wanted->to);
        json_put_bool(o, "configured", row->finished);
        show_json_line(s, o);
        return;
    }
    if (good)
        return;
    show_colour(s, SHOW_RED);
    show_wrap(s, "! ", 2,
              str_equal(row->after, row->wanted->to)
                  ? arena_printf(arena,
                                 _("%s %s is unpacked and not configured: its script failed"),
                                 row->wanted->name, row->after)
                  : arena_printf(arena, _("%s is %s, and should be %s"), row->wanted->name,
                                 or_dash(row->after), row->wanted->to));
    show_colour(s, SHOW_PLAIN);
}

static void service_result(struct show *s, struct arena *arena, const struct patching_service *v)
{
    static const char *const texts[] = {
        [SERVICE_RESTARTED] = N_("%s was restarted"),
        [SERVICE_FAILED] = N_("%s does not run: %s"),
        [SERVICE_LEFT] = N_("%s still runs in its old form: it needs a restart of the host"),
        [SERVICE_BY_HAND] =
            N_("%s still runs in its old form: restart it by hand, systemd does not "
               "run it here")};
    if (s->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "service");
        json_put_string(o, "unit", v->unit);
        json_put_string(o, "outcome", services_outcome_name(v->outcome));
        json_put_string(o, "error", *v->why ? v->why : NULL);
        show_json_line(s, o);
        return;
    }
    show_wrap(s, v->outcome == SERVICE_RESTARTED ? "- " : "! ", 2,
              arena_printf(arena, language_text(texts[v->outcome]), v->unit, v->why));
}

static const char *status_text(struct arena *arena, int status, const char *why)
{
    return status ? arena_printf(arena, "%d", status)
                  : arena_printf(arena, _("no answer (%s)"), why);
}

static void page_result(struct show *s, struct arena *arena, const struct patching_page *p)
{
    if (s->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "page");
        json_put_string(o, "url", p->url);
        json_put_int(o, "before", p->before);
        json_put_int(o, "after", p->after);
        json_put_string(o, "error", *p->why_after ? p->why_after : NULL);
        show_json_line(s, o);
        return;
    }
    bool same = p->before && p->before == p->after;
    show_wrap(s, same ? "- " : "! ", 2,
              same ? arena_printf(arena, _("%s answers as before: %d"), p->url, p->after)
                   : arena_printf(arena, _("%s: before %s, now %s"), p->url,
                                  status_text(arena, p->before, p->why_before),
                                  status_text(arena, p->after, p->why_after)));
}

static json_t *summary_of(const struct patching *p, const struct patching_request *r)
{
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_string(o, "plan", r->plan->hash);
    json_put_int(o, "found", (int64_t)patching_failures(p));
    json_put_int(o, "unknown", (int64_t)patching_unknown(p));
    json_put_string(o, "way_back", *p->way_back ? p->way_back : NULL);
    json_put_string(o, "missing", *p->missing ? p->missing : NULL);
    return o;
}

void show_patching_end(struct show *s, const struct patching *p, const struct patching_request *r,
                       bool refused)
{
    if (s->json) {
        json_t *o = summary_of(p, r);
        json_put_int(o, "found",
                     refused ? (int64_t)(p->obstacles.count + p->opinion.refusals.count) : 0);
        json_put_int(o, "unknown", 0);
        json_put_bool(o, "refused", refused);
        json_put_bool(o, "changed", false);
        show_json_line(s, o);
        return;
    }
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (p->obstacles.count)
        show_wrap(s, "", 0, _("Nothing was changed: this plan does not fit."));
    else if (refused)
        show_wrap(s, "", 0,
                  _("Nothing was changed: the policy refuses. Against it: --override --because "
                    "TEXT, and the ledger keeps both."));
    else if (p->packages.count && p->there == p->packages.count && !p->unfinished)
        show_wrap(s, "", 0, _("Every package of the plan has its version already."));
    else
        show_wrap(s, "", 0, _("Nothing was changed: this was a look only."));
}

static void open_again(struct show *s, struct arena *arena, const struct patching *p)
{
    if (p->before && p->after)
        show_wrap(s, "", 0,
                  arena_printf(arena, _("Open before: %zu. Open now: %zu."), p->before->open,
                               p->after->open));
    else
        show_wrap(s, "! ", 2, _("The host could not be audited afterwards."));
}

/* Why, once, and not of each package that it is as it was. */
static void not_fetched(struct show *s, struct arena *arena, const struct patching *p)
{
    show_colour(s, SHOW_RED);
    if (p->cut_off)
        show_wrap(s, "! ", 2, show_message(arena, &p->notes.items[0]));
    show_wrap(s, "! ", 2, p->problem.message);
    show_wrap(s, "! ", 2,
              arena_printf(arena,
                           ngettext("No package was changed: %zu is as it was.",
                                    "No package was changed: %zu are as they were.",
                                    p->packages.count - p->there),
                           p->packages.count - p->there));
    show_colour(s, SHOW_PLAIN);
}

void show_patching_result(struct show *s, const struct patching *p,
                          const struct patching_request *r, const char *receipt)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t failures = patching_failures(p);
    if (!s->json && p->not_fetched)
        not_fetched(s, arena, p);
    for (size_t i = 0; i < p->packages.count && (s->json || !p->not_fetched); i++)
        package_result(s, arena, &p->packages.items[i]);
    for (size_t i = 0; i < p->services.count; i++)
        service_result(s, arena, &p->services.items[i]);
    for (size_t i = 0; i < p->pages.count; i++)
        page_result(s, arena, &p->pages.items[i]);
    if (s->json) {
        json_t *o = summary_of(p, r);
        json_put_bool(o, "refused", false);
        json_put_bool(o, "changed", true);
        json_put_string(o, "problem", p->problem.code ? p->problem.message : NULL);
        json_put_string(o, "log", p->log);
        json_put_string(o, "receipt", receipt);
        json_put_int(o, "open_before", p->before ? (int64_t)p->before->open : 0);
        json_put_int(o, "unknown",
                     (int64_t)patching_unknown(p) + (r->staging && !failures && !receipt));
        json_object_set_new(o, "open_after",
                            p->after ? json_integer((json_int_t)p->after->open) : json_null());
        show_json_line(s, o);
        return;
    }
    if (!p->pages.count)
        show_wrap(s, "- ", 2,
                  _("No site was found to ask for a page (health: in the configuration names "
                    "some)."));
    if (p->problem.code && !p->not_fetched)
        show_wrap(s, "! ", 2, p->problem.message);
    open_again(s, arena, p);
    show_hint(s, _("What apt and dpkg said:"), p->log);
    show_way_back(s, arena, p, false);
    if (*p->way_back && !*p->missing)
        show_hint(s, _("Or:"), show_command(arena, "patch undo"));
    if (receipt)
        show_wrap(s, "", 0,
                  arena_printf(arena, _("The receipt: %s and %s.minisig. On the other host: %s"),
                               receipt, receipt,
                               show_command_on(arena, "patch apply PLAN --receipt FILE", false)));
    else if (r->staging && failures)
        show_wrap(s, "", 0, _("No receipt: this did not go well."));
    if (failures)
        show_wrap(s, "", 0,
                  arena_printf(arena,
                               ngettext("%zu thing is not as it should be.",
                                        "%zu things are not as they should be.", failures),
                               failures));
    else
        show_wrap(s, "", 0, _("All packages have the plan's versions."));
}

/* --- the policy --- */

/* A paragraph, each line of which begins so. */
static void comment(struct show *s, const char *first, const char *text)
{
    enum { MARGIN = 8 };
    CLEANUP_FREE char *lines = NULL;
    size_t size = 0, position = 0, length;
    const char *line;
    struct show inner = *s;
    inner.out = open_memstream(&lines, &size);
    if (!inner.out)
        mem_gone();
    inner.width = s->width - MARGIN;
    show_wrap(&inner, "", 0, text);
    fclose(inner.out);
    while (str_next_line(lines, size, &position, &line, &length))
        fprintf(s->out, "%s%.*s\n", first, (int)length, line);
}

void show_patch_policy(struct show *s)
{
    static const struct {
        const char *comment, *line;
    } rows[] = {
        {N_("How patches are applied here: a policy for yagura.yaml, to be cut to size. "
            "What it refuses takes --override --because TEXT, and the ledger keeps that."),
         "patch:\n  policy:\n"},
        {N_("Only what was tried on a test host (yagura patch stage), no longer ago than so many "
            "days."),
         "    staging: yes\n    receipt_days: 14\n"},
        {N_("Whose receipts are believed: the second line of keys/ledger.pub in the state of the "
            "test host. Without keys any receipt is taken, and said to be of a key that is not "
            "known."),
         "    #receipt_keys: [RWQ...]\n"},
        {N_("Who applies is not who answers for the staging (any: may be the same)."),
         "    approver: other\n"},
        {N_("When it may be done. A window over midnight belongs to the day on which it opens."),
         "    window: {days: tue wed thu, from: \"22:00\", to: \"04:00\", zone: Asia/Tokyo}\n"},
        {N_("A backup that is fresh: a file or folder by its age, or a command that ends with 0 "
            "where all is well."),
         "    backup: {path: /var/backups, hours: 24}\n"},
        {N_("Pages that are asked before and after, over loopback; without them one of each site "
            "that is found."),
         "#health: [https://www.example.com/]\n"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        comment(s, rows[i].line[0] == ' ' ? "    # " : "# ", language_text(rows[i].comment));
        fputs(rows[i].line, s->out);
    }
}

#include "judge/advisory_internal.h"

#include "base/str.h"
#include "judge/ports.h"
#include "model/date.h"

#include <stdio.h>

/* What of it is there for the world to reach. */
struct reach {
    bool published;   /* it has to be open */
    bool shut_out;    /* it has no business outside */
    struct str ports; /* that are listening, or may be: "80/tcp, 8080/tcp" */
};

/* A web server's own port, whatever its number: what it publishes has to be open. */
static bool is_web(const struct fact *listener)
{
    return port_opinion_of(listener) == PORT_PUBLISHED ||
           str_find_nocase(fact_text(listener, "service"), "W3SVC") ||
           str_find_nocase(fact_text(listener, "process"), "http");
}

static void add_port(struct reach *r, const char *port)
{
    if (!strstr(str_text(&r->ports), port))
        str_printf(&r->ports, "%s%s", r->ports.length ? ", " : "", port);
}

static void take_listener(struct reach *r, const struct fact *f)
{
    char port[16];
    snprintf(port, sizeof port, "%.6s/%.4s", fact_text(f, "port"), fact_text(f, "proto"));
    add_port(r, port);
    r->published |= is_web(f);
    r->shut_out |= port_opinion_of(f) == PORT_NO_BUSINESS;
}

/* Is anything listening there? UNKNOWN where the listeners are not known at all. */
static enum truth listens(const struct facts *facts, const char *port, struct reach *r)
{
    char number[8], proto[8] = "tcp";
    if (sscanf(port, "%7[0-9]/%7s", number, proto) < 1)
        return TRUTH_UNKNOWN;
    if (!facts_first(facts, "listener")) { /* what a web server is for */
        r->published |= str_equal(number, "80") || str_equal(number, "443");
        add_port(r, port);
        return TRUTH_UNKNOWN;
    }
    enum truth there = TRUTH_FALSE;
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f)) {
        if (!str_equal(fact_text(f, "port"), number) || !str_equal(fact_text(f, "proto"), proto) ||
            str_equal(fact_text(f, "scope"), "loopback"))
            continue;
        take_listener(r, f);
        there = TRUTH_TRUE;
    }
    return there;
}

/* Any of the ports; a web server may publish its pages through another than the advisory's 80. */
static enum truth publishes(const struct facts *facts, const struct advisory_case *c,
                            struct reach *r)
{
    enum truth there = TRUTH_FALSE;
    for (const char *port = c->port; *port;) {
        char one[16];
        size_t length = strcspn(port, " ");
        snprintf(one, sizeof one, "%.*s", (int)length, port);
        there = truth_or(there, listens(facts, one, r));
        port += length + (port[length] == ' ');
    }
    if (there != TRUTH_FALSE || !str_equal(c->port, "80/tcp"))
        return there;
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f)) {
        if (!is_web(f) || str_equal(fact_text(f, "scope"), "loopback"))
            continue;
        take_listener(r, f);
        there = TRUTH_TRUE;
    }
    return there;
}

/* Whether the host's own filter shuts the port. Only the one of Windows is believed: its list is
 * in force, and whole. What is published is never taken for shut. */
static bool is_filtered(const struct facts *facts, const struct advisory_case *c,
                        const struct reach *r)
{
    char number[8], proto[8] = "";
    const struct fact *host = facts_first(facts, "host");
    const char *list = host ? fact_text(host, "tcp_let_in") : "";
    if (!*list || r->published || strchr(c->port, ' ') ||
        sscanf(c->port, "%7[0-9]/%7s", number, proto) != 2 || !str_equal(proto, "tcp"))
        return false;
    while (*list) {
        size_t length = strcspn(list, " ;");
        if ((length == 1 && *list == '0') ||
            (length == strlen(number) && memcmp(list, number, length) == 0))
            return false;
        list += length + strspn(list + length, " ;");
    }
    return true;
}

/* Several vulnerabilities of one document say the same things: each once. */
static void add_message_once(struct finding *f, struct message m)
{
    for (size_t i = 0; i < f->notes.count; i++) {
        if (message_equal(&f->notes.items[i], &m))
            return;
    }
    VEC_PUSH(&f->notes, m);
}

static void add_note(struct finding *f, const char *id, const char *name, const char *value)
{
    struct message m = message_of(id);
    if (name)
        message_put(&m, name, value);
    add_message_once(f, m);
}

/* One of several vulnerabilities that can be reached is enough. */
static void add_reach(struct judging *j, const struct advisory_case *c, struct finding *f,
                      bool first)
{
    bool blocked = false;
    struct reach reach = {0};
    enum truth there = *c->port ? publishes(j->in->facts, c, &reach) : TRUTH_UNKNOWN;
    const char *through =
        reach.ports.length ? arena_strdup(j->out->arena, str_text(&reach.ports)) : c->port;
    str_free(&reach.ports);
    f->reachable |= c->network && c->no_login;
    if (*c->port)
        f->port = through;
    const struct fact *why = NULL;
    if (*c->exposed_by && j->in->rule(j->in->rule_context, c->exposed_by, &why) == TRUTH_FALSE) {
        blocked = true;
        add_note(f,
                 N_("Nothing leads to it at the moment: what exposes it is switched off or "
                    "commented out. The hole itself is still there, and a setup program or "
                    "a policy can bring the way to it back."),
                 NULL, NULL);
    } else if (*c->port && there == TRUTH_FALSE) {
        blocked = true;
        add_note(f, N_("Nothing listens on {port} at the moment. The hole is still there."), "port",
                 c->port);
    } else if (*c->port && is_filtered(j->in->facts, c, &reach)) {
        blocked = true;
        add_note(f,
                 N_("The host's own TCP/IP filter does not let {port} in. The hole is still "
                    "there."),
                 "port", c->port);
    } else if (*c->port && c->network && reach.published) {
        add_note(f,
                 N_("A firewall or filter in front does not close this: it is reached through "
                    "{port}, which the server has to publish."),
                 "port", through);
    } else if (*c->port && c->network && reach.shut_out) {
        add_note(f,
                 N_("{port} has no business outside: shut it in front at once (yagura ports "
                    "--gateway). That keeps strangers away and leaves the hole open to whoever is "
                    "inside."),
                 "port", through);
    }
    f->unreachable = blocked && (first || f->unreachable);
}

/* A record in its own words: "inetd service=100232/10, state=active, ...". */
static const char *whole_record(struct arena *arena, const struct fact *fact)
{
    enum { MOST = 200 };
    CLEANUP_STR struct str out = {0};
    str_add(&out, fact->kind);
    for (size_t i = 0; i < fact->value_count; i++) {
        const struct fact_value *v = &fact->values[i];
        if (v->state != VALUE_TEXT || !*v->text || str_equal(v->key, "line") ||
            out.length + strlen(v->key) + strlen(v->text) > MOST)
            continue;
        str_printf(&out, "%s%s=%s", out.length > strlen(fact->kind) ? ", " : " ", v->key, v->text);
    }
    return arena_strdup(arena, str_text(&out));
}

static void add_evidence(struct finding *f, struct arena *arena, const struct fact *fact,
                         const char *key)
{
    if (!fact)
        return;
    const char *name = fact_text(fact, key ? key : "id");
    const struct fact_value *value = key ? fact_value(fact, key) : NULL;
    const char *text = !key     ? arena_printf(arena, "%s %s installed=%s", fact->kind, name,
                                               fact_text(fact, "installed"))
                       : !value ? whole_record(arena, fact)
                       : value->state == VALUE_ABSENT ? arena_printf(arena, _("%s: absent"), key)
                       : value->state == VALUE_UNREADABLE
                           ? arena_printf(arena, _("%s: unreadable (%s)"), key, value->text)
                           : arena_printf(arena, "%s = %s", key, value->text);
    struct evidence e = {fact->path, fact->line, fact->offset, text};
    VEC_PUSH(&f->evidence, e);
}

/* The file's own fact has the path as it is on the target. */
static const struct fact *file_fact(const struct facts *facts, const char *path)
{
    for (const struct fact *f = facts_first(facts, "file"); f; f = facts_next(facts, "file", f))
        if (str_equal_nocase(fact_text(f, "path"), path))
            return f;
    return NULL;
}

static void add_file_evidence(struct judging *j, struct finding *f,
                              const struct advisory_file *file)
{
    if (!file)
        return;
    char *key = arena_printf(j->out->arena, "file-version:%s", file->path);
    const struct fact *host = facts_first(j->in->facts, "host");
    const struct fact_value *v = host ? fact_value(host, key) : NULL;
    const struct fact *own = file_fact(j->in->facts, file->path);
    const char *path = own && *fact_text(own, "actual") ? fact_text(own, "actual") : file->path;
    /* "vers:windows/>=4.2.748.1" is for programs; ">=4.2.748.1" says the same. */
    const char *scheme = str_starts(file->range, "vers:") ? strchr(file->range, '/') : NULL;
    const char *range = scheme ? scheme + 1 : file->range;
    bool from = str_starts(range, ">=") && !strpbrk(range + 2, "<>=|!");
    struct arena *arena = j->out->arena;
    const char *text =
        !v ? arena_printf(arena, _("%s was not looked at; fixed: %s"), file->path, range)
        : v->state == VALUE_ABSENT
            ? arena_printf(arena, _("%s is not there; fixed: %s"), file->path, range)
        : v->state == VALUE_UNREADABLE
            ? arena_printf(arena, _("%s could not be read (%s); fixed: %s"), file->path, v->text,
                           range)
        : from ? arena_printf(arena, _("%s is %s, fixed in %s"), file->path, v->text, range + 2)
               : arena_printf(arena, _("%s is %s; fixed: %s"), file->path, v->text, range);
    struct evidence e = {path, 0, -1, text};
    VEC_PUSH(&f->evidence, e);
}

static void say_verdict(struct judging *j, const struct advisory_case *c,
                        const struct assessment *a, struct finding *f)
{
    static const char *const summaries[] = {
        [VERDICT_AFFECTED] = N_("{title}: open on {product}"),
        [VERDICT_BROKEN] = N_("{title}: recorded as applied on {product}, but the files are old"),
        [VERDICT_UNKNOWN] = N_("{title}: cannot judge {product}"),
        [VERDICT_FIXED] = N_("{title}: fixed on {product}"),
        [VERDICT_NOT_AFFECTED] = N_("{title}: {product} is not affected"),
        [VERDICT_ACCEPTED] = N_("{title}: accepted on {product}"),
    };
    f->summary = message_of(summaries[a->verdict]);
    if (a->verdict == VERDICT_BROKEN && a->proof == PROOF_NONE)
        f->summary = message_of(N_("{title}: recorded as applied on {product}, but the host's own "
                                   "list of patches lacks it"));
    message_put_translated(&f->summary, "title", c->advisory->title);
    message_put_translated(&f->summary, "product", c->title);
    if (*c->advisory->description)
        f->why = message_of(c->advisory->description);
    else if (*c->advisory->summary)
        f->why = message_of(c->advisory->summary);

    if (a->why.id)
        VEC_PUSH(&f->notes, a->why);
    if (a->marker == MARKER_LOST && a->verdict == VERDICT_AFFECTED)
        add_note(f,
                 N_("The ledger says that {patch} was applied. A service pack was installed "
                    "since, and the host's own list does not have it any more: lost with the "
                    "service pack. Apply it again."),
                 "patch", a->claimed_patch);
    if (a->verdict == VERDICT_BROKEN && a->marker == MARKER_DENIED)
        add_note(f,
                 N_("The ledger says that {patch} was applied. The host was in use since, and "
                    "its own list does not have it: it was taken out, or never went in. Apply it "
                    "again."),
                 "patch", a->claimed_patch);
    else if (a->verdict == VERDICT_BROKEN && a->marker_fact)
        add_note(f,
                 N_("The record says that {patch} was applied. The file says that it is not "
                    "there (any more): a service pack or a repair may have taken it away. "
                    "Apply it again."),
                 "patch", a->claimed_patch);
    else if (a->verdict == VERDICT_BROKEN)
        add_note(f,
                 N_("The service pack of this host contains {patch}. The file says that it is "
                    "not there (any more): an older file may have been put back. Apply it again."),
                 "patch", a->claimed_patch);
    if (a->proof == PROOF_UNREADABLE && a->file && a->file->core && !a->why.id)
        add_note(f,
                 N_("It does not run without {file}. Where that was not found or could not be "
                    "read, nobody can say which version runs."),
                 "file", a->file->path);
    if (a->unproven && a->verdict == VERDICT_FIXED) {
        struct message m =
            message_of(N_("The service pack of this host contains {patch}, but {file}, which would "
                          "prove it, could not be read."));
        message_put(&m, "patch", a->claimed_patch);
        message_put(&m, "file", a->unproven->path);
        add_message_once(f, m);
    }
    if (a->not_recorded)
        add_note(f,
                 N_("The files are new enough though no record says that the patch was "
                    "applied."),
                 NULL, NULL);
    if (a->verdict == VERDICT_FIXED && a->by_claim)
        add_note(f,
                 N_("This rests on the record alone: no file version is known that would "
                    "prove it."),
                 NULL, NULL);
    if (a->marker == MARKER_PENDING)
        add_note(f, N_("{patch} is installed and waits for a restart."), "patch",
                 a->claimed_patch ? a->claimed_patch : "");
}

static void say_superseded(struct finding *f, const char *id, const char *patch,
                           const struct patches *p, const char *newest)
{
    const struct advisory_patch *by = patches_find(p, newest);
    if (!by || str_equal_nocase(newest, patch))
        return;
    struct message m = message_of(id);
    message_put(&m, "patch", patch);
    message_put(&m, "newest", newest);
    message_put(&m, "advisory", by->advisory_id);
    add_message_once(f, m);
}

/* The patch, if it is known today and was not that day. */
static const struct advisory_patch *came_later(const struct patches *then,
                                               const struct patches *today, const char *key)
{
    return then && !patches_find(then, key) ? patches_find(today, key) : NULL;
}

/* The patch that closes it, with its newest successor at that date; then the settings. What
 * has superseded it since that date is named too: the page of that day, read today. */
static void say_remedy(struct judging *j, const struct advisory_case *c, const char *version,
                       struct patches *p, struct finding *f)
{
    struct patches *today =
        p && j->in->as_of != DATE_NONE ? advisory_graph(j, c->product, version, DATE_NONE) : p;
    for (size_t i = 0; i < c->patch_count; i++) {
        const struct advisory_patch *since = came_later(p, today, c->patches[i]);
        if (since) {
            struct message m = message_of(N_("There was no patch yet that day. {patch} "
                                             "({advisory}) came later."));
            message_put(&m, "patch", c->patches[i]);
            message_put(&m, "advisory", since->advisory_id);
            add_message_once(f, m);
            continue;
        }
        const char *newest = p ? patches_newest(p, c->patches[i]) : c->patches[i];
        bool listed = false;
        for (size_t k = 0; k < f->patches.count; k++)
            listed |= str_equal(f->patches.items[k], newest);
        if (!listed)
            VEC_PUSH(&f->patches, newest);
        if (!p)
            continue;
        say_superseded(f,
                       N_("{patch} has been superseded by {newest} ({advisory}): apply that one "
                          "instead."),
                       c->patches[i], p, newest);
        const char *newest_today = patches_newest(today, c->patches[i]);
        if (!str_equal_nocase(newest_today, newest))
            say_superseded(f, N_("Since that day {patch} was superseded by {newest} ({advisory})."),
                           newest, today, newest_today);
    }
    bool later = false;
    for (size_t i = 0; i < c->remedy_count; i++) {
        const struct advisory_remedy *r = &c->remedies[i];
        later |= !advisory_known(j, r->date);
        if (!advisory_known(j, r->date) || !*r->text)
            continue;
        struct message m = message_of(r->text);
        if (r->kind == REMEDY_PATCH && f->patches.count && p) {
            const struct advisory_patch *newest = patches_find(p, f->patches.items[0]);
            if (newest && newest->is_service_pack) { /* its key is for programs */
                m = message_of(N_("{patch}: {text}"));
                message_put_translated(&m, "patch", newest->title);
            } else {
                m = message_of(N_("{patch} ({advisory}): {text}"));
                message_put(&m, "patch", f->patches.items[0]);
                message_put(&m, "advisory", newest ? newest->advisory_id : c->advisory->id);
            }
            message_put_translated(&m, "text", r->text);
        }
        bool said = str_equal(f->remedy.id, r->text);
        for (size_t k = 0; k < f->steps.count; k++)
            said |= str_equal(f->steps.items[k].id, r->text);
        if (said)
            continue;
        if (!f->remedy.id)
            f->remedy = m;
        else
            VEC_PUSH(&f->steps, m);
    }
    /* A publisher may tie its text to the fixed product only: the patch itself is an answer. */
    if (!f->remedy.id && f->patches.count) {
        f->remedy = message_of(N_("Apply {patch}, on a test host first"));
        message_put(&f->remedy, "patch", f->patches.items[0]);
    }
    if (!f->remedy.id && later)
        f->remedy = message_of(N_("No remedy had been published by that day."));
}

void advisory_say_cves(struct finding *f, const struct advisory_case *c)
{
    for (size_t i = 0; i < c->cve_count; i++) {
        bool there = false;
        for (size_t k = 0; k < f->cves.count; k++)
            there |= str_equal(f->cves.items[k], c->cves[i]);
        if (!there)
            VEC_PUSH(&f->cves, c->cves[i]);
    }
}

static void add_exploits(struct judging *j, const struct advisory_case *c, struct finding *f)
{
    for (size_t i = 0; i < c->exploit_count; i++) {
        if (!advisory_known(j, c->exploits[i].date))
            continue;
        add_message_once(f, message_of(c->exploits[i].text));
        f->exploited = true;
    }
}

void advisory_say(struct judging *j, const struct advisory_case *c, const struct assessment *a,
                  struct finding *f)
{
    /* What an earlier, better verdict of the same document said does not hold any more. */
    f->notes.count = f->steps.count = f->patches.count = f->evidence.count = 0;
    f->remedy = (struct message){0};
    f->exploited = f->reachable = f->unreachable = false;
    say_verdict(j, c, a, f);
    add_file_evidence(j, f, a->file);
    add_evidence(f, j->out->arena, a->marker_fact, NULL);
    if (a->by_service_pack && a->proof != PROOF_NEW)
        add_evidence(f, j->out->arena, facts_first(j->in->facts, "host"), "service_pack");
    add_evidence(f, j->out->arena, a->rule_fact, "path");
}

void advisory_say_open(struct judging *j, const struct advisory_case *c, const char *version,
                       struct patches *p, struct finding *f, bool first)
{
    add_exploits(j, c, f);
    add_reach(j, c, f, first);
    say_remedy(j, c, version, p, f);
}

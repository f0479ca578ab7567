/* opening.c - an incident is begun, or found again as its ledger has it. */
#include "audit/audit.h"
#include "base/str.h"
#include "model/date.h"
#include "record/ledger.h"
#include "respond/clock.h"
#include "respond/respond_internal.h"
#include "respond/runbook_copy.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool respond_read_again(struct response *r, const char *id, struct error *e)
{
    const char *kept = arena_strdup(r->arena, id); /* it may lie in what is closed now */
    const struct incident before = r->incident;
    incident_close(&r->incident);
    if (!incident_read(&r->incident, r->state, kept, r->arena, e))
        return false;
    r->incident.verified = before.verified;
    r->incident.problems = before.problems;
    r->incident.problem = before.problem;
    incident_read_steps(&r->incident, r->book, r->arena);
    return true;
}

bool respond_read_first_sign(const struct response *r, int64_t now, int64_t *out, struct error *e)
{
    const char *said = r->options->first_sign;
    if (!date_parse(said, out)) {
        error_set(e, ERR_USAGE, "%.64s is no date (2026-11-26, or with T12:00:00+09:00)", said);
        return false;
    }
    if (*out <= now)
        return true;
    error_set(e, ERR_USAGE, "%.64s is yet to come: when did it first show?", said);
    return false;
}

/* It runs nothing of its own, but a step of it may ask for less than it seems to. */
static void say_if_others_write(const struct response *r)
{
    struct stat st;
    const char *path = r->book->path;
    if (stat(path, &st) == 0 &&
        (st.st_mode & (S_IWGRP | S_IWOTH) || (st.st_uid != 0 && st.st_uid != geteuid())))
        respond_say(r, arena_printf(r->arena,
                                    _("The runbook %s can be changed by others: read it before "
                                      "you follow it."),
                                    path));
}

/* Without a copy the incident goes on with the file itself: no reason to stay connected. */
static void keep_runbook(struct response *r, const char *id)
{
    struct error e = ERROR_INIT;
    if (!runbook_copy_keep(r, id, &e))
        respond_say(r, arena_printf(r->arena,
                                    _("No copy of the runbook could be kept (%s): leave %s as it "
                                      "is until the incident is closed."),
                                    e.message, r->book->path));
}

/* The next command may be typed in another folder. */
static const char *whole_path(struct response *r, const char *runbook)
{
    CLEANUP_FREE char *path = strchr(runbook, '/') ? realpath(runbook, NULL) : NULL;
    return path ? arena_strdup(r->arena, path) : runbook;
}

/* What cannot be looked at is not what an incident is about: a mistyped name would show steps
 * later. In the arena. */
static bool find_target(const char **out, struct response *r, const char *kind, const char *name,
                        struct error *e)
{
    CLEANUP(target_cleanup) struct target *t = NULL;
    *out = name;
    if (str_equal(kind, "live"))
        return true;
    if (!(str_equal(kind, "root") ? target_open_root : target_open_image)(&t, name, e))
        return false;
    CLEANUP_FREE char *path = realpath(name, NULL);
    *out = path ? arena_strdup(r->arena, path) : name;
    return true;
}

bool respond_start(struct response *r, const char *runbook, const char *target_kind,
                   const char *target, struct error *e)
{
    struct error none = ERROR_INIT;
    struct incident before;
    char hash[65];
    const char *id;
    int64_t first_sign = 0, now = date_now();
    if (incident_read(&before, r->state, NULL, r->arena, &none)) {
        bool open = !before.closed;
        if (open)
            error_set(e, ERR_USAGE, "incident %.64s is open: yagura respond status", before.id);
        incident_close(&before);
        if (open)
            return false;
    } else if (none.code != ERR_ABSENT) {
        *e = none;
        return false;
    }
    if ((r->options->first_sign && !respond_read_first_sign(r, now, &first_sign, e)) ||
        !find_target(&target, r, target_kind, target, e) ||
        !runbook_load(&r->book, runbook, r->arena, e) ||
        !incident_new_id(r->state, now, r->arena, &id, e))
        return false;
    say_if_others_write(r);
    keep_runbook(r, id);
    sodium_bin2hex(hash, sizeof hash, r->book->sha256, sizeof r->book->sha256);
    CLEANUP_JSON json_t *entry = incident_entry(id, "start", NULL, r->options->who);
    json_put_string(entry, "because", r->options->because ? r->options->because : "");
    json_put_string(entry, "runbook", whole_path(r, runbook));
    json_put_string(entry, "runbook_sha256", hash);
    json_put_string(entry, "target_kind", target_kind);
    json_put_string(entry, "target_argument", target);
    if (first_sign)
        clock_put_time(entry, "first_sign", first_sign);
    return ledger_append(r->state, entry, now, e) && respond_read_again(r, id, e);
}

bool respond_open(struct response *r, const char *id, struct error *e)
{
    if (!incident_read(&r->incident, r->state, id, r->arena, e) || !runbook_copy_open(r, e))
        return false;
    incident_read_steps(&r->incident, r->book, r->arena);
    return true;
}

bool respond_verify(struct response *r, struct error *e)
{
    return r->incident.verified || incident_verify(&r->incident, r->state, r->arena, e);
}

bool respond_cuts(const struct runbook_call *call)
{
    return call->name && str_equal(call->name, "isolate");
}

void respond_close(struct response *r)
{
    incident_close(&r->incident);
    runbook_free(r->book);
    objects_free(r->objects);
    audit_free(r->scan);
    r->scan = NULL;
    r->book = NULL;
    r->objects = NULL;
}

/* Step 5: every site as it was published last before the first sign of the intrusion. */
#include "audit/audit.h"
#include "base/language.h"
#include "base/str.h"
#include "content/mend.h"
#include "content/put_back.h"
#include "model/date.h"
#include "respond/actions.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_ASIDE = 1000 };

struct counted {
    json_t *aside; /* name beside the document root: path */
    size_t put_back, removed, failed;
    char first_error[512];
};

static void on_event(void *context, const struct mend_event *event)
{
    struct counted *c = context;
    if (event->evidence[0] && json_object_size(c->aside) < MOST_ASIDE)
        json_put_string(c->aside, event->evidence, event->path);
    if (event->undone)
        ++*(event->kind == DIFFERENCE_ADDED ? &c->removed : &c->put_back);
    if (!event->error)
        return;
    if (!c->failed++)
        snprintf(c->first_error, sizeof c->first_error, "%.200s: %.300s", event->path,
                 event->error->message);
}

/* The last generation that was made before the first sign. Where no sign is known, or all are
 * younger, the accepted one, and *doubtful says so. */
static bool choose(struct generation *out, struct response *r, struct site *site, bool *doubtful,
                   struct error *e)
{
    uint64_t *numbers;
    size_t count;
    *doubtful = true;
    if (!generations_list(r->state, &site->row, r->arena, &numbers, &count, e))
        return false;
    for (size_t i = count; r->incident.first_sign && i-- > 0;) {
        if (!generation_open(out, r->state, &site->row, numbers[i], e))
            return false;
        if (manifest_made_ns(out->manifest) / 1000000000 < r->incident.first_sign) {
            /* of files it is only known when they were changed at the latest */
            *doubtful = r->incident.first_sign_from == FIRST_SIGN_FILES;
            return true;
        }
        generation_close(out);
    }
    return generation_open(out, r->state, &site->row, 0, e);
}

static bool put_back(struct response *r, struct site *site, json_t *result, struct error *e)
{
    CLEANUP_GENERATION struct generation g = {0};
    CLEANUP_JSON json_t *aside = json_object();
    struct counted counted = {.aside = aside};
    bool doubtful;
    struct objects *objects = respond_objects(r, e);
    if (!objects || !choose(&g, r, site, &doubtful, e) || !aside_clear_ready(&site->aside, e))
        return false;
    struct mender m = {.rootfd = site->rootfd,
                       .manifest = g.manifest,
                       .policies = site->policies,
                       .objects = objects,
                       .aside = &site->aside,
                       .event = on_event,
                       .context = &counted};
    mend_tree(&m, "", 0, false);
    CLEANUP_JSON json_t *entry = incident_entry(r->incident.id, "restore", NULL, r->options->who);
    json_put_string(entry, "kind", "restore");
    if (counted.failed) {
        error_set(e, ERR_SYSTEM, "%zu names could not be put back: %s", counted.failed,
                  counted.first_error);
        return false;
    }
    if (!mend_sync(&m, e) || !put_back_accept(r->state, objects, site, &g, NULL, NULL, entry, e))
        return false;
    char made[32];
    date_format(manifest_made_ns(g.manifest) / 1000000000, made);
    json_t *o = json_object();
    json_put_string(o, "site", site->row.name);
    json_put_int(o, "generation", (int64_t)g.number);
    json_put_string(o, "made", made);
    json_put_bool(o, "doubtful", doubtful);
    json_put_int(o, "put_back", (int64_t)counted.put_back);
    json_put_int(o, "removed", (int64_t)counted.removed);
    json_object_set(o, "aside", aside);
    json_array_append_new(json_get_array(result, "sites"), o);
    if (doubtful)
        respond_say(r, arena_printf(r->arena,
                                    _("%s: WHETHER GENERATION %llu IS OLDER THAN THE INTRUSION IS "
                                      "NOT KNOWN: look at its pages before you reconnect"),
                                    site->row.name, (unsigned long long)g.number));
    return true;
}

static bool restore_site(struct response *r, const char *name, json_t *result, struct error *e)
{
    const struct respond_options *o = r->options;
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    struct site_wants wants = {.aside = true,
                               .generation = true,
                               .own = o->own_policies ? o->own_policies(o->context, name) : NULL};
    if (!site_open(&site, r->state, name, &wants, e) || (o->hold && !o->hold(o->context, name, e)))
        return false;
    bool good = put_back(r, &site, result, e);
    if (o->release)
        o->release(o->context, name);
    return good;
}

/* Its document root; where the settings do not say it so, its name. */
static const char *place_of(const struct fact *site)
{
    static const char *const keys[] = {"root", "servername", "name", "instance"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (*fact_text(site, keys[i]))
            return fact_text(site, keys[i]);
    return site->path;
}

/* The pages that the volume's servers serve. */
bool action_restore_plan(struct response *r, const struct runbook_call *call, json_t *result,
                         const char **waits, struct error *e)
{
    CLEANUP(audit_cleanup) struct audit *a = NULL;
    struct audit_request request = {.kind = respond_target_kind(r),
                                    .argument = r->incident.target,
                                    .as_of = DATE_NONE,
                                    .about = ABOUT_SITES};
    json_t *sites = json_array();
    json_object_set_new(result, "sites", sites);
    if (!audit_collect(&a, &request, e))
        return false;
    for (const struct fact *f = facts_first(a->facts, "site"); f;
         f = facts_next(a->facts, "site", f))
        if (!str_equal(fact_text(f, "admin"), "yes"))
            json_array_append_new(sites, json_from_text(place_of(f)));
    return true;
}

bool action_restore(struct response *r, const struct runbook_call *call, json_t *result,
                    const char **waits, struct error *e)
{
    struct site_row *rows;
    size_t count;
    json_object_set_new(result, "sites", json_array());
    if (!sites_list(r->state, r->arena, &rows, &count, e))
        return false;
    if (!count) {
        error_set(
            e, ERR_ABSENT,
            "no site was ever published here: yagura init DOCUMENT-ROOT, then publish --from "
            "DIR or --from-git REV puts in what you know to be good; then do this step again");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!restore_site(r, rows[i].name, result, e)) {
            error_prefix(e, "%s", rows[i].name);
            return false;
        }
    return true;
}

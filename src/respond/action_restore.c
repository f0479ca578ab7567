/* Step 5: every site as it was published last before the first sign of the intrusion. It is
 * compared twice: here, as soon as it is in place, and by the check behind it, once the sites were
 * asked for a page: what their servers do when somebody comes has then been done. */
#include "act/pages.h"
#include "audit/audit.h"
#include "audit/site_pages.h"
#include "base/language.h"
#include "base/str.h"
#include "content/mend.h"
#include "content/put_back.h"
#include "model/date.h"
#include "model/site_root.h"
#include "record/ledger.h"
#include "respond/actions.h"
#include "respond/restore.h"
#include "respond/timeline.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_PAGES = 20, MOST_NAMED = 20, MOST_ASIDE = 1000 };

void restore_event(void *context, const struct mend_event *event)
{
    struct restored *c = context;
    if (event->evidence[0] && json_object_size(c->aside) < MOST_ASIDE)
        json_put_string(c->aside, event->evidence, event->path);
    if (event->undone)
        ++*(event->kind == DIFFERENCE_ADDED ? &c->removed : &c->put_back);
    if (event->error && !c->failed++)
        snprintf(c->first_error, sizeof c->first_error, "%.200s: %.300s", event->path,
                 event->error->message);
}

json_t *restore_entry(struct response *r)
{
    json_t *entry = incident_entry(r->incident.id, "restore", NULL, r->options->who);
    json_put_string(entry, "kind", "restore");
    return entry;
}

uint64_t restore_vouched(struct response *r, const char *site)
{
    struct ledger_entry *entries;
    size_t count;
    uint64_t last = 0;
    if (!ledger_read(r->state, NULL, r->arena, &entries, &count, NULL))
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (!strstr(entries[i].body, "\"source\"") || !strstr(entries[i].body, r->incident.id))
            continue;
        CLEANUP_JSON json_t *o =
            json_parse(entries[i].body, strlen(entries[i].body), "ledger", 1 << 20, 1 << 20, NULL);
        if (o && str_equal(json_get_string(o, "kind"), "restore") && json_get_string(o, "source") &&
            str_equal(json_get_string(o, "site"), site) &&
            str_equal(json_get_string(o, "incident"), r->incident.id))
            last = (uint64_t)json_integer_value(json_object_get(o, "generation"));
    }
    return last;
}

/* What a person named in this incident; else the last generation that was made before the first
 * sign. Where no sign is known, or all are younger, the accepted one, and *doubtful says so. */
static bool choose(struct generation *out, struct response *r, struct site *site, bool *doubtful,
                   struct error *e)
{
    uint64_t *numbers, vouched = restore_vouched(r, site->row.name);
    size_t count;
    *doubtful = false;
    if (vouched)
        return generation_open(out, r->state, &site->row, vouched, e);
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
    *doubtful = true;
    return generation_open(out, r->state, &site->row, 0, e);
}

bool restore_verify(struct response *r, const struct site *site, struct error *e)
{
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    struct verify_options options = {.policies = site->policies};
    if (!verify(&found, site->rootfd, site->generation.manifest, &options, e))
        return false;
    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].wrong) {
            error_set(e, ERR_CORRUPT,
                      "%zu names differ again as soon as they were put back (%.200s): somebody "
                      "still writes there; find out who, and do this step again",
                      found->wrong, found->items[i].path);
            return false;
        }
    return true;
}

/* ---- which ---------------------------------------------------------------------------------- */

static struct audit *served_here(void)
{
    struct audit *a = NULL;
    struct audit_request request = {.kind = TARGET_LIVE, .as_of = DATE_NONE, .about = ABOUT_SITES};
    return audit_collect(&a, &request, NULL) ? a : NULL;
}

static bool lies_in_a_site(const struct site_row *rows, size_t count, const char *root)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(rows[i].root);
        if (strncmp(root, rows[i].root, length) == 0 && (root[length] == '/' || !root[length]))
            return true;
    }
    return false;
}

size_t restore_unpublished(struct response *r, const char ***out)
{
    CLEANUP(audit_cleanup) struct audit *a = served_here();
    struct site_row *rows;
    size_t known, count = 0;
    *out = NULL;
    if (!a || !sites_list(r->state, r->arena, &rows, &known, NULL))
        return 0;
    struct site_roots roots = site_roots_of(a->facts, r->arena);
    *out = arena_alloc(r->arena, (roots.count + 1) * sizeof **out);
    for (size_t i = 0; i < roots.count; i++) {
        char real[PATH_MAX];
        /* an alias for a path is mostly what a package brought, or lies in a site */
        bool seen = !str_equal(roots.items[i].url_prefix, "/") || !*roots.items[i].root ||
                    !realpath(roots.items[i].root, real) || lies_in_a_site(rows, known, real);
        for (size_t k = 0; k < count && !seen; k++)
            seen = str_equal((*out)[k], real);
        if (!seen)
            (*out)[count++] = arena_strdup(r->arena, real);
    }
    return count;
}

static bool is_named(const struct site_row *row, const char *site)
{
    char real[PATH_MAX];
    return str_equal(row->name, site) || str_equal(row->root, realpath(site, real) ? real : site);
}

/* What a runbook of the user's own calls the step. */
static const char *this_step(const struct response *r)
{
    const char *id = respond_step_that(r, "restore");
    return id ? id : "restore"; /* something was undone by it */
}

static bool which_one(const struct response *r, struct error *e, const char *example)
{
    error_set(e, ERR_USAGE,
              "which site? Name it: yagura respond do %.60s --site %.200s --from "
              "DIR-OR-ARCHIVE, or --from-git REV",
              this_step(r), example);
    return false;
}

/* One that was never published: as it is named, else the only one that is served. */
static bool find_fresh(struct response *r, struct restore_site *out, const struct site_row *rows,
                       size_t count, struct error *e)
{
    char real[PATH_MAX];
    const char *site = r->options->site, **roots;
    if (site && !strchr(site, '/')) {
        error_set(e, ERR_USAGE, "there is no site %.100s; a new one is named by its document root",
                  site);
        return false;
    }
    size_t served = site ? 0 : restore_unpublished(r, &roots);
    if (!site && served != 1)
        return which_one(r, e, served ? roots[0] : "/var/www/html");
    site = site ? site : roots[0];
    out->root = arena_strdup(r->arena, realpath(site, real) ? real : site);
    if (*out->root != '/')
        return which_one(r, e, "/var/www/html");
    out->name = site_name_free(r->arena, rows, count, out->root);
    out->fresh = true;
    return true;
}

bool restore_find(struct response *r, struct restore_site *out, struct error *e)
{
    struct site_row *rows;
    size_t count;
    const char *site = r->options->site;
    *out = (struct restore_site){0};
    if (!sites_list(r->state, r->arena, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (site ? is_named(&rows[i], site) : count == 1) {
            out->name = rows[i].name;
            out->root = rows[i].root;
            return true;
        }
    return count && !site ? which_one(r, e, rows[0].name) : find_fresh(r, out, rows, count, e);
}

/* ---- as it was published --------------------------------------------------------------------- */

static void say_doubt(struct response *r, const char *site, uint64_t generation)
{
    respond_say(r, arena_printf(r->arena,
                                _("%s: WHETHER GENERATION %llu IS OLDER THAN THE INTRUSION IS "
                                  "NOT KNOWN: look at its pages before you reconnect"),
                                site, (unsigned long long)generation));
}

static bool put_back(struct response *r, struct site *site, json_t *result, struct error *e)
{
    CLEANUP_GENERATION struct generation g = {0};
    CLEANUP_JSON json_t *aside = json_object();
    struct restored counted = {.aside = aside};
    bool doubtful;
    struct objects *objects = respond_objects(r, e);
    if (!objects || !choose(&g, r, site, &doubtful, e) || !aside_clear_ready(&site->aside, e))
        return false;
    struct mender m = {.rootfd = site->rootfd,
                       .manifest = g.manifest,
                       .policies = site->policies,
                       .objects = objects,
                       .aside = &site->aside,
                       .event = restore_event,
                       .context = &counted};
    mend_tree(&m, "", 0, false);
    CLEANUP_JSON json_t *entry = restore_entry(r);
    if (counted.failed) {
        error_set(e, ERR_SYSTEM, "%zu names could not be put back: %s", counted.failed,
                  counted.first_error);
        return false;
    }
    if (!mend_sync(&m, e) || !put_back_accept(r->state, objects, site, &g, NULL, NULL, entry, e) ||
        !restore_verify(r, site, e))
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
    respond_tell(r,
                 arena_printf(r->arena,
                              _("%s: as it was published with generation %llu of %s; put back: "
                                "%zu, moved aside: %zu"),
                              site->row.name, (unsigned long long)g.number,
                              timeline_screen(r->arena, manifest_made_ns(g.manifest) / 1000000000),
                              counted.put_back, counted.removed));
    if (doubtful)
        say_doubt(r, site->row.name, g.number);
    return true;
}

static bool restore_site(struct response *r, const char *name, json_t *result, struct error *e)
{
    const struct respond_options *o = r->options;
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    if (!respond_open_site(&site, r, name, true, e) || (o->hold && !o->hold(o->context, name, e)))
        return false;
    bool good = put_back(r, &site, result, e);
    if (o->release)
        o->release(o->context, name);
    return good;
}

/* ---- the servers ----------------------------------------------------------------------------- */

static bool ask_page(struct response *r, const struct site_page *page, json_t *pages)
{
    struct error e = ERROR_INIT;
    int status = 0;
    json_t *o = json_object();
    bool answered = pages_ask_at(&status, page->url, page->address, &e);
    json_put_string(o, "url", page->url);
    json_put_int(o, "status", status);
    json_put_string(o, "error", answered ? NULL : e.message);
    json_array_append_new(pages, o);
    if (!answered)
        respond_say(r, arena_printf(r->arena, _("%s: no answer (%s)"), page->url, e.message));
    return answered;
}

/* Each site is asked for a page, so that its server runs what is in place now, before the second
 * comparison. */
static void ask_servers(struct response *r, json_t *result)
{
    const struct respond_options *o = r->options;
    CLEANUP(audit_cleanup) struct audit *a = o->page_count ? NULL : served_here();
    json_t *pages = json_array();
    site_page_list list = {0};
    size_t answers = 0;
    for (size_t i = 0; i < o->page_count; i++)
        VEC_PUSH(&list, ((struct site_page){.url = o->pages[i]}));
    if (a)
        site_pages_of(&list, a->facts, r->arena);
    for (size_t i = 0; i < list.count && i < MOST_PAGES; i++)
        answers += ask_page(r, &list.items[i], pages);
    VEC_FREE(&list);
    json_object_set_new(result, "pages", pages);
    if (!answers)
        respond_say(r, _("NO WEB SERVER ANSWERS HERE, so the second look at the content is without "
                         "one: start it, and do this step again"));
}

/* What is served and was never published is proved by nothing. */
static void say_unpublished(struct response *r)
{
    const char **roots;
    size_t count = restore_unpublished(r, &roots);
    for (size_t i = 0; i < count; i++)
        respond_say(r, arena_printf(r->arena,
                                    _("%s IS SERVED AND WAS NEVER PUBLISHED: nothing says what is "
                                      "right in it. yagura respond do %s --site %s --from "
                                      "DIR-OR-ARCHIVE (or --from-git REV) puts in what you know "
                                      "to be good"),
                                    roots[i], this_step(r), roots[i]));
}

static bool nothing_published(struct response *r, struct error *e)
{
    const char *site = r->options->site, **roots;
    if (!site && restore_unpublished(r, &roots))
        site = roots[0];
    error_set(e, ERR_ABSENT,
              "no site was ever published here, so nothing says what is right: yagura respond do "
              "%.60s --site %.200s --from DIR-OR-ARCHIVE (or --from-git REV) shows what differs "
              "from what you know to be good, and puts it in",
              this_step(r), site ? site : "DOCUMENT-ROOT");
    return false;
}

/* The rows that are meant. */
static bool rows_of(struct response *r, struct site_row **rows, size_t *count, struct error *e)
{
    const char *site = r->options->site;
    if (!sites_list(r->state, r->arena, rows, count, e))
        return false;
    for (size_t i = 0; site && i < *count; i++)
        if (is_named(&(*rows)[i], site)) {
            *rows += i;
            *count = 1;
            return true;
        }
    if (!*count)
        return nothing_published(r, e);
    if (site)
        error_set(e, ERR_USAGE,
                  "nothing of %.150s was ever published: name what it is to become, --from "
                  "DIR-OR-ARCHIVE or --from-git REV",
                  site);
    return !site;
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
    size_t count = 0;
    json_object_set_new(result, "sites", json_array());
    if (r->options->from || r->options->from_git) {
        if (!restore_from(r, result, false, e))
            return false;
    } else if (!rows_of(r, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!restore_site(r, rows[i].name, result, e)) {
            error_prefix(e, "%s", rows[i].name);
            return false;
        }
    say_unpublished(r);
    ask_servers(r, result);
    return true;
}

/* ---- a look beforehand ----------------------------------------------------------------------- */

struct foreseen {
    struct response *r;
    const char *site;
    size_t count;
};

static void foresee_event(void *context, const struct mend_event *event)
{
    struct foreseen *f = context;
    if (event->undone && f->count++ < MOST_NAMED)
        respond_say(f->r,
                    arena_printf(f->r->arena,
                                 event->kind == DIFFERENCE_ADDED ? _("%s: %s would be moved aside")
                                                                 : _("%s: %s would be put back"),
                                 f->site, event->path));
}

static bool foresee(struct response *r, const char *name, json_t *result, struct error *e)
{
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    CLEANUP_GENERATION struct generation g = {0};
    bool doubtful;
    char made[32];
    struct objects *objects = respond_objects(r, e);
    if (!objects || !respond_open_site(&site, r, name, true, e) ||
        !choose(&g, r, &site, &doubtful, e))
        return false;
    struct foreseen f = {r, name, 0};
    struct mender m = {.rootfd = site.rootfd,
                       .manifest = g.manifest,
                       .policies = site.policies,
                       .objects = objects,
                       .aside = &site.aside,
                       .dry_run = true,
                       .event = foresee_event,
                       .context = &f};
    mend_tree(&m, "", 0, false);
    date_format(manifest_made_ns(g.manifest) / 1000000000, made);
    respond_say(r,
                arena_printf(r->arena, _("%s: generation %llu of %s; names that differ: %zu"), name,
                             (unsigned long long)g.number,
                             timeline_screen(r->arena, manifest_made_ns(g.manifest) / 1000000000),
                             f.count));
    json_t *row = json_object();
    json_put_string(row, "site", name);
    json_put_int(row, "generation", (int64_t)g.number);
    json_put_string(row, "made", made);
    json_put_bool(row, "doubtful", doubtful);
    json_put_int(row, "differ", (int64_t)f.count);
    json_array_append_new(json_get_array(result, "sites"), row);
    if (doubtful)
        say_doubt(r, name, g.number);
    return true;
}

bool action_restore_preview(struct response *r, const struct runbook_call *call, json_t *result,
                            const char **waits, struct error *e)
{
    struct site_row *rows;
    size_t count;
    json_object_set_new(result, "sites", json_array());
    if (r->options->from || r->options->from_git)
        return restore_from(r, result, true, e);
    if (!rows_of(r, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!foresee(r, rows[i].name, result, e))
            return false;
    say_unpublished(r);
    return true;
}

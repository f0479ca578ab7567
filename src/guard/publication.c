#include "guard/live.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- publications --------------------------------------------------------------------------- */

static struct live_site *find(struct guard *g, const char *name, struct error *e)
{
    for (size_t i = 0; i < g->count; i++)
        if (str_equal(g->sites[i].row.name, name))
            return &g->live[i];
    error_set(e, ERR_ABSENT, "there is no site \"%.64s\" under guard", name);
    return NULL;
}

enum { MOST_WAITING = 10000 };

/* What is more than anybody would look at one by one is everything, too. */
void publication_wait(struct live_site *live, const char *path)
{
    if (live->waiting.count == 1 && !live->waiting.items[0][0])
        return;
    if (!path[0] || live->waiting.count == MOST_WAITING) {
        publication_free(live);
        path = "";
    }
    VEC_PUSH(&live->waiting, mem_strdup(path));
}

bool guard_hold(struct guard *g, const char *name, struct error *e)
{
    struct live_site *live = find(g, name, e);
    if (live)
        live->held = true;
    return live != NULL;
}

/* The generation that is accepted now, if it is another one: everything that knows entry
 * numbers starts anew. */
static bool take_generation(struct guard *g, struct live_site *live, struct error *e)
{
    struct site *site = live->site, fresh;
    struct site_wants wants = {.aside = true, .generation = true};
    if (g->options.own_policies)
        wants.own = g->options.own_policies(g->options.context, site->row.name);
    if (!site_open(&fresh, g->options.state, site->row.name, &wants, e))
        return false;
    sweeper_stop(g->sweeper);
    g->sweeper = NULL;
    mend_settle(&live->mender);
    if (live->proof >= 0)
        close(live->proof);
    struct live_site was = *live;
    spares_stop(live->spares, false);
    stat_index_free(live->index);
    root_let_go(live->root);
    site_close(site);
    *site = fresh;
    bool good = live_open(g, was.number, e);
    live->held = was.held;
    live->root_gone = was.root_gone;
    memcpy(&live->beneath, &was.beneath, sizeof live->beneath);
    memcpy(&live->waiting, &was.waiting, sizeof live->waiting);
    memcpy(&live->retries, &was.retries, sizeof live->retries);
    live->too_many_retries = was.too_many_retries;
    places_free(g->places);
    g->places = places_new(g->sites, g->count, g->watch, g->options.alive);
    for (size_t i = 0; good && i < g->count; i++)
        good = places_learn_site(g->places, i, g->live[i].proof, e);
    live_start_spares(g, live);
    return good && watch_add(g->watch, site->rootfd, e) && live_start_sweeper(g, e);
}

/* Only the generation is taken here, so that whoever released it need not wait for the rest. What
 * waited is looked at in the next step, whatever comes of it: with the old generation if the new
 * one cannot be had. */
bool guard_release(struct guard *g, const char *name, struct error *e)
{
    struct live_site *live = find(g, name, e);
    if (!live)
        return false;
    live->held = false;
    for (size_t i = 0; i < live->retries.count; i++)
        publication_wait(live, live->retries.items[i].path);
    live_free_retries(live);
    return take_generation(g, live, e);
}

void publication_settle(struct guard *g)
{
    for (size_t i = 0; i < g->count; i++) {
        struct live_site *live = &g->live[i], was = *live;
        if (live->held || !live->waiting.count)
            continue;
        memset(&live->waiting, 0, sizeof live->waiting);
        for (size_t k = 0; k < was.waiting.count; k++)
            if (was.waiting.items[k][0])
                live_look_at(g, live, was.waiting.items[k]);
            else
                live_sweep(g, live, "", false);
        publication_free(&was);
    }
}

void publication_free(struct live_site *live)
{
    for (size_t i = 0; i < live->waiting.count; i++)
        free(live->waiting.items[i]);
    VEC_FREE(&live->waiting);
}

/* ---- dpkg ----------------------------------------------------------------------------------- */

/* A folder that dpkg makes has to be known, so that we see who else writes there. */
void publication_wait_for_dpkg(struct guard *g, struct live_site *live, const char *path,
                               bool is_dir)
{
    dpkg_run_note(g->dpkg, live->number, path, true);
    if (is_dir)
        places_learn(g->places, live->number, path);
}

/* Of the mender. What others did to what waits is looked at in the end as well. */
bool publication_waits(void *context, const char *name, const char *path)
{
    struct live_site *live = context;
    struct guard *g = live->guard;
    if (!g->dpkg || !dpkg_run_waits(g->dpkg, live->number, name))
        return false;
    dpkg_run_note(g->dpkg, live->number, path, false);
    return true;
}

static void start_publishers(struct guard *g)
{
    for (size_t i = 0; i < g->count; i++) {
        CLEANUP_STR struct str names = {0};
        dpkg_run_names(g->dpkg, i, true, &names);
        if (names.length && g->options.dpkg_ended)
            g->options.dpkg_ended(g->options.context, g->sites[i].row.name, names.data,
                                  names.length);
    }
}

/* The publications have ended, well or not: what is accepted now counts. */
static void look_at_what_waited(struct guard *g)
{
    struct str *names = mem_alloc((g->count + 1) * sizeof *names);
    for (size_t i = 0; i < g->count; i++)
        dpkg_run_names(g->dpkg, i, false, &names[i]);
    dpkg_run_forget(g->dpkg);
    for (size_t i = 0; i < g->count; i++) {
        struct error e = ERROR_INIT;
        if (names[i].length && !take_generation(g, &g->live[i], &e))
            live_tell_said(g, &g->live[i], GUARD_TROUBLE, &e);
        for (size_t at = 0; at < names[i].length; at += strlen(names[i].data + at) + 1)
            live_look_at(g, &g->live[i], names[i].data + at);
        str_free(&names[i]);
    }
    free(names);
}

void publication_follow_dpkg(struct guard *g)
{
    if (!g->dpkg || !dpkg_run_any(g->dpkg) ||
        (g->publishing && g->options.dpkg_busy && g->options.dpkg_busy(g->options.context)))
        return;
    if (g->publishing) {
        g->publishing = false; /* and unless dpkg runs again: */
        if (dpkg_run_ended(g->dpkg))
            look_at_what_waited(g);
    } else if (dpkg_run_ended(g->dpkg)) {
        g->publishing = true;
        start_publishers(g);
    }
}

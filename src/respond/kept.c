#include "respond/kept.h"

#include "act/quarantine.h"
#include "base/file.h"
#include "base/str.h"
#include "content/site.h"
#include "record/tampers.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void unread(const struct kept_visitor *v, const char *what, const char *why)
{
    if (v->unread)
        v->unread(v->context, what, why);
}

/* ---- beside the document roots -------------------------------------------------------------- */

struct aside_names {
    struct tamper_path *known; /* by the guard */
    size_t count;
};

/* Where it lay: the guard remembers it, or the step that put the site back. */
static const char *path_of(struct response *r, const struct aside_names *n, const char *site,
                           const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (str_equal(n->known[i].evidence, name))
            return n->known[i].path;
    for (size_t k = 0; k < RUNBOOK_STEPS; k++) {
        const json_t *o, *path;
        size_t i;
        json_array_foreach(json_object_get(r->incident.steps[k].result, "sites"), i, o)
        {
            path = str_equal(json_get_string(o, "site"), site)
                       ? json_object_get(json_object_get(o, "aside"), name)
                       : NULL;
            if (json_is_string(path))
                return json_string_value(path);
        }
    }
    return "?";
}

static bool each_aside(struct response *r, const char *site_name, const struct kept_visitor *v,
                       struct error *e)
{
    struct error absent = ERROR_INIT;
    struct aside_names n = {0};
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    struct site_wants wants = {.aside = true};
    if (!site_open(&site, r->state, site_name, &wants, &absent)) {
        unread(v, site_name, absent.message);
        return true;
    }
    if (!tampers_evidence(r->state, site_name, r->arena, &n.known, &n.count, e))
        return false;
    DIR *dir = file_list(site.aside.fd, ".");
    if (!dir) {
        unread(v, site.aside.path, strerror(errno));
        return true;
    }
    bool good = true;
    for (const struct dirent *d; good && (d = readdir(dir));) {
        if (!str_starts(d->d_name, "bad-"))
            continue;
        const char *path = path_of(r, &n, site_name, d->d_name);
        struct kept k = {.dirfd = site.aside.fd,
                         .name = arena_strdup(r->arena, d->d_name),
                         .as = arena_printf(r->arena, "aside/%s/%s", site_name, d->d_name),
                         .subject = arena_printf(r->arena, "%s: %s", site_name, path),
                         .recordfd = -1};
        good = v->each(v->context, &k, e);
    }
    closedir(dir);
    return good;
}

/* ---- the quarantine ------------------------------------------------------------------------- */

/* One folder a process that was ended. */
static bool each_process(struct response *r, struct quarantine *q, const struct kept_visitor *v,
                         struct error *e)
{
    struct error some = ERROR_INIT;
    CLEANUP_CLOSE int folder = quarantine_processes_folder(q, false, &some);
    if (folder < 0) {
        if (some.sys_errno != ENOENT)
            unread(v, "quarantine/processes", some.message);
        return true;
    }
    DIR *dir = file_list(folder, ".");
    if (!dir) {
        unread(v, "quarantine/processes", strerror(errno));
        return true;
    }
    bool good = true;
    for (const struct dirent *d; good && (d = readdir(dir));) {
        if (d->d_name[0] == '.')
            continue;
        const char *as = arena_printf(r->arena, "quarantine/processes/%s", d->d_name);
        struct kept k = {.dirfd = folder,
                         .name = arena_strdup(r->arena, d->d_name),
                         .as = as,
                         .subject = as,
                         .noted = true,
                         .recordfd = -1};
        good = v->each(v->context, &k, e);
    }
    closedir(dir);
    return good;
}

static bool each_quarantined(struct response *r, const struct kept_visitor *v, struct error *e)
{
    CLEANUP(quarantine_close) struct quarantine q = {.fd = -1};
    struct quarantine_item *items;
    struct error some = ERROR_INIT;
    size_t count;
    if (!quarantine_open(&q, state_dirfd(r->state), false, &some)) {
        if (some.code != ERR_ABSENT)
            unread(v, "quarantine", some.message);
        return true;
    }
    if (!quarantine_list(&q, r->arena, &items, &count, &some))
        unread(v, "quarantine", some.message); /* the others are there all the same */
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        struct error why = ERROR_INIT;
        CLEANUP_CLOSE int place = quarantine_open_place(&items[i], &why);
        if (place < 0) {
            unread(v, items[i].kept, why.message);
            continue;
        }
        struct kept k = {.dirfd = place,
                         .name = items[i].id,
                         .as = arena_printf(r->arena, "quarantine/%s", items[i].id),
                         .subject = items[i].origin,
                         .recordfd = q.fd};
        good = v->each(v->context, &k, e);
    }
    return good && each_process(r, &q, v, e);
}

bool kept_each(struct response *r, const struct kept_visitor *v, struct error *e)
{
    struct site_row *rows;
    size_t count;
    if (!respond_is_live(r))
        return true;
    if (!sites_list(r->state, r->arena, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!each_aside(r, rows[i].name, v, e))
            return false;
    return each_quarantined(r, v, e);
}

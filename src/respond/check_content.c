/* {check: content}: every site is, byte for byte, what was published. */
#include "base/language.h"
#include "content/site.h"
#include "content/verify.h"
#include "respond/checks.h"

enum { MOST_NAMED = 20 };

/* Compares one site; `found` is to be freed. */
static struct differences *compare(struct response *r, const char *name, struct error *e)
{
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    struct differences *found = NULL;
    if (!respond_open_site(&site, r, name, false, e))
        return NULL;
    struct verify_options options = {.policies = site.policies};
    return verify(&found, site.rootfd, site.generation.manifest, &options, e) ? found : NULL;
}

static bool differs(struct response *r, const char *name, size_t *wrong, size_t *unreadable,
                    struct error *e)
{
    CLEANUP(differences_cleanup) struct differences *found = compare(r, name, e);
    if (!found)
        return false;
    *wrong += found->wrong;
    *unreadable += found->of_kind[DIFFERENCE_UNREADABLE];
    return true;
}

static json_t *named(struct response *r, const char *site, const struct differences *found)
{
    json_t *names = json_array();
    for (size_t i = 0; i < found->count && json_array_size(names) < MOST_NAMED; i++) {
        const struct difference *d = &found->items[i];
        if (!d->wrong || d->beneath)
            continue;
        const char *kind = difference_kind_name(d->kind);
        json_t *o = json_object();
        json_put_string(o, "kind", kind);
        json_put_string(o, "path", d->path);
        json_array_append_new(names, o);
        respond_say(r, arena_printf(r->arena, "%s: %s  %s", site, d->path, language_text(kind)));
    }
    return names;
}

bool content_compare(struct response *r, json_t *result, struct error *e)
{
    struct site_row *rows;
    size_t count;
    if (!sites_list(r->state, r->arena, &rows, &count, e))
        return false;
    json_t *sites = json_array();
    json_object_set_new(result, "content", sites);
    for (size_t i = 0; i < count; i++) {
        struct error why = ERROR_INIT;
        CLEANUP(differences_cleanup) struct differences *found = compare(r, rows[i].name, &why);
        json_t *o = json_object();
        json_put_string(o, "site", rows[i].name);
        json_array_append_new(sites, o);
        if (!found) {
            json_put_string(o, "error", why.message);
            respond_say(r, arena_printf(r->arena, "%s: %s", rows[i].name, why.message));
            continue;
        }
        json_put_int(o, "wrong", (int64_t)found->wrong);
        json_object_set_new(o, "names", named(r, rows[i].name, found));
        if (found->wrong)
            respond_say(r, arena_printf(r->arena,
                                        ngettext("%s: %zu name is not as it was published. Step "
                                                 "restore puts it back, or aside.",
                                                 "%s: %zu names are not as they were published. "
                                                 "Step restore puts them back, or aside.",
                                                 found->wrong),
                                        rows[i].name, found->wrong));
    }
    return true;
}

void check_content(struct response *r, const struct runbook_call *call, struct check_result *out)
{
    struct site_row *rows;
    struct error e = ERROR_INIT;
    size_t count, wrong = 0, unreadable = 0;
    bool good = sites_list(r->state, r->arena, &rows, &count, &e);
    for (size_t i = 0; good && i < count; i++) {
        good = differs(r, rows[i].name, &wrong, &unreadable, &e);
        if (!good)
            error_prefix(&e, "%s", rows[i].name);
    }
    if (!good || unreadable) {
        out->text = good ? arena_printf(r->arena,
                                        ngettext("%zu name could not be read",
                                                 "%zu names could not be read", unreadable),
                                        unreadable)
                         : arena_strdup(r->arena, e.message);
        out->todo = "yagura verify --all";
        return;
    }
    if (!count) {
        out->text = _("no site was ever published: nothing can be compared");
        out->todo = respond_todo(r, "restore", " --site DOCUMENT-ROOT --from DIR-OR-ARCHIVE");
        return;
    }
    out->verdict = wrong ? CHECK_FALSE : CHECK_TRUE;
    out->text = wrong ? arena_printf(r->arena,
                                     ngettext("%zu name is not as it was published",
                                              "%zu names are not as they were published", wrong),
                                     wrong)
                      : _("every site is what was published");
    out->todo = wrong ? "yagura verify --all" : NULL;
}

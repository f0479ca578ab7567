/* {check: content}: every site is, byte for byte, what was published. */
#include "base/language.h"
#include "content/site.h"
#include "content/verify.h"
#include "respond/checks.h"

static bool differs(struct response *r, const char *name, size_t *wrong, size_t *unreadable,
                    struct error *e)
{
    const struct respond_options *o = r->options;
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    struct site_wants wants = {.generation = true,
                               .own = o->own_policies ? o->own_policies(o->context, name) : NULL};
    if (!site_open(&site, r->state, name, &wants, e))
        return false;
    struct verify_options options = {.policies = site.policies};
    if (!verify(&found, site.rootfd, site.generation.manifest, &options, e))
        return false;
    *wrong += found->wrong;
    *unreadable += found->of_kind[DIFFERENCE_UNREADABLE];
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
        out->todo = "yagura init DOCUMENT-ROOT";
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

/* Step 5 where nothing that was published can be believed, or nothing ever was: a site becomes the
 * folder, archive or git revision that a person names. That is then its first generation. */
#include "act/tree_source.h"
#include "base/language.h"
#include "base/str.h"
#include "content/deploy.h"
#include "content/profile.h"
#include "respond/restore.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A site that the state does not know. The profile is told by what is there and by what comes. */
static bool open_fresh(struct site *site, struct response *r, const struct restore_site *which,
                       int treefd, const struct site_wants *wants, struct error *e)
{
    const char *profile = r->options->profile;
    int rootfd = profile ? -1 : site_open_root(which->root, e);
    if (!profile && rootfd < 0)
        return false;
    if (!profile)
        profile = profile_propose(rootfd, treefd, r->arena, e);
    if (rootfd >= 0)
        close(rootfd);
    return profile && site_open_new(site, which->name, which->root, profile, wants, e);
}

/* *no_root: there is no document root, and none is made for a look. */
static bool open_source(struct tree_source *out, struct response *r,
                        const struct restore_site *which, bool look_only, bool *no_root,
                        struct error *e)
{
    const struct respond_options *o = r->options;
    CLEANUP_CLOSE int rootfd = site_open_root(which->root, NULL);
    *no_root = rootfd < 0 && look_only;
    if (rootfd < 0 && !look_only &&
        (!site_make_root(which->root, e) || (rootfd = site_open_root(which->root, e)) < 0))
        return false;
    return tree_source_open(out, o->from, o->from_git, state_dirfd(r->state), rootfd, e);
}

static void say_names(struct response *r, const char *sentence, const char *const *names,
                      size_t count, const char *source)
{
    for (size_t i = 0; i < count; i++)
        respond_say(r, arena_printf(r->arena, sentence, names[i], source));
}

/* What is not in the source and stays all the same, and what is left out of it. */
static void say_kept(struct response *r, const struct tree_source *from, const struct deploy *d)
{
    if (*from->within)
        respond_say(r, arena_printf(r->arena, _("All of the archive lies in %s: that is meant"),
                                    from->within));
    say_names(r, _("%s is not in %s and stays as it is: READ IT before you reconnect"),
              d->kept.items, d->kept.count, from->said);
    say_names(r,
              _("%s is neither there nor in %s: THE SITE IS NOT WHOLE WITHOUT IT; put it in from a "
                "backup before you reconnect"),
              d->lost.items, d->lost.count, from->said);
    size_t missing = 0;
    for (size_t i = 0; d->first && i < d->found->count; i++)
        missing += d->found->items[i].kind == DIFFERENCE_REMOVED && !d->found->items[i].wrong;
    if (missing)
        respond_say(r, arena_printf(r->arena,
                                    ngettext("%zu name that is missing where policy lets others "
                                             "write is put in",
                                             "%zu names that are missing where policy lets others "
                                             "write are put in",
                                             missing),
                                    missing));
    if (d->left)
        respond_say(r, arena_printf(r->arena,
                                    ngettext("%zu name of it lies where policy lets others write, "
                                             "and is another there: what is there stays",
                                             "%zu names of it lie where policy lets others write, "
                                             "and are others there: what is there stays",
                                             d->left),
                                    d->left));
}

/* Of an archive they are refused; whoever names a folder or a revision may mean them. Of those that
 * are there already nothing is new. */
static void say_links_out(struct response *r, const struct deploy *d)
{
    enum { MOST_SHOWN = 5 };
    CLEANUP_STR struct str shown = {0};
    size_t count = 0;
    for (size_t i = 0; i < d->found->count; i++) {
        unsigned top;
        struct manifest_entry entry;
        const char *path = d->found->items[i].path;
        uint32_t at = manifest_find(d->manifest, path, strlen(path));
        if (at == MANIFEST_NONE)
            continue;
        manifest_entry(d->manifest, at, &entry);
        if (!entry.target)
            continue;
        const char *target = arena_strndup(r->arena, entry.target, entry.target_size);
        if (archive_link_stays_inside(path, target, &top))
            continue;
        if (count++ < MOST_SHOWN)
            str_printf(&shown, "%s%s -> %s", shown.length ? ", " : "", path, target);
    }
    if (count > MOST_SHOWN)
        str_add(&shown, ", ...");
    if (count)
        respond_say(r, arena_printf(r->arena,
                                    ngettext("%zu link may lead out of the site, and the server "
                                             "may follow it: %s. LOOK WHETHER IT SHOULD",
                                             "%zu links may lead out of the site, and the server "
                                             "may follow them: %s. LOOK WHETHER THEY SHOULD",
                                             count),
                                    count, str_text(&shown)));
}

static json_t *names_of(const char *const *names, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_from_text(names[i]));
    return list;
}

static void tell(json_t *result, const struct site *site, const struct tree_source *from,
                 const struct deploy *d, const struct restored *counted)
{
    json_t *o = json_object();
    json_put_string(o, "site", site->row.name);
    json_put_int(o, "generation", (int64_t)site->row.generation);
    json_put_string(o, "source", from->said);
    if (from->commit)
        json_put_string(o, "commit", from->commit);
    json_put_bool(o, "doubtful", false);
    json_put_int(o, "put_back", (int64_t)counted->put_back);
    json_put_int(o, "removed", (int64_t)counted->removed);
    json_put_int(o, "left_out", (int64_t)d->taken->left_out_count);
    json_object_set(o, "aside", counted->aside);
    json_object_set_new(o, "kept", names_of(d->kept.items, d->kept.count));
    json_object_set_new(o, "lost", names_of(d->lost.items, d->lost.count));
    json_array_append_new(json_get_array(result, "sites"), o);
}

static bool carry_out(struct response *r, struct site *site, struct deploy *d,
                      const struct tree_source *from, struct restored *counted, struct error *e)
{
    CLEANUP_JSON json_t *entry = restore_entry(r);
    json_put_string(entry, "source", from->said);
    if (from->commit)
        json_put_string(entry, "commit", from->commit);
    if (site->row.generation == 0)
        json_put_string(entry, "root", site->row.root);
    if (!aside_clear_ready(&site->aside, e))
        return false;
    if (!deploy_accept(d, r->state, r->objects, site, entry, e))
        return false;
    struct mender m = {.rootfd = site->rootfd,
                       .manifest = site->generation.manifest,
                       .policies = site->policies,
                       .objects = r->objects,
                       .aside = &site->aside,
                       .event = restore_event,
                       .context = counted};
    deploy_carry_out(d, &m);
    if (counted->failed) {
        error_set(e, ERR_SYSTEM, "%zu names could not be put back: %s", counted->failed,
                  counted->first_error);
        return false;
    }
    return mend_sync(&m, e) && restore_verify(r, site, e);
}

static bool held(struct response *r, struct site *site, struct deploy *d,
                 const struct tree_source *from, struct restored *counted, struct error *e)
{
    const struct respond_options *o = r->options;
    if (o->hold && !o->hold(o->context, site->row.name, e))
        return false;
    bool good = carry_out(r, site, d, from, counted, e);
    if (o->release)
        o->release(o->context, site->row.name);
    return good;
}

bool restore_from(struct response *r, json_t *result, bool look_only, struct error *e)
{
    const struct respond_options *o = r->options;
    CLEANUP_TREE_SOURCE struct tree_source from = TREE_SOURCE_INIT;
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    CLEANUP_DEPLOY struct deploy d = {0};
    CLEANUP_JSON json_t *aside = json_object();
    struct restored counted = {.aside = aside};
    struct restore_site which;
    bool no_root;
    struct objects *objects = respond_objects(r, e);
    if (!objects || !restore_find(r, &which, e) ||
        !open_source(&from, r, &which, look_only, &no_root, e))
        return false;
    if (no_root) {
        respond_say(r, arena_printf(r->arena,
                                    _("There is no folder %s: it would be made, and all of %s put "
                                      "into it"),
                                    which.root, from.said));
        return true;
    }
    struct site_wants wants = {.aside = true,
                               .generation = !which.fresh,
                               .own = o->own_policies ? o->own_policies(o->context, which.name)
                                                      : NULL};
    if (which.fresh ? !open_fresh(&site, r, &which, from.fd, &wants, e)
                    : !site_open(&site, r->state, which.name, &wants, e))
        return false;
    if (which.fresh ? !deploy_plan_first(&d, objects, &site, from.fd, NULL, e)
                    : !deploy_plan(&d, objects, &site, from.fd, true, NULL, e))
        return false;
    if (o->show_source)
        o->show_source(o->context, &site, &d);
    say_kept(r, &from, &d);
    say_links_out(r, &d);
    if (look_only)
        return true;
    if (!d.nothing && o->agreed && !o->agreed(o->context)) {
        error_set(e, ERR_USAGE, "nobody said yes: nothing was changed");
        return false;
    }
    if (!d.nothing && !held(r, &site, &d, &from, &counted, e))
        return false;
    tell(result, &site, &from, &d, &counted);
    return true;
}

#include "content/put_back.h"

#include "content/publish.h"

static bool is_as_in(const struct manifest *m, const struct difference *d)
{
    uint32_t index = manifest_find(m, d->path, strlen(d->path));
    if (d->kind == DIFFERENCE_REMOVED || index == MANIFEST_NONE)
        return d->kind == DIFFERENCE_REMOVED && index == MANIFEST_NONE;
    struct manifest_entry was;
    manifest_entry(m, index, &was);
    struct walk_entry is = {.st = d->now,
                            .target = d->now_target,
                            .hashed = d->now_hashed,
                            .xattrs = true,
                            .xattr_bytes = d->now_xattrs,
                            .xattr_size = d->now_xattrs_size};
    if (d->now_hashed)
        memcpy(is.sha256, d->now_sha256, sizeof is.sha256);
    return (was.mode & S_IFMT) == (d->now.st_mode & S_IFMT) && !verify_compare(&was, &is) &&
           (!d->from || manifest_find(m, d->from, strlen(d->from)) == MANIFEST_NONE);
}

struct wanted {
    const struct manifest *from;
    bool (*asked)(void *context, const char *path);
    void *context;
};

static bool was_put_back(void *context, const struct difference *d)
{
    const struct wanted *w = context;
    return d->kind != DIFFERENCE_UNREADABLE && (!w->asked || w->asked(w->context, d->path)) &&
           is_as_in(w->from, d);
}

bool put_back_accept(struct state *s, struct objects *objects, struct site *site,
                     const struct generation *older, bool (*asked)(void *context, const char *path),
                     void *context, json_t *entry, struct error *e)
{
    if (older->number == site->row.generation)
        return true;
    CLEANUP(differences_cleanup) struct differences *found = NULL;
    struct verify_options options = {.policies = site->policies};
    struct wanted w = {older->manifest, asked, context};
    json_put_int(entry, "from", (int64_t)older->number);
    size_t count;
    return verify(&found, site->rootfd, site->generation.manifest, &options, e) &&
           publish_accept(s, objects, site, found, was_put_back, &w, entry, &count, e);
}

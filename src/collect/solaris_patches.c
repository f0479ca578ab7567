/* The packages of a Solaris host and the patches that they name. */
#include "collect/solaris.h"

#include <stdlib.h>

enum { MOST_PACKAGES = 20000, MOST_PKGINFO = 8 * 1024 * 1024 };

#define PACKAGES "/var/sadm/pkg"
#define PATCHES  "/var/sadm/patch"

static void put_package(struct collection *c, const struct pkginfo *info, const char *path)
{
    struct fact *f = facts_add(c->facts, "package", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "manager", "solaris");
    fact_put(c->facts, f, "name", info->name);
    if (info->version)
        fact_put(c->facts, f, "version", info->version);
    else
        fact_put_state(c->facts, f, "version", VALUE_ABSENT, "");
    fact_put(c->facts, f, "arch", info->arch ? info->arch : "");
    fact_put(c->facts, f, "status", "installed");
    if (info->title)
        fact_put(c->facts, f, "title", info->title);
}

/* A package whose pkginfo cannot be read is there all the same; its patches are unknown. */
static void put_unread_package(struct collection *c, const char *name, const char *path,
                               const char *reason)
{
    struct fact *f = facts_add(c->facts, "package", path, 0, -1, CONFIDENCE_MEDIUM);
    fact_put(c->facts, f, "manager", "solaris");
    fact_put(c->facts, f, "name", arena_strndup(c->arena, name, strcspn(name, ".")));
    fact_put_state(c->facts, f, "version", VALUE_UNREADABLE, reason);
    facts_unread(c->facts, N_("package"), path, reason);
}

static void read_package(struct collection *c, struct patch_set *patches, const char *name)
{
    const char *path = arena_printf(c->arena, PACKAGES "/%s/pkginfo", name);
    CLEANUP_FREE char *data = NULL;
    size_t size = 0;
    struct error e = ERROR_INIT;
    if (!target_read(c->target, path, MOST_PKGINFO, &data, &size, &e)) {
        struct target_stat st;
        const char *dir = arena_printf(c->arena, PACKAGES "/%s", name);
        /* Plain files such as .lockfile stand beside the packages. */
        if (e.code == ERR_ABSENT && target_stat(c->target, dir, true, &st, NULL) &&
            st.type != TARGET_DIR)
            return;
        put_unread_package(c, name, path, e.message);
        return;
    }
    struct pkginfo info;
    pkginfo_parse(&info, patches, c->arena, c->facts, data, size, path, name);
    put_package(c, &info, path);
    if (info.bad_patches)
        facts_unread(c->facts, N_("patches"), path,
                     arena_printf(c->arena,
                                  ngettext("%zu word is no patch number",
                                           "%zu words are no patch numbers", info.bad_patches),
                                  info.bad_patches));
}

static void read_packages(struct collection *c, struct patch_set *patches)
{
    struct target_entry *entries;
    size_t count;
    struct error e = ERROR_INIT;
    if (!target_list(c->target, PACKAGES, c->arena, &entries, &count, &e)) {
        /* /var may be a slice of its own: then nothing is known, and nothing is patched. */
        facts_unread(c->facts, N_("patches"), PACKAGES, e.message);
        return;
    }
    if (count > MOST_PACKAGES) {
        facts_unread(c->facts, N_("package"), PACKAGES,
                     arena_printf(c->arena, _("%zu packages: only the first %d were read"), count,
                                  MOST_PACKAGES));
        count = MOST_PACKAGES;
    }
    for (size_t i = 0; i < count; i++)
        read_package(c, patches, entries[i].name);
}

static void read_directories(struct collection *c, struct patch_set *patches)
{
    struct target_entry *entries;
    size_t count = collect_list(c, N_("patches"), PATCHES, &entries, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(c->arena, PATCHES "/%s", entries[i].name);
        struct patch *patch = patch_set_add(patches, entries[i].name, PATCH_CLAIMED, path, 0);
        if (patch)
            patch->directory = path;
    }
}

static size_t count_of(const struct facts *facts, const char *kind)
{
    size_t count = 0;
    for (const struct fact *f = NULL; (f = facts_next(facts, kind, f));)
        count++;
    return count;
}

void collect_solaris_patches(struct collection *c)
{
    if (!solaris_begin(c))
        return;
    CLEANUP_PATCH_SET struct patch_set *patches = patch_set_new();
    size_t unread = count_of(c->facts, "unread");
    read_packages(c, patches);
    read_directories(c, patches);
    patch_set_facts(patches, c->facts);
    if (patch_set_refused(patches))
        facts_unread(c->facts, N_("patches"), PACKAGES,
                     arena_printf(c->arena,
                                  ngettext("%zu mention of a patch over the bound was not kept",
                                           "%zu mentions of patches over the bound were not kept",
                                           patch_set_refused(patches)),
                                  patch_set_refused(patches)));
    if (count_of(c->facts, "unread") > unread)
        return;
    struct fact *f = facts_add(c->facts, "complete", PACKAGES, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "of", "hotfix");
    fact_put_number(c->facts, f, "found", (int64_t)count_of(c->facts, "hotfix"));
}

#include "content/site.h"

#include "content/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int site_open_root(const char *root, struct error *e)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(e, errno, "opening the document root");
        error_at(e, root, 0, 0);
    }
    return fd;
}

static bool add_own(struct policies *to, const struct policies *own, struct error *e)
{
    for (size_t i = 0; own && i < policies_count(own); i++) {
        enum policy policy;
        const char *pattern = policies_pattern(own, i, &policy);
        if (!policies_add(to, pattern, policy, e))
            return false;
    }
    return true;
}

/* Everything but the generation; the row's strings are in the site's arena. */
static bool open_parts(struct site *site, const struct site_wants *wants, struct error *e)
{
    char pattern[96];
    site->rootfd = site_open_root(site->row.root, e);
    if (site->rootfd < 0)
        return false;
    site->policies = policies_new();
    snprintf(pattern, sizeof pattern, "/.yagura-%s/", site->row.name);
    return profile_add(site->policies, site->row.profile, e) &&
           add_own(site->policies, wants->own, e) &&
           policies_add(site->policies, pattern, POLICY_IGNORE, e) &&
           (!wants->aside ||
            aside_open(&site->aside, site->rootfd, site->row.root, site->row.name, e));
}

static struct site site_empty(void)
{
    return (struct site){.rootfd = -1, .aside = {.fd = -1}, .arena = arena_new()};
}

bool site_open(struct site *out, struct state *s, const char *name, const struct site_wants *wants,
               struct error *e)
{
    CLEANUP_SITE struct site site = site_empty();
    if (!sites_find(s, name, site.arena, &site.row, e) || !open_parts(&site, wants, e) ||
        (wants->generation && !generation_open(&site.generation, s, &site.row, 0, e)))
        return false;
    *out = site;
    site = site_empty();
    return true;
}

bool site_open_new(struct site *out, const char *name, const char *root, const char *profile,
                   const struct site_wants *wants, struct error *e)
{
    CLEANUP_SITE struct site site = site_empty();
    if (!site_name_valid(name)) {
        error_set(e, ERR_USAGE,
                  "\"%.80s\" cannot be the name of a site: small letters, digits, "
                  "\".\", \"_\" and \"-\", at most 63",
                  name);
        return false;
    }
    site.row = (struct site_row){.name = arena_strdup(site.arena, name),
                                 .root = arena_strdup(site.arena, root),
                                 .profile = arena_strdup(site.arena, profile)};
    if (!open_parts(&site, wants, e))
        return false;
    *out = site;
    site = site_empty();
    return true;
}

void site_close(struct site *site)
{
    generation_close(&site->generation);
    aside_close(&site->aside);
    policies_free(site->policies);
    arena_free(site->arena);
    if (site->rootfd >= 0)
        close(site->rootfd);
    *site = (struct site){.rootfd = -1, .aside = {.fd = -1}};
}

#include "content/site.h"

#include "base/mem.h"
#include "base/str.h"
#include "content/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A directory on the way. */
static int open_step(int above, const char *name, struct error *e)
{
    struct stat st;
    int fd = openat(above, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
        close(fd);
        if (st.st_uid != 0 && st.st_uid != geteuid()) {
            error_set(
                e, ERR_UNREADABLE,
                "\"%.80s\" on the way to the document root is a link of user %u: not followed",
                name, st.st_uid);
            return -1;
        }
        fd = openat(above, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        error_set_errno(e, errno, "opening the document root");
    return fd;
}

int site_open_root(const char *root, struct error *e)
{
    CLEANUP_FREE char *way = mem_strdup(root);
    CLEANUP_CLOSE int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *rest = NULL;
    for (char *name = strtok_r(way, "/", &rest); at >= 0 && name;
         name = strtok_r(NULL, "/", &rest)) {
        int next = open_step(at, name, e);
        close(at);
        at = next;
    }
    int fd = at < 0 ? -1 : openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at >= 0 && fd < 0)
        error_set_errno(e, errno, "opening the document root");
    if (fd < 0)
        error_at(e, root, 0, 0);
    return fd;
}

/* What stands in the way of a directory keeps its content under another name beside it. */
static bool make_step(int above, const char *name, bool last)
{
    char found[64];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(found, sizeof found, ".yagura-found-%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
    if (mkdirat(above, name, last ? 0700 : 0755) == 0)
        return true;
    return errno == EEXIST && mkdirat(above, found, last ? 0700 : 0755) == 0 &&
           renameat2(above, found, above, name, RENAME_EXCHANGE) == 0;
}

bool site_make_root(const char *root, struct error *e)
{
    CLEANUP_FREE char *way = mem_strdup(root);
    CLEANUP_CLOSE int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *rest = NULL;
    for (char *name = strtok_r(way, "/", &rest); at >= 0 && name;
         name = strtok_r(NULL, "/", &rest)) {
        int next = open_step(at, name, NULL);
        struct stat st;
        if (next >= 0 && (fstat(next, &st) != 0 || !S_ISDIR(st.st_mode))) {
            close(next);
            next = -1;
        }
        if (next < 0 && make_step(at, name, !*rest))
            next = open_step(at, name, NULL);
        if (next < 0)
            error_set_errno(e, errno, "making the document root anew");
        close(at);
        at = next;
    }
    return at >= 0;
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
    struct error gone = ERROR_INIT;
    site->rootfd = site_open_root(site->row.root, wants->makes_root ? &gone : e);
    if (site->rootfd < 0 && wants->makes_root && site_make_root(site->row.root, e))
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

const char *site_name_of(struct arena *arena, const char *root)
{
    const char *slash = strrchr(root, '/');
    char *name = arena_strdup(arena, slash ? slash + 1 : root), *to = name;
    str_lower_all(name);
    for (const char *from = name; *from && to - name < 63; from++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", *from) &&
            (to > name || (*from != '.' && *from != '-')))
            *to++ = *from;
    *to = '\0';
    return *name ? name : "site";
}

const char *site_name_free(struct arena *arena, const struct site_row *rows, size_t count,
                           const char *root)
{
    const char *base = site_name_of(arena, root), *name = base;
    for (unsigned n = 2; n < 10000; n++) {
        bool taken = false;
        for (size_t i = 0; i < count; i++)
            taken = taken || str_equal(rows[i].name, name);
        if (!taken)
            break;
        name = arena_printf(arena, "%.50s-%u", base, n);
    }
    return name;
}

bool site_compare_quickly(struct differences **out, struct state *s, const struct site *site,
                          bool keep, const atomic_bool *stop, struct error *e)
{
    CLEANUP(stat_index_cleanup)
    struct stat_index *index = generation_stat_index(s, &site->row, &site->generation);
    struct verify_options options = {
        .policies = site->policies, .index = index, .quick = true, .stop = stop};
    if (!verify(out, site->rootfd, site->generation.manifest, &options, e))
        return false;
    /* without it the next look takes longer, and is as good */
    if (keep)
        (void)!generation_save_stat_index(s, &site->row, &site->generation, index, NULL);
    return true;
}

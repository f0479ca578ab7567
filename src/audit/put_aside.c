#include "audit/put_aside.h"

#include "base/str.h"
#include "content/aside.h"
#include "content/site.h"
#include "record/sites.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Only what is closed to others; the path to it may be another's. Takes the descriptor. */
static void add_folder(struct put_aside *o, int fd)
{
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && !(st.st_mode & 077) &&
        (st.st_uid == 0 || st.st_uid == geteuid()))
        VEC_PUSH(&o->folders, ((struct scan_folder){st.st_dev, st.st_ino}));
    mem_cleanup_close(&fd);
}

static size_t length_of_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static void add_quarantine(struct put_aside *o, struct state *state)
{
    const char *last = "";
    if (!quarantine_open(&o->kept, state_dirfd(state), false, NULL))
        return;
    add_folder(o, fcntl(o->kept.fd, F_DUPFD_CLOEXEC, 0));
    /* what can be read is in the list */
    (void)!quarantine_list(&o->kept, o->arena, &o->items, &o->item_count, NULL);
    for (size_t i = 0; i < o->item_count; i++) {
        const char *kept = o->items[i].kept;
        size_t length = length_of_folder(kept);
        if (length == length_of_folder(last) && strncmp(kept, last, length) == 0)
            continue; /* most lie in one */
        add_folder(o, quarantine_open_place(&o->items[i], NULL));
        last = kept;
    }
}

static void add_asides(struct put_aside *o, struct state *state)
{
    struct site_row *sites;
    size_t count;
    if (!state_knows_sites(state) || !sites_list(state, o->arena, &sites, &count, NULL))
        return;
    for (size_t i = 0; i < count; i++) {
        CLEANUP_CLOSE int root = site_open_root(sites[i].root, NULL);
        if (root >= 0)
            add_folder(o, aside_look(root, sites[i].name));
    }
}

void put_aside_find(struct put_aside *o, struct state *state)
{
    *o = (struct put_aside){.arena = arena_new(), .kept = {.fd = -1}};
    if (!state)
        return;
    add_quarantine(o, state);
    add_asides(o, state);
}

static bool lies_in_it(const struct put_aside *o, int rootfd, const char *path)
{
    char folder[PATH_MAX];
    struct stat st;
    size_t length = length_of_folder(path);
    for (; length && length < sizeof folder; length = length_of_folder(folder)) {
        memcpy(folder, path, length);
        folder[length] = '\0';
        if (fstatat(rootfd, folder + 1, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        for (size_t i = 0; i < o->folders.count; i++)
            if (o->folders.items[i].ino == st.st_ino && o->folders.items[i].dev == st.st_dev)
                return true;
    }
    return false;
}

struct dropping {
    const struct put_aside *put_aside;
    int rootfd;
};

static bool is_put_aside(void *context, const struct finding *f)
{
    const struct dropping *d = context;
    return str_equal(f->subject_kind, "privileged-file") && f->subject_name[0] == '/' &&
           lies_in_it(d->put_aside, d->rootfd, f->subject_name);
}

void put_aside_drop(struct audit *a, const struct put_aside *o)
{
    struct dropping d = {o, target_rootfd(a->target)};
    if (d.rootfd >= 0)
        findings_drop(a->findings, is_put_aside, &d);
}

void put_aside_cleanup(struct put_aside *o)
{
    quarantine_close(&o->kept);
    VEC_FREE(&o->folders);
    arena_free(o->arena);
}

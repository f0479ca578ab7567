/* places.h - where in which site an event happened: directories and files of all guarded sites,
 * known by handle (handles.h).
 *
 * File systems that are mounted beneath a document root are marked when a directory on them is
 * learnt. Of a directory there only the name is known, not the identity: what is mounted may go
 * and come again.
 *
 * Published entries of all sites are numbered one after the other. Directories that are not
 * published but watched (beneath an upload folder) are added as they come up. */
#ifndef YAGURA_GUARD_PLACES_H
#define YAGURA_GUARD_PLACES_H

#include "base/str.h"
#include "content/site.h"
#include "guard/alive.h"
#include "guard/watch.h"

enum place_kind { PLACE_NONE, PLACE_PATH, PLACE_ASIDE };

struct place {
    enum place_kind kind;
    size_t site; /* number of the site */
    bool is_root_itself;
};

struct places;

/* `watch` says by which keys its events name directories; it must outlive the places. `alive` (or
 * NULL) gets a beat a folder that is learnt. */
struct places *places_new(const struct site *sites, size_t count, struct watch *watch,
                          struct alive *alive);
void places_free(struct places *p);

/* Learns all directories and files of a site as they are on disk now, and `proof`, the folder
 * of the self-test (PLACE_ASIDE). */
bool places_learn_site(struct places *p, size_t site, int proof, struct error *e);

/* Folders of which no change will be told (the user's watches are used up). */
size_t places_unwatched(const struct places *p);
/* File systems mounted beneath a document root that do not tell their changes by handle. */
size_t places_untold(const struct places *p);

/* Learns this path (and, of a directory, what was published beneath it) anew: it was put back
 * and is another inode. A directory that is not published is learnt as one to watch. False: it is
 * a directory that was known as what it is. */
bool places_learn(struct places *p, size_t site, const char *path);

/* Something was mounted or unmounted: marks what is mounted beneath the document roots again, and
 * learns and tells each directory on which another file system lies than before. */
void places_mounts_changed(struct places *p,
                           void (*changed)(void *context, size_t site, const char *path),
                           void *context);

/* The same of a published file, of which the folder is open; false if it is none. */
bool places_learn_file(struct places *p, size_t site, const char *path, int dirfd,
                       const char *name);

/* Is the directory that holds this path one of these handles? */
bool places_dir_in(const struct places *p, size_t site, const char *path, const uint64_t *hashes,
                   size_t count);

/* Forgets what lies under this name in a folder aside: it is evidence now. */
void places_forget_evidence(struct places *p, size_t site, int dirfd, const char *name);

/* The published directory `index` of a site, open, wherever it is; *fd -1: it is no more. False:
 * not known. Needs CAP_DAC_READ_SEARCH. */
bool places_open_dir(const struct places *p, size_t site, uint32_t index, int *fd);

/* Where an event is: the path of `name` in the directory, else that of the published file that
 * the thing is under whatever name. PLACE_NONE: none of ours. */
struct place places_find(const struct places *p, uint64_t dir, const char *name, uint64_t thing,
                         struct str *path);

#endif

/* tree_source.h - the tree that a site is to become: a folder, an archive, or a git revision.
 *
 * Of an archive in which all lies in one folder ("wordpress/", "var/www/html/") that folder is
 * meant, where the document root has names of it and has no such folder itself; `within` says
 * so; a link that leads out of it is refused. */
#ifndef YAGURA_ACT_TREE_SOURCE_H
#define YAGURA_ACT_TREE_SOURCE_H

#include "act/archive_tree.h"
#include "act/git_tree.h"

struct tree_source {
    int fd;             /* the folder, open */
    const char *said;   /* as it was named: the path, or the revision; the caller's */
    const char *commit; /* of a git revision, else NULL */
    char within[4096];  /* the folder of the archive that was taken, or "" */
    struct git_tree git;
    struct run_folder archive;
};
#define TREE_SOURCE_INIT                                                                           \
    {                                                                                              \
        .fd = -1, .git = {.folder = {.fd = -1}}, .archive = {.fd = -1 }                            \
    }

/* `from`: a folder or an archive; with `from_git`, a revision, where its repository is (NULL:
 * here). What has to be unfolded goes into a folder in `statefd`. ERR_USAGE where the state or the
 * document root lies in it. `rootfd` -1: there is none yet. */
bool tree_source_open(struct tree_source *out, const char *from, const char *from_git, int statefd,
                      int rootfd, struct error *e);
void tree_source_close(struct tree_source *s);
#define CLEANUP_TREE_SOURCE CLEANUP(tree_source_close)

#endif

/* git_tree.h - the files of one revision of a git repository, in a folder of their own.
 *
 * git reads the repository as the user who owns it, and never as root unless root does: its
 * configuration names programs that git runs. What it puts out (`git archive`, so that
 * export-ignore and export-subst of .gitattributes hold) is unpacked by tar as nobody, in an empty
 * folder of nobody's, as far as there is room (room.h): neither is trusted, and the tree is then
 * read like any other's. */
#ifndef YAGURA_ACT_GIT_TREE_H
#define YAGURA_ACT_GIT_TREE_H

#include "act/run_folder.h"

struct git_tree {
    struct run_folder folder;
    char commit[80]; /* the revision's full name */
};

/* In a folder beneath `parent`. ERR_USAGE if it is no repository, or has no such revision; git's
 * own words go to standard error. */
bool git_tree_open(struct git_tree *out, int parent, const char *repository, const char *revision,
                   struct error *e);
/* Takes the folder away. */
void git_tree_close(struct git_tree *t);

#endif

/* archive_tree.h - what an archive (tar or zip, plain or compressed) holds, in a folder of its own.
 *
 * It is read by yagura-tree, in a cage; here every name is judged and made beneath the folder,
 * never through a link. All of it is taken or nothing. Refused, with the member's name:
 *   - what begins with "/" or goes through ".."; a name that comes twice
 *   - a link that leads out of the tree, or goes up behind a name ("a/../b")
 *   - what is no file, folder or link; what is encrypted or damaged
 *   - more than 1,000,000 members, or 1,000 times the archive's size; what does not fit (room.h)
 * Of attributes only the time of a file, and whether it may be executed, are taken. */
#ifndef YAGURA_ACT_ARCHIVE_TREE_H
#define YAGURA_ACT_ARCHIVE_TREE_H

#include "act/archive_frames.h"
#include "act/run_folder.h"

/* The link that goes up the highest: who takes but a folder of the tree has to know. */
struct archive_highest {
    unsigned depth;                /* of the folder that it goes up to: 0 is the tree itself */
    char name[TREE_MOST_NAME + 1]; /* "": there is no link */
};

/* In a folder beneath `parent`, which run_folder_remove() takes away. ERR_FORMAT: it is refused, or
 * no archive at all. */
bool archive_tree_open(struct run_folder *out, struct archive_highest *highest, int parent,
                       int archive, struct error *e);
/* Does the link `name`, a path in a tree, lead to something in that tree whatever lies there? *top:
 * the depth of the folder that it goes up to. */
bool archive_link_stays_inside(const char *name, const char *target, unsigned *top);
/* The error where that folder is not taken: the link leads out of it. */
void archive_tree_refuse_link(const struct archive_highest *highest, struct error *e);

#endif

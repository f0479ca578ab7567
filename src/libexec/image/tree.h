/* tree.h - folders and paths within one volume.
 *
 * Listings are kept, sorted, as a path is walked from the root for each request. Deleted
 * names and those that libtsk makes up ($OrphanFiles, $FAT1, a volume label) are left out.
 * Links are followed here, within the volume: libtsk follows none. */
#ifndef YAGURA_IMAGE_TREE_H
#define YAGURA_IMAGE_TREE_H

#include "libexec/image/volume.h"

struct tree_entry {
    const char *name;
    uint64_t inode;
    int type; /* of struct target_stat, or -1 */
};

struct tree_dir {
    const struct tree_entry *entries; /* sorted bytewise */
    size_t count;
};

/* The file at a path, opened: tsk_fs_file_close() it. */
bool tree_find(struct volume *v, const char *path, bool follow, TSK_FS_FILE **out, struct error *e);
bool tree_list(struct volume *v, uint64_t inode, const struct tree_dir **out, struct error *e);

#endif

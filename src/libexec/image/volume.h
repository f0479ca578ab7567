/* volume.h - the file systems of a disk, opened with libtsk.
 *
 * Each is recognised by its own magic number and opened as that type and no other: libtsk's
 * own detection tries formats that open files beside the image. Read: NTFS, FAT12/16/32,
 * UFS1 of either byte order, ext2/3/4. Others are named where they are known by sight.
 * Serials: NTFS 8 bytes at 0x48 of the boot sector, FAT the volume id of the boot sector
 * (fatgen103), UFS fs_id (sys/fs/ufs_fs.h, 144), ext s_uuid (Documentation/filesystems/ext4). */
#ifndef YAGURA_IMAGE_VOLUME_H
#define YAGURA_IMAGE_VOLUME_H

#include "libexec/image/partition.h"
#include "target/target.h"

#include <tsk/libtsk.h>

enum volume_family { VOLUME_UNKNOWN, VOLUME_NTFS, VOLUME_FAT, VOLUME_UFS, VOLUME_EXT };

struct tree;
struct secure;

struct volume {
    enum volume_family family;
    TSK_FS_INFO *fs; /* NULL: not readable */
    char description[320];
    bool cut;       /* the image ends before it */
    uint64_t start; /* in bytes */
    const char *name;
    char serial[40];
    bool solaris;          /* UFS with Solaris' folders and inodes */
    struct tree *tree;     /* tree.c */
    struct secure *secure; /* node.c: NTFS' security descriptors, once wanted */
};

struct volumes {
    struct volume items[PARTITION_MOST]; /* readable ones first */
    size_t count, readable;
    TSK_IMG_INFO *image;
};

/* What is being done now, for the message of an image that hangs. */
typedef void volume_progress(const char *doing);

/* An error only if there is nothing readable at all. */
bool volumes_open(struct volumes *out, struct source *s, volume_progress *progress,
                  struct error *e);

/* An inode or a folder, NULL where libtsk cannot; tsk_fs_file_close(), tsk_fs_dir_close(). */
TSK_FS_FILE *volume_inode(struct volume *v, uint64_t inode);
TSK_FS_DIR *volume_folder(struct volume *v, uint64_t inode);

/* What libtsk says went wrong, as an error of ours; clears it there. */
bool volume_failed(struct error *e, const char *doing);

#endif

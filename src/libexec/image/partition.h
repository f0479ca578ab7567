/* partition.h - where the file systems of a disk begin.
 *
 * Read here: the PC's master boot record with its chain of logical partitions ("Microsoft
 * PC/MS-DOS partition", types as in fdisk), GPT (UEFI 2.9, 5.3), Solaris' labels: on SPARC
 * "dkl_label", big-endian, magic 0xDABE (sys/dklabel.h), and on x86 the VTOC in the second
 * sector of the MBR's Solaris partition (0x82 or 0xBF), whose slices count from that
 * partition. A disk without any of them is taken as one file system. */
#ifndef YAGURA_IMAGE_PARTITION_H
#define YAGURA_IMAGE_PARTITION_H

#include "libexec/image/source.h"

enum { PARTITION_MOST = 64 };

struct partition {
    uint64_t start, size; /* bytes */
    uint8_t type;         /* of the MBR; 0 elsewhere */
    bool cut;             /* the disk ends before it does; `size` is what there is of it */
};

/* Fills `out` (room for PARTITION_MOST) in the order of the disk's table. Damaged entries are
 * left out, those reaching beyond the end are kept: their file system may do. */
size_t partition_find(struct source *s, struct partition *out);

#endif

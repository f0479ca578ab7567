/* archive_frames.h - an archive's members over a pipe: what yagura-tree writes and archive_tree.c
 * reads.
 *
 * A frame is this head, the name, then the body; numbers as this machine has them, for both ends
 * are one build. A file is its head and then its bytes in pieces. Whoever reads checks every
 * number and every name. */
#ifndef YAGURA_ACT_ARCHIVE_FRAMES_H
#define YAGURA_ACT_ARCHIVE_FRAMES_H

#include <stdint.h>

enum tree_frame_kind {
    TREE_FOLDER,
    TREE_FILE,  /* empty so far; TREE_PIECE frames follow */
    TREE_PIECE, /* the body: the next bytes of the last file */
    TREE_LINK,  /* the body: where it leads */
    TREE_SAME,  /* a hard link; the body: the name of the member that it is */
    TREE_STOP,  /* the body: why nothing more comes */
    TREE_END    /* that was all */
};

enum { TREE_MOST_NAME = 4096, TREE_MOST_BODY = 128 << 10 };

struct tree_frame {
    uint32_t kind, program; /* program: it may be executed */
    uint32_t name_size, body_size;
    int64_t mtime; /* seconds since 1970 */
};

#endif

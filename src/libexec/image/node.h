/* node.h - one file of a volume: what it is, its bytes, its link, its security descriptor.
 *
 * What libtsk would give as zeros or ciphertext is refused: runs that it could not find,
 * files that Windows compressed by WOF or encrypted by EFS, other reparse points. */
#ifndef YAGURA_IMAGE_NODE_H
#define YAGURA_IMAGE_NODE_H

#include "base/str.h"
#include "libexec/image/volume.h"

int node_type(struct volume *v, TSK_FS_FILE *file); /* of struct target_stat */
void node_stat(struct volume *v, TSK_FS_FILE *file, struct target_stat *out);
bool node_readlink(struct volume *v, TSK_FS_FILE *file, char *out, size_t size, struct error *e);

/* Whether a folder may be listed: a junction may not. */
bool node_is_folder(struct volume *v, TSK_FS_FILE *file, struct error *e);

/* A file's bytes, opened once and read piece by piece. */
struct node_data {
    const TSK_FS_ATTR *attribute; /* NULL: an empty file */
    uint64_t size;
};
bool node_data(struct volume *v, TSK_FS_FILE *file, struct node_data *out, struct error *e);
/* `count` bytes, all within the size. */
bool node_read(const struct node_data *d, uint64_t offset, void *buffer, size_t count,
               struct error *e);

/* NTFS. Adds the self-relative descriptor to `out`. */
bool node_security(struct volume *v, TSK_FS_FILE *file, struct str *out, struct error *e);

#endif

/* target.h - what is looked at, behind one interface.
 *
 * A target is this live host, a mounted root, a disk image that nobody mounted, or a text
 * that another tool printed. No collector knows which it reads. Paths are those of the
 * target, with '/' between the parts and no drive letter: on a disk image with several file
 * systems, volumes are numbered and target_volume_*() tells them apart; "/" is volume 0.
 * Links are followed within the target only. Nothing in it is run.
 *
 * Windows names: target_resolve_nocase() finds the spelling that is there.
 * Every failure is an error with a path: ERR_ABSENT (nothing has that name) is told apart from
 * everything else (it could not be looked at): absence can be judged, the rest is unknown. A
 * link to what is gone or lies outside the target is ERR_UNREADABLE, on the way, too; so is a
 * folder that is none. */
#ifndef YAGURA_TARGET_TARGET_H
#define YAGURA_TARGET_TARGET_H

#include "base/error.h"
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

enum target_kind { TARGET_LIVE, TARGET_ROOT, TARGET_IMAGE, TARGET_TEXT };

struct target;

struct target_stat {
    enum { TARGET_FILE, TARGET_DIR, TARGET_LINK, TARGET_OTHER } type;
    uint64_t size;
    uint32_t mode; /* permission bits and suid/sgid/sticky; 0 where the file system has none */
    uint32_t uid, gid;
    int64_t mtime, ctime;
    uint64_t inode, device;
    bool has_owner; /* false on NTFS and FAT: mode, uid and gid mean nothing */
};

struct target_volume {
    const char *description; /* "NTFS, 32 MiB at sector 63", in the person's language */
    const char *fs;          /* "ntfs" "fat" "ufs" "ext4", "root" for a directory */
    const char *serial;      /* hexadecimal volume serial or file-system id; "" if none */
    uint64_t start;          /* in bytes, on the disk image */
    bool cut;                /* the image is shorter than the file system in it */
};

bool target_open_live(struct target **out, struct error *e);
bool target_open_root(struct target **out, const char *dir, struct error *e);
bool target_open_image(struct target **out, const char *file, struct error *e);
bool target_open_text(struct target **out, const char *file, struct error *e);
void target_close(struct target *t);
void target_cleanup(struct target **t);

enum target_kind target_kind(const struct target *t);
const char *target_name(const struct target *t); /* as the user gave it; N_("this host") */
int target_rootfd(const struct target *t);       /* live and root: the directory; else -1 */
int target_socket(const struct target *t); /* image: the descriptor a cage must keep; else -1 */

size_t target_volume_count(const struct target *t);
bool target_volume(const struct target *t, size_t index, struct target_volume *out);
/* Which volume "/" means from now on; 0 at first. */
void target_select_volume(struct target *t, size_t index);

bool target_stat(struct target *t, const char *path, bool follow, struct target_stat *out,
                 struct error *e);
/* The whole file: malloc block, NUL-terminated. Regular files only. ERR_LIMIT over `most`. */
bool target_read(struct target *t, const char *path, size_t most, char **out, size_t *size,
                 struct error *e);
/* At most `count` bytes from `offset`; *got of them. */
bool target_read_at(struct target *t, const char *path, uint64_t offset, void *buffer, size_t count,
                    size_t *got, struct error *e);
bool target_readlink(struct target *t, const char *path, char *out, size_t size, struct error *e);

/* The names in a directory, sorted bytewise, without . and ..; in the arena. At most 100,000
 * entries, else ERR_LIMIT. */
struct target_entry {
    const char *name;
    int type; /* as in target_stat; -1 where the directory does not tell */
};
bool target_list(struct target *t, const char *path, struct arena *arena, struct target_entry **out,
                 size_t *count, struct error *e);

/* The same with what each name is; links are not followed. What cannot be told has the type -1 in
 * its entry. One system call an entry on a live host or a root, and there at most 1,000,000 of
 * them: for walks. */
bool target_list_stat(struct target *t, const char *path, struct arena *arena,
                      struct target_entry **out, struct target_stat **stats, size_t *count,
                      struct error *e);

/* An extended attribute of a regular file, of at most `most` bytes; *size is 0 if it has none.
 * ERR_UNSUPPORTED on an image. */
bool target_xattr(struct target *t, const char *path, const char *name, void *out, size_t most,
                  size_t *size, struct error *e);

/* The path as it is spelled there, found without regard to ASCII case, part by part; '\' is
 * taken as '/'. In the arena. ERR_ABSENT if there is none. */
bool target_resolve_nocase(struct target *t, const char *path, struct arena *arena,
                           const char **out, struct error *e);

/* NTFS: the raw self-relative security descriptor of a file; ERR_UNSUPPORTED elsewhere. */
bool target_security_descriptor(struct target *t, const char *path, char **out, size_t *size,
                                struct error *e);

/* TARGET_TEXT: the text itself. */
const char *target_text(const struct target *t, size_t *size);

#endif

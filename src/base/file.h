/* file.h - whole files, in and out, and paths beneath a root.
 *
 * Files of others are hostile: file_open_beneath() resolves a path as if the root directory
 * were "/" (openat2 with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS), so that no link leads
 * out, and opens regular files only: a FIFO, socket or device is ERR_UNREADABLE and never
 * opened, so that nothing hangs and no device is touched. */
#ifndef YAGURA_BASE_FILE_H
#define YAGURA_BASE_FILE_H

#include "base/error.h"
#include "base/mem.h"

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Reads all of `fd` (from offset 0 where it can seek). *out is a malloc block, terminated
 * with a NUL that *size does not count. ERR_LIMIT if there are more than `most` bytes. */
bool file_read_fd(char **out, size_t *size, int fd, size_t most, struct error *e);

/* Fills the buffer from `offset` on, or reaches the end of the file: *got < size then, and what was
 * got before an error, too. */
bool file_read_at(int fd, uint64_t offset, void *buffer, size_t size, size_t *got, struct error *e);

/* A path of ours (configuration, data, state): read as the caller names it. A pipe may be one;
 * ERR_TIMEOUT where nobody writes into it. */
bool file_read(char **out, size_t *size, const char *path, size_t most, struct error *e);

/* Replaces `name` in the directory `dirfd` by these bytes, or leaves what was there:
 * temporary, write, fsync, rename, fsync of the directory. */
bool file_replace(int dirfd, const char *name, const void *bytes, size_t size, mode_t mode,
                  struct error *e);
/* The same of several parts that are one after the other, for what is too big to be joined. */
bool file_replace_parts(int dirfd, const char *name, const struct iovec *parts, size_t count,
                        mode_t mode, struct error *e);

/* What root has just made in another user's folder becomes that user's: the state of a service
 * that does not run as root. Nothing if we are not root, or the folder is root's. */
void file_give_to_owner(int dirfd, const char *name);
/* Removes the temporaries that a killed file_replace() has left in a directory; the caller knows
 * that nobody is replacing anything in it. */
void file_clear_temporaries(int dirfd);

/* Makes a directory and its parents, the last one with `mode`; fine if it is there. */
bool file_make_dirs(const char *path, mode_t mode, struct error *e);

/* Takes away a name and, if it is a directory, all that lies in it; links are not followed. Fine
 * if it is not there. */
bool file_remove_tree(int dirfd, const char *name, struct error *e);

/* The names in a directory beneath `dirfd` that is no link ("." is itself), for readdir(), with a
 * position of its own; closedir() it. NULL with errno. */
DIR *file_list(int dirfd, const char *name);

/* Beneath a root: an open descriptor of a regular file, or -1. `st` may be NULL. */
int file_open_beneath(int rootfd, const char *path, struct stat *st, struct error *e);
/* A directory, for reading; -1 if it is none. */
int file_open_dir_beneath(int rootfd, const char *path, struct error *e);
/* stat, following links within the root, or of the link itself. */
bool file_stat_beneath(int rootfd, const char *path, bool follow, struct stat *out,
                       struct error *e);

/* The directory that holds an open directory now, wherever that was moved, open (O_PATH), and its
 * name there; -1 if it lies nowhere: it was deleted, or its file system was unmounted. */
int file_open_parent(int dirfd, char name[256]);

/* What a person calls the file `name` in an open folder: the folder's path and the name; in the
 * arena. It opens as long as nobody renames the folder. */
const char *file_path_in(struct arena *arena, int dirfd, const char *name);

#endif

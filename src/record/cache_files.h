/* cache_files.h - the cache interface over a folder: one file a slot, mmap-ed when read.
 *
 * Parsed package lists are megabytes: a file can be mapped as it is, a database row would be
 * copied. All files are mapped when the folder is opened, so that a caged child, which can
 * open nothing there, finds them in the memory it inherits. A file holds the length of its key, the
 * key, an XXH3 sum, and the value; it is replaced atomically and never trusted: readers check every
 * byte. There are 256 files at most, the oldest goes first. Failures are silent: a cache that
 * cannot be written only costs time. */
#ifndef YAGURA_RECORD_CACHE_FILES_H
#define YAGURA_RECORD_CACHE_FILES_H

#include "base/cache.h"

struct cache_files;
/* Never NULL. Unless `write`: makes nothing, and put() does nothing. */
struct cache_files *cache_files_open(int dirfd, const char *name, bool write);
void cache_files_close(struct cache_files *c);
void cache_files_interface(struct cache_files *c, struct cache *out);

#endif

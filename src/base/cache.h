/* cache.h - the cache interface: what a collector may keep between two runs.
 *
 * The implementation lives in record/; collectors only see this. Keys are text that names
 * the file and its size, times and inode, so that a changed file is another key. What comes
 * back is as hostile as the file it was made from: read it with bytes.h. */
#ifndef YAGURA_BASE_CACHE_H
#define YAGURA_BASE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct cache {
    /* *data stays valid until the cache is closed; false if nothing stands under this key. */
    bool (*get)(void *self, const char *key, const void **data, size_t *size);
    /* Replaces what stands under `slot` (one value a slot) by this key and value. */
    void (*put)(void *self, const char *slot, const char *key, const void *data, size_t size);
    void *self;
};

#endif

/* json_file.h - one JSON value as a small file of a folder (of the state), for its owner only. */
#ifndef YAGURA_BASE_JSON_FILE_H
#define YAGURA_BASE_JSON_FILE_H

#include "base/json.h"

/* NULL on error: ERR_ABSENT where there is none; a link is not followed. A new reference. */
json_t *json_file_read(int dirfd, const char *name, size_t most_bytes, struct error *e);
/* Whole or not at all, mode 0600, given to the folder's owner. */
bool json_file_replace(int dirfd, const char *name, const json_t *value, struct error *e);

#endif

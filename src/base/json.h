/* json.h - the adapter to jansson: reading with limits, and an error with its place.
 *
 * Duplicate keys, NaN, lone surrogates, bad UTF-8 and more than 2,048 levels are refused by
 * jansson itself. A UTF-8 byte order mark is stripped. Objects made here keep their order.
 * All json_t pointers follow jansson's reference counts; CLEANUP_JSON drops one. */
#ifndef YAGURA_BASE_JSON_H
#define YAGURA_BASE_JSON_H

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

#include <jansson.h>

/* Once, before any other: no memory for a value ends the program (mem.h). Else a key would be
 * silently missing, for example from an entry of the ledger. */
void json_begin(void);

void json_cleanup(json_t **value);
#define CLEANUP_JSON CLEANUP(json_cleanup)

/* NULL on error; e has path, line, column and what jansson says. `most_bytes` bounds the
 * text, and no string in it may be longer than `most_string` bytes. */
json_t *json_parse(const char *text, size_t size, const char *path, size_t most_bytes,
                   size_t most_string, struct error *e);

/* Getters that never fail: NULL, 0 or false where the key is missing or of another type. */
const char *json_get_string(const json_t *object, const char *key);
json_t *json_get_array(const json_t *object, const char *key);
json_t *json_get_object(const json_t *object, const char *key);

/* Sets a string; NULL sets null. Bytes that are not UTF-8 are escaped (str_add_printable). */
void json_put_string(json_t *object, const char *key, const char *text);
void json_put_int(json_t *object, const char *key, int64_t value);
void json_put_bool(json_t *object, const char *key, bool value);
json_t *json_from_text(const char *text); /* a string value, escaped likewise; new reference */

/* How a line is printed: compact, and 8.1 as 8.1 and not as the nearest binary number. */
#define JSON_LINE (JSON_COMPACT | JSON_REAL_PRECISION(15))
/* One line, without a newline. */
void json_add_line(struct str *out, const json_t *value);

#endif

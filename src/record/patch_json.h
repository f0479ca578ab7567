/* patch_json.h - what the readers of plans and receipts share.
 *
 * A reader makes facts of a JSON object inside a cage; the facts come back as frames and are what
 * the parent has of the file. */
#ifndef YAGURA_RECORD_PATCH_JSON_H
#define YAGURA_RECORD_PATCH_JSON_H

#include "base/json.h"
#include "model/fact.h"

enum { PATCH_MOST_ROWS = 5000, PATCH_MOST_TEXT = 4000 };

/* What may stand in a text. */
enum patch_text {
    PATCH_ANY,     /* any text of at most PATCH_MOST_TEXT bytes */
    PATCH_NAME,    /* a package: Debian Policy 5.6.1 */
    PATCH_ARCH,    /* an architecture: Debian Policy 11.1 */
    PATCH_VERSION, /* a version: Debian Policy 5.6.12; or "" */
    PATCH_HASH,    /* 64 hexadecimal digits */
    PATCH_TIME,    /* RFC 3339 */
    PATCH_NUMBER,  /* a whole number from 0 to 2^31 */
    PATCH_TRUTH
};
struct patch_key {
    const char *name;
    enum patch_text kind;
    bool needed;
};

struct patch_reader {
    struct facts *out;
    const char *path;
    struct error *e;
};

/* The object of a file whose "format" is `format`, which ends with its number: another number is
 * ERR_UNSUPPORTED, anything else ERR_FORMAT, in the words of `stranger` (a msgid that takes the
 * format). New reference; NULL with the error. */
json_t *patch_read_object(struct patch_reader *r, const char *text, size_t size, size_t most,
                          const char *format, const char *stranger);
/* The keys of `object` as one fact of that kind; `where` is "packages[3]" or "". Keys that are not
 * in the table are left out: later versions may add some. */
bool patch_read_row(struct patch_reader *r, const json_t *object, const char *kind,
                    const char *where, const struct patch_key *keys, size_t count);
/* Each item of the array `key`, which may be missing. */
bool patch_read_rows(struct patch_reader *r, const json_t *object, const char *key,
                     const char *kind, const struct patch_key *keys, size_t count);

/* Reads a regular file as a person named it: a pipe or device is ERR_UNREADABLE, and holds nobody
 * up. *text is a malloc block, terminated. */
bool patch_read_file(char **text, size_t *size, const char *path, size_t most, struct error *e);

typedef bool patch_parse(struct facts *out, const char *text, size_t size, const char *path,
                         struct error *e);
/* Reads a file of at most `most` bytes and runs `parse` over it in a cage. *text is a malloc
 * block. */
bool patch_read_caged(struct facts **out, char **text, size_t *size, const char *path, size_t most,
                      patch_parse *parse, struct error *e);

/* Writes a file by its path, whole or not at all. */
bool patch_write_file(const char *path, const void *bytes, size_t size, struct error *e);

#endif

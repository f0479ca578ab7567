#include "feed/db_format.h"

#include "base/mem.h"
#include "base/str.h"

#include <xxhash.h>

uint64_t db_hash_bytes(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}

static void add_lower(struct str *key, const char *text)
{
    for (; *text; text++)
        str_add_char(key, str_lower(*text));
}

uint64_t db_hash_id(const char *id)
{
    CLEANUP_STR struct str key = {0};
    add_lower(&key, id);
    return db_hash_bytes(str_text(&key), key.length);
}

uint64_t db_hash_case(unsigned kind, const char *product, const char *name)
{
    CLEANUP_STR struct str key = {0};
    str_add_char(&key, (char)kind);
    add_lower(&key, product);
    str_add_char(&key, '\0');
    add_lower(&key, name);
    return db_hash_bytes(str_text(&key), key.length);
}

uint64_t db_hash_patch(const char *product)
{
    return db_hash_id(product);
}

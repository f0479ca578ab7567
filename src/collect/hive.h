/* hive.h - reads a registry hive: values and subkeys by path, nothing else.
 *
 * Format: "Windows NT Registry File (REGF) format specification" of libregf (J. Metz) and
 * "Windows registry file format specification" (M. Suhanov): base block of 4,096 bytes, then
 * cells; offsets count from the end of the base block. Versions 1.1 (NT 3.1) to 1.6.
 *
 * A reader of our own, because in a cage libhivex cannot work: it opens by path only and
 * converts names through iconv modules that it loads from /usr/lib, and both are what a cage
 * forbids. It also reads and walks all of the file at opening. This one fetches the pieces of
 * 64 KiB that a look-up touches, so that a hive of 12 MB and one of 100 MB cost the same.
 * The tests hold it against libhivex.
 *
 * Nothing is ever walked but the way to a key, so that a circle in a hive is only a long path.
 * Names are compared without regard to ASCII case; a name with a NUL in it is never equal to
 * one without. A hive is not changed and its logs are not replayed: see `dirty`. What a hive
 * that was cut short has lost is an error, never absent: see `cut`. */
#ifndef YAGURA_COLLECT_HIVE_H
#define YAGURA_COLLECT_HIVE_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"

struct hive;

/* Fetches up to `count` bytes from `offset`, *got of them. */
typedef bool hive_fetch(void *self, uint64_t offset, void *buffer, size_t count, size_t *got,
                        struct error *e);

struct hive_info {
    uint32_t major, minor; /* 1.3: NT 4.0 to XP; 1.5: later */
    uint32_t sequence[2];  /* unequal: a write was under way */
    bool checksum_good;
    bool dirty;      /* stale: the last changes are in a log and not in here */
    bool cut;        /* shorter than its first block says */
    int64_t written; /* when it was last written, seconds since 1970 */
    uint64_t size, declared;
};

enum { HIVE_MOST_BYTES = 512 * 1024 * 1024 };

/* ERR_FORMAT if it is no hive or of an unknown version, ERR_LIMIT over HIVE_MOST_BYTES. */
bool hive_open(struct hive **out, uint64_t size, hive_fetch *fetch, void *self, struct error *e);
/* Of bytes that stay where they are as long as the hive is open. */
bool hive_open_bytes(struct hive **out, const void *bytes, size_t size, struct error *e);
void hive_close(struct hive *h); /* NULL is allowed */
void hive_cleanup(struct hive **h);
const struct hive_info *hive_info(const struct hive *h);

/* A key is named by the offset of its cell; it is not checked until it is used. */
uint32_t hive_root(const struct hive *h);

/* The key at `path` ('\' between the parts) below `from`. ERR_ABSENT if there is none,
 * ERR_FORMAT if the way to it is damaged. */
bool hive_key(struct hive *h, uint32_t from, const char *path, uint32_t *out, struct error *e);

enum hive_value_type {
    HIVE_NONE,
    HIVE_SZ,
    HIVE_EXPAND_SZ,
    HIVE_BINARY,
    HIVE_DWORD,
    HIVE_DWORD_BIG_ENDIAN,
    HIVE_LINK,
    HIVE_MULTI_SZ,
    HIVE_QWORD = 11
};

struct hive_value {
    const char *name;    /* UTF-8; "" is the default value; a NUL in it is U+FFFD */
    uint32_t type;       /* enum hive_value_type or a number that it does not know */
    const uint8_t *data; /* at most 1 MiB */
    size_t size;
};

/* The value of that name; name and data live in the arena. */
bool hive_value(struct hive *h, uint32_t key, const char *name, struct arena *arena,
                struct hive_value *out, struct error *e);

/* As text: DWORD and QWORD in decimal, strings up to their NUL, multi-strings joined by \n,
 * everything else in hexadecimal. ERR_FORMAT if the bytes do not fit the type, ERR_LIMIT
 * beyond 64 KiB of text. */
bool hive_value_text(const struct hive_value *value, struct arena *arena, const char **out,
                     struct error *e);

struct hive_subkey {
    const char *name;
    uint32_t key;
};
/* All subkeys or values of a key, in the order of the hive, in the arena; damaged ones are
 * left out and counted in *damaged. At most 65,536, else ERR_LIMIT. */
bool hive_subkeys(struct hive *h, uint32_t key, struct arena *arena, struct hive_subkey **out,
                  size_t *count, size_t *damaged, struct error *e);
bool hive_values(struct hive *h, uint32_t key, struct arena *arena, struct hive_value **out,
                 size_t *count, size_t *damaged, struct error *e);

#endif

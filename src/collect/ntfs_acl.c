#include "collect/ntfs_acl.h"

#include "base/bytes.h"

#include <stdio.h>

enum {
    DACL_PRESENT = 0x0004,
    INHERIT_ONLY = 0x08,
    ACE_ALLOWED = 0,
    ACE_DENIED = 1,
    ACE_ALLOWED_CALLBACK = 9,
    ACE_DENIED_CALLBACK = 10,
    MOST_ACES = 2048,
    MOST_ACCOUNTS = 256,
    MOST_SUBAUTHORITIES = 15,
    SID_TEXT = 200,
};

/* MS-DTYP 2.4.3 and the file rights of the Windows API (winnt.h): what each letter needs. */
static const struct {
    char letter;
    uint32_t any; /* each of these bits is enough */
} rights[] = {
    {'R', 0x80000000 | 0x10000000 | 0x00000001}, /* GENERIC_READ, ALL; FILE_READ_DATA */
    {'W', 0x40000000 | 0x10000000 | 0x00000006}, /* GENERIC_WRITE, ALL; WRITE, APPEND_DATA */
    {'X', 0x20000000 | 0x10000000 | 0x00000020}, /* GENERIC_EXECUTE, ALL; FILE_EXECUTE */
};
#define FILE_ALL_ACCESS 0x001f01ffu
#define GENERIC_ALL     0x10000000u

/* MS-DTYP 2.4.2.4. */
static const struct {
    const char *sid, *name;
} known[] = {
    {"S-1-1-0", "Everyone"},
    {"S-1-3-0", "Creator Owner"},
    {"S-1-3-1", "Creator Group"},
    {"S-1-5-1", "Dialup"},
    {"S-1-5-2", "Network"},
    {"S-1-5-3", "Batch"},
    {"S-1-5-4", "Interactive"},
    {"S-1-5-6", "Service"},
    {"S-1-5-7", "Anonymous Logon"},
    {"S-1-5-11", "Authenticated Users"},
    {"S-1-5-13", "Terminal Server Users"},
    {"S-1-5-18", "SYSTEM"},
    {"S-1-5-19", "Local Service"},
    {"S-1-5-20", "Network Service"},
    {"S-1-5-32-544", "Administrators"},
    {"S-1-5-32-545", "Users"},
    {"S-1-5-32-546", "Guests"},
    {"S-1-5-32-547", "Power Users"},
    {"S-1-5-32-548", "Account Operators"},
    {"S-1-5-32-549", "Server Operators"},
    {"S-1-5-32-550", "Print Operators"},
    {"S-1-5-32-551", "Backup Operators"},
    {"S-1-5-32-552", "Replicator"},
    {"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", "TrustedInstaller"},
};

struct account {
    char sid[SID_TEXT];
    uint32_t allowed, denied;
};

struct list {
    struct account *items;
    size_t count;
};

static bool read_sid(struct bytes *b, char out[SID_TEXT])
{
    uint8_t revision = bytes_u8(b), count = bytes_u8(b);
    uint64_t authority = (uint64_t)bytes_u16be(b) << 32;
    authority |= bytes_u32be(b);
    if (b->failed || revision != 1 || count > MOST_SUBAUTHORITIES)
        return false;
    int length = snprintf(out, SID_TEXT, "S-1-%llu", (unsigned long long)authority);
    for (uint8_t i = 0; i < count; i++)
        length +=
            snprintf(out + length, (size_t)(SID_TEXT - length), "-%u", (unsigned)bytes_u32le(b));
    return !b->failed;
}

static struct account *account_of(struct list *list, const char *sid)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i].sid, sid))
            return &list->items[i];
    if (list->count == MOST_ACCOUNTS)
        return NULL;
    struct account *a = &list->items[list->count++];
    snprintf(a->sid, sizeof a->sid, "%s", sid);
    return a;
}

static uint32_t spread(uint32_t mask)
{
    return mask & GENERIC_ALL ? mask | FILE_ALL_ACCESS | 0xe0000000u : mask;
}

static void add_rights(struct str *out, uint32_t mask)
{
    if ((mask & FILE_ALL_ACCESS) == FILE_ALL_ACCESS) {
        str_add_char(out, 'F');
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(rights); i++)
        if (mask & rights[i].any & ~GENERIC_ALL)
            str_add_char(out, rights[i].letter);
}

static bool has_rights(uint32_t mask)
{
    return mask & (rights[0].any | rights[1].any | rights[2].any);
}

static const char *name_of(const char *sid)
{
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (str_equal(known[i].sid, sid))
            return known[i].name;
    return sid;
}

static void add_lines(struct str *out, const struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct account *a = &list->items[i];
        if (has_rights(a->allowed)) {
            str_printf(out, "%s%s:", out->length ? "\n" : "", name_of(a->sid));
            add_rights(out, a->allowed);
        }
        if (has_rights(a->denied)) {
            str_printf(out, "%s%s:-", out->length ? "\n" : "", name_of(a->sid));
            add_rights(out, a->denied);
        }
    }
}

static bool damaged(struct error *e)
{
    error_set(e, ERR_FORMAT, "its access list could not be read: it is damaged");
    return false;
}

static bool read_ace(struct bytes *b, struct list *list, uint32_t *denied_to_all)
{
    size_t start = b->position;
    uint8_t type = bytes_u8(b), flags = bytes_u8(b);
    uint16_t length = bytes_u16le(b);
    if (b->failed || length < 4)
        return false;
    struct bytes ace = bytes_slice(b, start, length);
    if (!bytes_seek(b, start + length) || !bytes_skip(&ace, 4))
        return false;
    bool allow = type == ACE_ALLOWED || type == ACE_ALLOWED_CALLBACK;
    bool deny = type == ACE_DENIED || type == ACE_DENIED_CALLBACK;
    if ((!allow && !deny) || (flags & INHERIT_ONLY))
        return true; /* audit and object entries say nothing about a file's bytes */
    uint32_t mask = spread(bytes_u32le(&ace));
    char sid[SID_TEXT];
    if (!read_sid(&ace, sid))
        return false;
    struct account *a = account_of(list, sid);
    if (!a)
        return false;
    if (allow) {
        a->allowed |= mask & ~(a->denied | *denied_to_all);
    } else {
        a->denied |= mask & ~a->allowed;
        if (str_equal(sid, "S-1-1-0"))
            *denied_to_all |= mask;
    }
    return true;
}

bool ntfs_acl_text(const char **out, struct arena *arena, const void *descriptor, size_t size,
                   struct error *e)
{
    struct bytes b = bytes_of(descriptor, size);
    uint8_t revision = bytes_u8(&b);
    bytes_skip(&b, 1);
    uint16_t control = bytes_u16le(&b);
    bytes_skip(&b, 12);
    uint32_t dacl = bytes_u32le(&b);
    if (b.failed || revision != 1)
        return damaged(e);
    if (!(control & DACL_PRESENT) || !dacl) {
        *out = arena_strdup(arena, "Everyone:F");
        return true;
    }
    bytes_seek(&b, dacl);
    bytes_skip(&b, 2);
    uint16_t acl_size = bytes_u16le(&b), count = bytes_u16le(&b);
    bytes_skip(&b, 2);
    if (b.failed || acl_size < 8 || count > MOST_ACES)
        return damaged(e);
    struct bytes acl = bytes_slice(&b, dacl, acl_size);
    bytes_skip(&acl, 8);
    struct list list = {.items = arena_alloc(arena, MOST_ACCOUNTS * sizeof *list.items)};
    uint32_t denied_to_all = 0;
    for (uint16_t i = 0; i < count; i++)
        if (acl.failed || !read_ace(&acl, &list, &denied_to_all))
            return damaged(e);
    CLEANUP_STR struct str text = {0};
    add_lines(&text, &list);
    *out = arena_strndup(arena, str_text(&text), text.length);
    return true;
}

#include "libexec/image/partition.h"

#include "base/bytes.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECTOR = SOURCE_SECTOR,
    MOST_LOGICAL = 60,
    MOST_GPT_ENTRIES = 1024,
    TYPE_GPT = 0xee,
    SOLARIS_SANITY = 0x600ddeee,
    SUN_MAGIC = 0xdabe,
    TAG_BACKUP = 5,
};

struct list {
    struct source *source;
    struct partition *items;
    size_t count;
};

static void add(struct list *l, uint64_t sector, uint64_t sectors, uint8_t type)
{
    uint64_t disk = source_size(l->source) / SECTOR;
    if (!sectors || sector >= disk || l->count == PARTITION_MOST)
        return;
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].start == sector * SECTOR)
            return;
    bool cut = sectors > disk - sector;
    if (cut)
        sectors = disk - sector;
    l->items[l->count++] = (struct partition){
        .start = sector * SECTOR, .size = sectors * SECTOR, .type = type, .cut = cut};
}

static bool read_sector(struct list *l, uint64_t sector, uint8_t *out)
{
    return sector < INT64_MAX / SECTOR && source_read(l->source, sector * SECTOR, out, SECTOR);
}

/* sys/vtoc.h of Solaris x86, after boot information of three words: sanity, version, volume
 * name, sector size and number of slices, 40 bytes unused, then {u16 tag, u16 flag, u32 start,
 * u32 size} each. */
static bool solaris_x86(struct list *l, uint64_t start)
{
    uint8_t sector[SECTOR];
    if (!read_sector(l, start + 1, sector))
        return false;
    struct bytes in = bytes_of(sector, SECTOR);
    bytes_seek(&in, 12);
    if (bytes_u32le(&in) != SOLARIS_SANITY)
        return false;
    bytes_seek(&in, 30);
    uint16_t slices = bytes_u16le(&in);
    bytes_seek(&in, 72);
    for (unsigned i = 0; i < slices && i < 16; i++) {
        uint16_t tag = bytes_u16le(&in);
        bytes_skip(&in, 2);
        uint64_t first = bytes_u32le(&in), count = bytes_u32le(&in);
        if (tag != TAG_BACKUP)
            add(l, start + first, count, 0);
    }
    return true;
}

static bool is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

struct entry {
    uint8_t type;
    uint32_t start, count;
};

static bool read_entries(const uint8_t *sector, struct entry *out)
{
    struct bytes in = bytes_of(sector, SECTOR);
    bytes_seek(&in, 446);
    for (int i = 0; i < 4; i++) {
        bytes_skip(&in, 4);
        out[i].type = bytes_u8(&in);
        bytes_skip(&in, 3);
        out[i].start = bytes_u32le(&in);
        out[i].count = bytes_u32le(&in);
    }
    return bytes_u16le(&in) == 0xaa55;
}

/* Each link of the chain holds one logical partition, counted from the link, and the next
 * link, counted from the extended partition. */
static void logical(struct list *l, uint64_t extended)
{
    uint64_t link = extended;
    for (int i = 0; i < MOST_LOGICAL; i++) {
        uint8_t sector[SECTOR];
        struct entry entries[4];
        uint64_t next = 0;
        if (!read_sector(l, link, sector) || !read_entries(sector, entries))
            return;
        for (int k = 0; k < 4; k++) {
            if (is_extended(entries[k].type))
                next = extended + entries[k].start;
            else if (entries[k].type)
                add(l, link + entries[k].start, entries[k].count, entries[k].type);
        }
        if (next <= link) /* a chain goes on only: no loops */
            return;
        link = next;
    }
}

static bool gpt_with(struct list *l, uint32_t sector_size)
{
    uint8_t header[SECTOR];
    if (!source_read(l->source, sector_size, header, sizeof header) ||
        memcmp(header, "EFI PART", 8) != 0)
        return false;
    struct bytes in = bytes_of(header, sizeof header);
    bytes_seek(&in, 72);
    uint64_t table = bytes_u64le(&in);
    uint32_t count = bytes_u32le(&in), size = bytes_u32le(&in);
    if (size < 128 || size > 4096 || table > INT64_MAX / 4096 - MOST_GPT_ENTRIES)
        return false;
    for (uint32_t i = 0; i < count && i < MOST_GPT_ENTRIES; i++) {
        uint8_t entry[128], none[16] = {0};
        if (!source_read(l->source, table * sector_size + (uint64_t)i * size, entry, sizeof entry))
            break;
        in = bytes_of(entry, sizeof entry);
        if (memcmp(bytes_take(&in, 16), none, 16) == 0)
            continue;
        bytes_skip(&in, 16);
        uint64_t first = bytes_u64le(&in), last = bytes_u64le(&in), scale = sector_size / SECTOR;
        if (last >= first && last < INT64_MAX / sector_size)
            add(l, first * scale, (last - first + 1) * scale, 0);
    }
    return true;
}

static bool gpt(struct list *l)
{
    return gpt_with(l, 512) || gpt_with(l, 4096);
}

/* sys/dklabel.h: heads at 436, sectors a track at 438, eight {cylinder, blocks} from 444, magic
 * at 508, and the exclusive or of all 16-bit words is 0. */
static bool sun(struct list *l, const uint8_t *sector)
{
    struct bytes in = bytes_of(sector, SECTOR);
    uint16_t sum = 0;
    for (int i = 0; i < SECTOR / 2; i++)
        sum ^= bytes_u16be(&in);
    bytes_seek(&in, 508);
    if (bytes_u16be(&in) != SUN_MAGIC || sum != 0)
        return false;
    bytes_seek(&in, 436);
    uint64_t cylinder = bytes_u16be(&in);
    cylinder *= bytes_u16be(&in);
    struct bytes tags = bytes_of(sector, SECTOR); /* vtoc: {u16 tag, u16 flag} from 142 */
    bytes_seek(&tags, 142);
    bytes_seek(&in, 444);
    for (int i = 0; i < 8; i++) {
        uint16_t tag = bytes_u16be(&tags);
        bytes_skip(&tags, 2);
        uint64_t first = bytes_u32be(&in), count = bytes_u32be(&in);
        if (tag != TAG_BACKUP)
            add(l, first * cylinder, count, 0);
    }
    return true;
}

/* The first sector of a FAT or NTFS volume ends in 0xAA55 as well, and holds code where the
 * table would be: an MBR's entries have a status of 0x00 or 0x80. */
static bool is_mbr(const uint8_t *sector)
{
    struct entry entries[4];
    if (!read_entries(sector, entries) || memcmp(sector + 3, "NTFS    ", 8) == 0)
        return false;
    bool any = false;
    for (int i = 0; i < 4; i++) {
        if ((sector[446 + 16 * i] & 0x7f) != 0)
            return false;
        any |= entries[i].type && entries[i].count;
    }
    return any;
}

static void mbr(struct list *l, const uint8_t *sector)
{
    struct entry entries[4];
    read_entries(sector, entries);
    for (int i = 0; i < 4; i++)
        if (entries[i].type == TYPE_GPT && gpt(l))
            return;
    for (int i = 0; i < 4; i++) {
        const struct entry *entry = &entries[i];
        if (!entry->type || is_extended(entry->type))
            continue;
        if ((entry->type == 0x82 || entry->type == 0xbf) && solaris_x86(l, entry->start))
            continue; /* else Linux swap */
        add(l, entry->start, entry->count, entry->type);
    }
    for (int i = 0; i < 4; i++)
        if (is_extended(entries[i].type))
            logical(l, entries[i].start);
}

size_t partition_find(struct source *s, struct partition *out)
{
    struct list l = {.source = s, .items = out};
    uint8_t sector[SECTOR];
    if (!read_sector(&l, 0, sector))
        return 0;
    if (!sun(&l, sector) && is_mbr(sector))
        mbr(&l, sector);
    else if (!l.count)
        gpt(&l); /* a protective MBR that was wiped */
    if (!l.count)
        add(&l, 0, source_size(s) / SECTOR, 0);
    return l.count;
}

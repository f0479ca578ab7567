/* document.h - one advisory document as the readers of formats make it, and its packed form.
 *
 * A reader (csaf.h, later others) fills a struct document in an arena; document_pack() turns
 * it into a block: bytes that need nothing outside themselves. Blocks are what a cage sends
 * to its parent, what the compiler writes, and what advisories.db consists of: copying a
 * document from one file to another is copying its block.
 *
 * The block (all numbers little endian, offsets from its start):
 *
 *   u32 magic "YDOC"   u32 size of the block
 *   u32 strings        u32 offset of the table of strings: (strings + 1) x u32 offsets; string
 *                      i is the bytes from offset i up to offset i+1, the last of them NUL
 *   u32 offset of the head record
 *   u32 revisions      u32 offset of the revision records, one after the other
 *   u32 cases          u32 offset of the table of cases: u32 offsets of their records
 *   u32 patches        u32 offset of the table of patches: likewise
 *
 * In records a string is its number in the table (u32), a list is u32 count and its items. */
#ifndef YAGURA_FEED_DOCUMENT_H
#define YAGURA_FEED_DOCUMENT_H

#include "base/bytes.h"
#include "base/mem.h"
#include "feed/advisories.h"

enum {
    DOCUMENT_MAGIC = 0x434f4459,            /* "YDOC" */
    DOCUMENT_MOST_BYTES = 64 * 1024 * 1024, /* of a document, and of its block */
    DOCUMENT_MOST_STRING = 1024 * 1024,
    DOCUMENT_MOST_PRODUCTS = 100000,
    DOCUMENT_MOST_CASES = 1000000
};

struct document {
    struct advisory head; /* index is not used */
    bool deleted;         /* the publisher withdrew it (tracking.status "deleted") */
    size_t revision_count, case_count, patch_count;
    struct advisory_revision *revisions;
    struct advisory_case *cases;    /* .advisory is not used */
    struct advisory_patch *patches; /* .advisory_id and .released are not used: the head's */
};

/* false if the block would be larger than DOCUMENT_MOST_BYTES. Appends to `out`. */
bool document_pack(struct str *out, const struct document *d, struct error *e);

/* A view of a block; it does not own the bytes. */
struct document_view {
    struct bytes all;
    uint32_t strings, strings_at, head_at;
    uint32_t revisions, revisions_at, cases, cases_at, patches, patches_at;
};

/* false if the fixed part does not hold together. Nothing in the block is believed later. */
bool document_view(struct document_view *out, const void *bytes, size_t size);
/* Each unpacks one record; strings point into the block, lists live in the arena. false if
 * the record is damaged; *out is then not to be used. */
bool document_head(const struct document_view *v, struct advisory *out, bool *deleted);
bool document_case(const struct document_view *v, struct arena *arena, size_t i,
                   struct advisory_case *out);
bool document_patch(const struct document_view *v, struct arena *arena, size_t i,
                    struct advisory_patch *out);
bool document_revisions(const struct document_view *v, struct arena *arena,
                        struct advisory_revision **out);
/* Unpacks everything once. */
bool document_check(const struct document_view *v);

#endif

/* db_format.h - the layout of advisories.db, version 2. All numbers are little endian.
 *
 *   header, DB_HEADER_BYTES:
 *      0  8 bytes "YAGADVDB"        8  u32 version     12  u32 bytes of the header
 *     16  u64 bytes of the file    24  u32 bytes of a page     28  u32 documents
 *     32  DB_SECTIONS x {u64 offset, u64 bytes}
 *    ...  zeros
 *    496  u64 XXH3 of the section PAGES
 *    504  u64 XXH3 of the 504 bytes before
 *   body: the sections in the order of the enum, without gaps
 *
 *   BLOCKS     the documents, one block each (document.h)
 *   DOCUMENTS  {u64 offset in the file, u32 bytes, u32 0} for each, sorted by id without case,
 *              then by the publisher's namespace: a document's number is its place here
 *   IDS, CASES, PATCHES
 *              {u64 hash, u64 offset of the document's block in the file, u32 document,
 *              u32 item}, sorted by hash, document and item. The hash is XXH3 of the
 *              lower-cased key: IDS the id; CASES kind as one byte, product, 0, name;
 *              PATCHES the server product. The item is the number of the case or patch in the
 *              document. A hash only finds: the reader compares the names. The offset saves a
 *              look into DOCUMENTS, which is a page fault in a big file.
 *   WANTS      u32 count, (count + 1) x u32 offsets in the section, the texts, each ending in
 *              NUL; sorted without regard to case, unique
 *   FEEDS      u32 count; each: string (u32 length, bytes), u64 imported, u64 newest,
 *              u32 documents, u32 skipped
 *   PAGES      u64 XXH3 of each page of the file before this section: whoever reads a byte
 *              checks its page first. Pages begin at multiples of their size, as those of the
 *              memory do; the first is without the header, the last may be shorter
 *
 * The file is replaced as a whole and rebuilt at will: there is no upgrade of old versions. */
#ifndef YAGURA_FEED_DB_FORMAT_H
#define YAGURA_FEED_DB_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define DB_MAGIC "YAGADVDB"

enum {
    DB_VERSION = 2,
    DB_HEADER_BYTES = 512,
    DB_PAGE_BYTES = 16384,
    DB_PAGES_HASH_AT = 496,
    DB_HEADER_HASH_AT = 504,
    DB_DOCUMENT_BYTES = 16,
    DB_KEY_BYTES = 24
};

enum db_section {
    DB_BLOCKS,
    DB_DOCUMENTS,
    DB_IDS,
    DB_CASES,
    DB_PATCHES,
    DB_WANTS,
    DB_FEEDS,
    DB_PAGES,
    DB_SECTIONS
};

uint64_t db_hash_id(const char *id);
uint64_t db_hash_case(unsigned kind, const char *product, const char *name);
uint64_t db_hash_patch(const char *product);
/* XXH3, 64 bits. */
uint64_t db_hash_bytes(const void *bytes, size_t size);

#endif

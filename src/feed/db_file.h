/* db_file.h - one advisories.db in memory: opened, checked, and read in checked pieces. */
#ifndef YAGURA_FEED_DB_FILE_H
#define YAGURA_FEED_DB_FILE_H

#include "base/bytes.h"
#include "base/error.h"
#include "feed/db_format.h"

struct db_file {
    char *path;
    const uint8_t *map;
    uint64_t size;
    uint32_t documents;
    struct {
        uint64_t offset, size;
    } sections[DB_SECTIONS];
    uint8_t *checked; /* a bit a page */
    bool damaged;
    struct error damage; /* the first that was met */
};

/* Maps and checks (advisories.h says what). ERR_ABSENT if there is no such file. */
bool db_file_open(struct db_file *out, const char *path, struct error *e);
/* The same for bytes that the caller keeps; they are not unmapped. */
bool db_file_of(struct db_file *out, const void *bytes, size_t size, const char *path,
                struct error *e);
void db_file_close(struct db_file *f);

/* The bytes, all of their pages checked; NULL (and damage noted) if that fails. */
const uint8_t *db_file_bytes(struct db_file *f, uint64_t offset, uint64_t size);
/* A section as a whole; failed if it is damaged. */
struct bytes db_file_section(struct db_file *f, enum db_section section);
void db_file_note(struct db_file *f, const char *what); /* a record that does not hold together */
bool db_file_check_all(struct db_file *f, struct error *e);

/* Entries of IDS, CASES or PATCHES. */
struct db_entry {
    uint64_t hash, block;
    uint32_t document, item;
};
size_t db_file_keys(const struct db_file *f, enum db_section section);
bool db_file_key(struct db_file *f, enum db_section section, size_t i, struct db_entry *out);
/* The first entry with this hash, or where it would stand. */
size_t db_file_find(struct db_file *f, enum db_section section, uint64_t hash);
/* The offset of a document's block; 0 (and damage noted) if there is none. */
uint64_t db_file_place(struct db_file *f, uint32_t document);
/* The block that begins there: its own header says how long it is. */
const uint8_t *db_file_block(struct db_file *f, uint64_t place, uint32_t *size);

#endif

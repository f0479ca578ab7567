/* db_writer.h - writes the bytes of advisories.db in one pass and hashes its pages on the way. */
#ifndef YAGURA_FEED_DB_WRITER_H
#define YAGURA_FEED_DB_WRITER_H

#include "base/error.h"
#include "feed/db_format.h"

struct db_key {
    uint64_t hash, block;
    uint32_t document, item;
};

struct db_writer;

struct db_writer *db_writer_new(int fd); /* empty, for reading and writing */
void db_writer_free(struct db_writer *w);
uint64_t db_writer_position(const struct db_writer *w);             /* in the file */
void db_writer_begin(struct db_writer *w, enum db_section section); /* in order, DB_PAGES not */
void db_writer_add(struct db_writer *w, const void *bytes, size_t size);
void db_writer_key(struct db_writer *w, const struct db_key *key);
/* Writes PAGES and the header; says what went wrong since the beginning. */
bool db_writer_finish(struct db_writer *w, uint32_t documents, struct error *e);

#endif

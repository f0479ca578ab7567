/* advisories_set.h - what the two halves of the reader share; for src/feed only. */
#ifndef YAGURA_FEED_ADVISORIES_SET_H
#define YAGURA_FEED_ADVISORIES_SET_H

#include "base/mem.h"
#include "feed/advisories.h"
#include "feed/db_file.h"
#include "feed/document.h"

enum head_state { HEAD_UNKNOWN, HEAD_CURRENT, HEAD_OVERRIDDEN };

/* A document that was looked at. */
struct head {
    struct advisory advisory; /* must be first */
    uint64_t place;           /* of its block in its file */
    struct document_view view;
    size_t member;
    enum head_state state;
};

struct member {
    struct db_file file;
    bool mapped;
};

struct advisories {
    struct arena *arena;
    struct member *members;
    size_t count;
    struct head **heads; /* those that were looked at, by hash of member and place */
    size_t head_count, head_slots;
    bool ordered;
    const struct head **order;
    size_t order_count;
    const char **wants; /* NULL until asked for */
    size_t want_count;
    struct advisory_feed *feeds;
    size_t feed_count;
};

/* The document whose block begins at `place`; NULL (and damage noted) if it cannot be read. */
const struct head *set_head(struct advisories *set, size_t member, uint64_t place,
                            uint32_t document);
/* false if a later file of the set has the same document. */
bool set_is_current(struct advisories *set, const struct head *head);

/* A set of one file that lies in memory, for tests; the bytes stay the caller's. */
bool advisories_of_bytes(struct advisories **out, const void *bytes, size_t size, struct error *e);

#endif

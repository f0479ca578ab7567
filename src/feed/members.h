/* members.h - a stream of named files over a pipe: what yagura-unpack writes, and what the
 * parser of an import reads.
 *
 *   u8 kind   u32 bytes of the name   u64 bytes of the body   name   body
 *
 * Names are labels for people and never become paths. Whoever reads checks every number. */
#ifndef YAGURA_FEED_MEMBERS_H
#define YAGURA_FEED_MEMBERS_H

#include "base/str.h"

enum member_kind {
    MEMBER_FILE,    /* the body is the file */
    MEMBER_REFUSED, /* the body says why this one is not there */
    MEMBER_IGNORED, /* not of a kind that is looked at; no body */
    MEMBER_STOP,    /* the body says why nothing more comes */
    MEMBER_END,     /* that was all */
    MEMBER_BROKEN   /* never sent: the stream ended early or makes no sense */
};

enum { MEMBER_MOST_BYTES = 64 * 1024 * 1024, MEMBER_MOST_NAME = 4096 };

struct member_frame {
    enum member_kind kind;
    struct str name, body; /* kept from frame to frame: memory is used again */
};

void member_frame_free(struct member_frame *m);
/* Reads exactly one frame and not one byte more, so that another process may go on. */
void member_read(int fd, struct member_frame *out);
/* false if nobody reads any more. Longer names are cut, what is not UTF-8 is escaped. */
bool member_write(int fd, enum member_kind kind, const char *name, const void *body, size_t size);

/* Whether a name is that of an archive, or of one compressed document, as we unpack them. */
bool member_is_archive(const char *name);

#endif

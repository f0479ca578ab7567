/* tar_writer.h - a tar archive, written from front to end: POSIX.1-2001 (pax), "ustar" headers.
 *
 * What the old header cannot hold goes into an extended header before it: names over 100 bytes or
 * that are not ASCII, sizes over 8 GiB, large user numbers, times below a second. A name that is no
 * UTF-8 is marked so (hdrcharset=BINARY). Links are written as links. */
#ifndef YAGURA_BASE_TAR_WRITER_H
#define YAGURA_BASE_TAR_WRITER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct tar_writer {
    bool (*write)(void *context, const void *bytes, size_t size, struct error *e);
    void *context;
    uint64_t left; /* of the content of the member that was begun */
    unsigned padding;
};

/* Begins a member: type, mode, owner, size, times and device of `st`; `name` without a "/" in
 * front, `link` where a link leads. What is neither file, folder, link, FIFO nor device is
 * ERR_UNSUPPORTED. Only files have content: st_size bytes. */
bool tar_begin(struct tar_writer *t, const char *name, const struct stat *st, const char *link,
               struct error *e);
/* Its content; what is more than st_size is left out. */
bool tar_add(struct tar_writer *t, const void *bytes, size_t size, struct error *e);
/* What is missing (the file became shorter) is filled with zeros; *missing says how much. */
bool tar_end_member(struct tar_writer *t, uint64_t *missing, struct error *e);
bool tar_end(struct tar_writer *t, struct error *e);

#endif

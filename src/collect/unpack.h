/* unpack.h - reads a plain or compressed stream piece by piece, whole files never in memory.
 *
 * The format is told by its first bytes, not by its name: gzip (RFC 1952), xz (.xz file format
 * 1.1.0), LZ4 frame (lz4_Frame_format.md 1.6.3), Zstandard (RFC 8878), bzip2 and the lzma format
 * of before xz: all that apt ever kept its lists in. Everything else is taken as it is. Several
 * members or frames behind one another are one stream (not of lzma, which has none). A stream
 * that ends early is ERR_FORMAT: never taken for a complete one.
 *
 * Bounds: windows of at most 32 MiB (zstd) and 80 MiB of memory (xz -9 needs 65); `most`
 * bytes of output. */
#ifndef YAGURA_COLLECT_UNPACK_H
#define YAGURA_COLLECT_UNPACK_H

#include "base/error.h"
#include "target/target.h"

#include <stddef.h>
#include <stdint.h>

/* Where the packed bytes come from: at most `count` from `offset`; *got = 0 at the end. */
struct unpack_source {
    bool (*read)(void *context, uint64_t offset, void *buffer, size_t count, size_t *got,
                 struct error *e);
    void *context;
};

struct unpack;

bool unpack_open(struct unpack **out, const struct unpack_source *source, uint64_t most,
                 struct error *e);
void unpack_close(struct unpack *u);
void unpack_cleanup(struct unpack **u);
#define CLEANUP_UNPACK CLEANUP(unpack_cleanup)

/* Fills the buffer as far as there is something; *got < count only at the end. */
bool unpack_read(struct unpack *u, void *buffer, size_t count, size_t *got, struct error *e);

/* A source that reads a file of the target; the struct must outlive the reader. */
struct unpack_file {
    struct target *target;
    const char *path;
};
struct unpack_source unpack_from_target(struct unpack_file *file);

#endif

/* reading.h - libarchive with those formats and compressions that we read: tar (also of GNU) and
 * zip; gzip, bzip2, xz, lzma, zstd, lz4 and compress. None that needs another program. */
#ifndef YAGURA_LIBEXEC_UNPACK_READING_H
#define YAGURA_LIBEXEC_UNPACK_READING_H

#include <archive.h>

/* NULL: no memory. */
struct archive *reading_open(void);

#endif

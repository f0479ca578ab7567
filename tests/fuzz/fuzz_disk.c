/* VMDK and partition tables: the first bytes of a disk, as the image reader sees them. */
#include "libexec/image/partition.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error e = ERROR_INIT;
    struct source *s;
    struct partition found[PARTITION_MOST];
    char piece[1024];
    int fd = memfd_create("disk", MFD_CLOEXEC);
    if (fd < 0 || size > 1 << 20 || write(fd, data, size) != (ssize_t)size)
        return 0 * close(fd);
    /* -1: a descriptor's extents are then absent */
    if (source_open(&s, fd, -1, &e)) {
        size_t count = partition_find(s, found);
        if (count > PARTITION_MOST)
            abort();
        for (size_t i = 0; i < count; i++) {
            if (found[i].start >= source_size(s) || found[i].size > source_size(s) - found[i].start)
                abort();
            source_read(s, found[i].start, piece, sizeof piece);
        }
        source_read(s, source_size(s) - 10, piece, 10);
        if (source_read(s, source_size(s), piece, 1))
            abort();
        source_free(s);
    }
    close(fd);
    return 0;
}

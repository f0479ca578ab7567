/* disks.h - disk images for the tests, made with makefs, mke2fs, mkfs.fat, mtools, mkntfs and
 * ntfs-3g; partition tables and VMDKs are put around them by hand. */
#ifndef YAGURA_TESTS_DISKS_H
#define YAGURA_TESTS_DISKS_H

#include <stdbool.h>
#include <stddef.h>

struct disk {
    const char *name, *fs;
    const char *deep;    /* a file that holds "hello\n" */
    const char *shouted; /* the same, as a Windows user would write it */
    bool has_links;      /* and modes, owners, a FIFO */
    const char *command; /* run in the folder, which has "tree" and "hello" */
    bool solaris;        /* directories as Solaris writes them */
};
extern const struct disk disks[];
extern const size_t disks_count;

/* Disks of several partitions: those that can be read hold etc/hello. */
struct layout {
    const char *name;
    size_t volumes, readable;
};
extern const struct layout layouts[];
extern const size_t layouts_count;

enum { DISKS_COMPRESSED_BYTES = 300000 };
char disks_pattern(size_t i);

void disks_make(const char *dir);
void disks_damage(const char *from, const char *to, double keep, unsigned stride);

#endif

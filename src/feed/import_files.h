/* import_files.h - finds what an import path means, and streams it (members.h). */
#ifndef YAGURA_FEED_IMPORT_FILES_H
#define YAGURA_FEED_IMPORT_FILES_H

#include "base/error.h"
#include "base/mem.h"

enum { IMPORT_MOST_FILES = 1000000, IMPORT_MOST_DEPTH = 32 };

/* Files in the order in which they are read. */
struct import_file {
    char *path;       /* malloc block */
    const char *feed; /* real path of the folder or archive asked for; of a document its folder */
    bool archive;
};
struct import_files {
    VEC(struct import_file) list;
    VEC(char *) feeds; /* malloc blocks */
    size_t ignored;    /* in folders: neither *.json nor an archive by name */
};

/* Appends. A folder is searched (no linked folders, names in order, dot files not); a file is taken
 * as it is: JSON if it begins with "{" after white space, else an archive. */
bool import_files_find(struct import_files *out, const char *path, struct error *e);
void import_files_free(struct import_files *files);

/* Starts a process that writes the members and ends; *fd is the end to read from. The
 * archive's helper is libexec/yagura-unpack. */
struct import_source {
    int fd;
    int pid;
};
bool import_source_files(struct import_source *out, const struct import_file *files, size_t count,
                         struct error *e);
bool import_source_archive(struct import_source *out, const char *path, struct error *e);
/* Ends it and waits for it. */
void import_source_close(struct import_source *s);

#endif

/* scan_workers.h - the programs that look for patterns (libexec/yagura-scan): one a core, each in a
 * cage, each given open files.
 *
 * A file that kills or hangs its program costs that program: it is noted, another one is started,
 * and the files behind it are looked at by that. What is found and noted comes through the sink, in
 * no certain order, from scan_workers_give() and scan_workers_finish(). One thread uses this. */
#ifndef YAGURA_COLLECT_SCAN_WORKERS_H
#define YAGURA_COLLECT_SCAN_WORKERS_H

#include "base/error.h"
#include "collect/scan_protocol.h"

#include <sys/stat.h>

struct scan_file {
    int fd;
    char *path;
    struct stat st;
};

struct scan_rules { /* files of rules, in the order in which they are compiled */
    const char *path;
    bool ours;
};

struct scan_sink {
    void (*hit)(void *context, const struct scan_file *file, const struct scan_reply *hit);
    /* file: a file that was not, or not wholly, looked at. */
    void (*note)(void *context, const char *path, const char *sentence);
    /* A rule that does not compile; line 0: not known. */
    void (*problem)(void *context, const char *path, uint32_t line, const char *sentence);
    void *context;
};

struct scan_setup {
    const struct scan_rules *rules;
    size_t rule_count;
    const char *clamd; /* its socket, or NULL */
    unsigned threads;  /* 0: one a core */
};

struct scan_workers;

/* Starts them; ERR_SYSTEM where the program is not there. What setup points at outlives them. */
bool scan_workers_start(struct scan_workers **out, const struct scan_setup *setup,
                        const struct scan_sink *sink, struct error *e);
/* Takes the descriptor; waits where all have enough to do. */
void scan_workers_give(struct scan_workers *w, int fd, const char *path, const struct stat *st);
/* Waits until all that was given has been looked at. */
void scan_workers_finish(struct scan_workers *w);
void scan_workers_free(struct scan_workers *w);
void scan_workers_cleanup(struct scan_workers **w);

struct scan_counts {
    uint64_t files, bytes; /* handed to the programs */
    uint64_t archives;     /* of them: not opened */
    uint32_t rules;        /* that compiled */
    bool with_clamd;       /* clamd was asked about them */
};
struct scan_counts scan_workers_counts(const struct scan_workers *w);

#endif

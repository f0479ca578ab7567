/* scan.h - what stands in the bytes of files: patterns of YARA, and what clamd says of them.
 *
 * Facts of kind "yara-hit" and "clamav-hit" (docs/facts.md), sorted by path, so that the same files
 * give the same facts; "unread" for what was not, or not wholly, looked at. At most 10,000 hits
 * and 200 of the unread are kept, of the rest the number.
 *
 * An archive is looked at as the bytes that it is, and not unfolded: a web server does not run what
 * lies packed, and a zip bomb then costs its own size. clamd unfolds within its own limits. */
#ifndef YAGURA_COLLECT_SCAN_H
#define YAGURA_COLLECT_SCAN_H

#include "collect/scan_walk.h"
#include "collect/scan_workers.h"
#include "model/fact.h"
#include "target/target.h"

struct scan_request {
    const char *const *paths; /* within the target; none: all of it */
    size_t path_count;
    const char *const *ours, *const *theirs; /* files or folders of YARA rules (*.yar, *.yara) */
    size_t our_count, their_count;
    const char *clamd;       /* the socket, or NULL: not asked */
    unsigned threads;        /* 0: one a core */
    unsigned most_ms;        /* then the paths that are not through are said; 0: until all are */
    uint64_t *files, *bytes; /* counted up (relaxed atomics) for whoever shows it; may be NULL */
    bool deleted_programs;   /* live: also of programs that run and have no name any more */
    bool only_paths;         /* no paths: no files */
    const struct scan_folder *left_out; /* folders that are not looked into */
    size_t left_out_count;
};

struct scan_result {
    struct scan_counts counts;
    uint64_t links, others, kernel, aside; /* scan_walk.h */
    bool absent;              /* what was named is not there, and nothing else was looked at */
    struct error problems[8]; /* the first rules that do not load */
    size_t problem_count;
};

/* False where nothing could be begun: no program, a folder of rules that is not there. */
bool scan_bytes(struct facts *facts, struct target *target, const struct scan_request *request,
                struct scan_result *out, struct error *e);

/* Where clamd listens on this host, of the places that distributions give it; NULL: nowhere. */
const char *scan_find_clamd(void);

#endif

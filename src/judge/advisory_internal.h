/* advisory_internal.h - what advisory.c (the verdict) and advisory_text.c (what is said about
 * it) share. Not for others. */
#ifndef YAGURA_JUDGE_ADVISORY_INTERNAL_H
#define YAGURA_JUDGE_ADVISORY_INTERNAL_H

#include "judge/advisory.h"
#include "judge/patches.h"

/* What was found out about one case. */
struct assessment {
    enum verdict verdict;
    enum confidence confidence;
    enum marker marker;
    enum proof proof;
    const struct fact *marker_fact;
    const struct advisory_file *file; /* the one that decided */
    bool by_service_pack;
    bool by_claim;     /* a record says so, and no file is known that would prove it */
    bool not_recorded; /* new files, no marker */
    const struct advisory_file *unproven; /* by the service pack, but this could not be read */
    const char *claimed_patch;
    const struct fact *rule_fact;
    struct message why;
};

struct judging {
    const struct judge_input *in;
    struct findings *out;
    struct arena *arena;
    /* One graph a server product and version, made when first needed. */
    struct {
        const char *product, *version;
        int64_t as_of;
        struct patches *graph;
    } graphs[32];
    size_t graph_count;
};

/* The graph of a product as it was known on a day; DATE_NONE: as it is known today. */
struct patches *advisory_graph(struct judging *j, const char *product, const char *version,
                               int64_t as_of);
/* Dated at all, and not later than the day of the judgement. */
bool advisory_known(const struct judging *j, int64_t date);

/* Fill a finding that has its verdict: summary, why, notes, evidence, CVEs, and where it is
 * open the exploits, the reach, the remedy with the newest patch. `p` NULL for packages;
 * `first` unless another vulnerability of the same document was said before. */
void advisory_say(struct judging *j, const struct advisory_case *c, const struct assessment *a,
                  struct finding *f);
void advisory_say_open(struct judging *j, const struct advisory_case *c, const char *version,
                       struct patches *p, struct finding *f, bool first);
/* Adds the CVEs of a further case. */
void advisory_say_cves(struct finding *f, const struct advisory_case *c);

#endif

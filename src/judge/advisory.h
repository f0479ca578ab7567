/* advisory.h - which advisories are open on this host: facts + advisories -> findings.
 *
 * A pure function: no I/O, no clock. One finding for each advisory and server product (or
 * package) that the host has, verdict by the table of docs/advisories.md:
 *
 *   marker    file            verdict
 *   present   new enough      fixed
 *   absent    new enough      fixed (not recorded)
 *   present   too old         broken: apply again
 *   absent    too old         affected
 *   present   none known      fixed by claim only, confidence low
 *   absent    none known      affected, unless the files of a superseding patch, or a service
 *                             pack that contains it, prove otherwise
 *   any       cannot be read  unknown
 *
 * A superseding patch's marker counts as the marker, its files as the proof; its files belie only
 * its own marker. A service pack that contains the patch is marker and proof where no file says
 * otherwise; a file of the advisory's own that is too old under it is `broken`. A product whose
 * version is unreadable has `unknown` for all that is about its platform. No verdict is surer
 * than the facts it rests on.
 *
 * A filter in front never lowers a hole that is reached through a port which the server
 * publishes. What nothing can reach (the rule of `exposed-by` does not fire, or nothing
 * listens on the port, or TCP/IP filtering of Windows shuts one that no web server publishes) is
 * still open, and is ranked below. */
#ifndef YAGURA_JUDGE_ADVISORY_H
#define YAGURA_JUDGE_ADVISORY_H

#include "feed/advisories.h"
#include "judge/truth.h"
#include "model/fact.h"
#include "model/finding.h"

struct judge_input {
    const struct facts *facts;
    const struct advisories *advisories;
    const char *identity; /* of the target: goes into the ids */
    int64_t as_of;        /* judged as of this moment */
    /* What a checklist rule says about this host, by name; TRUTH_UNKNOWN for an unknown name.
     * *why is set to a fact that decided, or NULL. */
    enum truth (*rule)(void *context, const char *name, const struct fact **why);
    void *rule_context;
};

void judge_advisories(struct findings *out, const struct judge_input *in);

#endif

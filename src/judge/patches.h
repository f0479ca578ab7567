/* patches.h - which patches a host has, what they prove, and what replaces what.
 *
 * The graph holds the patches of one server product on one platform: edges "supersedes" from
 * the advisories, and on Solaris also the Obsoletes lists of what is installed. Supersedence
 * is transitive and per product: the lists for IIS 4.0 and 5.0 differ. A patch in a circle
 * counts only for itself.
 *
 * A marker is a claim, a file's version the proof (docs/advisories.md, the table). */
#ifndef YAGURA_JUDGE_PATCHES_H
#define YAGURA_JUDGE_PATCHES_H

#include "base/mem.h"
#include "feed/advisories.h"
#include "model/fact.h"

/* From nothing to the best. The record in the ledger is a claim, too: facts "patch-recorded" with
 * how the target looked when it was written down. It counts as the host's own marker where that
 * could not be seen:
 *
 *   the host's list of patches was not read whole, or keeps no such patch     PRESENT
 *   the host was not written to since: the list is older than the claim       PRESENT
 *   it was, its whole list lacks the patch, a service pack came in between    LOST
 *   it was, and no service pack explains it                                   DENIED
 *
 * PRESENT then runs through the table like every claim. LOST is open until a file proves it
 * (apply it again), DENIED is broken until a file proves it. */
enum marker { MARKER_ABSENT, MARKER_DENIED, MARKER_LOST, MARKER_PENDING, MARKER_PRESENT };
enum proof {
    PROOF_NONE,       /* no version is known that would prove it */
    PROOF_NEW,        /* every file is new enough */
    PROOF_OLD,        /* a file is too old */
    PROOF_UNREADABLE, /* a file could not be read, or one without which nothing runs not found */
    PROOF_MISSING     /* none of the files is there: the component is not installed */
};

struct patches;

/* as_of: patches released later are not known to it (DATE_NONE: all are). In the arena. */
struct patches *patches_of(struct arena *arena, const struct advisories *set,
                           const struct facts *facts, const char *product, const char *version,
                           int64_t as_of);

/* "windows:5.0", "solaris:5.7:sparc": is the host that? "" is every platform. */
bool patches_on_platform(const struct facts *facts, const char *platform);

/* NULL if the advisories do not know it. */
const struct advisory_patch *patches_find(const struct patches *p, const char *key);

/* The patches that bring what `key` brings: itself first, then all that supersede it
 * directly or through others, nearest first. */
size_t patches_successors(const struct patches *p, const char *key, const char *const **out);

/* The newest of those: the one to install. Maximal ones only; usually one. */
const char *patches_newest(const struct patches *p, const char *key);

/* Everything `key` supersedes, transitively, without itself. */
size_t patches_superseded(const struct patches *p, const char *key, const char *const **out);

/* What the host says about one patch, by its id or (Solaris) a later revision of it. */
enum marker patches_marker(const struct patches *p, const char *key, const struct fact **where);

/* What the files say about this list. `worst` is the fact of the file that decided. */
enum proof patches_proof(const struct patches *p, const struct advisory_file *files, size_t count,
                         const struct advisory_file **deciding);

/* Whether the host's service pack brings this patch: its level is at least one of those
 * that contain it or what supersedes it. */
bool patches_in_service_pack(const struct patches *p, const char *key);

/* "service-pack:windows:5.0:2" is at least installed? */
bool patches_has_service_pack(const struct facts *facts, const char *key);
bool patches_is_service_pack(const char *key);

/* Both are levels of the same pack: "service-pack:windows:5.0:2" and "windows:5.0:4". */
bool patches_same_pack_line(const char *a, const char *b);
/* `pack` is the same pack, at least at that level. */
bool patches_brings_pack(const char *pack, const char *wanted);

/* Looks like a patch of any system or a service pack: nothing a sentence could be mistaken for. */
bool patches_is_key(const char *key);

/* The host's service pack as a number that can be compared: "6a" is 6.5. */
double patches_service_pack_level(const char *text);

/* Keys whose supersedence runs in a circle. */
size_t patches_circles(const struct patches *p, const char *const **out);

#endif

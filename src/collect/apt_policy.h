/* apt_policy.h - which version apt would install: pins, holds, phased updates.
 *
 * The rules are those of apt_preferences(5):
 *
 *   - an archive counts 500; 100 where it is NotAutomatic with ButAutomaticUpgrades, 1 where
 *     it is NotAutomatic alone; what is installed counts 100;
 *   - APT::Default-Release gives its archives 990;
 *   - "Package: *" sets the priority of archives, the first stanza that fits counts;
 *   - a stanza with names sets that of the versions of these packages, the first that fits
 *     counts, whatever the archives say;
 *   - the highest priority wins, of equals the newest version; nothing under 0 is installed,
 *     and nothing under 1000 goes back to an older version.
 *
 * /etc/apt/preferences is read before /etc/apt/preferences.d. Patterns are globs, or POSIX
 * extended regular expressions between slashes, both without regard to case. */
#ifndef YAGURA_COLLECT_APT_POLICY_H
#define YAGURA_COLLECT_APT_POLICY_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APT_NEVER INT16_MIN /* Pin-Priority: never; only with "Package: *" */

enum apt_pin_type { APT_PIN_VERSION, APT_PIN_RELEASE, APT_PIN_ORIGIN };

struct apt_pin {
    enum apt_pin_type type;
    const char *package; /* "" = every package: a pin on archives */
    const char *data;    /* what stands behind "release", "origin" or "version" */
    int priority;
    const char *path;
    uint64_t line;
};

/* One list of one archive, or the status file of dpkg. Absent texts are "". */
struct apt_origin {
    const char *origin, *label, *archive, *codename, *version, *component, *arch, *site;
    bool is_status;
    bool not_automatic, but_automatic_upgrades;
    int priority; /* set by apt_policy_rate() */
};

struct apt_policy {
    VEC(struct apt_pin) pins;
    uint64_t malformed; /* stanzas that apt, too, would refuse */
};

void apt_policy_free(struct apt_policy *policy);
#define CLEANUP_APT_POLICY CLEANUP(apt_policy_free)

void apt_policy_parse(struct apt_policy *policy, struct arena *arena, const char *path,
                      const char *text, size_t size);
/* APT::Default-Release; goes in front of every pin. */
void apt_policy_default(struct apt_policy *policy, const char *release);

/* The priority of an archive. */
void apt_policy_rate(const struct apt_policy *policy, struct apt_origin *origin);

/* One version of one package and the lists that offer it. */
struct apt_version {
    const char *version;
    const struct apt_origin *origins[24];
    size_t origin_count;
    int priority; /* set by apt_policy_choose() */
};

/* The index of the version that apt would install, or SIZE_MAX for none. `versions` are sorted,
 * newest first; `installed` is the index of the installed one. */
size_t apt_policy_choose(const struct apt_policy *policy, const char *name, const char *arch,
                         const char *source, struct apt_version *versions, size_t count,
                         size_t installed);

/* Whether apt on the machine with this id leaves an update for later that is being phased in
 * at `percent`: a number from 0 to 100 drawn from "SOURCE-VERSION-MACHINEID" is greater than
 * it. As apt does since 2.1.16 (and update-manager before it): std::seed_seq over the bytes of
 * that text, std::minstd_rand, std::uniform_int_distribution(0, 100), here as ISO C++ 2011
 * [rand.util.seedseq], [rand.predef] and libstdc++ define them. */
bool apt_phased_out(const char *source, const char *source_version, const char *machine_id,
                    unsigned percent);

#endif

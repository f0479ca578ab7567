/* dpkg.h - what dpkg says is installed: /var/lib/dpkg/status (dpkg(1), deb822(5)) and, on
 * images without dpkg itself, one stanza a file under /var/lib/dpkg/status.d (distroless).
 *
 * A "package" fact is made for every package whose files are (or may be) unpacked: every state
 * but not-installed and config-files. `status` is dpkg's third word (installed, unpacked,
 * half-configured ...), `hold` is "yes" where its first word is hold. `source_package` and
 * `source_version` are those of the Source field, or the package's own name and version where
 * there is none (Debian Policy 5.6.1: "Source: name (version)"). */
#ifndef YAGURA_COLLECT_DPKG_H
#define YAGURA_COLLECT_DPKG_H

#include "model/fact.h"
#include "target/target.h"

/* Views of the buffer; not terminated. */
struct dpkg_text {
    const char *text;
    size_t length;
};
struct dpkg_package {
    struct dpkg_text name, version, arch, source, source_version;
    struct dpkg_text want, status; /* first and third word of Status: "install", "installed" */
    uint64_t line;                 /* of the stanza */
};

/* Called for each stanza that has a name; false ends the walk. */
typedef bool dpkg_visit(void *context, const struct dpkg_package *package);

/* Walks through a status file; returns how many lines or stanzas made no sense: stanzas
 * without a name of letters, digits and -+._ (dpkg takes no other), or installed without a
 * version. *first_bad (may be NULL) is the line of the first. */
uint64_t dpkg_parse(const char *data, size_t size, dpkg_visit *visit, void *context,
                    uint64_t *first_bad);

/* "name (version)" into its two parts; the version is empty where there is none. */
void dpkg_split_source(const char *value, size_t length, struct dpkg_text *name,
                       struct dpkg_text *version);

/* The target's own architecture by dpkg's name: the first line of /var/lib/dpkg/arch, else
 * that of the package dpkg, apt, libc6 or base-files among the facts; NULL if none tells. */
const char *dpkg_native_arch(struct target *target, const struct facts *facts, struct arena *arena);

/* All architectures: the native one first, then the foreign ones of /var/lib/dpkg/arch. `e` (may
 * be NULL) is set where that file is there and could not be read: foreign ones may be missing. */
size_t dpkg_architectures(struct target *target, const struct facts *facts, struct arena *arena,
                          const char **out, size_t most, struct error *e);

#endif

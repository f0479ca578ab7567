/* apt_sources.h - which archives are configured (sources.list(5)), and under which names apt
 * keeps what it fetched from them in /var/lib/apt/lists.
 *
 * Both forms are read: one line a source (sources.list, *.list) and deb822 (*.sources; "Enabled:
 * no" leaves a stanza out). Only binary sources count. What cannot be understood is counted.
 *
 * The name of a list is the URI without scheme, user and password, then (unless the suite ends
 * in "/") "dists/SUITE/COMPONENT/binary-ARCH/Packages", with "/" written as "_" and the bytes
 * below 0x21, above 0x7e and \ | { } [ ] < > " ^ ~ _ = ! @ # $ % & * written as %xx; checked
 * against `apt-get update --print-uris` of apt 2.6. */
#ifndef YAGURA_COLLECT_APT_SOURCES_H
#define YAGURA_COLLECT_APT_SOURCES_H

#include "base/mem.h"
#include "base/str.h"

#include <stdint.h>

enum { APT_SOURCE_MOST_WORDS = 64 };

struct apt_words {
    const char *items[APT_SOURCE_MOST_WORDS];
    size_t count;
};

/* One URI and suite. */
struct apt_source {
    const char *uri;   /* ends in "/"; $(ARCH) filled in by the native architecture */
    const char *suite; /* "bookworm-security"; ends in "/" for a flat archive */
    struct apt_words components;
    struct apt_words arches; /* only these; empty = the configured ones */
    struct apt_words arches_added, arches_removed;
    const char *path; /* where it is configured */
    uint64_t line;
};

struct apt_sources {
    VEC(struct apt_source) list;
    uint64_t malformed; /* lines or stanzas that made no sense */
};

void apt_sources_free(struct apt_sources *sources);
#define CLEANUP_APT_SOURCES CLEANUP(apt_sources_free)

/* `path` goes into the sources as it is; `native` fills $(ARCH). Texts in the arena. */
void apt_sources_parse_lines(struct apt_sources *out, struct arena *arena, const char *path,
                             const char *native, const char *text, size_t size);
void apt_sources_parse_deb822(struct apt_sources *out, struct arena *arena, const char *path,
                              const char *native, const char *text, size_t size);

/* The architectures for which lists of a source are fetched. */
size_t apt_source_arches(const struct apt_source *source, const char *const *configured,
                         size_t count, const char **out, size_t most);

bool apt_source_is_flat(const struct apt_source *source);
bool apt_source_is_cdrom(const struct apt_source *source);
/* "mirror.example": what "Pin: origin" is compared with; "" for files. */
const char *apt_source_site(const struct apt_source *source, struct arena *arena);
/* "main/binary-amd64/Packages", or "Packages" for a flat archive. */
const char *apt_source_index(const struct apt_source *source, struct arena *arena,
                             const char *component, const char *arch);
/* The name in /var/lib/apt/lists, without the extension of a compressed one. `file` is an index
 * as above, or "InRelease", "Release". */
const char *apt_source_list_name(const struct apt_source *source, struct arena *arena,
                                 const char *file);

#endif

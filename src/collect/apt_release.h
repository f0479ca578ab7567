/* apt_release.h - what an archive says of itself: InRelease and Release files
 * (https://wiki.debian.org/DebianRepository/Format, "Release files").
 *
 * An InRelease file is the same text inside an OpenPGP clear-signed message (RFC 4880, 7): the
 * frame is taken off here. The signature is not checked: apt checked it when it fetched the
 * file, and whoever can write /var/lib/apt/lists is root on the target already. */
#ifndef YAGURA_COLLECT_APT_RELEASE_H
#define YAGURA_COLLECT_APT_RELEASE_H

#include "base/error.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apt_release {
    const char *origin, *label, *suite, *codename, *version; /* "" where it does not say */
    const char *architectures, *components;                  /* as written, "" likewise */
    int64_t date, valid_until;                               /* DATE_NONE likewise */
    bool not_automatic, but_automatic_upgrades;
    bool lists_all;   /* binary-all/Packages stands for itself: "all" is among the
                         architectures and No-Support-for-Architecture-all is not said */
    const char *text; /* the text without its frame, for apt_release_names() */
    size_t size;
};

/* All strings in the arena; `text` must outlive the result. ERR_FORMAT where no field of a
 * Release file is found. */
bool apt_release_parse(struct apt_release *out, struct arena *arena, const char *text, size_t size,
                       struct error *e);

/* Whether the release names an index, such as "main/binary-amd64/Packages", packed or not. */
enum apt_release_index { APT_INDEX_NONE, APT_INDEX_EMPTY, APT_INDEX_THERE };
enum apt_release_index apt_release_names(const struct apt_release *release, const char *index);

/* Whether updates of this archive are security updates; the table is in the source. */
bool apt_release_is_security(const struct apt_release *release);

#endif

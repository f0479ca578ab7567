/* origin.h - where a file of the target comes from: the package that brought it, unchanged, or not.
 *
 * Origin first: what a package owns and nobody changed is nothing to look at. The order of the
 * questions:
 *   1. dpkg has a checksum for the path (dpkg_index.h): the same is ORIGIN_PACKAGE, another is
 *      ORIGIN_CHANGED. A link is what it leads to within the target.
 *   2. ucf(1) wrote it (/var/lib/ucf/hashfile): likewise.
 *   3. It is a file that maintainer scripts or adduser copy from an original of a package
 *      (/etc/profile, .bashrc ...), and still equal to it: ORIGIN_PACKAGE.
 *   4. ORIGIN_NONE.
 * Where the record cannot be read, or the file, it is ORIGIN_UNREADABLE with a reason: unknown. So
 * it is where the packages are not dpkg's (rpm, apk ...): nothing there is called clean.
 *
 * The sources of one cage share it, as the index is large (collection.origins). */
#ifndef YAGURA_COLLECT_ORIGIN_H
#define YAGURA_COLLECT_ORIGIN_H

#include "collect/dpkg_index.h"

struct origins;

enum origin_state { ORIGIN_PACKAGE, ORIGIN_CHANGED, ORIGIN_NONE, ORIGIN_UNREADABLE };

struct origin {
    enum origin_state state;
    const char *package; /* "" where none owns it */
    const char *reason;  /* of ORIGIN_UNREADABLE */
    const char *path;    /* what a link leads to; else the path that was asked for */
};

struct origins *origins_acquire(struct collection *c);
void origins_release(struct collection *c, struct origins *o);
void origins_free(struct origins *o);
/* NULL where the record could not be read: `why` says it. */
const struct dpkg_index *origins_index(const struct origins *o, const char **why);

/* Strings in the collection's arena. */
struct origin origin_of(struct collection *c, struct origins *o, const char *path);
/* What is asked is known to be no link, and its checksum is that one. */
struct origin origin_of_md5(struct collection *c, struct origins *o, const char *path,
                            const uint8_t md5[MD5_BYTES]);
/* origin and package (and the reason why not) into a fact. */
void origin_put(struct collection *c, struct fact *f, const struct origin *origin);

/* The MD5 of a regular file; ERR_LIMIT beyond 512 MiB. */
bool origin_md5(struct collection *c, const char *path, uint8_t out[MD5_BYTES], struct error *e);

#endif

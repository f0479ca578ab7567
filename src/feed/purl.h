/* purl.h - package URLs, as the purl specification (package-url/purl-spec, 2024) has them:
 *
 *   pkg:TYPE/NAMESPACE/NAME@VERSION?QUALIFIERS#SUBPATH
 *
 * Read from the right, as the specification says. The type is lower-cased; so are namespace
 * and name of those types whose registry does not mind case (deb, apk, rpm's namespace,
 * github ...), and what a type says beyond that (pypi's _ is -) is applied. */
#ifndef YAGURA_FEED_PURL_H
#define YAGURA_FEED_PURL_H

#include "base/error.h"
#include "base/mem.h"

struct purl_qualifier {
    const char *key, *value;
};

struct purl {
    const char *type, *name;                   /* never empty */
    const char *namespace, *version, *subpath; /* "" where there is none */
    size_t qualifier_count;
    struct purl_qualifier qualifiers[16]; /* in the order of their keys */
};

bool purl_parse(struct purl *out, struct arena *arena, const char *text, struct error *e);
/* "" where there is no such qualifier. */
const char *purl_qualifier(const struct purl *p, const char *key);
/* The canonical text. */
char *purl_text(struct arena *arena, const struct purl *p);

#endif

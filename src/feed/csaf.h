/* csaf.h - reads CSAF 2.0 documents (OASIS standard, 2022-11-18; docs/advisories.md says what
 * we make of them and which namespaces our own documents use).
 *
 * The policy: what we need is checked, the rest of the schema is not. A document is refused
 * where it is not valid JSON within the limits of document.h, has no document.tracking.id or
 * no document.category, names a product or group that its product tree does not define (or
 * defines a product twice), ties products together in a circle, or says of one product in one
 * vulnerability that it is affected and not affected or fixed. A document without "document"
 * is no CSAF at all: ERR_UNSUPPORTED. A package URL that breaks its type's rules leaves its
 * product to be judged by name. A document whose tracking.status is "deleted" needs only its id.
 *
 * Errors name the file, and the line and column or the place in the document
 * ("vulnerabilities[0].product_status.fixed[3]"). */
#ifndef YAGURA_FEED_CSAF_H
#define YAGURA_FEED_CSAF_H

#include "feed/document.h"

struct csaf_source {
    const char *path; /* as a person knows the file: source_file, and in errors */
    const char *feed; /* name of the feed */
};

/* Everything in *out lives in the arena. */
bool csaf_read(struct document *out, struct arena *arena, const char *text, size_t size,
               const struct csaf_source *source, struct error *e);

#endif

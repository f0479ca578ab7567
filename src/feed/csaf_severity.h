/* csaf_severity.h - how bad a CSAF document says it is: advisories.h says in which order its
 * parts are asked. */
#ifndef YAGURA_FEED_CSAF_SEVERITY_H
#define YAGURA_FEED_CSAF_SEVERITY_H

#include "feed/document.h"

#include <jansson.h>

/* The document's cases must be there. */
enum severity csaf_severity_of(const struct document *d, const json_t *document);

#endif

/* csaf_vuln.h - from a CSAF document's vulnerabilities and product tree to cases and patches.
 *
 * Each product status of each vulnerability is a statement about a subject: the product
 * itself, or, for a patch or file that is installed_on a server product, that server. All
 * statements about one subject in one vulnerability make a case; cases of several
 * vulnerabilities that say the same of the same subject are one case with several CVEs. */
#ifndef YAGURA_FEED_CSAF_VULN_H
#define YAGURA_FEED_CSAF_VULN_H

#include "feed/csaf_products.h"
#include "feed/document.h"

/* Fills out->cases and out->patches; out->head.revised must be there (threats without a date
 * date from it). */
bool csaf_vulnerabilities(struct document *out, const struct csaf_products *products,
                          struct arena *arena, const json_t *document, struct error *e);

#endif

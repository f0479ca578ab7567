/* csaf_statements.h - what one vulnerability says about which subject; for csaf_vuln.c. */
#ifndef YAGURA_FEED_CSAF_STATEMENTS_H
#define YAGURA_FEED_CSAF_STATEMENTS_H

#include "feed/advisories.h"
#include "feed/csaf_products.h"

enum {
    CSAF_SAYS_AFFECTED = 1,
    CSAF_SAYS_NOT_AFFECTED = 2,
    CSAF_SAYS_FIXED = 4,
    CSAF_SAYS_INVESTIGATED = 8
};

/* All statements of one vulnerability about one subject. */
struct csaf_subject {
    uint32_t product;
    unsigned says;
    VEC(uint32_t) proofs; /* patches, service packs and files that fix it (leaf numbers) */
    VEC(struct advisory_remedy) remedies;
    VEC(struct advisory_exploit) exploits;
    double cvss;
    bool scored, network, no_login;
};

/* A document that is being read. */
struct csaf_reading {
    struct arena *arena;
    const struct csaf_products *products;
    struct csaf_cases *cases;
    int64_t revised;
    size_t vulnerability;
    /* per vulnerability; `at` holds the number of a product's subject + 1 */
    VEC(struct csaf_subject) subjects;
    uint32_t *at;
    uint8_t *said;                      /* per product: statements about this very product id */
    struct advisory_file **patch_files; /* per product that is a patch relation: its files */
    size_t *patch_file_counts;
    int *reboots;         /* per product: from remediations[].restart_required; -1 */
    int64_t *patch_dates; /* per product that is a patch relation: the first day it could be had */
    const char **keys;    /* per product: csaf_product_key(), once asked for */
};

struct csaf_cases;

const struct csaf_product *csaf_at(const struct csaf_reading *r, uint32_t number);
const struct csaf_product *csaf_leaf(const struct csaf_reading *r, uint32_t number);
/* A patch or file that is installed on a server speaks of that server. */
uint32_t csaf_subject_of(const struct csaf_reading *r, uint32_t number);

/* Fills r->subjects from product_status, remediations, scores and threats. */
bool csaf_statements_read(struct csaf_reading *r, const json_t *vulnerability, struct error *e);
/* Empties r->subjects and what the vulnerability left per product. */
void csaf_statements_forget(struct csaf_reading *r, const json_t *vulnerability);

#endif

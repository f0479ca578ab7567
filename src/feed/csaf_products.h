/* csaf_products.h - the product tree of a CSAF document, flattened (CSAF 2.0, 3.2.2).
 *
 * Branches hand down vendor, product name, version or range; full product names and
 * relationships are products too. Every product has a number: its place in `items`. */
#ifndef YAGURA_FEED_CSAF_PRODUCTS_H
#define YAGURA_FEED_CSAF_PRODUCTS_H

#include "base/error.h"
#include "base/mem.h"
#include "feed/purl.h"

#include <jansson.h>

/* Our namespaces, docs/advisories.md. */
enum csaf_uri {
    CSAF_PRODUCT,
    CSAF_PLATFORM,
    CSAF_PATCH,
    CSAF_SERVICE_PACK,
    CSAF_FILE,
    CSAF_SUPERSEDES,
    CSAF_CONTAINED_IN,
    CSAF_REQUIRES,
    CSAF_REBOOT,
    CSAF_TOUCHES,
    CSAF_RULE,
    CSAF_EXPOSED_BY,
    CSAF_PORT,
    CSAF_CORE,
    CSAF_URIS
};

enum { CSAF_NO_PRODUCT = UINT32_MAX };

struct csaf_uris { /* all values of one namespace, decoded */
    size_t count;
    const char **items;
};

struct csaf_product {
    const char *id, *name;
    const char *vendor, *product, *version, *range; /* of the branches above it; "" */
    const char *architecture;
    const char *cpe;         /* "" */
    const struct purl *purl; /* NULL */
    struct csaf_uris uris[CSAF_URIS];
    uint32_t reference, relates; /* of a relationship, else CSAF_NO_PRODUCT */
    bool installed_on;           /* category of the relationship */
    const char *reference_id, *relates_id;
    uint32_t leaf; /* what a chain of relationships ends in; itself if none */
};

struct csaf_group {
    const char *id;
    size_t count;
    uint32_t *products;
};

struct csaf_products {
    struct arena *arena;
    VEC(struct csaf_product) items;
    VEC(struct csaf_group) groups;
    uint32_t *slots; /* number + 1 by hash of the id */
    size_t slot_count;
};

bool csaf_products_read(struct csaf_products *out, struct arena *arena, const json_t *document,
                        struct error *e);
void csaf_products_free(struct csaf_products *p);
/* CSAF_NO_PRODUCT if the tree has no such id. */
uint32_t csaf_products_find(const struct csaf_products *p, const char *id);
const struct csaf_group *csaf_products_group(const struct csaf_products *p, const char *id);

/* The first value of a namespace, "" if none. */
const char *csaf_uri(const struct csaf_product *p, enum csaf_uri which);
/* Is it a patch, service pack or file: something that proves a fix of another product? */
bool csaf_is_proof(const struct csaf_product *p);
/* The name under which a product counts: our own, else a known one by vendor and name or CPE
 * ("apache-httpd"), else the branch's name in lower case with hyphens; "" if it has none. */
const char *csaf_product_key(const struct csaf_product *p, struct arena *arena);
/* "vendor:product:version" of a CPE 2.2 or 2.3, "" if it is none. */
const char *csaf_cpe_short(const char *cpe, struct arena *arena);

#endif

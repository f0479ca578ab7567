#include "feed/csaf_products.h"

#include "base/json.h"
#include "base/str.h"
#include "feed/document.h"

#include <stdlib.h>
#include <xxhash.h>

enum { MOST_DEPTH = 64, MOST_URIS = 4096, MOST_CHAIN = 16 };

static const char *const namespaces[CSAF_URIS] = {
    [CSAF_PRODUCT] = "product",
    [CSAF_PLATFORM] = "platform",
    [CSAF_PATCH] = "patch",
    [CSAF_SERVICE_PACK] = "service-pack",
    [CSAF_FILE] = "file",
    [CSAF_SUPERSEDES] = "supersedes",
    [CSAF_CONTAINED_IN] = "contained-in",
    [CSAF_REQUIRES] = "requires",
    [CSAF_REBOOT] = "reboot",
    [CSAF_TOUCHES] = "touches",
    [CSAF_RULE] = "rule",
    [CSAF_EXPOSED_BY] = "exposed-by",
    [CSAF_PORT] = "port",
    [CSAF_CORE] = "core",
};

const char *csaf_uri(const struct csaf_product *p, enum csaf_uri which)
{
    return p->uris[which].count ? p->uris[which].items[0] : "";
}

bool csaf_is_proof(const struct csaf_product *p)
{
    return p->uris[CSAF_PATCH].count || p->uris[CSAF_SERVICE_PACK].count ||
           p->uris[CSAF_FILE].count;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_get_string(object, key);
    return text ? text : "";
}

/* --- identification helpers --- */

static int hex(char c)
{
    c = str_lower(c);
    return str_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *percent_decoded(struct arena *arena, const char *s)
{
    char *out = arena_strdup(arena, s), *to = out;
    for (; *s; s++) {
        if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0 && (s[1] != '0' || s[2] != '0')) {
            *to++ = (char)(hex(s[1]) * 16 + hex(s[2]));
            s += 2;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
    return out;
}

static bool read_uris(struct csaf_product *p, struct arena *arena, const json_t *list,
                      struct error *e)
{
    static const char prefix[] = "urn:yagura:";
    if (json_array_size(list) > MOST_URIS) {
        error_set(e, ERR_LIMIT, "product \"%.80s\" has more than %d generic URIs", p->id,
                  MOST_URIS);
        return false;
    }
    const json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        const char *space = text_of(item, "namespace"), *uri = text_of(item, "uri");
        if (!str_starts(space, prefix))
            continue; /* somebody else's */
        size_t which = 0;
        while (which < CSAF_URIS && !str_equal(space + sizeof prefix - 1, namespaces[which]))
            which++;
        if (which == CSAF_URIS)
            continue;
        size_t length = strlen(space);
        if (strncmp(uri, space, length) != 0 || uri[length] != ':' || !uri[length + 1]) {
            error_set(e, ERR_FORMAT,
                      "product \"%.80s\": the URI \"%.120s\" does not begin with its "
                      "namespace \"%s\"",
                      p->id, uri, space);
            return false;
        }
        struct csaf_uris *uris = &p->uris[which];
        if (!uris->items)
            uris->items = arena_alloc(arena, json_array_size(list) * sizeof *uris->items);
        uris->items[uris->count++] = percent_decoded(arena, uri + length + 1);
    }
    static const enum csaf_uri single[] = {CSAF_PRODUCT, CSAF_PATCH, CSAF_SERVICE_PACK, CSAF_FILE,
                                           CSAF_REBOOT,  CSAF_RULE,  CSAF_EXPOSED_BY};
    for (size_t s = 0; s < ARRAY_COUNT(single); s++) {
        if (p->uris[single[s]].count > 1) {
            error_set(e, ERR_FORMAT,
                      "product \"%.80s\" has more than one URI of the namespace %s%s", p->id,
                      prefix, namespaces[single[s]]);
            return false;
        }
    }
    return true;
}

/* Package URLs that break their type's rules are published by big vendors (pkg:oci with a
 * namespace): such a product is known by its name alone. */
static bool read_helper(struct csaf_product *p, struct arena *arena, const json_t *product,
                        struct error *e)
{
    const json_t *helper = json_get_object(product, "product_identification_helper");
    p->cpe = arena_strdup(arena, text_of(helper, "cpe"));
    const char *purl = json_get_string(helper, "purl");
    if (purl) {
        struct purl *parsed = arena_alloc(arena, sizeof *parsed);
        if (purl_parse(parsed, arena, purl, NULL))
            p->purl = parsed;
    }
    return read_uris(p, arena, json_get_array(helper, "x_generic_uris"), e);
}

/* --- the list of products and its index --- */

static size_t slot_of(const struct csaf_products *p, const char *id)
{
    size_t at = XXH3_64bits(id, strlen(id)) & (p->slot_count - 1);
    while (p->slots[at] && !str_equal(p->items.items[p->slots[at] - 1].id, id))
        at = (at + 1) & (p->slot_count - 1);
    return at;
}

uint32_t csaf_products_find(const struct csaf_products *p, const char *id)
{
    if (!p->slot_count)
        return CSAF_NO_PRODUCT;
    uint32_t found = p->slots[slot_of(p, id)];
    return found ? found - 1 : CSAF_NO_PRODUCT;
}

static void grow_index(struct csaf_products *p)
{
    free(p->slots);
    p->slot_count = p->slot_count ? p->slot_count * 2 : 64;
    p->slots = mem_alloc(p->slot_count * sizeof *p->slots);
    for (size_t i = 0; i < p->items.count; i++)
        p->slots[slot_of(p, p->items.items[i].id)] = (uint32_t)i + 1;
}

static bool add_product(struct csaf_products *p, struct csaf_product product, const json_t *full,
                        struct error *e)
{
    struct arena *arena = p->arena;
    product.id = arena_strdup(arena, text_of(full, "product_id"));
    product.name = arena_strdup(arena, text_of(full, "name"));
    product.reference = product.relates = CSAF_NO_PRODUCT;
    product.leaf = (uint32_t)p->items.count;
    if (!*product.id) {
        error_set(e, ERR_FORMAT, "a product (\"%.80s\") has no product_id", product.name);
        return false;
    }
    if (p->items.count >= DOCUMENT_MOST_PRODUCTS) {
        error_set(e, ERR_LIMIT, "the product tree has more than %d products",
                  DOCUMENT_MOST_PRODUCTS);
        return false;
    }
    if (p->items.count * 2 >= p->slot_count)
        grow_index(p);
    size_t slot = slot_of(p, product.id);
    if (p->slots[slot]) {
        error_set(e, ERR_FORMAT, "the product id \"%.80s\" is defined twice", product.id);
        return false;
    }
    if (!read_helper(&product, arena, full, e))
        return false;
    VEC_PUSH(&p->items, product);
    p->slots[slot] = (uint32_t)p->items.count;
    return true;
}

/* --- branches --- */

/* Which part of a product a branch of this category says. */
static const struct {
    const char *category;
    size_t field;
} parts[] = {
    {"vendor", offsetof(struct csaf_product, vendor)},
    {"product_name", offsetof(struct csaf_product, product)},
    {"product_version", offsetof(struct csaf_product, version)},
    {"product_version_range", offsetof(struct csaf_product, range)},
    {"architecture", offsetof(struct csaf_product, architecture)},
};

static bool read_branches(struct csaf_products *p, const json_t *branches,
                          const struct csaf_product *above, unsigned depth, struct error *e)
{
    if (depth > MOST_DEPTH) {
        error_set(e, ERR_LIMIT, "the branches of the product tree are deeper than %d", MOST_DEPTH);
        return false;
    }
    const json_t *branch;
    size_t i;
    json_array_foreach(branches, i, branch)
    {
        struct csaf_product here = *above;
        const char *category = text_of(branch, "category");
        for (size_t c = 0; c < ARRAY_COUNT(parts); c++) {
            if (str_equal(category, parts[c].category)) {
                *(const char **)((char *)&here + parts[c].field) =
                    arena_strdup(p->arena, text_of(branch, "name"));
            }
        }
        const json_t *product = json_get_object(branch, "product");
        if (product && !add_product(p, here, product, e))
            return false;
        const json_t *below = json_get_array(branch, "branches");
        if (below && !read_branches(p, below, &here, depth + 1, e))
            return false;
    }
    return true;
}

/* --- relationships and groups --- */

static bool read_relationships(struct csaf_products *p, const json_t *list,
                               const struct csaf_product *empty, struct error *e)
{
    const json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        struct csaf_product product = *empty;
        product.installed_on = str_equal(text_of(item, "category"), "installed_on");
        product.reference_id = arena_strdup(p->arena, text_of(item, "product_reference"));
        product.relates_id = arena_strdup(p->arena, text_of(item, "relates_to_product_reference"));
        if (!add_product(p, product, json_get_object(item, "full_product_name"), e)) {
            error_prefix(e, "product_tree.relationships[%zu]", i);
            return false;
        }
    }
    return true;
}

static bool find_or_say(const struct csaf_products *p, const char *id, uint32_t *out,
                        struct error *e)
{
    *out = csaf_products_find(p, id);
    if (*out == CSAF_NO_PRODUCT)
        error_set(e, ERR_FORMAT, "the product id \"%.120s\" is not defined in the product tree",
                  id);
    return *out != CSAF_NO_PRODUCT;
}

/* Either way through a relationship must end: a walk of more than MOST_CHAIN steps is a circle
 * or as good as one. */
static bool follow(const struct csaf_products *p, uint32_t from, size_t steps, uint32_t *leaf,
                   struct error *e)
{
    const struct csaf_product *product = &p->items.items[from];
    if (steps > MOST_CHAIN) {
        error_set(e, ERR_FORMAT, "the relationships of product \"%.80s\" run in a circle",
                  product->id);
        return false;
    }
    if (product->reference == CSAF_NO_PRODUCT) {
        *leaf = from;
        return true;
    }
    return follow(p, product->reference, steps + 1, leaf, e);
}

/* Depth of a product over both ends of its relationships, computed once for each; a product
 * that is met again while it is being computed is in a circle. */
static bool check_circles(const struct csaf_products *p, uint32_t from, uint8_t *depth,
                          unsigned steps, struct error *e)
{
    enum { UNDER_WAY = 255 };
    const struct csaf_product *product = &p->items.items[from];
    if (depth[from] == UNDER_WAY || steps > MOST_CHAIN) {
        error_set(e, ERR_FORMAT, "the relationships of product \"%.80s\" run in a circle",
                  product->id);
        return false;
    }
    if (depth[from] || product->reference == CSAF_NO_PRODUCT)
        return true;
    depth[from] = UNDER_WAY;
    if (!check_circles(p, product->reference, depth, steps + 1, e) ||
        !check_circles(p, product->relates, depth, steps + 1, e))
        return false;
    depth[from] = 1;
    return true;
}

static bool resolve(struct csaf_products *p, struct error *e)
{
    for (size_t i = 0; i < p->items.count; i++) {
        struct csaf_product *product = &p->items.items[i];
        if (!product->reference_id)
            continue;
        if (!find_or_say(p, product->reference_id, &product->reference, e) ||
            !find_or_say(p, product->relates_id, &product->relates, e)) {
            error_prefix(e, "relationship \"%.80s\"", product->id);
            return false;
        }
    }
    CLEANUP_FREE uint8_t *depth = mem_alloc(p->items.count + 1);
    for (uint32_t i = 0; i < p->items.count; i++)
        if (!check_circles(p, i, depth, 0, e) || !follow(p, i, 0, &p->items.items[i].leaf, e))
            return false;
    return true;
}

static bool read_groups(struct csaf_products *p, const json_t *list, struct error *e)
{
    const json_t *item, *id;
    size_t i, j;
    json_array_foreach(list, i, item)
    {
        const json_t *ids = json_get_array(item, "product_ids");
        struct csaf_group group = {arena_strdup(p->arena, text_of(item, "group_id")), 0, NULL};
        group.products = arena_alloc(p->arena, (json_array_size(ids) + 1) * sizeof(uint32_t));
        json_array_foreach(ids, j, id)
        {
            const char *text = json_string_value(id);
            if (!find_or_say(p, text ? text : "", &group.products[group.count++], e)) {
                error_prefix(e, "product_tree.product_groups[%zu]", i);
                return false;
            }
        }
        if (p->groups.count >= DOCUMENT_MOST_PRODUCTS) {
            error_set(e, ERR_LIMIT, "there are more than %d product groups",
                      DOCUMENT_MOST_PRODUCTS);
            return false;
        }
        VEC_PUSH(&p->groups, group);
    }
    return true;
}

const struct csaf_group *csaf_products_group(const struct csaf_products *p, const char *id)
{
    for (size_t i = 0; i < p->groups.count; i++)
        if (str_equal(p->groups.items[i].id, id))
            return &p->groups.items[i];
    return NULL;
}

bool csaf_products_read(struct csaf_products *out, struct arena *arena, const json_t *document,
                        struct error *e)
{
    struct csaf_products p = {.arena = arena};
    const struct csaf_product empty = {
        .vendor = "", .product = "", .version = "", .range = "", .architecture = "", .cpe = ""};
    const json_t *tree = json_get_object(document, "product_tree");
    const json_t *full, *item;
    size_t i;
    bool good = read_branches(&p, json_get_array(tree, "branches"), &empty, 0, e);
    full = json_get_array(tree, "full_product_names");
    json_array_foreach(full, i, item) good = good && add_product(&p, empty, item, e);
    good = good && read_relationships(&p, json_get_array(tree, "relationships"), &empty, e) &&
           resolve(&p, e) && read_groups(&p, json_get_array(tree, "product_groups"), e);
    if (!good) {
        csaf_products_free(&p);
        return false;
    }
    *out = p;
    return true;
}

void csaf_products_free(struct csaf_products *p)
{
    VEC_FREE(&p->items);
    VEC_FREE(&p->groups);
    free(p->slots);
    p->slots = NULL;
    p->slot_count = 0;
}

/* --- names --- */

/* What others call the products that our collectors report: vendor and product of a CPE, or
 * of the branches. */
static const struct {
    const char *vendor, *product, *key;
} known[] = {
    {"apache", "http_server", "apache-httpd"},
    {"apache software foundation", "apache http server", "apache-httpd"},
    {"apache", "apache http server", "apache-httpd"},
    {"f5", "nginx", "nginx"},
    {"nginx", "nginx", "nginx"},
    {"microsoft", "internet_information_server", "iis"},
    {"microsoft", "internet_information_services", "iis"},
    {"microsoft", "internet information server", "iis"},
    {"microsoft", "internet information services", "iis"},
    {"microsoft", "iis", "iis"},
    {"netscape", "enterprise_server", "netscape-enterprise"},
    {"sun", "solaris", "solaris"},
    {"sun", "sunos", "solaris"},
    {"oracle", "solaris", "solaris"},
};

static const char *known_key(const char *vendor, size_t length, const char *product, size_t size)
{
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (strlen(known[i].vendor) == length && str_starts_nocase(vendor, known[i].vendor) &&
            strlen(known[i].product) == size && str_starts_nocase(product, known[i].product))
            return known[i].key;
    return NULL;
}

/* cpe:/a:VENDOR:PRODUCT:VERSION (2.2) or cpe:2.3:a:VENDOR:PRODUCT:VERSION (2.3) */
static const char *cpe_vendor(const char *cpe)
{
    const char *p = str_starts(cpe, "cpe:2.3:") ? cpe + 8
                    : str_starts(cpe, "cpe:/")  ? cpe + 5
                                                : NULL;
    p = p ? strchr(p, ':') : NULL;
    return p ? p + 1 : NULL;
}

const char *csaf_cpe_short(const char *cpe, struct arena *arena)
{
    const char *vendor = cpe_vendor(cpe);
    if (!vendor)
        return "";
    size_t length = 0, colons = 0;
    while (vendor[length] && (vendor[length] != ':' || ++colons < 3))
        length++;
    while (length && strchr(":*-", vendor[length - 1]))
        length--;
    return arena_strndup(arena, vendor, length);
}

const char *csaf_product_key(const struct csaf_product *p, struct arena *arena)
{
    if (p->uris[CSAF_PRODUCT].count)
        return csaf_uri(p, CSAF_PRODUCT);
    const char *vendor = cpe_vendor(p->cpe), *key = NULL;
    const char *product = vendor ? strchr(vendor, ':') : NULL;
    if (product)
        key = known_key(vendor, (size_t)(product - vendor), product + 1, strcspn(product + 1, ":"));
    if (!key)
        key = known_key(p->vendor, strlen(p->vendor), p->product, strlen(p->product));
    if (key)
        return key;
    char *name = arena_strdup(arena, *p->product ? p->product : p->name);
    str_lower_all(name);
    for (char *c = name; *c; c++)
        if (*c == ' ')
            *c = '-';
    return name;
}

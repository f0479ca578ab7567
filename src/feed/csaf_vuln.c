#include "feed/csaf_vuln.h"

#include "base/json.h"
#include "base/str.h"
#include "feed/csaf_cases.h"
#include "feed/csaf_statements.h"
#include "feed/ranges.h"
#include "model/date.h"

#include <stdlib.h>

static const char *csaf_key(struct csaf_reading *r, const struct csaf_product *p)
{
    const char **key = &r->keys[p - r->products->items.items];
    if (!*key)
        *key = csaf_product_key(p, r->arena);
    return *key;
}

/* The key of the patch or service pack, NULL if it is neither. */
static const char *patch_key(const struct csaf_reading *r, const struct csaf_product *leaf)
{
    if (leaf->uris[CSAF_PATCH].count)
        return csaf_uri(leaf, CSAF_PATCH);
    if (leaf->uris[CSAF_SERVICE_PACK].count)
        return arena_printf(r->arena, "service-pack:%s", csaf_uri(leaf, CSAF_SERVICE_PACK));
    return NULL;
}

/* The range of a product: false if it is not understood, and then its text alone. */
static bool product_ranges(const struct csaf_reading *r, const struct csaf_product *p,
                           const char *scheme, struct ranges *out)
{
    const char *text = *p->range ? p->range : p->version;
    if (ranges_parse(out, r->arena, text, scheme))
        return true;
    const char **items = arena_alloc(r->arena, sizeof *items);
    items[0] = text;
    *out = (struct ranges){1, items};
    return !*p->range; /* a plain version is compared as it stands */
}

/* The day from which the vendor's own fix of a subject could be had; DATE_NONE if any of them
 * gives none. */
static int64_t fix_date(const struct csaf_subject *s)
{
    int64_t first = DATE_NONE;
    for (size_t i = 0; i < s->remedies.count; i++) {
        const struct advisory_remedy *remedy = &s->remedies.items[i];
        if (remedy->kind != REMEDY_PATCH)
            continue;
        if (remedy->date == DATE_NONE)
            return DATE_NONE;
        if (first == DATE_NONE || remedy->date < first)
            first = remedy->date;
    }
    return first;
}

static void add_proofs(struct csaf_reading *r, struct advisory_case *c,
                       const struct csaf_subject *s)
{
    VEC(const char *) patches = {0};
    VEC(struct advisory_file) files = {0};
    for (size_t i = 0; i < s->proofs.count; i++) {
        const struct csaf_product *leaf = csaf_leaf(r, s->proofs.items[i]);
        const char *key = patch_key(r, leaf);
        if (key)
            VEC_PUSH(&patches, key);
        if (!leaf->uris[CSAF_FILE].count)
            continue;
        struct ranges ranges;
        if (!product_ranges(r, leaf, NULL, &ranges) || !*ranges.items[0])
            continue; /* every version of a file proves nothing */
        for (size_t k = 0; k < ranges.count; k++) {
            struct advisory_file file = {csaf_uri(leaf, CSAF_FILE), ranges.items[k],
                                         str_equal(csaf_uri(leaf, CSAF_CORE), "yes")};
            VEC_PUSH(&files, file);
        }
    }
    int64_t dated = fix_date(s);
    c->patch_count = patches.count;
    c->patches = arena_dup(r->arena, patches.items, patches.count * sizeof *patches.items);
    c->file_count = files.count;
    c->files = arena_dup(r->arena, files.items, files.count * sizeof *files.items);
    for (size_t i = 0; i < s->proofs.count; i++) { /* what a patch brings */
        uint32_t number = s->proofs.items[i];
        int64_t *date = &r->patch_dates[number];
        if (*date == DATE_NONE || (dated != DATE_NONE && dated < *date))
            *date = dated;
        if (patch_key(r, csaf_leaf(r, number)) && c->file_count > r->patch_file_counts[number]) {
            r->patch_files[number] = (struct advisory_file *)c->files;
            r->patch_file_counts[number] = c->file_count;
        }
    }
    VEC_FREE(&patches);
    VEC_FREE(&files);
}

static void emit(struct csaf_reading *r, const struct advisory_case *c,
                 const struct csaf_product *p)
{
    const struct csaf_uris *platforms = &p->uris[CSAF_PLATFORM];
    struct advisory_case one = *c;
    if (!platforms->count)
        csaf_cases_add(r->cases, &one);
    for (size_t i = 0; i < platforms->count; i++) {
        one.platform = platforms->items[i];
        csaf_cases_add(r->cases, &one);
    }
}

static void emit_ranges(struct csaf_reading *r, struct advisory_case *c,
                        const struct csaf_product *p, const char *scheme)
{
    struct ranges ranges;
    c->unclear = !product_ranges(r, p, scheme, &ranges);
    for (size_t i = 0; i < ranges.count; i++) {
        c->affected = ranges.items[i];
        emit(r, c, p);
    }
}

static const char *scheme_of_purl(const char *type)
{
    return str_equal(type, "deb") ? "deb" : str_equal(type, "rpm") ? "rpm" : "generic";
}

/* The system of which a package is a component, as its CPE names it. */
static const char *distro_of(const struct csaf_reading *r, uint32_t number, const struct purl *purl)
{
    const char *distro = purl_qualifier(purl, "distro");
    const struct csaf_product *p = csaf_at(r, number);
    while (!*distro && p->relates != CSAF_NO_PRODUCT) {
        p = csaf_at(r, p->relates);
        distro = csaf_cpe_short(csaf_at(r, p->leaf)->cpe, r->arena);
    }
    return distro;
}

static void package_case(struct csaf_reading *r, const struct csaf_subject *s,
                         struct advisory_case *c, const struct csaf_product *leaf)
{
    const struct purl *purl = leaf->purl;
    const char *scheme = scheme_of_purl(purl->type), *epoch = purl_qualifier(purl, "epoch");
    bool with_epoch = *epoch && !str_equal(epoch, "0");
    const char *version = arena_printf(r->arena, "%s%s%s", with_epoch ? epoch : "",
                                       with_epoch ? ":" : "", purl->version);
    struct csaf_product shown = *leaf;
    c->kind = CASE_PACKAGE;
    c->product = purl->type;
    c->name = purl->name;
    c->vendor = purl->namespace;
    c->distro = distro_of(r, s->product, purl);
    c->arch = purl_qualifier(purl, "arch");
    if (*purl->version) {
        shown.version = version;
        shown.range = "";
    }
    if (s->says & CSAF_SAYS_FIXED) {
        if (!*purl->version)
            return; /* "some version is fixed" */
        const char **fixed = arena_alloc(r->arena, sizeof *fixed);
        fixed[0] = arena_printf(r->arena, "vers:%s/>=%s", scheme, version);
        c->fixed_ranges = fixed;
        c->fixed_count = 1;
        shown.range = arena_printf(r->arena, "vers:%s/<%s", scheme, version);
    }
    emit_ranges(r, c, &shown, scheme);
}

/* Versions of the same product on the same system that the vulnerability calls fixed. */
static void add_fixed_ranges(struct csaf_reading *r, struct advisory_case *c,
                             const struct csaf_product *leaf)
{
    VEC(const char *) fixed = {0};
    for (size_t i = 0; i < r->subjects.count && fixed.count < 64; i++) {
        const struct csaf_subject *s = &r->subjects.items[i];
        const struct csaf_product *other = csaf_leaf(r, s->product);
        if (!(s->says & CSAF_SAYS_FIXED) || other->purl || (!*other->version && !*other->range) ||
            !str_equal(csaf_key(r, other), c->product) ||
            !str_equal_nocase(other->vendor, leaf->vendor) ||
            (*csaf_uri(other, CSAF_PLATFORM) && *csaf_uri(leaf, CSAF_PLATFORM) &&
             !str_equal(csaf_uri(other, CSAF_PLATFORM), csaf_uri(leaf, CSAF_PLATFORM))))
            continue;
        struct ranges ranges;
        if (product_ranges(r, other, NULL, &ranges))
            for (size_t k = 0; k < ranges.count; k++)
                VEC_PUSH(&fixed, ranges.items[k]);
    }
    c->fixed_count = fixed.count;
    c->fixed_ranges = arena_dup(r->arena, fixed.items, fixed.count * sizeof *fixed.items);
    VEC_FREE(&fixed);
}

/* Only `fixed` is said of the product: older ones than its one fixed version are affected;
 * with several nobody can say which belongs to which branch. */
static void fixed_only(struct csaf_reading *r, struct advisory_case *c,
                       const struct csaf_product *leaf)
{
    struct csaf_product shown = *leaf;
    struct ranges plain;
    if (c->fixed_count == 1 && *leaf->version && !*leaf->range &&
        ranges_parse(&plain, r->arena, leaf->version, NULL) && *plain.items[0]) {
        const char **fixed = arena_alloc(r->arena, sizeof *fixed);
        fixed[0] = arena_printf(r->arena, ">=%s", leaf->version);
        c->fixed_ranges = fixed;
        shown.range = arena_printf(r->arena, "<%s", leaf->version);
        emit_ranges(r, c, &shown, NULL);
    } else if (c->fixed_count) {
        c->affected =
            arena_printf(r->arena, "other than %s", *leaf->range ? leaf->range : leaf->version);
        c->unclear = true;
        emit(r, c, leaf);
    }
}

static const char *ports_of(const struct csaf_reading *r, const struct csaf_product *p)
{
    CLEANUP_STR struct str text = {0};
    for (size_t i = 0; i < p->uris[CSAF_PORT].count; i++)
        str_printf(&text, "%s%s", i ? " " : "", p->uris[CSAF_PORT].items[i]);
    return arena_strdup(r->arena, str_text(&text));
}

/* Has the family of this product an affected member in this vulnerability? */
static bool has_affected_kin(struct csaf_reading *r, const struct advisory_case *c)
{
    for (size_t i = 0; i < r->subjects.count; i++) {
        const struct csaf_subject *s = &r->subjects.items[i];
        if (s->says & CSAF_SAYS_AFFECTED && !csaf_leaf(r, s->product)->purl &&
            str_equal(csaf_key(r, csaf_leaf(r, s->product)), c->product))
            return true;
    }
    return false;
}

static void product_case(struct csaf_reading *r, const struct csaf_subject *s,
                         struct advisory_case *c, const struct csaf_product *leaf,
                         size_t fixed_subjects)
{
    c->kind = CASE_PRODUCT;
    c->product = csaf_key(r, leaf);
    c->vendor = leaf->vendor;
    c->rule = csaf_uri(leaf, CSAF_RULE);
    c->exposed_by = csaf_uri(leaf, CSAF_EXPOSED_BY);
    c->port = ports_of(r, leaf);
    if (!*c->product)
        return;
    if (*c->port && !s->scored)
        c->network = c->no_login = true;
    add_proofs(r, c, s);
    if (fixed_subjects && !c->not_affected)
        add_fixed_ranges(r, c, leaf);
    if (s->says == CSAF_SAYS_FIXED && !s->proofs.count) {
        if (!has_affected_kin(r, c))
            fixed_only(r, c, leaf);
        return;
    }
    emit_ranges(r, c, leaf, NULL);
}

static bool subjects_to_cases(struct csaf_reading *r, const char *const *cves, size_t cve_count,
                              struct error *e)
{
    size_t fixed_subjects = 0;
    for (size_t i = 0; i < r->subjects.count; i++)
        fixed_subjects += (r->subjects.items[i].says & CSAF_SAYS_FIXED) &&
                          !csaf_leaf(r, r->subjects.items[i].product)->purl;
    if ((uint64_t)fixed_subjects * r->subjects.count > UINT64_C(50) * 1000 * 1000) {
        error_set(e, ERR_LIMIT, "vulnerabilities[%zu] has too many fixed products",
                  r->vulnerability);
        return false;
    }
    for (size_t i = 0; i < r->subjects.count; i++) {
        struct csaf_subject *s = &r->subjects.items[i];
        const struct csaf_product *leaf = csaf_leaf(r, s->product);
        if (csaf_is_proof(leaf) || !(s->says || s->proofs.count))
            continue; /* a patch that is not tied to any server */
        struct advisory_case c = {.name = "",
                                  .vendor = "",
                                  .distro = "",
                                  .arch = "",
                                  .platform = "",
                                  .affected = "",
                                  .fixed_range = "",
                                  .rule = "",
                                  .exposed_by = "",
                                  .port = "",
                                  .title = csaf_at(r, s->product)->name,
                                  .not_affected = s->says & CSAF_SAYS_NOT_AFFECTED,
                                  .under_investigation = s->says & CSAF_SAYS_INVESTIGATED &&
                                                         !(s->says & CSAF_SAYS_AFFECTED),
                                  .cvss = s->cvss,
                                  .network = s->network,
                                  .no_login = s->no_login,
                                  .cve_count = cve_count,
                                  .cves = cves,
                                  .remedy_count = s->remedies.count,
                                  .remedies = s->remedies.items,
                                  .exploit_count = s->exploits.count,
                                  .exploits = s->exploits.items};
        if (leaf->purl)
            package_case(r, s, &c, leaf);
        else
            product_case(r, s, &c, leaf, fixed_subjects);
        if (csaf_cases_count(r->cases) > DOCUMENT_MOST_CASES) {
            error_set(e, ERR_LIMIT, "the document makes more than %d cases", DOCUMENT_MOST_CASES);
            return false;
        }
    }
    return true;
}

static bool read_vulnerability(struct csaf_reading *r, const json_t *vulnerability, struct error *e)
{
    const char **cve = arena_alloc(r->arena, sizeof *cve);
    const char *text = json_get_string(vulnerability, "cve");
    cve[0] = text ? arena_strdup(r->arena, text) : "";
    bool good =
        csaf_statements_read(r, vulnerability, e) && subjects_to_cases(r, cve, *cve[0] != '\0', e);
    csaf_statements_forget(r, vulnerability);
    return good;
}

/* --- patches --- */

static void take_uris(const struct csaf_uris *uris, size_t *count, const char *const **list)
{
    *count = uris->count;
    *list = uris->items;
}

static void read_patches(struct csaf_reading *r, struct document *out)
{
    VEC(struct advisory_patch) patches = {0};
    for (uint32_t i = 0; i < r->products->items.count; i++) {
        const struct csaf_product *relation = csaf_at(r, i);
        const struct csaf_product *leaf = csaf_leaf(r, i);
        const char *key = relation->relates != CSAF_NO_PRODUCT ? patch_key(r, leaf) : NULL;
        if (!key)
            continue;
        const struct csaf_product *server = csaf_leaf(r, csaf_subject_of(r, i));
        const struct csaf_uris *platforms = &server->uris[CSAF_PLATFORM];
        struct advisory_patch patch = {.key = key,
                                       .platform = "",
                                       .title = leaf->name,
                                       .advisory_id = "",
                                       .product = csaf_key(r, server),
                                       .version = *server->range ? "" : server->version,
                                       .is_service_pack = leaf->uris[CSAF_SERVICE_PACK].count != 0,
                                       .reboot = str_equal(csaf_uri(leaf, CSAF_REBOOT), "yes") ? 1
                                                 : str_equal(csaf_uri(leaf, CSAF_REBOOT), "no")
                                                     ? 0
                                                     : r->reboots[i],
                                       .released = r->patch_dates[i],
                                       .files = r->patch_files[i],
                                       .file_count = r->patch_file_counts[i]};
        take_uris(&leaf->uris[CSAF_SUPERSEDES], &patch.supersedes_count, &patch.supersedes);
        take_uris(&leaf->uris[CSAF_CONTAINED_IN], &patch.contained_count, &patch.contained_in);
        take_uris(&leaf->uris[CSAF_REQUIRES], &patch.requires_count, &patch.requires);
        take_uris(&leaf->uris[CSAF_TOUCHES], &patch.touches_count, &patch.touches);
        for (size_t p = 0; *patch.product && (p < platforms->count || (!p && !platforms->count));
             p++) {
            patch.platform = platforms->count ? platforms->items[p] : "";
            VEC_PUSH(&patches, patch);
        }
    }
    out->patch_count = patches.count;
    out->patches = arena_dup(r->arena, patches.items, patches.count * sizeof *patches.items);
    VEC_FREE(&patches);
}

/* "windows:5.0:2" is a service pack's value: its key has the prefix. A patch's id has no colon. */
static void prefix_service_packs(struct arena *arena, const struct csaf_products *products)
{
    static const enum csaf_uri which[] = {CSAF_CONTAINED_IN, CSAF_REQUIRES, CSAF_SUPERSEDES};
    for (size_t i = 0; i < products->items.count; i++) {
        for (size_t w = 0; w < ARRAY_COUNT(which); w++) {
            const struct csaf_uris *uris = &products->items.items[i].uris[which[w]];
            for (size_t k = 0; k < uris->count; k++)
                if (strchr(uris->items[k], ':'))
                    uris->items[k] = arena_printf(arena, "service-pack:%s", uris->items[k]);
        }
    }
}

bool csaf_vulnerabilities(struct document *out, const struct csaf_products *products,
                          struct arena *arena, const json_t *document, struct error *e)
{
    size_t count = products->items.count + 1;
    struct csaf_reading r = {.arena = arena,
                             .products = products,
                             .revised = out->head.revised,
                             .cases = csaf_cases_new(arena),
                             .at = mem_alloc(count * sizeof *r.at),
                             .said = mem_alloc(count),
                             .patch_files = arena_alloc(arena, count * sizeof *r.patch_files),
                             .patch_file_counts = arena_alloc(arena, count * sizeof(size_t)),
                             .reboots = arena_alloc(arena, count * sizeof *r.reboots),
                             .patch_dates = arena_alloc(arena, count * sizeof *r.patch_dates),
                             .keys = arena_alloc(arena, count * sizeof *r.keys)};
    for (size_t i = 0; i < count; i++) {
        r.reboots[i] = -1;
        r.patch_dates[i] = DATE_NONE;
    }
    prefix_service_packs(arena, products);
    const json_t *list = json_get_array(document, "vulnerabilities"), *item;
    bool good = true;
    json_array_foreach(list, r.vulnerability,
                       item) if (!(good = read_vulnerability(&r, item, e))) break;
    if (good) {
        read_patches(&r, out);
        out->case_count = csaf_cases_take(r.cases, &out->cases);
    }
    csaf_cases_free(r.cases);
    VEC_FREE(&r.subjects);
    free(r.at);
    free(r.said);
    return good;
}

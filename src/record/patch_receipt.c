#include "record/patch_receipt.h"

#include "record/minisign.h"
#include "record/patch_json.h"

#include <stdlib.h>

static const char format[] = "yagura patch receipt 1";

static const struct patch_key receipt_keys[] = {{"plan", PATCH_HASH, true},
                                                {"who", PATCH_ANY, true},
                                                {"recorded_by", PATCH_ANY, false},
                                                {"when", PATCH_TIME, true},
                                                {"public_key", PATCH_ANY, true}};
static const struct patch_key host_keys[] = {
    {"name", PATCH_ANY, true}, {"identity", PATCH_HASH, true}, {"os", PATCH_ANY, false}};
static const struct patch_key package_keys[] = {{"name", PATCH_NAME, true},
                                                {"arch", PATCH_ARCH, true},
                                                {"before", PATCH_VERSION, true},
                                                {"after", PATCH_VERSION, true}};
static const struct patch_key audit_keys[] = {{"open", PATCH_NUMBER, true}};

json_t *patch_receipt_begin(const struct patch_plan *plan, const char *who, const char *recorded_by)
{
    json_t *o = json_object();
    json_put_string(o, "format", format);
    json_put_string(o, "plan", plan->hash);
    json_put_string(o, "who", who);
    json_put_string(o, "recorded_by", recorded_by);
    return o;
}

bool patch_receipt_write(json_t *receipt, const struct keypair *key, const char *path,
                         struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str signature = {0};
    char public_key[KEYS_PUBLIC_TEXT];
    keys_public_text(public_key, key);
    json_put_string(receipt, "public_key", public_key);
    CLEANUP_FREE char *body = json_dumps(receipt, JSON_INDENT(2));
    if (!body)
        mem_gone();
    const char *text = arena_printf(arena, "%s\n", body);
    minisign_sign(
        &signature, key, text, strlen(text),
        arena_printf(arena, "receipt of the patch plan %s", json_get_string(receipt, "plan")));
    /* The signature last: a receipt without it is refused. */
    return patch_write_file(path, text, strlen(text), e) &&
           patch_write_file(arena_printf(arena, "%s.minisig", path), signature.data,
                            signature.length, e);
}

bool patch_receipt_parse(struct facts *out, const char *text, size_t size, const char *path,
                         struct error *e)
{
    struct patch_reader r = {out, path, e};
    CLEANUP_JSON json_t *o =
        patch_read_object(&r, text, size, PATCH_RECEIPT_MOST_BYTES, format,
                          N_("this is no receipt that this version reads (format \"%s\")"));
    if (!o)
        return false;
    return patch_read_row(&r, o, "receipt", "", receipt_keys, ARRAY_COUNT(receipt_keys)) &&
           patch_read_row(&r, json_object_get(o, "host"), "receipt-host", "host", host_keys,
                          ARRAY_COUNT(host_keys)) &&
           patch_read_row(&r, json_object_get(o, "audit_before"), "receipt-audit", "audit_before",
                          audit_keys, ARRAY_COUNT(audit_keys)) &&
           patch_read_row(&r, json_object_get(o, "audit_after"), "receipt-audit", "audit_after",
                          audit_keys, ARRAY_COUNT(audit_keys)) &&
           patch_read_rows(&r, o, "packages", "receipt-package", package_keys,
                           ARRAY_COUNT(package_keys));
}

static const char *copy(struct patch_receipt *r, const struct fact *f, const char *key)
{
    return arena_strdup(r->arena, f ? fact_text(f, key) : "");
}

static void fill(struct patch_receipt *r, const struct facts *facts)
{
    const struct fact *head = facts_first(facts, "receipt"),
                      *host = facts_first(facts, "receipt-host"),
                      *before = facts_first(facts, "receipt-audit"),
                      *after = before ? facts_next(facts, "receipt-audit", before) : NULL;
    r->plan = copy(r, head, "plan");
    r->who = copy(r, head, "who");
    r->recorded_by = copy(r, head, "recorded_by");
    r->when = copy(r, head, "when");
    r->key = copy(r, head, "public_key");
    r->host = copy(r, host, "name");
    r->identity = copy(r, host, "identity");
    r->os = copy(r, host, "os");
    (void)!str_to_u64(before ? fact_text(before, "open") : "", &r->open_before);
    (void)!str_to_u64(after ? fact_text(after, "open") : "", &r->open_after);
    for (const struct fact *f = facts_first(facts, "receipt-package"); f;
         f = facts_next(facts, "receipt-package", f)) {
        struct package_change c = {.name = copy(r, f, "name"),
                                   .arch = copy(r, f, "arch"),
                                   .from = copy(r, f, "before"),
                                   .to = copy(r, f, "after"),
                                   .source = "",
                                   .closes = ""};
        VEC_PUSH(&r->packages, c);
    }
}

static bool verify(const struct patch_receipt *r, const char *text, size_t size, const char *path,
                   struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_FREE char *signature = NULL;
    char comment[MINISIGN_COMMENT_SIZE];
    const char *beside = arena_printf(arena, "%s.minisig", path);
    size_t length;
    struct keypair key;
    if (!keys_of_public_text(&key, r->key, e)) {
        error_at(e, path, 0, 0);
        return false;
    }
    if (!patch_read_file(&signature, &length, beside, 4096, e)) {
        error_prefix(e, "the receipt's signature");
        return false;
    }
    if (!minisign_verify(&key, signature, text, size, comment, e)) {
        error_at(e, beside, 0, 0);
        return false;
    }
    return true;
}

bool patch_receipt_read(struct patch_receipt **out, const char *path, struct error *e)
{
    CLEANUP(facts_cleanup) struct facts *facts = NULL;
    CLEANUP_FREE char *text = NULL;
    size_t size;
    if (!patch_read_caged(&facts, &text, &size, path, PATCH_RECEIPT_MOST_BYTES, patch_receipt_parse,
                          e))
        return false;
    CLEANUP(patch_receipt_cleanup) struct patch_receipt *r = mem_alloc(sizeof *r);
    r->arena = arena_new();
    fill(r, facts);
    if (!verify(r, text, size, path, e))
        return false;
    *out = r;
    r = NULL;
    return true;
}

void patch_receipt_free(struct patch_receipt *r)
{
    if (!r)
        return;
    VEC_FREE(&r->packages);
    arena_free(r->arena);
    free(r);
}

void patch_receipt_cleanup(struct patch_receipt **r)
{
    patch_receipt_free(*r);
}

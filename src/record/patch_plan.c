#include "record/patch_plan.h"

#include "record/patch_json.h"

#include <sodium.h>
#include <stdlib.h>

static const char format[] = "yagura patch plan 1";

static const struct patch_key plan_keys[] = {
    {"made", PATCH_TIME, true}, {"who", PATCH_ANY, true}, {"version", PATCH_ANY, false}};
static const struct patch_key host_keys[] = {
    {"name", PATCH_ANY, true}, {"identity", PATCH_HASH, true}, {"os", PATCH_ANY, false}};
static const struct patch_key package_keys[] = {
    {"name", PATCH_NAME, true},      {"arch", PATCH_ARCH, true},
    {"from", PATCH_VERSION, true},   {"to", PATCH_VERSION, true},
    {"source", PATCH_ANY, false},    {"closes", PATCH_ANY, false},
    {"security", PATCH_TRUTH, true}, {"dependency", PATCH_TRUTH, true}};
static const struct patch_key step_keys[] = {{"order", PATCH_NUMBER, true},
                                             {"part", PATCH_ANY, true},
                                             {"patch", PATCH_ANY, false},
                                             {"what", PATCH_ANY, true},
                                             {"closes", PATCH_ANY, false}};
static const struct patch_key held_keys[] = {{"name", PATCH_NAME, true},
                                             {"arch", PATCH_ARCH, true},
                                             {"from", PATCH_VERSION, true},
                                             {"to", PATCH_VERSION, true},
                                             {"held", PATCH_ANY, true}};

void patch_hash(char out[PATCH_HASH_SIZE], const void *bytes, size_t size)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, bytes, size);
    sodium_bin2hex(out, PATCH_HASH_SIZE, digest, sizeof digest);
}

struct patch_plan *patch_plan_new(void)
{
    struct patch_plan *p = mem_alloc(sizeof *p);
    p->arena = arena_new();
    return p;
}

void patch_plan_free(struct patch_plan *p)
{
    if (!p)
        return;
    VEC_FREE(&p->packages);
    VEC_FREE(&p->steps);
    VEC_FREE(&p->held);
    arena_free(p->arena);
    free(p);
}

void patch_plan_cleanup(struct patch_plan **p)
{
    patch_plan_free(*p);
}

/* --- writing --- */

/* A new row of a list. */
static json_t *row_in(json_t *list)
{
    json_t *row = json_object();
    json_array_append_new(list, row);
    return row;
}

static json_t *change_in(json_t *list, const char *name, const char *arch, const char *from,
                         const char *to)
{
    json_t *row = row_in(list);
    json_put_string(row, "name", name);
    json_put_string(row, "arch", arch);
    json_put_string(row, "from", from);
    json_put_string(row, "to", to);
    return row;
}

/* What no reader would take is cut at a blank: one step may close hundreds of findings. */
static void put_words(json_t *row, const char *key, const char *text)
{
    CLEANUP_FREE char *kept = mem_strdup(text);
    size_t length = strlen(kept);
    while (length && (length > PATCH_MOST_TEXT || (kept[length] && kept[length] != ' ')))
        length--;
    kept[length] = '\0';
    json_put_string(row, key, kept);
}

void patch_plan_write(struct str *out, const struct patch_plan *p)
{
    CLEANUP_JSON json_t *o = json_object();
    json_t *host = json_object(), *packages = json_array(), *steps = json_array(),
           *held = json_array();
    json_put_string(o, "format", format);
    json_put_string(o, "made", p->made);
    json_put_string(o, "who", p->who);
    json_put_string(o, "version", p->version);
    json_put_string(host, "name", p->host);
    json_put_string(host, "identity", p->identity);
    json_put_string(host, "os", p->os);
    for (size_t i = 0; i < p->packages.count; i++) {
        const struct package_change *c = &p->packages.items[i];
        json_t *row = change_in(packages, c->name, c->arch, c->from, c->to);
        json_put_string(row, "source", c->source);
        json_put_string(row, "closes", c->closes);
        json_put_bool(row, "security", c->security);
        json_put_bool(row, "dependency", c->dependency);
    }
    for (size_t i = 0; i < p->held.count; i++) {
        const struct patch_plan_held *h = &p->held.items[i];
        json_put_string(change_in(held, h->name, h->arch, h->from, h->to), "held", h->held);
    }
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct patch_plan_step *s = &p->steps.items[i];
        json_t *row = row_in(steps);
        json_put_int(row, "order", s->order);
        json_put_string(row, "part", s->part);
        json_put_string(row, "patch", *s->patch ? s->patch : NULL);
        put_words(row, "what", s->what);
        put_words(row, "closes", s->closes);
    }
    json_object_set_new(o, "host", host);
    json_object_set_new(o, "packages", packages);
    json_object_set_new(o, "held", held);
    json_object_set_new(o, "steps", steps);
    char *text = json_dumps(o, JSON_INDENT(2));
    if (!text)
        mem_gone();
    str_add(out, text);
    str_add_char(out, '\n');
    free(text);
}

/* --- reading --- */

bool patch_plan_parse(struct facts *out, const char *text, size_t size, const char *path,
                      struct error *e)
{
    struct patch_reader r = {out, path, e};
    CLEANUP_JSON json_t *o =
        patch_read_object(&r, text, size, PATCH_PLAN_MOST_BYTES, format,
                          N_("this is no patch plan that this version reads (format \"%s\")"));
    if (!o)
        return false;
    return patch_read_row(&r, o, "plan", "", plan_keys, ARRAY_COUNT(plan_keys)) &&
           patch_read_row(&r, json_object_get(o, "host"), "plan-host", "host", host_keys,
                          ARRAY_COUNT(host_keys)) &&
           patch_read_rows(&r, o, "packages", "plan-package", package_keys,
                           ARRAY_COUNT(package_keys)) &&
           patch_read_rows(&r, o, "held", "plan-held", held_keys, ARRAY_COUNT(held_keys)) &&
           patch_read_rows(&r, o, "steps", "plan-step", step_keys, ARRAY_COUNT(step_keys));
}

static int by_name(const void *a, const void *b)
{
    const struct package_change *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);
    return order ? order : strcmp((*x)->arch, (*y)->arch);
}

/* One package cannot go to two versions. */
static bool all_differ(const struct patch_plan *p, const char *path, struct error *e)
{
    size_t count = p->packages.count;
    CLEANUP_FREE const struct package_change **sorted = mem_alloc((count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &p->packages.items[i];
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count; i++)
        if (by_name(&sorted[i - 1], &sorted[i]) == 0) {
            error_set(e, ERR_FORMAT, "%s:%s stands in it twice", sorted[i]->name, sorted[i]->arch);
            error_at(e, path, 0, 0);
            return false;
        }
    return true;
}

static const char *copy(struct patch_plan *p, const struct fact *f, const char *key)
{
    return arena_strdup(p->arena, f ? fact_text(f, key) : "");
}

static void fill(struct patch_plan *p, const struct facts *facts)
{
    const struct fact *plan = facts_first(facts, "plan"), *host = facts_first(facts, "plan-host");
    p->made = copy(p, plan, "made");
    p->who = copy(p, plan, "who");
    p->version = copy(p, plan, "version");
    p->host = copy(p, host, "name");
    p->identity = copy(p, host, "identity");
    p->os = copy(p, host, "os");
    for (const struct fact *f = facts_first(facts, "plan-package"); f;
         f = facts_next(facts, "plan-package", f)) {
        struct package_change c = {copy(p, f, "name"),
                                   copy(p, f, "arch"),
                                   copy(p, f, "from"),
                                   copy(p, f, "to"),
                                   copy(p, f, "source"),
                                   copy(p, f, "closes"),
                                   str_equal(fact_text(f, "security"), "yes"),
                                   str_equal(fact_text(f, "dependency"), "yes")};
        VEC_PUSH(&p->packages, c);
    }
    for (const struct fact *f = facts_first(facts, "plan-held"); f;
         f = facts_next(facts, "plan-held", f)) {
        struct patch_plan_held h = {copy(p, f, "name"), copy(p, f, "arch"), copy(p, f, "from"),
                                    copy(p, f, "to"), copy(p, f, "held")};
        VEC_PUSH(&p->held, h);
    }
    for (const struct fact *f = facts_first(facts, "plan-step"); f;
         f = facts_next(facts, "plan-step", f)) {
        uint64_t order = 0;
        (void)!str_to_u64(fact_text(f, "order"), &order);
        struct patch_plan_step s = {(int64_t)order, copy(p, f, "part"), copy(p, f, "patch"),
                                    copy(p, f, "what"), copy(p, f, "closes")};
        VEC_PUSH(&p->steps, s);
    }
}

bool patch_plan_read(struct patch_plan **out, const char *path, struct error *e)
{
    CLEANUP(facts_cleanup) struct facts *facts = NULL;
    CLEANUP_FREE char *text = NULL;
    size_t size;
    if (!patch_read_caged(&facts, &text, &size, path, PATCH_PLAN_MOST_BYTES, patch_plan_parse, e))
        return false;
    CLEANUP(patch_plan_cleanup) struct patch_plan *p = patch_plan_new();
    fill(p, facts);
    if (!all_differ(p, path, e))
        return false;
    patch_hash(p->hash, text, size);
    *out = p;
    p = NULL;
    return true;
}

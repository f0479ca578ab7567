#include "model/fact.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_VALUES = 20000,     /* keys of one fact: a host fact holds every want */
    MOST_TEXT = 1024 * 1024, /* bytes of one value */
    MOST_KINDS = 64
};

/* Facts of one kind are chained, so that walking a kind does not walk the set. */
struct entry {
    struct fact fact;           /* first, so that a fact's address is its entry's */
    size_t next_of_kind;        /* index + 1; 0 = last */
    const struct entry *before; /* of the same kind, or NULL */
};

struct facts {
    struct arena *arena;
    VEC(struct entry *) list;
    struct {
        const char *kind;
        size_t first, last; /* index + 1 */
    } kinds[MOST_KINDS];
    size_t kind_count;
};

struct facts *facts_new(void)
{
    struct facts *set = mem_alloc(sizeof *set);
    set->arena = arena_new();
    return set;
}

void facts_free(struct facts *set)
{
    if (!set)
        return;
    VEC_FREE(&set->list);
    arena_free(set->arena);
    free(set);
}

void facts_cleanup(struct facts **set)
{
    facts_free(*set);
}

struct arena *facts_arena(struct facts *set)
{
    return set->arena;
}

size_t facts_count(const struct facts *set)
{
    return set->list.count;
}

const struct fact *facts_at(const struct facts *set, size_t index)
{
    return &set->list.items[index]->fact;
}

/* Every text is made fit for UTF-8 output once, here. */
static const char *keep_bytes(struct facts *set, const char *text, size_t length)
{
    length = strnlen(text, length < MOST_TEXT ? length : MOST_TEXT);
    if (str_utf8_valid_prefix(text, length) == length)
        return arena_strndup(set->arena, text, length);
    CLEANUP_STR struct str clean = {0};
    str_add_printable(&clean, text, length);
    return arena_strdup(set->arena, str_text(&clean));
}

static const char *keep(struct facts *set, const char *text)
{
    return text ? keep_bytes(set, text, strlen(text)) : "";
}

/* Facts of one kind mostly come from the same file and have the same keys in the same order as
 * the one before: such texts are kept once. `same` may be NULL. */
static const char *keep_or_same(struct facts *set, const char *same, const char *text,
                                size_t length)
{
    if (same && strlen(same) == length && memcmp(same, text, length) == 0)
        return same;
    return keep_bytes(set, text, length);
}

static const char *keep_key(struct facts *set, const struct fact *f, const char *key, size_t length)
{
    const struct entry *before = ((const struct entry *)f)->before;
    bool has_one = before && f->value_count < before->fact.value_count;
    return keep_or_same(set, has_one ? before->fact.values[f->value_count].key : NULL, key, length);
}

static size_t kind_slot(struct facts *set, const char *kind)
{
    for (size_t i = 0; i < set->kind_count; i++)
        if (str_equal(set->kinds[i].kind, kind))
            return i;
    if (set->kind_count == MOST_KINDS)
        return MOST_KINDS;
    set->kinds[set->kind_count].kind = keep(set, kind);
    return set->kind_count++;
}

static struct entry *add(struct facts *set, const char *kind)
{
    size_t slot = kind_slot(set, kind);
    if (slot == MOST_KINDS) /* only a hostile frame invents so many: keep it, unchained */
        slot = MOST_KINDS - 1;
    struct entry *entry = arena_alloc(set->arena, sizeof *entry);
    entry->fact.kind = set->kinds[slot].kind;
    VEC_PUSH(&set->list, entry);
    size_t number = set->list.count;
    if (set->kinds[slot].last) {
        struct entry *before = set->list.items[set->kinds[slot].last - 1];
        before->next_of_kind = number;
        entry->before = before;
    } else {
        set->kinds[slot].first = number;
    }
    set->kinds[slot].last = number;
    return entry;
}

static struct fact *add_from(struct facts *set, const char *kind, const char *path,
                             size_t path_length, uint64_t line, int64_t offset,
                             enum confidence confidence)
{
    struct entry *entry = add(set, kind);
    struct fact *f = &entry->fact;
    const char *same = entry->before ? entry->before->fact.path : NULL;
    f->path = keep_or_same(set, same, path, path_length);
    f->line = line;
    f->offset = offset;
    f->confidence = confidence;
    return f;
}

struct fact *facts_add(struct facts *set, const char *kind, const char *path, uint64_t line,
                       int64_t offset, enum confidence confidence)
{
    return add_from(set, kind, path, strlen(path), line, offset, confidence);
}

/* The key and the text belong to the set. */
static void put_kept(struct facts *set, struct fact *f, const char *key, enum value_state state,
                     const char *text)
{
    if (f->value_count >= MOST_VALUES)
        return;
    if (f->value_count == f->value_capacity) {
        size_t wanted = f->value_capacity ? f->value_capacity * 2 : 8;
        struct fact_value *grown = arena_alloc(set->arena, wanted * sizeof *grown);
        if (f->value_count)
            memcpy(grown, f->values, f->value_count * sizeof *grown);
        f->values = grown;
        f->value_capacity = wanted;
    }
    f->values[f->value_count++] = (struct fact_value){key, state, text};
}

static void put(struct facts *set, struct fact *f, const char *key, enum value_state state,
                const char *text)
{
    put_kept(set, f, keep_key(set, f, key, strlen(key)), state, keep(set, text));
}

void fact_put(struct facts *set, struct fact *f, const char *key, const char *text)
{
    put(set, f, key, VALUE_TEXT, text);
}

void fact_put_number(struct facts *set, struct fact *f, const char *key, int64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)number);
    put(set, f, key, VALUE_TEXT, text);
}

void fact_put_state(struct facts *set, struct fact *f, const char *key, enum value_state state,
                    const char *reason)
{
    put(set, f, key, state, reason);
}

struct fact *facts_unread(struct facts *set, const char *what, const char *path, const char *reason)
{
    struct fact *f = facts_add(set, "unread", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(set, f, "what", what);
    fact_put(set, f, "reason", reason);
    return f;
}

const struct fact_value *fact_value(const struct fact *f, const char *key)
{
    for (size_t i = 0; i < f->value_count; i++)
        if (str_equal_nocase(f->values[i].key, key))
            return &f->values[i];
    return NULL;
}

const char *fact_text(const struct fact *f, const char *key)
{
    const struct fact_value *v = fact_value(f, key);
    return v && v->state == VALUE_TEXT ? v->text : "";
}

const struct fact *facts_first(const struct facts *set, const char *kind)
{
    return facts_next(set, kind, NULL);
}

const struct fact *facts_next(const struct facts *set, const char *kind, const struct fact *after)
{
    size_t number = 0;
    if (after) {
        number = ((const struct entry *)after)->next_of_kind;
    } else {
        for (size_t i = 0; i < set->kind_count; i++)
            if (str_equal(set->kinds[i].kind, kind))
                number = set->kinds[i].first;
    }
    return number ? &set->list.items[number - 1]->fact : NULL;
}

json_t *fact_to_json(const struct fact *f)
{
    json_t *object = json_object();
    json_put_string(object, "type", "fact");
    json_put_string(object, "kind", f->kind);
    for (size_t i = 0; i < f->value_count; i++) {
        const struct fact_value *v = &f->values[i];
        if (v->state == VALUE_TEXT)
            json_put_string(object, v->key, v->text);
        else if (v->state == VALUE_ABSENT)
            json_object_set_new(object, v->key, json_pack("{s:b}", "absent", 1));
        else
            json_object_set_new(object, v->key, json_pack("{s:s}", "unreadable", v->text));
    }
    json_t *source = json_object();
    json_put_string(source, "path", f->path);
    if (f->line)
        json_put_int(source, "line", (int64_t)f->line);
    if (f->offset >= 0)
        json_put_int(source, "offset", f->offset);
    json_object_set_new(object, "source", source);
    json_put_string(object, "confidence", confidence_name(f->confidence));
    return object;
}

bool facts_add_json(struct facts *set, const json_t *object, struct error *e)
{
    const char *kind = json_get_string(object, "kind");
    if (!kind) {
        error_set(e, ERR_FORMAT, "a fact needs a \"kind\"");
        return false;
    }
    const json_t *source = json_get_object(object, "source");
    const char *path = source ? json_get_string(source, "path") : NULL;
    json_int_t line = source ? json_integer_value(json_object_get(source, "line")) : 0;
    const json_t *offset = source ? json_object_get(source, "offset") : NULL;
    enum confidence confidence = CONFIDENCE_HIGH;
    const char *sure = json_get_string(object, "confidence");
    if (sure && !confidence_from_name(sure, &confidence)) {
        error_set(e, ERR_FORMAT, "\"confidence\" is high, medium or low, not \"%s\"", sure);
        return false;
    }
    struct fact *f =
        facts_add(set, kind, path ? path : "", line > 0 ? (uint64_t)line : 0,
                  json_is_integer(offset) ? json_integer_value(offset) : -1, confidence);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (str_equal(key, "type") || str_equal(key, "kind") || str_equal(key, "source") ||
            str_equal(key, "confidence"))
            continue;
        if (json_is_string(value))
            fact_put(set, f, key, json_string_value(value));
        else if (json_is_integer(value))
            fact_put_number(set, f, key, json_integer_value(value));
        else if (json_is_true(json_object_get(value, "absent")))
            fact_put_state(set, f, key, VALUE_ABSENT, "");
        else if (json_get_string(value, "unreadable"))
            fact_put_state(set, f, key, VALUE_UNREADABLE, json_get_string(value, "unreadable"));
    }
    return true;
}

/* Wire form: kind, path, line, offset, confidence, count, then key, state, text of each. */
void fact_encode(struct str *out, const struct fact *f)
{
    bytes_put_string(out, f->kind);
    bytes_put_string(out, f->path);
    bytes_put_u64le(out, f->line);
    bytes_put_u64le(out, (uint64_t)f->offset);
    bytes_put_u8(out, (uint8_t)f->confidence);
    bytes_put_u32le(out, (uint32_t)f->value_count);
    for (size_t i = 0; i < f->value_count; i++) {
        bytes_put_string(out, f->values[i].key);
        bytes_put_u8(out, (uint8_t)f->values[i].state);
        bytes_put_string(out, f->values[i].text);
    }
}

bool facts_add_encoded(struct facts *set, struct bytes *in, struct error *e)
{
    size_t kind_length = 0, path_length = 0;
    const char *kind = bytes_string(in, 256, &kind_length);
    const char *path = bytes_string(in, 65536, &path_length);
    uint64_t line = bytes_u64le(in);
    int64_t offset = (int64_t)bytes_u64le(in);
    uint8_t confidence = bytes_u8(in);
    uint32_t count = bytes_u32le(in);
    if (in->failed || confidence > CONFIDENCE_HIGH || count > MOST_VALUES || !kind_length) {
        error_set(e, ERR_FORMAT, "a fact from a collector is malformed");
        return false;
    }
    char kind_text[257];
    memcpy(kind_text, kind, kind_length);
    kind_text[kind_length] = '\0';
    struct fact *f =
        add_from(set, kind_text, path, path_length, line, offset, (enum confidence)confidence);
    for (uint32_t i = 0; i < count; i++) {
        size_t key_length = 0, text_length = 0;
        const char *key = bytes_string(in, 65536, &key_length);
        uint8_t state = bytes_u8(in);
        const char *text = bytes_string(in, MOST_TEXT, &text_length);
        if (in->failed || state > VALUE_UNREADABLE) {
            error_set(e, ERR_FORMAT, "a fact of kind %s from a collector is malformed", kind_text);
            return false;
        }
        put_kept(set, f, keep_key(set, f, key, key_length), (enum value_state)state,
                 keep_bytes(set, text, text_length));
    }
    return true;
}

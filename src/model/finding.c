#include "model/finding.h"

#include "base/json.h"
#include "base/str.h"
#include "model/date.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

struct message message_of(const char *id)
{
    return (struct message){.id = id};
}

static void put(struct message *m, const char *name, const char *value, bool translate)
{
    if (m->argument_count < ARRAY_COUNT(m->arguments))
        m->arguments[m->argument_count++] =
            (struct message_argument){name, value ? value : "", translate};
}

void message_put(struct message *m, const char *name, const char *value)
{
    put(m, name, value, false);
}

void message_put_translated(struct message *m, const char *name, const char *value)
{
    put(m, name, value, true);
}

bool message_equal(const struct message *a, const struct message *b)
{
    bool same = str_equal(a->id, b->id) && a->argument_count == b->argument_count;
    for (size_t i = 0; same && i < a->argument_count; i++)
        same = str_equal(a->arguments[i].name, b->arguments[i].name) &&
               str_equal(a->arguments[i].value, b->arguments[i].value);
    return same;
}

char *message_text(struct arena *arena, const struct message *m)
{
    CLEANUP_STR struct str out = {0};
    for (const char *p = m->id ? m->id : ""; *p;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        const char *value = NULL;
        for (size_t i = 0; end && i < m->argument_count; i++) {
            size_t length = (size_t)(end - p - 1);
            if (strlen(m->arguments[i].name) == length &&
                memcmp(m->arguments[i].name, p + 1, length) == 0)
                value = m->arguments[i].value;
        }
        if (value) {
            str_add(&out, value);
            p = end + 1;
        } else {
            str_add_char(&out, *p++);
        }
    }
    return arena_strdup(arena, str_text(&out));
}

struct findings *findings_new(void)
{
    struct findings *f = mem_alloc(sizeof *f);
    f->arena = arena_new();
    return f;
}

/* What of it does not lie in the arena. */
static void free_lists(struct finding *item)
{
    VEC_FREE(&item->steps);
    VEC_FREE(&item->notes);
    VEC_FREE(&item->evidence);
    VEC_FREE(&item->references);
    VEC_FREE(&item->cves);
    VEC_FREE(&item->patches);
}

void findings_drop(struct findings *f, findings_test *is_dropped, void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->list.count; i++) {
        struct finding *item = f->list.items[i];
        if (is_dropped(context, item))
            free_lists(item);
        else
            f->list.items[kept++] = item;
    }
    f->list.count = kept;
}

void findings_free(struct findings *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->list.count; i++)
        free_lists(f->list.items[i]);
    VEC_FREE(&f->list);
    arena_free(f->arena);
    free(f);
}

void findings_cleanup(struct findings **f)
{
    findings_free(*f);
}

struct finding *findings_add(struct findings *f)
{
    struct finding *item = arena_alloc(f->arena, sizeof *item);
    item->first_seen = item->last_seen = item->fixed_at = DATE_NONE;
    item->confidence = CONFIDENCE_HIGH;
    VEC_PUSH(&f->list, item);
    return item;
}

bool finding_is_open(const struct finding *f)
{
    return f->verdict == VERDICT_AFFECTED || f->verdict == VERDICT_BROKEN;
}

/* What attackers left behind: somebody has been in. */
static bool is_intrusion(const struct finding *f)
{
    static const char *const kinds[] = {"leaving", "yara-hit", "clamav-hit", "running"};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (f->severity == SEVERITY_CRITICAL && str_equal(f->subject_kind, kinds[i]))
            return true;
    return false;
}

enum finding_group finding_group(const struct finding *f)
{
    if (!finding_is_open(f))
        return f->verdict == VERDICT_UNKNOWN ? GROUP_UNKNOWN : GROUP_SETTLED;
    if (is_intrusion(f))
        return GROUP_INTRUSION;
    if (f->unreachable)
        return GROUP_UNREACHABLE;
    if (f->exploited)
        return f->reachable ? GROUP_EXPLOITED_OPEN : GROUP_EXPLOITED;
    return f->reachable ? GROUP_REACHABLE : GROUP_OTHER;
}

static int compare(const void *x, const void *y)
{
    const struct finding *a = *(struct finding *const *)x, *b = *(struct finding *const *)y;
    if (finding_group(a) != finding_group(b))
        return (int)finding_group(a) - (int)finding_group(b);
    if (!finding_is_open(a) && a->verdict != b->verdict)
        return (int)a->verdict - (int)b->verdict;
    if (a->severity != b->severity)
        return (int)b->severity - (int)a->severity;
    return strcmp(a->id ? a->id : "", b->id ? b->id : "");
}

void findings_sort(struct findings *f)
{
    if (f->list.count)
        qsort(f->list.items, f->list.count, sizeof *f->list.items, compare);
}

void finding_make_id(char out[17], const char *target, const char *rule, const char *subject)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    const char *parts[] = {target, rule, subject};
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) /* with the NUL: "a","bc" is not "ab","c" */
        crypto_hash_sha256_update(&state, (const unsigned char *)parts[i], strlen(parts[i]) + 1);
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(out, 17, digest, 8);
}

static json_t *date_json(int64_t when)
{
    char text[32];
    if (when == DATE_NONE)
        return json_null();
    date_format(when, text);
    return json_string(text);
}

static void put_message(json_t *object, const char *key, struct arena *arena,
                        const struct message *m)
{
    json_put_string(object, key, m->id ? message_text(arena, m) : "");
}

json_t *finding_to_json(const struct finding *f, const char *target)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    json_t *o = json_object(), *rule = json_object(), *subject = json_object();
    json_put_string(o, "type", "finding");
    json_put_string(o, "id", f->id);
    json_put_string(o, "target", target);
    json_put_string(rule, "id", f->rule_id);
    json_put_string(rule, "title", f->rule_title ? f->rule_title : "");
    json_put_string(rule, "source", f->rule_source ? f->rule_source : "");
    if (f->checklist)
        json_put_string(rule, "checklist", f->checklist);
    if (f->revision)
        json_put_string(rule, "revision", f->revision);
    if (f->contact)
        json_put_string(rule, "contact", f->contact);
    json_object_set_new(o, "rule", rule);
    json_put_string(o, "severity", severity_name(f->severity));
    json_put_string(subject, "kind", f->subject_kind ? f->subject_kind : "host");
    json_put_string(subject, "name", f->subject_name ? f->subject_name : "");
    json_object_set_new(o, "subject", subject);
    json_put_string(o, "verdict", verdict_name(f->verdict));
    json_put_string(o, "confidence", confidence_name(f->confidence));
    put_message(o, "summary", arena, &f->summary);
    put_message(o, "why", arena, &f->why);
    json_t *remedy = json_object(), *steps = json_array(), *notes = json_array();
    put_message(remedy, "summary", arena, &f->remedy);
    for (size_t i = 0; i < f->steps.count; i++)
        json_array_append_new(steps, json_from_text(message_text(arena, &f->steps.items[i])));
    json_object_set_new(remedy, "steps", steps);
    json_object_set_new(o, "remedy", remedy);
    for (size_t i = 0; i < f->notes.count; i++)
        json_array_append_new(notes, json_from_text(message_text(arena, &f->notes.items[i])));
    json_object_set_new(o, "notes", notes);
    json_t *evidence = json_array(), *refs = json_array(), *cves = json_array();
    for (size_t i = 0; i < f->evidence.count; i++) {
        json_t *item = json_object();
        json_put_string(item, "path", f->evidence.items[i].path);
        if (f->evidence.items[i].line)
            json_put_int(item, "line", (int64_t)f->evidence.items[i].line);
        else if (f->evidence.items[i].offset >= 0)
            json_put_int(item, "offset", f->evidence.items[i].offset);
        json_put_string(item, "fact", f->evidence.items[i].fact);
        json_array_append_new(evidence, item);
    }
    json_object_set_new(o, "evidence", evidence);
    for (size_t i = 0; i < f->references.count; i++) {
        json_t *item = json_object();
        json_put_string(item, "title", f->references.items[i].title);
        json_put_string(item, "url", f->references.items[i].url);
        json_array_append_new(refs, item);
    }
    json_object_set_new(o, "refs", refs);
    for (size_t i = 0; i < f->cves.count; i++)
        json_array_append_new(cves, json_from_text(f->cves.items[i]));
    json_object_set_new(o, "cves", cves);
    if (f->patches.count) {
        json_t *patches = json_array();
        for (size_t i = 0; i < f->patches.count; i++)
            json_array_append_new(patches, json_from_text(f->patches.items[i]));
        json_object_set_new(o, "patches", patches);
    }
    json_put_bool(o, "exploited", f->exploited);
    json_put_bool(o, "reachable_without_login", f->reachable);
    json_put_bool(o, "unreachable", f->unreachable);
    json_put_bool(o, "repeated", f->repeated);
    if (f->port)
        json_put_string(o, "port", f->port);
    json_object_set_new(o, "first_seen", date_json(f->first_seen));
    json_object_set_new(o, "last_seen", date_json(f->last_seen));
    json_object_set_new(o, "fixed_at", date_json(f->fixed_at));
    json_put_bool(o, "revised", f->revised);
    return o;
}

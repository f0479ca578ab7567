#include "respond/runbook.h"

#include "base/file.h"
#include "base/language.h"
#include "base/str.h"
#include "base/where.h"
#include "respond/actions.h"
#include "respond/checks.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

struct reading {
    const struct runbook *book; /* as far as it is read */
    const char *path;
    struct error *e;
};

static bool wrong(const struct reading *r, const struct yaml_node *at, const char *text)
{
    yaml_error(r->e, at, r->path, "%s", text);
    return false;
}

const char *runbook_text(const struct runbook_text *text)
{
    const char *wished = language_is_japanese() ? text->ja : text->en;
    const char *other = text->en ? text->en : text->ja;
    return wished ? wished : other ? other : "";
}

const char *runbook_argument(const struct runbook_call *call, const char *key,
                             const char *otherwise)
{
    const char *text = call->arguments ? yaml_get_text(call->arguments, key) : NULL;
    return text ? text : otherwise;
}

static bool read_text(const struct reading *r, const struct yaml_node *node,
                      struct runbook_text *out)
{
    if (node->kind == YAML_SCALAR && node->text[0]) {
        out->en = node->text;
        return true;
    }
    for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++) {
        const char *language = node->keys[i]->text;
        bool japanese = str_equal(language, "ja");
        if ((!japanese && !str_equal(language, "en")) || node->items[i]->kind != YAML_SCALAR)
            return wrong(r, node->keys[i], _("a text has the keys en and ja"));
        if (!node->items[i]->text[0])
            return wrong(r, node->items[i], _("this text is empty"));
        *(japanese ? &out->ja : &out->en) = node->items[i]->text;
    }
    return out->en || out->ja || wrong(r, node, _("this wants a text: {en: ..., ja: ...}"));
}

static bool is_word_of(const char *words, const char *word)
{
    size_t length = strlen(word), n;
    for (const char *at = words; *at; at += n + (at[n] == ' ')) {
        n = strcspn(at, " ");
        if (n == length && strncmp(at, word, n) == 0)
            return true;
    }
    return false;
}

static bool read_argument(const struct reading *r, const struct runbook_takes *takes,
                          const struct yaml_node *value)
{
    if (value->kind != YAML_SCALAR || !value->text[0])
        yaml_error(r->e, value, r->path, _("\"%s\" wants a text"), takes->name);
    else if (takes->words && !is_word_of(takes->words, value->text))
        yaml_error(r->e, value, r->path, _("\"%s\" is one of: %s"), takes->name, takes->words);
    else if (takes->earlier_step && !runbook_find(r->book, value->text))
        yaml_error(r->e, value, r->path, _("there is no step \"%.64s\" before this one"),
                   value->text);
    else
        return true;
    return false;
}

/* What nobody reads would be believed to hold: a hole of less than the severity that was meant. */
static bool read_arguments(const struct reading *r, const struct yaml_node *node, const char *kind,
                           const char *name, const struct runbook_takes *takes)
{
    static const struct runbook_takes nothing[] = {{.name = NULL}};
    const struct runbook_takes *t;
    takes = takes ? takes : nothing;
    for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++) {
        const char *key = node->keys[i]->text;
        if (str_equal(key, kind))
            continue;
        for (t = takes; t->name && !str_equal(t->name, key);)
            t++;
        if (!t->name) {
            yaml_error(r->e, node->keys[i], r->path, _("\"%s\" takes no \"%.64s\""), name, key);
            return false;
        }
        if (!read_argument(r, t, node->items[i]))
            return false;
    }
    for (t = takes; t->name; t++)
        if (t->earlier_step && (node->kind != YAML_MAP || !yaml_get(node, t->name))) {
            yaml_error(r->e, node, r->path, _("\"%s\" wants \"%s\" beside it"), name, t->name);
            return false;
        }
    return true;
}

static bool read_call(const struct reading *r, const struct yaml_node *node, const char *kind,
                      struct runbook_call *out)
{
    bool is_check = str_equal(kind, "check");
    const char *name = node->kind == YAML_SCALAR ? node->text
                       : node->kind == YAML_MAP  ? yaml_get_text(node, kind)
                                                 : NULL;
    if (!name || !*name)
        return wrong(r, node,
                     is_check ? _("a check is its name, or {check: NAME, ...}")
                              : _("an action is its name, or {action: NAME, ...}"));
    const struct respond_check *check = is_check ? respond_check_find(name) : NULL;
    const struct respond_action *action = is_check ? NULL : respond_action_find(name);
    if (!check && !action) {
        yaml_error(r->e, node, r->path,
                   is_check ? _("there is no check \"%.64s\"") : _("there is no action \"%.64s\""),
                   name);
        return false;
    }
    if (!read_arguments(r, node, kind, name, check ? check->takes : action->takes))
        return false;
    *out = (struct runbook_call){name, node->kind == YAML_MAP ? node : NULL};
    return true;
}

static bool read_checks(const struct reading *r, const struct yaml_node *list, void *to)
{
    VEC(struct runbook_call) *calls = to;
    if (list->kind != YAML_SEQUENCE)
        return wrong(r, list, _("checks are a list"));
    for (size_t i = 0; i < list->count; i++) {
        struct runbook_call call;
        if (!read_call(r, list->items[i], "check", &call))
            return false;
        VEC_PUSH(calls, call);
    }
    return true;
}

static bool read_texts(const struct reading *r, const struct yaml_node *list, void *to)
{
    VEC(struct runbook_text) *texts = to;
    if (list->kind != YAML_SEQUENCE)
        return wrong(r, list, _("this wants a list of texts"));
    for (size_t i = 0; i < list->count; i++) {
        struct runbook_text text = {0};
        if (!read_text(r, list->items[i], &text))
            return false;
        VEC_PUSH(texts, text);
    }
    return true;
}

static bool read_undo(const struct reading *r, const struct yaml_node *node,
                      struct runbook_step *out)
{
    if (node->kind == YAML_MAP && yaml_get(node, "action"))
        return read_call(r, node, "action", &out->undo);
    return read_text(r, node, &out->no_undo);
}

static bool read_key(const struct reading *r, const struct yaml_node *key,
                     const struct yaml_node *value, struct runbook_step *out)
{
    if (str_equal(key->text, "id")) {
        out->id = value->kind == YAML_SCALAR ? value->text : "";
        size_t length = strlen(out->id);
        return (length && length < 32 &&
                strspn(out->id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
                strcspn(out->id, "0123456789") > 0) ||
               wrong(r, value, _("the id of a step is a word of small letters, digits and -"));
    }
    if (str_equal(key->text, "title"))
        return read_text(r, value, &out->title);
    if (str_equal(key->text, "text"))
        return read_text(r, value, &out->text);
    if (str_equal(key->text, "why"))
        return read_text(r, value, &out->why);
    if (str_equal(key->text, "told"))
        return read_text(r, value, &out->told);
    if (str_equal(key->text, "person"))
        return read_texts(r, value, &out->person);
    if (str_equal(key->text, "evidence"))
        return read_texts(r, value, &out->evidence);
    if (str_equal(key->text, "before"))
        return read_checks(r, value, &out->before);
    if (str_equal(key->text, "verify"))
        return read_checks(r, value, &out->verify);
    if (str_equal(key->text, "action"))
        return read_call(r, value, "action", &out->action);
    if (str_equal(key->text, "undo"))
        return read_undo(r, value, out);
    if (str_equal(key->text, "offline")) {
        out->offline = value->kind == YAML_SCALAR && str_equal(value->text, "yes");
        return out->offline || (value->kind == YAML_SCALAR && str_equal(value->text, "no")) ||
               wrong(r, value, _("this wants yes or no"));
    }
    yaml_error(r->e, key, r->path, _("a step has no key \"%.64s\""), key->text);
    return false;
}

static bool read_step(const struct reading *r, const struct yaml_node *node,
                      struct runbook_step *out)
{
    static const char *const needed[] = {"id", "title", "text", "why", "verify", "undo"};
    if (node->kind != YAML_MAP)
        return wrong(r, node, _("a step is a map"));
    for (size_t i = 0; i < node->count; i++)
        if (!read_key(r, node->keys[i], node->items[i], out))
            return false;
    for (size_t i = 0; i < ARRAY_COUNT(needed); i++)
        if (!yaml_get(node, needed[i])) {
            yaml_error(r->e, node, r->path, _("this step has no \"%s\""), needed[i]);
            return false;
        }
    if (!out->verify.count)
        return wrong(r, node, _("nothing verifies this step: name at least one check"));
    const struct respond_action *action =
        out->action.name ? respond_action_find(out->action.name) : NULL;
    if (!out->offline || !action || action->offline)
        return true;
    yaml_error(r->e, yaml_get(node, "offline"), r->path,
               _("\"%s\" changes the host, and cannot be done offline"), action->name);
    return false;
}

static bool read_steps(const struct reading *r, const struct yaml_node *list, struct runbook *b)
{
    if (list->kind != YAML_SEQUENCE || !list->count || list->count > RUNBOOK_STEPS)
        return wrong(r, list, _("a runbook has between 1 and 64 steps"));
    for (size_t i = 0; i < list->count; i++) {
        struct runbook_step step = {0};
        bool good = read_step(r, list->items[i], &step);
        bool twice = good && runbook_find(b, step.id);
        VEC_PUSH(&b->steps, step);
        if (twice)
            return wrong(r, list->items[i], _("there are two steps with this id"));
        if (!good)
            return false;
    }
    return true;
}

static bool read_top(const struct reading *r, const struct yaml_node *top, struct runbook *b)
{
    if (top->kind != YAML_MAP)
        return wrong(r, top, _("a runbook is one map"));
    for (size_t i = 0; i < top->count; i++) {
        const struct yaml_node *key = top->keys[i], *value = top->items[i];
        bool good;
        if (str_equal(key->text, "id")) {
            b->id = value->kind == YAML_SCALAR && value->text[0] ? value->text : NULL;
            good = b->id != NULL || wrong(r, value, _("this wants a word"));
        } else if (str_equal(key->text, "title"))
            good = read_text(r, value, &b->title);
        else if (str_equal(key->text, "steps"))
            good = read_steps(r, value, b);
        else {
            yaml_error(r->e, key, r->path, _("a runbook has no key \"%.64s\""), key->text);
            good = false;
        }
        if (!good)
            return false;
    }
    return (b->id && b->steps.count && (b->title.en || b->title.ja)) ||
           wrong(r, top, _("a runbook has id, title and steps"));
}

static bool find_file(const char *name, char path[4096], struct error *e)
{
    char file[96];
    if (strchr(name, '/')) {
        snprintf(path, 4096, "%.4000s", name);
        return true;
    }
    snprintf(file, sizeof file, "runbooks/%.64s.yaml", name);
    if (where_is(WHERE_DATA, file, path, 4096))
        return true;
    error_set(e, ERR_ABSENT, "there is no runbook \"%.64s\"", name);
    return false;
}

bool runbook_read(struct runbook **out, const char *text, size_t size, const char *path,
                  struct arena *arena, struct error *e)
{
    size_t count;
    struct yaml_node **documents;
    if (!yaml_parse(&documents, &count, arena, text, size, path, e))
        return false;
    CLEANUP(runbook_cleanup) struct runbook *b = mem_alloc(sizeof *b);
    struct reading r = {b, arena_strdup(arena, path), e};
    b->path = r.path;
    b->text = arena_strndup(arena, text, size);
    b->size = size;
    SHA256((const unsigned char *)text, size, b->sha256);
    if (count != 1) {
        error_set(e, ERR_FORMAT, "a runbook is one map");
        error_at(e, path, 1, 0);
        return false;
    }
    if (!read_top(&r, documents[0], b))
        return false;
    *out = b;
    b = NULL;
    return true;
}

bool runbook_load(struct runbook **out, const char *name, struct arena *arena, struct error *e)
{
    char path[4096];
    CLEANUP_FREE char *text = NULL;
    size_t size;
    return find_file(name, path, e) && file_read(&text, &size, path, RUNBOOK_BYTES, e) &&
           runbook_read(out, text, size, path, arena, e);
}

bool runbook_hash(uint8_t sha256[32], const char *name, struct error *e)
{
    char path[4096];
    CLEANUP_FREE char *text = NULL;
    size_t size;
    if (!find_file(name, path, e) || !file_read(&text, &size, path, RUNBOOK_BYTES, e))
        return false;
    SHA256((const unsigned char *)text, size, sha256);
    return true;
}

void runbook_free(struct runbook *b)
{
    for (size_t i = 0; b && i < b->steps.count; i++) {
        struct runbook_step *s = &b->steps.items[i];
        VEC_FREE(&s->person);
        VEC_FREE(&s->evidence);
        VEC_FREE(&s->before);
        VEC_FREE(&s->verify);
    }
    if (b)
        VEC_FREE(&b->steps);
    free(b);
}

void runbook_cleanup(struct runbook **b)
{
    runbook_free(*b);
}

const struct runbook_step *runbook_find(const struct runbook *b, const char *step)
{
    uint64_t number;
    if (str_to_u64(step, &number))
        return number < b->steps.count ? &b->steps.items[number] : NULL;
    for (size_t i = 0; i < b->steps.count; i++)
        if (str_equal(b->steps.items[i].id, step))
            return &b->steps.items[i];
    return NULL;
}

/* Step 6: what has to be changed, and whether it was. What the program itself can change is in
 * passwords.h. No secret is read into the ledger. */
#include "base/language.h"
#include "base/str.h"
#include "respond/actions.h"
#include "respond/checks.h"
#include "respond/cms_users.h"
#include "respond/passwords.h"

#include <stdlib.h>

/* The farthest reach first. */
static const char *const reaches[] = {"system-account", "database", "cms-user",
                                      "salt",           "api-key",  "tls-key",
                                      "deploy-key",     "ftp",      "registrar"};

static size_t rank_of(const struct fact *f)
{
    size_t i = 0;
    while (i < ARRAY_COUNT(reaches) && !str_equal(fact_text(f, "reach"), reaches[i]))
        i++;
    return i;
}

/* What could not be looked at may hold a secret. */
static const char *unread_id(struct response *r, const struct fact *f)
{
    return respond_id(r, "unread", *f->path ? f->path : fact_text(f, "what"));
}

/* Calls visit() with every secret, the farthest reach first, each kind in the order of the facts.
 */
static void each_secret(struct audit *a, void (*visit)(void *context, const struct fact *f),
                        void *context)
{
    for (size_t rank = 0; rank <= ARRAY_COUNT(reaches); rank++)
        for (const struct fact *f = facts_first(a->facts, "secret"); f;
             f = facts_next(a->facts, "secret", f))
            if (rank_of(f) == rank)
                visit(context, f);
}

struct listing {
    struct response *r;
    json_t *list, *marks;
    const uint8_t *key;
};

static void list_one(void *context, const struct fact *f)
{
    struct listing *l = context;
    const char *id = password_id(l->r, f), *before = password_mark_before(l->r, id, l->key);
    json_array_append_new(l->list, json_from_text(id));
    const char *now = password_mark(l->r, f, l->key), *mark = before ? before : now;
    if (mark)
        json_put_string(l->marks, id, mark);
    if (password_has_changed(before, now) || incident_signed(&l->r->incident, id))
        return;
    respond_say(l->r,
                arena_printf(l->r->arena, "%s  %s\n%s", id, language_text(fact_text(f, "what")),
                             password_todo(l->r, f, mark != NULL)));
    const char *users = cms_users_note(l->r, f);
    if (users)
        respond_say(l->r, users);
}

bool action_passwords(struct response *r, const struct runbook_call *call, json_t *result,
                      const char **waits, struct error *e)
{
    uint8_t key[ACCOUNT_KEY_BYTES];
    CLEANUP(audit_cleanup) struct audit *a = passwords_look(r, e);
    if (!a || !password_key(r, key, e))
        return false;
    struct listing l = {.r = r, .list = json_array(), .marks = json_object(), .key = key};
    json_t *unread = json_array();
    json_object_set_new(result, "to_change", l.list);
    json_object_set_new(result, "marks", l.marks);
    json_put_string(result, "marks_key", password_key_name(r, key));
    json_object_set_new(result, "unread", unread);
    each_secret(a, list_one, &l);
    for (const struct fact *f = facts_first(a->facts, "unread"); f;
         f = facts_next(a->facts, "unread", f)) {
        const char *id = unread_id(r, f);
        json_array_append_new(unread, json_from_text(id));
        if (!incident_signed(&r->incident, id))
            respond_say(r,
                        arena_printf(r->arena, "%s  %s: %s", id,
                                     language_text(fact_text(f, "what")), fact_text(f, "reason")));
    }
    return true;
}

static void plan_one(void *context, const struct fact *f)
{
    const struct listing *l = context;
    const char *text = arena_printf(l->r->arena, "%s  %s", password_id(l->r, f),
                                    language_text(fact_text(f, "what")));
    json_array_append_new(l->list, json_from_text(text));
}

bool action_passwords_plan(struct response *r, const struct runbook_call *call, json_t *result,
                           const char **waits, struct error *e)
{
    struct listing l = {.r = r, .list = json_array()};
    json_object_set_new(result, "to_change", l.list);
    CLEANUP(audit_cleanup) struct audit *a = passwords_look(r, e);
    if (!a)
        return false;
    each_secret(a, plan_one, &l);
    json_t *unread = json_array();
    json_object_set_new(result, "unread", unread);
    for (const struct fact *f = facts_first(a->facts, "unread"); f;
         f = facts_next(a->facts, "unread", f))
        json_array_append_new(unread,
                              json_from_text(arena_printf(r->arena, "%s: %s",
                                                          *f->path ? f->path : fact_text(f, "what"),
                                                          fact_text(f, "reason"))));
    return true;
}

enum { MOST_NAMED = 5 }; /* by the check: the step lists all */

struct counting {
    struct response *r;
    const uint8_t *key;
    struct str ids;
    size_t left;
};

static void count(struct counting *c, const char *id)
{
    if (c->left++ < MOST_NAMED)
        str_printf(&c->ids, "%s%s", c->ids.length ? ", " : "", id);
}

static void count_one(void *context, const struct fact *f)
{
    struct counting *c = context;
    const char *id = password_id(c->r, f);
    if (!incident_signed(&c->r->incident, id) &&
        !password_has_changed(password_mark_before(c->r, id, c->key),
                              password_mark(c->r, f, c->key)))
        count(c, id);
}

void check_passwords_changed(struct response *r, const struct runbook_call *call,
                             struct check_result *out)
{
    struct error e = ERROR_INIT;
    uint8_t key[ACCOUNT_KEY_BYTES];
    CLEANUP(audit_cleanup) struct audit *a = passwords_look(r, &e);
    if (!a || !password_key(r, key, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    struct counting c = {.r = r, .key = key};
    each_secret(a, count_one, &c);
    for (const struct fact *f = facts_first(a->facts, "unread"); f;
         f = facts_next(a->facts, "unread", f))
        if (!incident_signed(&r->incident, unread_id(r, f)))
            count(&c, unread_id(r, f));
    if (c.left > MOST_NAMED)
        str_add(&c.ids, ", ...");
    out->verdict = c.left ? CHECK_FALSE : CHECK_TRUE;
    out->text = c.left
                    ? arena_printf(r->arena,
                                   ngettext("%zu is neither changed nor signed for: %s",
                                            "%zu are neither changed nor signed for: %s", c.left),
                                   c.left, str_text(&c.ids))
                    : _("everything that the attacker may know has been changed or signed for");
    out->todo = c.left ? "yagura respond sign NAME ... --because \"...\"" : NULL;
    str_free(&c.ids);
}

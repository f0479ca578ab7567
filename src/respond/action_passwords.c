/* Step 6: what has to be changed, and whether it was.
 *
 * Of a local account a mark is kept (act/accounts.h: a digest of the hash under a key of this
 * incident's own), so that it can be seen to have changed; of what lies in a file, when the file
 * was changed last; for what lies elsewhere somebody signs. No secret is read into the ledger. */
#include "act/accounts.h"
#include "audit/audit.h"
#include "base/file.h"
#include "base/language.h"
#include "base/str.h"
#include "model/date.h"
#include "respond/actions.h"
#include "respond/checks.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static const char key_name[] = "password-marks.key";

static bool open_key(struct response *r, uint8_t key[ACCOUNT_KEY_BYTES], struct error *e)
{
    CLEANUP_CLOSE int folder = respond_evidence(r, e);
    CLEANUP_FREE char *bytes = NULL;
    size_t size;
    if (folder < 0)
        return false;
    CLEANUP_CLOSE int fd = file_open_beneath(folder, key_name, NULL, NULL);
    if (fd >= 0 && file_read_fd(&bytes, &size, fd, ACCOUNT_KEY_BYTES, NULL) &&
        size == ACCOUNT_KEY_BYTES) {
        memcpy(key, bytes, ACCOUNT_KEY_BYTES);
        return true;
    }
    account_key(key);
    return file_replace(folder, key_name, key, ACCOUNT_KEY_BYTES, 0600, e);
}

static struct audit *look(struct response *r, struct error *e)
{
    struct audit *a = NULL;
    struct audit_request request = {.kind = respond_target_kind(r),
                                    .argument = respond_is_live(r) ? NULL : r->incident.target,
                                    .as_of = DATE_NONE,
                                    .about = ABOUT_SECRETS};
    return audit_collect(&a, &request, e) ? a : NULL;
}

/* "database:wordpress", by which it is signed for. */
static const char *id_of(struct response *r, const struct fact *f)
{
    return arena_printf(r->arena, "%s:%s", fact_text(f, "reach"), fact_text(f, "name"));
}

/* What was noted of it when the list was first made, or NULL. */
static const char *mark_before(struct response *r, const char *id)
{
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const json_t *marks = r->incident.steps[i].result
                                  ? json_get_object(r->incident.steps[i].result, "marks")
                                  : NULL;
        if (marks)
            return json_get_string(marks, id);
    }
    return NULL;
}

static const char *mark_now(struct response *r, const struct fact *f, const uint8_t *key)
{
    struct account_state is;
    char mark[2 * ACCOUNT_MARK_BYTES + 1];
    if (!account_look(&is, respond_is_live(r) ? "" : r->incident.target, fact_text(f, "name"), key,
                      NULL))
        return NULL;
    sodium_bin2hex(mark, sizeof mark, is.mark, sizeof is.mark);
    return arena_strdup(r->arena, is.locked ? "locked" : mark);
}

static bool is_account(const struct fact *f)
{
    return str_equal(fact_text(f, "reach"), "system-account");
}

/* Changed since the incident began. */
static bool is_changed(struct response *r, const struct fact *f, const uint8_t *key)
{
    if (is_account(f)) {
        const char *before = mark_before(r, id_of(r, f)), *now = mark_now(r, f, key);
        return before && now && (str_equal(now, "locked") || !str_equal(before, now));
    }
    int64_t changed;
    const char *mtime = fact_text(f, "mtime");
    return mtime && date_parse(mtime, &changed) && changed >= r->incident.opened;
}

bool action_passwords(struct response *r, const struct runbook_call *call, json_t *result,
                      const char **waits, struct error *e)
{
    uint8_t key[ACCOUNT_KEY_BYTES];
    CLEANUP(audit_cleanup) struct audit *a = look(r, e);
    if (!a || !open_key(r, key, e))
        return false;
    json_t *marks = json_object(), *list = json_array();
    for (const struct fact *f = facts_first(a->facts, "secret"); f;
         f = facts_next(a->facts, "secret", f)) {
        const char *id = id_of(r, f), *before = mark_before(r, id);
        json_array_append_new(list, json_from_text(id));
        const char *mark = before ? before : is_account(f) ? mark_now(r, f, key) : NULL;
        if (mark)
            json_put_string(marks, id, mark);
        if (!is_changed(r, f, key) && !incident_signed(&r->incident, id))
            respond_say(r,
                        arena_printf(r->arena, "%s  %s", id, language_text(fact_text(f, "what"))));
    }
    json_object_set_new(result, "to_change", list);
    json_object_set_new(result, "marks", marks);
    return true;
}

void check_passwords_changed(struct response *r, const struct runbook_call *call,
                             struct check_result *out)
{
    struct error e = ERROR_INIT;
    uint8_t key[ACCOUNT_KEY_BYTES];
    CLEANUP(audit_cleanup) struct audit *a = look(r, &e);
    if (!a || !open_key(r, key, &e)) {
        out->text = arena_strdup(r->arena, e.message);
        return;
    }
    size_t left = 0;
    CLEANUP_STR struct str ids = {0};
    for (const struct fact *f = facts_first(a->facts, "secret"); f;
         f = facts_next(a->facts, "secret", f)) {
        const char *id = id_of(r, f);
        if (is_changed(r, f, key) || incident_signed(&r->incident, id))
            continue;
        if (left++ < 5)
            str_printf(&ids, "%s%s", ids.length ? ", " : "", id);
    }
    out->verdict = left ? CHECK_FALSE : CHECK_TRUE;
    out->text = left ? arena_printf(r->arena,
                                    ngettext("%zu is neither changed nor signed for: %s",
                                             "%zu are neither changed nor signed for: %s", left),
                                    left, str_text(&ids))
                     : _("everything that the attacker may know has been changed or signed for");
    out->todo = left ? "yagura respond sign NAME --because \"...\"" : NULL;
}

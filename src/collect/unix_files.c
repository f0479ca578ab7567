/* Wanted files of a Unix system: file:/..., file-mode:/... and file-owner:/... (docs/facts.md).
 * Links are followed within the target; the values go into the host fact. */
#include "base/str.h"
#include "collect/collect.h"

#include <stdio.h>

enum { MOST_VALUE = 48 };

static void as_present(char *out, const struct target_stat *st)
{
    snprintf(out, MOST_VALUE, "present");
}

static void as_mode(char *out, const struct target_stat *st)
{
    snprintf(out, MOST_VALUE, "%04o", st->mode & 07777u);
}

static void as_owner(char *out, const struct target_stat *st)
{
    snprintf(out, MOST_VALUE, "%u:%u", st->uid, st->gid);
}

static const struct {
    const char *prefix;
    bool needs_owner;
    void (*show)(char *out, const struct target_stat *st);
} forms[] = {
    {"file:/", false, as_present},
    {"file-mode:/", true, as_mode},
    {"file-owner:/", true, as_owner},
};

void collect_unix_files(struct collection *c)
{
    struct fact *host = collect_host(c);
    if (!host)
        return;
    for (size_t form = 0; form < ARRAY_COUNT(forms); form++) {
        size_t first, count;
        wants_with_prefix(c->wants, forms[form].prefix, &first, &count);
        for (size_t i = first; i < first + count; i++) {
            const char *key = c->wants->items[i];
            const char *path = key + strlen(forms[form].prefix) - 1;
            struct target_stat st;
            struct error e = ERROR_INIT;
            char value[MOST_VALUE];
            if (!target_stat(c->target, path, true, &st, &e)) {
                fact_put_state(c->facts, host, key,
                               e.code == ERR_ABSENT ? VALUE_ABSENT : VALUE_UNREADABLE, e.message);
            } else if (forms[form].needs_owner && !st.has_owner) {
                fact_put_state(c->facts, host, key, VALUE_UNREADABLE,
                               _("this file system has no owners and modes"));
            } else {
                forms[form].show(value, &st);
                fact_put(c->facts, host, key, value);
            }
        }
    }
}

#include "collect/persistence.h"

#include "base/str.h"
#include "collect/conf_lines.h"
#include "model/date.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_LINE = 64 << 10, MOST_HOMES = 5000, MOST_TARGET = 4096, SECONDS_A_DAY = 86400 };

struct persist persist_begin(struct collection *c)
{
    return (struct persist){.c = c, .origins = origins_acquire(c)};
}

void persist_end(struct persist *p)
{
    VEC_FREE(&p->homes);
    free(p->text);
    origins_release(p->c, p->origins);
}

void persist_put_times(struct collection *c, struct fact *f, const struct target_stat *st)
{
    char when[32];
    date_format(st->mtime, when);
    fact_put(c->facts, f, "modified", when);
    date_format(st->ctime, when);
    fact_put(c->facts, f, "changed", when);
    /* A clock that was turned back makes nothing old. */
    int64_t newest = st->mtime > st->ctime && st->mtime <= c->now ? st->mtime : st->ctime;
    fact_put_number(c->facts, f, "age_days",
                    newest > c->now ? 0 : (c->now - newest) / SECONDS_A_DAY);
    if (st->has_owner)
        fact_put(c->facts, f, "owner", arena_printf(c->arena, "%u:%u", st->uid, st->gid));
}

static struct fact *begin(struct persist *p, const char *type, const char *path, uint64_t line)
{
    struct fact *f = facts_add(p->c->facts, "persistence", path, line, -1, CONFIDENCE_HIGH);
    fact_put(p->c->facts, f, "way", type);
    fact_put(p->c->facts, f, "path", path);
    return f;
}

struct fact *persist_add(struct persist *p, const char *type, const char *path, uint64_t line,
                         const struct origin *origin)
{
    struct fact *f = begin(p, type, path, line);
    struct target_stat st;
    origin_put(p->c, f, origin);
    if (target_stat(p->c->target, path, true, &st, NULL))
        persist_put_times(p->c, f, &st);
    return f;
}

void persist_add_unread(struct persist *p, const char *type, const char *path, const char *reason)
{
    struct fact *f = begin(p, type, path, 0);
    fact_put_state(p->c->facts, f, "origin", VALUE_UNREADABLE, reason);
    fact_put_state(p->c->facts, f, "runs", VALUE_UNREADABLE, reason);
    facts_unread(p->c->facts, N_("what starts by itself"), path, reason);
}

/* Is it a link whose last part is surely not there? Nothing runs through it. */
static bool leads_nowhere(struct persist *p, const char *path)
{
    char to[MOST_TARGET];
    struct target_stat st;
    struct error e = ERROR_INIT;
    if (!target_readlink(p->c->target, path, to, sizeof to, NULL))
        return false;
    const char *slash = strrchr(path, '/');
    const char *full = *to == '/' ? to
                                  : arena_printf(p->c->arena, "%.*s/%s",
                                                 slash ? (int)(slash - path) : 0, path, to);
    return !target_stat(p->c->target, full, false, &st, &e) && e.code == ERR_ABSENT;
}

bool persist_there(struct persist *p, const char *type, const char *path, struct target_stat *st)
{
    struct error e = ERROR_INIT;
    if (target_stat(p->c->target, path, true, st, &e)) {
        char to[MOST_TARGET];
        if (st->type == TARGET_FILE)
            return true;
        bool masked =
            target_readlink(p->c->target, path, to, sizeof to, NULL) && str_equal(to, "/dev/null");
        if (st->type == TARGET_OTHER && !masked)
            persist_add_unread(p, type, path, _("it is neither a file nor a folder"));
        return false;
    }
    if (e.code != ERR_ABSENT && !leads_nowhere(p, path))
        persist_add_unread(p, type, path, e.message);
    return false;
}

char *persist_text(struct persist *p, const char *type, const char *path, size_t *size)
{
    struct error e = ERROR_INIT;
    free(p->text);
    p->text = NULL;
    if (target_read(p->c->target, path, PERSIST_MOST_TEXT, &p->text, size, &e))
        return p->text;
    if (e.code != ERR_ABSENT && !leads_nowhere(p, path))
        persist_add_unread(p, type, path, e.message);
    return NULL;
}

size_t persist_list(struct persist *p, const char *type, const char *path,
                    struct target_entry **out)
{
    size_t count;
    struct error e = ERROR_INIT;
    if (target_list(p->c->target, path, p->c->arena, out, &count, &e))
        return count;
    if (e.code != ERR_ABSENT && !leads_nowhere(p, path))
        persist_add_unread(p, type, path, e.message);
    *out = NULL;
    return 0;
}

const char *persist_lines(struct persist *p, const char *text, size_t size, persist_takes *takes)
{
    CLEANUP_STR struct str out = {0};
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text, size, CONF_BACKSLASH, MOST_LINE);
    for (char *line; (line = conf_lines_next(&lines));) {
        line = str_trim(line);
        if (!*line || *line == '#' || (takes && !takes(line)))
            continue;
        if (out.length + strlen(line) > PERSIST_MOST_RUNS) {
            str_add(&out, "\n...");
            break;
        }
        str_printf(&out, "%s%s", out.length ? "\n" : "", line);
    }
    return arena_strdup(p->c->arena, str_text(&out));
}

void persist_modules(struct persist *p, const char *type, const char *folder)
{
    struct target_entry *entries;
    size_t count = persist_list(p, type, folder, &entries);
    for (size_t i = 0; i < count; i++) {
        struct target_stat st;
        const char *path = arena_printf(p->c->arena, "%s/%s", folder, entries[i].name);
        if (!str_ends(entries[i].name, ".so") || !persist_there(p, type, path, &st))
            continue;
        struct origin origin = origin_of(p->c, p->origins, path);
        if (origin.state == ORIGIN_PACKAGE)
            continue;
        struct fact *f = persist_add(p, type, path, 0, &origin);
        fact_put(p->c->facts, f, "runs", path);
    }
}

static bool is_known_home(const struct persist *p, const char *path)
{
    for (size_t i = 0; i < p->homes.count; i++)
        if (str_equal(p->homes.items[i].path, path))
            return true;
    return false;
}

void persist_homes(struct persist *p)
{
    size_t size = 0, position = 0, length;
    const char *line;
    if (p->homes_read)
        return;
    p->homes_read = true;
    const char *text =
        collect_text_of(p->c, N_("account"), "/etc/passwd", PERSIST_MOST_PASSWD, &size, NULL);
    while (text && p->homes.count < MOST_HOMES &&
           str_next_line(text, size, &position, &line, &length)) {
        char *rest = arena_strndup(p->c->arena, line, length);
        const char *field[6] = {""};
        size_t count = 0;
        while (count < ARRAY_COUNT(field) && rest)
            field[count++] = strsep(&rest, ":");
        struct persist_home home = {field[0], count == 6 ? field[5] : "", 0};
        if (*home.path != '/' || !str_to_u64(field[2], &home.uid) || is_known_home(p, home.path))
            continue;
        VEC_PUSH(&p->homes, home);
    }
}

bool persist_run_parts_name(const char *name)
{
    for (; *name; name++) {
        char c = str_lower(*name);
        if (!str_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
            return false;
    }
    return true;
}

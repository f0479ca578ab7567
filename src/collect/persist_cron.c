/* persist_cron.c - jobs of cron, anacron and at: crontab(5), cron(8), anacrontab(5), at(1).
 *
 * Each line of a crontab is a record of its own. */
#include "collect/persistence.h"

#include "base/str.h"
#include "collect/conf_lines.h"

/* MOST_SETTINGS: every job of a crontab is told with them. */
enum { MOST_LINE = 16 << 10, MOST_JOBS = 20000, MOST_SETTINGS = 1024 };

/* NAME=value: cron sets it for the jobs behind it. */
static bool is_setting(const char *line)
{
    size_t name = 0;
    while (line[name] == '_' || str_is_digit(line[name]) ||
           (str_lower(line[name]) >= 'a' && str_lower(line[name]) <= 'z'))
        name++;
    size_t space = strspn(line + name, " \t");
    return name && line[name + space] == '=';
}

/* Five fields of time, or one that begins with "@" (anacron: a period, a delay, a name). */
static bool split(char *line, unsigned fields, const char **when, char **rest)
{
    char *at = line;
    if (*at == '@')
        fields = fields == 3 ? 3 : 1;
    for (unsigned i = 0; i < fields; i++) {
        at += strcspn(at, " \t");
        if (!*at)
            return false;
        if (i + 1 == fields)
            *at++ = '\0';
        at += strspn(at, " \t");
    }
    *when = line;
    *rest = at;
    return *at != '\0';
}

static void add_job(struct persist *p, const char *path, uint64_t line, const struct origin *origin,
                    const char *when, const char *user, const char *runs)
{
    struct facts *facts = p->c->facts;
    struct fact *f = persist_add(p, "cron", path, line, origin);
    fact_put(facts, f, "when", when);
    if (user)
        fact_put(facts, f, "user", user);
    fact_put(facts, f, "runs", runs);
}

/* `user` is whose crontab it is; NULL where each line names one; "" for anacron: root. */
static void read_crontab(struct persist *p, const char *path, const char *user)
{
    struct target_stat st;
    size_t size, jobs = 0;
    if (!persist_there(p, "cron", path, &st))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    const char *text = origin.state == ORIGIN_PACKAGE ? NULL : persist_text(p, "cron", path, &size);
    if (!text)
        return;
    bool anacron = user && !*user;
    CLEANUP_STR struct str settings = {0};
    bool too_many = false;
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    for (char *line; jobs < MOST_JOBS && (line = conf_lines_next(&lines));) {
        const char *when;
        char *rest;
        line = str_trim(line);
        if (!*line || *line == '#')
            continue;
        if (is_setting(line)) {
            too_many |= settings.length + strlen(line) >= MOST_SETTINGS;
            if (!too_many)
                str_printf(&settings, "%s ", line);
            continue;
        }
        if (!split(line, anacron ? 3 : 5, &when, &rest))
            continue;
        char *who = user ? (char *)user : rest;
        if (!user) {
            rest += strcspn(rest, " \t");
            if (*rest)
                *rest++ = '\0';
            rest += strspn(rest, " \t");
        }
        /* A shell or a library that is set for all jobs is part of what runs. */
        const char *set = str_text(&settings);
        bool sets = strstr(set, "SHELL") || strstr(set, "LD_") || strstr(set, "PATH");
        add_job(p, path, lines.line, &origin, when, anacron ? "root" : who,
                sets ? arena_printf(p->c->arena, "%s%s", set, rest) : rest);
        jobs++;
    }
    conf_lines_state(&lines, p->c->facts, N_("what starts by itself"), path);
    if (jobs == MOST_JOBS)
        persist_add_unread(p, "cron", path, _("more jobs than are looked at"));
    if (too_many)
        persist_add_unread(p, "cron", path, _("more settings than are looked at"));
}

static void read_folder(struct persist *p, const char *folder)
{
    struct target_entry *entries;
    size_t count = persist_list(p, "cron", folder, &entries);
    for (size_t i = 0; i < count; i++)
        if (persist_run_parts_name(entries[i].name))
            read_crontab(p, arena_printf(p->c->arena, "%s/%s", folder, entries[i].name), NULL);
}

static void read_spool(struct persist *p, const char *folder)
{
    struct target_entry *entries;
    size_t count = persist_list(p, "cron", folder, &entries);
    for (size_t i = 0; i < count; i++) {
        struct target_stat st;
        const char *path = arena_printf(p->c->arena, "%s/%s", folder, entries[i].name);
        /* crontab(1) writes beside its file and renames */
        if (str_starts(entries[i].name, "tmp.") || !persist_there(p, "cron", path, &st))
            continue;
        read_crontab(p, path, entries[i].name);
    }
}

/* A script of /etc/cron.daily and the like. */
static void read_scripts(struct persist *p, const char *folder)
{
    struct target_entry *entries;
    size_t count = persist_list(p, "cron", folder, &entries), size;
    for (size_t i = 0; i < count; i++) {
        struct target_stat st;
        const char *path = arena_printf(p->c->arena, "%s/%s", folder, entries[i].name);
        if (!persist_run_parts_name(entries[i].name) || !persist_there(p, "cron", path, &st) ||
            (st.has_owner && !(st.mode & 0111)))
            continue;
        struct origin origin = origin_of(p->c, p->origins, path);
        const char *text =
            origin.state == ORIGIN_PACKAGE ? NULL : persist_text(p, "cron", path, &size);
        if (text)
            add_job(p, path, 0, &origin, strrchr(folder, '.') + 1, "root",
                    persist_lines(p, text, size, NULL));
    }
}

/* What at(1) puts before the commands: it restores the caller's surroundings. */
static bool is_of_the_job(const char *line)
{
    return !strstr(line, "; export ") && !str_starts(line, "umask ") &&
           !str_starts(line, "echo 'Execution directory inaccessible'") &&
           !str_starts(line, "exit 1") && !str_equal(line, "}");
}

static void read_at(struct persist *p, const char *folder)
{
    struct target_entry *entries;
    size_t count = persist_list(p, "at", folder, &entries), size;
    for (size_t i = 0; i < count; i++) {
        struct target_stat st;
        const char *path = arena_printf(p->c->arena, "%s/%s", folder, entries[i].name);
        if (entries[i].name[0] == '.' || !persist_there(p, "at", path, &st))
            continue;
        struct origin origin = origin_of(p->c, p->origins, path);
        const char *text = persist_text(p, "at", path, &size);
        if (!text)
            continue;
        struct fact *f = persist_add(p, "at", path, 0, &origin);
        fact_put(p->c->facts, f, "runs", persist_lines(p, text, size, is_of_the_job));
    }
}

void collect_persist_cron(struct collection *c)
{
    static const char *const scripts[] = {"/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
                                          "/etc/cron.monthly", "/etc/cron.yearly"};
    static const char *const jobs[] = {"/var/spool/cron/atjobs", "/var/spool/at"};
    struct persist p = persist_begin(c);
    read_crontab(&p, "/etc/crontab", NULL);
    read_crontab(&p, "/etc/anacrontab", "");
    read_folder(&p, "/etc/cron.d");
    read_spool(&p, "/var/spool/cron/crontabs");
    read_spool(&p, "/etc/crontabs");   /* Alpine */
    read_spool(&p, "/var/spool/cron"); /* elsewhere than on Debian: folders are passed over */
    for (size_t i = 0; i < ARRAY_COUNT(scripts); i++)
        read_scripts(&p, scripts[i]);
    for (size_t i = 0; i < ARRAY_COUNT(jobs); i++)
        read_at(&p, jobs[i]);
    persist_end(&p);
}

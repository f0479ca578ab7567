#include "collect/accounts.h"

#include "base/str.h"
#include "collect/utmp.h"
#include "model/date.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_TEXT = 16 << 20,
    MOST_ACCOUNTS = 20000,
    MOST_SESSIONS = 5000,
    MOST_SESSION_TEXT = 64 << 10,
    MOST_UTMP = 8 << 20,
    PASSWD_FIELDS = 7,
    SHADOW_FIELDS = 9,
    GROUP_FIELDS = 4,
    SECONDS_A_DAY = 86400
};

struct shadow_line {
    const char *name, *hash, *changed, *expires;
};

struct group_line {
    const char *name, *members;
    uint64_t gid;
};

struct reading {
    struct collection *c;
    VEC(struct shadow_line) shadow;
    VEC(struct group_line) groups;
    bool has_shadow;          /* the file was read */
    const char *shadow_error; /* "" = read, or not there */
    const char *before;       /* the text of /etc/passwd-, or NULL */
    size_t before_size;
    int64_t installed; /* about when the system was made; DATE_NONE */
};

/* Cuts a line at its colons; fields that are not there are "". */
static size_t cut(struct arena *arena, const char *line, size_t length, const char **fields,
                  size_t count)
{
    char *rest = arena_strndup(arena, line, length);
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const char *field = rest ? strsep(&rest, ":") : NULL;
        found += field != NULL;
        fields[i] = field ? field : "";
    }
    return found;
}

static void read_shadow(struct reading *r)
{
    size_t size = 0, position = 0, length;
    const char *line, *field[SHADOW_FIELDS];
    CLEANUP_FREE char *text = NULL;
    struct error e = ERROR_INIT;
    r->shadow_error = "";
    if (!target_read(r->c->target, "/etc/shadow", MOST_TEXT, &text, &size, &e)) {
        if (e.code != ERR_ABSENT) {
            r->shadow_error = arena_strdup(r->c->arena, e.message);
            facts_unread(r->c->facts, N_("account passwords"), "/etc/shadow", e.message);
        }
        return;
    }
    r->has_shadow = true;
    while (str_next_line(text, size, &position, &line, &length)) {
        cut(r->c->arena, line, length, field, ARRAY_COUNT(field));
        if (*field[0] && r->shadow.count < MOST_ACCOUNTS)
            VEC_PUSH(&r->shadow, ((struct shadow_line){field[0], field[1], field[2], field[7]}));
    }
}

static void read_groups(struct reading *r)
{
    size_t size = 0, position = 0, length;
    const char *line, *field[GROUP_FIELDS];
    const char *text =
        collect_text_of(r->c, N_("account groups"), "/etc/group", MOST_TEXT, &size, NULL);
    while (text && str_next_line(text, size, &position, &line, &length)) {
        struct group_line g;
        if (cut(r->c->arena, line, length, field, ARRAY_COUNT(field)) < 3 ||
            !str_to_u64(field[2], &g.gid) || r->groups.count >= MOST_ACCOUNTS)
            continue;
        g.name = field[0];
        g.members = field[3];
        VEC_PUSH(&r->groups, g);
    }
}

static const struct shadow_line *find_shadow(const struct reading *r, const char *name)
{
    for (size_t i = 0; i < r->shadow.count; i++)
        if (str_equal(r->shadow.items[i].name, name))
            return &r->shadow.items[i];
    return NULL;
}

/* --- accounts --- */

static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, name, length) == 0 && (p[length] == ',' || !p[length]))
            return true;
    return false;
}

static const char *groups_of(const struct reading *r, const char *name, uint64_t gid)
{
    CLEANUP_STR struct str out = {0};
    for (size_t i = 0; i < r->groups.count; i++)
        if (r->groups.items[i].gid == gid || is_listed(r->groups.items[i].members, name))
            str_printf(&out, "%s%s", out.length ? " " : "", r->groups.items[i].name);
    return arena_strdup(r->c->arena, str_text(&out));
}

/* Programs that let nobody in. An empty shell is /bin/sh (passwd(5)). */
static bool lets_in(const char *shell)
{
    static const char *const no[] = {"/nologin", "/false", "/true", "/sync", "/shutdown", "/halt"};
    for (size_t i = 0; i < ARRAY_COUNT(no); i++)
        if (str_ends(shell, no[i]))
            return false;
    return true;
}

/* In the other copy of passwd(5), which useradd(8) and vipw(8) leave behind. */
static bool was_before(const struct reading *r, const char *name)
{
    size_t position = 0, length, n = strlen(name);
    const char *line;
    while (str_next_line(r->before, r->before_size, &position, &line, &length))
        if (length > n && memcmp(line, name, n) == 0 && line[n] == ':')
            return true;
    return false;
}

static void put_password(struct reading *r, struct fact *f, const char *name, const char *in_passwd)
{
    struct facts *facts = r->c->facts;
    const struct shadow_line *s = find_shadow(r, name);
    const char *hash = str_equal(in_passwd, "x") && r->has_shadow ? (s ? s->hash : "*") : in_passwd;
    uint64_t day;
    if (str_equal(in_passwd, "x") && *r->shadow_error) {
        fact_put_state(facts, f, "password", VALUE_UNREADABLE, r->shadow_error);
        return;
    }
    fact_put(facts, f, "password",
             !*hash                 ? "empty"
             : *hash == '!'         ? "locked"
             : *hash == '*'         ? "none"
             : str_equal(hash, "x") ? "none"
                                    : "set");
    if (s && str_to_u64(s->changed, &day)) {
        char when[16];
        int64_t then = (int64_t)(day < INT32_MAX ? day : INT32_MAX) * SECONDS_A_DAY;
        date_format_day(then, when);
        fact_put(facts, f, "password_changed", when);
        fact_put_number(facts, f, "age_days",
                        then > r->c->now ? 0 : (r->c->now - then) / SECONDS_A_DAY);
        if (r->installed != DATE_NONE)
            fact_put_number(facts, f, "days_after_install",
                            then < r->installed ? 0 : (then - r->installed) / SECONDS_A_DAY);
    }
    if (s && str_to_u64(s->expires, &day))
        fact_put(facts, f, "expired", day < (uint64_t)(r->c->now / SECONDS_A_DAY) ? "yes" : "no");
}

static void add_account(struct reading *r, uint64_t number, const char *const field[PASSWD_FIELDS])
{
    struct facts *facts = r->c->facts;
    uint64_t uid = 0, gid = 0;
    if (!str_to_u64(field[2], &uid) || !str_to_u64(field[3], &gid)) {
        facts_unread(
            facts, N_("account"), "/etc/passwd",
            arena_printf(r->c->arena, _("line %llu is no account"), (unsigned long long)number));
        return;
    }
    struct fact *f = facts_add(facts, "account", "/etc/passwd", number, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "name", field[0]);
    fact_put_number(facts, f, "uid", (int64_t)uid);
    fact_put_number(facts, f, "gid", (int64_t)gid);
    fact_put(facts, f, "home", field[5]);
    fact_put(facts, f, "shell", field[6]);
    fact_put(facts, f, "login", lets_in(field[6]) ? "yes" : "no");
    fact_put(facts, f, "kind_of",
             uid == 0                     ? "root"
             : uid < 1000 || uid >= 65534 ? "system"
                                          : "person");
    fact_put(facts, f, "groups", groups_of(r, field[0], gid));
    if (r->before)
        fact_put(facts, f, "in_former_copy", was_before(r, field[0]) ? "yes" : "no");
    put_password(r, f, field[0], field[1]);
}

/* The oldest change of what hardly changes. */
static int64_t installed_about(struct target *t)
{
    static const char *const old[] = {"/lost+found", "/etc/machine-id", "/media", "/srv",
                                      "/mnt",        "/etc/hostname"};
    int64_t oldest = DATE_NONE;
    for (size_t i = 0; i < ARRAY_COUNT(old); i++) {
        struct target_stat st;
        if (target_stat(t, old[i], false, &st, NULL) && (oldest == DATE_NONE || st.ctime < oldest))
            oldest = st.ctime;
    }
    return oldest;
}

static void read_accounts(struct reading *r)
{
    size_t size = 0, position = 0, length, count = 0;
    const char *line, *field[PASSWD_FIELDS];
    bool lost = false;
    const char *text = collect_text_of(r->c, N_("account"), "/etc/passwd", MOST_TEXT, &size, &lost);
    if (!text && !lost)
        facts_unread(r->c->facts, N_("account"), "/etc/passwd", _("it is not there"));
    if (!text)
        return;
    read_shadow(r);
    read_groups(r);
    r->before = collect_text_of(r->c, N_("account copies"), "/etc/passwd-", MOST_TEXT,
                                &r->before_size, NULL);
    r->installed = installed_about(r->c->target);
    for (uint64_t number = 1; str_next_line(text, size, &position, &line, &length); number++) {
        if (!length || *line == '#')
            continue;
        if (*line == '+' || *line == '-') { /* compat: NIS (nsswitch.conf(5)) */
            struct fact *f =
                facts_add(r->c->facts, "name-service", "/etc/passwd", number, -1, CONFIDENCE_HIGH);
            fact_put(r->c->facts, f, "database", "passwd");
            fact_put(r->c->facts, f, "others", "compat");
            continue;
        }
        if (count++ == MOST_ACCOUNTS) {
            facts_unread(r->c->facts, N_("account"), "/etc/passwd",
                         _("more accounts than are looked at"));
            return;
        }
        cut(r->c->arena, line, length, field, ARRAY_COUNT(field));
        add_account(r, number, field);
    }
    struct fact *f = facts_add(r->c->facts, "complete", "/etc/passwd", 0, -1, CONFIDENCE_HIGH);
    fact_put(r->c->facts, f, "of", "account");
    fact_put_number(r->c->facts, f, "found", (int64_t)count);
}

/* --- who else is asked --- */

/* "passwd: files systemd [NOTFOUND=return] sss": services that are not of this host. */
static void read_name_service(struct collection *c)
{
    static const char *const own[] = {"files", "systemd", "compat", "db", "altfiles", "mymachines"};
    size_t size = 0, position = 0, length;
    const char *line;
    const char *text =
        collect_text_of(c, N_("name-service"), "/etc/nsswitch.conf", MOST_TEXT, &size, NULL);
    for (uint64_t number = 1; text && str_next_line(text, size, &position, &line, &length);
         number++) {
        char *row = str_trim(arena_strndup(c->arena, line, length));
        row[strcspn(row, "#")] = '\0';
        char *colon = strchr(row, ':'), *save = NULL;
        if (!colon)
            continue;
        *colon = '\0';
        bool asked = str_equal(str_trim(row), "passwd") || str_equal(row, "shadow") ||
                     str_equal(row, "group") || str_equal(row, "sudoers");
        if (!asked)
            continue;
        CLEANUP_STR struct str others = {0};
        for (char *word = strtok_r(colon + 1, " \t", &save); word;
             word = strtok_r(NULL, " \t", &save)) {
            bool ours = *word == '[' || word[strlen(word) - 1] == ']';
            for (size_t i = 0; i < ARRAY_COUNT(own); i++)
                ours |= str_equal(own[i], word);
            if (!ours)
                str_printf(&others, "%s%s", others.length ? " " : "", word);
        }
        struct fact *f =
            facts_add(c->facts, "name-service", "/etc/nsswitch.conf", number, -1, CONFIDENCE_HIGH);
        fact_put(c->facts, f, "database", row);
        fact_put(c->facts, f, "others", str_text(&others));
    }
}

enum account_source account_source_of(const struct facts *facts, const char *user,
                                      const char **service)
{
    const char *others = "";
    for (const struct fact *f = facts_first(facts, "name-service"); f;
         f = facts_next(facts, "name-service", f))
        if (str_equal(fact_text(f, "database"), "passwd") && *fact_text(f, "others"))
            others = fact_text(f, "others");
    if (service)
        *service = others;
    for (const struct fact *f = facts_first(facts, "account"); f;
         f = facts_next(facts, "account", f))
        if (str_equal(fact_text(f, "name"), user))
            return ACCOUNT_LOCAL;
    bool read = false, lost = false;
    for (const struct fact *f = facts_first(facts, "complete"); f;
         f = facts_next(facts, "complete", f))
        read |= str_equal(fact_text(f, "of"), "account");
    for (const struct fact *f = facts_first(facts, "unread"); f; f = facts_next(facts, "unread", f))
        lost |= str_equal(fact_text(f, "what"), "name-service");
    if (!read || (lost && !*others))
        return ACCOUNT_UNKNOWN;
    return *others ? ACCOUNT_DIRECTORY : ACCOUNT_NOBODY;
}

/* --- sessions --- */

static struct fact *add_session(struct collection *c, const char *path, const char *from,
                                const char *user, const char *tty, const char *host, int64_t since)
{
    char when[32];
    struct fact *f = facts_add(c->facts, "session", path, 0, -1, CONFIDENCE_HIGH);
    date_format(since, when);
    fact_put(c->facts, f, "from", from);
    fact_put(c->facts, f, "user", user);
    fact_put(c->facts, f, "tty", tty);
    fact_put(c->facts, f, "host", host);
    fact_put(c->facts, f, "since", when);
    return f;
}

struct utmp_file {
    struct collection *c;
    const char *path;
};

static void take_login(void *context, const struct utmp_entry *entry)
{
    const struct utmp_file *file = context;
    if (!str_equal(entry->type, "login") || !*entry->user)
        return;
    struct fact *f = add_session(file->c, file->path, "utmp", entry->user, entry->line, entry->host,
                                 entry->seconds);
    fact_put_number(file->c->facts, f, "pid", entry->pid);
}

static void read_utmp(struct collection *c, const char *path)
{
    struct utmp_file file = {c, path};
    CLEANUP_FREE char *data = NULL;
    size_t size;
    struct error e = ERROR_INIT;
    if (!target_read(c->target, path, MOST_UTMP, &data, &size, &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(c->facts, N_("session"), path, e.message);
        return;
    }
    if (utmp_parse(data, size, take_login, &file))
        facts_unread(c->facts, N_("session"), path, _("its last record is cut short"));
}

/* Lines NAME=value. */
static const char *named(struct arena *arena, const char *text, size_t size, const char *name)
{
    size_t position = 0, length, n = strlen(name);
    const char *line;
    while (str_next_line(text, size, &position, &line, &length))
        if (length > n && memcmp(line, name, n) == 0 && line[n] == '=')
            return arena_strndup(arena, line + n + 1, length - n - 1);
    return "";
}

static void read_logind(struct collection *c)
{
    static const char folder[] = "/run/systemd/sessions";
    struct target_entry *entries;
    size_t count = collect_list(c, N_("session"), folder, &entries, NULL);
    for (size_t i = 0; i < count && i < MOST_SESSIONS; i++) {
        const char *path = arena_printf(c->arena, "%s/%s", folder, entries[i].name);
        size_t size;
        uint64_t since = 0;
        if (str_ends(entries[i].name, ".ref")) /* a pipe that is open while the session lives */
            continue;
        const char *text = collect_text_of(c, N_("session"), path, MOST_SESSION_TEXT, &size, NULL);
        if (!text || !*named(c->arena, text, size, "USER"))
            continue;
        (void)!str_to_u64(named(c->arena, text, size, "REALTIME"), &since);
        struct fact *f =
            add_session(c, path, "logind", named(c->arena, text, size, "USER"),
                        named(c->arena, text, size, "TTY"),
                        named(c->arena, text, size, "REMOTE_HOST"), (int64_t)(since / 1000000));
        fact_put(c->facts, f, "uid", named(c->arena, text, size, "UID"));
        fact_put(c->facts, f, "id", entries[i].name);
        fact_put(c->facts, f, "pid", named(c->arena, text, size, "LEADER"));
        fact_put(c->facts, f, "service", named(c->arena, text, size, "SERVICE"));
    }
}

void collect_accounts(struct collection *c)
{
    struct reading r = {.c = c};
    read_accounts(&r);
    read_name_service(c);
    if (target_kind(c->target) == TARGET_LIVE || target_kind(c->target) == TARGET_ROOT) {
        read_utmp(c, "/run/utmp");
        read_logind(c);
    }
    VEC_FREE(&r.shadow);
    VEC_FREE(&r.groups);
}

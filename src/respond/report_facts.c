#include "base/file.h"
#include "base/str.h"
#include "collect/linux_host.h"
#include "model/date.h"
#include "record/sites.h"
#include "respond/clock.h"
#include "respond/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { MOST_OS_RELEASE = 64 << 10, MOST_NAMES_SHOWN = 20, MOST_LINES_BYTES = 16 << 20 };

static void put_local(json_t *o, const char *key, int64_t seconds)
{
    char when[40];
    if (!seconds)
        return;
    timeline_local(seconds, when);
    json_put_string(o, key, when);
}

/* The clock as it is now or as it was when the incident was opened, whichever is the worse: what is
 * cut off cannot be kept right meanwhile. */
static struct clock_state worst_clock(const struct response *r)
{
    struct clock_state clock = clock_look();
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const json_t *o = json_get_object(r->incident.steps[i].result, "clock");
        if (!o)
            continue;
        int64_t wrong = json_integer_value(json_object_get(o, "most_wrong_us"));
        clock.kept_right &= json_is_true(json_object_get(o, "synchronised"));
        clock.most_wrong_us = wrong > clock.most_wrong_us ? wrong : clock.most_wrong_us;
    }
    return clock;
}

static void put_clock(json_t *o, const struct response *r)
{
    struct clock_state clock = worst_clock(r);
    time_t now = (time_t)date_now();
    struct tm tm = {0};
    char zone[64];
    localtime_r(&now, &tm);
    strftime(zone, sizeof zone, "%Z (UTC%z)", &tm);
    json_put_string(o, "zone", zone);
    if (clock.kept_right) {
        snprintf(zone, sizeof zone, "%.3f s", (double)clock.most_wrong_us / 1e6);
        json_put_string(o, "clock_error", zone);
        json_put_string(o, "clock_yes", "■");
    } else {
        json_put_string(o, "clock_no", "■");
    }
}

static void put_host(json_t *o, struct response *r)
{
    struct utsname host;
    if (!respond_is_live(r)) {
        json_put_string(o, "host", r->incident.target);
        return;
    }
    if (uname(&host) != 0)
        return;
    CLEANUP_STR struct str os = {0};
    CLEANUP_FREE char *text = NULL;
    struct linux_os named = {.pretty = ""};
    size_t size;
    if (file_read(&text, &size, "/etc/os-release", MOST_OS_RELEASE, NULL))
        linux_os_parse(&named, r->arena, text, size);
    str_printf(&os, "%s%s%s %s (%s)", named.pretty, *named.pretty ? ", " : "", host.sysname,
               host.release, host.machine);
    json_put_string(o, "host", host.nodename);
    json_put_string(o, "os", str_text(&os));
}

/* The lines of a file of the evidence, as an array; empty where it is not there. It is our own
 * file, whatever was in what it tells of. */
static json_t *lines_of(struct response *r, const struct evidence_entry *folder, const char *name)
{
    CLEANUP_FREE char *text = NULL;
    size_t size, position = 0, length;
    const char *line;
    json_t *all = json_array(), *row;
    CLEANUP_CLOSE int dir = folder ? evidence_open(r, folder, NULL) : -1;
    CLEANUP_CLOSE int fd = dir >= 0 ? openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0 || !file_read_fd(&text, &size, fd, MOST_LINES_BYTES, NULL))
        return all;
    while (str_next_line(text, size, &position, &line, &length))
        if ((row = json_parse(line, length, name, 1 << 20, 4096, NULL)))
            json_array_append_new(all, row);
    return all;
}

static void put_addresses(json_t *o, struct response *r, const struct evidence_entry *rest)
{
    CLEANUP_STR struct str list = {0};
    CLEANUP_JSON json_t *rows = lines_of(r, rest, "routing.jsonl");
    const json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const char *address = json_get_string(row, "address");
        if (!address || !str_equal(json_get_string(row, "kind"), "address") ||
            str_starts(address, "127.") || str_equal(address, "::1") ||
            str_starts(address, "fe80:"))
            continue;
        str_printf(&list, "%s%s", list.length ? ", " : "", address);
    }
    if (list.length)
        json_put_string(o, "addresses", str_text(&list));
}

static const char *program_of(const json_t *processes, int64_t pid)
{
    const json_t *p;
    size_t i;
    json_array_foreach(processes, i, p)
    {
        const char *exe = json_get_string(p, "exe");
        if (json_integer_value(json_object_get(p, "pid")) == pid)
            return exe && *exe ? exe : json_get_string(p, "name");
    }
    return NULL;
}

static bool is_loopback(const char *local)
{
    return str_starts(local, "127.") || str_starts(local, "[::1]") || str_starts(local, "::1:");
}

/* Once each. */
static void add_word(struct str *list, const char *word)
{
    CLEANUP_STR struct str all = {0}, one = {0};
    str_printf(&all, ", %s,", str_text(list));
    str_printf(&one, ", %s,", word);
    if (!strstr(str_text(&all), str_text(&one)))
        str_printf(list, "%s%s", list->length ? ", " : "", word);
}

/* What others could reach before the cut: ports, and the programs behind them. */
static void put_listening(json_t *o, struct response *r, const struct evidence_entry *first)
{
    enum { MOST_BYTES = 2000 };
    CLEANUP_STR struct str ports = {0}, programs = {0};
    CLEANUP_JSON json_t *sockets = lines_of(r, first, "sockets.jsonl");
    CLEANUP_JSON json_t *processes = lines_of(r, first, "processes.jsonl");
    const json_t *s;
    size_t i;
    json_array_foreach(sockets, i, s)
    {
        const char *local = json_get_string(s, "local"), *state = json_get_string(s, "state");
        const char *colon = local ? strrchr(local, ':') : NULL;
        if (!colon || !str_equal(state, "LISTEN") || is_loopback(local) ||
            ports.length > MOST_BYTES || programs.length > MOST_BYTES)
            continue;
        const json_t *holder = json_array_get(json_object_get(s, "processes"), 0);
        const char *program =
            program_of(processes, json_integer_value(json_object_get(holder, "pid")));
        add_word(&ports, arena_printf(r->arena, "tcp %s", colon + 1));
        if (program)
            add_word(&programs, program);
    }
    if (ports.length)
        json_put_string(o, "listening", str_text(&ports));
    if (programs.length)
        json_put_string(o, "programs", str_text(&programs));
}

static void put_sites(json_t *o, struct response *r)
{
    struct site_row *rows;
    size_t count;
    CLEANUP_STR struct str list = {0};
    if (!respond_is_live(r) || !sites_list(r->state, r->arena, &rows, &count, NULL))
        return;
    for (size_t i = 0; i < count; i++)
        str_printf(&list, "%s%s (%s)", i ? ", " : "", rows[i].name, rows[i].root);
    if (count)
        json_put_string(o, "sites", str_text(&list));
}

/* Names of files and programs are the attacker's: a line break in one would be a line of its own.
 */
static void add_one_line(struct str *out, const char *text)
{
    for (const char *c = text; *c; c++)
        str_add_char(out, *c == '\n' ? ' ' : *c);
}

static void put_guard(json_t *o, const struct timeline *t)
{
    CLEANUP_STR struct str names = {0}, said = {0};
    char number[32];
    size_t shown = 0;
    if (!t->bursts)
        return;
    snprintf(number, sizeof number, "%llu", (unsigned long long)t->names);
    json_put_string(o, "guard_names", number);
    put_local(o, "guard_first", t->first_ns / 1000000000);
    str_printf(&said, "監視が元に戻した変更: %s 件 (最初: %s)", number,
               json_get_string(o, "guard_first"));
    json_put_string(o, "guard_ja", str_text(&said));
    for (size_t i = 0; i < t->moments.count && shown < MOST_NAMES_SHOWN; i++) {
        const struct moment *m = &t->moments.items[i];
        char when[40];
        if (!str_equal(m->source, "guard"))
            continue;
        timeline_local(m->at_ns / 1000000000, when);
        str_printf(&names, "%s%s  ", shown++ ? "\n" : "", when);
        add_one_line(&names, m->subject);
        if (*m->who) {
            str_add(&names, "  (");
            add_one_line(&names, m->who);
            str_add_char(&names, ')');
        }
    }
    json_put_string(o, "guard_list", str_text(&names));
    json_put_string(o, "found_by_tool", "■");
}

static void put_steps(json_t *o, struct response *r, bool japanese)
{
    static const char *const states[][2] = {
        {"open", "未実施"},  {"begun", "実施中"},    {"failed", "未完了"}, {"done", "実施"},
        {"skipped", "省略"}, {"undone", "取り消し"}, {"planned", "計画"}};
    CLEANUP_STR struct str list = {0};
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const struct runbook_text *title = &r->book->steps.items[i].title;
        const struct incident_step *s = &r->incident.steps[i];
        char when[40] = "";
        const char *text = japanese ? title->ja : title->en;
        if (s->at)
            timeline_local(s->at, when);
        str_printf(&list, "%s%zu. %s: %s %s", i ? "\n" : "", i,
                   text       ? text
                   : japanese ? title->en
                              : title->ja,
                   states[s->state][japanese], when);
    }
    json_put_string(o, japanese ? "steps_ja" : "steps_en", str_text(&list));
}

static bool happened(const struct response *r, const struct timeline *t, const char *kind)
{
    for (size_t i = 0; i < t->moments.count; i++) {
        const struct moment *m = &t->moments.items[i];
        if (str_equal(m->done, kind) && m->at_ns / 1000000000 >= r->incident.opened)
            return true;
    }
    return false;
}

/* A step is done as well where nothing had to be done, or was signed for instead. */
static bool was_truly_done(const struct response *r, const struct timeline *t, size_t step)
{
    const char *action = r->book->steps.items[step].action.name;
    const json_t *secret;
    size_t i;
    if (r->incident.steps[step].state != STEP_DONE)
        return false;
    if (str_equal(action, "scan"))
        return happened(r, t, "quarantine");
    if (str_equal(action, "holes"))
        return happened(r, t, "patch-applied") || happened(r, t, "patch");
    if (!str_equal(action, "passwords"))
        return true;
    json_array_foreach(json_get_array(r->incident.steps[step].result, "to_change"), i, secret)
    {
        const char *id = json_string_value(secret);
        if (id && !incident_signed(&r->incident, id))
            return true;
    }
    return false;
}

/* For visitors, who need not know what is still open nor what our steps are called. */
static void put_done(json_t *o, struct response *r, const struct timeline *t, bool japanese)
{
    CLEANUP_STR struct str list = {0};
    for (size_t i = 0; i < r->book->steps.count; i++) {
        const struct runbook_text *told = &r->book->steps.items[i].told;
        const char *text = japanese ? told->ja : told->en;
        text = text ? text : japanese ? told->en : told->ja;
        if (text && was_truly_done(r, t, i))
            str_printf(&list, "%s%s%s", list.length ? "\n" : "", japanese ? "・" : "- ", text);
    }
    if (list.length)
        json_put_string(o, japanese ? "done_ja" : "done_en", str_text(&list));
}

/* Of files it is only known when they were changed at the latest: no time of the first sign. */
static void put_first_sign(json_t *o, struct response *r)
{
    const struct incident *i = &r->incident;
    const char *of = i->first_sign_subject, *ja, *en;
    char when[40];
    if (!i->first_sign)
        return;
    timeline_local(i->first_sign, when);
    if (i->first_sign_from == FIRST_SIGN_FILES) {
        ja = arena_printf(r->arena, "遅くとも %s (%s の時刻による)", when, of);
        en = arena_printf(r->arena, "%s at the latest (by the times of %s)", when, of);
    } else {
        bool guard = i->first_sign_from == FIRST_SIGN_GUARD;
        json_put_string(o, "first_sign", when);
        ja = arena_printf(r->arena, guard ? "(監視が元に戻した %s)" : "(%s による)", of);
        en = arena_printf(r->arena, guard ? "(the guard undid %s)" : "(said by %s)", of);
    }
    json_put_string(o, "first_sign_ja", ja);
    json_put_string(o, "first_sign_en", en);
}

/* Visitors saw what was there until the host was cut off; where it was so twice, the last time. */
static void put_cut_off(json_t *o, const struct incident *i)
{
    int64_t at;
    size_t k;
    const json_t *entry;
    json_array_foreach(i->array, k, entry)
    {
        const char *when = json_get_string(json_get_object(entry, "result"), "in_force_at");
        if (when && str_equal(json_get_string(entry, "incident"), i->id) && date_parse(when, &at))
            put_local(o, "cut_off", at);
    }
}

static void put_evidence(json_t *o, const struct evidence_entry *evidence, size_t count,
                         bool japanese)
{
    CLEANUP_STR struct str list = {0};
    for (size_t i = 0; i < count; i++) {
        int64_t at;
        char when[40] = "";
        if (date_parse(evidence[i].time, &at))
            timeline_local(at, when);
        long long files = (long long)evidence[i].files, bytes = (long long)evidence[i].bytes;
        str_printf(&list, "%s%s  %s  %s  ", i ? "\n" : "", evidence[i].folder, when,
                   evidence[i].who);
        if (japanese)
            str_printf(&list, "%lld ファイル、%lld バイト", files, bytes);
        else
            str_printf(&list, "%lld file%s, %lld byte%s", files, files == 1 ? "" : "s", bytes,
                       bytes == 1 ? "" : "s");
        str_printf(&list, "\n    SHA256SUMS: %s", evidence[i].sha256);
    }
    if (count)
        json_put_string(o, japanese ? "evidence_list_ja" : "evidence_list", str_text(&list));
}

const struct runbook_takes report_takes[] = {
    {.name = "forms"},   {.name = "organisation"}, {.name = "department"}, {.name = "name"},
    {.name = "email"},   {.name = "telephone"},    {.name = "address"},    {.name = "url"},
    {.name = "purpose"}, {.name = "source"},       {.name = "port"},       {.name = "software"},
    {.name = "route"},   {.name = "cause"},        {.name = "measures"},   {.name = "damage"},
    {.name = "network"}, {.name = "contact"},      {.name = NULL}};

static void put_arguments(json_t *o, const struct runbook_call *call)
{
    for (const struct runbook_takes *place = report_takes + 1; place->name; place++) {
        const char *value = runbook_argument(call, place->name, "");
        if (*value)
            json_put_string(o, place->name, value);
    }
}

json_t *report_facts(struct response *r, const struct runbook_call *call, const struct timeline *t,
                     const struct evidence_entry *evidence, size_t evidence_count)
{
    const struct incident *i = &r->incident;
    json_t *o = json_object();
    json_put_string(o, "incident", i->id);
    json_put_string(o, "who", i->who);
    json_put_string(o, "because", i->because);
    json_put_string(o, "tool", "yagura " YAGURA_VERSION);
    put_local(o, "today", date_now());
    put_local(o, "opened", i->opened);
    put_local(o, "closed", i->closed);
    put_first_sign(o, r);
    put_cut_off(o, i);
    int64_t guard = t->first_ns / 1000000000;
    put_local(o, "found", guard && guard < i->opened ? guard : i->opened);
    put_clock(o, r);
    put_host(o, r);
    put_addresses(o, r, evidence_last(evidence, evidence_count, "rest"));
    put_listening(o, r, evidence_last(evidence, evidence_count, "first"));
    put_sites(o, r);
    put_guard(o, t);
    put_steps(o, r, false);
    put_steps(o, r, true);
    put_done(o, r, t, false);
    put_done(o, r, t, true);
    put_evidence(o, evidence, evidence_count, false);
    put_evidence(o, evidence, evidence_count, true);
    put_arguments(o, call);
    return o;
}

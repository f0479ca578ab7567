#include "base/file.h"
#include "base/str.h"
#include "model/date.h"
#include "record/sites.h"
#include "respond/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { MOST_NAMES_SHOWN = 20, MOST_LINES_BYTES = 16 << 20 };

static void put_local(json_t *o, const char *key, int64_t seconds)
{
    char when[40];
    if (!seconds)
        return;
    timeline_local(seconds, when);
    json_put_string(o, key, when);
}

static void put_clock(json_t *o)
{
    struct timex clock = {0};
    int state = adjtimex(&clock);
    time_t now = (time_t)date_now();
    struct tm tm = {0};
    char zone[64];
    localtime_r(&now, &tm);
    strftime(zone, sizeof zone, "%Z (UTC%z)", &tm);
    json_put_string(o, "zone", zone);
    /* adjtimex(2): microseconds; meant only while something keeps the clock right */
    if (state >= 0 && state != TIME_ERROR) {
        snprintf(zone, sizeof zone, "%.3f s", (double)clock.maxerror / 1e6);
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
    str_printf(&os, "%s %s (%s)", host.sysname, host.release, host.machine);
    json_put_string(o, "host", host.nodename);
    json_put_string(o, "os", str_text(&os));
}

/* The addresses of this host as routing.jsonl has them; our own file, whatever was in it. */
static void put_addresses(json_t *o, struct response *r, const struct evidence_entry *rest)
{
    CLEANUP_STR struct str list = {0};
    CLEANUP_FREE char *text = NULL;
    size_t size, position = 0, length;
    const char *line;
    CLEANUP_CLOSE int dir = rest ? evidence_open(r, rest, NULL) : -1;
    CLEANUP_CLOSE int fd =
        dir >= 0 ? openat(dir, "routing.jsonl", O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0 || !file_read_fd(&text, &size, fd, MOST_LINES_BYTES, NULL))
        return;
    while (str_next_line(text, size, &position, &line, &length)) {
        CLEANUP_JSON json_t *row = json_parse(line, length, "routing.jsonl", 1 << 20, 4096, NULL);
        const char *address = row ? json_get_string(row, "address") : NULL;
        if (!address || !str_equal(json_get_string(row, "kind"), "address") ||
            str_starts(address, "127.") || str_equal(address, "::1") ||
            str_starts(address, "fe80:"))
            continue;
        str_printf(&list, "%s%s", list.length ? ", " : "", address);
    }
    if (list.length)
        json_put_string(o, "addresses", str_text(&list));
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

static void put_evidence(json_t *o, const struct evidence_entry *evidence, size_t count)
{
    CLEANUP_STR struct str list = {0};
    for (size_t i = 0; i < count; i++) {
        int64_t at;
        char when[40] = "";
        if (date_parse(evidence[i].time, &at))
            timeline_local(at, when);
        str_printf(&list, "%s%s  %s  %s  %lld files, %lld bytes\n    SHA256SUMS: %s", i ? "\n" : "",
                   evidence[i].folder, when, evidence[i].who, (long long)evidence[i].files,
                   (long long)evidence[i].bytes, evidence[i].sha256);
    }
    if (count)
        json_put_string(o, "evidence_list", str_text(&list));
}

/* What only people know (who they are, what they concluded) may stand in their runbook. */
static void put_arguments(json_t *o, const struct runbook_call *call)
{
    static const char *const places[] = {
        "organisation", "department", "name",   "email",   "telephone", "address",
        "url",          "purpose",    "source", "port",    "software",  "route",
        "cause",        "measures",   "damage", "network", "contact"};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        const char *value = runbook_argument(call, places[i], "");
        if (*value)
            json_put_string(o, places[i], value);
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
    put_local(o, "first_sign", i->first_sign);
    int64_t guard = t->first_ns / 1000000000;
    put_local(o, "found", guard && guard < i->opened ? guard : i->opened);
    put_clock(o);
    put_host(o, r);
    put_addresses(o, r, evidence_last(evidence, evidence_count, "rest"));
    put_sites(o, r);
    put_guard(o, t);
    put_steps(o, r, false);
    put_steps(o, r, true);
    put_evidence(o, evidence, evidence_count);
    put_arguments(o, call);
    return o;
}

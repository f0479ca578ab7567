#include "respond/watch.h"

#include "act/firewall.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/language.h"
#include "base/str.h"
#include "model/date.h"
#include "record/ledger.h"
#include "respond/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_BYTES = 8 << 20,
    MOST_KEPT = 2000,      /* keys of what was passing */
    MOST_ENTRIES = 500,    /* of what is not grave, in the ledger */
    MOST_ALARM_FINDS = 40, /* so that an alarm stays well below 64 KiB */
    LOCK_TRIES = 600,      /* a tenth of a second each */
    HOUR = 3600
};
static const char file_name[] = "watch.json", lock_name[] = "watch.lock";

/* ---- the working memory --------------------------------------------------------------------- */

static json_t *read_memory(struct response *r, struct error *e)
{
    json_t *memory = json_file_read(state_dirfd(r->state), file_name, MOST_BYTES, e);
    if (!memory || (json_get_string(memory, "incident") && json_get_object(memory, "known")))
        return memory;
    json_decref(memory);
    error_set(e, ERR_CORRUPT, "what the watch keeps in the state makes no sense");
    error_at(e, file_name, 0, 0);
    return NULL;
}

static bool write_memory(struct response *r, const json_t *memory, struct error *e)
{
    return json_file_replace(state_dirfd(r->state), file_name, memory, e);
}

static void hash_known(const json_t *known, char out[65])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    CLEANUP_STR struct str text = {0};
    json_add_line(&text, known);
    crypto_hash_sha256(hash, (const unsigned char *)text.data, text.length);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

static int64_t number(const json_t *o, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(o, key));
}

/* Two looks at a time would tell everything twice. */
static int lock(struct response *r, struct error *e)
{
    struct timespec nap = {.tv_nsec = 100000000};
    int dir = state_dirfd(r->state);
    int fd = openat(dir, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_set_errno(e, errno, "opening failed");
        error_at(e, lock_name, 0, 0);
        return -1;
    }
    file_give_to_owner(dir, lock_name);
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        nanosleep(&nap, NULL);
    }
    close(fd);
    error_set(e, ERR_TIMEOUT, "another look of the watch does not come to its end");
    return -1;
}

/* ---- beginning and end ---------------------------------------------------------------------- */

/* The unit that looks may not be root: it adds to the evidence of the incident. */
static void hand_over_evidence(struct response *r)
{
    CLEANUP_CLOSE int evidence = respond_evidence(r, NULL);
    CLEANUP_CLOSE int all =
        evidence >= 0 ? openat(evidence, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    file_give_to_owner(state_dirfd(r->state), "evidence");
    if (all >= 0)
        file_give_to_owner(all, r->incident.id);
}

bool watch_begin(struct response *r, json_t *known, struct error *e)
{
    char hash[65], until[32];
    int64_t now = date_now(), end = now + (int64_t)r->options->watch_hours * HOUR;
    if (!r->options->watch_hours) {
        watch_end(r);
        return true;
    }
    hash_known(known, hash);
    date_format(end, until);
    CLEANUP_JSON json_t *result = json_object(), *memory = json_object();
    json_put_string(result, "until", until);
    json_put_string(result, "known_sha256", hash);
    json_put_string(result, "isolate_again", r->options->isolate_again);
    json_put_string(memory, "incident", r->incident.id);
    json_put_string(memory, "step", r->step ? r->step->id : "");
    json_put_int(memory, "since", now);
    json_put_int(memory, "until", end);
    json_object_set(memory, "known", known);
    hand_over_evidence(r);
    return respond_note(r, "watch", NULL, NULL, result, e) && write_memory(r, memory, e);
}

void watch_end(struct response *r)
{
    unlinkat(state_dirfd(r->state), file_name, 0);
}

void watch_report_free(struct watch_report *report)
{
    for (size_t i = 0; i < report->finds.count; i++)
        json_decref(report->finds.items[i].finding);
    VEC_FREE(&report->finds);
}

/* ---- a look --------------------------------------------------------------------------------- */

static bool write_entry(struct response *r, const char *what, const char *step, const char *because,
                        json_t *more, struct error *e)
{
    CLEANUP_JSON json_t *entry = incident_entry(r->incident.id, what, step, r->options->who);
    if (because)
        json_put_string(entry, "because", because);
    if (more)
        json_object_update(entry, more);
    return ledger_append(r->state, entry, date_now(), e);
}

static bool holds(const json_t *list, const char *key)
{
    const json_t *o;
    size_t i;
    json_array_foreach(list, i, o)
    {
        if (str_equal(json_string_value(json_array_get(o, 0)), key))
            return true;
    }
    return false;
}

/* The last "watch" of the incident is the one that is on. */
static const json_t *entry_of_watch(const struct incident *i)
{
    const json_t *o, *last = NULL;
    size_t k;
    json_array_foreach(i->array, k, o)
    {
        if (str_equal(json_get_string(o, "incident"), i->id) &&
            str_equal(json_get_string(o, "what"), "watch"))
            last = o;
    }
    return last;
}

static bool is_known_as_it_was(struct response *r, const json_t *known)
{
    char hash[65];
    hash_known(known, hash);
    const json_t *entry = entry_of_watch(&r->incident);
    return entry &&
           str_equal(json_get_string(json_get_object(entry, "result"), "known_sha256"), hash);
}

/* A ledger that takes nothing (a full disk) is no reason not to go on: the error is the first. */
static bool enter_finds(struct response *r, json_t *memory, struct watch_report *out,
                        struct error *e)
{
    json_t *before = json_get_array(memory, "standing");
    int64_t entries = number(memory, "entries");
    bool good = true;
    for (size_t i = 0; i < out->finds.count; i++) {
        struct watch_find *f = &out->finds.items[i];
        f->is_new = !holds(before, f->key) && (f->grave || entries < MOST_ENTRIES);
        if (!f->is_new)
            continue;
        CLEANUP_JSON json_t *more = json_object();
        json_put_bool(more, "grave", f->grave);
        if (f->finding)
            json_object_set(more, "finding", f->finding);
        good = write_entry(r, "find", NULL, f->text, more, good ? e : NULL) && good;
        out->new_finds++;
        entries++;
    }
    json_put_int(memory, "entries", entries);
    return good;
}

/* What is there now, and what was there only for a moment: neither is told again. */
static void remember(json_t *memory, const struct watch_report *out)
{
    json_t *standing = json_array();
    const json_t *o;
    size_t i;
    for (size_t k = 0; k < out->finds.count; k++)
        json_array_append_new(
            standing, json_pack("[s, b]", out->finds.items[k].key, out->finds.items[k].passing));
    json_array_foreach(json_get_array(memory, "standing"), i, o)
    {
        const char *key = json_string_value(json_array_get(o, 0));
        if (key && json_is_true(json_array_get(o, 1)) && !holds(standing, key) &&
            json_array_size(standing) < MOST_KEPT)
            json_array_append(standing, (json_t *)o);
    }
    json_object_set_new(memory, "standing", standing);
    json_put_int(memory, "looked", date_now());
    json_put_int(memory, "unknown", (int64_t)out->unknown);
}

static void raise_alarm(struct response *r, const struct watch_report *out)
{
    CLEANUP_STR struct str text = {0};
    CLEANUP_JSON json_t *o = json_object();
    char now[32], host[256] = "";
    if (!r->options->alarm || !out->new_finds)
        return;
    json_t *finds = json_array();
    date_format(date_now(), now);
    (void)!gethostname(host, sizeof host - 1);
    json_put_string(o, "type", "watch");
    json_put_string(o, "incident", r->incident.id);
    json_put_string(o, "host", host);
    json_put_string(o, "time", now);
    json_put_int(o, "found", (int64_t)out->new_finds);
    for (size_t i = 0; i < out->finds.count && json_array_size(finds) < MOST_ALARM_FINDS; i++) {
        const struct watch_find *f = &out->finds.items[i];
        if (!f->is_new)
            continue;
        json_t *find = json_object();
        json_put_string(find, "text", arena_printf(r->arena, "%.600s", f->text));
        json_put_bool(find, "grave", f->grave);
        json_array_append_new(finds, find);
    }
    json_object_set_new(o, "finds", finds);
    json_put_string(o, "isolates_again", out->mode);
    json_put_string(o, "do", r->incident.closed ? "yagura respond start" : "yagura respond");
    json_add_line(&text, o);
    str_add_char(&text, '\n');
    r->options->alarm(r->options->context, text.data, text.length);
}

/* Not where somebody isolates just now, or has: his ways are not ours to change. */
static bool is_open_network(struct response *r, struct error *e)
{
    struct firewall_status is;
    return firewall_look(state_dirfd(r->state), FIREWALL_ISOLATION, &is, e) &&
           is.stand != FIREWALL_TRIAL && is.stand != FIREWALL_CONFIRMED;
}

static const struct watch_find *first_grave(const struct watch_report *out)
{
    for (size_t i = 0; i < out->finds.count; i++)
        if (out->finds.items[i].grave)
            return &out->finds.items[i];
    return NULL;
}

static bool cut_off(struct response *r, const json_t *memory, struct watch_report *out,
                    struct error *e)
{
    CLEANUP_JSON json_t *result = json_object(), *more = json_object();
    const char *because = first_grave(out)->text;
    const char *step = json_get_string(memory, "step");
    CLEANUP_JSON json_t *proved = isolate_proved(&r->incident);
    if (!proved) {
        error_set(e, ERR_USAGE,
                  "it is not isolated again: no way in was proved in this incident, and you would "
                  "be locked out");
        return false;
    }
    if (!isolate_again(r, proved, out->mode, result, e))
        return false;
    out->outcome = WATCH_ISOLATED;
    out->mode = arena_strdup(r->arena, json_get_string(result, "mode"));
    json_object_set(more, "result", result);
    watch_end(r);
    return write_entry(r, "undo", step && *step ? step : NULL,
                       arena_printf(r->arena, _("the watch cut this host off again: %s"), because),
                       more, e);
}

static bool end_of_hours(struct response *r, const json_t *memory, struct error *e)
{
    CLEANUP_JSON json_t *more = json_object();
    json_put_int(more, "looks", number(memory, "looks"));
    json_put_int(more, "finds", number(memory, "entries"));
    if (!write_entry(r, "watch-over", NULL, NULL, more, e))
        return false;
    watch_end(r);
    return true;
}

static bool look(struct response *r, json_t *memory, struct watch_report *out, struct error *e)
{
    json_t *known = json_get_object(memory, "known");
    struct error firewall = ERROR_INIT;
    out->outcome = WATCH_LOOKED;
    if (!is_known_as_it_was(r, known))
        VEC_PUSH(&out->finds,
                 ((struct watch_find){.key = "known",
                                      .text = _("what was known at the reconnection was changed: "
                                                "watch.json is not what the ledger says"),
                                      .grave = true}));
    if (!watch_find_all(r, known, out, e))
        return false;
    bool told = enter_finds(r, memory, out, e);
    remember(memory, out);
    json_put_int(memory, "looks", number(memory, "looks") + 1);
    if (r->options->isolate_again && first_grave(out))
        out->mode = r->options->isolate_again;
    if (out->mode && !is_open_network(r, &firewall))
        out->mode = NULL;
    raise_alarm(r, out);
    /* behind the alarm: one that was cut short is raised again */
    told = write_memory(r, memory, told ? e : NULL) && told;
    if (out->mode)
        return cut_off(r, memory, out, told ? e : NULL) && told;
    if (firewall.code && told)
        *e = firewall;
    return told && !firewall.code;
}

bool watch_look(struct response *r, struct watch_report *out, struct error *e)
{
    struct error none = ERROR_INIT;
    *out = (struct watch_report){.outcome = WATCH_OFF};
    if (faccessat(state_dirfd(r->state), file_name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
        errno == ENOENT)
        return true;
    CLEANUP_CLOSE int held = lock(r, e);
    if (held < 0)
        return false;
    CLEANUP_JSON json_t *memory = read_memory(r, &none);
    if (!memory && none.code == ERR_ABSENT)
        return true; /* it ended while we waited */
    if (!memory) {
        *e = none;
        return false;
    }
    out->until = number(memory, "until");
    incident_close(&r->incident);
    if (!incident_open(&r->incident, r->state, json_get_string(memory, "incident"), r->arena, e))
        return false;
    if (date_now() < out->until)
        return look(r, memory, out, e);
    out->outcome = WATCH_IS_OVER;
    return end_of_hours(r, memory, e);
}

/* ---- how it stands -------------------------------------------------------------------------- */

bool watch_may_be_on(struct state *s)
{
    return faccessat(state_dirfd(s), file_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void watch_status(struct response *r, struct watch_status *out)
{
    *out = (struct watch_status){.isolate_again = r->options->isolate_again};
    const json_t *o;
    size_t i;
    int64_t since = 0;
    json_array_foreach(r->incident.array, i, o)
    {
        const char *what = json_get_string(o, "what"), *time = json_get_string(o, "time");
        int64_t at = 0;
        if (!str_equal(json_get_string(o, "incident"), r->incident.id) || !time ||
            !date_parse(time, &at))
            continue;
        if (str_equal(what, "watch")) {
            const char *until = json_get_string(json_get_object(o, "result"), "until");
            *out = (struct watch_status){.begun = true, .isolate_again = out->isolate_again};
            since = at;
            if (until)
                date_parse(until, &out->until);
        }
        if (str_equal(what, "find")) {
            out->finds++;
            out->last = json_get_string(o, "because");
        }
        const struct runbook_step *step = str_equal(what, "undo") && json_get_string(o, "step")
                                              ? runbook_find(r->book, json_get_string(o, "step"))
                                              : NULL;
        bool cut =
            str_equal(what, "stage") && str_equal(json_get_string(o, "stage"), "cut off again");
        if (out->begun && !out->over &&
            (str_equal(what, "watch-over") || cut || (step && isolate_reconnects(step)))) {
            out->over = at;
            out->ended = json_get_string(o, "because");
        }
    }
    int64_t now = date_now();
    CLEANUP_JSON json_t *memory = read_memory(r, NULL);
    bool goes_on = memory && str_equal(json_get_string(memory, "incident"), r->incident.id);
    if (!out->begun || (out->over && !goes_on))
        return;
    if (goes_on)
        out->looked = number(memory, "looked");
    out->over = 0; /* a reconnection that is undone on trial */
    out->ended = NULL;
    out->on = now < out->until;
    if (!out->on)
        out->over = out->until;
    out->stale = out->on && now - (out->looked ? out->looked : since) > WATCH_STALE_SECONDS;
}

#include "cmd/quarantine.h"

#include "act/quarantine.h"
#include "act/quarantine_processes.h"
#include "base/json.h"
#include "base/str.h"
#include "cmd/site.h"
#include "record/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

static void quarantine_cleanup(struct quarantine *q)
{
    quarantine_close(q);
}

static json_t *item_json(const struct quarantine_item *i, const char *type)
{
    char since[32];
    json_t *o = json_object();
    date_format(i->since, since);
    json_put_string(o, "type", type);
    json_put_string(o, "id", i->id);
    json_put_string(o, "origin", i->origin);
    json_put_string(o, "kept", i->kept);
    json_put_string(o, "kind", i->kind);
    json_put_int(o, "size", (int64_t)i->size);
    json_put_int(o, "mode", i->mode);
    json_put_int(o, "uid", i->uid);
    json_put_int(o, "gid", i->gid);
    json_put_int(o, "other_names", (int64_t)i->other_names);
    json_put_string(o, "sha256", i->sha256);
    json_put_string(o, "since", since);
    json_put_string(o, "who", i->who);
    json_put_string(o, "why", i->why);
    return o;
}

static bool write_ledger(struct cli *cli, struct state *state, const char *kind,
                         const struct quarantine_item *i)
{
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, kind);
    json_put_string(entry, "id", i->id);
    json_put_string(entry, "origin", i->origin);
    json_put_string(entry, "sha256", i->sha256);
    if (ledger_append(state, entry, date_now(), &e))
        return true;
    cli_complain(&e);
    return false;
}

/* --- of what a scan found --- */

struct taking {
    struct cli *cli;
    const struct audit *a;
    struct arena *arena;
    struct state *state;
    struct quarantine q;
    VEC(struct running_file) gone; /* moved now or before, or without a name */
    size_t done;
};

struct files {
    VEC(struct running_file) list;
};

static void files_cleanup(struct files *f)
{
    VEC_FREE(&f->list);
}

static struct running_file file_of(const struct fact *f)
{
    struct running_file file = {.path = fact_text(f, "path"), .by = ""};
    (void)!str_to_u64(fact_text(f, "device"), &file.device);
    (void)!str_to_u64(fact_text(f, "inode"), &file.inode);
    return file;
}

/* The path in bytes: what is not UTF-8 stands in the fact as digits, too. */
static const char *path_of(struct arena *arena, const struct fact *hit)
{
    const char *hex = fact_text(hit, "path_hex");
    size_t size = strlen(hex) / 2;
    char *out = arena_alloc(arena, size + 1);
    if (*hex &&
        sodium_hex2bin((unsigned char *)out, size, hex, strlen(hex), NULL, &size, NULL) == 0)
        return out;
    return fact_text(hit, "path");
}

/* A finding whose file is to be moved; `hit` is the file as it was looked at. */
struct found {
    const struct finding *f;
    const struct fact *hit;
    size_t order; /* worst first */
};

static int by_file(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order = strcmp(fact_text(x->hit, "path"), fact_text(y->hit, "path"));
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static int by_path(const void *a, const void *b)
{
    const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;
    int order = strcmp(x->kind, y->kind);
    return order ? order : strcmp(fact_text(x, "path"), fact_text(y, "path"));
}

static int is_hit_of(const void *key, const void *item)
{
    const struct finding *f = key;
    const struct fact *hit = *(const struct fact *const *)item;
    int order = strcmp(f->subject_kind, hit->kind);
    return order ? order : strcmp(f->subject_name, fact_text(hit, "path"));
}

/* Every file once, though several rules may speak of it. There may be as many as somebody cared to
 * plant. The caller frees it. */
static struct found *choose(const struct audit *a, enum severity least, size_t *count)
{
    static const char *const kinds[] = {"yara-hit", "clamav-hit"};
    VEC(const struct fact *) hits = {0};
    VEC(struct found) all = {0};
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++)
        for (const struct fact *f = NULL; (f = facts_next(a->facts, kinds[k], f));)
            VEC_PUSH(&hits, f);
    if (hits.count)
        qsort(hits.items, hits.count, sizeof *hits.items, by_path);
    for (size_t i = 0; hits.count && i < a->findings->list.count; i++) {
        const struct finding *f = a->findings->list.items[i];
        const struct fact *const *hit =
            bsearch(f, hits.items, hits.count, sizeof *hits.items, is_hit_of);
        if (hit && finding_is_open(f) && f->severity >= least)
            VEC_PUSH(&all, ((struct found){f, *hit, i}));
    }
    VEC_FREE(&hits);
    *count = 0;
    if (all.count)
        qsort(all.items, all.count, sizeof *all.items, by_file);
    for (size_t i = 0; i < all.count; i++)
        if (!*count || !str_equal(fact_text(all.items[i].hit, "path"),
                                  fact_text(all.items[*count - 1].hit, "path")))
            all.items[(*count)++] = all.items[i];
    if (*count)
        qsort(all.items, *count, sizeof *all.items, by_order);
    return all.items;
}

static void say_taken(const struct taking *t, const struct quarantine_item *i)
{
    if (t->cli->json) {
        show_json_line(&t->cli->show,
                       item_json(i, t->cli->dry_run ? "would-quarantine" : "quarantined"));
        return;
    }
    show_wrap(&t->cli->show, "- ", 2,
              t->cli->dry_run /* where to is known when it is moved: it may stay on its disk */
                  ? arena_printf(t->arena, _("%s would be moved into quarantine"), i->origin)
                  : arena_printf(t->arena, _("%s was moved to %s"), i->origin, i->kept));
    if (i->other_names)
        show_wrap(&t->cli->show, "  ", 2,
                  arena_printf(t->arena,
                               ngettext("It has %llu more name (a hard link), which was left.",
                                        "It has %llu more names (hard links), which were left.",
                                        i->other_names),
                               (unsigned long long)i->other_names));
}

static void take(struct taking *t, const struct finding *f, const struct fact *hit)
{
    struct error e = ERROR_INIT;
    struct quarantine_item item;
    struct running_file file = file_of(hit);
    struct quarantine_wish wish = {.rootfd = target_rootfd(t->a->target),
                                   .path = path_of(t->arena, hit),
                                   .inode = (ino_t)file.inode,
                                   .device = (dev_t)file.device,
                                   .why = t->cli->because ? t->cli->because : f->rule_id,
                                   .who = t->cli->who ? t->cli->who : cli_who(),
                                   .now = date_now()};
    if (!quarantine_take(&t->q, &wish, t->cli->dry_run, t->arena, &item, &e)) {
        cli_complain(&e);
        return;
    }
    t->done++;
    VEC_PUSH(&t->gone, file);
    say_taken(t, &item);
    if (!t->cli->dry_run)
        write_ledger(t->cli, t->state, "quarantine", &item);
}

/* --- and of what runs from it --- */

static void say_process(const struct taking *t, const struct held_process *p, const char *type,
                        const char *text)
{
    const struct fact *f = p->fact;
    if (t->cli->json) {
        static const char *const keys[] = {"path",   "how",     "user",    "since",
                                           "parent", "command", "program", "deleted"};
        json_t *o = json_object();
        json_put_string(o, "type", type);
        json_put_int(o, "pid", p->pid);
        for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
            json_put_string(o, keys[i], fact_text(f, keys[i]));
        if (p->evidence)
            json_put_string(o, "evidence", p->evidence);
        if (p->cut)
            json_put_bool(o, "cut", true);
        show_json_line(&t->cli->show, o);
        return;
    }
    show_wrap(&t->cli->show, "- ", 2,
              arena_printf(t->arena, text, (int)p->pid, fact_text(f, "user"), fact_text(f, "since"),
                           fact_text(f, "parent"), fact_text(f, "path"), fact_text(f, "command")));
}

static void say_running(const struct taking *t, const struct process_hold *h)
{
    for (size_t i = 0; i < h->list.count; i++)
        say_process(t, &h->list.items[i], "would-end",
                    _("Process %d (%s, since %s, started by %s) runs %s and would be ended: %s"));
    if (h->above_us && !t->cli->json)
        show_wrap(&t->cli->show, "- ", 2,
                  _("One of them has started this program, and is left: end it from another "
                    "terminal."));
}

/* Whoever merely has a file open or mapped may go on reading it wherever it is moved. */
static void say_open(const struct taking *t, const struct running_file *files, size_t count)
{
    for (const struct fact *f = NULL; (f = facts_next(t->a->facts, "running", f));) {
        struct running_file file = file_of(f);
        uint64_t pid;
        bool among = false;
        for (size_t i = 0; i < count && !among; i++)
            among = files[i].device == file.device && files[i].inode == file.inode;
        if (!among || str_equal(fact_text(f, "proof"), "yes") ||
            !str_to_u64(fact_text(f, "pid"), &pid))
            continue;
        const struct held_process p = {.fact = f, .pid = (pid_t)pid};
        say_process(t, &p, "left-open",
                    str_equal(fact_text(f, "how"), "mapped")
                        ? _("Process %d (%s, since %s, started by %s) has mapped %s, and is left: "
                            "restart it if it is a server of yours, else end it yourself (kill): "
                            "%s")
                        : _("Process %d (%s, since %s, started by %s) has %s open, and is left: "
                            "restart it if it is a server of yours, else end it yourself (kill): "
                            "%s"));
    }
}

/* Its file lies in quarantine, or has no name any more. */
static bool is_to_end(void *context, const struct held_process *p)
{
    const struct taking *t = context;
    for (size_t i = 0; i < t->gone.count; i++)
        if (t->gone.items[i].device == p->device && t->gone.items[i].inode == p->inode)
            return true;
    return false;
}

static void note_ended(struct taking *t, const struct held_process *p)
{
    static const char *const keys[] = {"path", "since", "user", "command", "program"};
    struct error e = ERROR_INIT;
    CLEANUP_JSON json_t *entry = cli_site_entry(t->cli, "process-ended");
    json_put_int(entry, "pid", p->pid);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        json_put_string(entry, keys[i], fact_text(p->fact, keys[i]));
    json_put_string(entry, "evidence", p->evidence ? p->evidence : "");
    if (p->cut)
        json_put_bool(entry, "cut", true);
    if (!ledger_append(t->state, entry, date_now(), &e))
        cli_complain(&e);
}

static void say_unkept(const struct taking *t, const struct process_hold *h)
{
    size_t none = 0, part = 0;
    for (size_t i = 0; i < h->list.count; i++) {
        const struct held_process *p = &h->list.items[i];
        none += p->ended && !p->evidence;
        part += p->ended && p->evidence && p->cut;
    }
    if (t->cli->json)
        return;
    if (none)
        show_wrap(&t->cli->show, "! ", 2,
                  arena_printf(t->arena,
                               ngettext("Of %zu process nothing was kept as evidence.",
                                        "Of %zu processes nothing was kept as evidence.", none),
                               none));
    if (part)
        show_wrap(&t->cli->show, "! ", 2,
                  arena_printf(t->arena,
                               ngettext("Of %zu process not all was kept as evidence.",
                                        "Of %zu processes not all was kept as evidence.", part),
                               part));
}

static void end_processes(struct taking *t, struct process_hold *h)
{
    struct error e = ERROR_INIT;
    CLEANUP_CLOSE int evidence = quarantine_processes_folder(&t->q, true, &e);
    if (evidence < 0)
        cli_complain(&e); /* they are ended all the same */
    bool good =
        process_hold_more(h, &e) && process_hold_end(h, is_to_end, t, evidence, t->arena, &e);
    for (size_t i = 0; i < h->list.count; i++) {
        const struct held_process *p = &h->list.items[i];
        if (p->ended) {
            say_process(t, p, "ended",
                        _("Process %d (%s, since %s, started by %s) ran %s and was ended: %s"));
            note_ended(t, p);
        } else {
            say_process(t, p, "left",
                        _("Process %d (%s, since %s, started by %s) still runs %s: %s"));
        }
    }
    say_unkept(t, h);
    if (!good)
        cli_complain(&e);
}

static bool confirmed(struct taking *t, size_t files, size_t processes)
{
    const char *move = arena_printf(
        t->arena, ngettext("Move %zu file out of reach?", "Move %zu files out of reach?", files),
        files);
    const char *end = arena_printf(t->arena,
                                   ngettext("End %zu process that runs from there? (It cannot be "
                                            "undone.)",
                                            "End %zu processes that run from there? (It cannot be "
                                            "undone.)",
                                            processes),
                                   processes);
    const char *both = arena_printf(t->arena, "%s %s", move, end);
    return cli_confirm(t->cli, files && processes ? both : files ? move : end);
}

static void quarantine_all(struct taking *t, const struct found *found, size_t count,
                           struct running_file *files, size_t file_count)
{
    struct error e = ERROR_INIT;
    bool dry = t->cli->dry_run;
    CLEANUP(process_hold_free) struct process_hold h = {0};
    if (!process_hold(&h, files, file_count, dry, &e))
        cli_complain(&e); /* the files can be moved nevertheless */
    for (size_t i = 0; i < count; i++)
        if (!running_is_deleted_program(fact_text(found[i].hit, "path")))
            take(t, found[i].f, found[i].hit);
    if (!dry && h.list.count)
        end_processes(t, &h);
    if (t->done && !dry && !t->cli->json)
        show_hint(&t->cli->show, _("To undo it:"),
                  show_command(t->arena, "quarantine give-back ID"));
}

static void taking_cleanup(struct taking *t)
{
    VEC_FREE(&t->gone);
    quarantine_close(&t->q);
    state_close(t->state);
    arena_free(t->arena);
}

bool cli_quarantine_found(struct cli *cli, const struct audit *a, enum severity least)
{
    size_t count, moves = 0;
    struct error e = ERROR_INIT;
    CLEANUP_FREE struct found *found = choose(a, least, &count);
    CLEANUP(taking_cleanup)
    struct taking t = {.cli = cli, .a = a, .arena = arena_new(), .q = {.fd = -1}};
    CLEANUP(files_cleanup) struct files files = {0};
    for (size_t i = 0; i < count; i++) {
        struct running_file file = file_of(found[i].hit);
        VEC_PUSH(&files.list, file);
        bool nameless = running_is_deleted_program(file.path);
        if (nameless)
            VEC_PUSH(&t.gone, file);
        moves += !nameless;
    }
    for (const struct fact *f = NULL; (f = facts_next(a->facts, "running", f));)
        if (str_equal(fact_text(f, "by"), "quarantine")) { /* moved before, and ran on */
            VEC_PUSH(&files.list, file_of(f));
            VEC_PUSH(&t.gone, file_of(f));
        }
    CLEANUP(process_hold_free) struct process_hold seen = {0};
    bool live = target_kind(a->target) == TARGET_LIVE;
    size_t file_count = live ? files.list.count : 0;
    if (!process_hold(&seen, files.list.items, file_count, true, &e))
        cli_complain(&e);
    if (target_kind(a->target) == TARGET_IMAGE || (!moves && !seen.list.count))
        return false;
    if (cli->dry_run || !cli->json)
        say_running(&t, &seen);
    if (live)
        say_open(&t, files.list.items, file_count);
    if (!cli->dry_run && !confirmed(&t, moves, seen.list.count))
        return false;
    t.state = cli_state_or_fail(cli);
    if (!t.state)
        return false;
    if (!quarantine_open(&t.q, state_dirfd(t.state), true, &e)) {
        cli_complain(&e);
        return false;
    }
    quarantine_all(&t, found, count, files.list.items, file_count);
    return !cli->dry_run;
}

/* --- yagura quarantine --- */

static int list(struct cli *cli, struct quarantine *q)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct quarantine_item *items;
    struct error e = ERROR_INIT;
    size_t count = 0;
    bool good = quarantine_list(q, arena, &items, &count, &e);
    struct show_table table = {.columns = 4};
    *show_table_line(&table, SHOW_BOLD) =
        (struct show_line){{_("id"), _("since"), _("why"), _("it was")}, SHOW_BOLD, NULL};
    for (size_t i = 0; i < count; i++) {
        char since[32];
        date_format(items[i].since, since);
        if (cli->json)
            show_json_line(&cli->show, item_json(&items[i], "quarantined"));
        else
            *show_table_line(&table, SHOW_PLAIN) = (struct show_line){
                {items[i].id, arena_strdup(arena, since), items[i].why, items[i].origin},
                SHOW_PLAIN,
                NULL};
    }
    if (cli->json)
        cli_end_json(cli, good ? 0 : 1, "quarantined", count);
    else if (count)
        show_table(&cli->show, &table, true);
    else
        printf("%s\n", _("nothing is in quarantine"));
    VEC_FREE(&table.lines);
    if (!good)
        cli_complain(&e);
    return good ? EXIT_CLEAN : EXIT_UNKNOWN;
}

/* Through links in the way there, as it was typed, and not through one that lies there. */
static const char *whole_path(struct arena *arena, const char *named, struct error *e)
{
    const char *slash = strrchr(named, '/');
    const char *folder = !slash           ? "."
                         : slash == named ? "/"
                                          : arena_strndup(arena, named, (size_t)(slash - named));
    CLEANUP_FREE char *real = realpath(folder, NULL);
    if (!real) {
        error_set_errno(e, errno, "looking at it");
        error_at(e, named, 0, 0);
        return NULL;
    }
    return arena_printf(arena, "%s/%s", str_equal(real, "/") ? "" : real,
                        slash ? slash + 1 : named);
}

static bool take_one(struct cli *cli, struct quarantine *q, int root, const char *named,
                     struct arena *arena, struct quarantine_item *out, struct error *e)
{
    struct stat st;
    struct quarantine_wish wish = {.rootfd = root,
                                   .path = whole_path(arena, named, e),
                                   .why = cli->because ? cli->because : "",
                                   .who = cli->who ? cli->who : cli_who(),
                                   .now = date_now()};
    if (!wish.path)
        return false;
    if (lstat(wish.path, &st) == 0 && S_ISDIR(st.st_mode)) {
        error_set(e, ERR_USAGE, "this is a folder: name the files in it");
        error_at(e, named, 0, 0);
        return false;
    }
    return quarantine_take(q, &wish, cli->dry_run, arena, out, e);
}

/* What no pattern knows and the operator does: a job of cron, a unit, a program that gives root. */
static int take_named(struct cli *cli, struct state *state, struct quarantine *q)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct taking t = {.cli = cli, .arena = arena};
    size_t count = cli->argument_count - 1, failed = 0;
    bool usage = false;
    const char *question = arena_printf(
        arena, ngettext("Move %zu file out of reach?", "Move %zu files out of reach?", count),
        count);
    if (!cli->dry_run && !cli_confirm(cli, question))
        return EXIT_USAGE;
    CLEANUP_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        struct quarantine_item item;
        struct error e = ERROR_INIT;
        if (!take_one(cli, q, root, cli->arguments[i + 1], arena, &item, &e)) {
            cli_complain(&e);
            usage |= e.code == ERR_ABSENT || e.code == ERR_USAGE;
            failed++;
            continue;
        }
        say_taken(&t, &item);
        if (!cli->dry_run)
            failed += !write_ledger(cli, state, "quarantine", &item);
    }
    if (cli->json)
        cli_end_json(cli, failed, "quarantined", count - failed);
    else if (failed < count && !cli->dry_run)
        show_hint(&cli->show, _("To undo it:"), show_command(arena, "quarantine give-back ID"));
    return !failed ? EXIT_CLEAN : usage ? EXIT_USAGE : EXIT_UNKNOWN;
}

static int give_back(struct cli *cli, struct state *state, struct quarantine *q)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t failed = 0;
    bool usage = false;
    for (size_t i = 1; i < cli->argument_count; i++) {
        struct quarantine_item item;
        struct error e = ERROR_INIT;
        if (!quarantine_give_back(q, cli->arguments[i], cli->dry_run, arena, &item, &e)) {
            cli_complain(&e);
            usage |= e.code == ERR_ABSENT || e.code == ERR_USAGE;
            failed++;
            continue;
        }
        if (!cli->dry_run)
            failed += !write_ledger(cli, state, "give-back", &item);
        if (cli->json)
            show_json_line(&cli->show,
                           item_json(&item, cli->dry_run ? "would-give-back" : "given-back"));
        else
            printf(cli->dry_run ? _("%s would be put back\n") : _("%s was put back\n"),
                   item.origin);
    }
    if (cli->json)
        cli_end_json(cli, failed, "given_back", cli->argument_count - 1 - failed);
    return !failed ? EXIT_CLEAN : usage ? EXIT_USAGE : EXIT_UNKNOWN;
}

int cmd_quarantine(struct cli *cli)
{
    const char *action = cli->argument_count ? cli->arguments[0] : "";
    bool more = cli->argument_count > 1, take = more && str_equal(action, "take"),
         changes = take || (more && str_equal(action, "give-back"));
    if (!changes && !(str_equal(action, "list") && cli->argument_count == 1))
        return cli_unknown_action(
            cli, _("quarantine list, quarantine take PATH ..., or quarantine give-back ID ...?"));
    struct error e = ERROR_INIT;
    CLEANUP(state_cleanup)
    struct state *state = changes ? cli_state_or_fail(cli) : cli_state_to_read(cli, &e);
    CLEANUP(quarantine_cleanup) struct quarantine q = {.fd = -1};
    if (changes && !state)
        return EXIT_UNKNOWN;
    if (state && quarantine_open(&q, state_dirfd(state), changes, &e))
        return take      ? take_named(cli, state, &q)
               : changes ? give_back(cli, state, &q)
                         : list(cli, &q);
    if (!changes && e.code == ERR_ABSENT) {
        if (cli->json)
            cli_end_json(cli, 0, "quarantined", 0);
        else
            printf("%s\n", _("nothing is in quarantine"));
        return EXIT_CLEAN;
    }
    cli_complain(&e);
    return EXIT_UNKNOWN;
}

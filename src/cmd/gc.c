#include "cmd/site.h"

#include "base/json.h"
#include "content/evidence.h"
#include "record/ledger.h"

#include <stdlib.h>

/* What is dropped, in all. */
struct dropped {
    size_t generations;
    uint64_t objects, evidence, freed_bytes;
};

/* All content that any kept generation of any site names, sorted. */
struct wanted {
    VEC(const uint8_t *) hashes;
    VEC(struct generation) open;
};

static int by_hash(const void *a, const void *b)
{
    return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, 32);
}

static bool wants(void *context, const uint8_t sha256[32])
{
    struct wanted *w = context;
    const uint8_t *key = sha256;
    return w->hashes.count &&
           bsearch(&key, w->hashes.items, w->hashes.count, sizeof *w->hashes.items, by_hash);
}

static void want_all_of(struct wanted *w, const struct manifest *m)
{
    for (uint32_t i = 0; i < manifest_count(m); i++) {
        struct manifest_entry entry;
        manifest_entry(m, i, &entry);
        if (entry.sha256)
            VEC_PUSH(&w->hashes, entry.sha256);
    }
}

static void let_go(struct objects **objects)
{
    if (!*objects)
        return;
    objects_let_go(*objects);
    objects_free(*objects);
}

/* Drops the generations beyond `keep` of a site and wants the content of the others. A
 * generation that cannot be opened ends it: its content must not be taken for unwanted. */
static bool go_through(struct cli *cli, struct state *state, const struct site_row *row,
                       uint64_t keep, struct wanted *w, size_t *dropped, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    uint64_t *numbers;
    size_t count;
    /* Not even an old one goes before the published one is proved. */
    CLEANUP_GENERATION struct generation published = {0};
    if (!generation_open(&published, state, row, 0, e) ||
        !generations_list(state, row, arena, &numbers, &count, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool old = numbers[i] + keep <= row->generation;
        if (old)
            ++*dropped;
        if (old && !cli->dry_run) {
            if (!generation_drop(state, row, numbers[i], e))
                return false;
            continue;
        }
        struct generation g = {0};
        if (!generation_open(&g, state, row, numbers[i], e))
            return false;
        VEC_PUSH(&w->open, g);
        if (!old)
            want_all_of(w, g.manifest);
    }
    return cli->dry_run || generations_sweep(state, row, e);
}

static bool note(struct cli *cli, struct state *state, const struct dropped *d, struct error *e)
{
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "gc");
    json_put_int(entry, "generations", (int64_t)d->generations);
    json_put_int(entry, "objects", (int64_t)d->objects);
    json_put_int(entry, "evidence", (int64_t)d->evidence);
    return ledger_append(state, entry, date_now(), e);
}

/* A document root that is not there has no folder aside that could be reached. */
static bool prune(struct cli *cli, struct state *state, const struct site_row *row, uint64_t most,
                  struct dropped *d, struct error *e)
{
    CLEANUP_SITE struct site site = {.rootfd = -1, .aside = {.fd = -1}};
    struct site_wants wants = {.aside = true};
    uint64_t removed = 0, freed = 0;
    struct error problem = ERROR_INIT;
    if (!site_open(&site, state, row->name, &wants, &problem)) {
        cli_complain(&problem);
        return true;
    }
    bool good =
        evidence_prune(site.aside.fd, state, row->name, most, cli->dry_run, &removed, &freed, e);
    d->evidence += removed;
    d->freed_bytes += freed;
    return good;
}

static bool collect(struct cli *cli, struct state *state, const struct config *config,
                    uint64_t keep, struct wanted *w, struct dropped *d, struct error *e)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(let_go) struct objects *objects = NULL;
    struct site_row *rows;
    size_t count;
    if (!objects_open(&objects, state_dirfd(state), e))
        return false;
    /* Before the manifests are read: what is published meanwhile would be taken for unwanted. */
    objects_hold_alone(objects);
    if (!sites_list(state, arena, &rows, &count, e))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!go_through(cli, state, &rows[i], keep, w, &d->generations, e) ||
            !prune(cli, state, &rows[i], config_evidence_bytes(config), d, e))
            return false;
    if (w->hashes.count)
        qsort(w->hashes.items, w->hashes.count, sizeof *w->hashes.items, by_hash);
    if (cli->dry_run)
        return true;
    uint64_t freed = 0;
    if (!objects_sweep(objects, wants, w, &d->objects, &freed, e))
        return false;
    d->freed_bytes += freed;
    return (!d->generations && !d->objects && !d->evidence) || note(cli, state, d, e);
}

static void json_summary(struct cli *cli, const struct dropped *d)
{
    json_t *o = json_pack("{s:s, s:i, s:i}", "type", "summary", "found", 0, "unknown", 0);
    json_put_int(o, "dropped", (int64_t)d->generations);
    json_put_int(o, "objects", (int64_t)d->objects);
    json_put_int(o, "evidence", (int64_t)d->evidence);
    json_put_int(o, "freed_bytes", (int64_t)d->freed_bytes);
    show_json_line(&cli->show, o);
}

int cmd_gc(struct cli *cli)
{
    uint64_t keep;
    struct dropped d = {0};
    struct error e = ERROR_INIT;
    if (cli->argument_count)
        return cli_usage(cli, _("%s is one word too many"), cli->arguments[0]);
    CLEANUP(config_cleanup) struct config *config = cli_config(cli);
    if (!config)
        return EXIT_USAGE;
    keep = config->keep;
    if (cli->keep && (!str_to_u64(cli->keep, &keep) || !keep))
        return cli_usage(cli, _("--keep wants a number from 1 on, not %s"), cli->keep);
    CLEANUP(state_cleanup) struct state *state = cli_state_or_fail(cli);
    if (!state)
        return EXIT_UNKNOWN;
    struct wanted w = {0};
    bool good = collect(cli, state, config, keep, &w, &d, &e);
    for (size_t i = 0; i < w.open.count; i++)
        generation_close(&w.open.items[i]);
    VEC_FREE(&w.open);
    VEC_FREE(&w.hashes);
    if (!good) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (cli->json)
        json_summary(cli, &d);
    else if (cli->dry_run)
        printf(_("%zu generations and %llu pieces of evidence would be dropped; nothing was "
                 "changed\n"),
               d.generations, (unsigned long long)d.evidence);
    else
        printf(_("%zu generations, %llu objects and %llu pieces of evidence dropped, %.1f MB "
                 "freed\n"),
               d.generations, (unsigned long long)d.objects, (unsigned long long)d.evidence,
               (double)d.freed_bytes / 1e6);
    return EXIT_CLEAN;
}

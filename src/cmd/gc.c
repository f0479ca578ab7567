#include "cmd/site.h"

#include "base/json.h"
#include "record/ledger.h"

#include <stdlib.h>

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
    return w->hashes.count && bsearch(&key, w->hashes.items, w->hashes.count,
                                      sizeof *w->hashes.items, by_hash);
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
    if (!generations_list(state, row, arena, &numbers, &count, e))
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

static bool note(struct cli *cli, struct state *state, size_t dropped, uint64_t removed,
                 struct error *e)
{
    CLEANUP_JSON json_t *entry = cli_site_entry(cli, "gc");
    json_put_int(entry, "generations", (int64_t)dropped);
    json_put_int(entry, "objects", (int64_t)removed);
    return ledger_append(state, entry, date_now(), e);
}

static bool collect(struct cli *cli, struct state *state, uint64_t keep, struct wanted *w,
                    size_t *dropped, uint64_t *removed, uint64_t *freed, struct error *e)
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
        if (!go_through(cli, state, &rows[i], keep, w, dropped, e))
            return false;
    if (w->hashes.count)
        qsort(w->hashes.items, w->hashes.count, sizeof *w->hashes.items, by_hash);
    if (cli->dry_run)
        return true;
    return objects_sweep(objects, wants, w, removed, freed, e) &&
           ((!*dropped && !*removed) || note(cli, state, *dropped, *removed, e));
}

int cmd_gc(struct cli *cli)
{
    uint64_t keep, removed = 0, freed = 0;
    size_t dropped = 0;
    struct error e = ERROR_INIT;
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
    bool good = collect(cli, state, keep, &w, &dropped, &removed, &freed, &e);
    for (size_t i = 0; i < w.open.count; i++)
        generation_close(&w.open.items[i]);
    VEC_FREE(&w.open);
    VEC_FREE(&w.hashes);
    if (!good) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    if (cli->json)
        cli_end_json(cli, 0, "dropped", dropped);
    else if (cli->dry_run)
        printf(ngettext("%zu generation would be dropped; nothing was changed\n",
                        "%zu generations would be dropped; nothing was changed\n", dropped),
               dropped);
    else
        printf(_("%zu generations dropped, %llu objects removed, %.1f MB freed\n"), dropped,
               (unsigned long long)removed, (double)freed / 1e6);
    return EXIT_CLEAN;
}

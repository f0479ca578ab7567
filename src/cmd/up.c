#include "cmd/site.h"

#include "act/demo_site.h"
#include "base/str.h"
#include "model/site_root.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The document roots to guard, absolute and without links; in the arena. */
struct roots {
    VEC(const char *) items;
    struct state *state;
    struct audit *audit; /* what is known of the servers; NULL: nothing */
    struct arena *arena;
};

static void roots_free(struct roots *roots)
{
    audit_free(roots->audit);
    state_close(roots->state);
    VEC_FREE(&roots->items);
}

/* False: it is no folder. */
static bool add_root(struct roots *roots, const char *path)
{
    char real[PATH_MAX];
    struct stat st;
    if (!realpath(path, real) || stat(real, &st) != 0 || !S_ISDIR(st.st_mode))
        return false;
    for (size_t i = 0; i < roots->items.count; i++)
        if (str_equal(roots->items.items[i], real))
            return true;
    VEC_PUSH(&roots->items, arena_strdup(roots->arena, real));
    return true;
}

/* A server that is installed and neither runs nor starts at boot serves nothing. */
static bool serves(const struct facts *facts, const char *server)
{
    char path[128];
    snprintf(path, sizeof path, "/etc/systemd/system/multi-user.target.wants/%s.service", server);
    if (access(path, F_OK) == 0)
        return true;
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f)) {
        const char *process = fact_text(f, "process");
        if (process && str_starts(process, server))
            return true;
    }
    return false;
}

static void roots_of_servers(struct roots *roots, const struct facts *facts)
{
    struct site_roots found = site_roots_of(facts, roots->arena);
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i].root[0] && serves(facts, found.items[i].server))
            add_root(roots, found.items[i].root);
}

/* What lies in another root is guarded with it. */
static bool lies_in_another(const struct roots *roots, size_t i)
{
    const char *path = roots->items.items[i];
    for (size_t k = 0; k < roots->items.count; k++) {
        size_t length = strlen(roots->items.items[k]);
        if (k != i && strncmp(path, roots->items.items[k], length) == 0 && path[length] == '/')
            return true;
    }
    return false;
}

/* Publishes what is new; names of the sites to guard go to `names`. */
static bool publish_new(struct cli *cli, struct state *state, struct roots *roots,
                        const char **names, size_t *count, int *code)
{
    CLEANUP(config_cleanup) struct config *config = cli_config(cli);
    CLEANUP(objects_cleanup) struct objects *objects = NULL;
    struct error e = ERROR_INIT;
    *code = EXIT_USAGE;
    if (!config)
        return false;
    *code = EXIT_UNKNOWN;
    if (!objects_open(&objects, state_dirfd(state), &e)) {
        cli_complain(&e);
        return false;
    }
    for (size_t i = 0; i < roots->items.count; i++) {
        struct site_row *rows;
        size_t known;
        const char *root = roots->items.items[i], *name = NULL;
        if (lies_in_another(roots, i))
            continue;
        if (!sites_list(state, roots->arena, &rows, &known, &e)) {
            cli_complain(&e);
            return false;
        }
        for (size_t k = 0; k < known; k++)
            if (str_equal(rows[k].root, root))
                name = rows[k].name;
        if (!name) {
            name = site_name_free(roots->arena, rows, known, root);
            if (!cli_first_publication(cli, config, state, objects,
                                       roots->audit ? roots->audit->facts : NULL, name, root, code))
                return false;
        }
        names[(*count)++] = name;
    }
    return true;
}

/* Where sentences go: on standard output stands nothing but JSON, if that was asked for. */
static FILE *talk(const struct cli *cli)
{
    return cli->json ? stderr : stdout;
}

static void audit_first(struct cli *cli, struct roots *roots)
{
    int code;
    struct audit_request request;
    if (!cli_request(cli, &request))
        return;
    request.state = roots->state = cli_state(cli);
    struct audit *a = roots->audit = cli_audit(cli, &request, &code);
    if (!a)
        return;
    show_audit(&cli->show, a, SEVERITY_INFO);
    if (!cli->argument_count)
        roots_of_servers(roots, a->facts);
    if (!cli->json)
        printf("\n");
}

static int guard_names(struct cli *cli, struct state *state, const char **names, size_t count)
{
    state_close(state); /* the guard opens its own */
    fflush(stdout);     /* or its processes would say it again */
    struct cli guard = *cli;
    guard.arguments = names;
    guard.argument_count = count;
    return cmd_guard(&guard);
}

/* On a host that serves nothing: something to look at. */
static int demonstrate(struct cli *cli, struct roots *roots)
{
    struct demo_site demo;
    struct error e = ERROR_INIT;
    char state_dir[96];
    if (!demo_site_make(&demo, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    snprintf(state_dir, sizeof state_dir, "%s/state", demo.dir);
    cli->state = state_dir;
    add_root(roots, demo.root);
    const char *names[1];
    size_t count = 0;
    int code = EXIT_UNKNOWN;
    struct state *state = cli_state_or_fail(cli);
    FILE *out = talk(cli);
    fprintf(out, _("No web server runs here: this guards a demonstration site, %s\n"), demo.root);
    if (demo.server)
        fprintf(out, _("Look at it: %s\n"), demo.url);
    else
        fprintf(out, "%s\n", demo.why.message);
    fprintf(out, _("Deface it from a second terminal: echo defaced > %s/index.html\n"), demo.root);
    fprintf(out, "%s\n", _("or in twelve ways: make deface    (Ctrl-C ends it)"));
    fflush(out);
    if (state && publish_new(cli, state, roots, names, &count, &code))
        code = guard_names(cli, state, names, count);
    else
        state_close(state);
    demo_site_end(&demo);
    return code;
}

int cmd_up(struct cli *cli)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct roots roots = {.arena = arena};
    int code = EXIT_UNKNOWN;
    for (size_t i = 0; i < cli->argument_count; i++)
        if (!add_root(&roots, cli->arguments[i])) {
            roots_free(&roots);
            return cli_usage(cli, _("%s is no folder"), cli->arguments[i]);
        }
    audit_first(cli, &roots);
    if (geteuid() != 0)
        fprintf(talk(cli), "%s\n",
                _("Without root the guard does not see who changed a page, nor changes "
                  "through other mounts; comparing finds those within a second."));
    if (!roots.items.count) {
        code = demonstrate(cli, &roots);
        roots_free(&roots);
        return code;
    }
    CLEANUP_FREE const char **names = mem_alloc(roots.items.count * sizeof *names);
    size_t count = 0;
    struct state *state = cli_state_or_fail(cli);
    bool good = state && publish_new(cli, state, &roots, names, &count, &code);
    roots_free(&roots); /* the guard needs none of it */
    if (good)
        return guard_names(cli, state, names, count);
    state_close(state);
    return code;
}

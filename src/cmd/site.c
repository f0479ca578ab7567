#include "cmd/site.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

struct config *cli_config(const struct cli *cli)
{
    struct config *config = NULL;
    struct error e = ERROR_INIT;
    if (!config_load(&config, cli->config, &e))
        cli_complain(&e);
    return config;
}

void open_site_close(struct open_site *s)
{
    site_close(&s->site);
    objects_free(s->objects);
    state_close(s->state);
    config_free(s->config);
}

static bool no_such_site(struct cli *cli, const struct site_row *rows, size_t count,
                         const char *wanted, int *code)
{
    if (!count)
        *code = cli_usage(cli, _("no site is under guard yet: yagura init DOCUMENT-ROOT"));
    else if (!wanted)
        *code = cli_usage(cli, _("%zu sites are under guard: name one, for example %s"), count,
                          rows[0].name);
    else
        *code = cli_usage(cli, _("there is no site %s; there is %s"), wanted, rows[0].name);
    return false;
}

static bool find_name(struct cli *cli, struct state *state, struct arena *arena, const char **name,
                      int *code)
{
    struct site_row *rows;
    size_t count;
    struct error e = ERROR_INIT;
    const char *wanted = cli->argument_count ? cli->arguments[0] : NULL;
    char real[PATH_MAX];
    const char *root = wanted && realpath(wanted, real) ? real : wanted; /* "/srv/www/", "." */
    if (!sites_list(state, arena, &rows, &count, &e)) {
        cli_complain(&e);
        *code = EXIT_UNKNOWN;
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (wanted ? str_equal(rows[i].name, wanted) || str_equal(rows[i].root, root)
                   : count == 1) {
            *name = rows[i].name;
            return true;
        }
    return no_such_site(cli, rows, count, wanted, code);
}

/* What to do where what was published cannot be believed any more. */
static void say_damaged(const struct error *e, const char *name)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (e->code != ERR_CORRUPT && e->code != ERR_FORMAT)
        return;
    const char *text =
        arena_printf(arena,
                     _("the state is damaged, or somebody changed it. Put it back from a copy that "
                       "you trust. Without one: yagura history %s says which generations are "
                       "whole; then move the state away and begin anew with yagura init"),
                     name);
    fprintf(stderr, "yagura: %s\n", show_as_called(arena, text));
}

bool cli_site(struct cli *cli, const struct site_wants *wants, struct open_site *out, int *code)
{
    *out = (struct open_site)OPEN_SITE_INIT;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct error e = ERROR_INIT;
    const char *name;
    *code = EXIT_USAGE;
    out->config = cli_config(cli);
    if (!out->config)
        return false;
    *code = EXIT_UNKNOWN;
    out->state = cli_state_or_fail(cli);
    if (!out->state || !find_name(cli, out->state, arena, &name, code))
        return false;
    struct site_wants all = *wants;
    all.own = config_policies(out->config, name);
    if (objects_open(&out->objects, state_dirfd(out->state), &e) &&
        site_open(&out->site, out->state, name, &all, &e))
        return true;
    cli_complain(&e);
    say_damaged(&e, name);
    return false;
}

bool cli_generation(struct cli *cli, struct open_site *s, struct generation *out, int *code)
{
    uint64_t number = 0;
    struct error e = ERROR_INIT;
    if (cli->generation && (!str_to_u64(cli->generation, &number) || !number)) {
        *code = cli_usage(cli, _("--generation wants a number as yagura history shows it, not %s"),
                          cli->generation);
        return false;
    }
    if (generation_open(out, s->state, &s->site.row, number, &e))
        return true;
    if (cli->generation && e.code == ERR_ABSENT) {
        *code = cli_usage(cli, _("there is no generation %s of %s: yagura history %s lists them"),
                          cli->generation, s->site.row.name, s->site.row.name);
        return false;
    }
    cli_complain(&e);
    say_damaged(&e, s->site.row.name);
    *code = e.code == ERR_ABSENT ? EXIT_USAGE : EXIT_UNKNOWN;
    return false;
}

/* NULL: it leads out of what it lies in. */
static const char *normal_path(const char *path, struct arena *arena)
{
    CLEANUP_STR struct str out = {0};
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.')
            return NULL;
        if (length && !(length == 1 && part[0] == '.')) {
            if (out.length)
                str_add_char(&out, '/');
            str_add_bytes(&out, part, length);
        }
        part += length + (part[length] == '/');
    }
    return arena_strdup(arena, str_text(&out));
}

bool cli_site_paths(struct cli *cli, const struct open_site *s, const struct generation *g,
                    struct arena *arena, struct site_paths *out)
{
    size_t given = cli->argument_count > 1 ? cli->argument_count - 1 : 0;
    const char *root = s->site.row.root;
    size_t root_length = strlen(root);
    out->count = given ? given : 1;
    out->items = arena_alloc(arena, out->count * sizeof *out->items);
    out->items[0] = "";
    for (size_t i = 0; i < given; i++) {
        const char *path = cli->arguments[i + 1];
        if (strncmp(path, root, root_length) == 0 &&
            (path[root_length] == '/' || !path[root_length]))
            path += root_length;
        struct stat st;
        const char *normal = normal_path(path, arena);
        if (!normal) {
            cli_usage(cli, _("%s leads out of %s"), cli->arguments[i + 1], root);
            return false;
        }
        if (manifest_find(g->manifest, normal, strlen(normal)) == MANIFEST_NONE &&
            !file_stat_beneath(s->site.rootfd, normal, false, &st, NULL)) {
            cli_usage(cli, _("%s is not in %s, and was not published there"), normal, root);
            return false;
        }
        out->items[i] = normal;
    }
    return true;
}

bool site_paths_have(const struct site_paths *paths, const char *path)
{
    for (size_t i = 0; i < paths->count; i++) {
        size_t length = strlen(paths->items[i]);
        if (!length ||
            (strncmp(path, paths->items[i], length) == 0 && (path[length] == '/' || !path[length])))
            return true;
    }
    return false;
}

bool cli_can_ask(const struct cli *cli)
{
    return isatty(0) && !cli->json;
}

bool cli_confirm(struct cli *cli, const char *question)
{
    if (cli->yes)
        return true;
    if (!cli_can_ask(cli)) {
        fprintf(stderr, "yagura: %s\n", _("nobody can be asked here: --yes says yes"));
        return false;
    }
    fprintf(stderr, "%s [y/N] ", question);
    char answer[16];
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

json_t *cli_site_entry(struct cli *cli, const char *kind)
{
    json_t *o = json_object();
    json_put_string(o, "kind", kind);
    json_put_string(o, "who", cli->who ? cli->who : cli_who());
    json_put_string(o, "recorded_by", cli_who());
    if (cli->because)
        json_put_string(o, "text", cli->because);
    return o;
}

bool cli_hold(struct hold *h, const struct open_site *s, struct error *e)
{
    struct error absent = ERROR_INIT;
    *h = (struct hold){.site = s->site.row.name};
    if (!control_connect(&h->client, state_dirfd(s->state), &absent)) {
        if (absent.code != ERR_ABSENT && e)
            *e = absent;
        return absent.code == ERR_ABSENT;
    }
    CLEANUP_STR struct str line = {0}, answer = {0};
    str_printf(&line, "hold %s", h->site);
    if (!control_ask(&h->client, line.data, &answer, e)) {
        control_disconnect(&h->client);
        return false;
    }
    h->held = str_equal(answer.data, "ok");
    if (!h->held) /* it guards other sites */
        control_disconnect(&h->client);
    return true;
}

bool cli_release(struct hold *h, struct error *e)
{
    if (!h->held)
        return true;
    CLEANUP_STR struct str line = {0}, answer = {0};
    str_printf(&line, "release %s", h->site);
    bool good = control_ask(&h->client, line.data, &answer, e);
    if (good && !str_equal(answer.data, "ok")) {
        error_set(e, ERR_SYSTEM, "the guard answers: %s", answer.data);
        good = false;
    }
    control_disconnect(&h->client);
    h->held = false;
    return good;
}

json_t *cli_site_summary_of(const struct site *site, size_t found, size_t unknown, uint64_t files,
                            uint64_t bytes)
{
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_string(o, "site", site->row.name);
    json_put_int(o, "generation", (int64_t)site->row.generation);
    json_put_int(o, "found", (int64_t)found);
    json_put_int(o, "unknown", (int64_t)unknown);
    json_put_int(o, "files", (int64_t)files);
    json_put_int(o, "bytes", (int64_t)bytes);
    return o;
}

void cli_site_summary(struct cli *cli, const struct site *site, size_t found, size_t unknown,
                      uint64_t files, uint64_t bytes)
{
    show_json_line(&cli->show, cli_site_summary_of(site, found, unknown, files, bytes));
}

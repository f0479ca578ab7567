/* site.h - what the commands about sites share: which site is meant, opening it, asking. */
#ifndef YAGURA_CMD_SITE_H
#define YAGURA_CMD_SITE_H

#include "cmd/cmd.h"
#include "cmd/config.h"
#include "content/objects.h"
#include "content/site.h"
#include "guard/control.h"
#include "show/site.h"

struct open_site {
    struct config *config;
    struct state *state;
    struct objects *objects;
    struct site site;
};
/* Nothing is open: what may be closed. */
#define OPEN_SITE_INIT                                                                             \
    {                                                                                              \
        .site = {.rootfd = -1, .aside = {.fd = -1} }                                               \
    }
void open_site_close(struct open_site *s);
#define CLEANUP_OPEN_SITE CLEANUP(open_site_close)

/* The site that the first argument names (by its name or its document root), or the only one
 * there is if there is no argument. False: said already; *code is the exit code. */
bool cli_site(struct cli *cli, const struct site_wants *wants, struct open_site *out, int *code);

/* Publishes a new site as it is, with --profile or the profile that fits, and says so; warns when
 * the web server's user (of the facts; NULL: none are known) may write it. False: it could not be;
 * said already. *code is the exit code either way. */
bool cli_first_publication(struct cli *cli, const struct config *config, struct state *state,
                           struct objects *objects, const struct facts *facts, const char *name,
                           const char *root, int *code);
void cli_warn_writable(struct cli *cli, const struct site *site, const struct facts *facts);

/* publish --from and --from-git: the exit code. */
int cli_deploy(struct cli *cli, struct open_site *s);

/* NULL: said already. */
struct config *cli_config(const struct cli *cli);

/* The generation of --generation, or the accepted one, in `out`. */
bool cli_generation(struct cli *cli, struct open_site *s, struct generation *out, int *code);

/* The paths behind the site's name, as the manifest writes them: beneath the document root, given
 * so or with the document root in front, without "." and doubled slashes. None is the whole site,
 * one path "". False: one is neither published in `g` nor there, or leads out; said already,
 * exit 2. */
struct site_paths {
    const char **items;
    size_t count;
};
bool cli_site_paths(struct cli *cli, const struct open_site *s, const struct generation *g,
                    struct arena *arena, struct site_paths *out);
/* Is it one of them, or beneath one? */
bool site_paths_have(const struct site_paths *paths, const char *path);

/* Could somebody be asked? */
bool cli_can_ask(const struct cli *cli);

/* Asks on a terminal; --yes answers. Where nobody can be asked: no, and says how to say yes. */
bool cli_confirm(struct cli *cli, const char *question);

/* Who does it, for the ledger: --who, or the user; with "kind" and --because. */
json_t *cli_site_entry(struct cli *cli, const char *kind);

/* A running guard waits for this site while we change it; nothing happens where none runs. */
struct hold {
    bool held;
    struct control_client client;
    const char *site;
};
bool cli_hold(struct hold *h, const struct open_site *s, struct error *e);
bool cli_release(struct hold *h, struct error *e);

/* The last line of --json; what cli_site_summary_of() returns may get more keys, and is the
 * caller's to print. */
json_t *cli_site_summary_of(const struct site *site, size_t found, size_t unknown, uint64_t files,
                            uint64_t bytes);
void cli_site_summary(struct cli *cli, const struct site *site, size_t found, size_t unknown,
                      uint64_t files, uint64_t bytes);

#endif

/* patch stage, apply, undo, policy: see audit/patching.h. */
#include "audit/patching.h"
#include "base/json.h"
#include "base/str.h"
#include "cmd/site.h"
#include "show/patching.h"

#include <unistd.h>

static void said(void *context, enum patching_step step)
{
    struct cli *cli = context;
    show_patching_step(&cli->show, step);
}

static int complain(const struct error *e, int code)
{
    cli_complain(e);
    return code;
}

/* What is wrong with a plan or receipt is bad input; that it cannot be reached is, too. */
static bool read_inputs(struct cli *cli, struct patching_request *r, const char *path,
                        struct patch_plan **plan, struct patch_receipt **receipt)
{
    struct error e = ERROR_INIT;
    if (!patch_plan_read(plan, path, &e)) {
        error_prefix(&e, "the plan");
        cli_complain(&e);
        return false;
    }
    if (cli->receipt && !r->staging && !patch_receipt_read(receipt, cli->receipt, &e)) {
        error_prefix(&e, "the receipt");
        cli_complain(&e);
        return false;
    }
    r->plan = *plan;
    r->receipt = *receipt;
    return true;
}

static int exit_code(const struct patching *p)
{
    return patching_failures(p) ? EXIT_FOUND : patching_unknown(p) ? EXIT_UNKNOWN : EXIT_CLEAN;
}

static int run(struct cli *cli, struct patching *p, const struct patching_request *r,
               const char *path)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct error e = ERROR_INIT;
    const char *receipt = NULL;
    if (!patching_run(p, r, &e))
        return complain(&e, EXIT_UNKNOWN);
    int code = exit_code(p);
    if (r->staging && !patching_failures(p)) {
        receipt = cli->receipt ? cli->receipt : arena_printf(arena, "%s.receipt", path);
        if (!patching_write_receipt(p, r, receipt, &e)) {
            error_prefix(&e, "the receipt was not written");
            cli_complain(&e);
            receipt = NULL;
            code = EXIT_UNKNOWN;
        }
    }
    show_patching_result(&cli->show, p, r, receipt);
    return code;
}

/* Nothing is left to do, and nothing was torn: there is no need to touch the host. Staging goes on:
 * a receipt is wanted. */
static bool nothing_to_do(const struct patching *p, const struct patching_request *r)
{
    return !r->staging && !p->begun && !p->unfinished && p->there == p->packages.count;
}

static int check_and_run(struct cli *cli, const struct patching_request *r, const char *path)
{
    CLEANUP(patching_free) struct patching p = {0};
    struct error e = ERROR_INIT;
    if (!patching_check(&p, r, &e))
        return complain(&e, e.code == ERR_USAGE ? EXIT_USAGE : EXIT_UNKNOWN);
    show_patching_check(&cli->show, &p, r, path);
    bool may = patching_may_run(&p, r);
    if (cli->dry_run && may) {
        if (!patching_foresee(&p, r, &e))
            return complain(&e, EXIT_UNKNOWN);
        show_patching_foreseen(&cli->show, &p);
    }
    if (!may || cli->dry_run || nothing_to_do(&p, r)) {
        show_patching_end(&cli->show, &p, r, !may);
        return may ? EXIT_CLEAN : EXIT_FOUND;
    }
    if (geteuid() != 0) {
        fprintf(stderr, "yagura: %s\n", _("only root can install packages"));
        return EXIT_UNKNOWN;
    }
    if (!cli->yes && cli_can_ask(cli))
        show_patching_question(&cli->show, &p, r, path);
    if (!cli_confirm(cli, r->staging ? _("Try this plan on this host?")
                                     : _("Apply this plan to this host?")))
        return EXIT_USAGE;
    return run(cli, &p, r, path);
}

static struct patching_request request_of(struct cli *cli, const struct audit_request *audit)
{
    return (struct patching_request){.audit = audit,
                                     .who = cli->who ? cli->who : cli_who(),
                                     .recorded_by = cli_who(),
                                     .because = cli->because,
                                     .override = cli->override,
                                     .say = said,
                                     .context = cli};
}

int cli_patch_run(struct cli *cli, struct audit_request *request, const char *path, bool staging)
{
    CLEANUP(config_cleanup) struct config *config = cli_config(cli);
    CLEANUP(patch_plan_cleanup) struct patch_plan *plan = NULL;
    CLEANUP(patch_receipt_cleanup) struct patch_receipt *receipt = NULL;
    struct patching_request r = request_of(cli, request);
    r.staging = staging;
    if (cli->override && !(cli->because && *cli->because))
        return cli_usage(cli, _("--override wants a reason, for the ledger: --because TEXT"));
    if (!config || !read_inputs(cli, &r, path, &plan, &receipt))
        return EXIT_USAGE;
    r.policy = &config->patch;
    r.urls = config->health;
    r.url_count = config->health_count;
    if (!plan->packages.count) {
        fprintf(stderr, "yagura: %s\n",
                _("the plan has no packages: nothing that apt could bring is waiting, or it is of "
                  "no Debian. What else it asks for: yagura patch record"));
        const struct patching nothing = {.way_back = "", .missing = ""};
        if (cli->json)
            show_patching_end(&cli->show, &nothing, &r, false);
        return EXIT_CLEAN;
    }
    return check_and_run(cli, &r, path);
}

/* --- undo --- */

static void show_changes(struct cli *cli, const struct package_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct package_change *c = &changes->items[i];
        if (cli->json) {
            json_t *o = json_object();
            json_put_string(o, "type", "package");
            json_put_string(o, "name", c->name);
            json_put_string(o, "arch", c->arch);
            json_put_string(o, "before", c->to);
            json_put_string(o, "to", c->from);
            show_json_line(&cli->show, o);
        } else {
            CLEANUP_ARENA struct arena *arena = arena_new();
            show_wrap(&cli->show, "", 2,
                      arena_printf(arena, _("%s: from %s back to %s"), c->name,
                                   *c->to ? c->to : "-", *c->from ? c->from : "-"));
        }
    }
}

int cli_patch_undo(struct cli *cli, struct audit_request *request)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(audit_cleanup) struct audit *host = NULL;
    struct patching_request r = request_of(cli, request);
    struct package_changes changes;
    const char *plan, *log = "";
    struct error e = ERROR_INIT;
    if (!audit_collect(&host, request, &e))
        return complain(&e, EXIT_UNKNOWN);
    if (!patching_last(&changes, arena, &plan, request->state, host->identity, &e))
        return complain(&e, e.code == ERR_ABSENT ? EXIT_USAGE : EXIT_UNKNOWN);
    show_changes(cli, &changes);
    if (!cli->dry_run) {
        if (!cli_confirm(cli, _("Go back to these versions?")))
            return EXIT_USAGE;
        if (!patching_undo(&changes, plan, &r, host, &log, arena, &e)) {
            if (*log)
                show_hint(&cli->show, _("What apt and dpkg said:"), log);
            return complain(&e, EXIT_UNKNOWN);
        }
    }
    if (cli->json)
        cli_end_json(cli, 0, "packages", changes.count);
    else
        show_wrap(&cli->show, "", 0,
                  cli->dry_run
                      ? _("Nothing was changed: this was a look only.")
                      : _("Gone back. What runs still has the newer files open: restart it."));
    return EXIT_CLEAN;
}

int cli_patch_policy(struct cli *cli)
{
    if (cli->argument_count < 2 || !str_equal(cli->arguments[1], "print"))
        return cli_usage(cli, _("yagura patch policy print"));
    if (cli->json)
        return cli_usage(cli, _("a policy is YAML and is printed as such: without --json"));
    show_patch_policy(&cli->show);
    return EXIT_CLEAN;
}

#include "cmd/site.h"

#include "content/mtree.h"

#include <unistd.h>

/* The manifest itself on standard output, for minisign -V beside its signature. */
static int export_itself(const struct generation *g)
{
    const void *bytes;
    size_t size;
    manifest_bytes(g->manifest, &bytes, &size);
    return fwrite(bytes, 1, size, stdout) == size ? EXIT_CLEAN : EXIT_UNKNOWN;
}

int cmd_manifest(struct cli *cli)
{
    CLEANUP_OPEN_SITE struct open_site s = OPEN_SITE_INIT;
    CLEANUP_GENERATION struct generation g = {0};
    struct site_wants wants = {0};
    struct error e = ERROR_INIT;
    int code;
    if (!cli->argument_count || !str_equal(cli->arguments[0], "export"))
        return cli_usage(cli, _("manifest export?"));
    if (cli->json)
        return cli_usage(cli, _("a manifest is not printed as JSON: > FILE, or --mtree"));
    cli->arguments++;
    cli->argument_count--;
    bool opened = cli_site(cli, &wants, &s, &code) && cli_generation(cli, &s, &g, &code);
    cli->arguments--;
    cli->argument_count++;
    if (!opened)
        return code;
    if (!cli->mtree) {
        if (isatty(1))
            return cli_usage(cli, _("a manifest is no text: > FILE, or --mtree"));
        return export_itself(&g);
    }
    if (mtree_write(stdout, g.manifest, s.site.policies, cli->all, &e))
        return EXIT_CLEAN;
    cli_complain(&e);
    return EXIT_UNKNOWN;
}

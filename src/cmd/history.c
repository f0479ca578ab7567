#include "cmd/site.h"

#include "base/json.h"
#include "model/date.h"

/* False: it cannot be opened. */
static bool show_generation(struct cli *cli, const struct open_site *s, uint64_t number)
{
    CLEANUP_GENERATION struct generation g = {0};
    struct error e = ERROR_INIT;
    bool good = generation_open(&g, s->state, &s->site.row, number, &e);
    bool accepted = number == s->site.row.generation;
    char when[32] = "";
    if (good)
        date_format(manifest_made_ns(g.manifest) / 1000000000, when);
    if (cli->json) {
        json_t *o = json_object();
        json_put_string(o, "type", "generation");
        json_put_string(o, "site", s->site.row.name);
        json_put_int(o, "generation", (int64_t)number);
        json_put_string(o, "made", good ? when : NULL);
        json_put_int(o, "entries", good ? (int64_t)manifest_count(g.manifest) : 0);
        json_put_bool(o, "published", accepted);
        json_put_string(o, "error", good ? NULL : e.message);
        show_json_line(&cli->show, o);
    } else if (good)
        printf(ngettext("%c %4llu  %s  %u name\n", "%c %4llu  %s  %u names\n",
                        manifest_count(g.manifest) - 1),
               accepted ? '*' : ' ', (unsigned long long)number, when,
               manifest_count(g.manifest) - 1);
    else
        printf("? %4llu  %s\n", (unsigned long long)number, e.message);
    return good;
}

int cmd_history(struct cli *cli)
{
    CLEANUP_OPEN_SITE struct open_site s = OPEN_SITE_INIT;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct site_wants wants = {0};
    struct error e = ERROR_INIT;
    uint64_t *numbers;
    size_t count;
    int code;
    if (!cli_site(cli, &wants, &s, &code))
        return code;
    if (!generations_list(s.state, &s.site.row, arena, &numbers, &count, &e)) {
        cli_complain(&e);
        return EXIT_UNKNOWN;
    }
    size_t damaged = 0;
    for (size_t i = count; i-- > 0;)
        damaged += !show_generation(cli, &s, numbers[i]);
    if (cli->json)
        cli_end_json(cli, damaged, "generations", count);
    return damaged ? EXIT_UNKNOWN : EXIT_CLEAN;
}

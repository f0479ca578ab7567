#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>

int cmd_version_cmp(struct cli *cli)
{
    enum version_scheme scheme;
    if (cli->argument_count != 1 || !version_scheme_from_name(cli->arguments[0], &scheme))
        return cli_usage(cli, _("which order? dpkg, rpm, windows, solaris or generic"));
    CLEANUP_FREE char *line = NULL;
    size_t capacity = 0, number = 0, compared = 0;
    int code = EXIT_CLEAN;
    while (getline(&line, &capacity, stdin) > 0) {
        char *save = NULL, *text = str_trim(line);
        number++;
        if (!*text)
            continue;
        char *a = strtok_r(text, " \t", &save), *b = strtok_r(NULL, " \t", &save);
        if (!b || strtok_r(NULL, " \t", &save)) {
            fprintf(stderr, _("yagura: line %zu: a pair of versions is wanted: A B\n"), number);
            code = EXIT_USAGE;
            continue;
        }
        struct error e = ERROR_INIT;
        if (!version_check(scheme, a, &e) || !version_check(scheme, b, &e)) {
            char said[1024];
            fprintf(stderr, _("yagura: line %zu: %s\n"), number, error_text(&e, said, sizeof said));
            code = EXIT_USAGE;
        }
        int order = version_compare(scheme, a, b);
        const char *sign = order < 0 ? "<" : order > 0 ? ">" : "=";
        compared++;
        if (!cli->json) {
            puts(sign);
            continue;
        }
        json_t *o = json_object();
        json_put_string(o, "type", "comparison");
        json_put_string(o, "a", a);
        json_put_string(o, "b", b);
        json_put_string(o, "order", sign);
        show_json_line(&cli->show, o);
    }
    if (cli->json)
        cli_end_json(cli, 0, "pairs", compared);
    return code;
}

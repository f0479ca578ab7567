#include "cmd/cmd.h"

#include "base/json.h"
#include "base/str.h"
#include "cmd/config.h"

#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

/* What is read by a program, or searched for a word, stays one line. */
static void say(const char *text)
{
    struct show s;
    show_init(&s, stderr, false);
    if (!isatty(STDERR_FILENO))
        s.width = UINT_MAX / 2;
    show_wrap(&s, "yagura: ", 2, text);
}

void cli_complain(const struct error *e)
{
    char text[1024];
    CLEANUP_ARENA struct arena *arena = arena_new();
    say(show_as_called(arena, error_text(e, text, sizeof text)));
}

bool cli_lists(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, " ");
        if (n == length && memcmp(p, word, n) == 0)
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

const char *cli_usage_words(struct arena *arena, const struct command *c)
{
    CLEANUP_STR struct str out = {0};
    str_add(&out, c->usage);
    bool target = cli_lists(c->options, "--root");
    if (target) {
        str_printf(&out, "%s[--root%cDIR%c| --image%cFILE", out.length ? " " : "", SHOW_FIXED_BLANK,
                   SHOW_FIXED_BLANK, SHOW_FIXED_BLANK);
        if (cli_lists(c->options, "--text"))
            str_printf(&out, "%c| --text%cFILE", SHOW_FIXED_BLANK, SHOW_FIXED_BLANK);
        str_add_char(&out, ']');
    }
    for (size_t i = 0; i < cli_option_count; i++) {
        const struct option_row *o = &cli_options[i];
        if (!cli_lists(c->options, o->name) ||
            (target && cli_lists("--root --image --text", o->name)))
            continue;
        str_printf(&out, "%s[%s", out.length ? " " : "", o->name);
        if (o->argument)
            str_printf(&out, "%c%s", SHOW_FIXED_BLANK, o->argument);
        str_add_char(&out, ']');
    }
    return arena_strdup(arena, str_text(&out));
}

void cli_print_usage(struct show *s, const struct command *c)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (c)
        show_wrap(s, "", 8,
                  arena_printf(arena, _("Usage: %s %s %s"), show_program(arena), c->name,
                               cli_usage_words(arena, c)));
    else
        show_wrap(s, "", 8,
                  arena_printf(arena, _("Usage: %s COMMAND ...   (%s --help lists them)"),
                               show_program(arena), show_program(arena)));
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    struct error e = ERROR_INIT; /* what was typed may have been pasted: shown safely */
    va_list args;
    char text[1024];
    struct show s;
    CLEANUP_ARENA struct arena *arena = arena_new();
    show_init(&s, stderr, false);
    va_start(args, format);
    vsnprintf(e.message, sizeof e.message, format, args);
    va_end(args);
    say(show_as_called(arena, error_text(&e, text, sizeof text)));
    cli_print_usage(&s, cli->command);
    return EXIT_USAGE;
}

struct state *cli_state_or_fail(const struct cli *cli)
{
    struct state *s = NULL;
    struct error e = ERROR_INIT;
    char dir[4096];
    if (state_default_dir(dir, sizeof dir, cli->state, &e) && state_open(&s, dir, &e))
        return s;
    cli_complain(&e);
    return NULL;
}

struct state *cli_state_to_read(const struct cli *cli, struct error *e)
{
    struct state *s = NULL;
    char dir[4096];
    return state_default_dir(dir, sizeof dir, cli->state, e) && state_open_to_read(&s, dir, e)
               ? s
               : NULL;
}

struct state *cli_state_if_any(const struct cli *cli)
{
    struct error e = ERROR_INIT;
    struct state *s = cli_state_to_read(cli, &e);
    /* A folder that was named and is not there may be a slip of the finger. */
    if (!s && (cli->state || (e.code != ERR_ABSENT && e.code != ERR_USAGE)))
        cli_complain(&e);
    return s;
}

struct state *cli_state(const struct cli *cli)
{
    struct state *s = NULL;
    struct error e = ERROR_INIT, ignored = ERROR_INIT;
    char dir[4096];
    if (state_default_dir(dir, sizeof dir, cli->state, &e) && state_open(&s, dir, &e))
        return s;
    cli_complain(&e);
    s = cli_state_to_read(cli, &ignored);
    if (s)
        fprintf(stderr, _("yagura: the memory can only be read; nothing will be remembered\n"));
    else
        fprintf(stderr, _("yagura: going on without memory; nothing will be remembered\n"));
    return s;
}

static enum audit_policy patch_policy(const struct cli *cli)
{
    CLEANUP(config_cleanup) struct config *config = NULL;
    if (!config_load(&config, cli->config, NULL))
        return AUDIT_POLICY_UNREADABLE;
    return config->patch.set ? AUDIT_POLICY_SET : AUDIT_POLICY_NONE;
}

bool cli_request(const struct cli *cli, struct audit_request *out)
{
    int targets = !!cli->root + !!cli->image + !!cli->text;
    *out = (struct audit_request){.kind = TARGET_LIVE,
                                  .name = cli->name,
                                  .as_of = DATE_NONE,
                                  .rules_dir = cli->rules,
                                  .with_advisories = true,
                                  .with_checklist = true,
                                  .with_updates = true};
    if (targets > 1) {
        cli_usage(cli, _("one target at a time: --root, --image or --text"));
        return false;
    }
    if (cli->root) {
        out->kind = TARGET_ROOT;
        out->argument = cli->root;
    } else if (cli->image) {
        out->kind = TARGET_IMAGE;
        out->argument = cli->image;
    } else if (cli->text) {
        out->kind = TARGET_TEXT;
        out->argument = cli->text;
    }
    if (cli->as_of && !date_parse_day_end(cli->as_of, &out->as_of)) {
        cli_usage(cli, _("--as-of wants a date like 2001-06-06, not %s"), cli->as_of);
        return false;
    }
    out->patch_policy = patch_policy(cli);
    enum severity ignored;
    return cli_fail_on(cli, &ignored);
}

bool cli_fail_on(const struct cli *cli, enum severity *out)
{
    *out = SEVERITY_INFO;
    if (!cli->fail_on || severity_from_name(cli->fail_on, out))
        return true;
    cli_usage(cli, _("--fail-on is info, low, medium, high or critical, not %s"), cli->fail_on);
    return false;
}

int cli_code_of(const struct error *e)
{
    bool bad_input = e->code == ERR_ABSENT || e->code == ERR_USAGE || e->code == ERR_FORMAT ||
                     e->code == ERR_UNSUPPORTED;
    return bad_input ? EXIT_USAGE : EXIT_UNKNOWN;
}

struct audit *cli_audit(const struct cli *cli, const struct audit_request *request, int *code)
{
    struct audit *a = NULL;
    struct error e = ERROR_INIT;
    if (audit_run(&a, request, &e))
        return a;
    cli_complain(&e);
    *code = cli_code_of(&e);
    return NULL;
}

int cli_exit_code(const struct cli *cli, const struct audit *a)
{
    enum severity least;
    if (!cli_fail_on(cli, &least))
        return EXIT_USAGE;
    return audit_found(a, least) ? EXIT_FOUND : audit_unknown(a) ? EXIT_UNKNOWN : EXIT_CLEAN;
}

/* A user of /etc/passwd is found without the name service: when there is no memory for its first
 * use, glibc 2.36 goes on with a null pointer. */
static const char *local_user(uid_t uid)
{
    static char buffer[1024];
    static struct passwd entry;
    struct passwd *p = NULL;
    FILE *f = fopen("/etc/passwd", "re");
    if (!f)
        return NULL;
    while (fgetpwent_r(f, &entry, buffer, sizeof buffer, &p) == 0 && p->pw_uid != uid)
        p = NULL;
    fclose(f);
    return p ? p->pw_name : NULL;
}

const char *cli_who(void)
{
    const char *sudo = getenv("SUDO_USER");
    if (sudo && *sudo)
        return sudo;
    const char *local = local_user(getuid());
    const struct passwd *p = local ? NULL : getpwuid(getuid());
    return local ? local : p ? p->pw_name : "?";
}

void cli_paragraph(struct cli *cli, const char *label, const char *text)
{
    if (!text || !*text)
        return;
    CLEANUP_STR struct str first = {0};
    str_printf(&first, "%s ", label);
    for (unsigned n = show_columns(str_text(&first)); n < 11; n++)
        str_add_char(&first, ' ');
    show_wrap(&cli->show, str_text(&first), 11, text);
}

void cli_end_json(const struct cli *cli, size_t unknown, const char *key, size_t count)
{
    struct show show = cli->show;
    json_t *o = json_object();
    json_put_string(o, "type", "summary");
    json_put_int(o, "found", 0);
    json_put_int(o, "unknown", (int64_t)unknown);
    if (key)
        json_put_int(o, key, (int64_t)count);
    show_json_line(&show, o);
}

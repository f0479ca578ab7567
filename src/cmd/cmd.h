/* cmd.h - the command line: tables of commands and options, and what all commands share.
 *
 * A subcommand is one file here and one row in commands[] (main.c). It parses nothing itself:
 * its options are a table; --help, man pages and completion come from the same rows. Exit
 * codes, everywhere:
 *   0 nothing wrong   1 something was found   2 bad usage or input
 *   3 nothing was found, but something that was asked for could not be done or looked at */
#ifndef YAGURA_CMD_CMD_H
#define YAGURA_CMD_CMD_H

#include "audit/audit.h"
#include "base/error.h"
#include "model/date.h"
#include "show/show.h"

enum exit_code { EXIT_CLEAN = 0, EXIT_FOUND = 1, EXIT_USAGE = 2, EXIT_UNKNOWN = 3 };

enum option_type { OPTION_FLAG, OPTION_TEXT };
struct option_row {
    const char *name;        /* "--root" */
    const char *argument;    /* "DIR"; NULL for a flag */
    const char *help;        /* message id */
    size_t offset;           /* of the member of struct cli that it sets */
    const char *other_names; /* "-h", or NULL */
};

/* Everything that can be said on the command line; what was not said is NULL or false. */
struct cli {
    /* global */
    const char *state, *lang, *config;
    bool json, help, version;
    /* target */
    const char *root, *image, *text, *name;
    /* audit and the rest */
    const char *as_of, *fail_on, *rules, *because, *who, *when, *against, *before;
    const char *out, *receipt;
    bool all, checklist, gateway, man, completion, quarantine, override;
    const char *clamd;
    /* sites */
    const char *runbook, *first_sign, *mode, *site;
    bool apply;
    const char *profile, *generation, *keep, *from, *from_git;
    bool quick, yes, dry_run, mtree, detect_only, dpkg;
    /* ports */
    const char *allow, *trial, *from_outside;
    bool close, confirm, open;
    /* what stands without a dash, behind the command */
    const char *const *arguments;
    size_t argument_count;
    /* and behind "--", where the command takes a command line there */
    const char *const *behind;
    size_t behind_count;
    /* made by main */
    const struct command *command;
    struct show show;
};

struct command {
    const char *name;
    const char *usage;   /* what stands without a dash: "[ID ...]" */
    const char *summary; /* message id, one line */
    const char *details; /* message id, paragraphs for --help and the man page */
    const char *actions; /* what may stand first behind it: "list show"; "" = nothing fixed */
    const char *options; /* names of the rows it takes, space-separated; globals are implied */
    int (*run)(struct cli *cli);
};

extern const struct option_row cli_options[];
extern const size_t cli_option_count;
extern const size_t cli_global_option_count; /* the first ones: those of every command */
extern const struct command cli_commands[];
extern const size_t cli_command_count;

/* Prints "yagura: PATH:LINE: sentence" in the person's language on standard error. */
void cli_complain(const struct error *e);
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether WORDS, separated by spaces, has WORD. */
bool cli_lists(const char *words, const char *word);
/* "plan | record ID ... [--as-of DATE]": what may stand behind the command, every option too. */
const char *cli_usage_words(struct arena *arena, const struct command *c);
/* "Usage: yagura audit ...", of no command: of all. */
void cli_print_usage(struct show *s, const struct command *c);

/* Says so, with the nearest name that there is. */
int cli_unknown_command(const struct cli *cli, const char *word);
/* The word behind the command is none of its actions, or there is one too many. */
int cli_unknown_action(const struct cli *cli, const char *question);

/* Opens the state; without one the command goes on, and says once that nothing is remembered. */
struct state *cli_state(const struct cli *cli);
struct state *cli_state_or_fail(const struct cli *cli); /* NULL: said already */
/* For commands that only show: makes and writes nothing. NULL with the reason in *e; ERR_ABSENT
 * where nothing was ever remembered, which is for the command to say. */
struct state *cli_state_to_read(const struct cli *cli, struct error *e);
/* For those that have something to show without it, too: NULL, and said unless there is none. */
struct state *cli_state_if_any(const struct cli *cli);

/* The request for TARGET, --as-of, --name; false: said already, exit 2. */
bool cli_request(const struct cli *cli, struct audit_request *out);
/* A target that cannot be opened is bad input; what is in it, and what may not be read, is not. */
int cli_code_of(const struct error *e);
/* Audits; NULL: said already. *code is set for that case. */
struct audit *cli_audit(const struct cli *cli, const struct audit_request *request, int *code);
/* `yagura scan` of it, with the policies of yagura.yaml, and progress on the terminal; NULL
 * likewise. */
struct audit *cli_scan(struct cli *cli, const struct audit_request *asked,
                       const struct scan_request *wanted, struct scan_result *result, int *code);
/* 1 if anything open is at least --fail-on, else 3 if anything is unknown, else 0. */
int cli_exit_code(const struct cli *cli, const struct audit *a);
bool cli_fail_on(const struct cli *cli, enum severity *out);

/* Who runs this, for the record: whoever called sudo, or the user. */
const char *cli_who(void);
/* The last line of --json for commands that only show: found is 0, KEY (or NULL) counts. */
void cli_end_json(const struct cli *cli, size_t unknown, const char *key, size_t count);
/* "label      text", hanging; nothing where the text is NULL or empty. */
void cli_paragraph(struct cli *cli, const char *label, const char *text);

int cmd_audit(struct cli *cli);
int cmd_explain(struct cli *cli);
int cmd_facts(struct cli *cli);
int cmd_feed(struct cli *cli);
int cmd_advisory(struct cli *cli);
int cmd_rules(struct cli *cli);
int cmd_ports(struct cli *cli);
int cmd_ports_from_outside(struct cli *cli);
/* How that stands which we shut ourselves; of how much somebody took it away or changed it, or the
 * state knows nothing. */
size_t cli_say_firewall(struct cli *cli, struct state *state);
int cmd_ports_close(struct cli *cli); /* --close, --confirm, --open */
int cmd_scan(struct cli *cli);
int cmd_quarantine(struct cli *cli);
int cmd_patch(struct cli *cli);
/* patch stage, apply, undo and policy: in patch_apply.c. The plan is a file. */
int cli_patch_run(struct cli *cli, struct audit_request *request, const char *plan, bool staging);
int cli_patch_undo(struct cli *cli, struct audit_request *request);
int cli_patch_policy(struct cli *cli);
int cmd_ledger(struct cli *cli);
int cmd_version_cmp(struct cli *cli);
int cmd_init(struct cli *cli);
int cmd_verify(struct cli *cli);
int cmd_publish(struct cli *cli);
int cmd_restore(struct cli *cli);
int cmd_history(struct cli *cli);
int cmd_diff(struct cli *cli);
int cmd_gc(struct cli *cli);
int cmd_manifest(struct cli *cli);
int cmd_guard(struct cli *cli);
int cmd_on_tamper(struct cli *cli);
int cmd_up(struct cli *cli);
int cmd_status(struct cli *cli);
int cmd_respond(struct cli *cli);
int cmd_help(struct cli *cli);
void cmd_print_help(const struct command *c, FILE *out);
void cmd_print_overview(FILE *out);
void cmd_print_man(FILE *out);
void cmd_print_completion(FILE *out);

#endif

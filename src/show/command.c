/* command.c - the commands that a screen names: each can be pasted as it stands. */
#include "base/str.h"
#include "show/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How this process was called; like its name and its language there is one for all. */
static struct show_call call = {.program = "yagura"};

void show_called(const struct show_call *how)
{
    call = *how;
}

/* A word for the shell. Blanks inside of it are not where a command may be broken; what steers a
 * terminal is written so that the shell makes it. */
static void add_word(struct str *out, const char *word)
{
    bool control = false;
    for (const char *p = word; *p; p++)
        control |= (unsigned char)*p < 0x20 || str_steering(p, strlen(p));
    size_t before = out->length;
    if (!control) {
        str_add_shell_word(out, word);
    } else {
        str_add(out, "$'");
        for (const char *p = word; *p;) {
            size_t n = str_steering(p, strlen(p));
            n = n || (unsigned char)*p >= 0x20 ? n : 1;
            for (size_t i = 0; i < n; i++)
                str_printf(out, "\\x%02x", (unsigned char)p[i]);
            if (!n && (*p == '\'' || *p == '\\'))
                str_add_char(out, '\\');
            if (!n)
                str_add_char(out, *p);
            p += n ? n : 1;
        }
        str_add_char(out, '\'');
    }
    for (size_t i = before; i < out->length; i++)
        if (out->data[i] == ' ')
            out->data[i] = SHOW_FIXED_BLANK;
}

static void add_words(struct str *out, const char *words, size_t length)
{
    str_add_char(out, SHOW_COMMAND_BLANK);
    for (size_t i = 0; i < length; i++)
        str_add_char(out, words[i] == ' ' ? SHOW_COMMAND_BLANK : words[i]);
}

const char *show_program(struct arena *arena)
{
    CLEANUP_STR struct str out = {0};
    add_word(&out, call.program);
    return arena_strdup(arena, str_text(&out));
}

const char *show_command_on(struct arena *arena, const char *command, bool with_target)
{
    CLEANUP_STR struct str out = {0};
    add_word(&out, call.program);
    const char *flags = strstr(command, " --"); /* they come last */
    add_words(&out, command, flags ? (size_t)(flags - command) : strlen(command));
    for (size_t i = 0; i < call.count; i++) {
        const struct show_given *given = &call.given[i];
        if (!call.takes(command, given->option) || (given->of_target && !with_target))
            continue;
        str_add_char(&out, SHOW_COMMAND_BLANK);
        str_add(&out, given->option);
        str_add_char(&out, SHOW_FIXED_BLANK);
        add_word(&out, given->value);
    }
    if (flags)
        add_words(&out, flags + 1, strlen(flags + 1));
    return arena_strdup(arena, str_text(&out));
}

const char *show_command(struct arena *arena, const char *command)
{
    return show_command_on(arena, command, true);
}

/* Behind the program's name, before the command that follows there: in a sentence only what says
 * which memory it is about. */
static void add_memory(struct str *out, const char *command, char blank)
{
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strspn(command, "abcdefghijklmnopqrstuvwxyz-"),
             command);
    for (size_t i = 0; i < call.count; i++) {
        const struct show_given *given = &call.given[i];
        if ((!str_equal(given->option, "--state") && !str_equal(given->option, "--config")) ||
            !call.takes(name, given->option))
            continue;
        str_printf(out, "%c%s%c", blank, given->option, blank);
        add_word(out, given->value);
    }
}

/* Texts of lower floors name the program as it is installed. */
static const char installed[] = "yagura ";

const char *show_as_called(struct arena *arena, const char *text)
{
    CLEANUP_STR struct str out = {0};
    const char *from = text;
    for (const char *p; (p = strstr(from, installed)); from = p + strlen(installed)) {
        bool word = p == text || !strchr("/-_.", p[-1]);
        str_printf(&out, "%.*s", (int)(p - from), from);
        if (!word) {
            str_add(&out, installed);
            continue;
        }
        add_word(&out, call.program);
        add_memory(&out, p + strlen(installed), ' ');
        str_add_char(&out, ' ');
    }
    str_add(&out, from);
    return arena_strdup(arena, str_text(&out));
}

/* From here to the end of the line a command, with what it has in quotes kept together. */
static const char *add_command_line(struct str *out, const char *line)
{
    char quote = '\0';
    for (; *line && *line != '\n'; line++) {
        if (quote ? *line == quote : *line == '"' || *line == '\'')
            quote = quote ? '\0' : *line;
        str_add_char(out, *line != ' ' ? *line : quote ? SHOW_FIXED_BLANK : SHOW_COMMAND_BLANK);
    }
    return line;
}

const char *show_with_commands(struct arena *arena, const char *text)
{
    CLEANUP_STR struct str out = {0};
    for (const char *line = text; *line;) {
        if (line != text && str_starts(line, installed)) {
            line += strlen(installed);
            add_word(&out, call.program);
            add_memory(&out, line, SHOW_COMMAND_BLANK);
            str_add_char(&out, SHOW_COMMAND_BLANK);
            line = add_command_line(&out, line);
        } else {
            size_t n = strcspn(line, "\n");
            str_add(&out, show_as_called(arena, arena_printf(arena, "%.*s", (int)n, line)));
            line += n;
        }
        if (*line)
            str_add_char(&out, *line++);
    }
    return arena_strdup(arena, str_text(&out));
}

static bool is_on_path(const char *program)
{
    CLEANUP_FREE char *path = mem_strdup(getenv("PATH") ? getenv("PATH") : "");
    char *save = NULL;
    for (char *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
        CLEANUP_STR struct str full = {0};
        str_printf(&full, "%s/%s", dir, program);
        if (access(str_text(&full), X_OK) == 0)
            return true;
    }
    return false;
}

/* From `sudo` on, up to the end of the text or a full stop, what stands there is a command. */
const char *show_paste(struct arena *arena, const char *text)
{
    static const char sudo[] = "sudo ";
    const char *command = strstr(text, sudo);
    if (!command || (command != text && command[-1] != ' '))
        return text;
    bool without = geteuid() == 0 || !is_on_path("sudo");
    CLEANUP_STR struct str out = {0};
    str_printf(&out, "%.*s", (int)(command - text), text);
    for (const char *p = command; *p; p++) {
        /* where a command begins, not where the package sudo is named */
        bool begins = p == command || (p - text >= 3 && memcmp(p - 3, "&& ", 3) == 0);
        if (without && begins && str_starts(p, sudo))
            p += strlen(sudo);
        str_add_char(&out, *p == ' ' ? SHOW_COMMAND_BLANK : *p);
    }
    return arena_strdup(arena, str_text(&out));
}

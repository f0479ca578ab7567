#include "libexec/scan/program.h"

#include "base/error.h"
#include "base/file.h"
#include "base/language.h"
#include "base/mem.h"
#include "libexec/scan/pieces.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_TRIES = 400, MOST_RULES = 1000 * 1000 };

struct rules_text {
    struct rules_text *next; /* in the order in which they came */
    char *path, *text;
    size_t size;
    bool ours;
};

/* What the compiler says first of a text. */
struct complaint {
    int line;
    char sentence[512];
};

static void problem(const char *path, int line, const char *sentence)
{
    struct scan_reply reply = {.answer = SCAN_PROBLEM, .number = line > 0 ? (uint32_t)line : 0};
    snprintf(reply.path, sizeof reply.path, "%s", path);
    snprintf(reply.what, sizeof reply.what, "%s", sentence);
    program_reply(&reply);
}

void rules_text_add(struct rules_text **all, int fd, const char *path, bool ours)
{
    struct error e = ERROR_INIT;
    CLEANUP_FREE char *text = NULL;
    size_t size;
    if (!file_read_fd(&text, &size, fd, SCAN_MOST_RULES_BYTES, &e)) {
        problem(path, 0, e.message);
        return;
    }
    if (memchr(text, '\0', size)) {
        problem(path, 0, _("this is no text: compiled rules are not read, only their sources"));
        return;
    }
    struct rules_text *t = mem_alloc(sizeof *t);
    *t = (struct rules_text){
        .path = mem_strdup(path), .text = mem_strdup(text), .size = size, .ours = ours};
    int line = rule_pieces_without_magic(t->text);
    if (line)
        problem(path, line,
                _("the module magic needs a file of its own, which cannot be read here; rules that "
                  "use it are left out"));
    while (*all)
        all = &(*all)->next;
    *all = t;
}

bool rules_text_ours(const struct rules_text *all, const char *path)
{
    for (; all; all = all->next)
        if (str_equal(all->path, path))
            return all->ours;
    return false;
}

/* --- the compiler --- */

static void complain(int level, const char *file, int line, const YR_RULE *rule,
                     const char *message, void *context)
{
    struct complaint *c = context;
    if (level != YARA_ERROR_LEVEL_ERROR || *c->sentence)
        return;
    c->line = line;
    snprintf(c->sentence, sizeof c->sentence, "%s", message);
}

/* Nothing is opened here: what a rule includes has to be among the files that were handed in,
 * beside the one that includes it, or anywhere under its bare name. */
static const char *include(const char *name, const char *file, const char *from, void *context)
{
    const struct rules_text *all = context;
    const char *slash = from ? strrchr(from, '/') : NULL;
    CLEANUP_STR struct str beside = {0};
    const char *plain = str_starts(name, "./") ? name + 2 : name;
    str_add_bytes(&beside, from ? from : "", slash ? (size_t)(slash - from) + 1 : 0);
    str_add(&beside, plain);
    for (const struct rules_text *t = all; t; t = t->next)
        if (str_equal(t->path, str_text(&beside)))
            return mem_strdup(t->text);
    const char *bare = strrchr(plain, '/');
    bare = bare ? bare + 1 : plain;
    for (const struct rules_text *t = all; t; t = t->next) {
        const char *other = strrchr(t->path, '/');
        if (str_equal(other ? other + 1 : t->path, bare))
            return mem_strdup(t->text);
    }
    return NULL;
}

static void include_free(const char *text, void *context)
{
    free((void *)text);
}

static void compiler_cleanup(YR_COMPILER **compiler)
{
    if (*compiler)
        yr_compiler_destroy(*compiler);
}

/* The names that the yara program's users define on its command line, and rules count on. */
static YR_COMPILER *new_compiler(struct rules_text *all, struct complaint *c)
{
    static const char *const names[] = {"filename", "filepath", "extension", "filetype", "owner"};
    YR_COMPILER *compiler = NULL;
    if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
        mem_gone();
    yr_compiler_set_callback(compiler, complain, c);
    yr_compiler_set_include_callback(compiler, include, include_free, all);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (yr_compiler_define_string_variable(compiler, names[i], "") != ERROR_SUCCESS)
            mem_gone();
    return compiler;
}

static bool compiles(struct rules_text *all, const struct rules_text *t, const char *text,
                     struct complaint *c)
{
    *c = (struct complaint){0};
    CLEANUP(compiler_cleanup) YR_COMPILER *compiler = new_compiler(all, c);
    return yr_compiler_add_string(compiler, text, t->path) == 0;
}

/* --- a file with a broken rule --- */

struct mending {
    struct rules_text *all, *text;
    struct rule_pieces pieces;
    unsigned tries;
};

static void keep(struct mending *m, size_t first, size_t count, bool kept)
{
    for (size_t i = first; i < first + count; i++)
        m->pieces.kept[i] = kept;
}

/* Takes as many of these pieces as compile with those taken before; each other one is told. */
static void take_pieces(struct mending *m, size_t first, size_t count)
{
    struct complaint c = {0};
    keep(m, first, count, true);
    CLEANUP_FREE char *text = rule_pieces_text(&m->pieces, m->text->text);
    if (m->tries++ < MOST_TRIES && compiles(m->all, m->text, text, &c))
        return;
    keep(m, first, count, false);
    if (m->tries > MOST_TRIES) {
        if (m->tries == MOST_TRIES + 1)
            problem(m->text->path, 0,
                    _("too many broken rules: the rest of this file is left out"));
        return;
    }
    if (count == 1) {
        problem(m->text->path, c.line, c.sentence);
        return;
    }
    take_pieces(m, first, count / 2);
    take_pieces(m, first + count / 2, count - count / 2);
}

static void mend(struct rules_text *all, struct rules_text *t)
{
    struct mending m = {.all = all, .text = t};
    rule_pieces_cut(&m.pieces, t->text, t->size);
    take_pieces(&m, 0, m.pieces.count);
    char *kept = rule_pieces_text(&m.pieces, t->text);
    free(t->text);
    t->text = kept;
    rule_pieces_free(&m.pieces);
}

/* --- all of them --- */

static YR_RULES *compile_all(struct rules_text *all, struct complaint *c)
{
    YR_RULES *rules = NULL;
    *c = (struct complaint){0};
    CLEANUP(compiler_cleanup) YR_COMPILER *compiler = new_compiler(all, c);
    for (const struct rules_text *t = all; t; t = t->next)
        if (yr_compiler_add_string(compiler, t->text, t->path) != 0)
            return NULL;
    return yr_compiler_get_rules(compiler, &rules) == ERROR_SUCCESS ? rules : NULL;
}

YR_RULES *rules_text_compile(struct rules_text *all, uint32_t *count)
{
    struct complaint c;
    *count = 0;
    YR_RULES *rules = compile_all(all, &c);
    if (!rules) { /* which files? The compiler stops at the first */
        for (struct rules_text *t = all; t; t = t->next)
            if (!compiles(all, t, t->text, &c))
                mend(all, t);
        rules = compile_all(all, &c);
        if (!rules)
            problem("", 0, *c.sentence ? c.sentence : _("all rules together do not compile"));
    }
    YR_RULE *rule;
    if (rules)
        yr_rules_foreach(rules, rule)++ *count;
    return rules;
}

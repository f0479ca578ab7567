/* A runbook is read whole or refused with the place of what is wrong in it. */
#include "base/str.h"
#include "respond/runbook.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD "id: ours\ntitle: {en: Ours, ja: \xe7\xa7\x81}\nsteps:\n"
#define STEP                                                                                       \
    "  - id: one\n    title: One\n    text: {en: Do it}\n    why: {ja: "                           \
    "\xe7\x90\x86\xe7\x94\xb1}\n"

struct broken {
    const char *text;
    uint64_t line;
    const char *says;
};
static const struct broken texts[] = {
    {"- a list\n", 1, "one map"},
    {"", 1, "one map"},
    {"id: ours\ntitle: T\n", 1, "id, title and steps"},
    {HEAD "  []\n", 4, "between 1 and 64"},
    {HEAD STEP "    undo: no\n", 4, "\"verify\""},
    {HEAD STEP "    undo: no\n    verify: []\n", 4, "nothing verifies"},
    {HEAD STEP "    verify: [opened]\n", 4, "\"undo\""},
    {HEAD STEP "    undo: no\n    verify: [looks-fine]\n", 9, "no check \"looks-fine\""},
    {HEAD STEP "    undo: no\n    verify: [opened]\n    action: rm\n", 10, "no action \"rm\""},
    {HEAD STEP "    undo: no\n    verify: [{opened: yes}]\n", 9, "a check is its name"},
    {HEAD STEP "    undo: no\n    verify: [opened]\n    autor: me\n", 10, "no key \"autor\""},
    {HEAD STEP "    undo: no\n    verify: [opened]\n" STEP "    undo: no\n    verify: [opened]\n",
     10, "two steps"},
    {HEAD "  - id: 7\n    title: x\n    text: x\n    why: x\n    undo: x\n    verify: [opened]\n",
     4, "a word"},
    {HEAD "  - id: a\n    title: {fr: un}\n    text: x\n", 5, "en and ja"},
    {HEAD "  - id: a\n    title: {en: \"\"}\n    text: x\n", 5, "empty"},
    {"id: \"\"\ntitle: T\n", 1, "a word"},
    /* a slip of the pen that would show in an emergency, or never */
    {HEAD STEP "    undo: no\n    verify: [{check: holes, leest: low}]\n", 9,
     "\"holes\" takes no \"leest\""},
    {HEAD STEP "    undo: no\n    verify: [{check: holes, least: lo}]\n", 9,
     "\"least\" is one of: info low"},
    {HEAD STEP "    undo: no\n    verify: [{check: holes, least: [low]}]\n", 9, "wants a text"},
    {HEAD STEP "    undo: no\n    verify: [{check: content, site: a}]\n", 9,
     "\"content\" takes no \"site\""},
    {HEAD STEP "    undo: no\n    verify: [{check: step-done, step: one}]\n", 9,
     "no step \"one\" before"},
    {HEAD STEP "    undo: no\n    verify: [step-done]\n", 9, "wants \"step\""},
    {HEAD STEP "    undo: no\n    verify: [opened]\n    action: {action: isolate, mode: wbe}\n", 10,
     "\"mode\" is one of: web contain full"},
    {HEAD STEP "    undo: {action: isolate, mode: we}\n    verify: [opened]\n", 8,
     "\"mode\" is one of"},
    {HEAD STEP "    undo: no\n    verify: [opened]\n    action: {action: report, fax: 1}\n", 10,
     "\"report\" takes no \"fax\""},
    {HEAD STEP "    undo: no\n    verify: [content]\n    action: restore\n    offline: yes\n", 11,
     "\"restore\" changes the host"},
};

static bool load(struct runbook **out, const char *text, struct arena *arena, struct error *e)
{
    CLEANUP_FREE char *dir = support_temp_dir();
    support_write(dir, "book.yaml", text, strlen(text));
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/book.yaml", dir);
    bool good = runbook_load(out, path.data, arena, e);
    support_remove_tree(dir);
    return good;
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct runbook *book = NULL;
        struct error e = ERROR_INIT;
        if (load(&book, texts[i].text, arena, &e))
            fail_msg("taken: %s", texts[i].text);
        if (e.line != texts[i].line || !strstr(e.message, texts[i].says))
            fail_msg("%zu: line %llu: %s", i, (unsigned long long)e.line, e.message);
    }
}

static void a_good_one_is_read(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(runbook_cleanup) struct runbook *book = NULL;
    struct error e = ERROR_INIT;
    if (!load(&book, HEAD STEP "    undo: no\n    verify: [opened, {check: holes, least: low}]\n",
              arena, &e))
        fail_msg("%s", e.message);
    assert_int_equal(book->steps.count, 1);
    assert_ptr_equal(runbook_find(book, "one"), runbook_find(book, "0"));
    assert_null(runbook_find(book, "1"));
    assert_null(runbook_find(book, "two"));
    const struct runbook_step *step = runbook_find(book, "one");
    assert_string_equal(runbook_text(&step->title), "One");
    assert_string_equal(runbook_text(&step->why),
                        "\xe7\x90\x86\xe7\x94\xb1"); /* there is no other */
    assert_string_equal(runbook_argument(&step->verify.items[1], "least", "high"), "low");
    assert_string_equal(runbook_argument(&step->verify.items[0], "least", "high"), "high");
}

static void arguments_that_are_known_are_taken(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(runbook_cleanup) struct runbook *book = NULL;
    struct error e = ERROR_INIT;
    if (!load(&book,
              HEAD STEP "    undo: {action: isolate, mode: full}\n    verify: [opened]\n"
                        "    action: {action: report, forms: ./ours, organisation: Kanuma}\n"
                        "  - {id: two, title: Two, text: x, why: x, undo: no, action: holes,\n"
                        "     verify: [{check: step-done, step: one}, {check: step-done, step: 0}]}"
                        "\n",
              arena, &e))
        fail_msg("%s", e.message);
    assert_string_equal(runbook_argument(&book->steps.items[0].undo, "mode", "web"), "full");
}

static void check_text(const struct runbook_text *text, const char *step)
{
    if (!text->en || !text->ja || !*text->en || !*text->ja)
        fail_msg("%s: \"%s\" is not in both languages", step, runbook_text(text));
}

static void the_shipped_one_speaks_both_languages(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP(runbook_cleanup) struct runbook *book = NULL;
    struct error e = ERROR_INIT;
    if (!runbook_load(&book, "data/runbooks/defacement.yaml", arena, &e))
        fail_msg("%s", e.message);
    check_text(&book->title, "title");
    for (size_t i = 0; i < book->steps.count; i++) {
        const struct runbook_step *s = &book->steps.items[i];
        check_text(&s->title, s->id);
        check_text(&s->text, s->id);
        check_text(&s->why, s->id);
        for (size_t k = 0; k < s->person.count; k++)
            check_text(&s->person.items[k], s->id);
        for (size_t k = 0; k < s->evidence.count; k++)
            check_text(&s->evidence.items[k], s->id);
        if (!s->undo.name)
            check_text(&s->no_undo, s->id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(a_good_one_is_read),
        cmocka_unit_test(arguments_that_are_known_are_taken),
        cmocka_unit_test(the_shipped_one_speaks_both_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rules over facts: which apply, what they say as a whole, and the findings of them. */
#include "base/str.h"
#include "judge/rules.h"
#include "model/date.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD "title: T\nid: 6b0f9a52-5a0e-4f0d-9a52-1d2a6c1f7b01\nlevel: high\n"
#define MAP_RULE                                                                                   \
    HEAD "description: '{extension} goes to {handler}'\n"                                          \
         "logsource: {category: script-map, product: windows}\n"                                   \
         "detection:\n  s: {extension: .printer}\n  condition: s\n"

struct world {
    char *dir;
    struct arena *arena;
    struct sigma_problems problems;
    struct rules *rules;
    struct facts *facts;
    struct rule_results *results;
};

static struct world world_new(void)
{
    struct world w = {.dir = support_temp_dir(), .arena = arena_new(), .facts = facts_new()};
    w.problems.arena = w.arena;
    return w;
}

static void world_end(struct world *w)
{
    rule_results_free(w->results);
    rules_free(w->rules);
    facts_free(w->facts);
    sigma_problems_free(&w->problems);
    arena_free(w->arena);
    support_remove_tree(w->dir);
    free(w->dir);
}

static void put(struct world *w, const char *file, const char *text)
{
    support_write(w->dir, file, text, strlen(text));
}

static void load(struct world *w)
{
    struct error e = ERROR_INIT;
    const char *dirs[] = {w->dir};
    if (!rules_load(&w->rules, dirs, 1, &w->problems, &e))
        fail_msg("%s", e.message);
}

/* A fact of keys and values in turn; "?" is unreadable, "-" absent. */
static struct fact *add(struct world *w, const char *kind, const char *const *pairs)
{
    struct fact *f = facts_add(w->facts, kind, "where", 7, -1, CONFIDENCE_HIGH);
    for (size_t i = 0; pairs[i]; i += 2)
        fact_put_state(w->facts, f, pairs[i],
                       str_equal(pairs[i + 1], "?")   ? VALUE_UNREADABLE
                       : str_equal(pairs[i + 1], "-") ? VALUE_ABSENT
                                                      : VALUE_TEXT,
                       pairs[i + 1]);
    return f;
}
#define ADD(kind, ...) add(&w, kind, (const char *const[]){__VA_ARGS__, NULL})

static const char *outcome(struct world *w, const char *name)
{
    rule_results_free(w->results);
    w->results = rules_evaluate(w->rules, w->facts);
    const struct rule_result *r = rule_results_find(w->results, name);
    return r ? rule_outcome_name(r->outcome) : "no such rule";
}

static void a_rule_as_a_whole_is_what_its_records_make_it(void **state)
{
    struct world w = world_new();
    put(&w, "m.yml", MAP_RULE);
    load(&w);
    assert_string_equal(outcome(&w, "m"), "not-applicable"); /* no host */
    ADD("host", "family", "windows", "version", "5.0", "name", "H");
    assert_string_equal(outcome(&w, "m"), "unknown"); /* nobody says that there are no maps */
    ADD("complete", "of", "script-map", "found", "0");
    assert_string_equal(outcome(&w, "m"), "quiet");
    ADD("script-map", "extension", ".asp");
    assert_string_equal(outcome(&w, "m"), "quiet");
    ADD("unread", "what", "script-map: MetaBase.bin", "reason", "damaged");
    assert_string_equal(outcome(&w, "m"), "unknown");
    assert_string_equal(rule_results_find(w.results, "m")->reason, "damaged");
    ADD("script-map", "extension", ".printer");
    assert_string_equal(outcome(&w, "m"), "fires");
    assert_int_equal(rule_results_find(w.results, "m")->fired_count, 1);
    world_end(&w);
}

static void a_kind_that_an_unread_fact_lists_is_unknown(void **state)
{
    struct world w = world_new();
    put(&w, "l.yml",
        HEAD "logsource: {category: leaving}\ndetection: {s: {of: code-red}, condition: s}\n");
    load(&w);
    ADD("host", "family", "windows", "version", "5.0", "name", "H");
    assert_string_equal(outcome(&w, "l"), "quiet"); /* of leavings there may be none */
    ADD("unread", "what", "files", "reason", "a text", "kinds", "file leavings hotfix-leaving");
    assert_string_equal(outcome(&w, "l"), "quiet"); /* not the same word */
    ADD("unread", "what", "files", "reason", "a text", "kinds", "file leaving share");
    assert_string_equal(outcome(&w, "l"), "unknown");
    assert_string_equal(rule_results_find(w.results, "l")->reason, "a text");
    world_end(&w);
}

static void a_wanted_key_that_nobody_stated_is_unknown(void **state)
{
    struct world w = world_new();
    put(&w, "f.yml",
        HEAD "logsource: {category: host}\n"
             "detection: {s: {'file-mode:/etc/x': null}, condition: s}\n");
    load(&w);
    struct fact *host = ADD("host", "family", "debian");
    assert_string_equal(outcome(&w, "f"), "unknown");
    fact_put_state(w.facts, host, "FILE-mode:/etc/X", VALUE_ABSENT, "");
    assert_string_equal(outcome(&w, "f"), "fires");
    for (int i = 0; i < 100; i++) { /* enough keys to be hashed */
        char key[32];
        snprintf(key, sizeof key, "file:/%d", i);
        fact_put(w.facts, host, key, "present");
    }
    assert_string_equal(outcome(&w, "f"), "fires");
    const char *const *wants;
    assert_int_equal(rules_wants(w.rules, &wants), 1);
    assert_string_equal(wants[0], "file-mode:/etc/x");
    world_end(&w);
}

static void also_is_and_of_three_values(void **state)
{
    static const struct {
        const char *map, *mode, *outcome;
    } rows[] = {
        {".printer", "0777", "fires"}, {".printer", "0755", "quiet"}, {".printer", "?", "unknown"},
        {".asp", "0777", "quiet"},     {".asp", "?", "quiet"},        {"?", "0755", "quiet"},
        {"?", "0777", "unknown"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct world w = world_new();
        put(&w, "m.yml", MAP_RULE "yagura: {also: [f]}\n");
        put(&w, "f.yml",
            HEAD "logsource: {category: host}\n"
                 "detection: {s: {'file-mode:/x': '0777'}, condition: s}\n");
        load(&w);
        ADD("host", "family", "windows", "file-mode:/x", rows[i].mode);
        ADD("script-map", "extension", rows[i].map);
        if (!str_equal(outcome(&w, "m"), rows[i].outcome))
            fail_msg("row %zu: %s", i, outcome(&w, "m"));
        world_end(&w);
    }
}

static void circles_and_missing_rules_are_left_out_by_name(void **state)
{
    struct world w = world_new();
    put(&w, "a.yml", MAP_RULE "yagura: {also: [b]}\n");
    put(&w, "b.yml", MAP_RULE "yagura: {also: [a]}\n");
    put(&w, "c.yml", MAP_RULE "yagura: {also: [nowhere]}\n");
    put(&w, "d.yml", MAP_RULE);
    load(&w);
    assert_int_equal(rules_count(w.rules), 1);
    assert_non_null(rules_find(w.rules, "d"));
    assert_int_equal(w.problems.list.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_false(w.problems.list.items[i].warning);
    world_end(&w);
}

static void rules_speak_of_their_targets_only(void **state)
{
    static const struct {
        const char *ours, *family, *version, *product, *product_version;
        bool applies;
    } rows[] = {
        {"{set: iis4}", "windows", "4.0", "iis", "4.0", true},
        {"{set: iis4}", "windows", "5.0", "iis", "5.0", false},
        {"{set: [iis4, iis5]}", "windows", "5.0", "iis", "5.0", true},
        {"{set: apache13}", "windows", "5.0", "apache-httpd", "1.3.20", true},
        {"{set: apache13}", "windows", "5.0", "apache-httpd", "1.30", false},
        {"{set: netscape}", "windows", "5.0", "netscape-enterprise", "3.6", true},
        {"{applies: {iis: '5.0'}}", "windows", "5.0", "iis", "5.0", true},
        {"{applies: {iis: '5.0'}}", "windows", "5.0", "iis", "5.1", false},
        {"{applies: {windows: '5.0'}}", "windows", "5.0", "iis", "6", true},
        {"{applies: [{iis: '4.0'}, windows]}", "windows", "5.0", "iis", "6", true},
        {"{set: solaris}", "windows", "5.0", "iis", "5.0", false},
        {"{}", "solaris", "5.7", "iis", "5.0", false}, /* logsource.product is windows */
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct world w = world_new();
        char text[1024];
        snprintf(text, sizeof text, "%syagura: %s\n", MAP_RULE, rows[i].ours);
        put(&w, "m.yml", text);
        load(&w);
        ADD("host", "family", rows[i].family, "version", rows[i].version);
        ADD("product", "name", rows[i].product, "version", rows[i].product_version);
        if (rules_applies(rules_at(w.rules, 0), w.facts) != rows[i].applies)
            fail_msg("row %zu: %s", i, rows[i].ours);
        world_end(&w);
    }
}

/* By which checklist a server of unknown version is judged, its collector says. */
static void a_server_of_unknown_version_has_the_likely_checklist(void **state)
{
    static const struct {
        const char *likely;
        bool applies;
    } rows[] = {{"4.0", true}, {"5.0", false}, {"", false}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct world w = world_new();
        put(&w, "m.yml", MAP_RULE "yagura: {set: iis4}\n");
        load(&w);
        ADD("host", "family", "windows", "version", "4.0");
        ADD("product", "name", "iis", "version", "?", "likely", rows[i].likely);
        assert_int_equal(rules_applies(rules_at(w.rules, 0), w.facts), rows[i].applies);
        world_end(&w);
    }
}

static void findings_name_subject_reason_and_remedy(void **state)
{
    struct world w = world_new();
    put(&w, "m.yml",
        MAP_RULE "yagura:\n  set: iis5\n  why: because\n  fix: mend {extension}\n"
                 "  steps: [do it]\n  source: MS01-023\n");
    put(&w, "h.yml", MAP_RULE "yagura: {helper: true}\n");
    load(&w);
    ADD("host", "family", "windows", "name", "H");
    ADD("product", "name", "iis", "version", "5.0");
    ADD("script-map", "extension", ".printer", "handler", "a.dll", "instance", "1");
    struct fact *second = ADD("script-map", "extension", ".PRINTER", "handler", "b.dll");
    second->confidence = CONFIDENCE_LOW;
    ADD("script-map", "extension", "?", "handler", "c.dll");
    outcome(&w, "m");
    CLEANUP(findings_cleanup) struct findings *out = findings_new();
    rules_judge(out, w.results, w.facts, NULL, "identity");
    assert_int_equal(out->list.count, 3); /* .printer, .PRINTER, the unreadable one; no helper */
    const struct finding *f = out->list.items[0];
    assert_int_equal(f->verdict, VERDICT_AFFECTED);
    assert_string_equal(f->rule_id, "m");
    assert_string_equal(f->subject_kind, "script-map");
    assert_string_equal(f->subject_name, ".printer");
    assert_string_equal(f->checklist, "iis5");
    assert_string_equal(message_text(w.arena, &f->summary), ".printer goes to a.dll");
    assert_string_equal(message_text(w.arena, &f->remedy), "mend .printer");
    assert_int_equal(f->steps.count, 1);
    assert_string_equal(f->evidence.items[0].path, "where");
    assert_int_equal(out->list.items[1]->confidence, CONFIDENCE_LOW);
    assert_int_equal(out->list.items[2]->verdict, VERDICT_UNKNOWN);
    assert_string_equal(out->list.items[2]->subject_name, "H");
    CLEANUP(findings_cleanup) struct findings *none = findings_new();
    rules_judge(none, w.results, w.facts, "iis4", "identity");
    assert_int_equal(none->list.count, 0);
    world_end(&w);
}

static int64_t day(const char *text)
{
    int64_t when;
    assert_true(date_parse_day_end(text, &when));
    return when;
}

static void that_day_says_nothing_of_later_days(void **state)
{
    static const struct {
        const char *day, *source, *why;
        size_t findings, notes;
        enum severity severity;
    } rows[] = {
        {"1999-12-31", NULL, NULL, 0, 0, SEVERITY_INFO},       /* the server was not there yet */
        {"2000-12-31", NULL, NULL, 0, 0, SEVERITY_INFO},       /* since */
        {"2001-01-01", "SEED", "because", 1, 1, SEVERITY_LOW}, /* on filters in front */
        {"2001-06-18", "MS01-033", "it overflows", 1, 2, SEVERITY_HIGH},
        {"2001-07-13", "MS01-033", "it overflows", 1, 3, SEVERITY_HIGH},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct world w = world_new();
        put(&w, "m.yml",
            MAP_RULE "yagura:\n  set: iis5\n  why: because\n  fix: mend\n  source: SEED\n"
                     "  since: 2001-01-01\n  later:\n"
                     "  - {date: 2001-06-18, before: low, text: it overflows, source: MS01-033}\n"
                     "  - {date: 2001-07-13, text: a worm, reference: 'https://x.example/'}\n");
        load(&w);
        assert_int_equal(w.problems.list.count, 0);
        ADD("host", "family", "windows", "name", "H");
        ADD("product", "name", "iis", "version", "5.0");
        ADD("script-map", "extension", ".printer", "handler", "a.dll");
        outcome(&w, "m");
        rule_results_as_of(w.results, w.facts, day(rows[i].day));
        CLEANUP(findings_cleanup) struct findings *out = findings_new();
        rules_judge(out, w.results, w.facts, NULL, "identity");
        assert_int_equal(out->list.count, rows[i].findings);
        assert_int_equal(rule_results_too_early(w.results), !rows[i].findings);
        /* What an advisory asks of the rule does not hang on the day. */
        assert_int_equal(rule_results_truth(w.results, "m", NULL), TRUTH_TRUE);
        if (rows[i].findings) {
            const struct finding *f = out->list.items[0];
            assert_string_equal(f->rule_source, rows[i].source);
            assert_string_equal(f->why.id, rows[i].why);
            assert_int_equal(f->severity, rows[i].severity);
            assert_int_equal(f->notes.count, rows[i].notes);
            assert_int_equal(f->references.count, rows[i].notes == 3);
        }
        world_end(&w);
    }
}

static void days_that_are_none_are_named(void **state)
{
    static const char *const rows[] = {
        "since: soon",
        "later: [{text: x}]",
        "later: [{date: 2001-13-01, text: x}]",
        "later: [{date: 2001-06-18, level: low}]",
        "later: [{date: 2001-06-18, before: bad}]",
        "later: {date: 2001-06-18}",
        "later: [2001-06-18]",
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct world w = world_new();
        put(&w, "m.yml", arena_printf(w.arena, MAP_RULE "yagura: {%s}\n", rows[i]));
        load(&w);
        if (rules_count(w.rules) || !w.problems.list.count || !w.problems.list.items[0].line)
            fail_msg("%s", rows[i]);
        world_end(&w);
    }
    struct world w = world_new();
    put(&w, "m.yml",
        MAP_RULE "yagura:\n  since: 2001-07-01\n"
                 "  later: [{date: 2001-06-18, text: x}]\n");
    load(&w);
    rules_lint(w.rules, &w.problems);
    bool named = false;
    for (size_t i = 0; i < w.problems.list.count; i++)
        named |= strstr(w.problems.list.items[i].message, "before since") != NULL;
    assert_true(named);
    world_end(&w);
}

static void the_same_subject_twice_is_one_finding(void **state)
{
    struct world w = world_new();
    put(&w, "m.yml", MAP_RULE);
    load(&w);
    ADD("host", "family", "windows");
    ADD("script-map", "extension", ".printer", "instance", "1");
    ADD("script-map", "extension", ".printer", "instance", "2");
    outcome(&w, "m");
    CLEANUP(findings_cleanup) struct findings *out = findings_new();
    rules_judge(out, w.results, w.facts, NULL, "identity");
    assert_int_equal(out->list.count, 1);
    assert_int_equal(out->list.items[0]->evidence.count, 2);
    world_end(&w);
}

/* One finding a package, that shows the first files and is called by all of them. */
static void what_is_gathered_is_one_finding_of_just_these_records(void **state)
{
    enum { FILES = 30, SHOWN = 16 };
    char before[17] = "";
    for (int more = 0; more < 3; more++) {
        struct world w = world_new();
        put(&w, "m.yml",
            HEAD "description: '{count} of {package}: {names}'\n"
                 "logsource: {category: packaged-file, product: linux}\n"
                 "detection:\n  s: {state: changed}\n  condition: s\n"
                 "yagura: {subject: package, gathers: path, steps: ['keep {names}']}\n");
        load(&w);
        ADD("host", "family", "linux", "name", "H");
        for (int i = 0; i < FILES + (more > 0); i++) {
            char path[32];
            snprintf(path, sizeof path, "/usr/bin/%02d", i);
            ADD("packaged-file", "package", "tool", "path", path, "state", "changed");
        }
        if (more == 2)
            ADD("packaged-file", "package", "tool", "path", "/usr/bin/x", "state", "?");
        ADD("packaged-file", "package", "other", "path", "/usr/bin/o", "state", "changed");
        outcome(&w, "m");
        CLEANUP(findings_cleanup) struct findings *out = findings_new();
        rules_judge(out, w.results, w.facts, NULL, "identity");
        assert_int_equal(out->list.count, 2);
        const struct finding *f = out->list.items[0];
        assert_string_equal(f->subject_name, "tool");
        assert_int_equal(f->evidence.count, SHOWN);
        assert_string_equal(message_text(w.arena, &f->summary),
                            more ? "31 of tool: /usr/bin/00, /usr/bin/01, /usr/bin/02, "
                                   "/usr/bin/03, /usr/bin/04 ..."
                                 : "30 of tool: /usr/bin/00, /usr/bin/01, /usr/bin/02, "
                                   "/usr/bin/03, /usr/bin/04 ...");
        assert_true(str_starts(message_text(w.arena, &f->steps.items[0]), "keep /usr/bin/00, "));
        assert_string_equal(message_text(w.arena, &out->list.items[1]->summary),
                            "1 of other: /usr/bin/o");
        assert_string_not_equal(f->id, before);
        memcpy(before, f->id, sizeof before);
        world_end(&w);
    }
}

static void many_unknown_records_are_one_finding(void **state)
{
    struct world w = world_new();
    put(&w, "m.yml", MAP_RULE);
    load(&w);
    ADD("host", "family", "windows", "name", "H");
    for (int i = 0; i < 9; i++)
        ADD("script-map", "extension", "?", "instance", "1");
    outcome(&w, "m");
    CLEANUP(findings_cleanup) struct findings *out = findings_new();
    rules_judge(out, w.results, w.facts, NULL, "identity");
    assert_int_equal(out->list.count, 1);
    assert_int_equal(out->list.items[0]->evidence.count, 9);
    world_end(&w);
}

static void advisories_ask_by_name(void **state)
{
    struct world w = world_new();
    const struct fact *why = NULL;
    put(&w, "m.yml", MAP_RULE "yagura: {helper: true}\n");
    load(&w);
    ADD("host", "family", "windows");
    struct fact *f = ADD("script-map", "extension", ".printer");
    outcome(&w, "m");
    assert_int_equal(rule_results_truth(w.results, "m", &why), TRUTH_TRUE);
    assert_ptr_equal(why, f);
    assert_int_equal(rule_results_truth(w.results, "no-such-rule", &why), TRUTH_UNKNOWN);
    assert_null(why);
    world_end(&w);
}

static void rules_of_other_origin_load_as_they_are(void **state)
{
    struct world w = world_new();
    put(&w, "proc.yml",
        "title: Whoami\nid: e28a5a99-da44-436d-b7a0-2afc20a5f413\nauthor: someone\n"
        "date: 2018-08-13\nlogsource:\n    category: process_creation\n    product: windows\n"
        "detection:\n    selection:\n        - Image|endswith: '\\whoami.exe'\n"
        "        - OriginalFileName: whoami.exe\n    condition: selection\nlevel: medium\n");
    put(&w, "count.yml",
        "title: Old\nlogsource: {product: linux}\n"
        "detection: {s: {a: b}, condition: 's | count() by x > 3'}\n");
    put(&w, "broken.yml", "title: [unclosed\n");
    put(&w, "notes.txt", "no rule");
    load(&w);
    assert_int_equal(rules_count(w.rules), 1);
    assert_int_equal(w.problems.list.count, 2);
    ADD("host", "family", "windows");
    assert_string_equal(outcome(&w, "proc"), "not-applicable"); /* no facts of that kind */
    world_end(&w);
}

static void the_later_directory_wins(void **state)
{
    struct world w = world_new();
    put(&w, "1/m.yml", MAP_RULE);
    put(&w, "2/m.yml",
        "title: Mine\nlogsource: {category: host}\n"
        "detection: {s: {a: b}, condition: s}\n");
    const char *dirs[] = {arena_printf(w.arena, "%s/1", w.dir), "/nowhere",
                          arena_printf(w.arena, "%s/2", w.dir)};
    struct error e = ERROR_INIT;
    assert_true(rules_load(&w.rules, dirs, 3, &w.problems, &e));
    assert_int_equal(rules_count(w.rules), 1);
    assert_string_equal(rules_find(w.rules, "m")->title, "Mine");
    struct rules *none = NULL;
    assert_false(rules_load(&none, dirs + 1, 1, NULL, &e));
    assert_null(none);
    assert_int_equal(e.code, ERR_ABSENT);
    world_end(&w);
}

static bool told(const struct world *w, const char *text)
{
    for (size_t i = 0; i < w->problems.list.count; i++)
        if (strstr(w->problems.list.items[i].message, text))
            return true;
    return false;
}

static void lint_names_what_is_not_good(void **state)
{
    struct world w = world_new();
    put(&w, "bad.yml",
        "title: T\nid: 12\nlogsource: {category: script-map}\n"
        "detection: {s: {extention: x, 'file:/x': present}, condition: s}\n"
        "yagura: {set: iis9, wy: typo}\n");
    put(&w, "odd.yml",
        HEAD "logsource: {category: nothing}\n"
             "detection: {s: {a: x}, condition: s}\n");
    load(&w);
    rules_lint(w.rules, &w.problems);
    static const char *const expected[] = {
        "no field \"extention\"",
        "category host only: \"file:/x\"",
        "unknown set \"iis9\"",
        "unknown key \"wy\"",
        "why is missing",
        "fix is missing",
        "no example that fires",
        "id is no UUID \"12\"",
        "no facts of category \"nothing\"",
    };
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
        if (!told(&w, expected[i]))
            fail_msg("not told: %s", expected[i]);
    world_end(&w);
}

static void examples_that_do_not_hold_are_named(void **state)
{
    struct world w = world_new();
    put(&w, "m.yml",
        MAP_RULE "yagura:\n  examples:\n    - record: {extension: .printer}\n      expect: fires\n"
                 "    - record: {extension: {unreadable: x}}\n      expect: unknown\n"
                 "    - record: {extension: {absent: true}}\n      expect: fires\n");
    load(&w);
    assert_int_equal(rules_test(w.rules, &w.problems), 3);
    assert_int_equal(w.problems.list.count, 1);
    assert_int_equal(w.problems.list.items[0].line, 15);
    assert_true(told(&w, "expects \"fires\" and the rule says \"quiet\""));
    world_end(&w);
}

static void bad_levels_and_shapes_are_errors(void **state)
{
    static const char *const bad[] = {
        "title: T\nlevel: severe\nlogsource: {category: host}\n"
        "detection: {s: {a: b}, condition: s}\n",
        "title: T\nlogsource: host\ndetection: {s: {a: b}, condition: s}\n",
        "title: T\nlogsource: {category: host}\n",
        "logsource: {category: host}\ndetection: {s: {a: b}, condition: s}\n",
        "title: T\nlogsource: {category: host}\ndetection: {s: {a: b}, condition: s}\n"
        "yagura: {weight: -1}\n",
        "- a\n",
        "",
        "--- \ntitle: a\n--- \ntitle: b\n",
        "title: T\ncorrelation: {}\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct rules *rules = NULL;
        struct error e = ERROR_INIT;
        if (rules_load_text(&rules, "r", bad[i], strlen(bad[i]), NULL, &e))
            fail_msg("loads: %s", bad[i]);
        assert_null(rules);
        assert_int_equal(e.code, ERR_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_as_a_whole_is_what_its_records_make_it),
        cmocka_unit_test(a_kind_that_an_unread_fact_lists_is_unknown),
        cmocka_unit_test(a_wanted_key_that_nobody_stated_is_unknown),
        cmocka_unit_test(also_is_and_of_three_values),
        cmocka_unit_test(circles_and_missing_rules_are_left_out_by_name),
        cmocka_unit_test(rules_speak_of_their_targets_only),
        cmocka_unit_test(a_server_of_unknown_version_has_the_likely_checklist),
        cmocka_unit_test(findings_name_subject_reason_and_remedy),
        cmocka_unit_test(that_day_says_nothing_of_later_days),
        cmocka_unit_test(days_that_are_none_are_named),
        cmocka_unit_test(the_same_subject_twice_is_one_finding),
        cmocka_unit_test(what_is_gathered_is_one_finding_of_just_these_records),
        cmocka_unit_test(many_unknown_records_are_one_finding),
        cmocka_unit_test(advisories_ask_by_name),
        cmocka_unit_test(rules_of_other_origin_load_as_they_are),
        cmocka_unit_test(the_later_directory_wins),
        cmocka_unit_test(lint_names_what_is_not_good),
        cmocka_unit_test(examples_that_do_not_hold_are_named),
        cmocka_unit_test(bad_levels_and_shapes_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

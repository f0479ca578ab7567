/* From findings to steps: what falls away, what goes into which step, in which order. */
#include "base/mem.h"
#include "base/str.h"
#include "judge/plan.h"
#include "model/date.h"
#include "tests/judge/fixture.h"
#include "tests/support.h"

static enum truth rule(void *context, const char *name, const struct fact **why)
{
    if (why)
        *why = NULL;
    return TRUTH_TRUE;
}

struct made {
    struct arena *arena;
    struct advisories *set;
    struct facts *facts;
    struct findings *findings;
    struct judge_input in;
    struct plan *plan;
};

static struct made begin(const char *const *documents, size_t count, const char *lines)
{
    struct made m = {.arena = arena_new(),
                     .set = fixture_advisories(documents, count),
                     .facts = fixture_facts(lines),
                     .findings = findings_new()};
    m.in = (struct judge_input){
        .facts = m.facts, .advisories = m.set, .identity = "t", .as_of = DATE_NONE, .rule = rule};
    return m;
}

static void end(struct made *m)
{
    plan_free(m->plan);
    findings_free(m->findings);
    facts_free(m->facts);
    advisories_close(m->set);
    arena_free(m->arena);
}

/* A finding as a judge would have made it. */
static struct finding *finding(struct made *m, int kind, const char *id, const char *patch)
{
    struct finding *f = findings_add(m->findings);
    f->rule_kind = kind;
    f->rule_id = id;
    f->rule_title = id;
    f->verdict = VERDICT_AFFECTED;
    f->severity = SEVERITY_MEDIUM;
    f->subject_kind = "host";
    f->subject_name = "h";
    if (patch)
        VEC_PUSH(&f->patches, patch);
    else
        f->remedy = message_of(id);
    return f;
}

static const struct plan_step *closing(const struct made *m, const char *id)
{
    const struct plan_step *found = NULL;
    for (size_t i = 0; i < m->plan->steps.count; i++)
        for (size_t k = 0; k < m->plan->steps.items[i]->closes.count; k++)
            if (str_equal(m->plan->steps.items[i]->closes.items[k], id)) {
                assert_true(!found || found->part == PLAN_NOW);
                found = m->plan->steps.items[i];
            }
    return found;
}

static void a_chain_comes_down_to_one_patch(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "", "", ""),
                          fixture_bulletin(a, "MS00-002", "2000-02-01", "Q2", "Q1", "", ""),
                          fixture_bulletin(a, "MS01-003", "2001-03-01", "Q3", "Q2", "", "")};
    struct made m = begin(docs, 3, WINDOWS_HOST("") "{\"kind\":\"patch-before\",\"id\":\"Q2\"}\n");
    judge_advisories(m.findings, &m.in);
    findings_sort(m.findings);
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->bulletins, 3);
    assert_int_equal(m.plan->steps.count, 2);
    assert_int_equal(m.plan->steps.items[0]->part, PLAN_NOW);
    assert_string_equal(m.plan->steps.items[0]->what.id, "Unmap it.");
    assert_string_equal(m.plan->steps.items[1]->patch, "Q3");
    assert_int_equal(m.plan->steps.items[1]->closes.count, 3);
    assert_true(m.plan->steps.items[1]->lost);
    end(&m);
}

/* Whatever the order of the findings: a step that falls away into one that falls away, too. */
static void what_a_dropped_step_closes_is_never_lost(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "", "", ""),
                          fixture_bulletin(a, "MS00-002", "2000-02-01", "Q2", "Q1", "", ""),
                          fixture_bulletin(a, "MS01-003", "2001-03-01", "Q3", "Q2", "", "")};
    static const char *const ids[] = {"A1", "A2", "A3"}, *const patches[] = {"Q1", "Q2", "Q3"};
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t o = 0; o < ARRAY_COUNT(orders); o++)
        for (int with_pack = 0; with_pack < 2; with_pack++) {
            struct made m = begin(docs, 3, WINDOWS_HOST(""));
            for (size_t i = 0; i < 3; i++)
                finding(&m, RULE_ADVISORY, ids[orders[o][i]], patches[orders[o][i]]);
            if (with_pack) { /* all bulletins of the fixture are contained in Service Pack 4 */
                finding(&m, RULE_ADVISORY, "SP3", "service-pack:windows:5.0:3");
                finding(&m, RULE_ADVISORY, "SP4", "service-pack:windows:5.0:4");
            }
            m.plan = plan_make(m.findings, &m.in);
            assert_int_equal(m.plan->steps.count, 1);
            for (size_t i = 0; i < 3; i++)
                assert_non_null(closing(&m, ids[i]));
            assert_string_equal(m.plan->steps.items[0]->patch,
                                with_pack ? "service-pack:windows:5.0:4" : "Q3");
            assert_int_equal(m.plan->steps.items[0]->closes.count, with_pack ? 5 : 3);
            end(&m);
        }
}

static void packs_of_two_products_do_not_replace_each_other(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "", "", "")};
    struct made m = begin(docs, 1, WINDOWS_HOST(""));
    finding(&m, RULE_ADVISORY, "A", "service-pack:windows:5.0:2");
    finding(&m, RULE_ADVISORY, "B", "service-pack:iplanet:4.1:8");
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->steps.count, 2);
    assert_string_equal(closing(&m, "A")->patch, "service-pack:windows:5.0:2");
    end(&m);
}

static const char needs_2[] =
    ",{\"namespace\":\"urn:yagura:requires\",\"uri\":\"urn:yagura:requires:windows:5.0:2\"}";

/* What is required stands before it, under the name of the step that brings it. */
static void what_is_needed_comes_first_and_is_a_step(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    /* the further URIs of `supersedes` go to the patch */
    const char *with_need = arena_printf(a, "Q9\"}%.*s", (int)strlen(needs_2) - 2, needs_2);
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", with_need, "", "")};
    struct made m = begin(docs, 1, WINDOWS_HOST(""));
    finding(&m, RULE_ADVISORY, "A", "Q1");
    finding(&m, RULE_ADVISORY, "SP3", "service-pack:windows:5.0:3");
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->steps.count, 2);
    assert_string_equal(m.plan->steps.items[0]->patch, "service-pack:windows:5.0:3");
    assert_true(m.plan->steps.items[0]->restart);
    assert_int_equal(m.plan->steps.items[1]->needs.count, 1);
    assert_string_equal(m.plan->steps.items[1]->needs.items[0], "service-pack:windows:5.0:3");
    end(&m);
    /* nobody asks for it: a step all the same, checked by the facts */
    m = begin(docs, 1, WINDOWS_HOST(""));
    finding(&m, RULE_ADVISORY, "A", "Q1");
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->steps.count, 2);
    assert_string_equal(m.plan->steps.items[0]->patch, "service-pack:windows:5.0:2");
    assert_int_equal(m.plan->steps.items[0]->closes.count, 0);
    assert_non_null(str_find_nocase(m.plan->steps.items[0]->check.id, "facts"));
    end(&m);
}

static void a_checklist_that_asks_for_the_patch_goes_into_its_step(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "", "", ""),
                          fixture_bulletin(a, "MS01-003", "2001-03-01", "Q3", "Q1", "", "")};
    struct made m = begin(docs, 2, WINDOWS_HOST(""));
    finding(&m, RULE_CHECKLIST, "roll-up", "Q1"); /* Q3 supersedes it */
    finding(&m, RULE_CHECKLIST, "pack", "service-pack:windows:5.0:1");
    finding(&m, RULE_CHECKLIST, "setting", NULL);
    finding(&m, RULE_ADVISORY, "A", "Q3");
    finding(&m, RULE_ADVISORY, "B", "service-pack:windows:5.0:2");
    m.plan = plan_make(m.findings, &m.in);
    /* the fixture's patches are contained in Service Pack 4 only */
    assert_int_equal(m.plan->steps.count, 3);
    assert_string_equal(closing(&m, "roll-up")->patch, "Q3");
    assert_string_equal(closing(&m, "pack")->patch, "service-pack:windows:5.0:2");
    assert_int_equal(m.plan->open_settings, 1);
    assert_int_equal(closing(&m, "setting")->part, PLAN_SETTING);
    end(&m);
    /* no advisory asks: it is a patch all the same, not a setting */
    m = begin(docs, 2, WINDOWS_HOST(""));
    struct finding *f = finding(&m, RULE_CHECKLIST, "roll-up", "Q1");
    VEC_PUSH(&f->patches, "Q3");
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->steps.count, 1);
    assert_string_equal(m.plan->steps.items[0]->patch, "Q3");
    assert_int_equal(m.plan->steps.items[0]->part, PLAN_PATCH);
    assert_int_equal(m.plan->open_settings, 0);
    end(&m);
}

/* The workaround of an exploited hole is the setting that the checklist asks for. */
static void a_setting_that_an_advisory_names_is_done_once(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *extra =
        ",{\"namespace\":\"urn:yagura:exposed-by\",\"uri\":\"urn:yagura:exposed-by:mapped\"}";
    const char *docs[] = {fixture_bulletin(a, "MS01-023", "2001-05-01", "Q1", "", "", extra)};
    struct made m = begin(docs, 1, WINDOWS_HOST(""));
    judge_advisories(m.findings, &m.in);
    struct finding *f = finding(&m, RULE_CHECKLIST, "mapped", NULL);
    f->subject_kind = "script-map";
    f->subject_name = ".printer";
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->steps.count, 2);
    assert_int_equal(closing(&m, "mapped")->part, PLAN_NOW);
    assert_string_equal(closing(&m, "mapped")->about_setting, "mapped");
    assert_string_equal(closing(&m, "mapped")->subjects.items[0], ".printer");
    end(&m);
}

static void two_rules_of_the_same_words_about_the_host_are_two_steps(void **state)
{
    struct made m = begin(NULL, 0, WINDOWS_HOST(""));
    static const char *const rules[] = {"log-folder", "repair-folder"};
    static const char *const services[] = {"telnet", "ftp"};
    for (size_t i = 0; i < 2; i++) {
        finding(&m, RULE_CHECKLIST, rules[i], NULL)->remedy = message_of("Delete the folder.");
        struct finding *f = finding(&m, RULE_CHECKLIST, services[i], NULL);
        f->remedy = message_of("Disable the service.");
        f->subject_kind = "service";
        f->subject_name = services[i];
    }
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->steps.count, 3);
    assert_string_equal(closing(&m, "log-folder")->title, "log-folder");
    assert_ptr_equal(closing(&m, "telnet"), closing(&m, "ftp"));
    assert_null(closing(&m, "ftp")->title);
    end(&m);
}

static void who_has_been_in_comes_first_and_once(void **state)
{
    struct made m = begin(NULL, 0, WINDOWS_HOST(""));
    finding(&m, RULE_CHECKLIST, "worm-port", NULL)->remedy = message_of("Install it anew.");
    finding(&m, RULE_LEAVING, "worm", NULL)->remedy = message_of("Install it anew.");
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->steps.count, 1);
    assert_true(m.plan->steps.items[0]->intrusion);
    assert_int_equal(m.plan->steps.items[0]->closes.count, 2);
    end(&m);
}

static void updates_come_before_restarts_and_the_host_last(void **state)
{
    struct made m = begin(NULL, 0, "{\"kind\":\"host\",\"family\":\"debian\"}\n");
    struct finding *f = finding(&m, RULE_RESTART, "kernel-restart-needed", NULL);
    f->subject_kind = "kernel";
    finding(&m, RULE_RESTART, "service-restart-needed", NULL);
    f = finding(&m, RULE_UPDATE, "debian-security-update", NULL);
    VEC_PUSH(&f->steps, message_of("sudo apt-get update && sudo apt-get install openssl"));
    finding(&m, RULE_CHECKLIST, "setting", NULL);
    m.plan = plan_make(m.findings, &m.in);
    static const char *const wanted[] = {"debian-security-update", "service-restart-needed",
                                         "kernel-restart-needed", "setting"};
    assert_int_equal(m.plan->steps.count, ARRAY_COUNT(wanted));
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
        assert_string_equal(m.plan->steps.items[i]->closes.items[0], wanted[i]);
    assert_int_equal(m.plan->steps.items[2]->reboot, 1);
    assert_int_equal(m.plan->open_settings, 1);
    end(&m);
}

static void what_has_no_remedy_is_said_last(void **state)
{
    struct made m = begin(NULL, 0, WINDOWS_HOST(""));
    struct finding *f = finding(&m, RULE_ADVISORY, "A", NULL);
    f->remedy = (struct message){0};
    f->summary = message_of("It is open.");
    finding(&m, RULE_CHECKLIST, "setting", NULL);
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->steps.count, 2);
    assert_int_equal(m.plan->steps.items[1]->part, PLAN_NO_REMEDY);
    assert_string_equal(m.plan->steps.items[1]->what.id, "It is open.");
    end(&m);
}

static void patches_seen_before_that_nobody_knows_are_named(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "Q0", "", "")};
    struct made m =
        begin(docs, 1,
              WINDOWS_HOST("") MARKER("Q8") "{\"kind\":\"patch-before\",\"id\":\"Q7\"}\n"
                                            "{\"kind\":\"patch-before\",\"id\":\"Q8\"}\n"
                                            "{\"kind\":\"patch-before\",\"id\":\"Q0\"}\n"
                                            "{\"kind\":\"hotfix-leavings\",\"id\":\"Q7\"}\n");
    m.plan = plan_make(m.findings, &m.in);
    assert_int_equal(m.plan->gone.count, 1);
    assert_string_equal(m.plan->gone.items[0], "Q7");
    end(&m);
}

static void assert_order(const struct plan *p, const char *const *patches, size_t count)
{
    assert_int_equal(p->steps.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(p->steps.items[i]->patch, patches[i]);
        assert_int_equal(p->steps.items[i]->order, i + 1);
    }
}

/* What an incident asks for comes first, and what that needs before it. */
static void what_is_put_first_takes_what_it_needs_along(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *with_need = arena_printf(a, "Q9\"}%.*s", (int)strlen(needs_2) - 2, needs_2);
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", with_need, "", ""),
                          fixture_bulletin(a, "MS00-002", "2000-01-02", "Q2", "Q0", "", ""),
                          fixture_bulletin(a, "MS00-003", "2000-01-03", "Q3", "Q0", "", "")};
    struct made m = begin(docs, ARRAY_COUNT(docs), WINDOWS_HOST(""));
    const struct finding *second = finding(&m, RULE_ADVISORY, "B", "Q2");
    finding(&m, RULE_ADVISORY, "C", "Q3");
    const struct finding *first = finding(&m, RULE_ADVISORY, "A", "Q1");
    m.plan = plan_make(m.findings, &m.in);
    const struct finding *order[] = {second, first};
    static const char pack[] = "service-pack:windows:5.0:2";
    assert_int_equal(plan_put_first(m.plan, order, 0), 0);
    assert_string_equal(m.plan->steps.items[0]->patch, pack);
    assert_int_equal(plan_put_first(m.plan, order, 2), 3);
    assert_order(m.plan, (const char *const[]){"Q2", pack, "Q1", "Q3"}, 4);
    /* the same again, the other way round */
    const struct finding *turned[] = {first, second};
    assert_int_equal(plan_put_first(m.plan, turned, 2), 3);
    assert_order(m.plan, (const char *const[]){pack, "Q1", "Q2", "Q3"}, 4);
    end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_comes_down_to_one_patch),
        cmocka_unit_test(what_a_dropped_step_closes_is_never_lost),
        cmocka_unit_test(packs_of_two_products_do_not_replace_each_other),
        cmocka_unit_test(what_is_needed_comes_first_and_is_a_step),
        cmocka_unit_test(a_checklist_that_asks_for_the_patch_goes_into_its_step),
        cmocka_unit_test(a_setting_that_an_advisory_names_is_done_once),
        cmocka_unit_test(two_rules_of_the_same_words_about_the_host_are_two_steps),
        cmocka_unit_test(who_has_been_in_comes_first_and_once),
        cmocka_unit_test(updates_come_before_restarts_and_the_host_last),
        cmocka_unit_test(what_has_no_remedy_is_said_last),
        cmocka_unit_test(patches_seen_before_that_nobody_knows_are_named),
        cmocka_unit_test(what_is_put_first_takes_what_it_needs_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

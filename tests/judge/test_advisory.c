/* The table of verdicts, row by row; supersedence; reach; dates. */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "judge/advisory.h"
#include "judge/coverage.h"
#include "model/date.h"
#include "tests/judge/fixture.h"
#include "tests/support.h"

#include <stdlib.h>

static enum truth answer = TRUTH_TRUE;
static enum truth rule(void *context, const char *name, const struct fact **why)
{
    if (why)
        *why = NULL;
    return answer;
}

#define UNREAD_HOTFIXES                                                                            \
    "{\"kind\":\"unread\",\"what\":\"hotfixes\",\"reason\":\"some of its keys are damaged\"}\n"

struct judged {
    struct arena *arena;
    struct advisories *set;
    struct facts *facts;
    struct findings *findings;
    struct judge_input in;
};

static struct judged judge(const char *const *documents, size_t count, const char *lines,
                           int64_t as_of)
{
    struct judged j = {.arena = arena_new(),
                       .set = fixture_advisories(documents, count),
                       .facts = fixture_facts(lines),
                       .findings = findings_new()};
    j.in = (struct judge_input){
        .facts = j.facts, .advisories = j.set, .identity = "t", .as_of = as_of, .rule = rule};
    judge_advisories(j.findings, &j.in);
    findings_sort(j.findings);
    return j;
}

static void done(struct judged *j)
{
    findings_free(j->findings);
    facts_free(j->facts);
    advisories_close(j->set);
    arena_free(j->arena);
}

static const struct finding *find(const struct judged *j, const char *id)
{
    for (size_t i = 0; i < j->findings->list.count; i++)
        if (str_equal(j->findings->list.items[i]->rule_id, id))
            return j->findings->list.items[i];
    return NULL;
}

static void every_row_of_the_table(void **state)
{
    static const struct {
        const char *what, *range, *facts;
        enum verdict verdict;
        enum confidence confidence;
    } rows[] = {
        {"marker, new file", "vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("\"5.0.2195.100\"")) MARKER("Q1"), VERDICT_FIXED, CONFIDENCE_HIGH},
        {"no marker, new file", "vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("\"5.0.2195.101\"")), VERDICT_FIXED, CONFIDENCE_HIGH},
        {"marker, old file", "vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("\"5.0.2195.99\"")) MARKER("Q1"), VERDICT_BROKEN, CONFIDENCE_HIGH},
        {"no marker, old file", "vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("\"5.0.2195.99\"")), VERDICT_AFFECTED, CONFIDENCE_HIGH},
        {"marker, no version known", "", WINDOWS_HOST("") MARKER("Q1"), VERDICT_FIXED,
         CONFIDENCE_LOW},
        {"no marker, no version known", "", WINDOWS_HOST(""), VERDICT_AFFECTED, CONFIDENCE_HIGH},
        {"marker, unreadable", "vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("{\"unreadable\":\"bad PE\"}")) MARKER("Q1"), VERDICT_UNKNOWN,
         CONFIDENCE_HIGH},
        {"no marker, unreadable", "vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("{\"unreadable\":\"bad PE\"}")), VERDICT_UNKNOWN, CONFIDENCE_HIGH},
        {"file was never looked at", "vers:windows/>=5.0.2195.100", WINDOWS_HOST(""),
         VERDICT_UNKNOWN, CONFIDENCE_HIGH},
        {"component not there", "vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("{\"absent\":true}")), VERDICT_NOT_AFFECTED, CONFIDENCE_MEDIUM},
        {"another patch's marker", "", WINDOWS_HOST("") MARKER("Q2"), VERDICT_AFFECTED,
         CONFIDENCE_HIGH},
        {"nothing to prove it, and the records are not whole", "", WINDOWS_HOST("") UNREAD_HOTFIXES,
         VERDICT_UNKNOWN, CONFIDENCE_HIGH},
        {"an old file proves it whatever the records say", "vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("\"5.0.2195.50\"")) UNREAD_HOTFIXES, VERDICT_AFFECTED,
         CONFIDENCE_HIGH},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *docs[] = {
            fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", rows[i].range, "")};
        struct judged j = judge(docs, 1, rows[i].facts, DATE_NONE);
        const struct finding *f = find(&j, "MS01-001");
        if (!f || f->verdict != rows[i].verdict || f->confidence != rows[i].confidence)
            fail_msg("%s: %s", rows[i].what, f ? verdict_name(f->verdict) : "no finding");
        done(&j);
    }
}

/* The same product, once built by its administrator, once out of a distribution's package. */
static void an_upstream_number_alone_says_nothing_of_a_package(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", "")};
    CLEANUP_STR struct str packaged = {0};
    const char *lines = WINDOWS_HOST(""), *mark = strstr(lines, "\"name\":\"iis\"");
    assert_non_null(mark);
    str_printf(&packaged, "%.*s\"package\":\"iis 5.0-1\",%s", (int)(mark - lines), lines, mark);
    struct judged j = judge(docs, 1, lines, DATE_NONE);
    assert_int_equal(find(&j, "MS01-001")->verdict, VERDICT_AFFECTED);
    done(&j);
    j = judge(docs, 1, str_text(&packaged), DATE_NONE);
    assert_int_equal(find(&j, "MS01-001")->verdict, VERDICT_UNKNOWN);
    done(&j);
}

static void a_superseding_patch_is_marker_and_proof(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "", "", ""),
                          fixture_bulletin(a, "MS00-002", "2000-02-01", "Q2", "Q1", "", ""),
                          fixture_bulletin(a, "MS01-003", "2001-03-01", "Q3", "Q2",
                                           "vers:windows/>=5.0.2195.300", "")};
    struct judged j = judge(docs, 3, WINDOWS_HOST(FILE_IS("\"5.0.2195.300\"")), DATE_NONE);
    assert_int_equal(find(&j, "MS00-001")->verdict, VERDICT_FIXED);
    assert_int_equal(find(&j, "MS00-001")->confidence, CONFIDENCE_HIGH);
    done(&j);
    j = judge(docs, 3, WINDOWS_HOST(FILE_IS("\"5.0.2195.299\"")) MARKER("Q3"), DATE_NONE);
    assert_int_equal(find(&j, "MS00-001")->verdict, VERDICT_BROKEN);
    done(&j);
    j = judge(docs, 3, WINDOWS_HOST(FILE_IS("\"5.0.2195.299\"")), DATE_NONE);
    assert_int_equal(find(&j, "MS00-001")->verdict, VERDICT_AFFECTED);
    assert_string_equal(find(&j, "MS00-001")->patches.items[0], "Q3");
    done(&j);
    /* what might prove it cannot be read: nobody knows */
    j = judge(docs, 3, WINDOWS_HOST(FILE_IS("{\"unreadable\":\"no volume\"}")), DATE_NONE);
    assert_int_equal(find(&j, "MS00-001")->verdict, VERDICT_UNKNOWN);
    done(&j);
}

static void a_service_pack_brings_what_it_contains(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {
        fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", ""),
        fixture_bulletin(a, "MS01-002", "2001-01-01", "Q2", "", "vers:windows/>=5.0.2195.100", "")};
    const char *lines =
        "{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"5.0\","
        "\"service_pack\":\"4\"" FILE_IS(
            "\"5.0.2195.50\"") "}\n"
                               "{\"kind\":\"product\",\"name\":\"iis\",\"version\":\"5.0\"}\n";
    struct judged j = judge(docs, 2, lines, DATE_NONE);
    assert_int_equal(find(&j, "MS01-001")->verdict, VERDICT_FIXED);
    assert_int_equal(find(&j, "MS01-002")->verdict, VERDICT_BROKEN);
    done(&j);
}

static void patches_in_a_circle_count_only_for_themselves(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "Q2", "", ""),
                          fixture_bulletin(a, "MS01-002", "2001-01-02", "Q2", "Q1", "", "")};
    struct judged j = judge(docs, 2, WINDOWS_HOST("") MARKER("Q2"), DATE_NONE);
    assert_int_equal(find(&j, "MS01-001")->verdict, VERDICT_AFFECTED);
    assert_int_equal(find(&j, "MS01-002")->verdict, VERDICT_FIXED);
    assert_int_equal(find(&j, "circular-supersedence")->verdict, VERDICT_UNKNOWN);
    done(&j);
}

static void that_day_knows_nothing_of_later_days(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", ""),
                          fixture_bulletin(a, "MS01-002", "2001-06-01", "Q2", "Q1", "", "")};
    int64_t may, june;
    assert_true(date_parse_day_end("2001-05-07", &may) && date_parse_day_end("2001-06-01", &june));
    struct judged j = judge(docs, 2, WINDOWS_HOST(""), may);
    assert_null(find(&j, "MS01-002"));
    assert_false(find(&j, "MS01-001")->exploited);
    assert_string_equal(find(&j, "MS01-001")->patches.items[0], "Q1");
    bool said = false;
    for (size_t i = 0; i < find(&j, "MS01-001")->notes.count; i++)
        said |= strstr(find(&j, "MS01-001")->notes.items[i].id, "Since that day") != NULL;
    assert_true(said);
    done(&j);
    j = judge(docs, 2, WINDOWS_HOST(""), june);
    assert_true(find(&j, "MS01-001")->exploited);
    assert_string_equal(find(&j, "MS01-001")->patches.items[0], "Q2");
    done(&j);
}

static bool has_note(const struct finding *f, const char *words)
{
    for (size_t i = 0; i < f->notes.count; i++)
        if (strstr(f->notes.items[i].id, words))
            return true;
    return false;
}

/* The page's own FAQ: port 80 has to be open, so the filter does not help. */
static void a_filter_in_front_lowers_nothing(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", "")};
    const char *plain = WINDOWS_HOST("") "{\"kind\":\"listener\",\"proto\":\"tcp\",\"port\":\"80\","
                                         "\"address\":\"*\",\"scope\":\"any\"}\n";
    const char *filtered = WINDOWS_HOST(
        "") "{\"kind\":\"listener\",\"proto\":\"tcp\",\"port\":\"80\",\"address\":\"*\","
            "\"scope\":\"any\"}\n{\"kind\":\"firewall\",\"tool\":\"tcpip-filter\","
            "\"policy\":\"drop\",\"state\":\"enabled\"}\n";
    struct judged j = judge(docs, 1, plain, DATE_NONE), k = judge(docs, 1, filtered, DATE_NONE);
    const struct finding *f = find(&j, "MS01-001"), *g = find(&k, "MS01-001");
    assert_true(f->reachable && g->reachable);
    assert_false(f->unreachable || g->unreachable);
    assert_int_equal(f->severity, g->severity);
    assert_true(has_note(g, "filter in front does not close this"));
    done(&j);
    done(&k);
}

static void what_nothing_can_reach_is_open_and_ranks_below(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *exposed = ",{\"namespace\":\"urn:yagura:exposed-by\",\"uri\":"
                          "\"urn:yagura:exposed-by:mapped\"}";
    const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", exposed),
                          fixture_bulletin(a, "MS01-002", "2001-01-02", "Q2", "", "", "")};
    answer = TRUTH_FALSE;
    struct judged j = judge(docs, 2, WINDOWS_HOST(""), DATE_NONE);
    answer = TRUTH_TRUE;
    assert_int_equal(find(&j, "MS01-001")->verdict, VERDICT_AFFECTED);
    assert_true(find(&j, "MS01-001")->unreachable);
    assert_string_equal(j.findings->list.items[0]->rule_id, "MS01-002");
    done(&j);
    j = judge(docs, 2, WINDOWS_HOST(""), DATE_NONE);
    assert_false(find(&j, "MS01-001")->unreachable);
    done(&j);
}

/* The text of the remedy is tied to the patch alone, as some publishers do. */
static void a_patch_without_words_is_still_what_to_do(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    char *doc = fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", "");
    char *cut = strstr(doc, ",\"remediations\":"), *rest = strstr(doc, ",\"threats\":");
    assert_true(cut && rest);
    memmove(cut, rest, strlen(rest) + 1);
    const char *docs[] = {doc};
    struct judged j = judge(docs, 1, WINDOWS_HOST(""), DATE_NONE);
    const struct finding *f = find(&j, "MS01-001");
    assert_non_null(f->remedy.id);
    assert_string_equal(f->remedy.arguments[0].value, "Q1");
    done(&j);
}

static void a_setting_decides_where_the_advisory_says_so(void **state)
{
    static const struct {
        enum truth rule;
        enum verdict verdict;
    } rows[] = {{TRUTH_TRUE, VERDICT_AFFECTED},
                {TRUTH_FALSE, VERDICT_NOT_AFFECTED},
                {TRUTH_UNKNOWN, VERDICT_UNKNOWN}};
    const char *extra = ",{\"namespace\":\"urn:yagura:rule\",\"uri\":\"urn:yagura:rule:rds\"}";
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *docs[] = {fixture_bulletin(a, "MS99-025", "1999-07-01", "Q1", "", "", extra)};
        answer = rows[i].rule;
        struct judged j = judge(docs, 1, WINDOWS_HOST(""), DATE_NONE);
        answer = TRUTH_TRUE;
        assert_int_equal(find(&j, "MS99-025")->verdict, rows[i].verdict);
        done(&j);
    }
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "", "", ""),
                          fixture_bulletin(a, "MS00-002", "2000-02-01", "Q2", "Q1", "", "")};
    struct str texts[2] = {{0}};
    for (int round = 0; round < 2; round++) {
        struct judged j = judge(docs, 2, WINDOWS_HOST("") MARKER("Q1"), DATE_NONE);
        for (size_t i = 0; i < j.findings->list.count; i++) {
            CLEANUP_JSON json_t *o = finding_to_json(j.findings->list.items[i], "t");
            json_add_line(&texts[round], o);
        }
        done(&j);
    }
    assert_string_equal(str_text(&texts[0]), str_text(&texts[1]));
    str_free(&texts[0]);
    str_free(&texts[1]);
}

static void what_could_not_be_looked_at_is_unknown(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", "")};
    struct judged j =
        judge(docs, 1, "{\"kind\":\"unread\",\"what\":\"x\",\"reason\":\"y\"}\n", DATE_NONE);
    judge_coverage(j.findings, &j.in);
    assert_int_equal(find(&j, "could-not-look")->verdict, VERDICT_UNKNOWN);
    assert_int_equal(find(&j, "system-not-recognised")->verdict, VERDICT_UNKNOWN);
    done(&j);
    j = judge(
        docs, 1,
        "{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"6.1\",\"os\":\"Windows 7\"}\n",
        DATE_NONE);
    judge_coverage(j.findings, &j.in);
    assert_int_equal(find(&j, "no-advisories")->verdict, VERDICT_UNKNOWN);
    done(&j);
}

/* 111111-05 for Solaris, closed by 222222-01 as well, counts where SUNWa or SUNWb 6.0 is. */
static const char solaris_patch[] =
    "{\"document\":{\"category\":\"csaf_security_advisory\",\"csaf_version\":\"2.0\","
    "\"title\":\"Holes\",\"lang\":\"en\",\"aggregate_severity\":{\"text\":\"medium\"},"
    "\"publisher\":{\"category\":\"other\",\"name\":\"t\",\"namespace\":\"https://t.example\"},"
    "\"tracking\":{\"id\":\"solaris-111111-05\",\"status\":\"final\",\"version\":\"1\","
    "\"initial_release_date\":\"2003-01-01T00:00:00Z\","
    "\"current_release_date\":\"2003-01-01T00:00:00Z\","
    "\"revision_history\":[{\"number\":\"1\",\"date\":\"2003-01-01T00:00:00Z\",\"summary\":\"x\"}]}"
    "},"
    "\"product_tree\":{\"branches\":[{\"category\":\"vendor\",\"name\":\"Sun\",\"branches\":["
    "{\"category\":\"product_name\",\"name\":\"Solaris\",\"product\":{\"product_id\":\"S\","
    "\"name\":\"Solaris\",\"product_identification_helper\":{\"x_generic_uris\":["
    "{\"namespace\":\"urn:yagura:product\",\"uri\":\"urn:yagura:product:solaris\"}]}}},"
    "{\"category\":\"patch_level\",\"name\":\"111111-05\",\"product\":{\"product_id\":\"P\","
    "\"name\":\"Patch\",\"product_identification_helper\":{\"x_generic_uris\":["
    "{\"namespace\":\"urn:yagura:patch\",\"uri\":\"urn:yagura:patch:111111-05\"},"
    "{\"namespace\":\"urn:yagura:touches\",\"uri\":\"urn:yagura:touches:SUNWa\"},"
    "{\"namespace\":\"urn:yagura:touches\",\"uri\":\"urn:yagura:touches:SUNWb%3D6.0\"}]}}},"
    "{\"category\":\"patch_level\",\"name\":\"222222-01\",\"product\":{\"product_id\":\"N\","
    "\"name\":\"Newer\",\"product_identification_helper\":{\"x_generic_uris\":["
    "{\"namespace\":\"urn:yagura:patch\",\"uri\":\"urn:yagura:patch:222222-01\"},"
    "{\"namespace\":\"urn:yagura:supersedes\",\"uri\":\"urn:yagura:supersedes:111111-05\"},"
    "{\"namespace\":\"urn:yagura:touches\",\"uri\":\"urn:yagura:touches:SUNWa\"},"
    "{\"namespace\":\"urn:yagura:touches\",\"uri\":\"urn:yagura:touches:SUNWb%3D6.0\"}]}}}]}],"
    "\"relationships\":[{\"category\":\"installed_on\",\"product_reference\":\"P\","
    "\"relates_to_product_reference\":\"S\",\"full_product_name\":{\"product_id\":\"PS\","
    "\"name\":\"patch\"}},{\"category\":\"installed_on\",\"product_reference\":\"N\","
    "\"relates_to_product_reference\":\"S\",\"full_product_name\":{\"product_id\":\"NS\","
    "\"name\":\"newer\"}}]},"
    "\"vulnerabilities\":[{\"cve\":\"CVE-2003-0001\",\"product_status\":{\"known_affected\":[\"S\"]"
    ","
    "\"fixed\":[\"PS\",\"NS\"]}}]}";

#define SOLARIS(version)                                                                           \
    "{\"kind\":\"host\",\"family\":\"solaris\",\"version\":\"" version                             \
    "\",\"arch\":\"sparc\",\"os\":\"Solaris\"}\n"
#define PKG(name, version)                                                                         \
    "{\"kind\":\"package\",\"name\":\"" name "\",\"version\":\"" version                           \
    "\",\"manager\":\"solaris\"}\n"

static void a_solaris_patch_counts_where_a_package_it_touches_is_installed(void **state)
{
    static const struct {
        const char *lines;
        enum verdict verdict;
    } rows[] = {
        {SOLARIS("5.8") PKG("SUNWa", "1.0,REV=1"), VERDICT_AFFECTED},
        {SOLARIS("5.8") PKG("SUNWab", "1.0,REV=1"), VERDICT_NOT_AFFECTED},
        {SOLARIS("5.8") PKG("SUNWb", "6.0,REV=2"), VERDICT_AFFECTED},
        {SOLARIS("5.8") PKG("SUNWb", "6.0"), VERDICT_AFFECTED},
        {SOLARIS("5.8") PKG("SUNWb", "6.0.1,REV=2"), VERDICT_NOT_AFFECTED},
        {SOLARIS("5.8") PKG("SUNWb", "5.3,REV=2"), VERDICT_NOT_AFFECTED},
        {SOLARIS("5.8") PKG("SUNWa", "1.0") MARKER("111111-04"), VERDICT_AFFECTED},
        {SOLARIS("5.8") PKG("SUNWa", "1.0") MARKER("111111-06"), VERDICT_FIXED},
        {SOLARIS("5.8") PKG("SUNWa", "1.0") MARKER("222222-03"), VERDICT_FIXED},
    };
    const char *docs[] = {solaris_patch};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = judge(docs, 1, rows[i].lines, DATE_NONE);
        if (find(&j, "solaris-111111-05")->verdict != rows[i].verdict)
            fail_msg("row %zu: %d", i, find(&j, "solaris-111111-05")->verdict);
        done(&j);
    }
}

static void releases_of_solaris_without_a_list_of_patches_are_said(void **state)
{
    static const struct {
        const char *lines;
        bool said;
    } rows[] = {
        {SOLARIS("5.5"), true},  {SOLARIS("5.5.1"), true}, {SOLARIS("5.6"), false},
        {SOLARIS("5.7"), false}, {SOLARIS("5.8"), false},  {SOLARIS("5.9"), true},
    };
    const char *docs[] = {solaris_patch};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = judge(docs, 1, rows[i].lines, DATE_NONE);
        judge_coverage(j.findings, &j.in);
        const struct finding *f = NULL;
        for (size_t k = 0; k < j.findings->list.count; k++)
            if (str_equal(j.findings->list.items[k]->rule_id, "solaris-other-patches"))
                f = j.findings->list.items[k];
        assert_int_equal(f != NULL, rows[i].said);
        assert_true(!f || f->verdict == VERDICT_UNKNOWN);
        done(&j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table),
        cmocka_unit_test(an_upstream_number_alone_says_nothing_of_a_package),
        cmocka_unit_test(a_superseding_patch_is_marker_and_proof),
        cmocka_unit_test(a_service_pack_brings_what_it_contains),
        cmocka_unit_test(patches_in_a_circle_count_only_for_themselves),
        cmocka_unit_test(that_day_knows_nothing_of_later_days),
        cmocka_unit_test(a_filter_in_front_lowers_nothing),
        cmocka_unit_test(what_nothing_can_reach_is_open_and_ranks_below),
        cmocka_unit_test(a_patch_without_words_is_still_what_to_do),
        cmocka_unit_test(a_setting_decides_where_the_advisory_says_so),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(what_could_not_be_looked_at_is_unknown),
        cmocka_unit_test(a_solaris_patch_counts_where_a_package_it_touches_is_installed),
        cmocka_unit_test(releases_of_solaris_without_a_list_of_patches_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

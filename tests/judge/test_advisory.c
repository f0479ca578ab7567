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

#define LISTENS(port, service)                                                                     \
    "{\"kind\":\"listener\",\"proto\":\"tcp\",\"port\":\"" port                                    \
    "\",\"address\":\"*\",\"scope\":\"any\",\"service\":\"" service "\"}\n"
static char *with(struct arena *a, const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    assert_non_null(at);
    return arena_printf(a, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

/* A document of January, revised in March and June; its patch could be had in March. */
static void a_day_has_its_revision_and_its_remedies(void **state)
{
    static const struct {
        const char *day, *revision;
        bool patch;
    } rows[] = {{"2001-01-01", "1", false},
                {"2001-03-01", "2", true},
                {"2001-03-02", "2", true},
                {"2001-06-01", "3", true}};
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *text = fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", "");
    CLEANUP_JSON json_t *d = json_parse(text, strlen(text), "x", 1 << 20, 1 << 20, NULL);
    json_t *tracking = json_object_get(json_object_get(d, "document"), "tracking");
    json_object_set_new(tracking, "version", json_string("3"));
    json_object_set_new(tracking, "current_release_date", json_string("2001-06-01T00:00:00Z"));
    json_object_set_new(tracking, "revision_history",
                        json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s}]", "date",
                                  "2001-06-01T00:00:00Z", "number", "3", "summary", "c", "date",
                                  "2001-01-01T00:00:00Z", "number", "1", "summary", "a", "date",
                                  "2001-03-01T00:00:00Z", "number", "2", "summary", "b"));
    json_object_set_new(json_object_get(json_object_get(d, "document"), "publisher"),
                        "contact_details", json_string("the vendor"));
    json_t *fix = json_array_get(
        json_object_get(json_array_get(json_object_get(d, "vulnerabilities"), 0), "remediations"),
        0);
    assert_string_equal(json_string_value(json_object_get(fix, "category")), "vendor_fix");
    json_object_set_new(fix, "date", json_string("2001-03-01T00:00:00Z"));
    CLEANUP_FREE char *changed = json_dumps(d, 0);
    const char *docs[] = {changed};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t day;
        assert_true(date_parse_day_end(rows[i].day, &day));
        struct judged j = judge(docs, 1, WINDOWS_HOST(""), day);
        const struct finding *f = find(&j, "MS01-001");
        assert_string_equal(f->revision, rows[i].revision);
        assert_string_equal(f->contact, "the vendor");
        assert_int_equal(f->patches.count, rows[i].patch);
        assert_int_equal(has_note(f, "no patch yet that day"), !rows[i].patch);
        /* The workaround is there from the first day. */
        assert_non_null(f->remedy.id);
        assert_int_equal(f->steps.count, rows[i].patch);
        done(&j);
    }
}

/* The page's own FAQ: port 80 has to be open, so the filter does not help. What the server does
 * not publish can be shut by the filter of the host itself. */
static void a_filter_in_front_lowers_nothing(void **state)
{
    static const struct {
        const char *port, *let_in; /* JSON; NULL: nothing is said of a filter */
        bool unreachable, published;
    } rows[] = {
        {"80/tcp", NULL, false, true},
        {"80/tcp", "\"25\"", false, true},
        {"80/tcp", "\"443\"", false, true},
        {"139/tcp", NULL, false, false},
        {"139/tcp", "\"80 443\"", true, false},
        {"139/tcp", "\"0\"", false, false},
        {"139/tcp", "\"80 139\"", false, false},
        {"139/tcp", "\"80; 0\"", false, false},
        {"139/tcp", "\"80; 139\"", false, false},
        {"139/tcp", "{\"unreadable\":\"damaged\"}", false, false},
        {"8080/tcp", "\"25\"", false, true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        /* the other one comes first by its id only where a filter has lowered this */
        const char *docs[] = {with(a,
                                   fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", ""),
                                   "80/tcp", rows[i].port),
                              fixture_bulletin(a, "MS01-002", "2001-01-02", "Q2", "", "", "")};
        const char *filter =
            rows[i].let_in ? arena_printf(a, ",\"tcp_let_in\":%s}", rows[i].let_in) : "}";
        const char *lines = with(
            a, WINDOWS_HOST("") LISTENS("80", "W3SVC") LISTENS("139", "") LISTENS("8080", "W3SVC"),
            "}", filter);
        struct judged j = judge(docs, 2, lines, DATE_NONE);
        const struct finding *f = find(&j, "MS01-001");
        if (f->unreachable != rows[i].unreachable || f->severity != SEVERITY_HIGH ||
            !f->reachable ||
            has_note(f, "filter in front does not close this") != rows[i].published ||
            (j.findings->list.items[0] == f) == rows[i].unreachable)
            fail_msg("row %zu", i);
        done(&j);
    }
}

static const char *port_of_note(const struct finding *f)
{
    for (size_t i = 0; i < f->notes.count; i++)
        if (strstr(f->notes.items[i].id, "filter in front"))
            return f->notes.items[i].arguments[0].value;
    return "";
}

static void the_port_that_is_named_is_the_one_that_is_published(void **state)
{
    static const struct {
        const char *lines, *port;
    } rows[] = {{WINDOWS_HOST("") LISTENS("80", "W3SVC"), "80/tcp"},
                {WINDOWS_HOST("") LISTENS("8080", "W3SVC"), "8080/tcp"},
                {WINDOWS_HOST("") LISTENS("8080", "W3SVC") LISTENS("81", "W3SVC")
                     LISTENS("25", "SMTPSVC"),
                 "8080/tcp, 81/tcp"},
                {WINDOWS_HOST(""), "80/tcp"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", "")};
        struct judged j = judge(docs, 1, rows[i].lines, DATE_NONE);
        assert_string_equal(port_of_note(find(&j, "MS01-001")), rows[i].port);
        assert_string_equal(find(&j, "MS01-001")->port, rows[i].port);
        done(&j);
    }
}

/* Windows 2000 SP4 holds Q1 (bulletin()); Q3 supersedes it and is claimed, but its file is old. */
static void a_claim_is_belied_only_by_its_own_files(void **state)
{
    static const struct {
        const char *pack, *markers, *file;
        enum verdict verdict;
        enum confidence confidence;
        const char *says;
    } rows[] = {
        {"1", MARKER("Q3"), "\"5.0.2195.1\"", VERDICT_BROKEN, CONFIDENCE_HIGH, "The record says"},
        {"4", MARKER("Q3"), "\"5.0.2195.1\"", VERDICT_FIXED, CONFIDENCE_HIGH, NULL},
        {"1", MARKER("Q3") MARKER("Q1"), "\"5.0.2195.1\"", VERDICT_FIXED, CONFIDENCE_LOW,
         "rests on the record alone"},
        {"1", MARKER("Q3") MARKER("Q2"), "\"5.0.2195.1\"", VERDICT_FIXED, CONFIDENCE_LOW,
         "rests on the record alone"},
        {"1", MARKER("Q3") MARKER("Q1"), "\"5.0.2195.400\"", VERDICT_FIXED, CONFIDENCE_HIGH, NULL},
        {"1", MARKER("Q3") MARKER("Q1"), "{\"unreadable\":\"x\"}", VERDICT_UNKNOWN, CONFIDENCE_HIGH,
         NULL},
        {"4", MARKER("Q3"), "{\"unreadable\":\"x\"}", VERDICT_FIXED, CONFIDENCE_LOW,
         "would prove it, could not be read"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *docs[] = {
            fixture_bulletin(a, "MS00-001", "2000-01-01", "Q1", "", "", ""),
            with(a, fixture_bulletin(a, "MS00-002", "2000-02-01", "Q2", "Q1", "", ""),
                 "windows:5.0:4", "windows:5.0:9"),
            with(a,
                 fixture_bulletin(a, "MS01-003", "2001-03-01", "Q3", "Q2",
                                  "vers:windows/>=5.0.2195.300", ""),
                 "windows:5.0:4", "windows:5.0:9")};
        const char *lines = arena_printf(
            a,
            "{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"5.0\",\"service_pack\":\"%s\""
            ",\"file-version:%%SystemRoot%%/system32/inetsrv/w3svc.dll\":%s}\n"
            "{\"kind\":\"product\",\"name\":\"iis\",\"version\":\"5.0\"}\n%s",
            rows[i].pack, rows[i].file, rows[i].markers);
        struct judged j = judge(docs, 3, lines, DATE_NONE);
        const struct finding *f = find(&j, "MS00-001");
        if (f->verdict != rows[i].verdict || f->confidence != rows[i].confidence ||
            (rows[i].says && !has_note(f, rows[i].says)))
            fail_msg("row %zu: %s %s", i, verdict_name(f->verdict), confidence_name(f->confidence));
        assert_true(f->evidence.count > 0);
        done(&j);
    }
}

/* No record says that Q2 was applied: its service pack does. */
static void what_the_service_pack_claims_is_not_put_on_a_record(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {
        fixture_bulletin(a, "MS01-002", "2001-01-01", "Q2", "", "vers:windows/>=5.0.2195.100", "")};
    struct judged j = judge(docs, 1,
                            with(a, WINDOWS_HOST(FILE_IS("\"5.0.2195.50\"")),
                                 "\"service_pack\":\"1\"", "\"service_pack\":\"4\""),
                            DATE_NONE);
    const struct finding *f = find(&j, "MS01-002");
    assert_int_equal(f->verdict, VERDICT_BROKEN);
    assert_true(has_note(f, "service pack of this host contains"));
    assert_false(has_note(f, "The record says"));
    done(&j);
}

static void without_its_core_no_server_is_judged(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    char *plain =
        fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "vers:windows/>=5.0.2195.100", "");
    const char *uri = "inetsrv/w3svc.dll\"}";
    const char *docs[] = {with(a, plain, uri,
                               "inetsrv/w3svc.dll\"},{\"namespace\":\"urn:yagura:core\",\"uri\":"
                               "\"urn:yagura:core:yes\"}")};
    struct judged j = judge(docs, 1, WINDOWS_HOST(FILE_IS("{\"absent\":true}")), DATE_NONE);
    const struct finding *f = find(&j, "MS01-001");
    assert_int_equal(f->verdict, VERDICT_UNKNOWN);
    assert_true(has_note(f, "does not run without"));
    assert_non_null(strstr(f->evidence.items[0].fact, "w3svc.dll is not there; fixed: "));
    done(&j);
    j = judge(docs, 1, WINDOWS_HOST(FILE_IS("{\"unreadable\":\"it is no file\"}")), DATE_NONE);
    assert_non_null(strstr(find(&j, "MS01-001")->evidence.items[0].fact,
                           "w3svc.dll could not be read (it is no file); fixed: "));
    done(&j);
}

static void records_that_could_not_be_read_may_hold_the_patch(void **state)
{
    static const struct {
        const char *range, *lines;
        enum verdict verdict;
    } rows[] = {
        {"",
         WINDOWS_HOST("") "{\"kind\":\"unread\",\"what\":\"hotfixes\",\"reason\":\"damaged\"}\n",
         VERDICT_UNKNOWN},
        {"", WINDOWS_HOST("") "{\"kind\":\"unread\",\"what\":\"patches\",\"reason\":\"damaged\"}\n",
         VERDICT_UNKNOWN},
        {"",
         WINDOWS_HOST("") "{\"kind\":\"unread\",\"what\":\"uninstall folders\",\"reason\":\"x\"}\n",
         VERDICT_AFFECTED},
        {"vers:windows/>=5.0.2195.100",
         WINDOWS_HOST(FILE_IS("\"5.0.2195.50\"")) "{\"kind\":\"unread\",\"what\":\"hotfixes\","
                                                  "\"reason\":\"damaged\"}\n",
         VERDICT_AFFECTED},
        {"",
         "{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"5.0\","
         "\"service_pack\":{\"unreadable\":\"damaged\"}}\n"
         "{\"kind\":\"product\",\"name\":\"iis\",\"version\":\"5.0\"}\n",
         VERDICT_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *docs[] = {
            fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", rows[i].range, "")};
        struct judged j = judge(docs, 1, rows[i].lines, DATE_NONE);
        if (find(&j, "MS01-001")->verdict != rows[i].verdict)
            fail_msg("row %zu: %s", i, verdict_name(find(&j, "MS01-001")->verdict));
        done(&j);
    }
}

static void a_server_of_unknown_version_has_unknown_holes(void **state)
{
    CLEANUP_ARENA struct arena *a = arena_new();
    const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", "")};
    struct judged j = judge(docs, 1,
                            "{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"5.0\"}\n"
                            "{\"kind\":\"product\",\"name\":\"iis\","
                            "\"version\":{\"unreadable\":\"InetStp is damaged\"}}\n" MARKER("Q1"),
                            DATE_NONE);
    const struct finding *f = find(&j, "MS01-001");
    assert_int_equal(f->verdict, VERDICT_UNKNOWN);
    assert_true(has_note(f, "nobody can say in which version"));
    assert_string_equal(f->patches.items[0], "Q1");
    done(&j);
}

/* A hive that is stale proves nothing for sure, and neither does what is built on it. */
static void a_verdict_is_never_surer_than_what_it_rests_on(void **state)
{
    static const struct {
        const char *lines;
        enum confidence confidence;
    } rows[] = {
        {"{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"5.0\",\"service_pack\":\"4\","
         "\"confidence\":\"medium\"}\n{\"kind\":\"product\",\"name\":\"iis\",\"version\":\"5.0\"}"
         "\n",
         CONFIDENCE_MEDIUM},
        {"{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"5.0\",\"service_pack\":\"4\"}\n"
         "{\"kind\":\"product\",\"name\":\"iis\",\"version\":\"5.0\",\"confidence\":\"medium\"}\n",
         CONFIDENCE_MEDIUM},
        {"{\"kind\":\"host\",\"family\":\"windows\",\"version\":\"5.0\",\"service_pack\":\"4\"}\n"
         "{\"kind\":\"product\",\"name\":\"iis\",\"version\":\"5.0\"}\n",
         CONFIDENCE_HIGH},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *docs[] = {fixture_bulletin(a, "MS01-001", "2001-01-01", "Q1", "", "", "")};
        struct judged j = judge(docs, 1, rows[i].lines, DATE_NONE);
        assert_int_equal(find(&j, "MS01-001")->verdict, VERDICT_FIXED);
        assert_int_equal(find(&j, "MS01-001")->confidence, rows[i].confidence);
        done(&j);
    }
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

/* What is started though its package is not recorded: the record is wrong, or it came without. */
static void a_program_that_is_started_is_there_whatever_the_packages_say(void **state)
{
    static const struct {
        enum truth rule;
        enum verdict verdict;
        enum confidence confidence;
    } rows[] = {{TRUTH_TRUE, VERDICT_AFFECTED, CONFIDENCE_LOW},
                {TRUTH_UNKNOWN, VERDICT_UNKNOWN, CONFIDENCE_LOW},
                {TRUTH_FALSE, VERDICT_NOT_AFFECTED, CONFIDENCE_HIGH}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *uri = "\"uri\":\"urn:yagura:product:solaris\"}";
        const char *docs[] = {with(a, solaris_patch, uri,
                                   "\"uri\":\"urn:yagura:product:solaris\"},{\"namespace\":"
                                   "\"urn:yagura:exposed-by\",\"uri\":"
                                   "\"urn:yagura:exposed-by:enabled\"}")};
        answer = rows[i].rule;
        struct judged j = judge(docs, 1, SOLARIS("5.8") PKG("SUNWcsr", "1.0"), DATE_NONE);
        answer = TRUTH_TRUE;
        assert_int_equal(find(&j, "solaris-111111-05")->verdict, rows[i].verdict);
        assert_int_equal(find(&j, "solaris-111111-05")->confidence, rows[i].confidence);
        done(&j);
    }
}

/* The maker: httpd before 2.4.58. The distribution: apache2 with the fix put into its 2.4.57. */
#define CSAF(id, tree, vulnerability)                                                              \
    "{\"document\":{\"category\":\"csaf_security_advisory\",\"csaf_version\":\"2.0\","             \
    "\"title\":\"" id "\",\"lang\":\"en\",\"aggregate_severity\":{\"text\":\"high\"},"             \
    "\"publisher\":{\"category\":\"vendor\",\"name\":\"t\",\"namespace\":\"https://t.example\"},"  \
    "\"tracking\":{\"id\":\"" id "\",\"status\":\"final\",\"version\":\"1\","                      \
    "\"initial_release_date\":\"2023-10-19T00:00:00Z\","                                           \
    "\"current_release_date\":\"2023-10-19T00:00:00Z\","                                           \
    "\"revision_history\":[{\"number\":\"1\",\"date\":\"2023-10-19T00:00:00Z\","                   \
    "\"summary\":\"x\"}]}},\"product_tree\":" tree ",\"vulnerabilities\":[" vulnerability "]}"

static void distribution_data_beats_upstream_ranges(void **state)
{
    static const char upstream[] =
        CSAF("HTTPD-1",
             "{\"branches\":[{\"category\":\"vendor\",\"name\":\"Apache\",\"branches\":["
             "{\"category\":\"product_name\",\"name\":\"Apache HTTP Server\",\"branches\":["
             "{\"category\":\"product_version_range\",\"name\":\"<2.4.58\",\"product\":"
             "{\"product_id\":\"U\",\"name\":\"httpd\"}}]}]}]}",
             "{\"cve\":\"CVE-2023-0001\",\"product_status\":{\"known_affected\":[\"U\"]}}");
    static const char debian[] = CSAF(
        "DSA-1",
        "{\"branches\":[{\"category\":\"vendor\",\"name\":\"Debian\",\"branches\":["
        "{\"category\":\"product_version\",\"name\":\"2.4.57-2+deb12u1\",\"product\":"
        "{\"product_id\":\"D\",\"name\":\"apache2\",\"product_identification_helper\":{\"purl\":"
        "\"pkg:deb/debian/apache2@2.4.57-2%2Bdeb12u1?distro=bookworm\"}}}]}]}",
        "{\"cve\":\"CVE-2023-0001\",\"product_status\":{\"fixed\":[\"D\"]}}");
    static const struct {
        const char *from, *installed;
        bool distribution; /* its data are there */
        enum verdict package;
        enum verdict upstream;
        bool heard; /* is upstream */
    } rows[] = {
        {"apache2 2.4.57-2+deb12u1", "2.4.57-2+deb12u1", true, VERDICT_FIXED, 0, false},
        {"apache2 2.4.57-2", "2.4.57-2", true, VERDICT_AFFECTED, 0, false},
        {"apache2 2.4.57-2+deb12u1", "2.4.57-2+deb12u1", false, 0, VERDICT_UNKNOWN, true},
        {"", "2.4.57-2+deb12u1", true, VERDICT_FIXED, VERDICT_AFFECTED, true}, /* built here */
    };
    const char *docs[] = {upstream, debian};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *a = arena_new();
        const char *lines = arena_printf(
            a,
            "{\"kind\":\"host\",\"family\":\"debian\",\"distribution\":\"debian\",\"version\":"
            "\"12\","
            "\"series\":\"bookworm\"}\n"
            "{\"kind\":\"package\",\"manager\":\"dpkg\",\"name\":\"apache2\",\"version\":\"%s\"}\n"
            "{\"kind\":\"product\",\"name\":\"apache-httpd\",\"version\":\"2.4.57\","
            "\"package\":\"%s\"}\n",
            rows[i].installed, rows[i].from);
        struct judged j = judge(docs, rows[i].distribution ? 2 : 1, lines, DATE_NONE);
        const struct finding *own = find(&j, "DSA-1"), *maker = find(&j, "HTTPD-1");
        if ((maker != NULL) != rows[i].heard || (own != NULL) != rows[i].distribution ||
            (own && own->verdict != rows[i].package) ||
            (maker && maker->verdict != rows[i].upstream) ||
            (maker && has_note(maker, "It came in the package") != (*rows[i].from != '\0')))
            fail_msg("row %zu", i);
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
        cmocka_unit_test(a_superseding_patch_is_marker_and_proof),
        cmocka_unit_test(a_service_pack_brings_what_it_contains),
        cmocka_unit_test(patches_in_a_circle_count_only_for_themselves),
        cmocka_unit_test(that_day_knows_nothing_of_later_days),
        cmocka_unit_test(a_day_has_its_revision_and_its_remedies),
        cmocka_unit_test(a_filter_in_front_lowers_nothing),
        cmocka_unit_test(the_port_that_is_named_is_the_one_that_is_published),
        cmocka_unit_test(a_claim_is_belied_only_by_its_own_files),
        cmocka_unit_test(what_the_service_pack_claims_is_not_put_on_a_record),
        cmocka_unit_test(without_its_core_no_server_is_judged),
        cmocka_unit_test(records_that_could_not_be_read_may_hold_the_patch),
        cmocka_unit_test(a_server_of_unknown_version_has_unknown_holes),
        cmocka_unit_test(a_verdict_is_never_surer_than_what_it_rests_on),
        cmocka_unit_test(a_program_that_is_started_is_there_whatever_the_packages_say),
        cmocka_unit_test(distribution_data_beats_upstream_ranges),
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

#include "tests/feed/feed_support.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "feed/csaf.h"
#include "model/date.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static bool read_text(struct document *d, struct arena *arena, const char *text, struct error *e)
{
    struct csaf_source source = {"x.json", "test"};
    return csaf_read(d, arena, text, strlen(text), &source, e);
}

static const struct advisory_case *only_case(const struct document *d)
{
    assert_int_equal(d->case_count, 1);
    return &d->cases[0];
}

/* --- our own form --- */

static void a_patch_and_its_files_belong_to_their_server(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", "", "");
    struct document d;
    struct error e = ERROR_INIT;
    if (!read_text(&d, arena, text, &e))
        fail_msg("%s", e.message);
    assert_int_equal(d.case_count, 2);
    const struct advisory_case *four = &d.cases[0], *five = &d.cases[1];
    assert_string_equal(four->product, "iis");
    assert_string_equal(four->platform, "windows:4.0");
    assert_string_equal(four->affected, "4.0");
    assert_string_equal(four->patches[0], "Q2");
    assert_int_equal(four->file_count, 0);
    assert_string_equal(five->platform, "windows:5.0");
    assert_int_equal(five->file_count, 1);
    assert_string_equal(five->files[0].path, "%SystemRoot%\\w3svc.dll");
    assert_string_equal(five->files[0].range, "vers:windows/>=5.0.2195.3407");
    assert_string_equal(five->port, "80/tcp");
    assert_true(five->network && five->no_login);
    assert_int_equal(d.patch_count, 4);
}

static void vulnerabilities_that_say_the_same_are_one_case(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", "", "");
    struct document d;
    assert_true(read_text(&d, arena, text, NULL));
    const struct advisory_case *five = &d.cases[1];
    assert_int_equal(five->cve_count, 2);
    assert_string_equal(five->cves[0], "CVE-2001-0333");
    assert_string_equal(five->cves[1], "CVE-2001-0334");
    assert_int_equal(five->remedy_count, 1);
    assert_int_equal(five->exploit_count, 1);
    assert_true(five->cvss > 7.4 && five->cvss < 7.6);
}

static void an_exploit_without_a_date_has_the_document_s(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_FREE char *text = feed_iis("MS01-026", "2001-06-05", "", "");
    struct document d;
    int64_t day;
    assert_true(read_text(&d, arena, text, NULL));
    assert_true(date_parse("2001-06-05", &day));
    assert_true(d.cases[1].exploits[0].date == day);
}

/* --- what foreign documents say: one product, one vulnerability --- */

static const struct {
    const char *name, *branch, *status;
    /* expected: NULL = no case at all */
    const char *product, *package, *affected, *fixed;
    bool unclear, not_affected;
} foreign[] = {
    {"a product with a version", "{\"category\":\"product_version\",\"name\":\"1.3.19\",%s}",
     "\"known_affected\":[\"p\"]", "apache-httpd", "", "1.3.19", "", false, false},
    {"a product with a range",
     "{\"category\":\"product_version_range\",\"name\":\"vers:all/<V1.3.20\",%s}",
     "\"known_affected\":[\"p\"]", "apache-httpd", "", "<V1.3.20", "", false, false},
    {"a range in words that cannot be read",
     "{\"category\":\"product_version_range\",\"name\":\"All versions using Shared HIS\",%s}",
     "\"known_affected\":[\"p\"]", "apache-httpd", "", "All versions using Shared HIS", "", true,
     false},
    {"only the fixed version of a product",
     "{\"category\":\"product_version\",\"name\":\"1.3.20\",%s}", "\"fixed\":[\"p\"]",
     "apache-httpd", "", "<1.3.20", ">=1.3.20", false, false},
    {"a product that is not affected", "{\"category\":\"product_version\",\"name\":\"2.0\",%s}",
     "\"known_not_affected\":[\"p\"]", "apache-httpd", "", "2.0", "", false, true},
    {"a product that is only recommended", "{\"category\":\"product_version\",\"name\":\"2.0\",%s}",
     "\"recommended\":[\"p\"]", NULL, "", "", "", false, false},
};

static void foreign_products_are_judged_by_their_versions(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        char branch[512], tree[1024], vulnerability[512];
        snprintf(branch, sizeof branch, foreign[i].branch,
                 "\"product\":{\"name\":\"the product\",\"product_id\":\"p\"}");
        snprintf(tree, sizeof tree,
                 "\"branches\":[{\"category\":\"vendor\",\"name\":\"Apache Software "
                 "Foundation\",\"branches\":[{\"category\":\"product_name\",\"name\":\"Apache HTTP "
                 "Server\",\"branches\":[%s]}]}]",
                 branch);
        snprintf(vulnerability, sizeof vulnerability, "{\"cve\":\"CVE-1\",\"product_status\":{%s}}",
                 foreign[i].status);
        CLEANUP_FREE char *text = feed_document("F", "2022-01-01", tree, vulnerability);
        struct document d;
        struct error e = ERROR_INIT;
        if (!read_text(&d, arena, text, &e))
            fail_msg("%s: %s", foreign[i].name, e.message);
        if (!foreign[i].product) {
            assert_int_equal(d.case_count, 0);
            continue;
        }
        const struct advisory_case *c = only_case(&d);
        if (!str_equal(c->product, foreign[i].product) ||
            !str_equal(c->affected, foreign[i].affected) ||
            !str_equal(c->fixed_count ? c->fixed_ranges[0] : "", foreign[i].fixed) ||
            c->unclear != foreign[i].unclear || c->not_affected != foreign[i].not_affected)
            fail_msg("%s: %s affected \"%s\" fixed \"%s\"", foreign[i].name, c->product,
                     c->affected, c->fixed_count ? c->fixed_ranges[0] : "");
    }
}

static const char package_tree[] =
    "\"branches\":[{\"category\":\"vendor\",\"name\":\"Red Hat\",\"branches\":["
    "{\"category\":\"product_name\",\"name\":\"RHEL 9\",\"product\":{\"name\":\"RHEL 9\","
    "\"product_id\":\"rhel9\",\"product_identification_helper\":"
    "{\"cpe\":\"cpe:/o:redhat:enterprise_linux:9::baseos\"}}},"
    "{\"category\":\"product_version\",\"name\":\"a\",\"product\":{\"name\":\"a\",\"product_id\":"
    "\"a\","
    "\"product_identification_helper\":{\"purl\":"
    "\"pkg:rpm/redhat/curl@7.76.1-26.el9?arch=x86_64&epoch=1\"}}},"
    "{\"category\":\"product_version\",\"name\":\"b\",\"product\":{\"name\":\"b\",\"product_id\":"
    "\"b\","
    "\"product_identification_helper\":{\"purl\":"
    "\"pkg:rpm/redhat/curl@7.76.1-26.el9?arch=aarch64&epoch=1\"}}}]}],"
    "\"relationships\":["
    "{\"category\":\"default_component_of\",\"product_reference\":\"a\","
    "\"relates_to_product_reference\":\"rhel9\",\"full_product_name\":{\"name\":\"a in 9\","
    "\"product_id\":\"rhel9:a\"}},"
    "{\"category\":\"default_component_of\",\"product_reference\":\"b\","
    "\"relates_to_product_reference\":\"rhel9\",\"full_product_name\":{\"name\":\"b in 9\","
    "\"product_id\":\"rhel9:b\"}}]";

static void a_fixed_package_makes_older_ones_affected(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_FREE char *text =
        feed_document("R", "2023-01-01", package_tree,
                      "{\"cve\":\"CVE-1\",\"product_status\":{\"fixed\":[\"rhel9:a\",\"rhel9:b\"]},"
                      "\"threats\":[{\"category\":\"impact\",\"details\":\"Important\"}]}");
    struct document d;
    struct error e = ERROR_INIT;
    if (!read_text(&d, arena, text, &e))
        fail_msg("%s", e.message);
    const struct advisory_case *c = only_case(&d);
    assert_int_equal(c->kind, CASE_PACKAGE);
    assert_string_equal(c->product, "rpm");
    assert_string_equal(c->name, "curl");
    assert_string_equal(c->vendor, "redhat");
    assert_string_equal(c->distro, "redhat:enterprise_linux:9");
    assert_string_equal(c->arch, "x86_64 aarch64");
    assert_string_equal(c->affected, "vers:rpm/<1:7.76.1-26.el9");
    assert_string_equal(c->fixed_ranges[0], "vers:rpm/>=1:7.76.1-26.el9");
    assert_true(d.head.distribution);
    assert_int_equal(d.head.severity, SEVERITY_HIGH);
}

/* --- what is refused, and where --- */

static const char one_product[] =
    "\"full_product_names\":[{\"name\":\"A\",\"product_id\":\"a\"},{\"name\":\"B\","
    "\"product_id\":\"b\"}]";

static const struct {
    const char *name, *tree, *vulnerabilities, *says;
} refused[] = {
    {"a product that is not there", one_product,
     "{\"product_status\":{\"known_affected\":[\"a\",\"c\"]}}",
     "vulnerabilities[0].product_status.known_affected[1]: the product id \"c\" is not defined"},
    {"a remedy for a product that is not there", one_product,
     "{\"product_status\":{\"known_affected\":[\"a\"]},\"remediations\":[{\"category\":"
     "\"mitigation\","
     "\"details\":\"x\",\"product_ids\":[\"z\"]}]}",
     "vulnerabilities[0].remediations[0]: the product id \"z\""},
    {"a group that is not there", one_product,
     "{\"product_status\":{\"known_affected\":[\"a\"]},\"threats\":[{\"category\":\"exploit_"
     "status\","
     "\"details\":\"x\",\"group_ids\":[\"g\"]}]}",
     "the group id \"g\" is not defined"},
    {"a product that is defined twice",
     "\"full_product_names\":[{\"name\":\"A\",\"product_id\":\"a\"},{\"name\":\"B\","
     "\"product_id\":\"a\"}]",
     "", "\"a\" is defined twice"},
    {"a contradiction", one_product,
     "{\"product_status\":{\"known_affected\":[\"a\"],\"known_not_affected\":[\"a\"]}}",
     "contradicts"},
    {"a relationship to itself",
     "\"full_product_names\":[{\"name\":\"A\",\"product_id\":\"a\"}],\"relationships\":["
     "{\"category\":\"installed_on\",\"product_reference\":\"a\",\"relates_to_product_reference\":"
     "\"r\",\"full_product_name\":{\"name\":\"R\",\"product_id\":\"r\"}}]",
     "", "run in a circle"},
    {"a relationship to nothing",
     "\"relationships\":[{\"category\":\"installed_on\",\"product_reference\":\"a\","
     "\"relates_to_product_reference\":\"b\",\"full_product_name\":{\"name\":\"R\","
     "\"product_id\":\"r\"}}]",
     "", "\"a\" is not defined"},
    {"a URI outside of its namespace",
     "\"full_product_names\":[{\"name\":\"A\",\"product_id\":\"a\",\"product_identification_"
     "helper\":{"
     "\"x_generic_uris\":[{\"namespace\":\"urn:yagura:product\",\"uri\":\"urn:yagura:patch:x\"}]}}"
     "]",
     "", "does not begin with its namespace"},
    {"two rules",
     "\"full_product_names\":[{\"name\":\"A\",\"product_id\":\"a\",\"product_identification_"
     "helper\":{"
     "\"x_generic_uris\":[{\"namespace\":\"urn:yagura:rule\",\"uri\":\"urn:yagura:rule:x\"},"
     "{\"namespace\":\"urn:yagura:rule\",\"uri\":\"urn:yagura:rule:y\"}]}}]",
     "", "more than one URI"},
};

static void a_document_that_does_not_hold_together_is_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP_FREE char *text =
            feed_document("X", "2022-01-01", refused[i].tree, refused[i].vulnerabilities);
        struct document d;
        struct error e = ERROR_INIT;
        if (read_text(&d, arena, text, &e))
            fail_msg("%s is accepted", refused[i].name);
        if (!strstr(e.message, refused[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", refused[i].name, e.message, refused[i].says);
        assert_string_equal(e.path, "x.json");
    }
}

static void what_is_missing_is_named(void **state)
{
    static const struct {
        const char *text, *says;
        enum error_code code;
    } cases[] = {
        {"[]", "no CSAF document", ERR_UNSUPPORTED},
        {"{\"feed\":{}}", "no CSAF document", ERR_UNSUPPORTED},
        {"{\"document\":{\"category\":\"csaf_base\"}}", "document.tracking.id", ERR_FORMAT},
        {"{\"document\":{\"tracking\":{\"id\":\"x\"}}}", "document.category", ERR_FORMAT},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct document d;
        struct error e = ERROR_INIT;
        assert_false(read_text(&d, arena, cases[i].text, &e));
        assert_non_null(strstr(e.message, cases[i].says));
        assert_int_equal(e.code, cases[i].code);
    }
}

static void a_withdrawn_document_needs_only_its_id(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct document d;
    assert_true(read_text(&d, arena,
                          "{\"document\":{\"tracking\":{\"id\":\"CVE-1\","
                          "\"status\":\"deleted\"}}}",
                          NULL));
    assert_true(d.deleted);
}

/* --- hostile JSON: each is an error with its place --- */

static void hostile_json_is_an_error_with_its_place(void **state)
{
    CLEANUP_FREE char *whole = feed_iis("MS01-026", "2001-06-05", "", "");
    CLEANUP_STR struct str deep = {0}, twice = {0}, bytes = {0}, string = {0};
    str_add(&deep, "{\n\"document\":");
    for (int i = 0; i < 10000; i++)
        str_add_char(&deep, '[');
    str_add(&twice, "{\n \"document\": {\"category\": \"x\",\n \"category\": \"y\"}}");
    str_add(&bytes, "{\n \"document\": {\"category\": \"\xff\xfe\"}}");
    str_add(&string, "{\n\"document\": {\"title\": \"");
    for (int i = 0; i < 70000; i++)
        str_add(&string, "0123456789abcdef");
    str_add(&string, "\"}}");
    whole[strlen(whole) / 2] = '\0';
    const struct {
        const char *name, *text;
        uint64_t line;
    } cases[] = {
        {"cut short", whole, 1},
        {"10,000 levels deep", str_text(&deep), 2},
        {"duplicate keys", str_text(&twice), 3},
        {"bad UTF-8", str_text(&bytes), 2},
        {"a string over 1 MiB", str_text(&string), 2},
        {"empty", "", 1},
        {"a NUL", "{\"document\":\"\\u0000\"}", 1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct document d;
        struct error e = ERROR_INIT;
        if (read_text(&d, arena, cases[i].text, &e))
            fail_msg("%s is accepted", cases[i].name);
        if (e.line != cases[i].line || !str_equal(e.path, "x.json") || !e.message[0])
            fail_msg("%s: line %u column %u of \"%s\": %s", cases[i].name, (unsigned)e.line,
                     (unsigned)e.column, e.path, e.message);
    }
}

static void a_circle_of_a_hundred_thousand_relationships_is_refused_soon(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_STR struct str tree = {0};
    str_add(&tree, "\"relationships\":[");
    for (int i = 0; i < 50000; i++)
        str_printf(&tree,
                   "%s{\"category\":\"installed_on\",\"product_reference\":\"p%d\","
                   "\"relates_to_product_reference\":\"p%d\",\"full_product_name\":{\"name\":\"x\","
                   "\"product_id\":\"p%d\"}}",
                   i ? "," : "", (i + 1) % 50000, (i + 2) % 50000, i);
    str_add(&tree, "]");
    CLEANUP_FREE char *text = feed_document("C", "2022-01-01", str_text(&tree), "");
    struct document d;
    struct error e = ERROR_INIT;
    assert_false(read_text(&d, arena, text, &e));
    assert_non_null(strstr(e.message, "circle"));
}

/* --- other people's documents --- */

static struct {
    size_t read, refused, cases, unclear;
} tally;

static int try_document(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    if (flag != FTW_F || !str_ends(path, ".json"))
        return 0;
    CLEANUP_FREE char *text = NULL;
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t size;
    struct document d;
    struct error e = ERROR_INIT;
    struct csaf_source source = {path, "test"};
    assert_true(file_read(&text, &size, path, DOCUMENT_MOST_BYTES, &e));
    if (!csaf_read(&d, arena, text, size, &source, &e)) {
        tally.refused += e.code != ERR_UNSUPPORTED;
        if (e.code != ERR_UNSUPPORTED)
            printf("refused: %s: %s\n", path + ftw->base, e.message);
        return 0;
    }
    tally.read++;
    tally.cases += d.case_count;
    for (size_t i = 0; i < d.case_count; i++)
        tally.unclear += d.cases[i].unclear;
    CLEANUP_STR struct str block = {0};
    struct document_view view;
    assert_true(document_pack(&block, &d, &e));
    assert_true(document_view(&view, block.data, block.length));
    assert_true(document_check(&view));
    return 0;
}

static const struct {
    const char *folder;
    size_t read, refused;
} sets[] = {
    {"data/audit/csaf-cisa", 304, 0},      {"data/audit/csaf-redhat", 3, 0},
    {"data/audit/csaf-vex-redhat", 5, 0},  {"data/audit/csaf-examples", 10, 0},
    {"data/audit/csaf-testsuite", 117, 6},
};

static void the_documents_of_others_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(sets); i++) {
        CLEANUP_FREE char *folder = support_shared(sets[i].folder);
        if (!folder)
            skip();
        tally.read = tally.refused = tally.cases = tally.unclear = 0;
        nftw(folder, try_document, 16, FTW_PHYS);
        printf("%s: %zu read, %zu refused, %zu cases, %zu of them with an unclear range\n",
               sets[i].folder, tally.read, tally.refused, tally.cases, tally.unclear);
        assert_int_equal(tally.read, sets[i].read);
        assert_int_equal(tally.refused, sets[i].refused);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_and_its_files_belong_to_their_server),
        cmocka_unit_test(vulnerabilities_that_say_the_same_are_one_case),
        cmocka_unit_test(an_exploit_without_a_date_has_the_document_s),
        cmocka_unit_test(foreign_products_are_judged_by_their_versions),
        cmocka_unit_test(a_fixed_package_makes_older_ones_affected),
        cmocka_unit_test(a_document_that_does_not_hold_together_is_refused),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_withdrawn_document_needs_only_its_id),
        cmocka_unit_test(hostile_json_is_an_error_with_its_place),
        cmocka_unit_test(a_circle_of_a_hundred_thousand_relationships_is_refused_soon),
        cmocka_unit_test(the_documents_of_others_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

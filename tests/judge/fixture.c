#include "tests/judge/fixture.h"

#include "base/json.h"
#include "base/str.h"
#include "feed/compile.h"
#include "feed/csaf.h"
#include "model/date.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct advisories *fixture_advisories(const char *const *documents, size_t count)
{
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_COMPILE struct compile *c = NULL;
    CLEANUP_CLOSE int dirfd = open(dir, O_RDONLY | O_DIRECTORY);
    struct error e = ERROR_INIT;
    assert_true(compile_new(&c, dirfd, &e));
    for (size_t i = 0; i < count; i++) {
        CLEANUP_STR struct str block = {0};
        struct csaf_source source = {"test.json", "test"};
        struct document d;
        enum compile_outcome outcome;
        if (!csaf_read(&d, arena, documents[i], strlen(documents[i]), &source, &e) ||
            !document_pack(&block, &d, &e) ||
            !compile_add(c, block.data, block.length, &outcome, &e))
            fail_msg("document %zu: %s", i, e.message);
    }
    compile_feed(c, "test", DATE_NONE, 0);
    assert_true(compile_write(c, "test.db", &e));
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/test.db", dir);
    const char *paths[] = {str_text(&path)};
    struct advisories *set = NULL;
    if (!advisories_open(&set, paths, 1, NULL, &e))
        fail_msg("%s", e.message);
    support_remove_tree(dir);
    return set;
}

struct facts *fixture_facts(const char *lines)
{
    struct facts *facts = facts_new();
    size_t position = 0, length;
    const char *line;
    while (str_next_line(lines, strlen(lines), &position, &line, &length)) {
        struct error e = ERROR_INIT;
        if (!length)
            continue;
        CLEANUP_JSON json_t *o = json_parse(line, length, "facts", 65536, 65536, &e);
        if (!o || !facts_add_json(facts, o, &e))
            fail_msg("%.*s: %s", (int)length, line, e.message);
    }
    return facts;
}

char *fixture_bulletin(struct arena *a, const char *id, const char *day, const char *patch,
                       const char *supersedes, const char *range, const char *extra)
{
    const char *file =
        !*range
            ? ""
            : arena_printf(a,
                           ",{\"category\":\"product_name\",\"name\":\"w3svc.dll\",\"branches\":"
                           "[{\"category\":\"product_version_range\",\"name\":\"%s\",\"product\":"
                           "{\"product_id\":\"F\",\"name\":\"w3svc.dll\","
                           "\"product_identification_helper\":{\"x_generic_uris\":["
                           "{\"namespace\":\"urn:yagura:file\",\"uri\":\"urn:yagura:file:"
                           "%%25SystemRoot%%25/system32/inetsrv/w3svc.dll\"}]}}}]}",
                           range);
    const char *older = !*supersedes
                            ? ""
                            : arena_printf(a,
                                           ",{\"namespace\":\"urn:yagura:supersedes\",\"uri\":"
                                           "\"urn:yagura:supersedes:%s\"}",
                                           supersedes);
    return arena_printf(
        a,
        "{\"document\":{\"category\":\"csaf_security_advisory\",\"csaf_version\":\"2.0\","
        "\"title\":\"Title of %s\",\"lang\":\"en\",\"aggregate_severity\":{\"text\":\"high\"},"
        "\"publisher\":{\"category\":\"other\",\"name\":\"t\",\"namespace\":\"https://t.example\"},"
        "\"tracking\":{\"id\":\"%s\",\"status\":\"final\",\"version\":\"1\","
        "\"initial_release_date\":\"%sT00:00:00Z\",\"current_release_date\":\"%sT00:00:00Z\","
        "\"revision_history\":[{\"number\":\"1\",\"date\":\"%sT00:00:00Z\",\"summary\":\"x\"}]}},"
        "\"product_tree\":{\"branches\":[{\"category\":\"vendor\",\"name\":\"Microsoft\","
        "\"branches\":["
        "{\"category\":\"product_name\",\"name\":\"IIS\",\"branches\":[{\"category\":"
        "\"product_version\",\"name\":\"5.0\",\"product\":{\"product_id\":\"S\",\"name\":\"IIS "
        "5.0\","
        "\"product_identification_helper\":{\"x_generic_uris\":["
        "{\"namespace\":\"urn:yagura:product\",\"uri\":\"urn:yagura:product:iis\"},"
        "{\"namespace\":\"urn:yagura:port\",\"uri\":\"urn:yagura:port:80/tcp\"}%s]}}}]},"
        "{\"category\":\"product_name\",\"name\":\"%s\",\"product\":{\"product_id\":\"P\",\"name\":"
        "\"Patch %s\",\"product_identification_helper\":{\"x_generic_uris\":["
        "{\"namespace\":\"urn:yagura:patch\",\"uri\":\"urn:yagura:patch:%s\"},"
        "{\"namespace\":\"urn:yagura:contained-in\",\"uri\":\"urn:yagura:contained-in:windows:5.0:"
        "4\"}"
        "%s]}}}%s]}],"
        "\"relationships\":[{\"category\":\"installed_on\",\"product_reference\":\"P\","
        "\"relates_to_product_reference\":\"S\",\"full_product_name\":{\"product_id\":\"PS\","
        "\"name\":\"patch on IIS\"}}%s]},"
        "\"vulnerabilities\":[{\"cve\":\"CVE-2001-0001\",\"product_status\":{\"known_affected\":["
        "\"S\"],"
        "\"fixed\":[\"PS\"%s]},\"scores\":[{\"products\":[\"S\"],\"cvss_v2\":{\"version\":\"2.0\","
        "\"vectorString\":\"AV:N/AC:L/Au:N/C:C/I:C/A:C\",\"baseScore\":10.0}}],"
        "\"remediations\":[{\"category\":\"vendor_fix\",\"details\":\"Apply it.\",\"product_ids\":"
        "[\"S\"]},{\"category\":\"workaround\",\"details\":\"Unmap it.\",\"product_ids\":[\"S\"]}],"
        "\"threats\":[{\"category\":\"exploit_status\",\"details\":\"A worm.\",\"date\":"
        "\"2001-05-08T00:00:00Z\",\"product_ids\":[\"S\"]}]}]}",
        id, id, day, day, day, extra, patch, patch, patch, older, file,
        *range
            ? ",{\"category\":\"installed_on\",\"product_reference\":\"F\","
              "\"relates_to_product_reference\":\"S\",\"full_product_name\":{\"product_id\":\"FS\","
              "\"name\":\"file on IIS\"}}"
            : "",
        *range ? ",\"FS\"" : "");
}

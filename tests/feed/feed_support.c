#include "tests/feed/feed_support.h"

#include "base/mem.h"
#include "base/str.h"
#include "feed/compile.h"
#include "feed/csaf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *feed_document(const char *id, const char *date, const char *tree, const char *vulnerabilities)
{
    struct str text = {0};
    str_printf(&text,
               "{\"document\":{\"category\":\"csaf_security_advisory\",\"title\":\"Title of %s\","
               "\"publisher\":{\"category\":\"vendor\",\"name\":\"P\","
               "\"namespace\":\"https://p.example\"},"
               "\"tracking\":{\"id\":\"%s\",\"version\":\"1\",\"status\":\"final\","
               "\"initial_release_date\":\"2001-05-14T00:00:00Z\","
               "\"current_release_date\":\"%sT00:00:00Z\","
               "\"revision_history\":[{\"date\":\"2001-05-14T00:00:00Z\",\"number\":\"1\","
               "\"summary\":\"First.\"}]}},"
               "\"product_tree\":{%s},\"vulnerabilities\":[%s]}",
               id, id, date, tree, vulnerabilities);
    return text.data;
}

#define URI(space, value)                                                                          \
    "{\"namespace\":\"urn:yagura:" space "\",\"uri\":\"urn:yagura:" space ":" value "\"}"

static void add_server(struct str *out, const char *version, const char *platform)
{
    str_printf(
        out,
        "{\"category\":\"product_version\",\"name\":\"%s.0\",\"product\":{\"name\":\"IIS "
        "%s.0\",\"product_id\":\"iis%s\",\"product_identification_helper\":{"
        "\"x_generic_uris\":[" URI(
            "product",
            "iis") ",{\"namespace\":"
                   "\"urn:yagura:platform\",\"uri\":\"urn:yagura:platform:windows:%s\"}," URI(
                       "port", "80/tcp") "]}}}",
        version, version, version, platform);
}

static void add_patch(struct str *out, const char *key, const char *server, const char *more)
{
    str_printf(out,
               "{\"category\":\"patch_level\",\"name\":\"%s\",\"product\":{\"name\":\"Patch %s\","
               "\"product_id\":\"%s/%s\",\"product_identification_helper\":{\"x_generic_uris\":["
               "{\"namespace\":\"urn:yagura:patch\",\"uri\":\"urn:yagura:patch:%s\"}%s]}}}",
               key, key, key, server, key, more);
}

char *feed_iis(const char *id, const char *date, const char *four, const char *five)
{
    CLEANUP_STR struct str tree = {0};
    str_add(&tree, "\"branches\":[{\"category\":\"vendor\",\"name\":\"Microsoft\",\"branches\":["
                   "{\"category\":\"product_name\",\"name\":\"IIS\",\"branches\":[");
    add_server(&tree, "4", "4.0");
    str_add(&tree, ",");
    add_server(&tree, "5", "5.0");
    str_add(&tree, "]},{\"category\":\"product_name\",\"name\":\"Patches\",\"branches\":[");
    add_patch(&tree, "Q1", "iis4", "");
    str_add(&tree, ",");
    add_patch(&tree, "Q1", "iis5", "");
    str_add(&tree, ",");
    add_patch(&tree, "Q2", "iis4", four);
    str_add(&tree, ",");
    add_patch(&tree, "Q2", "iis5", five);
    str_add(&tree, "]},{\"category\":\"product_name\",\"name\":\"w3svc.dll\",\"branches\":["
                   "{\"category\":\"product_version_range\",\"name\":"
                   "\"vers:windows/>=5.0.2195.3407\",\"product\":{\"name\":\"w3svc.dll\","
                   "\"product_id\":\"w3svc\",\"product_identification_helper\":{"
                   "\"x_generic_uris\":[" URI(
                       "file", "%%25SystemRoot%%25%%5Cw3svc.dll") "]}}}]}]}],\"relationships\":[");
    static const char *const ties[][2] = {{"Q1/iis4", "iis4"},
                                          {"Q1/iis5", "iis5"},
                                          {"Q2/iis4", "iis4"},
                                          {"Q2/iis5", "iis5"},
                                          {"w3svc", "iis5"}};
    for (size_t i = 0; i < ARRAY_COUNT(ties); i++)
        str_printf(&tree,
                   "%s{\"category\":\"installed_on\",\"product_reference\":\"%s\","
                   "\"relates_to_product_reference\":\"%s\",\"full_product_name\":{\"name\":\"x\","
                   "\"product_id\":\"%s@%s\"}}",
                   i ? "," : "", ties[i][0], ties[i][1], ties[i][0], ties[i][1]);
    str_add(&tree, "]");
    /* str_add does not know %%: the URI above went through it */
    CLEANUP_STR struct str plain = {0};
    for (const char *p = str_text(&tree); *p; p++) {
        str_add_char(&plain, *p);
        if (p[0] == '%' && p[1] == '%')
            p++;
    }
    return feed_document(
        id, date, str_text(&plain),
        "{\"cve\":\"CVE-2001-0333\",\"product_status\":{\"known_affected\":[\"iis4\",\"iis5\"],"
        "\"fixed\":[\"Q2/iis4@iis4\",\"Q2/iis5@iis5\",\"w3svc@iis5\"]},"
        "\"scores\":[{\"products\":[\"iis4\",\"iis5\"],\"cvss_v2\":{\"baseScore\":7.5,"
        "\"vectorString\":\"AV:N/AC:L/Au:N/C:P/I:P/A:P\"}}],"
        "\"remediations\":[{\"category\":\"vendor_fix\",\"details\":\"Install Q2\","
        "\"date\":\"2001-05-14T00:00:00Z\",\"product_ids\":[\"iis4\",\"iis5\"]}],"
        "\"threats\":[{\"category\":\"exploit_status\",\"details\":\"Used by a worm\"}]},"
        "{\"cve\":\"CVE-2001-0334\",\"product_status\":{\"known_affected\":[\"iis4\",\"iis5\"],"
        "\"fixed\":[\"Q2/iis4@iis4\",\"Q2/iis5@iis5\",\"w3svc@iis5\"]}}");
}

void feed_compile(const char *dir, const char *name, const char *const *texts, size_t count)
{
    CLEANUP_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY);
    struct error e = ERROR_INIT;
    struct compile *c;
    assert_true(compile_new(&c, fd, &e));
    compile_feed(c, "test", 0, 0);
    for (size_t i = 0; i < count; i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP_STR struct str block = {0};
        struct document d;
        enum compile_outcome outcome;
        struct csaf_source source = {"test.json", "test"};
        if (!csaf_read(&d, arena, texts[i], strlen(texts[i]), &source, &e) ||
            !document_pack(&block, &d, &e) ||
            !compile_add(c, block.data, block.length, &outcome, &e))
            fail_msg("%s (in %.200s)", e.message, texts[i]);
    }
    if (!compile_write(c, name, &e))
        fail_msg("%s", e.message);
    compile_free(c);
}

struct advisories *feed_open(const char *dir, const char *name)
{
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/%s", dir, name);
    const char *const paths[] = {str_text(&path)};
    struct error e = ERROR_INIT;
    struct advisories *set;
    if (!advisories_open(&set, paths, 1, NULL, &e))
        fail_msg("%s", e.message);
    return set;
}

struct advisories *feed_open_one(const char *dir, const char *text)
{
    feed_compile(dir, "one.db", &text, 1);
    return feed_open(dir, "one.db");
}

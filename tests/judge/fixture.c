#include "tests/judge/fixture.h"

#include "base/json.h"
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

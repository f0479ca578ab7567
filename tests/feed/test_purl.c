#include "tests/support.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "feed/purl.h"

#include <dirent.h>
#include <stdio.h>

static const struct {
    const char *text, *type, *namespace, *name, *version, *arch;
} good[] = {
    {"pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie", "deb", "debian", "curl", "7.50.3-1",
     "i386"},
    {"pkg:DEB/Debian/CURL@1%3A2.0~rc1-3%2Bb1", "deb", "debian", "curl", "1:2.0~rc1-3+b1", ""},
    {"pkg:rpm/redhat/PyXML@0.8.3-6.el4_8.2?arch=src&epoch=4", "rpm", "redhat", "PyXML",
     "0.8.3-6.el4_8.2", "src"},
    {"pkg:npm/%40angular/animation@12.3.1", "npm", "@angular", "animation", "12.3.1", ""},
    {"pkg:pypi/Some_Thing@1.0", "pypi", "", "some-thing", "1.0", ""},
    {"pkg://generic/a/b/c", "generic", "a/b", "c", "", ""},
};

static const char *const bad[] = {
    "",
    "pkg:",
    "pkg:deb",
    "pkg:deb/",
    "deb/debian/curl",
    "pkg:3d/x",
    "pkg:d&b/x",
    "pkg:deb/x?in%20=1",
    "pkg:deb/x?a",
    "pkg:deb/%00",
    "pkg:deb/x@%ff",
    "pkg:gem/space/name",
};

static void a_package_url_is_taken_apart(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        struct purl p;
        struct error e = ERROR_INIT;
        if (!purl_parse(&p, arena, good[i].text, &e))
            fail_msg("%s", e.message);
        assert_string_equal(p.type, good[i].type);
        assert_string_equal(p.namespace, good[i].namespace);
        assert_string_equal(p.name, good[i].name);
        assert_string_equal(p.version, good[i].version);
        assert_string_equal(purl_qualifier(&p, "arch"), good[i].arch);
    }
}

static void what_is_no_package_url_is_refused(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct purl p;
        struct error e = ERROR_INIT;
        if (purl_parse(&p, arena, bad[i], &e))
            fail_msg("\"%s\" is taken for a package URL", bad[i]);
        assert_non_null(strstr(e.message, "is not a package URL"));
    }
}

static void written_again_it_says_the_same(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        struct purl p, q;
        assert_true(purl_parse(&p, arena, good[i].text, NULL));
        const char *text = purl_text(arena, &p);
        assert_true(purl_parse(&q, arena, text, NULL));
        assert_string_equal(purl_text(arena, &q), text);
        assert_string_equal(q.version, p.version);
        assert_string_equal(q.name, p.name);
    }
}

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_get_string(object, key);
    return text ? text : "";
}

static void same_as_expected(const struct purl *p, const json_t *expected, const char *input)
{
    const char *key;
    json_t *value;
    if (!str_equal(p->type, member(expected, "type")) ||
        !str_equal(p->namespace, member(expected, "namespace")) ||
        !str_equal(p->name, member(expected, "name")) ||
        !str_equal(p->version, member(expected, "version")) ||
        !str_equal(p->subpath, member(expected, "subpath")))
        fail_msg("%s is read as %s %s %s %s %s", input, p->type, p->namespace, p->name, p->version,
                 p->subpath);
    json_t *qualifiers = json_get_object(expected, "qualifiers");
    assert_int_equal(p->qualifier_count, json_object_size(qualifiers));
    json_object_foreach(qualifiers, key, value)
        assert_string_equal(purl_qualifier(p, key), json_string_value(value));
}

/* Rules of one registry about the letters of its names are not held: an extension store. */
static bool is_checked(const json_t *test)
{
    return str_equal(member(test, "test_type"), "parse") &&
           !str_starts(member(test, "input"), "pkg:chrome-extension/");
}

static void run_file(const char *path, size_t *done)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_ARENA struct arena *arena = arena_new();
    size_t size, i;
    struct error e = ERROR_INIT;
    assert_true(file_read(&text, &size, path, 1 << 22, &e));
    CLEANUP_JSON json_t *root = json_parse(text, size, path, 1 << 22, 1 << 20, &e);
    json_t *test;
    json_array_foreach(json_get_array(root, "tests"), i, test)
    {
        if (!is_checked(test))
            continue;
        struct purl p;
        const char *input = member(test, "input");
        bool expected = !json_is_true(json_object_get(test, "expected_failure"));
        if (purl_parse(&p, arena, input, &e) != expected)
            fail_msg("%s: %s should %sbe read", path, input, expected ? "" : "not ");
        if (expected)
            same_as_expected(&p, json_get_object(test, "expected_output"), input);
        ++*done;
    }
}

static void the_specification_s_own_tests_pass(void **state)
{
    static const char *const folders[] = {"data/audit/purl-tests/spec",
                                          "data/audit/purl-tests/types"};
    size_t done = 0;
    for (size_t f = 0; f < ARRAY_COUNT(folders); f++) {
        CLEANUP_FREE char *folder = support_shared(folders[f]);
        if (!folder)
            skip();
        DIR *dir = opendir(folder);
        for (struct dirent *entry; (entry = readdir(dir));) {
            CLEANUP_STR struct str path = {0};
            str_printf(&path, "%s/%s", folder, entry->d_name);
            if (str_ends(entry->d_name, ".json"))
                run_file(str_text(&path), &done);
        }
        closedir(dir);
    }
    printf("%zu tests of the specification\n", done);
    assert_true(done > 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_package_url_is_taken_apart),
        cmocka_unit_test(what_is_no_package_url_is_refused),
        cmocka_unit_test(written_again_it_says_the_same),
        cmocka_unit_test(the_specification_s_own_tests_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

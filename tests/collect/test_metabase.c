/* Text exports of the metabase, in the three forms, and the strings of MetaBase.bin. */
#include "base/str.h"
#include "collect/iis_metabase.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

static const char adsutil[] =
    "[/W3SVC]\r\n"
    "KeyType                         : (STRING) \"IIsWebService\"\r\n"
    "AspEnableParentPaths            : (BOOLEAN) True\r\n"
    "ScriptMaps                      : (LIST) (2 Items)\r\n"
    "  \".asp,C:\\WINNT\\asp.dll,1,GET\"\r\n"
    "  \".printer,C:\\WINNT\\msw3prt.dll,1,GET,POST\"\r\n"
    "SomethingElse                   : (STRING) \"x\"\r\n"
    "  \"not an item of ScriptMaps\"\r\n"
    "[/W3SVC/1]\r\n"
    "ServerBindings                  : (LIST) (2 Items)\r\n"
    "  \":80:\"\r\n"
    "  \"192.0.2.1:8080:www.example\"\r\n"
    "[/W3SVC/1/ROOT/Scripts]\r\n"
    "AccessFlags                     : (INTEGER) 518\r\n"
    "Path                            : (STRING) \"C:\\InetPub\\scripts\"\r\n"
    "DirBrowseFlags                  : (INTEGER) -1073741762\r\n";

static const char mdutil[] =
    "[LM/W3SVC/]\n"
    "ScriptMaps               : [IF]     (MULTISZ) \".asp,C:\\WINNT\\asp.dll,1,GET\"\n"
    "                                      \".printer,C:\\WINNT\\msw3prt.dll,1,GET,POST\"\n"
    "7008                     : [IW]     (DWORD)  0x1={1}\n"
    "[LM/W3SVC/1/]\n"
    "ServerBindings           : [IS]     (MULTISZ) \":80:\" \n"
    "                                      \"192.0.2.1:8080:www.example\"\n"
    "[LM/W3SVC/1/ROOT/Scripts/]\n"
    "AccessPerm               : [IF]     (DWORD)  0x206={Write Execute Script}\n"
    "VrPath                   : [IF]     (STRING) \"C:\\InetPub\\scripts\"\n"
    "6005                     : [IF]     (DWORD)  0xc000003e={x}\n";

static const char metaedit[] =
    "LM\\W3SVC\n"
    "6014\tScriptMaps\tI\tFile\tMultiSZ\t.asp,C:\\WINNT\\asp.dll,1,GET|"
    ".printer,C:\\WINNT\\msw3prt.dll,1,GET,POST\n"
    "7008\t\tI\tWAM\tDWORD\t1\n"
    "LM\\W3SVC\\1\n"
    "1023\tServerBindings\t\tServer\tMultiSZ\t:80:|192.0.2.1:8080:www.example\n"
    "LM\\W3SVC\\1\\ROOT\\Scripts\n"
    "6016\tAccessFlags\tI\tFile\tDWORD\t518\n"
    "3001\tPath\tI\tFile\tString\tC:\\InetPub\\scripts\n"
    "6005\t\tI\tFile\tDWORD\t0xc000003e\n";

static void all_three_forms_say_the_same(void **state)
{
    static const char *const texts[] = {adsutil, mdutil, metaedit};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct metabase m;
        struct error e = ERROR_INIT;
        uint32_t n;
        if (!iis_metabase_parse(&m, arena, texts[i], strlen(texts[i]), &e))
            fail_msg("form %zu: %s", i, e.message);
        const struct metabase_property *maps = iis_metabase_get(&m, "W3SVC/1/ROOT", "ScriptMaps");
        assert_non_null(maps);
        assert_int_equal(maps->count, 2);
        assert_string_equal(maps->items[1], ".printer,C:\\WINNT\\msw3prt.dll,1,GET,POST");
        const struct metabase_property *bindings =
            iis_metabase_own(iis_metabase_node(&m, "w3svc/1"), "ServerBindings");
        assert_non_null(bindings);
        assert_int_equal(bindings->count, 2);
        assert_string_equal(bindings->items[0], ":80:");
        assert_string_equal(iis_metabase_text(&m, "W3SVC/1/ROOT/scripts", "Path"),
                            "C:\\InetPub\\scripts");
        assert_true(
            iis_metabase_number(iis_metabase_text(&m, "W3SVC/1/ROOT/Scripts", "AccessFlags"), &n));
        assert_int_equal(n, 518);
        assert_true(iis_metabase_number(
            iis_metabase_text(&m, "W3SVC/1/ROOT/Scripts", "DirBrowseFlags"), &n));
        assert_true(n & 0x80000000u);
        assert_true(iis_metabase_number(
            iis_metabase_text(&m, "W3SVC/1/ROOT/Scripts", "AspEnableParentPaths"), &n));
        assert_int_equal(n, 1);
    }
}

static void values_come_from_the_nearest_node_above(void **state)
{
    static const char text[] = "[W3SVC]\nLogType : (INTEGER) 1\n[W3SVC/1]\nLogType : (INTEGER) 0\n"
                               "[W3SVC/10]\nServerComment : (STRING) \"ten\"\n";
    static const struct {
        const char *path, *value;
    } rows[] = {{"W3SVC/1/ROOT/a", "0"},
                {"W3SVC/1", "0"},
                {"W3SVC/10", "1"},
                {"W3SVC/2/ROOT", "1"},
                {"MSFTPSVC", NULL}};
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct metabase m;
    assert_true(iis_metabase_parse(&m, arena, text, strlen(text), NULL));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *found = iis_metabase_text(&m, rows[i].path, "LogType");
        if (!str_equal(found, rows[i].value))
            fail_msg("%s: %s", rows[i].path, found ? found : "none");
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const texts[] = {"", "hello", "[boot loader]\ntimeout=30\n", "[W3SVC]\n",
                                        "Path : (STRING) \"x\"\n"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        struct metabase m;
        assert_false(iis_metabase_parse(&m, arena, texts[i], strlen(texts[i]), NULL));
    }
}

static void numbers_are_read_in_every_spelling(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t n;
    } rows[] = {{"513", true, 513}, {"0x201", true, 513}, {"-1", true, 0xffffffff},
                {"True", true, 1},  {"false", true, 0},   {"", false, 0},
                {"x", false, 0},    {NULL, false, 0},     {"4294967296", false, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint32_t n = 0;
        assert_int_equal(iis_metabase_number(rows[i].text, &n), rows[i].good);
        assert_int_equal(n, rows[i].n);
    }
}

static void script_maps_are_found_among_bytes(void **state)
{
    static const char bytes[] =
        "\x01\x02.asp,C:\\WINNT\\asp.dll,1,GET\0\xff.a.b,c.htr,C:\\WINNT\\ism.dll,1\0"
        ".\0p\0r\0i\0n\0t\0e\0r\0,\0C\0:\0\\\0m\0.\0d\0l\0l\0,\0"
        "5\0\0\0"
        ".asp,C:\\WINNT\\asp.dll,1,GET\0.exe,relative.dll,1\0.x,C:\\nothing\0.toolongextension123,"
        "C:"
        "\\x.dll,1";
    CLEANUP_ARENA struct arena *arena = arena_new();
    const char *const *maps;
    size_t count;
    iis_metabase_strings(bytes, sizeof bytes, arena, &maps, &count);
    assert_int_equal(count, 3);
    assert_string_equal(maps[0], ".printer,C:\\m.dll,5");
    assert_string_equal(maps[1], ".asp,C:\\WINNT\\asp.dll,1,GET");
    assert_string_equal(maps[2], ".htr,C:\\WINNT\\ism.dll,1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_three_forms_say_the_same),
        cmocka_unit_test(values_come_from_the_nearest_node_above),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(numbers_are_read_in_every_spelling),
        cmocka_unit_test(script_maps_are_found_among_bytes),
    };
    return cmocka_run_group_tests_name("collect/metabase", tests, NULL, NULL);
}

/* Pins, settings, sources and the draw for phased updates, as apt 2.6 does them. */
#include "base/str.h"
#include "collect/apt_conf.h"
#include "collect/apt_policy.h"
#include "collect/apt_sources.h"
#include "tests/support.h"

#include <stdlib.h>

static const struct apt_origin main_archive = {.origin = "Debian",
                                               .label = "Debian",
                                               .archive = "oldstable",
                                               .codename = "bookworm",
                                               .version = "12.15",
                                               .component = "main",
                                               .arch = "amd64",
                                               .site = "mirror.example"};
static const struct apt_origin security_archive = {.origin = "Debian",
                                                   .label = "Debian-Security",
                                                   .archive = "oldstable-security",
                                                   .codename = "bookworm-security",
                                                   .version = "12",
                                                   .component = "main",
                                                   .arch = "amd64",
                                                   .site = "security.mirror.example"};
static const struct apt_origin backports_archive = {.origin = "Debian Backports",
                                                    .label = "Debian Backports",
                                                    .archive = "oldstable-backports",
                                                    .codename = "bookworm-backports",
                                                    .version = "",
                                                    .component = "main",
                                                    .arch = "amd64",
                                                    .site = "mirror.example",
                                                    .not_automatic = true,
                                                    .but_automatic_upgrades = true};

/* Installed 2 (of the main archive); 3 is in security, 4 in backports, 1 in main, too. Which
 * one is chosen? Each row was held against apt-cache policy. */
static void the_candidate_is_that_of_apt(void **state)
{
    static const struct {
        const char *preferences, *release, *chosen;
    } rows[] = {
        {"", NULL, "3"},
        {"", "bookworm", "2"},
        {"", "bookworm-backports", "4"},
        {"", "/^bookworm(-security|)$/", "3"},
        {"Package: *\nPin: release a=oldstable-backports\nPin-Priority: 600\n", NULL, "4"},
        {"Package: *\nPin: release l=Debian-Security\nPin-Priority: -1\n", NULL, "2"},
        {"Package: *\nPin: origin security.mirror.example\nPin-Priority: 50\n", NULL, "2"},
        {"Package: *\nPin: origin \"mirror.example\"\nPin-Priority: 600\n", NULL, "4"},
        {"Package: x\nPin: version 4*\nPin-Priority: 900\n", NULL, "4"},
        {"Package: y x\nPin: version 4*\nPin-Priority: 900\n", NULL, "4"},
        {"Package: x*\nPin: version 4*\nPin-Priority: 900\n", NULL, "4"},
        {"Package: /^x$/\nPin: version 4*\nPin-Priority: 900\n", NULL, "4"},
        {"Package: src:xsource\nPin: version 4*\nPin-Priority: 900\n", NULL, "4"},
        {"Package: src:x\nPin: version 4*\nPin-Priority: 900\n", NULL, "3"},
        {"Package: y\nPin: version 4*\nPin-Priority: 900\n", NULL, "3"},
        {"Package: x:i386\nPin: version 4*\nPin-Priority: 900\n", NULL, "3"},
        {"Package: x\nPin: version 1\nPin-Priority: 999\n", NULL, "3"},
        {"Package: x\nPin: version 1\nPin-Priority: 1001\n", NULL, "1"},
        {"Package: x\nPin: version 2\nPin-Priority: 1001\n", NULL, "2"},
        {"Package: *\nPin: release l=Debian-Security\nPin-Priority: never\n", NULL, "2"},
        {"Package: *\nPin: release l=Debian-Security\nPin-Priority: never\n\n"
         "Package: x\nPin: version 3\nPin-Priority: 900\n",
         NULL, "2"},
        {"Package: x\nPin: version *\nPin-Priority: -5\n", NULL, NULL},
        {"Package: x:any\nPin: version 4*\nPin-Priority: 900\n", NULL, "4"},
        {"Package: x:amd64\nPin: version 4*\nPin-Priority: 900\n", NULL, "4"},
        {"Package: x\nPin: release v=12*,c=main\nPin-Priority: 700\n", NULL, "3"},
        {"Package: x\nPin: release 12.15\nPin-Priority: 700\n", NULL, "2"},
        {"Package: x\nPin: release a=now\nPin-Priority: 700\n", NULL, "2"},
        /* the first stanza that fits counts */
        {"Package: *\nPin: release n=bookworm-security\nPin-Priority: 50\n\n"
         "Package: *\nPin: release o=Debian\nPin-Priority: 700\n",
         NULL, "2"},
        {"Package: x\nPin: release l=Debian-Security\nPin-Priority: 50\n\n"
         "Package: x\nPin: version *\nPin-Priority: 700\n",
         NULL, "4"},
        /* comments, an explanation, and a stanza that says nothing */
        {"# c\nExplanation: none\n\nPackage: x\nPin: version 4\nPin-Priority: 0\n", NULL, "3"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP_APT_POLICY struct apt_policy policy = {0};
        apt_policy_parse(&policy, arena, "preferences", rows[i].preferences,
                         strlen(rows[i].preferences));
        if (rows[i].release)
            apt_policy_default(&policy, rows[i].release);
        struct apt_origin origins[] = {main_archive,
                                       security_archive,
                                       backports_archive,
                                       {.origin = "",
                                        .label = "",
                                        .archive = "now",
                                        .codename = "",
                                        .version = "",
                                        .component = "",
                                        .arch = "",
                                        .site = "",
                                        .is_status = true}};
        for (size_t k = 0; k < ARRAY_COUNT(origins); k++)
            apt_policy_rate(&policy, &origins[k]);
        struct apt_version versions[] = {
            {.version = "4", .origins = {&origins[2]}, .origin_count = 1},
            {.version = "3", .origins = {&origins[1]}, .origin_count = 1},
            {.version = "2", .origins = {&origins[0], &origins[3]}, .origin_count = 2},
            {.version = "1", .origins = {&origins[0]}, .origin_count = 1}};
        size_t chosen = apt_policy_choose(&policy, "x", "amd64", "xsource", versions, 4, 2);
        const char *got = chosen < 4 ? versions[chosen].version : NULL;
        if (!str_equal(got, rows[i].chosen))
            fail_msg("row %zu: %s, not %s", i, got ? got : "none",
                     rows[i].chosen ? rows[i].chosen : "none");
    }
}

static void damaged_pins_are_counted(void **state)
{
    static const char text[] =
        "Package: x\nPin: version 1\n\nPackage: x\nPin: moon 1\n"
        "Pin-Priority: 1\n\nPackage: x\nPin: version 1\nPin-Priority: 99999\n"
        "\nPackage: *\nPin: version 1\nPin-Priority: 1\n\nPackage: x\n"
        "Pin: release *\nPin-Priority: never\n\nPin: release a\n"
        "Pin-Priority: 5\n";
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_APT_POLICY struct apt_policy policy = {0};
    apt_policy_parse(&policy, arena, "preferences", text, sizeof text - 1);
    assert_int_equal(policy.malformed, 6);
    assert_int_equal(policy.pins.count, 0);
}

/* Drawn with std::seed_seq, std::minstd_rand and std::uniform_int_distribution of libstdc++ 12
 * from the same texts. */
static void the_draw_is_that_of_the_standard_library(void **state)
{
    static const struct {
        const char *source, *version, *machine;
        unsigned drawn;
    } rows[] = {
#include "tests/collect/phased.inc"
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *s = rows[i].source, *v = rows[i].version, *m = rows[i].machine;
        if (rows[i].drawn > 0 && !apt_phased_out(s, v, m, rows[i].drawn - 1))
            fail_msg("%s: let in below %u", s, rows[i].drawn);
        if (apt_phased_out(s, v, m, rows[i].drawn))
            fail_msg("%s: left out at %u", s, rows[i].drawn);
    }
}

static void settings_are_read_as_apt_does(void **state)
{
    static const char text[] =
        "// comment\n# comment\n/* { */\nAPT::Default-Release \"bookworm\";\n"
        "APT { Get { Always-Include-Phased-Updates \"true\"; }; Architectures { \"amd64\"; "
        "\"i386\"; }; };\nDir::Etc \"x\";\nA::B \"1\"; A::B \"2\";\nGone::X \"1\";\n"
        "#clear Gone;\nDPkg::Post-Invoke {\"/bin/echo { ; } // no\";};\n";
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_APT_CONF struct apt_conf conf = {0};
    const char *arches[4];
    assert_true(apt_conf_parse(&conf, arena, text, sizeof text - 1));
    assert_string_equal(apt_conf_get(&conf, "apt::default-release"), "bookworm");
    assert_true(apt_conf_true(&conf, "APT::Get::Always-Include-Phased-Updates", false));
    assert_string_equal(apt_conf_get(&conf, "A::B"), "2");
    assert_null(apt_conf_get(&conf, "Gone::X"));
    assert_int_equal(apt_conf_list(&conf, "APT::Architectures", arena, arches, 4), 2);
    assert_string_equal(arches[1], "i386");
    assert_false(apt_conf_parse(&conf, arena, "APT { \"x", 8));
    assert_false(apt_conf_parse(&conf, arena, "APT { X \"1\";", 12));
    assert_true(apt_conf_takes_file("50x", "", "conf"));
    assert_true(apt_conf_takes_file("50x.conf", "", "conf"));
    assert_false(apt_conf_takes_file("x.conf.disabled", "", "conf"));
    assert_false(apt_conf_takes_file("x~", "", "conf"));
    assert_false(apt_conf_takes_file(".conf", "", "conf"));
    assert_false(apt_conf_takes_file("plain", "list", "sources"));
}

/* Names as `apt-get update --print-uris` of apt 2.6 prints them. */
static void lists_are_named_as_apt_names_them(void **state)
{
    static const struct {
        const char *line, *release, *list; /* NULL: the line makes no source */
    } rows[] = {
        {"deb [arch=amd64 trusted=yes] mirror+file:/etc/apt/mirrors/debian.list bookworm main",
         "_etc_apt_mirrors_debian.list_dists_bookworm_InRelease",
         "_etc_apt_mirrors_debian.list_dists_bookworm_main_binary-amd64_Packages"},
        {"deb http://u:p@mirror.example:3142/debian~x_y/ ./",
         "mirror.example:3142_debian%7ex%5fy_._InRelease",
         "mirror.example:3142_debian%7ex%5fy_._Packages"},
        {"deb file:/srv/repo sub/dir/ # comment", "_srv_repo_sub_dir_InRelease",
         "_srv_repo_sub_dir_Packages"},
        {"deb http://mirror.example/a+b=c@d bookworm/updates main",
         "mirror.example_a+b%3dc%40d_dists_bookworm_updates_InRelease",
         "mirror.example_a+b%3dc%40d_dists_bookworm_updates_main_binary-amd64_Packages"},
        {"deb http://mirror.example/$(ARCH)// /", "mirror.example_amd64__InRelease",
         "mirror.example_amd64__Packages"},
        {"deb http://mirror.example/UP%20x// Sta_ble main",
         "mirror.example_UP%20x__dists_Sta%5fble_InRelease",
         "mirror.example_UP%20x__dists_Sta%5fble_main_binary-amd64_Packages"},
        {"deb cdrom:[Debian 12 _x_]/ bookworm main",
         "Debian%2012%20%5fx%5f_dists_bookworm_InRelease",
         "Debian%2012%20%5fx%5f_dists_bookworm_main_binary-amd64_Packages"},
        {"deb-src http://mirror.example/ stable main", NULL, NULL},
        {"# deb http://mirror.example/ stable main", NULL, NULL},
        {"deb http://mirror.example/ stable", NULL, NULL},
        {"deb", NULL, NULL},
        {"deb nonsense stable main", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP_APT_SOURCES struct apt_sources s = {0};
        apt_sources_parse_lines(&s, arena, "sources.list", "amd64", rows[i].line,
                                strlen(rows[i].line));
        assert_int_equal(s.list.count, rows[i].release ? 1 : 0);
        if (!s.list.count)
            continue;
        const struct apt_source *one = &s.list.items[0];
        const char *index = apt_source_index(one, arena, "main", "amd64");
        assert_string_equal(apt_source_list_name(one, arena, "InRelease"), rows[i].release);
        assert_string_equal(apt_source_list_name(one, arena, index), rows[i].list);
    }
}

static void deb822_sources_are_read(void **state)
{
    static const char text[] =
        "Types: deb deb-src\nURIs: http://a.mirror.example/debian http://b.mirror.example/debian\n"
        "Suites: bookworm\n# in the middle\n bookworm-updates\nComponents: main contrib\n"
        "Architectures: amd64 i386\nSigned-By:\n -----BEGIN\n .\n\n"
        "Types: deb\nEnabled: no\nURIs: http://c.mirror.example/\nSuites: x\nComponents: main\n\n"
        "Types: deb-src\nURIs: http://d.mirror.example/\nSuites: x\nComponents: main\n\n"
        "URIs: http://e.mirror.example/\n";
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_APT_SOURCES struct apt_sources s = {0};
    static const char *const configured[] = {"arm64"};
    const char *arches[8];
    apt_sources_parse_deb822(&s, arena, "x.sources", "amd64", text, sizeof text - 1);
    assert_int_equal(s.list.count, 4);
    assert_int_equal(s.malformed, 1);
    assert_string_equal(s.list.items[3].uri, "http://b.mirror.example/debian/");
    assert_string_equal(s.list.items[3].suite, "bookworm-updates");
    assert_int_equal(s.list.items[0].components.count, 2);
    assert_int_equal(apt_source_arches(&s.list.items[0], configured, 1, arches, 8), 2);
    assert_string_equal(arches[1], "i386");
    assert_string_equal(apt_source_site(&s.list.items[0], arena), "a.mirror.example");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_candidate_is_that_of_apt),
        cmocka_unit_test(damaged_pins_are_counted),
        cmocka_unit_test(the_draw_is_that_of_the_standard_library),
        cmocka_unit_test(settings_are_read_as_apt_does),
        cmocka_unit_test(lists_are_named_as_apt_names_them),
        cmocka_unit_test(deb822_sources_are_read),
    };
    return cmocka_run_group_tests_name("collect/apt_policy", tests, NULL, NULL);
}

/* Which updates a small Debian would get, from lists as apt leaves them. */
#include "base/str.h"
#include "collect/apt.h"
#include "model/date.h"
#include "tests/collect/linux_harness.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>
#include <zlib.h>
#include <zstd.h>

static const char lists[] = "var/lib/apt/lists/mirror.example_debian_dists_";
static const char status[] =
    "Package: dpkg\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n"
    "Package: a\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n\n"
    "Package: b\nStatus: hold ok installed\nVersion: 1.0-1\nArchitecture: all\n\n"
    "Package: c\nStatus: install ok installed\nVersion: 3.0-1\nArchitecture: amd64\n\n"
    "Package: d\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\n\n"
    "Package: d\nStatus: install ok installed\nVersion: 1.0\nArchitecture: i386\n\n"
    "Package: e\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\n";
/* a: main has the newest, security lies between; b: held, becomes amd64; c: nothing newer;
 * d: only for i386; e: pinned away. */
static const char main_list[] =
    "Package: a\nVersion: 1.2-1\nArchitecture: amd64\nDescription: x\n y\n\n"
    "Package: b\nVersion: 1.1-1\nArchitecture: amd64\n\n"
    "Package: c\nVersion: 2.0-1\nArchitecture: amd64\n\n"
    "Package: d\nVersion: 1.0\nArchitecture: amd64\n\n"
    "Package: zz\nVersion: 9\nArchitecture: all\n";
static const char i386_list[] = "Package: d\nVersion: 1.1\nArchitecture: i386\n\n"
                                "Package: b\nVersion: 7\nArchitecture: i386\n";
static const char security_list[] = "Package: e\nVersion: 1.5\nArchitecture: amd64\n\n"
                                    "Package: a\nVersion: 1.1-1\nArchitecture: amd64\n\n"
                                    "Package: b\nVersion: 1.0-2\nArchitecture: all\n";
static const char main_release[] =
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nOrigin: Debian\nLabel: Debian\n"
    "Suite: stable\nCodename: bookworm\nArchitectures: all amd64 i386\n"
    "No-Support-for-Architecture-all: Packages\nComponents: main contrib\nSHA256:\n"
    " 00 10 main/binary-amd64/Packages\n 00 0 contrib/binary-amd64/Packages\n"
    " 00 20 contrib/binary-amd64/Packages.xz\n-----BEGIN PGP SIGNATURE-----\nValid-Until: Thu, "
    "01 Jan 1970 00:00:00 UTC\n-----END PGP SIGNATURE-----\n";
static const char security_release[] =
    "Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: "
    "bookworm-security\nArchitectures: amd64\nComponents: updates/main\n"
    "Valid-Until: Sat, 22 Nov 2036 10:12:26 UTC\n";

static const struct linux_file files[] = {
    {"var/lib/dpkg/status", status},
    {"var/lib/dpkg/arch", "amd64\ni386\n"},
    {"etc/apt/sources.list",
     "deb http://mirror.example/debian bookworm main contrib\n"
     "deb [arch=amd64] http://mirror.example/debian bookworm-security main\n"},
    {"etc/apt/sources.list.d/off.list.disabled", "deb http://mirror.example/off x main\n"},
    {"etc/apt/preferences.d/e", "Package: e\nPin: release l=Debian-Security\nPin-Priority: -1\n"},
    {"var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease", main_release},
    {"var/lib/apt/lists/mirror.example_debian_dists_bookworm_main_binary-amd64_Packages",
     main_list},
    {"var/lib/apt/lists/mirror.example_debian_dists_bookworm_main_binary-i386_Packages", i386_list},
    {"var/lib/apt/lists/mirror.example_debian_dists_bookworm-security_InRelease", security_release},
    {"var/lib/apt/lists/"
     "mirror.example_debian_dists_bookworm-security_main_binary-amd64_Packages",
     security_list},
    {"var/lib/apt/lists/orphan_dists_x_main_binary-amd64_Packages",
     "Package: c\nVersion: 99\nArchitecture: amd64\n"},
    {"etc/machine-id", "0123456789abcdef0123456789abcdef\n"},
    {NULL, NULL}};

static collect_source_function *const sources[] = {collect_dpkg, collect_apt, NULL};

static void begin(struct linux_host *host)
{
    linux_begin(host, files);
    host->now = date_now(); /* the lists were fetched just now, by their ctime */
}

static const char *update(const struct linux_host *host, const char *name, const char *key)
{
    return harness_value(harness_find(&host->h, "update", "name", name), key);
}

static const char *source(const struct linux_host *host, const char *suite, const char *component,
                          const char *arch, const char *key)
{
    for (const struct fact *f = facts_first(host->h.facts, "update-source"); f;
         f = facts_next(host->h.facts, "update-source", f))
        if (str_equal(fact_text(f, "suite"), suite) &&
            str_equal(fact_text(f, "component"), component) &&
            str_equal(fact_text(f, "arch"), arch))
            return harness_value(f, key);
    return "<none>";
}

static void check_updates(const struct linux_host *host)
{
    if (linux_count(host, "update") != 4)
        harness_print(&host->h);
    assert_int_equal(linux_count(host, "update"), 4);
    assert_string_equal(update(host, "a", "candidate"), "1.2-1");
    assert_string_equal(update(host, "a", "security"), "yes");
    assert_string_equal(update(host, "a", "security_version"), "1.1-1");
    assert_string_equal(update(host, "a", "held"), "");
    assert_string_equal(update(host, "b", "candidate"), "1.1-1"); /* all -> amd64, not i386 */
    assert_string_equal(update(host, "b", "held"), "hold");
    assert_string_equal(update(host, "d", "arch"), "i386");
    assert_string_equal(update(host, "d", "security"), "no");
    assert_string_equal(update(host, "e", "held"), "pin");
    assert_string_equal(update(host, "e", "upgradable"), "no");
    assert_string_equal(update(host, "e", "security_version"), "1.5");
}

static void updates_are_those_of_apt(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_run(&host, sources);
    check_updates(&host);
    assert_int_equal(linux_count(&host, "unread"), 0);
    linux_end(&host);
}

static void each_configured_list_has_a_state(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_run(&host, sources);
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "fresh");
    assert_string_equal(source(&host, "bookworm", "main", "i386", "state"), "fresh");
    assert_string_equal(source(&host, "bookworm", "contrib", "amd64", "state"), "fresh");
    assert_string_equal(source(&host, "bookworm", "contrib", "i386", "state"), "missing");
    assert_string_equal(source(&host, "bookworm-security", "main", "amd64", "security"), "yes");
    assert_string_equal(source(&host, "bookworm-security", "main", "i386", "state"), "<none>");
    assert_int_equal(linux_count(&host, "update-source"), 5);
    /* a year later: the main archive has no Valid-Until, security's runs until 2036 */
    host.now += 400 * 86400;
    linux_run(&host, sources);
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "stale");
    assert_string_equal(source(&host, "bookworm-security", "main", "amd64", "state"), "fresh");
    assert_true(str_starts(source(&host, "bookworm", "main", "amd64", "refreshed_from"),
                           "ctime of /var/lib/apt/lists/"));
    host.now += 20ll * 365 * 86400;
    linux_run(&host, sources);
    assert_string_equal(source(&host, "bookworm-security", "main", "amd64", "state"), "expired");
    linux_end(&host);
}

static void the_stamp_of_apt_counts_before_times_of_files(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_write(&host, "var/lib/apt/periodic/update-success-stamp", "", 0);
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/var/lib/apt/periodic/update-success-stamp", host.dir);
    struct utimbuf old = {host.now - 31 * 86400, host.now - 31 * 86400};
    assert_int_equal(utime(str_text(&path), &old), 0);
    linux_run(&host, sources);
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "stale");
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "refreshed_from"),
                        "/var/lib/apt/periodic/update-success-stamp");
    linux_end(&host);
}

/* As "cp -a" and "tar -xp" leave it: times of files kept, ctimes those of the copying. */
static void a_copied_tree_tells_nothing_by_its_ctimes(void **state)
{
    struct linux_host host, copy;
    CLEANUP_STR struct str path = {0}, command = {0};
    begin(&host);
    str_printf(&path, "%s/var/lib/dpkg/status", host.dir);
    struct utimbuf old = {host.now - 60 * 86400, host.now - 60 * 86400};
    assert_int_equal(utime(str_text(&path), &old), 0);
    linux_begin(&copy, (struct linux_file[]){{NULL, NULL}});
    copy.now = host.now;
    str_printf(&command, "cp -a %s/. %s/", host.dir, copy.dir);
    assert_int_equal(system(str_text(&command)), 0);
    linux_run(&copy, sources);
    assert_string_equal(source(&copy, "bookworm", "main", "amd64", "state"), "stale");
    assert_string_equal(source(&copy, "bookworm", "main", "amd64", "refreshed"), "<none>");
    assert_string_equal(source(&copy, "bookworm", "main", "amd64", "refreshed_from"), "<none>");
    assert_non_null(strstr(source(&copy, "bookworm", "main", "amd64", "reason"), "was copied"));
    /* a list that says itself until when it holds needs no stamp */
    assert_string_equal(source(&copy, "bookworm-security", "main", "amd64", "state"), "fresh");
    /* and a stamp is copied with its time */
    linux_write(&copy, "var/lib/apt/periodic/update-success-stamp", "", 0);
    linux_run(&copy, sources);
    assert_string_equal(source(&copy, "bookworm", "main", "amd64", "state"), "fresh");
    linux_end(&copy);
    linux_end(&host);
}

static void a_stamp_that_cannot_be_had_is_not_no_stamp(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_write(&host, "var/lib/apt/periodic/x", "", 0);
    linux_link(&host, "var/lib/apt/periodic/update-success-stamp", "/elsewhere");
    linux_run(&host, sources);
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "stale");
    assert_non_null(strstr(source(&host, "bookworm", "main", "amd64", "reason"), "is a link to"));
    linux_end(&host);
}

static void apt_conf_says_where_things_lie(void **state)
{
    static const struct {
        const char *conf, *key, *path;
    } rows[] = {
        {"", "Dir::State::lists", "/var/lib/apt/lists"},
        {"", "Dir::Etc::sourceparts", "/etc/apt/sources.list.d"},
        {"Dir::State::lists \"/srv/lists/\";", "Dir::State::lists", "/srv/lists"},
        {"Dir::State \"/srv\";", "Dir::State::lists", "/srv/lists"},
        {"Dir \"/mnt\"; Dir::State \"x/\";", "Dir::State::lists", "/mnt/x/lists"},
        {"RootDir \"/chroot/\";", "Dir::State::lists", "/chroot/var/lib/apt/lists"},
        {"Dir { Etc { sourcelist \"other\"; } }", "Dir::Etc::sourcelist", "/etc/apt/other"},
        {"Dir::Etc::sourcelist \"/dev/null\";", "Dir::Etc::sourcelist", NULL},
        {"Dir::State \"/srv\";\n#clear Dir::State;", "Dir::State::lists", "/var/lib/apt/lists"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP_APT_CONF struct apt_conf conf = {0};
        assert_true(apt_conf_parse(&conf, arena, rows[i].conf, strlen(rows[i].conf)));
        const char *path = apt_conf_path(&conf, arena, rows[i].key);
        if (!str_equal(path ? path : "off", rows[i].path ? rows[i].path : "off"))
            fail_msg("%s: %s", rows[i].conf, path ? path : "off");
    }
}

static void what_include_names_is_read_in_its_place(void **state)
{
    static const char first[] = "#include \"/srv/apt.conf\";\n"
                                "Dir::Etc::sourcelist \"/srv/sources\";\n";
    static const char again[] = "#include \"/srv/apt.conf\";\nAPT::Architecture \"amd64\";\n"
                                "#include \"/srv/apt.conf\";";
    struct linux_host host;
    begin(&host);
    linux_write(&host, "etc/apt/apt.conf.d/01first", first, sizeof first - 1);
    linux_write(&host, "srv/apt.conf", "Dir::Etc::sourcelist \"/nothing\";", 32);
    linux_write(&host, "srv/sources", "deb http://mirror.example/debian bookworm main\n", 47);
    linux_run(&host, sources);
    assert_int_equal(linux_count(&host, "unread"), 0);
    assert_string_equal(source(&host, "bookworm-security", "main", "amd64", "state"), "<none>");
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "fresh");
    /* in a circle: an end is made of it, and it is said */
    linux_write(&host, "srv/apt.conf", again, sizeof again - 1);
    linux_run(&host, sources);
    assert_non_null(strstr(fact_text(facts_first(host.h.facts, "unread"), "reason"), "#include"));
    /* what depends on where apt is started */
    linux_write(&host, "srv/apt.conf", "#include \"x.conf\";", 18);
    linux_run(&host, sources);
    assert_non_null(strstr(fact_text(facts_first(host.h.facts, "unread"), "reason"), "x.conf"));
    /* lists in another place are read there */
    linux_write(&host, "srv/apt.conf", "Dir::State::lists \"/var/lib/apt/other\";", 39);
    linux_run(&host, sources);
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "missing");
    linux_end(&host);
}

static void the_cache_gives_the_same_answer(void **state)
{
    struct linux_host host;
    struct memory_cache cache;
    memory_cache_begin(&cache);
    begin(&host);
    host.cache = &cache.cache;
    linux_run(&host, sources);
    check_updates(&host);
    assert_int_equal(cache.puts, 3);
    linux_run(&host, sources);
    check_updates(&host);
    assert_int_equal(cache.puts, 3);
    assert_int_equal(cache.hits, 3);
    /* a damaged table is not believed */
    for (size_t i = 0; i < cache.count; i++)
        memset((char *)cache.items[i].data + 4, 0xff, 4);
    linux_run(&host, sources);
    check_updates(&host);
    assert_int_equal(cache.puts, 6);
    /* a changed list is another key */
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%sbookworm_main_binary-amd64_Packages", lists);
    linux_write(&host, str_text(&path), "Package: a\nVersion: 5\nArchitecture: amd64\n", 41);
    linux_run(&host, sources);
    assert_string_equal(update(&host, "a", "candidate"), "5");
    linux_end(&host);
    memory_cache_end(&cache);
}

/* --- packed lists --- */

static size_t pack_gzip(uint8_t *out, size_t most, const char *in, size_t size)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)most;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = most - z.avail_out;
    deflateEnd(&z);
    return n;
}

static size_t pack_xz(uint8_t *out, size_t most, const char *in, size_t size)
{
    size_t n = 0;
    assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)in, size,
                                             out, &n, most),
                     LZMA_OK);
    return n;
}

static size_t pack_bzip2(uint8_t *out, size_t most, const char *in, size_t size)
{
    unsigned n = (unsigned)most;
    assert_int_equal(
        BZ2_bzBuffToBuffCompress((char *)out, &n, (char *)(uintptr_t)in, (unsigned)size, 1, 0, 0),
        BZ_OK);
    return n;
}

static size_t pack_lz4(uint8_t *out, size_t most, const char *in, size_t size)
{
    return LZ4F_compressFrame(out, most, in, size, NULL);
}

static size_t pack_zstd(uint8_t *out, size_t most, const char *in, size_t size)
{
    return ZSTD_compress(out, most, in, size, 3);
}

static const struct packer {
    const char *extension;
    size_t (*pack)(uint8_t *out, size_t most, const char *in, size_t size);
} packers[] = {{".gz", pack_gzip},
               {".xz", pack_xz},
               {".lz4", pack_lz4},
               {".zst", pack_zstd},
               {".bz2", pack_bzip2}};

static void packed_lists_are_read_and_cut_ones_are_unreadable(void **state)
{
    static const char name[] = "bookworm_main_binary-amd64_Packages";
    for (size_t i = 0; i < ARRAY_COUNT(packers); i++) {
        struct linux_host host;
        uint8_t packed[8192];
        CLEANUP_STR struct str plain = {0}, path = {0};
        begin(&host);
        str_printf(&plain, "%s/%s%s", host.dir, lists, name);
        assert_int_equal(unlink(str_text(&plain)), 0);
        str_printf(&path, "%s%s%s", lists, name, packers[i].extension);
        size_t n = packers[i].pack(packed, sizeof packed / 2, main_list, sizeof main_list - 1);
        linux_write(&host, str_text(&path), packed, n);
        linux_run(&host, sources);
        check_updates(&host);
        /* two members behind one another are one list */
        static const char second[] = "\nPackage: c\nVersion: 4\nArchitecture: amd64\n";
        n += packers[i].pack(packed + n, sizeof packed / 2, second, sizeof second - 1);
        linux_write(&host, str_text(&path), packed, n);
        linux_run(&host, sources);
        assert_string_equal(update(&host, "c", "candidate"), "4");
        /* every cut is told: none is taken for a whole list */
        for (size_t cut = n - 1; cut > n - 20; cut--) {
            linux_write(&host, str_text(&path), packed, cut);
            linux_run(&host, sources);
            assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "unreadable");
        }
        linux_end(&host);
    }
}

static void lists_of_before_xz_are_read(void **state)
{
    struct linux_host host;
    CLEANUP_STR struct str plain = {0}, path = {0};
    uint8_t packed[4096];
    lzma_options_lzma options;
    lzma_stream z = LZMA_STREAM_INIT;
    assert_false(lzma_lzma_preset(&options, 1));
    assert_int_equal(lzma_alone_encoder(&z, &options), LZMA_OK);
    z.next_in = (const uint8_t *)main_list;
    z.avail_in = sizeof main_list - 1;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
    size_t size = sizeof packed - z.avail_out;
    lzma_end(&z);
    begin(&host);
    str_printf(&plain, "%s/%sbookworm_main_binary-amd64_Packages", host.dir, lists);
    assert_int_equal(unlink(str_text(&plain)), 0);
    str_printf(&path, "%sbookworm_main_binary-amd64_Packages.lzma", lists);
    linux_write(&host, str_text(&path), packed, size);
    linux_run(&host, sources);
    check_updates(&host);
    linux_write(&host, str_text(&path), packed, size - 9);
    linux_run(&host, sources);
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "unreadable");
    /* one that ends at once, and something behind it */
    static const uint8_t ended[33] = {0x5d, 0, 0, 0x31, 1};
    linux_write(&host, str_text(&path), ended, sizeof ended);
    linux_run(&host, sources);
    assert_string_equal(source(&host, "bookworm", "main", "amd64", "state"), "unreadable");
    linux_end(&host);
}

static void unsorted_and_long_lists_are_found_in(void **state)
{
    struct linux_host host;
    CLEANUP_STR struct str list = {0}, path = {0};
    for (int i = 5000; i > 0; i--) /* over a piece long, backwards, one stanza of 64 KiB */
        str_printf(&list, "Package: p%04d\nVersion: 1\nArchitecture: amd64\nDescription: %0*d\n\n",
                   i, i == 2500 ? 65536 : 60, i);
    str_add(&list, main_list);
    str_printf(&path, "%sbookworm_main_binary-amd64_Packages", lists);
    begin(&host);
    linux_write(&host, str_text(&path), list.data, list.length);
    linux_run(&host, sources);
    check_updates(&host);
    linux_end(&host);
}

static void a_phased_update_waits_for_its_turn(void **state)
{
    struct linux_host host;
    CLEANUP_STR struct str path = {0};
    static const char list[] = "Package: c\nVersion: 9\nSource: csource (8)\nArchitecture: amd64\n"
                               "Phased-Update-Percentage: 0\n";
    str_printf(&path, "%sbookworm_main_binary-amd64_Packages", lists);
    begin(&host);
    linux_write(&host, str_text(&path), list, sizeof list - 1);
    linux_run(&host, sources);
    assert_string_equal(update(&host, "c", "held"), "phased");
    linux_write(&host, "etc/apt/apt.conf.d/99x",
                "APT::Get::Always-Include-Phased-Updates \"true\";", 48);
    linux_run(&host, sources);
    assert_string_equal(update(&host, "c", "held"), "");
    linux_end(&host);
}

static void what_cannot_be_looked_at_is_said(void **state)
{
    static const struct {
        struct linux_file files[3];
        const char *what;
    } rows[] = {
        {{{"var/lib/dpkg/status", status}, {NULL, NULL}}, "updates"},
        {{{"var/lib/dpkg/status", status}, {"etc/apt/sources.list", "# none\n"}, {NULL, NULL}},
         "updates"},
        {{{"var/lib/dpkg/status", status}, {"etc/apt/sources.list", "deb x\n"}, {NULL, NULL}},
         "archives of apt"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        linux_begin(&host, rows[i].files);
        linux_run(&host, sources);
        if (!harness_find(&host.h, "unread", "what", rows[i].what)) {
            harness_print(&host.h);
            fail_msg("row %zu", i);
        }
        linux_end(&host);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_those_of_apt),
        cmocka_unit_test(each_configured_list_has_a_state),
        cmocka_unit_test(the_stamp_of_apt_counts_before_times_of_files),
        cmocka_unit_test(the_cache_gives_the_same_answer),
        cmocka_unit_test(packed_lists_are_read_and_cut_ones_are_unreadable),
        cmocka_unit_test(lists_of_before_xz_are_read),
        cmocka_unit_test(a_copied_tree_tells_nothing_by_its_ctimes),
        cmocka_unit_test(a_stamp_that_cannot_be_had_is_not_no_stamp),
        cmocka_unit_test(apt_conf_says_where_things_lie),
        cmocka_unit_test(what_include_names_is_read_in_its_place),
        cmocka_unit_test(unsorted_and_long_lists_are_found_in),
        cmocka_unit_test(a_phased_update_waits_for_its_turn),
        cmocka_unit_test(what_cannot_be_looked_at_is_said),
    };
    return cmocka_run_group_tests_name("collect/apt", tests, NULL, NULL);
}

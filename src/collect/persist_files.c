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

/* profile.d: of sh and csh. */
static bool ends_sh(const char *name)
{
    return str_ends(name, ".sh") || str_ends(name, ".csh");
}

static bool ends_fish(const char *name)
{
    return str_ends(name, ".fish");
}

static bool ends_desktop(const char *name)
{
    return str_ends(name, ".desktop");
}

/* dbus' and polkit's. */
static bool ends_service(const char *name)
{
    return str_ends(name, ".service");
}

static bool of_polkit(const char *name)
{
    return str_ends(name, ".rules") || str_ends(name, ".pkla");
}

static bool ends_cfg(const char *name)
{
    return str_ends(name, ".cfg");
}

/* site(7) of Python: its lines that begin with "import" are run by every Python. */
static bool ends_pth(const char *name)
{
    return str_ends(name, ".pth");
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
    static const char *const names[] = {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT",
                                        "BASH_ENV",   "PERL5OPT",        "PERL5LIB",
                                        "PYTHONPATH", "PYTHONSTARTUP",   "NODE_OPTIONS"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strstr(line, names[i]))
            return true;
    return false;
}

/* interfaces(5), and wg-quick(8). */
static bool runs_by_network(const char *line)
{
    static const char *const words[] = {"up ",        "down ",  "pre-up ",  "pre-down ", "post-up ",
                                        "post-down ", "PostUp", "PostDown", "PreUp",     "PreDown"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (str_starts_nocase(line, words[i]))
            return true;
    return false;
}

/* A program that the kernel calls (core(5), Documentation/admin-guide/sysctl/kernel). */
static bool runs_by_kernel(const char *line)
{
    return (strstr(line, "core_pattern") && strchr(line, '|')) || strstr(line, "kernel.modprobe") ||
           strstr(line, "kernel/modprobe") || strstr(line, "poweroff_cmd") ||
           strstr(line, "hotplug");
}

/* aliases(5) and .forward: mail into a program. */
static bool runs_by_mail(const char *line)
{
    return strchr(line, '|') != NULL || str_starts(line, ":include:");
}

static bool runs_by_python(const char *line)
{
    return str_starts(line, "import ") || str_starts(line, "import\t");
}

/* tmpfiles.d(5): what writes, copies, links or gives rights; not folders and what is cleaned. */
static bool writes_by_tmpfiles(const char *line)
{
    return strchr("fFwCLzZmMaAtTcb", *line) != NULL;
}

/* ssh_config(5). */
static bool runs_by_ssh(const char *line)
{
    return str_find_nocase(line, "ProxyCommand") || str_find_nocase(line, "LocalCommand") ||
           str_find_nocase(line, "KnownHostsCommand") || str_find_nocase(line, "PKCS11Provider") ||
           (str_starts_nocase(line, "Match") && str_find_nocase(line, "exec"));
}

/* supervisord's programs. */
static bool runs_by_supervisor(const char *line)
{
    return str_starts(line, "command");
}

/* git-config(1): keys whose value is run. */
static bool runs_by_git(const char *line)
{
    static const char *const keys[] = {
        "hooksPath", "fsmonitor", "sshCommand", "pager",   "editor",   "askPass",    "helper",
        "textconv",  "clean",     "smudge",     "process", "external", "uploadpack", "receivepack"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (str_starts_nocase(line, keys[i]))
            return true;
    return false;
}

/* Options of sshd that let in or run (sshd_config(5)). */
static bool runs_by_sshd(const char *line)
{
    static const char *const options[] = {"AuthorizedKeysCommand",
                                          "AuthorizedKeysFile",
                                          "ForceCommand",
                                          "TrustedUserCAKeys",
                                          "PermitUserEnv",
                                          "AuthorizedPrincipalsCommand",
                                          "Subsystem",
                                          "PAMServiceName",
                                          "AuthorizedPrincipalsFile",
                                          "HostbasedAuth"};
    if (str_starts_nocase(line, "Include")) /* another place than everybody has */
        return !strstr(line, "/etc/ssh/sshd_config.d/*.conf");
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
    {"inetd", "/etc/xinetd.conf", A_FILE, NULL, NULL},
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
    {"profile", "/etc/bashrc", A_FILE, NULL, NULL},
    {"profile", "/etc/bash.bash_logout", A_FILE, NULL, NULL},
    {"profile", "/etc/zsh/zlogout", A_FILE, NULL, NULL},
    {"profile", "/etc/zshenv", A_FILE, NULL, NULL},
    {"profile", "/etc/zshrc", A_FILE, NULL, NULL},
    {"profile", "/etc/zprofile", A_FILE, NULL, NULL},
    {"profile", "/etc/fish/config.fish", A_FILE, NULL, NULL},
    {"profile", "/etc/fish/conf.d", 0, ends_fish, NULL},
    {"profile", "/etc/skel/.bashrc", A_FILE, NULL, NULL},
    {"profile", "/etc/skel/.profile", A_FILE, NULL, NULL},
    {"profile", "/etc/skel/.bash_profile", A_FILE, NULL, NULL},
    {"profile", "/etc/skel/.bash_logout", A_FILE, NULL, NULL},
    {"profile", "/etc/xdg/autostart", 0, ends_desktop, NULL},
    {"profile", ".config/autostart", HOME, ends_desktop, NULL},
    {"profile", ".config/fish/config.fish", A_FILE | HOME, NULL, NULL},
    {"profile", ".config/fish/conf.d", HOME, ends_fish, NULL},
    {"profile", ".cshrc", A_FILE | HOME, NULL, NULL},
    {"profile", ".tcshrc", A_FILE | HOME, NULL, NULL},
    {"profile", ".login", A_FILE | HOME, NULL, NULL},
    {"profile", ".zlogin", A_FILE | HOME, NULL, NULL},
    {"profile", ".zlogout", A_FILE | HOME, NULL, NULL},
    {"profile", ".ssh/config", A_FILE | HOME, NULL, runs_by_ssh},
    {"profile", ".gitconfig", A_FILE | HOME, NULL, runs_by_git},
    {"profile", "/etc/gitconfig", A_FILE, NULL, runs_by_git},
    {"profile", "/etc/ssh/ssh_config", A_FILE, NULL, runs_by_ssh},
    {"profile", "/etc/ssh/ssh_config.d", 0, ends_conf, runs_by_ssh},
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
    {"sshd", "/etc/hosts.equiv", A_FILE, NULL, NULL},
    {"sshd", "/etc/ssh/shosts.equiv", A_FILE, NULL, NULL},
    {"sshd", ".rhosts", A_FILE | HOME, NULL, NULL},
    {"sshd", ".shosts", A_FILE | HOME, NULL, NULL},
    {"sudo", "/etc/doas.conf", A_FILE, NULL, NULL},
    {"sudo", "/etc/polkit-1/rules.d", 0, of_polkit, NULL},
    {"sudo", "/usr/share/polkit-1/rules.d", 0, of_polkit, NULL},
    {"sudo", "/usr/local/share/polkit-1/rules.d", 0, of_polkit, NULL},
    {"sudo", "/etc/polkit-1/localauthority/50-local.d", 0, of_polkit, NULL},
    {"sudo", "/etc/polkit-1/localauthority/90-mandatory.d", 0, of_polkit, NULL},
    {"sudo", "/var/lib/polkit-1/localauthority/50-local.d", 0, of_polkit, NULL},
    {"preload", "/etc/security/pam_env.conf", A_FILE, NULL, preloads},
    {"preload", ".pam_environment", A_FILE | HOME, NULL, preloads},
    {"preload", ".config/environment.d", HOME, ends_conf, preloads},
    {"preload", "/etc/systemd/system.conf", A_FILE, NULL, preloads},
    {"preload", "/etc/systemd/system.conf.d", 0, ends_conf, preloads},
    {"preload", "/etc/systemd/user.conf", A_FILE, NULL, preloads},
    {"preload", "/etc/systemd/user.conf.d", 0, ends_conf, preloads},
    {"preload", "/etc/default", 0, no_backup, preloads},
    {"preload", "/etc/apache2/envvars", A_FILE, NULL, preloads},
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
    {"udev", "/usr/local/lib/udev/rules.d", 0, ends_rules, runs_by_udev},
    {"hook", "/etc/network/interfaces", A_FILE, NULL, runs_by_network},
    {"hook", "/etc/network/interfaces.d", 0, no_backup, runs_by_network},
    {"hook", "/etc/wireguard", 0, ends_conf, runs_by_network},
    {"hook", "/etc/NetworkManager/dispatcher.d", RUN, no_backup, NULL},
    {"hook", "/etc/NetworkManager/dispatcher.d/pre-up.d", RUN, no_backup, NULL},
    {"hook", "/etc/NetworkManager/dispatcher.d/pre-down.d", RUN, no_backup, NULL},
    {"hook", "/etc/NetworkManager/dispatcher.d/no-wait.d", RUN, no_backup, NULL},
    {"hook", "/usr/lib/NetworkManager/dispatcher.d", RUN, no_backup, NULL},
    {"hook", "/usr/lib/NetworkManager/dispatcher.d/pre-up.d", RUN, no_backup, NULL},
    {"hook", "/usr/lib/NetworkManager/dispatcher.d/pre-down.d", RUN, no_backup, NULL},
    {"hook", "/usr/lib/NetworkManager/dispatcher.d/no-wait.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/carrier.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/configured.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/configuring.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/degraded.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/dormant.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/no-carrier.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/off.d", RUN, no_backup, NULL},
    {"hook", "/etc/networkd-dispatcher/routable.d", RUN, no_backup, NULL},
    {"hook", "/usr/lib/networkd-dispatcher/routable.d", RUN, no_backup, NULL},
    {"hook", "/etc/resolvconf/update.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/needrestart/hook.d", RUN, no_backup, NULL},
    {"hook", "/etc/needrestart/notify.d", RUN, no_backup, NULL},
    {"hook", "/etc/needrestart/restart.d", RUN, no_backup, NULL},
    {"hook", "/etc/needrestart/conf.d", 0, ends_conf, NULL},
    {"hook", "/etc/ca-certificates/update.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/grub.d", RUN, no_backup, NULL},
    {"hook", "/etc/default/grub.d", 0, ends_cfg, NULL},
    {"hook", "/etc/kernel/preinst.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/kernel/prerm.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/kernel/install.d", RUN, no_backup, NULL},
    {"hook", "/etc/incron.d", 0, no_backup, NULL},
    {"hook", "/var/spool/incron", 0, no_backup, NULL},
    {"hook", "/etc/aliases", A_FILE, NULL, runs_by_mail},
    {"hook", ".forward", A_FILE | HOME, NULL, runs_by_mail},
    {"hook", ".procmailrc", A_FILE | HOME, NULL, runs_by_mail},
    {"hook", "/etc/procmailrc", A_FILE, NULL, runs_by_mail},
    {"hook", "/etc/sysctl.conf", A_FILE, NULL, runs_by_kernel},
    {"hook", "/etc/sysctl.d", 0, ends_conf, runs_by_kernel},
    {"hook", "/run/sysctl.d", 0, ends_conf, runs_by_kernel},
    {"hook", "/usr/local/lib/sysctl.d", 0, ends_conf, runs_by_kernel},
    {"hook", "/usr/lib/sysctl.d", 0, ends_conf, runs_by_kernel},
    {"hook", "/etc/binfmt.d", 0, ends_conf, NULL},
    {"hook", "/run/binfmt.d", 0, ends_conf, NULL},
    {"hook", "/usr/local/lib/binfmt.d", 0, ends_conf, NULL},
    {"hook", "/usr/lib/binfmt.d", 0, ends_conf, NULL},
    {"hook", "/usr/lib/python3/dist-packages", 0, ends_pth, runs_by_python},
    {"hook", "/usr/share/dbus-1/system-services", 0, ends_service, NULL},
    {"hook", "/usr/local/share/dbus-1/system-services", 0, ends_service, NULL},
    {"hook", "/etc/dbus-1/system-services", 0, ends_service, NULL},
    {"init", "/etc/supervisor/conf.d", 0, ends_conf, runs_by_supervisor},
    {"init", "/etc/tmpfiles.d", 0, ends_conf, writes_by_tmpfiles},
    {"init", "/usr/local/lib/tmpfiles.d", 0, ends_conf, writes_by_tmpfiles},
    {"init", "/usr/lib/tmpfiles.d", 0, ends_conf, writes_by_tmpfiles},
    {"init", "/etc/sysusers.d", 0, ends_conf, NULL},
    {"init", "/usr/lib/sysusers.d", 0, ends_conf, NULL},
    {"hook", "/etc/dhcp/dhclient-enter-hooks.d", 0, persist_run_parts_name, NULL},
    {"hook", "/etc/dhcp/dhclient-exit-hooks.d", 0, persist_run_parts_name, NULL},
    {"hook", "/etc/ppp/ip-up.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/ppp/ip-down.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/kernel/postinst.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/kernel/postrm.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/initramfs-tools/hooks", RUN, no_backup, NULL},
    {"hook", "/usr/share/initramfs-tools/hooks", RUN, no_backup, NULL},
    {"hook", "/etc/initramfs-tools/modules", A_FILE, NULL, NULL},
    {"hook", "/etc/initramfs-tools/scripts/init-top", RUN, no_backup, NULL},
    {"hook", "/etc/initramfs-tools/scripts/init-premount", RUN, no_backup, NULL},
    {"hook", "/etc/initramfs-tools/scripts/init-bottom", RUN, no_backup, NULL},
    {"hook", "/etc/initramfs-tools/scripts/local-top", RUN, no_backup, NULL},
    {"hook", "/etc/initramfs-tools/scripts/local-premount", RUN, no_backup, NULL},
    {"hook", "/etc/initramfs-tools/scripts/local-bottom", RUN, no_backup, NULL},
    {"hook", "/etc/initramfs/post-update.d", RUN, persist_run_parts_name, NULL},
    {"hook", "/etc/logrotate.conf", A_FILE | WHOLE, NULL, rotates},
    {"hook", "/etc/logrotate.d", WHOLE, no_backup, rotates},
    {"hook", "/etc/modprobe.conf", A_FILE, NULL, runs_by_modprobe},
    {"hook", "/etc/modprobe.d", 0, ends_conf, runs_by_modprobe},
    {"hook", "/run/modprobe.d", 0, ends_conf, runs_by_modprobe},
    {"hook", "/usr/local/lib/modprobe.d", 0, ends_conf, runs_by_modprobe},
    {"hook", "/usr/lib/modprobe.d", 0, ends_conf, runs_by_modprobe},
    {"hook", "/lib/modprobe.d", 0, ends_conf, runs_by_modprobe},
    {"hook", "/etc/modules", A_FILE, NULL, NULL},
    {"hook", "/etc/modules-load.d", 0, ends_conf, NULL},
    {"hook", "/run/modules-load.d", 0, ends_conf, NULL},
    {"hook", "/usr/local/lib/modules-load.d", 0, ends_conf, NULL},
    {"hook", "/usr/lib/modules-load.d", 0, ends_conf, NULL},
    {"init", "/etc/systemd/user-generators", RUN, any_name, NULL},
    {"init", "/run/systemd/user-generators", RUN, any_name, NULL},
    {"init", "/usr/local/lib/systemd/user-generators", RUN, any_name, NULL},
    {"init", "/usr/lib/systemd/user-generators", RUN, any_name, NULL},
    {"init", "/etc/systemd/system-environment-generators", RUN, any_name, NULL},
    {"init", "/usr/local/lib/systemd/system-environment-generators", RUN, any_name, NULL},
    {"init", "/usr/lib/systemd/system-environment-generators", RUN, any_name, NULL},
    {"init", "/etc/systemd/user-environment-generators", RUN, any_name, NULL},
    {"init", "/usr/local/lib/systemd/user-environment-generators", RUN, any_name, NULL},
    {"init", "/usr/lib/systemd/user-environment-generators", RUN, any_name, NULL},
    {"init", "/lib/systemd/system-generators", RUN, any_name, NULL},
    {"init", "/etc/systemd/system-sleep", RUN, any_name, NULL},
    {"init", "/etc/systemd/system-shutdown", RUN, any_name, NULL},
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

static void look_into(struct persist *p, size_t row, const char *folder)
{
    struct target_entry *entries;
    size_t count = persist_list(p, places[row].type, folder, &entries);
    for (size_t i = 0; i < count; i++)
        if (places[row].takes(entries[i].name))
            look_at(p, row, arena_printf(p->c->arena, "%s/%s", folder, entries[i].name));
}

static void look(struct persist *p, size_t row, const char *path)
{
    if (places[row].flags & A_FILE)
        look_at(p, row, path);
    else
        look_into(p, row, path);
}

void collect_persist_files(struct collection *c)
{
    struct persist p = persist_begin(c);
    struct target_stat st;
    bool merged = target_stat(c->target, "/lib", false, &st, NULL) && st.type == TARGET_LINK;
    persist_homes(&p);
    const char *why;
    if (!origins_index(p.origins, &why)) /* once, whatever else is unknown for it */
        facts_unread(c->facts, N_("where files come from"), "", why);
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (merged && str_starts(places[i].path, "/lib/"))
            continue;
        if (!(places[i].flags & HOME))
            look(&p, i, places[i].path);
        for (size_t k = 0; (places[i].flags & HOME) && k < p.homes.count; k++)
            look(&p, i,
                 arena_printf(c->arena, "%s/%s",
                              p.homes.items[k].path[1] ? p.homes.items[k].path : "",
                              places[i].path));
    }
    persist_end(&p);
}

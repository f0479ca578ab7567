/* privileged_files.c - programs that run with more rights than who starts them: set-uid and
 * set-gid files, and files with capabilities (capabilities(7), security.capability), that no
 * package brought so. Facts of kind `privileged-file`.
 *
 * Without COLLECT_FILES only the folders of programs and the first levels of those where others
 * may write are looked into; with it everything below the root, of one file system each. dpkg keeps
 * no modes: a program that its package brought so is taken as meant to be set-uid if it is one of
 * those that Debian ships so (usual[]), or stands in dpkg-statoverride(1)'s list. */
#include "collect/origin.h"
#include "collect/persistence.h"

#include "base/str.h"

#include <stdlib.h>
#include <time.h>

enum {
    SET_UID = 04000,
    SET_GID = 02000,
    MOST_ENTRIES = 4000000,
    MOST_DEPTH = 64,
    MOST_SECONDS = 15,
    MOST_CAPABILITY_BYTES = 64,
    MOST_FOUND = 5000,
    QUICK_DEPTH = 1,
    QUICK_ENTRIES = 200000,
    QUICK_FOLDER = 2000,
    MOST_OVERRIDES = 1 << 20
};

struct search {
    struct collection *c;
    struct origins *origins;
    bool whole;
    uint64_t device;
    size_t entries, found;
    unsigned most_depth;
    struct timespec begun;
    bool cut;
    const char *last;      /* where it was cut */
    const char *overrides; /* the text of dpkg's list, or NULL */
    size_t overrides_size;
};

/* What Debian's packages install with more rights. */
static const char *const usual[] = {"arping",
                                    "at",
                                    "auth_pam_tool",
                                    "authbind",
                                    "bsd-write",
                                    "bwrap",
                                    "camel-lock-helper-1.2",
                                    "chage",
                                    "chfn",
                                    "chrome-sandbox",
                                    "chsh",
                                    "crontab",
                                    "dbus-daemon-launch-helper",
                                    "dma",
                                    "doas",
                                    "dotlockfile",
                                    "dumpcap",
                                    "exim4",
                                    "expiry",
                                    "firejail",
                                    "fping",
                                    "fusermount",
                                    "fusermount3",
                                    "gpasswd",
                                    "gst-ptp-helper",
                                    "helper",
                                    "kismet_cap_linux_wifi",
                                    "kppp",
                                    "locate",
                                    "lockfile",
                                    "lppasswd",
                                    "mail-lock",
                                    "mail-touchlock",
                                    "mail-unlock",
                                    "mailq",
                                    "mlocate",
                                    "mount",
                                    "mount.cifs",
                                    "mount.davfs",
                                    "mount.ecryptfs_private",
                                    "mount.nfs",
                                    "mtr-packet",
                                    "newgidmap",
                                    "newgrp",
                                    "newuidmap",
                                    "ntfs-3g",
                                    "nullmailer-queue",
                                    "passwd",
                                    "ping",
                                    "pkexec",
                                    "plocate",
                                    "polkit-agent-helper-1",
                                    "postdrop",
                                    "postqueue",
                                    "pppd",
                                    "procmail",
                                    "qmail-queue",
                                    "rcp",
                                    "rlogin",
                                    "rsh",
                                    "screen",
                                    "sensible-mda",
                                    "slock",
                                    "smtpctl",
                                    "snap-confine",
                                    "spice-client-glib-usb-acl-helper",
                                    "ssh-agent",
                                    "ssh-keysign",
                                    "su",
                                    "sudo",
                                    "sudoreplay",
                                    "suexec",
                                    "suexec-custom",
                                    "suexec-pristine",
                                    "telnetlogin",
                                    "traceroute6.iputils",
                                    "umount",
                                    "unix_chkpwd",
                                    "utempter",
                                    "vmware-user-suid-wrapper",
                                    "wall",
                                    "write",
                                    "write.ul",
                                    "xlock",
                                    "Xorg.wrap",
                                    "xterm"};

/* A shell or an interpreter that is set-uid is a way to root, whoever owns it. */
static const char *const never[] = {"bash", "dash", "sh",   "zsh",   "ksh",  "python3",   "perl",
                                    "php",  "ruby", "node", "find",  "vim",  "vim.basic", "nmap",
                                    "cp",   "tar",  "env",  "awk",   "mawk", "gawk",      "less",
                                    "sed",  "nano", "dd",   "socat", "gdb",  "lua"};

static bool is_never(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    for (size_t i = 0; i < ARRAY_COUNT(never); i++)
        if (strncmp(name, never[i], strlen(never[i])) == 0 &&
            strspn(name + strlen(never[i]), "0123456789.") == strlen(name + strlen(never[i])))
            return true;
    return false;
}

static bool is_usual(const struct search *s, const char *path)
{
    const char *name = strrchr(path, '/') + 1, *line;
    size_t position = 0, length, n = strlen(path);
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        if (str_equal(usual[i], name))
            return true;
    while (s->overrides &&
           str_next_line(s->overrides, s->overrides_size, &position, &line, &length))
        if (length > n && line[length - n - 1] == ' ' && memcmp(line + length - n, path, n) == 0)
            return true;
    return false;
}

/* vfs_cap_data of linux/capability.h: the permitted set, in hexadecimal. */
static const char *capabilities_of(struct search *s, const char *path, struct error *e)
{
    uint8_t data[MOST_CAPABILITY_BYTES];
    size_t size = 0;
    if (!target_xattr(s->c->target, path, "security.capability", data, sizeof data, &size, e))
        return NULL;
    if (!size)
        return "";
    struct bytes b = bytes_of(data, size);
    uint32_t version = bytes_u32le(&b) >> 24, low = bytes_u32le(&b);
    bytes_u32le(&b);
    uint32_t high = version >= 2 ? bytes_u32le(&b) : 0;
    return arena_printf(s->c->arena, "0x%08x%08x", high, low);
}

static void add(struct search *s, const char *path, const struct target_stat *st,
                const char *capabilities)
{
    struct collection *c = s->c;
    if (s->found++ >= MOST_FOUND) {
        s->cut = true;
        return;
    }
    struct origin origin = origin_of(c, s->origins, path);
    if (origin.state == ORIGIN_PACKAGE && !is_never(path) && is_usual(s, path))
        return;
    struct fact *f = facts_add(c->facts, "privileged-file", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "path", path);
    if (st->mode & (SET_UID | SET_GID))
        fact_put(c->facts, f, "mode", arena_printf(c->arena, "%04o", st->mode));
    if (*capabilities)
        fact_put(c->facts, f, "capabilities", capabilities);
    fact_put(c->facts, f, "grants",
             *capabilities        ? "capabilities"
             : st->mode & SET_UID ? (st->uid ? "another user" : "root")
                                  : "a group");
    fact_put(c->facts, f, "interpreter", is_never(path) ? "yes" : "no");
    origin_put(c, f, &origin);
    persist_put_times(c, f, st);
}

static void look_at(struct search *s, const char *path, const struct target_stat *st)
{
    struct error e = ERROR_INIT;
    bool runs = st->mode & 0111, sets = st->mode & (SET_UID | SET_GID);
    if (!st->has_owner || !runs)
        return; /* a set-gid file that nobody may run is one of mandatory locks */
    const char *capabilities = capabilities_of(s, path, &e);
    if (!capabilities && e.code != ERR_UNSUPPORTED && e.code != ERR_ABSENT)
        facts_unread(s->c->facts, N_("privileged-file"), path, e.message);
    if (sets || (capabilities && *capabilities))
        add(s, path, st, capabilities ? capabilities : "");
}

static bool is_passed_over(const struct search *s, const char *path)
{
    static const char *const names[] = {"/proc", "/sys", "/dev/pts", "/run/user"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (str_equal(path, names[i]))
            return true;
    return s->cut;
}

static bool goes_on(struct search *s, const char *path)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - s->begun.tv_sec < MOST_SECONDS &&
        s->entries < (s->whole ? (size_t)MOST_ENTRIES : (size_t)QUICK_ENTRIES))
        return true;
    s->cut = true;
    s->last = arena_strdup(s->c->arena, path);
    return false;
}

static void search_folder(struct search *s, const char *folder, unsigned depth)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct target_entry *entries;
    struct target_stat *stats;
    struct error e = ERROR_INIT;
    size_t count;
    if (!goes_on(s, folder))
        return;
    /* Heaps of files are left to the search of everything: to ask for each takes its time. */
    if (!s->whole && depth && target_list(s->c->target, folder, arena, &entries, &count, NULL) &&
        count > QUICK_FOLDER)
        return;
    if (!target_list_stat(s->c->target, *folder ? folder : "/", arena, &entries, &stats, &count,
                          &e)) {
        if (e.code != ERR_ABSENT)
            facts_unread(s->c->facts, N_("privileged-file"), folder, e.message);
        return;
    }
    s->entries += count;
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(arena, "%s/%s", folder, entries[i].name);
        if (entries[i].type == TARGET_FILE)
            look_at(s, arena_strdup(s->c->arena, path), &stats[i]);
        else if (entries[i].type == TARGET_DIR && stats[i].device == s->device &&
                 depth < s->most_depth && !is_passed_over(s, path))
            search_folder(s, path, depth + 1);
    }
}

static void search_place(struct search *s, const char *place, unsigned most_depth)
{
    struct target_stat st;
    if (!target_stat(s->c->target, place, true, &st, NULL) || st.type != TARGET_DIR)
        return;
    s->device = st.device;
    s->most_depth = most_depth;
    search_folder(s, str_equal(place, "/") ? "" : place, 0);
}

/* Places of their own file system, beneath which a walk of / does not come. */
static void search_whole(struct search *s)
{
    static const char *const places[] = {"/usr",     "/var",     "/tmp",    "/home",    "/opt",
                                         "/srv",     "/boot",    "/root",   "/dev/shm", "/run",
                                         "/var/tmp", "/var/www", "/var/lib"};
    struct target_stat root, st;
    search_place(s, "/", MOST_DEPTH);
    if (!target_stat(s->c->target, "/", true, &root, NULL))
        return;
    for (size_t i = 0; i < ARRAY_COUNT(places); i++)
        if (target_stat(s->c->target, places[i], false, &st, NULL) && st.type == TARGET_DIR &&
            st.device != root.device)
            search_place(s, places[i], MOST_DEPTH);
}

static void search_usual(struct search *s)
{
    static const char *const programs[] = {"/usr/bin", "/usr/sbin", "/usr/local/bin",
                                           "/usr/local/sbin"};
    static const char *const open[] = {"/dev/shm", "/var/tmp", "/tmp",     "/run/lock",
                                       "/root",    "/home",    "/var/www", "/srv/www"};
    struct target_stat st;
    for (size_t i = 0; i < ARRAY_COUNT(programs); i++)
        search_place(s, programs[i], 0);
    if (!target_stat(s->c->target, "/bin", false, &st, NULL) || st.type != TARGET_LINK) {
        search_place(s, "/bin", 0);
        search_place(s, "/sbin", 0);
    }
    for (size_t i = 0; i < ARRAY_COUNT(open) && !s->cut; i++) {
        s->entries = 0;
        search_place(s, open[i], QUICK_DEPTH);
    }
}

void collect_privileged_files(struct collection *c)
{
    struct search s = {.c = c, .origins = origins_acquire(c), .whole = c->purposes & COLLECT_FILES};
    clock_gettime(CLOCK_MONOTONIC, &s.begun);
    s.overrides = collect_text_of(c, N_("privileged-file"), "/var/lib/dpkg/statoverride",
                                  MOST_OVERRIDES, &s.overrides_size, NULL);
    if (s.whole)
        search_whole(&s);
    else
        search_usual(&s);
    if (s.cut)
        facts_unread(c->facts, N_("privileged-file"), s.last ? s.last : "/",
                     _("more files than are looked at in one run: the rest was left out"));
    origins_release(c, s.origins);
}

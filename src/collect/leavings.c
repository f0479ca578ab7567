/* leavings.c - what the worms of 2001 leave behind.
 *
 * Source of every name and of how sure it is: ../shared/facts, sadmind-worm.json (CERT
 * CA-2001-11 for Solaris; the sequence of requests for IIS). A leaving is a fact; what it means
 * is said by the rules. */
#include "collect/collect.h"

#include "base/str.h"
#include "collect/solaris.h"
#include "collect/windows_system.h"
#include "model/finding.h"

#include <stdlib.h>

static const char usual_pages[] = "/inetpub/wwwroot";
enum { MOST_PAGE = 64 * 1024, MOST_PROGRAM = 4 * 1024 * 1024, MOST_DEV = 20000 };

struct search {
    struct collection *c;
    size_t found;
    bool everything; /* every place could be looked at */
    /* Windows: */
    struct windows *w;
    const char *volume; /* goes before paths that are not on the system's volume: "D:" */
    char *shell;        /* cmd.exe; NULL if it could not be read */
    size_t shell_size;
};

static void leave(struct search *s, const char *of, const char *path, const char *what,
                  const char *claim)
{
    enum confidence sure = CONFIDENCE_MEDIUM;
    (void)!confidence_from_name(claim, &sure);
    struct fact *f = facts_add(s->c->facts, "leaving", path, 0, -1, sure);
    fact_put(s->c->facts, f, "of", of);
    fact_put(s->c->facts, f, "path", path);
    fact_put(s->c->facts, f, "what", what);
    fact_put(s->c->facts, f, "claim", claim);
    s->found++;
}

/* Absent is an answer; anything else is not. */
static bool looked(struct search *s, const struct error *e, const char *path)
{
    if (e->code == ERR_ABSENT)
        return true;
    s->everything = false;
    facts_unread(s->c->facts, N_("leaving"), path, e->message);
    return false;
}

/* --- Solaris --- */

static void look_at_folders(struct search *s)
{
    static const struct {
        const char *path, *what, *claim;
    } folders[] = {
        {"/dev/cuc", N_("the tools of the sadmind/IIS worm"), "high"},
        {"/dev/cub", N_("the lists of hosts that the sadmind/IIS worm broke into"), "medium"},
        {"/tmp/.f", N_("a configuration of inetd that opens a root shell"), "medium"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        struct target_stat st;
        struct error e = ERROR_INIT;
        if (target_stat(s->c->target, folders[i].path, false, &st, &e))
            leave(s, "sadmind-iis", folders[i].path, folders[i].what, folders[i].claim);
        else
            looked(s, &e, folders[i].path);
    }
}

/* A folder of /dev is one of devices or links to them; one with plain files is somebody's. */
static void look_into_dev_folder(struct search *s, const char *folder)
{
    struct target_entry *entries;
    size_t count;
    struct error e = ERROR_INIT;
    if (!target_list(s->c->target, folder, s->c->arena, &entries, &count, &e)) {
        looked(s, &e, folder);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct target_stat st;
        const char *path = arena_printf(s->c->arena, "%s/%s", folder, entries[i].name);
        if (!target_stat(s->c->target, path, false, &st, &e)) {
            looked(s, &e, path);
        } else if (st.type == TARGET_FILE) {
            leave(s, "unknown", folder, N_("a folder with regular files among the devices"), "low");
            return;
        }
    }
}

/* /dev holds devices and links to them. Regular files there are somebody's hiding place; the
 * named ones belong. */
static void look_into_dev(struct search *s)
{
    static const char *const known[] = {".devlink_db",
                                        ".devlink_db_lock",
                                        ".devfsadm_dev.lock",
                                        ".devfsadm_daemon.lock",
                                        ".devname_db",
                                        "shm",
                                        "fd"};
    struct target_entry *entries;
    size_t count;
    struct error e = ERROR_INIT;
    if (!target_list(s->c->target, "/dev", s->c->arena, &entries, &count, &e)) {
        looked(s, &e, "/dev");
        return;
    }
    if (count > MOST_DEV) {
        s->everything = false;
        facts_unread(s->c->facts, N_("leaving"), "/dev",
                     _("more than 20,000 names: the rest was not looked at"));
        count = MOST_DEV;
    }
    for (size_t i = 0; i < count; i++) {
        struct target_stat st;
        const char *path = arena_printf(s->c->arena, "/dev/%s", entries[i].name);
        bool belongs = str_equal(path, "/dev/cuc") || str_equal(path, "/dev/cub"); /* said above */
        for (size_t k = 0; k < ARRAY_COUNT(known); k++)
            belongs |= str_equal(known[k], entries[i].name);
        if (belongs)
            continue;
        if (!target_stat(s->c->target, path, false, &st, &e))
            looked(s, &e, path);
        else if (st.type == TARGET_FILE)
            leave(s, "unknown", path, N_("a regular file among the devices"), "low");
        else if (st.type == TARGET_DIR)
            look_into_dev_folder(s, path);
    }
}

static void look_at_rc_files(struct search *s)
{
    for (const struct fact *f = facts_first(s->c->facts, "rc"); f;
         f = facts_next(s->c->facts, "rc", f))
        if (strstr(fact_text(f, "runs"), "/dev/cuc"))
            leave(s, "sadmind-iis", fact_text(f, "path"), N_("starts /dev/cuc at every boot"),
                  "high");
}

static void look_at_trust(struct search *s)
{
    for (const struct fact *f = facts_first(s->c->facts, "trust"); f;
         f = facts_next(s->c->facts, "trust", f))
        if (str_equal(fact_text(f, "host"), "+") && str_equal(fact_text(f, "user"), "+") &&
            str_equal(fact_text(f, "account"), "root"))
            leave(s, "sadmind-iis", fact_text(f, "path"), N_("\"+ +\": anyone is root here"),
                  "medium");
}

static void look_at_inetd(struct search *s)
{
    for (const struct fact *f = facts_first(s->c->facts, "inetd"); f;
         f = facts_next(s->c->facts, "inetd", f)) {
        bool active = !str_equal(fact_text(f, "state"), "commented");
        if (active && (str_equal(fact_text(f, "service"), "pcserver") ||
                       str_equal(fact_text(f, "port"), "600")))
            leave(s, "sadmind-iis", f->path, N_("a root shell on TCP port 600"), "medium");
    }
}

static void look_at_solaris(struct search *s)
{
    solaris_begin(s->c);
    look_at_folders(s);
    look_into_dev(s);
    look_at_rc_files(s);
    look_at_trust(s);
    look_at_inetd(s);
}

/* --- Windows --- */

/* Selects a volume, and says how its paths are shown: as they are on the system's own, else
 * behind the drive, or the number where it has no letter. */
static void go_to_volume(struct search *s, size_t volume)
{
    target_select_volume(s->c->target, volume);
    s->volume = "";
    if (volume == s->w->volume)
        return;
    s->volume = arena_printf(s->c->arena, "volume %zu:", volume);
    for (int i = 0; i < 26; i++)
        if (s->w->volume_of_drive[i] == (int)volume)
            s->volume = arena_printf(s->c->arena, "%c:", 'A' + i);
}

static const char *shown(struct search *s, const char *path)
{
    return arena_printf(s->c->arena, "%s%s", s->volume, path);
}

static bool has_windows_files(struct search *s, size_t volume)
{
    static const char *const kinds[] = {"ntfs", "fat", "root"};
    struct target_volume v;
    for (size_t i = 0; target_volume(s->c->target, volume, &v) && i < ARRAY_COUNT(kinds); i++)
        if (str_equal(v.fs, kinds[i]))
            return true;
    return false;
}

/* The first 64 KiB of a page, ended by a NUL: a longer page is no reason to know nothing. */
static bool read_page(struct search *s, const char *path, const char **actual, char **data,
                      size_t *size)
{
    struct error e = ERROR_INIT;
    struct target_stat st;
    if (target_resolve_nocase(s->c->target, path, s->c->arena, actual, &e) &&
        target_stat(s->c->target, *actual, true, &st, &e)) {
        if (st.type == TARGET_DIR)
            return false;
        *data = mem_alloc(MOST_PAGE + 1);
        if (target_read_at(s->c->target, *actual, 0, *data, MOST_PAGE, size, &e))
            return true;
    }
    looked(s, &e, shown(s, path));
    return false;
}

static bool read_nocase(struct search *s, const char *path, size_t most, const char **actual,
                        char **data, size_t *size)
{
    struct error e = ERROR_INIT;
    if (target_resolve_nocase(s->c->target, path, s->c->arena, actual, &e) &&
        target_read(s->c->target, *actual, most, data, size, &e))
        return true;
    looked(s, &e, shown(s, path));
    return false;
}

static void read_shell(struct search *s)
{
    const char *actual;
    go_to_volume(s, s->w->volume);
    read_nocase(s, arena_printf(s->c->arena, "%s/system32/cmd.exe", s->w->folder), MOST_PROGRAM,
                &actual, &s->shell, &s->shell_size);
}

static void look_for_root_exe(struct search *s)
{
    static const char *const folders[] = {
        "/inetpub/scripts", "/Program Files/Common Files/System/MSADC", "/inetpub/scripts/samples"};
    const char *actual;
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        CLEANUP_FREE char *data = NULL;
        size_t size = 0;
        const char *path = arena_printf(s->c->arena, "%s/root.exe", folders[i]);
        if (!target_resolve_nocase(s->c->target, path, s->c->arena, &actual, NULL)) {
            read_nocase(s, path, MOST_PROGRAM, &actual, &data, &size); /* says why, if not absent */
            continue;
        }
        /* It is there; that it cannot be read makes it no better. */
        bool have = target_read(s->c->target, actual, MOST_PROGRAM, &data, &size, NULL);
        bool same = have && s->shell && size == s->shell_size && memcmp(data, s->shell, size) == 0;
        leave(s, "sadmind-iis", shown(s, actual),
              same ? N_("a copy of cmd.exe that every visitor can run")
                   : N_("root.exe, a name that the worms use"),
              same ? "high" : "medium");
    }
}

static void look_for_explorer(struct search *s)
{
    struct error e = ERROR_INIT;
    const char *actual;
    if (target_resolve_nocase(s->c->target, "/explorer.exe", s->c->arena, &actual, &e))
        leave(s, "code-red-ii", shown(s, actual),
              N_("explorer.exe in the root of a drive runs before the real one"), "high");
    else
        looked(s, &e, shown(s, "/explorer.exe"));
}

static void look_for_published_drives(struct search *s)
{
    for (const struct fact *f = facts_first(s->c->facts, "vdir"); f;
         f = facts_next(s->c->facts, "vdir", f)) {
        const char *path = fact_text(f, "path"), *folder = fact_text(f, "directory");
        if ((str_equal_nocase(path, "/c") || str_equal_nocase(path, "/d")) && strlen(folder) <= 3)
            leave(s, "code-red-ii", f->path,
                  arena_printf(s->c->arena, _("%s publishes all of %s"), path, folder), "high");
    }
}

static bool contains_nocase(const char *data, size_t size, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = 0; i + n <= size; i++)
        if (str_starts_nocase(data + i, needle)) /* the text ends in a NUL */
            return true;
    return false;
}

static void look_at_pages(struct search *s, const char *root)
{
    static const char *const names[] = {"index.htm",   "index.html",  "index.asp",
                                        "default.htm", "default.asp", "default.html"};
    /* Each is a piece of what the worm writes; short, so that a changed spelling still fits. */
    static const struct {
        const char *of, *text;
    } markers[] = {{"sadmind-iis", "PoizonBOx"},
                   {"sadmind-iis", "sysadmcn@yahoo.com.cn"},
                   {"code-red", "Hacked By Chinese!"}};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        CLEANUP_FREE char *data = NULL;
        size_t size;
        const char *actual;
        if (!read_page(s, arena_printf(s->c->arena, "%s/%s", root, names[i]), &actual, &data,
                       &size))
            continue;
        for (size_t k = 0; k < ARRAY_COUNT(markers); k++) {
            if (!contains_nocase(data, size, markers[k].text))
                continue;
            leave(s, markers[k].of, shown(s, actual), N_("a defaced page with words of the worm"),
                  "high");
            break;
        }
    }
}

/* The pages of a site, whatever drive they lie on. */
static void look_at_root(struct search *s, const char *root)
{
    struct windows_path found;
    struct error e = ERROR_INIT;
    if (!windows_is_path(root))
        return; /* none is named, or a share of another host */
    if (!windows_resolve(s->w, s->c->arena, root, &found, &e)) {
        looked(s, &e, root);
        return;
    }
    if (str_equal_nocase(found.path, usual_pages))
        return; /* seen with its volume */
    go_to_volume(s, found.volume);
    look_at_pages(s, found.path);
}

static void look_at_windows(struct search *s)
{
    static const char *const kinds[] = {"site", "vdir"};
    struct collection *c = s->c;
    const char *last = "";
    look_for_published_drives(s); /* hives tell of them, too */
    if (!s->w->whole) {
        s->everything = false;
        facts_unread(c->facts, N_("leaving"), "/",
                     s->w->alone ? _("only registry hives were given: no files can be looked at")
                                 : _("only a part of this Windows was given: what is not in it "
                                     "cannot be looked at"));
    }
    if (s->w->alone)
        return;
    read_shell(s);
    for (size_t v = 0; v < target_volume_count(c->target); v++) {
        if (!has_windows_files(s, v))
            continue;
        go_to_volume(s, v);
        look_for_root_exe(s);
        look_for_explorer(s);
        look_at_pages(s, usual_pages);
    }
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
        for (const struct fact *f = facts_first(c->facts, kinds[k]); f;
             f = facts_next(c->facts, kinds[k], f)) {
            const char *root = fact_text(f, k ? "directory" : "root");
            bool is_root = !k || str_equal(fact_text(f, "path"), "/");
            if (!is_root || str_equal_nocase(root, last))
                continue;
            last = root;
            look_at_root(s, root);
        }
    }
    free(s->shell);
}

void collect_leavings(struct collection *c)
{
    struct search s = {.c = c, .everything = true};
    if (target_kind(c->target) == TARGET_TEXT)
        return; /* a list of patches has no files: nobody asked for them */
    if (collect_families(c->facts) & FAMILY_WINDOWS) {
        s.w = windows_acquire(c);
        if (!s.w)
            return;
        look_at_windows(&s);
        windows_release(c, s.w);
    } else {
        look_at_solaris(&s);
    }
    if (!s.everything)
        return;
    struct fact *f = facts_add(c->facts, "complete", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "of", "leaving");
    fact_put_number(c->facts, f, "found", (int64_t)s.found);
}

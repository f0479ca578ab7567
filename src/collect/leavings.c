/* leavings.c - what the worms of 2001 leave behind.
 *
 * Source of every name and of how sure it is: ../shared/facts, sadmind-worm.json (CERT
 * CA-2001-11 for Solaris; the sequence of requests for IIS). A leaving is a fact; what it means
 * is said by the rules. */
#include "collect/collect.h"

#include "base/str.h"
#include "collect/solaris.h"
#include "model/finding.h"

#include <stdlib.h>

enum { MOST_PAGE = 64 * 1024, MOST_PROGRAM = 4 * 1024 * 1024, MOST_DEV = 20000 };

struct search {
    struct collection *c;
    size_t found;
    bool everything; /* every place could be looked at */
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

/* C:\InetPub\wwwroot of the server is /InetPub/wwwroot on its volume. */
static const char *on_volume(struct search *s, const char *path)
{
    const char *system = fact_text(collect_host(s->c), "system_root");
    if (path[0] && path[1] == ':') {
        if (system[0] && str_lower(system[0]) != str_lower(path[0])) {
            s->everything = false;
            facts_unread(s->c->facts, N_("leaving"), path,
                         _("another drive than the system's is not searched for leavings"));
            return "";
        }
        path += 2;
    }
    char *copy = arena_strdup(s->c->arena, path);
    for (char *p = copy; *p; p++)
        if (*p == '\\')
            *p = '/';
    return copy;
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
    looked(s, &e, path);
    return false;
}

static bool read_nocase(struct search *s, const char *path, size_t most, const char **actual,
                        char **data, size_t *size)
{
    struct error e = ERROR_INIT;
    if (target_resolve_nocase(s->c->target, path, s->c->arena, actual, &e) &&
        target_read(s->c->target, *actual, most, data, size, &e))
        return true;
    looked(s, &e, path);
    return false;
}

static void look_for_root_exe(struct search *s, const char *system_root)
{
    static const char *const folders[] = {
        "/inetpub/scripts", "/Program Files/Common Files/System/MSADC", "/inetpub/scripts/samples"};
    CLEANUP_FREE char *shell = NULL;
    size_t shell_size = 0;
    const char *actual;
    bool have_shell = read_nocase(s, arena_printf(s->c->arena, "%s/system32/cmd.exe", system_root),
                                  MOST_PROGRAM, &actual, &shell, &shell_size);
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
        bool same = have && have_shell && size == shell_size && memcmp(data, shell, size) == 0;
        leave(s, "sadmind-iis", actual,
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
        leave(s, "code-red-ii", actual,
              N_("explorer.exe in the root of a drive runs before the real one"), "high");
    else
        looked(s, &e, "/explorer.exe");
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
            leave(s, markers[k].of, actual, N_("a defaced page with words of the worm"), "high");
            break;
        }
    }
}

static void look_at_windows(struct search *s)
{
    const struct fact *host = collect_host(s->c);
    const char *system_root = on_volume(s, fact_text(host, "system_root")), *actual;
    if (!*system_root ||
        !target_resolve_nocase(s->c->target, system_root, s->c->arena, &actual, NULL)) {
        s->everything = false; /* a hive that was copied out alone has no volume around it */
        facts_unread(s->c->facts, "leaving", *system_root ? system_root : "/",
                     _("the system's folder is not here, so the volume is not"));
    }
    look_for_root_exe(s, system_root);
    look_for_explorer(s);
    const char *last = "";
    look_at_pages(s, "/inetpub/wwwroot");
    static const char *const kinds[] = {"site", "vdir"};
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
        for (const struct fact *f = facts_first(s->c->facts, kinds[k]); f;
             f = facts_next(s->c->facts, kinds[k], f)) {
            const char *root = on_volume(s, fact_text(f, k ? "directory" : "root"));
            bool is_root = !k || str_equal(fact_text(f, "path"), "/");
            if (!*root || !is_root || str_equal_nocase(root, last) ||
                str_equal_nocase(root, "/inetpub/wwwroot"))
                continue;
            last = root;
            look_at_pages(s, root);
        }
    }
}

void collect_leavings(struct collection *c)
{
    struct search s = {.c = c, .everything = true};
    if (target_kind(c->target) == TARGET_TEXT)
        return; /* a list of patches has no files: nobody asked for them */
    if (collect_families(c->facts) & FAMILY_WINDOWS)
        look_at_windows(&s);
    else
        look_at_solaris(&s);
    if (!s.everything)
        return;
    struct fact *f = facts_add(c->facts, "complete", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "of", "leaving");
    fact_put_number(c->facts, f, "found", (int64_t)s.found);
}

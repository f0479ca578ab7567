/* Processes that still run what has been replaced on disk, and what servers are made of.
 *
 * /proc/PID/maps (proc(5)) names every file that is mapped; " (deleted)" behind it says that
 * the name leads to another file by now, or to none: dpkg renames the new one into place. Only
 * executable mappings count, and the program itself. Mappings of things that are meant to come
 * and go (shared memory, temporary files, caches) are no files of packages and are left out;
 * so are processes inside containers, whose paths are not those of this host.
 *
 * A file counts as one of a package where dpkg knows its path, or where it lies in /usr, /lib,
 * /bin or /sbin but not in /usr/local: only the package manager writes there (FHS 3.0, 4.1), and
 * a library whose name carries its version is gone under its old name.
 *
 * A fact is stated for each process that needs a restart and for each that listens beyond
 * loopback; of the latter `packages` names all packages whose files it maps, and of one of root
 * `workers` who else its children are. */
#include "base/str.h"
#include "collect/collect.h"
#include "collect/dpkg_files.h"
#include "collect/proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_MAPS_BYTES = 16 << 20,
    MOST_PASSWD_BYTES = 4 << 20,
    MOST_PATHS = 4096, /* different files of one process */
    MOST_SHOWN = 50
};

struct mapped {
    const char *path;
    bool deleted;
};

struct process {
    struct proc proc;
    bool serves;
    VEC(struct mapped) files;
    size_t first_owner; /* where its files begin in the list of questions */
};

struct processes {
    struct collection *c;
    int proc_fd;
    VEC(struct process) list;
    struct proc_family family; /* of all of this host */
    VEC(const char *) paths;   /* all questions, one after the other */
    size_t denied;
};

static void free_processes(struct processes *s)
{
    for (size_t i = 0; i < s->list.count; i++)
        VEC_FREE(&s->list.items[i].files);
    VEC_FREE(&s->list);
    VEC_FREE(&s->paths);
    mem_cleanup_close(&s->proc_fd);
}

static bool is_left_out(const char *path)
{
    static const char *const prefixes[] = {
        "/memfd:",   "/dev/",       "/SYSV",  "/run/",  "/var/run/",      "/tmp/", "/var/tmp/",
        "/var/lib/", "/var/cache/", "/proc/", "/home/", "/anon_hugepage", "/i915"};
    if (path[0] != '/')
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++)
        if (str_starts(path, prefixes[i]))
            return true;
    return false;
}

static bool is_system_place(const char *path)
{
    static const char *const prefixes[] = {"/usr/", "/lib", "/bin/", "/sbin/"};
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++)
        if (str_starts(path, prefixes[i]))
            return !str_starts(path, "/usr/local/");
    return false;
}

static void add_file(struct process *p, struct arena *arena, const char *path, size_t length,
                     bool deleted)
{
    /* While it unpacks, dpkg gives the old file the name of the new one and a suffix. */
    static const char *const suffixes[] = {".dpkg-tmp", ".dpkg-new"};
    char *name = arena_strndup(arena, path, length);
    for (size_t i = 0; deleted && i < ARRAY_COUNT(suffixes); i++)
        if (str_ends(name, suffixes[i]))
            name[strlen(name) - strlen(suffixes[i])] = '\0';
    for (size_t i = p->files.count; i > 0; i--)
        if (p->files.items[i - 1].deleted == deleted && str_equal(p->files.items[i - 1].path, name))
            return;
    if (p->files.count < MOST_PATHS && !is_left_out(name))
        VEC_PUSH(&p->files, ((struct mapped){name, deleted}));
}

struct mapping {
    struct process *process;
    struct arena *arena;
};

static void keep_mapped(void *context, const char *path, size_t length, bool deleted)
{
    struct mapping *m = context;
    if (deleted || m->process->serves)
        add_file(m->process, m->arena, path, length, deleted);
}

static bool serves(const struct facts *facts, uint32_t pid)
{
    char number[16];
    snprintf(number, sizeof number, "%u", pid);
    for (const struct fact *f = facts_first(facts, "listener"); f;
         f = facts_next(facts, "listener", f))
        if (!str_equal(fact_text(f, "scope"), "loopback") && str_equal(fact_text(f, "pid"), number))
            return true;
    return false;
}

static void look_at(struct processes *s, uint32_t pid)
{
    struct collection *c = s->c;
    struct process p = {.serves = serves(c->facts, pid)};
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    struct error e = ERROR_INIT;
    if (!proc_read_file(s->proc_fd, pid, "maps", MOST_MAPS_BYTES, &text, &size, &e)) {
        s->denied += e.code != ERR_ABSENT && e.sys_errno != ESRCH; /* ESRCH: it has ended */
        return;
    }
    if (!size)
        return; /* a thread of the kernel */
    if (!p.serves && !memmem(text, size, " (deleted)", 10))
        return;
    if (!proc_read(c, s->proc_fd, pid, &p.proc) || p.proc.container)
        return;
    struct mapping m = {&p, c->arena};
    proc_parse_maps(text, size, keep_mapped, &m);
    if (p.proc.deleted)
        add_file(&p, c->arena, p.proc.executable, strlen(p.proc.executable), true);
    p.first_owner = s->paths.count;
    for (size_t i = 0; i < p.files.count; i++)
        VEC_PUSH(&s->paths, p.files.items[i].path);
    VEC_PUSH(&s->paths, p.proc.executable);
    VEC_PUSH(&s->list, p);
}

static void add_word(struct str *list, const char *word, char separator)
{
    size_t n = strlen(word);
    for (const char *p = str_text(list); (p = strstr(p, word)); p += n)
        if ((p == list->data || p[-1] == separator) && (!p[n] || p[n] == separator))
            return;
    if (list->length)
        str_add_char(list, separator);
    str_add(list, word);
}

static void state_process(struct processes *s, const struct process *p, const char **owners,
                          const char *passwd)
{
    struct collection *c = s->c;
    CLEANUP_STR struct str replaced = {0}, packages = {0}, of_packages = {0}, workers = {0};
    size_t shown = 0;
    for (size_t i = 0; i < p->files.count; i++) {
        const struct mapped *m = &p->files.items[i];
        const char *owner = owners[p->first_owner + i];
        if (*owner)
            add_word(&packages, owner, ' ');
        if (!m->deleted || (!*owner && !is_system_place(m->path)))
            continue;
        if (shown++ < MOST_SHOWN)
            add_word(&replaced, m->path, '\n');
        if (*owner)
            add_word(&of_packages, owner, ' ');
    }
    if (!shown && !p->serves)
        return;
    struct facts *facts = c->facts;
    struct fact *f =
        facts_add(facts, "process", arena_printf(c->arena, "/proc/%u/maps", p->proc.pid), 0, -1,
                  CONFIDENCE_HIGH);
    fact_put_number(facts, f, "pid", p->proc.pid);
    fact_put(facts, f, "name", p->proc.name);
    fact_put(facts, f, "executable", p->proc.executable);
    fact_put(facts, f, "user", proc_user(c->arena, passwd, p->proc.uid));
    fact_put(facts, f, "package", owners[p->first_owner + p->files.count]);
    fact_put(facts, f, "service", p->proc.unit);
    fact_put(facts, f, "restart_needed", shown ? "yes" : "no");
    if (shown) {
        fact_put(facts, f, "replaced", str_text(&replaced));
        fact_put(facts, f, "replaced_packages", str_text(&of_packages));
    }
    fact_put(facts, f, "serves", p->serves ? "yes" : "no");
    if (p->serves && p->proc.uid == 0)
        proc_workers(&workers, c, &s->family, passwd, &p->proc);
    if (workers.length)
        fact_put(facts, f, "workers", str_text(&workers));
    if (p->serves)
        fact_put(facts, f, "packages", str_text(&packages));
}

void collect_processes(struct collection *c)
{
    CLEANUP(free_processes) struct processes s = {.c = c, .proc_fd = -1};
    uint32_t *pids = NULL;
    size_t count = 0, size = 0;
    if (!proc_begin(c, &s.proc_fd, &pids, &count))
        return;
    s.family = (struct proc_family){.proc_fd = s.proc_fd, .pids = pids, .count = count};
    for (size_t i = 0; i < count; i++)
        look_at(&s, pids[i]);
    proc_state_denied(c, s.denied);
    if (!s.list.count)
        return;
    const char **owners = arena_alloc(c->arena, (s.paths.count + 1) * sizeof *owners);
    dpkg_owners(c, s.paths.items, s.paths.count, owners);
    const char *passwd = collect_text(c, "/etc/passwd", MOST_PASSWD_BYTES, &size);
    for (size_t i = 0; i < s.list.count; i++)
        state_process(&s, &s.list.items[i], owners, passwd);
}

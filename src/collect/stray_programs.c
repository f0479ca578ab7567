/* stray_programs.c - programs that run and lie where no program of this host's lies: facts of kind
 * `stray-program`.
 *
 * /proc/PID/exe tells where the program lies, whatever the process says of itself (proc(5)):
 *
 *   temporary  where everybody may write: /tmp, /var/tmp, /dev
 *   memory     in no file: memfd_create(2)
 *   deleted    its name is gone, or leads to another file, and dpkg knows nothing of that name
 *   removed    the same below /usr, where packages lie: an upgrade that renames a program looks so
 *
 * What dpkg replaced while it ran has its name in dpkg's lists, and is no stray. Nor is the file
 * that this very program is. */
#include "base/str.h"
#include "collect/collect.h"
#include "collect/dpkg_files.h"
#include "collect/proc.h"
#include "model/date.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MOST_STATED = 2000,
    MOST_COMMAND_BYTES = 64 << 10,
    MOST_SHOWN = 1024,
    MOST_PASSWD_BYTES = 4 << 20,
    MOST_STAT_BYTES = 1 << 20
};

struct stray {
    struct proc proc;
    struct stat st;
    const char *place;
};

struct strays {
    struct collection *c;
    int proc_fd;
    struct stat self;
    VEC(struct stray) list;
    VEC(const char *) paths; /* of the list, in its order */
    size_t denied;
};

static void strays_cleanup(struct strays *s)
{
    VEC_FREE(&s->list);
    VEC_FREE(&s->paths);
    mem_cleanup_close(&s->proc_fd);
}

static bool is_below(const char *path, const char *const *folders, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_starts(path, folders[i]))
            return true;
    return false;
}

/* NULL: as programs lie. */
static const char *place_of(const struct proc *p)
{
    static const char *const temporary[] = {"/tmp/", "/var/tmp/", "/dev/"};
    static const char *const packages[] = {"/usr/", "/lib", "/bin/", "/sbin/"};
    static const char local[] = "/usr/local/";
    if (p->deleted && str_starts(p->executable, "/memfd:"))
        return "memory";
    if (is_below(p->executable, temporary, ARRAY_COUNT(temporary)))
        return "temporary";
    if (!p->deleted)
        return NULL;
    return is_below(p->executable, packages, ARRAY_COUNT(packages)) &&
                   !str_starts(p->executable, local)
               ? "removed"
               : "deleted";
}

/* While it unpacks, dpkg gives the old file the name of the new one and a suffix. */
static const char *name_of_package(struct arena *arena, const char *path)
{
    static const char *const suffixes[] = {".dpkg-tmp", ".dpkg-new"};
    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++)
        if (str_ends(path, suffixes[i]))
            return arena_strndup(arena, path, strlen(path) - strlen(suffixes[i]));
    return path;
}

static void look_at(struct strays *s, uint32_t pid)
{
    struct stray p = {0};
    char name[32];
    if (!proc_read(s->c, s->proc_fd, pid, &p.proc))
        return;
    s->denied += p.proc.denied;
    p.place = *p.proc.executable ? place_of(&p.proc) : NULL;
    snprintf(name, sizeof name, "%u/exe", pid);
    if (!p.place || fstatat(s->proc_fd, name, &p.st, 0) != 0 ||
        (p.st.st_dev == s->self.st_dev && p.st.st_ino == s->self.st_ino))
        return;
    VEC_PUSH(&s->list, p);
    VEC_PUSH(&s->paths, name_of_package(s->c->arena, p.proc.executable));
}

/* "btime" of /proc/stat is when the host came up. */
static int64_t up_since(struct strays *s)
{
    size_t size;
    const char *text = collect_text(s->c, "/proc/stat", MOST_STAT_BYTES, &size);
    const char *line = text ? strstr(text, "\nbtime ") : NULL;
    return line ? strtoll(line + 7, NULL, 10) : DATE_NONE;
}

static void put_command(struct strays *s, struct fact *f, const struct proc *p)
{
    CLEANUP_FREE char *words = NULL;
    CLEANUP_STR struct str command = {0};
    size_t size = 0;
    struct error e = ERROR_INIT;
    if (!proc_read_file(s->proc_fd, p->pid, "cmdline", MOST_COMMAND_BYTES, &words, &size, &e))
        size = 0;
    for (size_t at = 0; at < size && command.length < MOST_SHOWN;
         at += strnlen(words + at, size - at) + 1)
        str_printf(&command, "%s%.*s", at ? " " : "", (int)strnlen(words + at, size - at),
                   words + at);
    fact_put(s->c->facts, f, "command", command.length ? str_text(&command) : p->name);
}

static void put_start(struct strays *s, struct fact *f, const struct proc *p, int64_t up)
{
    CLEANUP_FREE char *text = NULL;
    char since[32];
    struct proc_stat st;
    size_t size;
    struct error e = ERROR_INIT;
    if (!proc_read_file(s->proc_fd, p->pid, "stat", MOST_STAT_BYTES, &text, &size, &e) ||
        !proc_parse_stat(text, &st))
        return;
    fact_put_number(s->c->facts, f, "parent", st.parent);
    fact_put_number(s->c->facts, f, "start_ticks", (int64_t)st.start_ticks);
    if (up == DATE_NONE)
        return;
    date_format(up + (int64_t)(st.start_ticks / (uint64_t)sysconf(_SC_CLK_TCK)), since);
    fact_put(s->c->facts, f, "since", since);
}

static void state_stray(struct strays *s, const struct stray *p, const char *passwd, int64_t up)
{
    struct facts *facts = s->c->facts;
    struct fact *f =
        facts_add(facts, "stray-program", arena_printf(s->c->arena, "/proc/%u", p->proc.pid), 0, -1,
                  CONFIDENCE_HIGH);
    fact_put_number(facts, f, "pid", p->proc.pid);
    fact_put(facts, f, "path", p->proc.executable);
    fact_put(facts, f, "place", p->place);
    fact_put(facts, f, "name", p->proc.name);
    fact_put(facts, f, "user", proc_user(s->c->arena, passwd, p->proc.uid));
    fact_put(facts, f, "container", p->proc.container ? "yes" : "no");
    fact_put(facts, f, "deleted", p->proc.deleted ? "yes" : "no");
    fact_put_number(facts, f, "device", (int64_t)p->st.st_dev);
    fact_put_number(facts, f, "inode", (int64_t)p->st.st_ino);
    put_command(s, f, &p->proc);
    put_start(s, f, &p->proc, up);
}

void collect_stray_programs(struct collection *c)
{
    CLEANUP(strays_cleanup) struct strays s = {.c = c, .proc_fd = -1};
    uint32_t *pids = NULL;
    size_t count = 0, size = 0, stated = 0;
    if (!proc_begin(c, &s.proc_fd, &pids, &count))
        return;
    (void)fstatat(s.proc_fd, "self/exe", &s.self, 0);
    for (size_t i = 0; i < count; i++)
        look_at(&s, pids[i]);
    proc_state_denied(c, s.denied);
    if (!s.list.count)
        return;
    const char **owners = arena_alloc(c->arena, s.paths.count * sizeof *owners);
    bool known = dpkg_owners(c, s.paths.items, s.paths.count, owners);
    const char *passwd = collect_text(c, "/etc/passwd", MOST_PASSWD_BYTES, &size);
    int64_t up = up_since(&s);
    for (size_t i = 0; i < s.list.count; i++) {
        const char *place = s.list.items[i].place;
        bool of_none = str_equal(place, "temporary") || str_equal(place, "memory");
        if (!of_none && (!known || *owners[i])) /* what is not known was said to be unread */
            continue;
        if (stated++ < MOST_STATED)
            state_stray(&s, &s.list.items[i], passwd, up);
    }
    if (stated > MOST_STATED)
        facts_unread(c->facts, N_("running processes"), "/proc",
                     _("more programs run that no package brought than are stated"));
}

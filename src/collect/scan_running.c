#include "collect/scan_running.h"

#include "base/cage.h"
#include "base/file.h"
#include "base/language.h"
#include "base/mem.h"
#include "base/str.h"
#include "collect/proc.h"
#include "model/date.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    MOST_PIDS = 100000,
    MOST_COMMAND = 64 << 10,
    MOST_SHOWN = 1024,
    MOST_MAPS = 4 << 20,
    MOST_SMALL = 16 << 10,
    MOST_PASSWD = 1 << 20,
    MOST_STAT = 1 << 20,
    MOST_DESCRIPTORS = 100000,
    MOST_CAGES = 16, /* so many processes may hang */
    PATIENCE_MS = 10000,
    SHELLS_OWN_FD = 10, /* descriptors below belong to whoever writes the script (sh, POSIX) */
};

enum { FRAME_AT = 1, FRAME_FACT };

struct looking {
    int proc_fd;
    const struct running_file *files;
    size_t count;
    uint32_t behind; /* processes up to this one were looked at */
};

/* One process, in the cage. */
struct looked {
    const struct looking *l;
    uint32_t pid;
    struct arena *arena;
    const char *program; /* where /proc/PID/exe leads; "" */
    bool deleted;
    const struct running_file *file;
    const char *how;
};

static int by_inode(const void *x, const void *y)
{
    const struct running_file *a = x, *b = y;
    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return (a->inode > b->inode) - (a->inode < b->inode);
}

static const struct running_file *find_file(const struct looking *l, uint64_t device,
                                            uint64_t inode)
{
    struct running_file key = {.device = device, .inode = inode};
    return bsearch(&key, l->files, l->count, sizeof *l->files, by_inode);
}

/* What a link of /proc, or a path behind one, leads to, if it is one of the files. */
static const struct running_file *leads_to(const struct looked *p, const char *path)
{
    struct stat st;
    const char *full = arena_printf(p->arena, "%u/%s", p->pid, path);
    return fstatat(p->l->proc_fd, full, &st, AT_NO_AUTOMOUNT) == 0 && S_ISREG(st.st_mode)
               ? find_file(p->l, st.st_dev, st.st_ino)
               : NULL;
}

static char *text_of(const struct looked *p, const char *name, size_t most, size_t *size)
{
    CLEANUP_STR struct str text = {0};
    char buffer[16 << 10];
    const char *path = arena_printf(p->arena, "%u/%s", p->pid, name);
    CLEANUP_CLOSE int fd = openat(p->l->proc_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && text.length < most) {
        size_t room = most - text.length;
        n = read(fd, buffer, room < sizeof buffer ? room : sizeof buffer);
        if (n > 0)
            str_add_bytes(&text, buffer, (size_t)n);
    }
    *size = text.length;
    return text.length ? arena_strndup(p->arena, str_text(&text), text.length) : NULL;
}

static bool found(struct looked *p, const struct running_file *file, const char *how)
{
    if (file) {
        p->file = file;
        p->how = how;
    }
    return file != NULL;
}

/* --- interpreters --- */

struct interpreter {
    const char *name; /* digits and dots may follow */
    const char *code; /* options that bring code instead of a script */
    bool shell;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const struct interpreter *interpreter_of(const struct looked *p)
{
    static const struct interpreter all[] = {
        {"sh", "c", true},      {"bash", "c", true},    {"dash", "c", true},
        {"zsh", "c", true},     {"ksh", "c", true},     {"mksh", "c", true},
        {"ash", "c", true},     {"busybox", "c", true}, {"python", "cm", false},
        {"perl", "eE", false},  {"ruby", "e", false},   {"php", "rBRES", false},
        {"php-cgi", "", false}, {"node", "ep", false},  {"lua", "e", false},
        {"tclsh", "", false},
    };
    const char *name = base_of(p->program);
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        size_t length = strlen(all[i].name);
        if (str_starts(name, all[i].name) && !name[length + strspn(name + length, "0123456789.")])
            return &all[i];
    }
    return NULL;
}

/* The first word that is no option, unless an option brings code: the script (also as the kernel
 * starts one by its "#!" line). An option with a word of its own hides it: then it is not found. */
static const char *script_of(const struct interpreter *of, const char *words, size_t size)
{
    size_t at = strnlen(words, size) + 1;
    if (str_equal(of->name, "busybox") && str_starts(base_of(words), "busybox"))
        at += at < size ? strnlen(words + at, size - at) + 1 : 0; /* the applet */
    bool ended = false;
    for (; at < size; at += strnlen(words + at, size - at) + 1) {
        const char *word = words + at;
        if (ended || word[0] != '-' || !word[1])
            return word;
        if (word[1] != '-' && word[strcspn(word, of->code)])
            return NULL;
        ended = str_equal(word, "--");
    }
    return NULL;
}

static bool runs_as_script(struct looked *p, const struct interpreter *of, const char *words,
                           size_t size)
{
    const char *script = words ? script_of(of, words, size) : NULL;
    if (!script || !*script)
        return false;
    const char *path = arena_printf(p->arena, script[0] == '/' ? "root%s" : "cwd/%s", script);
    return found(p, leads_to(p, path), "script");
}

/* In descriptors: of a shell its script; of any interpreter at least that it has it open. */
static void look_at_descriptors(struct looked *p, const struct interpreter *of)
{
    DIR *dir = file_list(p->l->proc_fd, arena_printf(p->arena, "%u/fd", p->pid));
    if (!dir)
        return;
    for (size_t n = 0; n < MOST_DESCRIPTORS; n++) {
        const struct dirent *d = readdir(dir);
        uint64_t number;
        struct stat st;
        if (!d)
            break;
        if (!str_to_u64(d->d_name, &number) ||
            fstatat(dirfd(dir), d->d_name, &st, AT_NO_AUTOMOUNT) != 0 || !S_ISREG(st.st_mode))
            continue;
        const struct running_file *file = find_file(p->l, st.st_dev, st.st_ino);
        bool read = of->shell && (number == 0 || number >= SHELLS_OWN_FD);
        if (file && (read || !p->file))
            found(p, file, read ? "script" : "open");
    }
    closedir(dir);
}

/* --- maps --- */

/* "START-END PERMS OFFSET MAJOR:MINOR INODE PATH"; on some file systems the device is not the one
 * that stat() tells, then the path's is asked for. */
static void look_at_maps(struct looked *p)
{
    size_t size, position = 0, length;
    const char *line, *text = text_of(p, "maps", MOST_MAPS, &size);
    while (text && !p->file && str_next_line(text, size, &position, &line, &length)) {
        char permissions[5];
        unsigned major, minor;
        unsigned long long inode;
        const char *copy = arena_strndup(p->arena, line, length);
        if (sscanf(copy, "%*s %4s %*s %x:%x %llu", permissions, &major, &minor, &inode) != 4 ||
            !inode || permissions[2] != 'x')
            continue;
        const char *path = strchr(copy, '/');
        if (!found(p, find_file(p->l, makedev(major, minor), inode), "mapped") && path) {
            const struct running_file *file = leads_to(p, arena_printf(p->arena, "root%s", path));
            found(p, file && file->inode == inode ? file : NULL, "mapped");
        }
    }
}

/* --- one process --- */

/* Of one that has not ended. */
static bool read_stat(const struct looked *p, struct proc_stat *out)
{
    size_t size;
    const char *text = text_of(p, "stat", MOST_SMALL, &size);
    return text && proc_parse_stat(text, out) && !proc_is_over(out);
}

/* "btime" of /proc/stat is when the host came up. */
static int64_t started(const struct looking *l, unsigned long long ticks)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    CLEANUP_CLOSE int fd = openat(l->proc_fd, "stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !file_read_fd(&text, &size, fd, MOST_STAT, NULL))
        return DATE_NONE;
    const char *line = strstr(text, "\nbtime ");
    unsigned long long hz = (unsigned long long)sysconf(_SC_CLK_TCK);
    return line ? strtoll(line + 7, NULL, 10) + (int64_t)(ticks / hz) : DATE_NONE;
}

static void put_user(struct facts *facts, struct fact *f, struct looked *p)
{
    struct stat st;
    CLEANUP_FREE char *passwd = NULL;
    size_t size;
    if (fstatat(p->l->proc_fd, arena_printf(p->arena, "%u", p->pid), &st, 0) != 0)
        return;
    CLEANUP_CLOSE int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        (void)!file_read_fd(&passwd, &size, fd, MOST_PASSWD, NULL);
    fact_put(facts, f, "user", proc_user(p->arena, passwd, st.st_uid));
}

static void tell(struct cage *cage, struct looked *p, const struct proc_stat *s, const char *words,
                 size_t size)
{
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    CLEANUP_STR struct str command = {0}, packet = {0};
    char since[32] = "";
    for (size_t at = 0; words && at < size && command.length < MOST_SHOWN;
         at += strnlen(words + at, size - at) + 1)
        str_printf(&command, "%s%.*s", at ? " " : "", MOST_SHOWN, words + at);
    bool proof = str_equal(p->how, "program") || str_equal(p->how, "script");
    struct fact *f = facts_add(facts, "running", arena_printf(p->arena, "/proc/%u", p->pid), 0, -1,
                               proof ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM);
    int64_t when = started(p->l, s->start_ticks);
    if (when != DATE_NONE)
        date_format(when, since);
    fact_put_number(facts, f, "pid", p->pid);
    fact_put(facts, f, "path", p->file->path);
    fact_put(facts, f, "how", p->how);
    fact_put(facts, f, "proof", proof ? "yes" : "no");
    fact_put(facts, f, "by", p->file->by);
    fact_put(facts, f, "name", s->name);
    fact_put(facts, f, "command", command.length ? str_text(&command) : s->name);
    put_user(facts, f, p);
    fact_put(facts, f, "since", since);
    fact_put_number(facts, f, "start_ticks", (int64_t)s->start_ticks);
    fact_put_number(facts, f, "parent", s->parent);
    fact_put(facts, f, "program", p->program);
    fact_put(facts, f, "deleted", p->deleted ? "yes" : "no");
    fact_put_number(facts, f, "device", (int64_t)p->file->device);
    fact_put_number(facts, f, "inode", (int64_t)p->file->inode);
    fact_encode(&packet, f);
    cage_send(cage, FRAME_FACT, packet.data, packet.length);
}

static void look_at(struct cage *cage, const struct looking *l, uint32_t pid)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct looked p = {.l = l, .pid = pid, .arena = arena, .program = ""};
    struct proc_stat s;
    char to[4097];
    ssize_t n = readlinkat(l->proc_fd, arena_printf(arena, "%u/exe", pid), to, sizeof to - 1);
    if (n < 0 || !read_stat(&p, &s))
        return; /* gone, the kernel's own, or not ours to look at */
    char *program = arena_strndup(arena, to, (size_t)n);
    p.deleted = proc_cut_deleted(program);
    p.program = program;
    size_t size = 0;
    const char *words = text_of(&p, "cmdline", MOST_COMMAND, &size);
    const struct interpreter *interpreter = interpreter_of(&p);
    if (!found(&p, leads_to(&p, "exe"), "program") &&
        !(interpreter && runs_as_script(&p, interpreter, words, size))) {
        look_at_maps(&p);
        if (interpreter)
            look_at_descriptors(&p, interpreter);
    }
    if (p.file)
        tell(cage, &p, &s, words, size);
}

/* --- all of them --- */

static int by_number(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

static size_t list_pids(int proc_fd, uint32_t **out)
{
    VEC(uint32_t) list = {0};
    DIR *dir = file_list(proc_fd, ".");
    for (const struct dirent *d; dir && list.count < MOST_PIDS && (d = readdir(dir));) {
        uint64_t number;
        if (str_to_u64(d->d_name, &number) && number > 0 && number < INT32_MAX)
            VEC_PUSH(&list, (uint32_t)number);
    }
    if (dir)
        closedir(dir);
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, by_number);
    *out = list.items;
    return list.count;
}

static void look_at_all(struct cage *cage, void *context)
{
    const struct looking *l = context;
    CLEANUP_FREE uint32_t *pids = NULL;
    size_t count = list_pids(l->proc_fd, &pids);
    for (size_t i = 0; i < count; i++) {
        if (pids[i] <= l->behind)
            continue;
        cage_send(cage, FRAME_AT, &pids[i], sizeof pids[i]);
        look_at(cage, l, pids[i]);
    }
}

struct hearing {
    struct facts *facts;
    uint32_t at;
};

static bool take_frame(void *context, uint32_t type, const void *bytes, size_t size,
                       struct error *e)
{
    struct hearing *h = context;
    struct bytes in = bytes_of(bytes, size);
    if (type == FRAME_AT && size == sizeof h->at) {
        memcpy(&h->at, bytes, sizeof h->at);
        return true;
    }
    if (type == FRAME_FACT && facts_add_encoded(h->facts, &in, e))
        return true;
    error_set(e, ERR_FORMAT, "a collector sent something unknown");
    return false;
}

bool running_find(struct facts *facts, struct running_file *files, size_t count, struct error *e)
{
    static const struct cage_limits limits = {.wall_ms = PATIENCE_MS};
    if (!count)
        return true;
    qsort(files, count, sizeof *files, by_inode);
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0) {
        error_set_errno(e, errno, "opening /proc");
        return false;
    }
    struct hearing h = {.facts = facts};
    for (int tries = 0;; tries++) {
        struct error problem = ERROR_INIT;
        struct looking l = {.proc_fd = proc, .files = files, .count = count, .behind = h.at};
        if (cage_run(CAGE_LIVE, -1, &proc, 1, &limits, look_at_all, &l, take_frame, &h, &problem))
            return true;
        if (tries == MOST_CAGES || h.at == l.behind) {
            if (e)
                *e = problem;
            return false;
        }
        char path[32];
        snprintf(path, sizeof path, "/proc/%u", h.at);
        facts_unread(facts, N_("running processes"), path, problem.message);
    }
}

/* --- programs without a name --- */

bool running_is_deleted_program(const char *path)
{
    return str_starts(path, "/proc/") && str_ends(path, "/exe");
}

void running_each_deleted(void (*file)(void *context, int fd, const char *path,
                                       const struct stat *st),
                          void *context)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FREE uint32_t *pids = NULL;
    VEC(struct running_file) seen = {0};
    size_t count = proc < 0 ? 0 : list_pids(proc, &pids);
    for (size_t i = 0; i < count; i++) {
        char name[32], path[40], to[4097];
        struct stat st;
        snprintf(name, sizeof name, "%u/exe", pids[i]);
        snprintf(path, sizeof path, "/proc/%s", name);
        ssize_t n = readlinkat(proc, name, to, sizeof to - 1);
        to[n < 0 ? 0 : n] = '\0';
        if (n < 0 || !proc_cut_deleted(to))
            continue;
        int fd = openat(proc, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        bool fresh = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
        for (size_t k = 0; fresh && k < seen.count; k++)
            fresh = seen.items[k].device != st.st_dev || seen.items[k].inode != st.st_ino;
        if (fresh) {
            VEC_PUSH(&seen, ((struct running_file){.device = st.st_dev, .inode = st.st_ino}));
            file(context, fd, path, &st);
        } else if (fd >= 0) {
            close(fd);
        }
    }
    VEC_FREE(&seen);
}

#include "collect/proc.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_SMALL_BYTES = 64 << 10 };

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool proc_list(struct collection *c, uint32_t **pids, size_t *count)
{
    struct target_entry *entries = NULL;
    size_t found = 0, kept = 0;
    struct error e = ERROR_INIT;
    if (!target_list(c->target, "/proc", c->arena, &entries, &found, &e)) {
        facts_unread(c->facts, "running processes", "/proc", e.message);
        return false;
    }
    uint32_t *list = arena_alloc(c->arena, (found + 1) * sizeof *list);
    for (size_t i = 0; i < found && kept < PROC_MOST; i++) {
        uint64_t number;
        if (str_to_u64(entries[i].name, &number) && number > 0 && number < UINT32_MAX)
            list[kept++] = (uint32_t)number;
    }
    if (!kept) {
        facts_unread(c->facts, "running processes", "/proc", "no process can be seen here");
        return false;
    }
    qsort(list, kept, sizeof *list, by_number);
    *pids = list;
    *count = kept;
    return true;
}

bool proc_cut_deleted(char *path)
{
    static const char mark[] = " (deleted)";
    if (!str_ends(path, mark))
        return false;
    path[strlen(path) - (sizeof mark - 1)] = '\0';
    return true;
}

void proc_parse_cgroup(const char *text, struct arena *arena, const char **unit,
                       bool *container)
{
    /* Parts of the cgroup paths that container managers make. */
    static const char *const managers[] = {"docker",   "libpod", "kubepods", "containerd",
                                           "cri-o",    "lxc",    "crio",     "buildkit",
                                           "garden",   "nspawn", "machine.slice"};
    size_t position = 0, length, size = strlen(text);
    const char *line;
    *unit = "";
    *container = false;
    while (str_next_line(text, size, &position, &line, &length)) {
        char *path = arena_strndup(arena, line, length), *save = NULL;
        char *colon = strchr(path, ':');
        colon = colon ? strchr(colon + 1, ':') : NULL;
        if (!colon)
            continue;
        for (char *part = strtok_r(colon + 1, "/", &save); part;
             part = strtok_r(NULL, "/", &save)) {
            bool service = str_ends(part, ".service");
            if (service)
                *unit = part; /* the innermost one */
            for (size_t i = 0; !service && i < ARRAY_COUNT(managers); i++)
                *container = *container || str_starts(part, managers[i]);
        }
    }
}

static const char *small_file(struct collection *c, uint32_t pid, const char *name)
{
    char path[64];
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "/proc/%u/%s", pid, name);
    if (!target_read(c->target, path, MOST_SMALL_BYTES, &text, &size, NULL))
        return NULL;
    return arena_strndup(c->arena, text, size);
}

bool proc_read(struct collection *c, uint32_t pid, struct proc *out)
{
    char path[64], link[4096];
    struct error e = ERROR_INIT;
    struct target_stat st;
    struct proc p = {.pid = pid, .executable = "", .unit = "", .name = ""};
    snprintf(path, sizeof path, "/proc/%u/exe", pid);
    if (target_readlink(c->target, path, link, sizeof link, &e)) {
        p.deleted = proc_cut_deleted(link);
        p.executable = arena_strdup(c->arena, link);
    } else if (e.code == ERR_ABSENT) {
        return false; /* a thread of the kernel, or gone */
    } else {
        p.denied = true;
    }
    const char *name = small_file(c, pid, "comm");
    if (!name)
        return false;
    p.name = arena_strndup(c->arena, name, strcspn(name, "\n"));
    const char *cgroup = small_file(c, pid, "cgroup");
    if (cgroup)
        proc_parse_cgroup(cgroup, c->arena, &p.unit, &p.container);
    snprintf(path, sizeof path, "/proc/%u", pid);
    if (target_stat(c->target, path, true, &st, NULL))
        p.uid = st.uid;
    *out = p;
    return true;
}

const char *proc_user(struct arena *arena, const char *passwd, uint32_t uid)
{
    char wanted[24];
    size_t position = 0, length, size = passwd ? strlen(passwd) : 0;
    const char *line;
    snprintf(wanted, sizeof wanted, ":%u:", uid);
    while (str_next_line(passwd, size, &position, &line, &length)) { /* passwd(5) */
        const char *first = memchr(line, ':', length);
        const char *second =
            first ? memchr(first + 1, ':', length - (size_t)(first + 1 - line)) : NULL;
        if (second && length - (size_t)(second - line) > strlen(wanted) &&
            memcmp(second, wanted, strlen(wanted)) == 0)
            return arena_strndup(arena, line, (size_t)(first - line));
    }
    return arena_printf(arena, "%u", uid);
}

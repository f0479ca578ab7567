/* proc.h - what /proc of the target says of its processes (proc(5)).
 *
 * Everything a process says of itself may be made up by it: name and command line are shown
 * and never believed; the program is where /proc/PID/exe leads. A process that ends while it
 * is looked at is left out. */
#ifndef YAGURA_COLLECT_PROC_H
#define YAGURA_COLLECT_PROC_H

#include "base/str.h"
#include "collect/collect.h"

struct proc {
    uint32_t pid;
    const char *name;       /* /proc/PID/comm */
    const char *executable; /* without " (deleted)"; "" where it cannot be read */
    bool deleted;           /* the program was replaced or removed */
    bool denied;            /* it may not be looked at by this user */
    const char *unit;       /* "nginx.service", or "" */
    bool container;         /* runs inside one: its paths are not those of this host */
    uint32_t uid;
};

enum { PROC_MOST = 100000 };

/* The ids of all processes, ascending. False, with a statement in the facts, where /proc
 * cannot be read. */
bool proc_list(struct collection *c, uint32_t **pids, size_t *count);

/* /proc of a live target, opened once. It is the kernel's own tree, so that what is below it is
 * opened by plain names, with as few system calls as can be; a /proc that is a link is refused.
 * -1 where it cannot be opened. */
int proc_open(struct collection *c, struct error *e);

/* Both at once, for a collector of processes. False, with a statement in the facts. */
bool proc_begin(struct collection *c, int *proc_fd, uint32_t **pids, size_t *count);
/* That so many could not be looked at, if any. */
void proc_state_denied(struct collection *c, size_t denied);

/* One file of a process; *out is a malloc block. */
bool proc_read_file(int proc_fd, uint32_t pid, const char *name, size_t most, char **out,
                    size_t *size, struct error *e);

/* Calls `visit` with the inode of each socket that a process has open. */
bool proc_each_socket(int proc_fd, uint32_t pid, void (*visit)(void *context, uint32_t inode),
                      void *context, struct error *e);

/* The files that the text of /proc/PID/maps names as mapped to be executed, in its order and as
 * often as there; `path` is not terminated, " (deleted)" is cut off. */
void proc_parse_maps(const char *text, size_t size,
                     void (*visit)(void *context, const char *path, size_t length, bool deleted),
                     void *context);

/* False where it is gone, or a thread of the kernel. Strings in the collection's arena. */
bool proc_read(struct collection *c, int proc_fd, uint32_t pid, struct proc *out);

/* Processes, and who started each. */
struct proc_family {
    int proc_fd;
    const uint32_t *pids;
    size_t count;
    uint32_t *parents; /* NULL until they are asked for; in the collection's arena; 0: it is gone */
};

/* The users, each once and parted by spaces, of those children of a process that run the same
 * program as another user than it does: the workers of a master. `passwd` as below. */
void proc_workers(struct str *users, struct collection *c, struct proc_family *family,
                  const char *passwd, const struct proc *master);

/* The name of a user by /etc/passwd, or the number. `passwd` is the text of that file or NULL. */
const char *proc_user(struct arena *arena, const char *passwd, uint32_t uid);

/* /proc/PID/stat (proc_pid_stat(5)): "PID (NAME) STATE PPID ..."; the name may hold anything, a ")"
 * too, and ends with the last one. */
struct proc_stat {
    char name[64], state;
    int parent, group, session;
    uint32_t terminal; /* as the kernel writes a device (new_encode_dev()); 0: none */
    long threads;
    uint64_t start_ticks; /* since the host came up: tells a number that was given anew */
};
bool proc_parse_stat(const char *text, struct proc_stat *out);
/* Of a process of this host; false where it is gone. */
bool proc_read_stat(uint32_t pid, struct proc_stat *out);
/* It has ended, and only the number is left. */
bool proc_is_over(const struct proc_stat *s);

/* Takes " (deleted)" off the end of a path; true where it was there. */
bool proc_cut_deleted(char *path);

/* The unit of systemd, and whether it is a container, from the text of /proc/PID/cgroup. */
void proc_parse_cgroup(const char *text, struct arena *arena, const char **unit, bool *container);

#endif

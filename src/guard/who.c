#include "guard/who.h"

#include "base/mem.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REMEMBERED = 16 };
static const int64_t remembered_ns = 100000000;

static ssize_t read_of(pid_t pid, const char *name, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    return n;
}

static void printable(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 32 || *s == 127)
            *s = '?';
}

static long number_behind(const char *status, const char *label)
{
    const char *at = strstr(status, label);
    return at ? strtol(at + strlen(label), NULL, 10) : 0;
}

static pid_t parent_of(pid_t pid, char name[20])
{
    char status[2048];
    if (read_of(pid, "status", status, sizeof status) <= 0 || !str_starts(status, "Name:\t"))
        return 0;
    snprintf(name, 20, "%.*s", (int)strcspn(status + 6, "\n"), status + 6);
    printable(name);
    return (pid_t)number_behind(status, "\nPPid:\t");
}

static void read_now(struct who *out, pid_t pid)
{
    char status[2048], text[64], path[64];
    *out = (struct who){.pid = pid, .login = (uid_t)-1};
    if (read_of(pid, "status", status, sizeof status) <= 0)
        return;
    out->known = true;
    out->uid = (uid_t)number_behind(status, "\nUid:\t");
    if (read_of(pid, "loginuid", text, sizeof text) > 0)
        out->login = (uid_t)strtoul(text, NULL, 10);
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(path, out->exe, sizeof out->exe - 1);
    out->exe[n > 0 ? n : 0] = '\0';
    printable(out->exe);
    n = read_of(pid, "cmdline", out->command, sizeof out->command);
    for (ssize_t i = 0; i + 1 < n; i++)
        if (!out->command[i])
            out->command[i] = ' ';
    printable(out->command);
    pid_t above = (pid_t)number_behind(status, "\nPPid:\t");
    for (size_t i = 0; i < WHO_PARENTS && above > 0; i++) {
        out->parents[i].pid = above;
        above = parent_of(above, out->parents[i].name);
    }
}

void who_read(struct who *out, pid_t pid)
{
    static struct {
        struct who who;
        int64_t at_ns;
    } cache[REMEMBERED];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    size_t slot = (unsigned)pid % REMEMBERED;
    if (cache[slot].who.pid != pid || !pid || now_ns - cache[slot].at_ns > remembered_ns) {
        read_now(&cache[slot].who, pid);
        cache[slot].at_ns = now_ns;
    }
    *out = cache[slot].who;
}

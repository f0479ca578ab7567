#include "base/helper.h"

#include "base/language.h"
#include "base/mem.h"
#include "base/where.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static void actions_cleanup(posix_spawn_file_actions_t *actions)
{
    posix_spawn_file_actions_destroy(actions);
}

static void attributes_cleanup(posix_spawnattr_t *attributes)
{
    posix_spawnattr_destroy(attributes);
}

int helper_fd(int fd)
{
    enum { OUT_OF_THE_WAY = 16 };
    if (fd < 0)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY), failed = errno;
    close(fd);
    errno = failed;
    return moved;
}

bool helper_start(pid_t *pid, const char *name, const int *fds, size_t count, struct error *e)
{
    char program[PATH_MAX];
    if (!where_is(WHERE_LIBEXEC, name, program, sizeof program)) {
        error_set(e, ERR_SYSTEM,
                  "a program of our own, %s, was not found; YAGURA_LIBEXEC may name its folder",
                  name);
        return false;
    }
    char *const arguments[] = {program, NULL};
    CLEANUP(actions_cleanup) posix_spawn_file_actions_t actions;
    CLEANUP(attributes_cleanup) posix_spawnattr_t attributes;
    sigset_t signals;
    int failed = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (size_t i = 0; i < count && !failed; i++)
        failed = posix_spawn_file_actions_adddup2(&actions, fds[i], HELPER_FIRST_FD + (int)i);
    posix_spawn_file_actions_addclosefrom_np(&actions, HELPER_FIRST_FD + (int)count);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGXCPU); /* its cage may limit its time */
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!failed)
        failed =
            posix_spawn(pid, program, &actions, &attributes, arguments, language_environment());
    if (failed)
        error_set_errno(e, failed, "a program of our own, %s, could not be started", program);
    return !failed;
}

#include "act/nft.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WORDS = 16, MOST_BYTES = 32 << 20, PATIENCE_MS = 20000 };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static _Noreturn void become_nft(int in, int out, char *const *argv)
{
    static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft",
                                         "/usr/local/sbin/nft"};
    char *environment[] = {(char *)"LC_ALL=C", NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0) {
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        for (size_t i = 0; i < ARRAY_COUNT(places); i++)
            execve(places[i], argv, environment);
    }
    _exit(127);
}

/* Until it has closed its output; false where it takes too long or has too much to say. */
static bool listen_to(int fd, struct str *out)
{
    char buffer[16384];
    int64_t deadline = now_ms() + PATIENCE_MS;
    for (;;) {
        int64_t left = deadline - now_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t n = ready > 0 ? read(fd, buffer, sizeof buffer) : -1;
        if (n == 0)
            return true;
        if (n < 0 || out->length + (size_t)n > MOST_BYTES)
            return false;
        str_add_bytes(out, buffer, (size_t)n);
    }
}

static bool tell_failure(int status, const struct str *said, struct error *e)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && !said->length) {
        error_set(e, ERR_ABSENT, "nft is not installed (package nftables): nothing was changed");
        return false;
    }
    const char *text = str_text(said);
    CLEANUP_STR struct str line = {0};
    str_add_printable(&line, text, strcspn(text, "\n"));
    error_set(e, ERR_SYSTEM, "nft says: %.300s", line.length ? line.data : "?");
    return false;
}

static bool run(struct str *out, const char *input, char *const *argv, struct error *e)
{
    int ends[2];
    CLEANUP_CLOSE int in = memfd_create("rules", MFD_CLOEXEC);
    size_t length = strlen(input);
    if (in < 0 || write(in, input, length) != (ssize_t)length || lseek(in, 0, SEEK_SET) != 0 ||
        pipe2(ends, O_CLOEXEC) != 0) {
        error_set_errno(e, errno, "starting nft failed");
        return false;
    }
    CLEANUP_CLOSE int from = ends[0];
    pid_t pid = fork();
    if (pid == 0)
        become_nft(in, ends[1], argv);
    close(ends[1]);
    if (pid < 0) {
        error_set_errno(e, errno, "starting nft failed");
        return false;
    }
    int status = -1;
    bool whole = listen_to(from, out);
    if (!whole)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!whole) {
        error_set(e, ERR_TIMEOUT, "nft does not come to an end");
        return false;
    }
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || tell_failure(status, out, e);
}

bool nft_check(const char *rules, struct error *e)
{
    CLEANUP_STR struct str said = {0};
    char *argv[] = {(char *)"nft", (char *)"-c", (char *)"-f", (char *)"-", NULL};
    return run(&said, rules, argv, e);
}

bool nft_load(const char *rules, struct error *e)
{
    CLEANUP_STR struct str said = {0};
    char *argv[] = {(char *)"nft", (char *)"-f", (char *)"-", NULL};
    return run(&said, rules, argv, e);
}

bool nft_ask(struct str *out, const char *const *words, size_t count, struct error *e)
{
    char *argv[MOST_WORDS + 3] = {(char *)"nft", (char *)"-s"};
    for (size_t i = 0; i < count && i < MOST_WORDS; i++)
        argv[i + 2] = (char *)words[i];
    return run(out, "", argv, e);
}

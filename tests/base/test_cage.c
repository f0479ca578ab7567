/* What a cage forbids, what it allows, and how each way of ending is told apart. */
#include "base/cage.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct seen {
    size_t frames;
    int result;
    char text[256];
};

static bool remember(void *context, uint32_t type, const void *bytes, size_t size, struct error *e)
{
    struct seen *seen = context;
    seen->frames++;
    seen->result = (int)type;
    snprintf(seen->text, sizeof seen->text, "%.*s", (int)size, (const char *)bytes);
    return true;
}

static bool refuse(void *context, uint32_t type, const void *bytes, size_t size, struct error *e)
{
    error_set(e, ERR_FORMAT, "refused");
    return false;
}

/* --- what the children do; each sends the result of its deed as the type of a frame --- */

struct deed_context {
    const char *dir; /* of the test, with the file "in" and writable */
    int rootfd;
};

static void send_result(struct cage *cage, long result)
{
    cage_send(cage, result < 0 ? (uint32_t)errno : 0, "done", 4);
}

static void in_dir(char *out, size_t size, const struct deed_context *c, const char *name)
{
    snprintf(out, size, "%s/%s", c->dir, name);
}

static void deed_nothing(struct cage *cage, void *context)
{
    cage_send(cage, 7, "hello", 5);
}

static void deed_open_passwd(struct cage *cage, void *context)
{
    send_result(cage, open("/etc/passwd", O_RDONLY));
}

static void deed_create(struct cage *cage, void *context)
{
    char path[512];
    in_dir(path, sizeof path, context, "new");
    send_result(cage, open(path, O_WRONLY | O_CREAT, 0666));
}

static void deed_truncate_by_open(struct cage *cage, void *context)
{
    char path[512];
    in_dir(path, sizeof path, context, "in");
    send_result(cage, open(path, O_RDONLY | O_TRUNC));
}

struct how {
    uint64_t flags, mode, resolve;
};

static void deed_create_openat2(struct cage *cage, void *context)
{
    char path[512];
    struct how how = {.flags = O_WRONLY | O_CREAT, .mode = 0666};
    in_dir(path, sizeof path, context, "new2");
    send_result(cage, syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

static void deed_truncate_openat2(struct cage *cage, void *context)
{
    char path[512];
    struct how how = {.flags = O_RDWR | O_TRUNC};
    in_dir(path, sizeof path, context, "in");
    send_result(cage, syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

static void deed_unlink(struct cage *cage, void *context)
{
    char path[512];
    in_dir(path, sizeof path, context, "in");
    send_result(cage, unlink(path));
}

static void deed_exec(struct cage *cage, void *context)
{
    send_result(cage, execl("/bin/true", "true", NULL));
}

static void deed_fork(struct cage *cage, void *context)
{
    send_result(cage, fork());
}

static void *in_a_thread(void *context)
{
    free(mem_alloc(1 << 20));
    return context;
}

static void deed_thread(struct cage *cage, void *context)
{
    pthread_t thread;
    void *result = NULL;
    errno = pthread_create(&thread, NULL, in_a_thread, context);
    if (!errno)
        errno = pthread_join(thread, &result);
    send_result(cage, result == context ? 0 : -1);
}

static void deed_socket(struct cage *cage, void *context)
{
    send_result(cage, socket(AF_INET, SOCK_STREAM, 0));
}

static void deed_kill_parent(struct cage *cage, void *context)
{
    send_result(cage, kill(getppid(), SIGUSR1));
}

static void deed_executable_memory(struct cage *cage, void *context)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    send_result(cage, p == MAP_FAILED ? -1 : 0);
}

static void deed_eat_memory(struct cage *cage, void *context)
{
    for (int i = 0; i < 4096; i++)
        memset(mem_resize(NULL, 1 << 20), 1, 1 << 20);
    send_result(cage, 0);
}

static void deed_abort(struct cage *cage, void *context)
{
    abort();
}

static void deed_crash(struct cage *cage, void *context)
{
    raise(SIGSEGV);
}

static void deed_spin(struct cage *cage, void *context)
{
    for (volatile unsigned i = 0;; i++)
        ;
}

static void deed_sleep(struct cage *cage, void *context)
{
    cage_send(cage, 1, "first", 5);
    for (;;)
        poll(NULL, 0, 1000);
}

static void deed_close_pipe_and_stay(struct cage *cage, void *context)
{
    for (int fd = 0; fd < 64; fd++)
        if (fd != STDERR_FILENO)
            close(fd);
    for (;;)
        poll(NULL, 0, 1000);
}

static void deed_exit(struct cage *cage, void *context)
{
    _exit(0);
}

static void deed_huge_frame(struct cage *cage, void *context)
{
    CLEANUP_FREE char *big = mem_alloc(2 << 20);
    cage_send(cage, 1, big, 2 << 20);
}

/* Bytes of its own making in place of frames: the only descriptor besides standard error. */
static void write_raw(const void *bytes, size_t size)
{
    for (int fd = 0; fd < 64; fd++)
        if (fd != STDERR_FILENO && fcntl(fd, F_GETFD) >= 0)
            (void)!write(fd, bytes, size);
}

static void deed_claim_a_giant(struct cage *cage, void *context)
{
    write_raw("\xff\xff\xff\xff\1\0\0\0x", 9);
    deed_sleep(cage, context);
}

static void deed_cut_a_frame(struct cage *cage, void *context)
{
    write_raw("\x10\0\0\0\1\0\0\0only a part", 19);
    _exit(0);
}

static void deed_cut_a_header(struct cage *cage, void *context)
{
    write_raw("\x10\0\0", 3);
    _exit(0);
}

/* As if the cage had not been made, with texts that never end. */
static void deed_fail_falsely(struct cage *cage, void *context)
{
    struct error e;
    memset(&e, 'A', sizeof e);
    cage_send(cage, 0x7fffff02, &e, sizeof e);
    _exit(0);
}

static void deed_many_frames(struct cage *cage, void *context)
{
    CLEANUP_FREE char *body = mem_alloc(3000);
    for (uint32_t i = 1; i <= 10000; i++)
        cage_send(cage, i, body, i % 3000);
}

static void deed_memfd(struct cage *cage, void *context)
{
    int fd = memfd_create("hive", MFD_CLOEXEC);
    char path[64], buffer[5] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = -1;
    if (fd >= 0 && write(fd, "regf", 4) == 4)
        again = open(path, O_RDONLY);
    if (again >= 0 && read(again, buffer, 4) == 4 && strcmp(buffer, "regf") == 0)
        errno = 0;
    cage_send(cage, (uint32_t)errno, buffer, 4);
}

static void deed_read_beneath(struct cage *cage, void *context)
{
    const struct deed_context *c = context;
    struct error e = ERROR_INIT;
    int fd = file_open_beneath(c->rootfd, "in", NULL, &e);
    char *data;
    size_t size;
    if (fd < 0 || !file_read_fd(&data, &size, fd, 100, &e))
        cage_send(cage, 1, e.message, strlen(e.message));
    else
        cage_send(cage, 0, data, size);
}

static void deed_read_live(struct cage *cage, void *context)
{
    const struct deed_context *c = context;
    struct error e = ERROR_INIT;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)getppid());
    int fd = file_open_beneath(c->rootfd, path, NULL, &e);
    char *data;
    size_t size;
    if (fd < 0 || !file_read_fd(&data, &size, fd, 100, &e))
        cage_send(cage, 1, e.message, strlen(e.message));
    else
        cage_send(cage, 0, data, size);
}

static void deed_readlink_of_parent(struct cage *cage, void *context)
{
    char path[64], target[256];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)getppid());
    send_result(cage, readlink(path, target, sizeof target));
}

static void deed_magic_link(struct cage *cage, void *context)
{
    const struct deed_context *c = context;
    struct error e = ERROR_INIT;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/root/etc/passwd", (int)getppid());
    bool through = file_open_beneath(c->rootfd, path, NULL, &e) >= 0;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)getppid());
    bool exe = file_open_beneath(c->rootfd, path, NULL, &e) >= 0;
    cage_send(cage, through || exe ? 1 : 0, e.message, strlen(e.message));
}

static void deed_jansson_and_sort(struct cage *cage, void *context)
{
    CLEANUP_FREE char *big = mem_alloc(1 << 20);
    qsort(big, 1 << 10, 1 << 10, (int (*)(const void *, const void *))strcmp);
    cage_send(cage, 0, "sorted", 6);
}

/* --- the table --- */

enum { CODE_ANY = -2, DIES = -1 };

struct row {
    const char *name;
    cage_child *deed;
    /* for CAGE_BYTES, CAGE_ROOT, CAGE_LIVE: the frame type that comes, or DIES */
    int wanted[3];
};

static const struct row rows[] = {
    {"a child that sends and returns", deed_nothing, {7, 7, 7}},
    {"opening a file outside of the root", deed_open_passwd, {EACCES, EACCES, 0}},
    {"creating a file", deed_create, {EACCES, DIES, DIES}},
    {"truncating by open()", deed_truncate_by_open, {EACCES, DIES, DIES}},
    {"creating by openat2()", deed_create_openat2, {EACCES, EACCES, ENOSYS}},
    {"truncating by openat2()", deed_truncate_openat2, {EACCES, EACCES, ENOSYS}},
    {"removing a file", deed_unlink, {DIES, DIES, DIES}},
    {"running a program", deed_exec, {DIES, DIES, DIES}},
    {"forking", deed_fork, {DIES, DIES, DIES}},
    {"starting a thread", deed_thread, {DIES, DIES, DIES}}, /* that was not asked for */
    {"making a socket", deed_socket, {DIES, DIES, DIES}},
    {"a signal to the parent", deed_kill_parent, {DIES, DIES, DIES}},
    {"executable memory", deed_executable_memory, {DIES, DIES, DIES}},
    {"a memfd opened by name", deed_memfd, {DIES, 0, DIES}},
    {"reading beneath the root", deed_read_beneath, {1, 0, CODE_ANY}},
    {"sorting much", deed_jansson_and_sort, {0, 0, 0}},
};

static struct deed_context deed_setup(void)
{
    struct deed_context c = {.dir = support_temp_dir()};
    support_write(c.dir, "in", "inside", 6);
    chmod(c.dir, 0777);
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/in", c.dir);
    chmod(str_text(&path), 0666); /* so that only the cage stands in the way */
    c.rootfd = open(c.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return c;
}

static void deed_teardown(struct deed_context *c)
{
    close(c->rootfd);
    support_remove_tree(c->dir);
    free((char *)c->dir);
}

static void go_through_the_rows(struct deed_context *c, const struct cage_limits *limits)
{
    static const char *const kinds[] = {"bytes", "root", "live"};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        for (int kind = CAGE_BYTES; kind <= CAGE_LIVE; kind++) {
            struct seen seen = {.result = DIES};
            struct error e = ERROR_INIT;
            bool good = cage_run((enum cage_kind)kind, kind == CAGE_ROOT ? c->rootfd : -1,
                                 &c->rootfd, 1, limits, rows[i].deed, c, remember, &seen, &e);
            int wanted = limits && rows[i].deed == deed_thread ? 0 : rows[i].wanted[kind];
            if (wanted != CODE_ANY && (seen.result != wanted || good != (wanted != DIES)))
                fail_msg("%s in a cage of kind %s: %d (%s), wanted %d; %s", rows[i].name,
                         kinds[kind], seen.result, seen.text, wanted, e.message);
            if (wanted == DIES)
                assert_int_equal(e.code, ERR_CAGE);
        }
}

/* Nor more where threads were asked for, but for them. */
static void a_cage_allows_what_its_row_says_and_nothing_else(void **state)
{
    const struct cage_limits with_threads = {.threads = 2};
    struct deed_context c = deed_setup();
    go_through_the_rows(&c, NULL);
    go_through_the_rows(&c, &with_threads);
    struct stat st;
    assert_int_equal(fstatat(c.rootfd, "in", &st, 0), 0);
    assert_int_equal(st.st_size, 6);
    assert_int_not_equal(fstatat(c.rootfd, "new", &st, 0), 0);
    assert_int_not_equal(fstatat(c.rootfd, "new2", &st, 0), 0);
    deed_teardown(&c);
}

static void each_way_of_dying_is_told_apart(void **state)
{
    static const struct {
        const char *name;
        cage_child *deed;
        enum error_code code;
        const char *says;
    } deaths[] = {
        {"eats memory", deed_eat_memory, ERR_CAGE, "memory"},
        {"aborts", deed_abort, ERR_CAGE, "SIGABRT"},
        {"crashes", deed_crash, ERR_CAGE, "SIGSEGV"},
        {"spins", deed_spin, ERR_TIMEOUT, "processor time"},
        {"sleeps", deed_sleep, ERR_TIMEOUT, "no sign"},
        {"closes its pipe and stays", deed_close_pipe_and_stay, ERR_CAGE, "SIGKILL"},
        {"exits on its own", deed_exit, ERR_CAGE, "before its time"},
        {"sends too large a frame", deed_huge_frame, ERR_CAGE, "over the limit"},
        {"claims a giant frame", deed_claim_a_giant, ERR_CAGE, "over the limit"},
        {"cuts a frame", deed_cut_a_frame, ERR_CAGE, "before its time"},
        {"cuts a header", deed_cut_a_header, ERR_CAGE, "before its time"},
        {"says falsely that it was not caged", deed_fail_falsely, ERR_CAGE, "AAAA"},
    };
    struct cage_limits limits = {
        .memory_bytes = 64 << 20, .cpu_seconds = 1, .frame_bytes = 1 << 20};
    for (size_t i = 0; i < ARRAY_COUNT(deaths); i++) {
        struct seen seen = {0};
        struct error e = ERROR_INIT;
        /* On a busy machine a second of processor time takes many of the clock's. */
        limits.wall_ms = deaths[i].deed == deed_sleep ? 500 : 30000;
        bool good =
            cage_run(CAGE_BYTES, -1, NULL, 0, &limits, deaths[i].deed, NULL, remember, &seen, &e);
        if (good || e.code != deaths[i].code || !strstr(e.message, deaths[i].says))
            fail_msg("a child that %s: %d %s", deaths[i].name, (int)e.code, e.message);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* all reaped */
}

static void frames_of_all_sizes_arrive_in_order(void **state)
{
    struct seen seen = {0};
    struct error e = ERROR_INIT;
    assert_true(
        cage_run(CAGE_BYTES, -1, NULL, 0, NULL, deed_many_frames, NULL, remember, &seen, &e));
    assert_int_equal(seen.frames, 10000);
    assert_int_equal(seen.result, 10000);
}

static void a_frame_that_the_caller_refuses_ends_the_child(void **state)
{
    struct error e = ERROR_INIT;
    assert_false(cage_run(CAGE_BYTES, -1, NULL, 0, NULL, deed_sleep, NULL, refuse, NULL, &e));
    assert_string_equal(e.message, "refused");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_live_cage_sees_other_processes_but_follows_no_magic_link(void **state)
{
    struct deed_context c = {.rootfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    static const struct {
        cage_child *deed;
        int wanted;
    } deeds[] = {{deed_read_live, 0}, {deed_readlink_of_parent, 0}, {deed_magic_link, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(deeds); i++) {
        struct seen seen = {.result = DIES};
        struct error e = ERROR_INIT;
        bool good =
            cage_run(CAGE_LIVE, c.rootfd, NULL, 0, NULL, deeds[i].deed, &c, remember, &seen, &e);
        if (!good || seen.result != deeds[i].wanted)
            fail_msg("deed %zu: %d %s %s", i, seen.result, seen.text, e.message);
    }
    close(c.rootfd);
}

static void other_descriptors_are_closed(void **state)
{
    struct deed_context c = deed_setup();
    struct seen seen = {.result = DIES};
    struct error e = ERROR_INIT;
    /* rootfd is neither kept nor the cage's root: EBADF, told as a failure to open */
    assert_true(cage_run(CAGE_ROOT, -1, NULL, 0, NULL, deed_read_beneath, &c, remember, &seen, &e));
    assert_int_equal(seen.result, 1);
    deed_teardown(&c);
}

/* As a kernel without Landlock answers; for this process and its children, for good. */
static void take_landlock_away(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_COUNT(steps), steps};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(9);
}

static bool without_landlock(struct deed_context *c)
{
    struct seen seen = {.result = DIES};
    struct error e = ERROR_INIT;
    take_landlock_away();
    if (!strstr(cage_describe(), "without Landlock"))
        return false;
    if (!cage_run(CAGE_ROOT, c->rootfd, NULL, 0, NULL, deed_read_beneath, c, remember, &seen, &e) ||
        seen.result != 0)
        return false;
    if (!cage_run(CAGE_ROOT, c->rootfd, NULL, 0, NULL, deed_create_openat2, c, remember, &seen,
                  &e) ||
        seen.result != EACCES)
        return false;
    return cage_run(CAGE_ROOT, c->rootfd, NULL, 0, NULL, deed_memfd, c, remember, &seen, &e) &&
           seen.result == 0;
}

static void without_landlock_root_becomes_nobody_and_cannot_write(void **state)
{
    if (geteuid() != 0) {
        fprintf(stderr, "skipped: not root\n");
        skip();
    }
    struct deed_context c = deed_setup();
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/in", c.dir);
    chmod(c.dir, 0700); /* root's own: read by CAP_DAC_READ_SEARCH alone */
    chmod(str_text(&path), 0600);
    pid_t pid = fork();
    if (pid == 0)
        _exit(without_landlock(&c) ? 0 : 1);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    deed_teardown(&c);
}

static void a_cage_costs_less_than_a_few_milliseconds(void **state)
{
    enum { RUNS = 50 };
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < RUNS; i++) {
        struct seen seen = {0};
        assert_true(
            cage_run(CAGE_BYTES, -1, NULL, 0, NULL, deed_nothing, NULL, remember, &seen, NULL));
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double ms =
        ((double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
    print_message("a cage: %.3f ms (%s)\n", ms / RUNS, cage_describe());
    assert_true(ms / RUNS < 20); /* a busy machine; by itself it is far below 1 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cage_allows_what_its_row_says_and_nothing_else),
        cmocka_unit_test(each_way_of_dying_is_told_apart),
        cmocka_unit_test(frames_of_all_sizes_arrive_in_order),
        cmocka_unit_test(a_frame_that_the_caller_refuses_ends_the_child),
        cmocka_unit_test(a_live_cage_sees_other_processes_but_follows_no_magic_link),
        cmocka_unit_test(other_descriptors_are_closed),
        cmocka_unit_test(without_landlock_root_becomes_nobody_and_cannot_write),
        cmocka_unit_test(a_cage_costs_less_than_a_few_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

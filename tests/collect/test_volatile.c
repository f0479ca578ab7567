/* Reading the running host: also where a process does not want to be read. */
#include "tests/support.h"

#include "base/str.h"
#include "collect/rtnetlink.h"
#include "collect/utmp.h"
#include "collect/volatile.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

struct taken {
    struct str files; /* "NAME\n" each */
    struct str bytes; /* of all, one after the other */
    struct str unread;
};

static void free_taken(struct taken *t)
{
    str_free(&t->files);
    str_free(&t->bytes);
    str_free(&t->unread);
}

static bool on_file(void *context, const char *name, struct error *e)
{
    struct taken *t = context;
    str_printf(&t->files, "%s\n", name);
    return true;
}

static bool on_bytes(void *context, const void *bytes, size_t size, struct error *e)
{
    struct taken *t = context;
    str_add_bytes(&t->bytes, bytes, size);
    return true;
}

static void on_unread(void *context, const char *what, const char *why)
{
    struct taken *t = context;
    str_printf(&t->unread, "%s: %s\n", what, why);
}

static bool take(struct taken *t, enum volatile_part part)
{
    struct volatile_sink sink = {on_file, on_bytes, on_unread, t};
    struct error e = ERROR_INIT;
    return volatile_read(part, &sink, &e);
}

static bool lists(const struct taken *t, pid_t pid)
{
    char line[32];
    snprintf(line, sizeof line, "{\"pid\":%d,", (int)pid);
    return strstr(str_text(&t->bytes), line) != NULL;
}

/* ---- a file system that does not answer ------------------------------------------------------ */

/* FUSE by hand (linux/fuse.h): answers what opening and unlinking one file asks, and nothing after
 * that. */
static void serve(int fuse)
{
    char buffer[65536];
    for (bool silent = false;;) {
        ssize_t n = read(fuse, buffer, sizeof buffer);
        if (n < (ssize_t)sizeof(struct fuse_in_header))
            _exit(0);
        struct fuse_in_header in;
        memcpy(&in, buffer, sizeof in);
        if (silent || in.opcode == FUSE_FORGET || in.opcode == FUSE_GETATTR)
            continue;
        struct {
            struct fuse_out_header head;
            union {
                struct fuse_init_out init;
                struct fuse_entry_out entry;
                struct fuse_open_out open;
            };
        } out = {.head = {.unique = in.unique, .len = sizeof out.head}};
        if (in.opcode == FUSE_INIT) {
            out.init = (struct fuse_init_out){.major = 7, .minor = 31, .max_write = 4096};
            out.head.len += sizeof out.init;
        } else if (in.opcode == FUSE_LOOKUP) {
            out.entry = (struct fuse_entry_out){
                .nodeid = 2, .attr = {.ino = 2, .mode = S_IFREG | 0644, .nlink = 1, .size = 5}};
            out.head.len += sizeof out.entry;
        } else if (in.opcode == FUSE_OPEN) {
            out.head.len += sizeof out.open;
        } else if (in.opcode == FUSE_UNLINK) {
            silent = true;
        } else {
            out.head.error = -ENOSYS;
        }
        if (write(fuse, &out, out.head.len) < 0)
            _exit(1);
    }
}

static void a_file_system_that_does_not_answer_is_not_asked(void **state)
{
    CLEANUP(free_taken) struct taken t = {0};
    char options[64], file[128], line[64];
    char *dir = support_temp_dir();
    int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
             fuse);
    if (fuse < 0 || mount("test", dir, "fuse.test", MS_NOSUID, options) != 0) {
        support_remove_tree(dir);
        free(dir);
        print_message("FUSE is not there, or may not be mounted\n");
        skip();
    }
    pid_t server = fork();
    if (server == 0)
        serve(fuse);
    snprintf(file, sizeof file, "%s/gone", dir);
    int ends[2], fd = 0;
    assert_int_equal(pipe(ends), 0);
    close(fuse);
    pid_t holder = fork(); /* and not this process: who closes such a file waits as well */
    if (holder == 0) {
        fd = open(file, O_RDONLY | O_CLOEXEC);
        fd = fd >= 0 && unlink(file) == 0 ? fd : -1;
        if (write(ends[1], &fd, sizeof fd) != sizeof fd)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &fd, sizeof fd), sizeof fd);
    time_t before = time(NULL);
    bool good = take(&t, VOLATILE_REST);
    time_t after = time(NULL);
    kill(server, SIGKILL); /* whoever waits for it is let go */
    waitpid(server, NULL, 0);
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    umount2(dir, MNT_DETACH);
    rmdir(dir);
    free(dir);
    assert_true(fd >= 0 && good);
    snprintf(line, sizeof line, "{\"pid\":%d,\"fd\":%d,\"to\":", (int)holder, fd);
    const char *said = strstr(str_text(&t.bytes), line);
    assert_non_null(said);
    assert_non_null(strstr(said, "gone (deleted)\",\"deleted\":true,\"size\":5,"));
    assert_null(strstr(str_text(&t.unread), "open-files.jsonl"));
    assert_true(after - before < 10);
}

/* ---- a reader that hangs --------------------------------------------------------------------- */

/* A child of this process that is neither of these two; 0: none. */
static pid_t find_child(pid_t of, pid_t not, pid_t nor)
{
    char path[300], text[256];
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    for (const struct dirent *d; proc && !found && (d = readdir(proc));) {
        snprintf(path, sizeof path, "/proc/%s/stat", d->d_name);
        FILE *f = str_is_digit(d->d_name[0]) ? fopen(path, "r") : NULL;
        size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
        text[n] = '\0';
        if (f)
            fclose(f);
        const char *name = strrchr(text, ')');
        pid_t pid = (pid_t)atoi(d->d_name);
        int parent;
        if (name && sscanf(name + 1, " %*c %d", &parent) == 1 && parent == of &&
            pid != not &&pid != nor)
            found = pid;
    }
    if (proc)
        closedir(proc);
    return found;
}

/* Stops the first `cages` children of the test, each a while after it was made. */
static pid_t stop_cages(pid_t of, int cages, unsigned delay_us)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    pid_t last = 0, self = getpid();
    while (cages && getppid() == of) {
        pid_t child = find_child(of, self, last);
        if (!child)
            continue;
        usleep(delay_us);
        kill(child, SIGSTOP);
        last = child;
        cages--;
    }
    _exit(0);
}

/* Wherever it is when it hangs, once or for good: the rest is read, and what is not is stated. */
static void a_reader_that_hangs_is_replaced(void **state)
{
    static const struct {
        int cages;
        unsigned delay_us;
    } cases[] = {{1, 0}, {2, 0}, {4, 1000}, {2, 3000}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(free_taken) struct taken t = {0};
        time_t before = time(NULL);
        pid_t stopper = stop_cages(getpid(), cases[i].cages, cases[i].delay_us);
        bool good = take(&t, VOLATILE_FIRST);
        kill(stopper, SIGKILL);
        waitpid(stopper, NULL, 0);
        print_message("%ld s: %s", (long)(time(NULL) - before), str_text(&t.unread));
        assert_true(good);
        assert_true(time(NULL) - before < 15);
        assert_true(lists(&t, getpid()) || strstr(str_text(&t.unread), "processes.jsonl"));
    }
}

static void every_line_is_json(void **state)
{
    CLEANUP(free_taken) struct taken t = {0};
    assert_true(take(&t, VOLATILE_FIRST));
    size_t position = 0, length, count = 0;
    const char *line;
    while (str_next_line(t.bytes.data, t.bytes.length, &position, &line, &length)) {
        struct error e = ERROR_INIT;
        CLEANUP_JSON json_t *o = json_parse(line, length, "line", 1 << 20, 1 << 20, &e);
        assert_non_null(o);
        count++;
    }
    assert_true(count > 2);
    assert_int_equal(t.bytes.data[t.bytes.length - 1], '\n');
}

/* ---- utmp ----------------------------------------------------------------------------------- */

static void add_entry(void *context, const struct utmp_entry *entry)
{
    str_printf(context, "%s %s %s %s %s %lld;", entry->type, entry->user, entry->line, entry->host,
               entry->address, (long long)entry->seconds);
}

static void add_last(void *context, uint64_t uid, const struct utmp_entry *entry)
{
    str_printf(context, "%llu %s %s;", (unsigned long long)uid, entry->line, entry->host);
}

static void logins_are_read_though_their_fields_are_not_terminated(void **state)
{
    CLEANUP_STR struct str text = {0};
    struct utmp u[2] = {{.ut_type = USER_PROCESS, .ut_pid = 7}, {.ut_type = BOOT_TIME}};
    memset(u[0].ut_line, 'l', sizeof u[0].ut_line);
    memcpy(u[0].ut_user, "root", 4);
    memcpy(u[0].ut_host, "attacker.example", 16);
    u[0].ut_addr_v6[0] = (int32_t)htonl(0xc6336407);
    u[0].ut_tv.tv_sec = 1006905600;
    assert_int_equal(utmp_parse(u, sizeof u + 0, add_entry, &text), 0);
    assert_string_equal(str_text(&text),
                        "login root llllllllllllllllllllllllllllllll attacker.example "
                        "198.51.100.7 1006905600;boot     0;");
    str_clear(&text);
    assert_int_equal(utmp_parse(u, sizeof u - 1, add_entry, &text), sizeof *u - 1);

    struct lastlog l[3] = {{0}, {.ll_time = 5, .ll_line = "pts/1", .ll_host = "h"}, {0}};
    str_clear(&text);
    utmp_parse_last(l, sizeof l, 1000, add_last, &text);
    assert_string_equal(str_text(&text), "1001 pts/1 h;");
}

/* ---- rtnetlink ------------------------------------------------------------------------------ */

static void add_object(void *context, json_t *object)
{
    json_add_line(context, object);
    json_decref(object);
}

static void a_route_is_read_and_one_cut_short_is_an_error(void **state)
{
    CLEANUP_STR struct str text = {0};
    struct {
        struct nlmsghdr head;
        struct rtmsg route;
        struct rtattr attribute;
        uint8_t gateway[4];
        struct nlmsghdr done;
        uint32_t zero;
    } m = {.head = {.nlmsg_len = 36, .nlmsg_type = RTM_NEWROUTE},
           .route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST},
           .attribute = {.rta_len = 8, .rta_type = RTA_GATEWAY},
           .gateway = {192, 0, 2, 1},
           .done = {.nlmsg_len = 20, .nlmsg_type = NLMSG_DONE}};
    struct error e = ERROR_INIT;
    bool done = false;
    assert_true(rtnetlink_parse(&m, sizeof m, add_object, &text, &done, &e));
    assert_true(done);
    assert_string_equal(str_text(&text),
                        "{\"kind\":\"route\",\"family\":\"ipv4\",\"to\":\"default\",\"via\":"
                        "\"192.0.2.1\",\"table\":254,\"protocol\":0,\"type\":\"unicast\"}");
    m.head.nlmsg_len = 20; /* no room for the structure */
    assert_false(rtnetlink_parse(&m, sizeof m, add_object, &text, &done, &e));
    assert_int_equal(e.code, ERR_FORMAT);
    m.head.nlmsg_len = 400;
    assert_false(rtnetlink_parse(&m, sizeof m, add_object, &text, &done, &e));
}

/* Goes on as the first process of a namespace, where that can be had: what is read is all that
 * runs, and on this machine another test may be holding two million files. */
static void be_alone(void)
{
    enum { NOT_TO_BE_HAD = 99 };
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        pid_t first = unshare(CLONE_NEWPID | CLONE_NEWNS) == 0 ? fork() : -1;
        if (first == 0) {
            if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
                return;
            _exit(NOT_TO_BE_HAD);
        }
        if (first < 0)
            _exit(NOT_TO_BE_HAD);
        waitpid(first, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
    assert_true(child > 0);
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != NOT_TO_BE_HAD)
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int main(void)
{
    be_alone();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_json),
        cmocka_unit_test(a_file_system_that_does_not_answer_is_not_asked),
        cmocka_unit_test(a_reader_that_hangs_is_replaced),
        cmocka_unit_test(logins_are_read_though_their_fields_are_not_terminated),
        cmocka_unit_test(a_route_is_read_and_one_cut_short_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Listening sockets and processes, from tables of the kernel and a made-up /proc. */
#include "base/str.h"
#include "collect/proc.h"
#include "collect/sock_diag.h"
#include "tests/collect/linux_harness.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
    struct sock_diag_socket last;
    size_t count;
};

static void see(void *context, const struct sock_diag_socket *s)
{
    struct seen *seen = context;
    seen->last = *s;
    seen->count++;
}

/* One answer as the kernel gives it: header, inet_diag_msg, INET_DIAG_SKV6ONLY. */
static size_t answer(uint8_t *out, uint8_t family, uint16_t port, int v6only)
{
    struct nlmsghdr head = {.nlmsg_type = SOCK_DIAG_BY_FAMILY};
    struct inet_diag_msg m = {.idiag_family = family,
                              .idiag_state = SOCK_DIAG_LISTEN,
                              .idiag_uid = 33,
                              .idiag_inode = 4711};
    struct nlattr a = {.nla_len = sizeof a + 1, .nla_type = INET_DIAG_SKV6ONLY};
    size_t n = sizeof head;
    m.id.idiag_sport = htons(port);
    memcpy(out + n, &m, sizeof m);
    n += sizeof m;
    if (v6only >= 0) {
        memset(out + n, 0, 8);
        memcpy(out + n, &a, sizeof a);
        out[n + sizeof a] = (uint8_t)v6only;
        n += 8;
    }
    head.nlmsg_len = (uint32_t)n;
    memcpy(out, &head, sizeof head);
    return n;
}

static void answers_of_the_kernel_are_read_and_cut_ones_refused(void **state)
{
    uint8_t bytes[1024];
    struct seen seen = {0};
    bool done = false;
    struct error e = ERROR_INIT;
    size_t n = answer(bytes, AF_INET6, 443, 1);
    n += answer(bytes + n, AF_INET, 80, -1);
    struct nlmsghdr end = {.nlmsg_len = sizeof end, .nlmsg_type = NLMSG_DONE};
    assert_true(sock_diag_parse(bytes, n, false, see, &seen, &done, &e));
    assert_int_equal(seen.count, 2);
    assert_false(done);
    assert_int_equal(seen.last.port, 80);
    assert_int_equal(seen.last.inode, 4711);
    assert_int_equal(seen.last.v6only, -1);
    size_t first = answer(bytes, AF_INET6, 443, 1);
    assert_true(sock_diag_parse(bytes, first, false, see, &seen, &done, &e));
    assert_int_equal(seen.last.v6only, 1);
    memcpy(bytes + first, &end, sizeof end);
    assert_true(sock_diag_parse(bytes, first + sizeof end, false, see, &seen, &done, &e));
    assert_true(done);
    for (size_t cut = sizeof end; cut < first; cut++)
        assert_false(sock_diag_parse(bytes, cut, false, see, &seen, &done, &e));
    end.nlmsg_type = NLMSG_ERROR;
    end.nlmsg_len = sizeof end + 4;
    int32_t number = -2;
    memcpy(bytes, &end, sizeof end);
    memcpy(bytes + sizeof end, &number, 4);
    assert_false(sock_diag_parse(bytes, sizeof end + 4, false, see, &seen, &done, &e));
    assert_int_equal(e.sys_errno, 2);
}

static void the_kernel_itself_tells_our_own_socket(void **state)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    int own = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct seen seen = {0};
    struct error e = ERROR_INIT;
    assert_int_equal(bind(own, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(own, 1), 0);
    if (fd < 0 || !sock_diag_dump(fd, false, false, 1u << SOCK_DIAG_LISTEN, see, &seen, &e)) {
        fprintf(stderr, "skipped: this kernel does not tell its sockets: %s\n", e.message);
        close(own);
        skip();
    }
    assert_true(seen.count > 0);
    close(own);
    close(fd);
}

static const char tcp[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "1001 1 0 100 0 0 10 0\n"
    "   1: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   106        0 "
    "1002 1 0 100 0 0 10 0\n"
    "   2: 0100007F:0050 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 "
    "1003 1 0 100 0 0 10 0\n";
static const char tcp6[] =
    "  sl  local_address                         remote_address                        st\n"
    "   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 1004 1 0 100 0 0 10 0\n"
    "   1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 1005 1 0 100 0 0 10 0\n";

static const char nginx_maps[] =
    "55d0-55d1 r-xp 00000000 fe:01 10 /usr/sbin/nginx\n"
    "7f00-7f01 r--p 00000000 fe:01 11 /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)\n"
    "7f01-7f02 r-xp 00000000 fe:01 11 /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)\n"
    "7f02-7f03 r-xp 00000000 fe:01 12 /usr/lib/x86_64-linux-gnu/libc.so.6\n"
    "7f03-7f04 rwxs 00000000 00:01 13 /dev/zero (deleted)\n"
    "7f04-7f05 r-xp 00000000 00:01 14 /memfd:jit (deleted)\n"
    "7ffc-7ffd r-xp 00000000 00:00 0 [vdso]\n";

/* nginx (100, worker 101) serves with a replaced libssl; mysqld (200) only on loopback, its own
 * program replaced; 300 is in a container; 400 maps only what comes and goes. */
static void make_host(struct linux_host *host)
{
    linux_begin(
        host,
        (struct linux_file[]){
            {"etc/passwd", "root:x:0:0:r:/root:/bin/sh\nwww-data:x:33:33::/:\n"},
            {"proc/net/tcp", tcp},
            {"proc/net/tcp6", tcp6},
            {"proc/net/udp", "sl\n"},
            {"proc/net/udp6", "sl\n"},
            {"proc/100/comm", "nginx\n"},
            {"proc/100/cgroup", "0::/system.slice/nginx.service\n"},
            {"proc/100/maps", nginx_maps},
            {"proc/101/comm", "nginx\n"},
            {"proc/101/cgroup", "0::/system.slice/nginx.service\n"},
            {"proc/101/maps", nginx_maps},
            {"proc/200/comm", "mysqld\n"},
            {"proc/200/cgroup", "0::/system.slice/mysql.service\n"},
            {"proc/200/maps", "7f01-7f02 r-xp 00000000 fe:01 11 /usr/sbin/mysqld (deleted)\n"},
            {"proc/300/comm", "app\n"},
            {"proc/300/cgroup", "0::/system.slice/docker-ab12.scope\n"},
            {"proc/300/maps", "7f01-7f02 r-xp 00000000 fe:01 11 /usr/lib/x.so (deleted)\n"},
            {"proc/400/comm", "java\n"},
            {"proc/400/cgroup", "0::/\n"},
            {"proc/400/maps", "7f01-7f02 r-xp 00000000 fe:01 11 /tmp/jit x.so (deleted)\n"
                              "7f01-7f02 r-xp 00000000 fe:01 11 /usr/local/lib/own.so (deleted)\n"},
            {"proc/self/x", ""},
            {"var/lib/dpkg/info/nginx.list", "/.\n/usr/sbin\n/usr/sbin/nginx\n"},
            {"var/lib/dpkg/info/libssl3:amd64.list", "/usr/lib/x86_64-linux-gnu/libssl.so.3\n"},
            {"var/lib/dpkg/info/libc6:amd64.list", "/lib/x86_64-linux-gnu/libc.so.6\n"},
            {"var/lib/dpkg/info/nginx.md5sums", "/usr/sbin/mysqld\n"},
            {NULL, NULL}});
    linux_link(host, "proc/100/exe", "/usr/sbin/nginx");
    linux_link(host, "proc/101/exe", "/usr/sbin/nginx");
    linux_link(host, "proc/200/exe", "/usr/sbin/mysqld (deleted)");
    linux_link(host, "proc/300/exe", "/app");
    linux_link(host, "proc/400/exe", "/opt/java");
    linux_link(host, "proc/101/fd/6", "socket:[1001]");
    linux_link(host, "proc/100/fd/6", "socket:[1001]");
    linux_link(host, "proc/100/fd/7", "socket:[1004]");
    linux_link(host, "proc/200/fd/10", "socket:[1002]");
    linux_link(host, "proc/300/fd/3", "pipe:[1005]");
}

static collect_source_function *const sources[] = {collect_listeners, collect_processes, NULL};

static const char *listener(const struct linux_host *host, const char *port, const char *key)
{
    return harness_value(harness_find(&host->h, "listener", "port", port), key);
}

static const char *process(const struct linux_host *host, const char *pid, const char *key)
{
    return harness_value(harness_find(&host->h, "process", "pid", pid), key);
}

static void check(const struct linux_host *host)
{
    static const struct {
        const char *port, *key, *value;
    } listeners[] = {{"80", "address", "*"},
                     {"80", "scope", "any"},
                     {"80", "family", "ipv4"},
                     {"80", "pid", "100"},
                     {"80", "package", "nginx"},
                     {"80", "service", "nginx.service"},
                     {"80", "user", "root"},
                     {"3306", "scope", "loopback"},
                     {"3306", "process", "mysqld"},
                     {"3306", "executable", "/usr/sbin/mysqld"},
                     {"443", "family", "ipv6"},
                     {"443", "address", "*"},
                     {"8080", "address", "127.0.0.1"},
                     {"8080", "family", "ipv4"},
                     {"8080", "process", "<unreadable>"}};
    static const struct {
        const char *pid, *key, *value;
    } processes[] = {{"100", "serves", "yes"},
                     {"100", "restart_needed", "yes"},
                     {"100", "replaced", "/usr/lib/x86_64-linux-gnu/libssl.so.3"},
                     {"100", "replaced_packages", "libssl3"},
                     {"100", "packages", "nginx libssl3 libc6"},
                     {"101", "restart_needed", "yes"},
                     {"200", "serves", "no"},
                     {"200", "restart_needed", "yes"},
                     {"200", "replaced", "/usr/sbin/mysqld"},
                     {"200", "replaced_packages", ""},
                     {"300", "pid", "<none>"},
                     {"400", "pid", "<none>"}};
    assert_int_equal(linux_count(host, "listener"), 4);
    for (size_t i = 0; i < ARRAY_COUNT(listeners); i++)
        assert_string_equal(listener(host, listeners[i].port, listeners[i].key),
                            listeners[i].value);
    for (size_t i = 0; i < ARRAY_COUNT(processes); i++)
        assert_string_equal(process(host, processes[i].pid, processes[i].key), processes[i].value);
    assert_int_equal(linux_count(host, "unread"), 0);
}

static void listeners_and_restarts_are_found(void **state)
{
    struct linux_host host;
    make_host(&host);
    linux_run(&host, sources);
    check(&host);
    linux_end(&host);
}

static void the_cache_of_owners_gives_the_same_answer(void **state)
{
    struct linux_host host;
    struct memory_cache cache;
    memory_cache_begin(&cache);
    make_host(&host);
    host.cache = &cache.cache;
    linux_run(&host, sources);
    check(&host);
    size_t puts = cache.puts;
    linux_run(&host, sources);
    check(&host);
    assert_int_equal(cache.puts, puts);      /* nothing new was asked, "no package" included */
    for (size_t i = 0; i < cache.count; i++) /* cut in the middle of an answer */
        cache.items[i].size -= 3;
    linux_run(&host, sources);
    check(&host);
    linux_end(&host);
    memory_cache_end(&cache);
}

static void one_search_answers_for_listeners_and_their_processes(void **state)
{
    struct linux_host host;
    struct memory_cache cache;
    memory_cache_begin(&cache);
    make_host(&host);
    linux_write(&host, "proc/400/maps", "", 0); /* it does not listen, but has to be restarted */
    host.cache = &cache.cache;
    linux_run(&host, sources);
    check(&host);
    assert_int_equal(cache.puts, 1);
    linux_end(&host);
    memory_cache_end(&cache);
}

static void long_lists_are_searched_to_their_end(void **state)
{
    struct linux_host host;
    CLEANUP_STR struct str list = {0};
    make_host(&host);
    for (int i = 0; i < 8000; i++)
        str_printf(&list, "/usr/share/%06d/%.*s\n", i, i % 40,
                   "a name as long as any other, and longer");
    for (int i = 0; i < 200000; i++) /* longer than any path, and than what is read at a time */
        str_add_char(&list, 'x');
    str_add(&list, "\n/lib/x86_64-linux-gnu/libc.so.6"); /* and no end of the line */
    linux_write(&host, "var/lib/dpkg/info/libc6:amd64.list", list.data, list.length);
    linux_run(&host, sources);
    check(&host);
    linux_end(&host);
}

static void a_root_without_proc_is_said(void **state)
{
    struct linux_host host;
    linux_begin(&host, (struct linux_file[]){{"etc/passwd", ""}, {NULL, NULL}});
    linux_run(&host, sources);
    assert_int_equal(linux_count(&host, "listener"), 0);
    assert_non_null(harness_find(&host.h, "unread", "what", "listening sockets"));
    assert_non_null(harness_find(&host.h, "unread", "what", "running processes"));
    linux_end(&host);
}

static void units_and_containers_are_told_by_their_cgroup(void **state)
{
    static const struct {
        const char *text, *unit;
        bool container;
    } rows[] = {
        {"0::/system.slice/ssh.service\n", "ssh.service", false},
        {"0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n", "x.service", false},
        {"0::/user.slice/user-0.slice/session-1.scope\n", "", false},
        {"0::/system.slice/docker.service\n", "docker.service", false},
        {"0::/system.slice/docker-0123.scope\n", "", true},
        {"12:pids:/docker/0123\n1:name=systemd:/docker/0123\n", "", true},
        {"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-2.scope\n", "", true},
        {"0::/machine.slice/libpod-ab.scope/container\n", "", true},
        {"nonsense\n", "", false},
        {"0::/user.slice/a;reboot;.service\n", "", false},
        {"0::/system.slice/getty@tty1.service/$(id).service\n", "getty@tty1.service", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP_ARENA struct arena *arena = arena_new();
        const char *unit;
        bool container;
        proc_parse_cgroup(rows[i].text, arena, &unit, &container);
        assert_string_equal(unit, rows[i].unit);
        assert_int_equal(container, rows[i].container);
    }
}

static void the_line_of_a_process_is_read_whatever_its_name_holds(void **state)
{
    static const char rest[] =
        " S 7 8 9 34816 10 4194304 1 2 3 4 5 6 7 8 20 0 11 0 123456789 1 2\n";
    static const char *const names[] = {"sh", "a) R 1 (b", "", "Web Content"};
    static const char *const bad[] = {
        "", "1", "1 (sh", "1 sh) S 1 2", ")(", "1 (sh) S 7 8 9 34816"};
    struct proc_stat s, other;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char text[200];
        snprintf(text, sizeof text, "6 (%s)%s", names[i], rest);
        assert_true(proc_parse_stat(text, &s));
        assert_string_equal(s.name, names[i]);
        assert_true(s.state == 'S' && s.parent == 7 && s.group == 8 && s.session == 9);
        assert_true(s.terminal == 34816 && s.threads == 11 && s.start_ticks == 123456789);
        assert_false(proc_is_over(&s));
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(proc_parse_stat(bad[i], &s));
    assert_true(proc_read_stat((uint32_t)getpid(), &s) && s.parent == getppid());
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    siginfo_t how;
    assert_int_equal(waitid(P_PID, (id_t)child, &how, WEXITED | WNOWAIT), 0);
    assert_true(proc_read_stat((uint32_t)child, &other) && proc_is_over(&other));
    assert_true(other.parent == getpid() && other.start_ticks >= s.start_ticks);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(proc_read_stat((uint32_t)child, &other));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_the_kernel_are_read_and_cut_ones_refused),
        cmocka_unit_test(the_kernel_itself_tells_our_own_socket),
        cmocka_unit_test(listeners_and_restarts_are_found),
        cmocka_unit_test(the_cache_of_owners_gives_the_same_answer),
        cmocka_unit_test(one_search_answers_for_listeners_and_their_processes),
        cmocka_unit_test(long_lists_are_searched_to_their_end),
        cmocka_unit_test(a_root_without_proc_is_said),
        cmocka_unit_test(units_and_containers_are_told_by_their_cgroup),
        cmocka_unit_test(the_line_of_a_process_is_read_whatever_its_name_holds),
    };
    return cmocka_run_group_tests_name("collect/listeners", tests, NULL, NULL);
}

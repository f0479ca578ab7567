/* URLs of pages, and what is asked of a server that says anything but HTTP. */
#include "act/pages.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_url_is_taken_apart_or_refused(void **state)
{
    static const struct {
        const char *url, *host, *path;
        uint16_t port; /* 0: refused */
        bool tls;
    } rows[] = {
        {"http://www.example.com/", "www.example.com", "/", 80, false},
        {"https://www.example.com", "www.example.com", "/", 443, true},
        {"HTTPS://www.example.com:8443/a?b", "www.example.com", "/a?b", 8443, true},
        {"http://[::1]:8080/x", "[::1]", "/x", 8080, false},
        {"ftp://www.example.com/", NULL, NULL, 0, false},
        {"http:///x", NULL, NULL, 0, false},
        {"http://www.example.com:0/", NULL, NULL, 0, false},
        {"http://www.example.com:70000/", NULL, NULL, 0, false},
        {"http://www.example.com:80x/", NULL, NULL, 0, false},
        {"http://www.example.com/ HTTP/1.1", NULL, NULL, 0, false},
        {"http://www.example.com/\r\nX: y", NULL, NULL, 0, false},
        {"http://[::1", NULL, NULL, 0, false},
        {"www.example.com", NULL, NULL, 0, false},
        {"", NULL, NULL, 0, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct page_url u;
        struct error e = ERROR_INIT;
        if (!rows[i].port) {
            assert_false(pages_parse(&u, rows[i].url, &e));
            assert_int_equal(e.code, ERR_USAGE);
            continue;
        }
        assert_true(pages_parse(&u, rows[i].url, &e));
        assert_string_equal(u.host, rows[i].host);
        assert_string_equal(u.path, rows[i].path);
        assert_int_equal(u.port, rows[i].port);
        assert_int_equal(u.tls, rows[i].tls);
    }
}

/* A server that answers one request with these bytes; its port. */
static pid_t serve(const char *answer, uint16_t *port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &size), 0);
    *port = ntohs(any.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(20);
        char request[4096];
        int client = accept(fd, NULL, NULL);
        (void)!read(client, request, sizeof request);
        (void)!write(client, answer, strlen(answer));
        close(client);
        _exit(0);
    }
    close(fd);
    return pid;
}

static void the_status_is_what_the_first_line_says(void **state)
{
    static const struct {
        const char *answer;
        int status; /* 0: it is no answer */
    } rows[] = {{"HTTP/1.1 200 OK\r\n\r\n", 200}, {"HTTP/1.0 503 No\r\n\r\n", 503},
                {"HTTP/1.1 404\r\n\r\n", 404},    {"HTTP/1.1 20", 0},
                {"HTTP/1.1 999 Much\r\n\r\n", 0}, {"HTTP/2 200\r\n\r\n", 0},
                {"SSH-2.0-OpenSSH\r\n", 0},       {"", 0}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char url[64];
        uint16_t port;
        int status = 0;
        struct error e = ERROR_INIT;
        pid_t pid = serve(rows[i].answer, &port);
        snprintf(url, sizeof url, "http://shop.example:%u/", port);
        assert_int_equal(pages_ask(&status, url, &e), rows[i].status != 0);
        assert_int_equal(status, rows[i].status);
        assert_true(rows[i].status || e.message[0]);
        waitpid(pid, NULL, 0);
    }
}

static void what_speaks_no_tls_is_said(void **state)
{
    char url[64];
    uint16_t port;
    int status = 0;
    struct error e = ERROR_INIT;
    pid_t pid = serve("HTTP/1.1 400 Bad\r\n\r\n", &port);
    snprintf(url, sizeof url, "https://shop.example:%u/", port);
    assert_false(pages_ask(&status, url, &e));
    assert_non_null(strstr(e.message, "TLS"));
    waitpid(pid, NULL, 0);
    /* nobody listens there now */
    assert_false(pages_ask(&status, url, &e));
    assert_int_equal(e.code, ERR_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_taken_apart_or_refused),
        cmocka_unit_test(the_status_is_what_the_first_line_says),
        cmocka_unit_test(what_speaks_no_tls_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Where standard error is no terminal, a work of minutes still says that it goes on. */
#include "show/progress.h"
#include "tests/support.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { MOST_MS = 120000 };

static void a_pipe_gets_whole_lines(void **state)
{
    struct show s = {.out = stdout};
    struct walk_progress at = {.files = 7, .bytes = 3000000};
    char line[200] = "";
    int ends[2], kept = dup(2);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], 2), 2);
    struct progress *p = progress_start(&s, "looking", &at, 0, 0);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    int said = p ? poll(&ready, 1, MOST_MS) : 0;
    ssize_t n = said > 0 ? read(ends[0], line, sizeof line - 1) : 0;
    progress_end(p);
    dup2(kept, 2);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    close(ends[1]);
    assert_string_equal(line, "looking: 7 files, 3 MB \n");
    assert_int_equal(n, strlen(line));
    assert_int_equal(read(ends[0], line, sizeof line), 0); /* and nothing is wiped */
    close(ends[0]);
    close(kept);
}

static void with_json_nothing_is_said(void **state)
{
    struct show s = {.out = stdout, .json = true};
    struct walk_progress at = {0};
    assert_null(progress_start(&s, "looking", &at, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_gets_whole_lines),
        cmocka_unit_test(with_json_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

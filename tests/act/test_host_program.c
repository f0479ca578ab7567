/* A program of the host: what it gets, what it leaves, and how long it is waited for. */
#include "act/host_program.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool run_shell(const char *script, unsigned seconds, bool finishes, int *code,
                      struct str *output, struct error *e)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    static const char *const more[] = {"MORE=more", NULL};
    struct host_program p = {
        .argv = argv, .variables = more, .seconds = seconds, .finishes = finishes, .log = -1};
    return host_program_run(&p, code, output, e);
}

static void it_is_alone_with_what_it_is_given(void **state)
{
    CLEANUP_STR struct str output = {0};
    struct error e = ERROR_INIT;
    int code = -1;
    assert_int_equal(setenv("STRAY", "stray", 1), 0);
    int stray = open("/dev/null", O_RDONLY);
    assert_true(stray > 2);
    assert_true(run_shell("echo $LC_ALL $MORE $STRAY; cat; ls /proc/$$/fd; echo end >&2; exit 7",
                          20, false, &code, &output, &e));
    close(stray);
    assert_int_equal(code, 7);
    assert_string_equal(str_text(&output), "C.UTF-8 more\n0\n1\n2\nend\n");
    assert_true(run_shell("kill -TERM $$", 20, false, &code, NULL, &e));
    assert_int_equal(code, 128 + SIGTERM);
    const char *const none[] = {"yagura-no-such-program", NULL};
    struct host_program p = {.argv = none, .seconds = 20, .log = -1};
    assert_true(host_program_run(&p, &code, NULL, &e));
    assert_int_equal(code, HOST_PROGRAM_NOT_THERE);
}

/* One that takes too long is ended, with its children; one that has to finish goes on. */
static void what_takes_too_long_is_ended_or_goes_on(void **state)
{
    CLEANUP_FREE char *dir = support_temp_dir();
    CLEANUP_STR struct str script = {0}, path = {0};
    str_printf(&path, "%s/done", dir);
    str_printf(&script, "(sleep 2; echo done >%s) & wait", str_text(&path));
    for (unsigned finishes = 0; finishes < 2; finishes++) {
        struct error e = ERROR_INIT;
        int code;
        assert_false(run_shell(str_text(&script), 1, finishes, &code, NULL, &e));
        assert_int_equal(e.code, ERR_TIMEOUT);
        for (unsigned n = 0; n < (finishes ? 200 : 30) && access(str_text(&path), F_OK) != 0; n++)
            usleep(100000);
        assert_int_equal(access(str_text(&path), F_OK) == 0, finishes);
    }
    waitpid(-1, NULL, 0); /* the one that went on */
    support_remove_tree(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_alone_with_what_it_is_given),
        cmocka_unit_test(what_takes_too_long_is_ended_or_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

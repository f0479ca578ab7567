/* What a command changed, with all that it starts, is told from what another hand changed. */
#include "guard/by_command.h"
#include "tests/content/site_fixture.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Hundreds of processes that live as long as it takes to write a page: one thread follows the
 * forks while the other asks whose each event is. */
static void pages_of_its_children_are_its_own_and_anothers_are_not(void **state)
{
    enum { PAGES = 200 };
    if (geteuid() != 0) {
        fprintf(stderr, "skipped: only root may watch a file system\n");
        skip();
    }
    struct error e = ERROR_INIT;
    struct site_fixture f;
    site_make(&f);
    struct site site = {.row = f.row,
                        .rootfd = f.rootfd,
                        .policies = f.policies,
                        .aside = {.fd = -1},
                        .generation = f.generation};
    /* another hand, no child of ours; it ends by itself when nobody says so */
    site_sh(&f, "(n=0; while [ ! -e ../stop ] && [ $n -lt 3000 ]; do n=$((n+1));"
                "echo other >css/print/b.css; sleep 0.01; done) >/dev/null 2>&1 & :");
    char shell[] = "sh", option[] = "-c",
         script[] = "cd \"$0\" && i=0; while [ $i -lt 200 ]; do i=$((i+1));"
                    "(echo mine >css/$i) & [ $((i % 20)) != 0 ] || wait; done; wait";
    char *const command[] = {shell, option, script, f.root, NULL};
    struct by_command *b = NULL;
    int status = -1;
    if (!by_command_run(&b, &site, command, &status, &e))
        fail_msg("%s", e.message);
    site_sh(&f, ": >../stop");
    assert_int_equal(status, 0);
    assert_false(by_command_lost(b));
    for (int i = 1; i <= PAGES; i++) {
        char path[32];
        snprintf(path, sizeof path, "css/%d", i);
        if (!by_command_changed(b, path) || by_others_changed(b, path))
            fail_msg("%s is not the command's", path);
    }
    assert_true(by_others_changed(b, "css/print/b.css"));
    assert_false(by_command_changed(b, "css/print/b.css"));
    assert_false(by_command_changed(b, "index.html"));
    by_command_free(b);
    site_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_its_children_are_its_own_and_anothers_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

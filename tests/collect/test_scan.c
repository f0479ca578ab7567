/* The client's side of looking into files: answers of clamd, packets, and what is walked. */
#include "base/monotonic.h"
#include "collect/clamd_reply.h"
#include "collect/scan.h"
#include "collect/scan_running.h"
#include "collect/scan_walk.h"
#include "tests/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void answers_of_clamd_are_understood(void **state)
{
    static const struct {
        const char *answer;
        bool good;
        uint32_t number;
        int verdict;
        const char *name;
    } cases[] = {
        {"1: fd[9]: OK", true, 1, CLAMD_OK, ""},
        {"12: fd[9]: Win.Thing-7 FOUND", true, 12, CLAMD_FOUND, "Win.Thing-7"},
        {"3: fd[9]: lstat() failed: No such file. ERROR", true, 3, CLAMD_ERROR,
         "lstat() failed: No such file."},
        {"4: a: b: Name FOUND", true, 4, CLAMD_FOUND, "b: Name"},
        {"5: fd[9]: \033[2J FOUND", true, 5, CLAMD_FOUND, "\\x1b[2J"},
        {"6: No file descriptor received. ERROR", true, 6, CLAMD_ERROR,
         "No file descriptor received."},
        {"7: ERROR", false, 0, 0, ""},
        {"0: fd[9]: OK", false, 0, 0, ""},
        {"fd[9]: OK", false, 0, 0, ""},
        {"1: FOUND", false, 0, 0, ""},
        {"1: fd[9]: nothing", false, 0, 0, ""},
        {"99999999999: fd[9]: OK", false, 0, 0, ""},
        {"", false, 0, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct clamd_reply r;
        bool good = clamd_reply_parse(&r, cases[i].answer, strlen(cases[i].answer) + 1);
        if (good != cases[i].good)
            fail_msg("%s", cases[i].answer);
        if (!good)
            continue;
        assert_int_equal(r.number, cases[i].number);
        assert_int_equal(r.verdict, cases[i].verdict);
        assert_string_equal(r.name, cases[i].name);
    }
}

struct seen {
    size_t files, notes;
    char last[4096];
};

static void on_file(void *context, int fd, const char *path, const struct stat *st)
{
    struct seen *s = context;
    s->files++;
    snprintf(s->last, sizeof s->last, "%s", path);
    close(fd);
}

static void on_note(void *context, const char *path, const char *sentence)
{
    ((struct seen *)context)->notes++;
}

static void only_files_are_opened(void **state)
{
    char *dir = support_temp_dir();
    struct seen seen = {0};
    struct scan_walk w = {.file = on_file, .note = on_note, .context = &seen};
    support_write(dir, "root/a/b/file", "x", 1);
    support_write(dir, "root/.yagura-site/bad-1", "x", 1);
    support_write(dir, "root/left-out/y", "x", 1);
    support_write(dir, "outside/z", "x", 1);
    char path[512];
    snprintf(path, sizeof path, "%s/root", dir);
    int root = open(path, O_RDONLY | O_DIRECTORY);
    assert_int_equal(fchmodat(root, ".yagura-site", 0700, 0), 0);
    assert_int_equal(mkfifoat(root, "a/fifo", 0600), 0);
    assert_int_equal(symlinkat("loop", root, "a/loop"), 0);
    assert_int_equal(symlinkat("../../outside", root, "a/out"), 0);
    struct stat st;
    struct scan_folder left_out[2];
    static const char *const named[] = {"left-out", ".yagura-site"};
    for (size_t i = 0; i < ARRAY_COUNT(named); i++) {
        assert_int_equal(fstatat(root, named[i], &st, 0), 0);
        left_out[i] = (struct scan_folder){st.st_dev, st.st_ino};
    }
    w.left_out = left_out;
    w.left_out_count = 2;
    scan_walk_path(&w, root, "/");
    assert_int_equal(seen.files, 1);
    assert_string_equal(seen.last, "/a/b/file");
    assert_int_equal(w.links, 2);
    assert_int_equal(w.others, 1);
    assert_int_equal(w.aside, 2);
    assert_int_equal(seen.notes, 0);
    w.left_out_count = 1; /* ours by its name alone */
    scan_walk_path(&w, root, "/.yagura-site");
    assert_int_equal(seen.files, 2);
    assert_int_equal(w.aside, 2);
    seen.files = 1;
    static const char *const bad[] = {"/a/loop", "/a/fifo", "/a/out", "/nothing"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        scan_walk_path(&w, root, bad[i]);
    assert_int_equal(seen.files, 1);
    assert_int_equal(seen.notes, ARRAY_COUNT(bad));
    assert_true(w.absent);
    close(root);
    support_remove_tree(dir);
    free(dir);
}

static void folders_of_any_depth_end(void **state)
{
    char *dir = support_temp_dir();
    struct seen seen = {0};
    struct scan_walk w = {.file = on_file, .note = on_note, .context = &seen};
    int at = open(dir, O_RDONLY | O_DIRECTORY), root = at;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(mkdirat(at, "d", 0755), 0);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY);
        if (at != root)
            close(at);
        at = next;
    }
    close(at);
    scan_walk_path(&w, root, "/");
    assert_int_equal(seen.notes, 1); /* what lies too deep is said */
    close(root);
    support_remove_tree(dir);
    free(dir);
}

/* Its exec() is awaited. */
static pid_t start(const char *path)
{
    int pipes[2];
    char byte;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl(path, path, "600", NULL);
        _exit(127);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &byte, 1), 0); /* closed by exec() */
    close(pipes[0]);
    return pid;
}

struct nameless {
    struct stat st;
    char path[64];
    size_t found;
};

static void on_nameless(void *context, int fd, const char *path, const struct stat *st)
{
    struct nameless *n = context;
    if (st->st_ino == n->st.st_ino && st->st_dev == n->st.st_dev) {
        n->found++;
        snprintf(n->path, sizeof n->path, "%s", path);
    }
    close(fd);
}

static void a_program_without_a_name_is_found_by_its_bytes(void **state)
{
    char *dir = support_temp_dir(), path[4096], command[8192];
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    struct error e = ERROR_INIT;
    struct nameless n = {0};
    snprintf(path, sizeof path, "%s/bot", dir);
    snprintf(command, sizeof command, "cp \"$(command -v sleep)\" %s", path);
    assert_int_equal(system(command), 0);
    pid_t pid = start(path), again = start(path);
    assert_int_equal(stat(path, &n.st), 0);
    running_each_deleted(on_nameless, &n);
    assert_int_equal(n.found, 0); /* it has one yet */
    unlink(path);
    running_each_deleted(on_nameless, &n);
    assert_int_equal(n.found, 1); /* of two processes: once */
    assert_true(running_is_deleted_program(n.path));
    struct running_file file = {n.st.st_dev, n.st.st_ino, n.path, "yagura"};
    assert_true(running_find(facts, &file, 1, &e));
    size_t count = 0;
    for (const struct fact *f = NULL; (f = facts_next(facts, "running", f)); count++) {
        assert_string_equal(fact_text(f, "how"), "program");
        assert_string_equal(fact_text(f, "proof"), "yes");
        assert_string_equal(fact_text(f, "deleted"), "yes");
        assert_string_equal(fact_text(f, "program"), path);
        assert_true(atoi(fact_text(f, "pid")) == pid || atoi(fact_text(f, "pid")) == again);
    }
    assert_int_equal(count, 2);
    kill(pid, SIGKILL);
    kill(again, SIGKILL);
    waitpid(pid, NULL, 0);
    waitpid(again, NULL, 0);
    support_remove_tree(dir);
    free(dir);
}

/* Nobody waits longer than he was told: what is not through by then is named. */
static void what_takes_too_long_is_left_and_named(void **state)
{
    char *dir = support_temp_dir();
    struct seen seen = {0};
    struct scan_walk w = {.file = on_file, .note = on_note, .context = &seen};
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "a/b/%d", i);
        support_write(dir, name, "x", 1);
    }
    int root = open(dir, O_RDONLY | O_DIRECTORY);
    w.until_ms = monotonic_ms() - 1;
    scan_walk_path(&w, root, "/");
    assert_true(w.late);
    assert_int_equal(seen.files, 0);
    w.late = false;
    w.until_ms = monotonic_ms() + 600000;
    scan_walk_path(&w, root, "/");
    assert_false(w.late);
    assert_int_equal(seen.files, 20);
    close(root);
    support_remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_clamd_are_understood),
        cmocka_unit_test(only_files_are_opened),
        cmocka_unit_test(what_takes_too_long_is_left_and_named),
        cmocka_unit_test(folders_of_any_depth_end),
        cmocka_unit_test(a_program_without_a_name_is_found_by_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

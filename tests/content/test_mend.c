/* Every way of changing a page is undone, exactly, without following the attacker. */
#include "base/file.h"
#include "base/str.h"
#include "tests/content/site_fixture.h"
#include "tests/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct deed {
    const char *line; /* of sh, in the document root */
    const char *path; /* what an event would name; NULL: only a sweep finds it */
};

static const struct deed deeds[] = {
    {"echo defaced >index.html", "index.html"},
    {"echo more >>index.html", "index.html"},
    {": >index.html", "index.html"},
    {"printf '<h1>HOSHI</h1>\\n' >index.html", "index.html"},
    {"echo x >n && mv n index.html", "index.html"},
    {"rm index.html", "index.html"},
    {"rm -r css", "css"},
    {"rm -r css", "css/print/b.css"},
    {"mkdir -p new/deep && echo x >new/deep/shell.php", "new"},
    {"mkdir -p new/deep && echo x >new/deep/shell.php", "new/deep/shell.php"},
    {"rm index.html && ln -s ../victim index.html", "index.html"},
    {"mv css css.old && ln -s ../ css", "css/a.css"},
    {"mv css t && mv img css && mv t img", NULL},
    {"ln -f ../victim index.html", "index.html"},
    {"chmod 777 index.html", "index.html"},
    {"chmod 4755 css/a.css", "css/a.css"},
    {"chmod 777 css", "css"},
    {"setfattr -n user.evil -v 1 css/a.css", "css/a.css"},
    {"setfattr -x user.note index.html", "index.html"},
    {"echo defaced >index.html; touch -d '2001-05-04 12:00:00.123456789 UTC' index.html",
     "index.html"},
    {"touch index.html", "index.html"},
    {"rm -r void && echo file >void", "void"},
    {"rm empty && mkdir empty && echo x >empty/x", "empty"},
    {"rm style && ln -s /etc/passwd style", "style"},
    {"rm style && echo x >style", "style"},
    {"touch -h style", "style"},
    {"rm index.html && mkfifo index.html", "index.html"},
    {"echo x >logs/day.log", "logs/day.log"},
    {"echo '<?php system($_GET[0]);' >uploads/cat.jpg", "uploads/cat.jpg"},
    {"echo x >uploads/shell.php.jpg", "uploads/shell.php.jpg"},
    {"ln -s ../../victim uploads/v", "uploads/v"},
    {"echo x >'new\nline'", "new\nline"},
    {"echo x >\"$(printf '\\377\\376')\"", "\377\376"},
    {"echo x >.htaccess", ".htaccess"},
    {"chmod 700 .", ""},
    {"truncate -s 3G index.html", "index.html"},
};

/* Too long for fail_msg(). */
static void fail_deed(const char *line, bool sweep, enum mend_result r, const char *before,
                      const char *after)
{
    print_error("%s (%s): result %d\n", line, sweep ? "sweep" : "path", r);
    print_error("--- published\n");
    print_error("%s", before);
    print_error("--- now\n");
    print_error("%s", after);
    fail();
}

static void by_the_path_and_by_sweeping(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(deeds) * 2; i++) {
        const struct deed *deed = &deeds[i / 2];
        bool sweep = i % 2;
        if (!sweep && !deed->path)
            continue;
        struct site_fixture f;
        site_make(&f);
        CLEANUP_FREE char *before = site_describe(f.root);
        site_sh(&f, deed->line);
        enum mend_result r =
            sweep ? mend_tree(&f.mender, "", 2, false) : mend_path(&f.mender, deed->path);
        if (!sweep) { /* two names are concerned: events come for both */
            mend_path(&f.mender, "css.old");
            mend_path(&f.mender, "n");
        }
        CLEANUP_FREE char *after = site_describe(f.root);
        if (r != MEND_DONE || f.failed || strcmp(before, after) != 0)
            fail_deed(deed->line, sweep, r, before, after);
        char path[300];
        struct stat st;
        snprintf(path, sizeof path, "%s/victim", f.dir);
        CLEANUP_FREE char *text = NULL;
        size_t size;
        assert_true(file_read(&text, &size, path, 100, NULL));
        assert_string_equal(text, "do not touch\n");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_nlink, 1 + (strncmp(deed->line, "ln -f", 5) == 0));
        site_remove(&f);
    }
}

static void what_policy_allows_stays(void **state)
{
    struct site_fixture f;
    site_make(&f);
    site_sh(&f, "echo second >>logs/day.log; echo dog >uploads/dog.jpg; mkdir -p uploads/2001/05;"
                "echo x >uploads/2001/05/x.png; mkdir cache notes; echo x >cache/1.php;"
                "echo x >notes/n");
    CLEANUP_FREE char *before = site_describe(f.root);
    mend_tree(&f.mender, "", 2, false);
    /* of a folder that was never published only what is beneath it is free */
    site_sh(&f, "test -f cache/1.php && grep -q second logs/day.log && test -f uploads/dog.jpg "
                "&& test -f uploads/2001/05/x.png && test -f notes/n");
    assert_int_equal(f.failed, 0);
    assert_int_equal(f.undone, 0);
    site_remove(&f);
}

static void the_evidence_is_what_was_there(void **state)
{
    struct site_fixture f;
    site_make(&f);
    site_sh(&f, "echo defaced >index.html; chmod 666 index.html");
    assert_int_equal(mend_path(&f.mender, "index.html"), MEND_DONE);
    char path[400];
    struct stat st;
    snprintf(path, sizeof path, "%s/.yagura-www/%s", f.dir, f.last_evidence);
    CLEANUP_FREE char *text = NULL;
    size_t size;
    assert_true(file_read(&text, &size, path, 100, NULL));
    assert_string_equal(text, "defaced\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
    snprintf(path, sizeof path, "%s/.yagura-www", f.dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    site_remove(&f);
}

/* A folder that is swapped for a link to a victim, back and forth, while it is mended. */
struct swapper {
    char dir[300];
    atomic_bool stop;
    atomic_size_t swaps;
};

static void *swap(void *context)
{
    struct swapper *s = context;
    int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (!atomic_load(&s->stop)) {
        /* whichever of the two is there */
        if (renameat2(fd, "www/css", fd, "trap", RENAME_EXCHANGE) == 0)
            atomic_fetch_add(&s->swaps, 1);
        else if (symlinkat("elsewhere", fd, "trap") != 0)
            sched_yield();
    }
    close(fd);
    return NULL;
}

static void a_race_with_a_link_never_leads_out(void **state)
{
    struct site_fixture f;
    site_make(&f);
    support_write(f.dir, "elsewhere/a.css", "theirs\n", 7);
    struct swapper s = {0};
    snprintf(s.dir, sizeof s.dir, "%s", f.dir);
    char line[700];
    snprintf(line, sizeof line, "ln -s elsewhere ../trap");
    site_sh(&f, line);
    snprintf(line, sizeof line, "%s/elsewhere", f.dir);
    CLEANUP_FREE char *victim_before = site_describe(line);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
    f.mender.event = NULL;
    for (int i = 0; i < 10000; i++)
        mend_path(&f.mender, "css/a.css");
    atomic_store(&s.stop, true);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&s.swaps) > 100);
    CLEANUP_FREE char *victim_after = site_describe(line);
    assert_string_equal(victim_before, victim_after);
    enum mend_result r = mend_tree(&f.mender, "", 1, false);
    assert_true(r == MEND_DONE || r == MEND_RIGHT);
    site_sh(&f, "test ! -L css && test -f css/a.css && grep -q 'body{}' css/a.css");
    site_remove(&f);
}

static void a_dry_run_changes_nothing(void **state)
{
    struct site_fixture f;
    site_make(&f);
    site_sh(&f, "echo x >index.html; rm -r css; echo x >new; chmod 777 img");
    CLEANUP_FREE char *before = site_describe(f.root);
    f.mender.dry_run = true;
    assert_int_equal(mend_tree(&f.mender, "", 2, false), MEND_DONE);
    CLEANUP_FREE char *after = site_describe(f.root);
    assert_string_equal(before, after);
    assert_true(f.undone >= 4);
    site_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_path_and_by_sweeping),
        cmocka_unit_test(what_policy_allows_stays),
        cmocka_unit_test(the_evidence_is_what_was_there),
        cmocka_unit_test(a_race_with_a_link_never_leads_out),
        cmocka_unit_test(a_dry_run_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

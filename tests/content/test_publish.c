/* The next generation is the old one with what was accepted, and nothing else. */
#include "base/str.h"
#include "content/publish.h"
#include "tests/content/site_fixture.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct differences *look(struct site_fixture *f, struct stat_index *index, bool quick)
{
    struct error e = ERROR_INIT;
    struct differences *found = NULL;
    struct verify_options o = {
        .policies = f->policies, .index = index, .quick = quick, .threads = 2};
    if (!verify(&found, f->rootfd, f->generation.manifest, &o, &e))
        fail_msg("%s", e.message);
    return found;
}

/* "kind path[ <from]", one a line. */
static char *said(const struct differences *found)
{
    struct str out = {0};
    str_add(&out, "");
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *d = &found->items[i];
        str_printf(&out, "%s%s %s", d->wrong ? "" : "(free) ", difference_kind_name(d->kind),
                   d->path);
        if (d->from)
            str_printf(&out, " <%s", d->from);
        for (unsigned w = 0; w < WHAT_COUNT; w++)
            if (d->what & 1u << w)
                str_printf(&out, " %s", difference_what_name((enum difference_what)(1u << w)));
        str_add_char(&out, '\n');
    }
    return out.data;
}

static void nothing_differs_at_first(void **state)
{
    struct site_fixture f;
    site_make(&f);
    CLEANUP(differences_cleanup) struct differences *found = look(&f, NULL, false);
    assert_int_equal(found->count, 0);
    site_remove(&f);
}

static void each_difference_is_told_as_what_it_is(void **state)
{
    struct site_fixture f;
    site_make(&f);
    site_sh(&f, "echo x >css/a.css; chmod 600 img/logo.png; rm empty; mkdir empty; rm -r css/print;"
                "mkdir sub; mv index.html sub/home.html; echo new >n; ln -sfn elsewhere style;"
                "echo more >>logs/day.log; echo pic >uploads/p.jpg;"
                "mkdir notes; echo x >notes/x");
    CLEANUP(differences_cleanup) struct differences *found = look(&f, NULL, false);
    CLEANUP_FREE char *text = said(found);
    assert_string_equal(text, "changed css/a.css content size mtime\n"
                              "removed css/print\n"
                              "removed css/print/b.css\n"
                              "type empty\n"
                              "changed img/logo.png mode\n"
                              "(free) changed logs/day.log content size mtime\n"
                              "added n\n"
                              "(free) added notes\n"
                              "(free) added notes/x\n"
                              "changed style mtime target\n"
                              "added sub\n"
                              "moved sub/home.html <index.html\n"
                              "(free) added uploads/p.jpg\n");
    site_remove(&f);
}

static bool take_all(void *context, const struct difference *d)
{
    return true;
}

static bool take_css(void *context, const struct difference *d)
{
    return strncmp(d->path, "css", 3) == 0;
}

static void publish(struct site_fixture *f, bool (*accept)(void *, const struct difference *))
{
    struct error e = ERROR_INIT;
    CLEANUP(differences_cleanup) struct differences *found = look(f, NULL, false);
    struct site site = {.row = f->row, .rootfd = f->rootfd, .generation = f->generation};
    CLEANUP_JSON json_t *entry = json_pack("{s:s}", "kind", "publish");
    size_t count;
    if (!publish_accept(f->state, f->objects, &site, found, accept, NULL, entry, &count, &e))
        fail_msg("%s", e.message);
    assert_true(count > 0);
    f->row = site.row;
    f->generation = site.generation;
    f->mender.manifest = site.generation.manifest;
}

static void all_that_is_accepted_is_published(void **state)
{
    struct site_fixture f;
    site_make(&f);
    site_sh(&f, "echo x >css/a.css; rm empty; mkdir empty; echo in >empty/in; rm -r css/print;"
                "mkdir sub; mv index.html sub/home.html; mkdir -p a/b/c; echo deep >a/b/c/d;"
                "ln -sfn elsewhere style; chmod 700 .");
    publish(&f, take_all);
    assert_int_equal(f.row.generation, 2);
    CLEANUP(differences_cleanup) struct differences *found = look(&f, NULL, false);
    CLEANUP_FREE char *text = said(found);
    assert_string_equal(text, "");
    /* and it can be put back from what was kept */
    CLEANUP_FREE char *before = site_describe(f.root);
    site_sh(&f, "rm -r -- [!u]*"); /* of uploads, what is missing is not wrong */
    mend_tree(&f.mender, "", 2, false);
    CLEANUP_FREE char *after = site_describe(f.root);
    if (strcmp(before, after) != 0) { /* too long for assert_string_equal() */
        print_error("--- published\n");
        print_error("%s", before);
        print_error("--- now\n");
        print_error("%s", after);
        fail();
    }
    site_remove(&f);
}

static void what_is_not_accepted_stays_wrong(void **state)
{
    struct site_fixture f;
    site_make(&f);
    site_sh(&f, "echo x >css/a.css; echo bad >index.html; mkdir new; echo shell >new/s.php");
    publish(&f, take_css);
    CLEANUP(differences_cleanup) struct differences *found = look(&f, NULL, false);
    CLEANUP_FREE char *text = said(found);
    assert_string_equal(text, "changed index.html content size mtime\nadded new\n"
                              "added new/s.php\n");
    site_remove(&f);
}

static void a_quick_look_finds_what_changed(void **state)
{
    struct site_fixture f;
    site_make(&f);
    struct stat_index *index = stat_index_new(f.generation.manifest, f.generation.sha256);
    site_sh(&f, "sleep 2.2");
    differences_free(look(&f, index, true)); /* learns */
    CLEANUP(differences_cleanup) struct differences *same = look(&f, index, true);
    assert_int_equal(same->count, 0);
    assert_int_equal(same->bytes, 0);
    site_sh(&f, "printf 'BODY{}\\n' >css/a.css; "
                "touch -d '2001-05-04 12:00:00.123456789 UTC' css/a.css");
    CLEANUP(differences_cleanup) struct differences *found = look(&f, index, true);
    CLEANUP_FREE char *text = said(found);
    assert_string_equal(text, "changed css/a.css content\n");
    stat_index_free(index);
    site_remove(&f);
}

/* Overwrites one byte of a file of the state. */
static void scribble(struct site_fixture *f, const char *name, off_t at)
{
    int fd = openat(state_dirfd(f->state), name, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "X", 1, at), 1);
    close(fd);
}

static void a_forged_or_old_manifest_is_refused(void **state)
{
    struct site_fixture f;
    site_make(&f);
    site_sh(&f, "echo second >index.html");
    publish(&f, take_all);
    struct generation g;
    struct error e = ERROR_INIT;
    assert_true(generation_open(&g, f.state, &f.row, 1, &e));
    generation_close(&g);
    char line[600];
    snprintf(line, sizeof line,
             "cd ../state/manifests/www && cp 2 save && cp 2.minisig save.minisig && cp 1 2 && "
             "cp 1.minisig 2.minisig");
    site_sh(&f, line);
    assert_false(generation_open(&g, f.state, &f.row, 0, &e));
    assert_int_equal(e.code, ERR_CORRUPT);
    site_sh(&f, "cd ../state/manifests/www && cp save 2 && cp save.minisig 2.minisig");
    assert_true(generation_open(&g, f.state, &f.row, 0, &e));
    generation_close(&g);
    scribble(&f, "manifests/www/2", 300);
    assert_false(generation_open(&g, f.state, &f.row, 0, &e));
    site_remove(&f);
}

static void minisign_itself_agrees(void **state)
{
    struct site_fixture f;
    site_make(&f);
    site_sh(&f, "cd ../state && minisign -V -q -p keys/baseline.pub -m manifests/www/1");
    site_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_differs_at_first),
        cmocka_unit_test(each_difference_is_told_as_what_it_is),
        cmocka_unit_test(all_that_is_accepted_is_published),
        cmocka_unit_test(what_is_not_accepted_stays_wrong),
        cmocka_unit_test(a_quick_look_finds_what_changed),
        cmocka_unit_test(a_forged_or_old_manifest_is_refused),
        cmocka_unit_test(minisign_itself_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

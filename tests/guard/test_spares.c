/* Copies kept ready: whole, complete, given away once, and never taken for evidence. */
#include "base/file.h"
#include "base/str.h"
#include "guard/spares.h"
#include "tests/content/site_fixture.h"
#include "tests/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 20, READY = 6 };

struct kept {
    struct site_fixture f;
    struct spares *spares;
    struct alive *alive;
    char evidence[ASIDE_NAME_SIZE];
    unsigned from_copies;
};

static void wait_until_ready(struct spares *s, uint64_t least)
{
    uint64_t ready, wanted;
    for (int i = 0; i < 2000; i++) {
        spares_count(s, &ready, &wanted);
        if (ready >= least && ready == wanted)
            return;
        usleep(10000);
    }
    fail_msg("%llu of %llu copies are ready", (unsigned long long)ready,
             (unsigned long long)wanted);
}

static void start(struct kept *k, uint64_t most_bytes)
{
    struct error e = ERROR_INIT;
    if (!spares_start(&k->spares, k->f.generation.manifest, k->f.policies, k->f.objects,
                      &k->f.aside, most_bytes, k->alive, &e))
        fail_msg("%s", e.message);
}

static bool take_ready(void *context, uint32_t index, struct mend_ready *out)
{
    struct kept *k = context;
    return spares_take(k->spares, index, out);
}

static void on_event(void *context, const struct mend_event *event)
{
    struct kept *k = context;
    if (event->error)
        fail_msg("%s: %s", event->path, event->error->message);
    snprintf(k->evidence, sizeof k->evidence, "%s", event->evidence);
    if (!event->lies_as[0])
        return;
    k->from_copies++;
    spares_note_evidence(k->spares, event->lies_as, event->evidence);
}

static void make(struct kept *k)
{
    *k = (struct kept){0};
    site_make(&k->f);
    k->f.mender.take_ready = take_ready;
    k->f.mender.event = on_event;
    k->f.mender.context = k;
}

static void end(struct kept *k)
{
    spares_stop(k->spares, true);
    site_remove(&k->f);
}

static bool is_there(const struct kept *k, const char *folder, const char *name)
{
    char path[4400];
    snprintf(path, sizeof path, "%s/%s/%s", k->f.aside.path, folder, name);
    return access(path, F_OK) == 0;
}

static unsigned count_in(const struct kept *k, const char *folder)
{
    char path[4400];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/%s", k->f.aside.path, folder);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));)
        count += entry->d_name[0] != '.';
    closedir(d);
    return count;
}

static void wait_for_evidence(const struct kept *k, const char *name, const char *content)
{
    char path[4400];
    snprintf(path, sizeof path, "%s/%s", k->f.aside.path, name);
    for (int i = 0; i < 2000 && access(path, F_OK) != 0; i++)
        usleep(10000);
    CLEANUP_FREE char *text = NULL;
    size_t size;
    struct error e = ERROR_INIT;
    if (!file_read(&text, &size, path, 1000, &e))
        fail_msg("%s", e.message);
    assert_string_equal(text, content);
}

static void a_copy_takes_the_place_of_a_bad_page_and_is_made_anew(void **state)
{
    struct kept k;
    make(&k);
    CLEANUP_FREE char *before = site_describe(k.f.root);
    start(&k, MOST_BYTES);
    for (unsigned round = 1; round <= 2; round++) {
        wait_until_ready(k.spares, READY);
        site_sh(&k.f, "echo defaced >index.html; chmod 666 index.html");
        assert_int_equal(mend_path(&k.f.mender, "index.html"), MEND_DONE);
        assert_int_equal(k.from_copies, round);
        CLEANUP_FREE char *after = site_describe(k.f.root);
        assert_string_equal(before, after);
        wait_for_evidence(&k, k.evidence, "defaced\n");
    }
    end(&k);
}

static void a_missing_page_takes_a_copy_and_leaves_no_evidence(void **state)
{
    struct kept k;
    make(&k);
    CLEANUP_FREE char *before = site_describe(k.f.root);
    start(&k, MOST_BYTES);
    wait_until_ready(k.spares, READY);
    unsigned copies = count_in(&k, "spare");
    site_sh(&k.f, "rm css/a.css");
    assert_int_equal(mend_path(&k.f.mender, "css/a.css"), MEND_DONE);
    assert_string_equal(k.evidence, "");
    assert_int_equal(count_in(&k, "spare"), copies - 1);
    CLEANUP_FREE char *after = site_describe(k.f.root);
    assert_string_equal(before, after);
    end(&k);
}

/* Changed in the folder of ours, by whoever could: never shown to a visitor. */
static void a_copy_that_somebody_changed_is_not_given(void **state)
{
    struct kept k;
    make(&k);
    CLEANUP_FREE char *before = site_describe(k.f.root);
    start(&k, MOST_BYTES);
    wait_until_ready(k.spares, READY);
    CLEANUP_STR struct str line = {0};
    str_printf(&line, "for f in '%s'/spare/*; do echo bad >\"$f\"; done", k.f.aside.path);
    site_sh(&k.f, line.data);
    site_sh(&k.f, "echo defaced >index.html");
    assert_int_equal(mend_path(&k.f.mender, "index.html"), MEND_DONE);
    assert_int_equal(k.from_copies, 0);
    CLEANUP_FREE char *after = site_describe(k.f.root);
    assert_string_equal(before, after);
    end(&k);
}

static void what_does_not_fit_or_is_not_put_back_has_no_copy(void **state)
{
    struct kept k;
    uint64_t ready, wanted;
    make(&k);
    start(&k, MOST_BYTES);
    spares_count(k.spares, &ready, &wanted);
    assert_int_equal(wanted, 6); /* all but the upload */
    spares_stop(k.spares, true);
    assert_false(is_there(&k, ".", "spare"));
    start(&k, 4096); /* the empty file takes nothing */
    spares_count(k.spares, &ready, &wanted);
    assert_int_equal(wanted, 2);
    wait_until_ready(k.spares, 2);
    site_sh(&k.f, "echo defaced >index.html; echo defaced >css/a.css");
    assert_int_equal(mend_path(&k.f.mender, "index.html"), MEND_DONE);
    assert_int_equal(k.from_copies, 1); /* the entry page comes first */
    assert_int_equal(mend_path(&k.f.mender, "css/a.css"), MEND_DONE);
    assert_int_equal(k.from_copies, 1);
    spares_stop(k.spares, true);
    site_sh(&k.f, "head -c 8000 /dev/zero >index.html");
    site_publish(&k.f);
    start(&k, 4096); /* one that is too large for it leaves the room to others */
    spares_count(k.spares, &ready, &wanted);
    assert_int_equal(wanted, 2);
    end(&k);
}

/* Or a guard that ends is taken for one that hangs. */
static void removing_the_copies_shows_life(void **state)
{
    struct kept k;
    struct error e = ERROR_INIT;
    make(&k);
    k.alive = alive_new(&e);
    assert_non_null(k.alive);
    start(&k, MOST_BYTES);
    wait_until_ready(k.spares, READY);
    uint64_t before = alive_sum(k.alive);
    spares_stop(k.spares, true);
    assert_true(alive_sum(k.alive) >= before + READY);
    assert_false(is_there(&k, ".", "spare"));
    site_remove(&k.f);
}

/* The entry page comes first, and its content is gone from the state. */
static void what_cannot_be_made_keeps_no_other_away(void **state)
{
    struct kept k;
    uint64_t ready = 0, wanted;
    make(&k);
    site_sh(&k.f, "h=$(sha256sum <index.html | cut -c-64) &&"
                  " rm ../state/objects/\"$(echo $h | cut -c-2)/$(echo $h | cut -c3-)\"*");
    start(&k, MOST_BYTES);
    for (int i = 0; i < 2000 && ready < READY - 1; i++) {
        usleep(10000);
        spares_count(k.spares, &ready, &wanted);
    }
    assert_int_equal(ready, READY - 1);
    assert_int_equal(wanted, READY); /* it is tried again */
    end(&k);
}

static void a_folder_that_was_deleted_is_told_and_its_copies_stay_wanted(void **state)
{
    struct kept k;
    uint64_t ready, wanted;
    make(&k);
    start(&k, MOST_BYTES);
    wait_until_ready(k.spares, READY);
    assert_false(spares_lost(k.spares));
    CLEANUP_STR struct str line = {0};
    str_printf(&line, "rm -r '%s/spare'; echo defaced >index.html", k.f.aside.path);
    site_sh(&k.f, line.data);
    assert_true(spares_lost(k.spares));
    assert_int_equal(mend_path(&k.f.mender, "index.html"), MEND_DONE);
    assert_int_equal(k.from_copies, 0);
    usleep(1500000); /* the thread has tried to make it anew */
    spares_count(k.spares, &ready, &wanted);
    assert_int_equal(ready, READY - 1);
    assert_int_equal(wanted, READY);
    end(&k);
}

/* The guard was killed between the exchange and giving the evidence its name. */
static void what_a_killed_guard_left_is_evidence_or_is_removed(void **state)
{
    struct kept k;
    struct mend_ready copy;
    make(&k);
    start(&k, MOST_BYTES);
    wait_until_ready(k.spares, READY);
    uint32_t index = manifest_child(k.f.generation.manifest, MANIFEST_ROOT, "index.html", 10);
    assert_true(spares_take(k.spares, index, &copy));
    assert_false(spares_take(k.spares, index, &copy)); /* once */
    site_sh(&k.f, "echo defaced >index.html");
    assert_int_equal(renameat2(k.f.rootfd, "index.html", copy.dirfd, copy.name, RENAME_EXCHANGE),
                     0);
    struct stat st;
    char reported[ASIDE_NAME_SIZE];
    assert_int_equal(fstatat(copy.dirfd, copy.name, &st, 0), 0);
    aside_bad_name_of(copy.number, st.st_ctim.tv_sec, reported);
    spares_stop(k.spares, false); /* copies stay, as after a kill */
    assert_true(is_there(&k, "spare", copy.name));
    start(&k, MOST_BYTES);
    wait_until_ready(k.spares, READY);
    wait_for_evidence(&k, reported, "defaced\n");
    uint64_t ready, wanted;
    spares_count(k.spares, &ready, &wanted);
    assert_int_equal(count_in(&k, "spare"), wanted);
    end(&k);
}

int main(void)
{
    if (geteuid() != 0) {
        printf("skipped: needs root\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_takes_the_place_of_a_bad_page_and_is_made_anew),
        cmocka_unit_test(a_missing_page_takes_a_copy_and_leaves_no_evidence),
        cmocka_unit_test(a_copy_that_somebody_changed_is_not_given),
        cmocka_unit_test(what_does_not_fit_or_is_not_put_back_has_no_copy),
        cmocka_unit_test(removing_the_copies_shows_life),
        cmocka_unit_test(what_cannot_be_made_keeps_no_other_away),
        cmocka_unit_test(a_folder_that_was_deleted_is_told_and_its_copies_stay_wanted),
        cmocka_unit_test(what_a_killed_guard_left_is_evidence_or_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is remembered between two audits. */
#include "base/mem.h"
#include "base/str.h"
#include "model/date.h"
#include "record/state.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

struct fixture {
    char *dir;
    struct state *state;
};

static int set_up(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct error e = ERROR_INIT;
    f->dir = support_temp_dir();
    if (!state_open(&f->state, f->dir, &e))
        fail_msg("%s", e.message);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    state_close(f->state);
    support_remove_tree(f->dir);
    free(f->dir);
    free(f);
    return 0;
}

static struct finding *one(struct findings *list, enum verdict verdict, const char *revision)
{
    struct finding *f = findings_add(list);
    f->id = "0123456789abcdef";
    f->rule_id = "MS01-023";
    f->subject_name = "IIS 5.0";
    f->verdict = verdict;
    f->revision = revision;
    return f;
}

static struct finding merge(struct state *s, enum verdict verdict, const char *revision,
                            int64_t now)
{
    CLEANUP(findings_cleanup) struct findings *list = findings_new();
    struct finding *f = one(list, verdict, revision);
    struct error e = ERROR_INIT;
    if (!state_merge_findings(s, "host", list, false, now, &e))
        fail_msg("%s", e.message);
    return *f;
}

static void a_finding_keeps_its_first_day_and_gets_its_last(void **state)
{
    struct state *s = ((struct fixture *)*state)->state;
    struct finding f = merge(s, VERDICT_AFFECTED, "1", 1000);
    assert_int_equal(f.first_seen, 1000);
    f = merge(s, VERDICT_AFFECTED, "1", 2000);
    assert_int_equal(f.first_seen, 1000);
    assert_int_equal(f.last_seen, 2000);
    assert_false(f.revised);
    assert_true(f.fixed_at == DATE_NONE);
}

static void what_was_open_and_is_fixed_gets_its_day(void **state)
{
    struct state *s = ((struct fixture *)*state)->state;
    merge(s, VERDICT_AFFECTED, "1", 1000);
    struct finding f = merge(s, VERDICT_FIXED, "1", 2000);
    assert_int_equal(f.fixed_at, 2000);
    f = merge(s, VERDICT_FIXED, "1", 3000);
    assert_int_equal(f.fixed_at, 2000);
    f = merge(s, VERDICT_BROKEN, "1", 4000);
    assert_true(f.fixed_at == DATE_NONE);
}

static void what_is_gone_is_fixed_only_if_everything_was_looked_at(void **state)
{
    struct state *s = ((struct fixture *)*state)->state;
    struct state_summary summary;
    CLEANUP(findings_cleanup) struct findings *none = findings_new();
    merge(s, VERDICT_AFFECTED, "1", 1000);
    assert_true(state_merge_findings(s, "host", none, false, 2000, NULL));
    assert_true(state_summarise(s, &summary, NULL));
    assert_int_equal(summary.open_findings, 1);
    assert_true(state_merge_findings(s, "another", none, true, 2000, NULL));
    assert_true(state_summarise(s, &summary, NULL));
    assert_int_equal(summary.open_findings, 1);
    assert_true(state_merge_findings(s, "host", none, true, 2000, NULL));
    assert_true(state_summarise(s, &summary, NULL));
    assert_int_equal(summary.open_findings, 0);
}

static void a_revised_advisory_is_marked(void **state)
{
    struct state *s = ((struct fixture *)*state)->state;
    merge(s, VERDICT_AFFECTED, "1", 1000);
    assert_true(merge(s, VERDICT_AFFECTED, "2", 2000).revised);
    assert_false(merge(s, VERDICT_AFFECTED, "2", 3000).revised);
}

static void a_finding_leads_back_to_its_target(void **state)
{
    struct state *s = ((struct fixture *)*state)->state;
    struct error e = ERROR_INIT;
    struct state_target t;
    merge(s, VERDICT_AFFECTED, "1", 1000);
    assert_true(state_remember_target(s, "host", "web1", "image", "/x/disk.img", "mine", 1000, &e));
    assert_true(state_target_of_finding(s, "01234567", &t, &e));
    assert_string_equal(t.finding, "0123456789abcdef");
    assert_string_equal(t.kind, "image");
    assert_string_equal(t.argument, "/x/disk.img");
    assert_string_equal(t.given, "mine");
    assert_false(state_target_of_finding(s, "ffff", &t, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_false(state_target_of_finding(s, "012", &t, &e));
    assert_int_equal(e.code, ERR_USAGE);
    assert_false(state_target_of_finding(s, "%%%%", &t, &e));
}

static void patches_seen_once_are_remembered(void **state)
{
    struct state *s = ((struct fixture *)*state)->state;
    struct error e = ERROR_INIT;
    CLEANUP(facts_cleanup) struct facts *first = facts_new(), *second = facts_new();
    struct fact *f = facts_add(first, "hotfix", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(first, f, "id", "Q277873");
    fact_put(first, f, "installed", "1");
    assert_true(state_merge_patches(s, "host", first, true, 1000, &e));
    assert_null(facts_first(first, "patch-before"));
    assert_true(state_merge_patches(s, "host", second, true, 2000, &e));
    const struct fact *before = facts_first(second, "patch-before");
    assert_non_null(before);
    assert_string_equal(fact_text(before, "id"), "Q277873");
    facts_cleanup(&second);
    second = facts_new();
    assert_true(state_merge_patches(s, "another host", second, true, 2000, &e));
    assert_null(facts_first(second, "patch-before"));
}

static void the_folder_is_for_its_owner_alone(void **state)
{
    struct stat st;
    CLEANUP_STR struct str deep = {0};
    struct state *s = NULL;
    str_printf(&deep, "%s/a/b", ((struct fixture *)*state)->dir);
    assert_true(state_open(&s, str_text(&deep), NULL));
    state_close(s);
    assert_int_equal(stat(str_text(&deep), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_cached_value_comes_back_only_under_its_key(void **state)
{
    struct fixture *f = *state;
    const struct cache *c = state_cache(f->state);
    const void *data;
    size_t size;
    assert_false(c->get(c->self, "slot v1", &data, &size));
    c->put(c->self, "slot", "slot v1", "value", 5);
    state_close(f->state);
    assert_true(state_open(&f->state, f->dir, NULL));
    c = state_cache(f->state);
    assert_true(c->get(c->self, "slot v1", &data, &size));
    assert_int_equal(size, 5);
    assert_memory_equal(data, "value", 5);
    assert_false(c->get(c->self, "slot v2", &data, &size));
    c->put(c->self, "slot", "slot v2", "other", 5);
    state_close(f->state);
    assert_true(state_open(&f->state, f->dir, NULL));
    c = state_cache(f->state);
    assert_false(c->get(c->self, "slot v1", &data, &size));
}

static void the_cache_keeps_the_newest_files_only(void **state)
{
    struct fixture *f = *state;
    const struct cache *c = state_cache(f->state);
    char name[64];
    struct stat st;
    CLEANUP_STR struct str cache = {0};
    str_printf(&cache, "%s/cache", f->dir);
    for (int i = 0; i < 256; i++) {
        snprintf(name, sizeof name, "%032d", i);
        support_write(str_text(&cache), name, "an old one", 10);
    }
    CLEANUP_STR struct str first = {0}, second = {0};
    str_printf(&first, "%s/%032d", str_text(&cache), 0);
    str_printf(&second, "%s/%032d", str_text(&cache), 1);
    const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, str_text(&first), long_ago, 0), 0);
    c->put(c->self, "slot", "slot v1", "value", 5);
    assert_int_equal(stat(str_text(&first), &st), -1);
    c->put(c->self, "slot", "slot v2", "other", 5); /* takes its own place */
    assert_int_equal(stat(str_text(&second), &st), 0);
}

static void a_file_that_is_no_database_is_named(void **state)
{
    struct fixture *f = *state;
    struct state *s = NULL;
    struct error e = ERROR_INIT;
    CLEANUP_STR struct str dir = {0};
    str_printf(&dir, "%s/bad", f->dir);
    support_write(str_text(&dir), "state.db", "this is no database, but it is long enough to look",
                  50);
    assert_false(state_open(&s, str_text(&dir), &e));
    assert_true(e.message[0]);
}

static void reading_finds_what_was_written_and_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct error e = ERROR_INIT;
    struct state_summary before, after;
    merge(f->state, VERDICT_AFFECTED, "1", 1000);
    assert_true(state_summarise(f->state, &before, NULL));
    CLEANUP(state_cleanup) struct state *reader = NULL;
    if (!state_open_to_read(&reader, f->dir, &e))
        fail_msg("%s", e.message);
    assert_true(state_is_read_only(reader));
    struct finding again = merge(reader, VERDICT_AFFECTED, "1", 2000);
    assert_int_equal(again.first_seen, 1000); /* told, and not written */
    assert_true(state_remember_target(reader, "other", "o", "live", "", "", 2000, &e));
    assert_true(state_summarise(f->state, &after, NULL));
    assert_int_equal(before.targets, after.targets);
    assert_int_equal(before.open_findings, after.open_findings);
}

static void reading_makes_nothing(void **state)
{
    struct fixture *f = *state;
    struct state *s = NULL;
    struct error e = ERROR_INIT;
    struct stat st;
    CLEANUP_STR struct str dir = {0};
    str_printf(&dir, "%s/typo?mode=rwc#%%41", f->dir);
    assert_false(state_open_to_read(&s, str_text(&dir), &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_int_not_equal(stat(str_text(&dir), &st), 0);
    /* a name that would be an option to SQLite is a name */
    assert_true(state_open(&s, str_text(&dir), &e));
    state_close(s);
    assert_true(state_open_to_read(&s, str_text(&dir), &e));
    state_close(s);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_finding_keeps_its_first_day_and_gets_its_last),
        test(what_was_open_and_is_fixed_gets_its_day),
        test(what_is_gone_is_fixed_only_if_everything_was_looked_at),
        test(a_revised_advisory_is_marked),
        test(a_finding_leads_back_to_its_target),
        test(patches_seen_once_are_remembered),
        test(the_folder_is_for_its_owner_alone),
        test(a_cached_value_comes_back_only_under_its_key),
        test(the_cache_keeps_the_newest_files_only),
        test(a_file_that_is_no_database_is_named),
        test(reading_finds_what_was_written_and_writes_nothing),
        test(reading_makes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

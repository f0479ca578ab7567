/* Whoever tells, and however many at a time: each event is counted once, in its site's burst. */
#include "guard/report.h"
#include "tests/content/site_fixture.h"
#include "tests/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than the queue holds (16384), and more than a burst lists. */
enum { SITES = 2, PRODUCERS = 4, EVENTS = 20000 };
static const char *const names[SITES] = {"www", "shop"};

struct told {
    struct site sites[SITES];
    struct report *report;
    atomic_uint begun, ended;
    bool stalls; /* the first burst's end waits until `full` */
    atomic_bool stalled, full;
    int hook[2];
};

static void on_burst(void *context, const struct tamper *t, const char *first_path,
                     enum difference_kind kind, bool ended)
{
    struct told *told = context;
    assert_int_equal(strncmp(first_path, "page-", 5), 0);
    assert_int_equal(kind, DIFFERENCE_CHANGED);
    atomic_fetch_add(ended ? &told->ended : &told->begun, 1);
    if (!ended || !told->stalls)
        return;
    told->stalls = false;
    /* relaxed: orders nothing, so that a missing lock stays visible to TSan */
    atomic_store_explicit(&told->stalled, true, memory_order_relaxed);
    while (!atomic_load_explicit(&told->full, memory_order_relaxed))
        usleep(1000);
}

static void tell(struct told *told, const char *site, unsigned number, enum guard_said said)
{
    char path[32];
    snprintf(path, sizeof path, "page-%u", number);
    struct mend_event mend = {.path = path, .kind = DIFFERENCE_CHANGED, .undone = true};
    struct who who = {.pid = 7, .known = true, .uid = 33, .exe = "/bin/sh", .command = "sh"};
    struct guard_event event = {
        .said = said, .site = site, .mend = &mend, .who = &who, .at_ns = 1, .took_ns = number};
    report_event(told->report, &event);
}

static void start(struct told *told, struct site_fixture *f, bool with_hook)
{
    struct error e = ERROR_INIT;
    *told = (struct told){.hook = {-1, -1}};
    if (with_hook)
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, told->hook), 0);
    for (size_t i = 0; i < SITES; i++)
        told->sites[i] = (struct site){.row = {.name = names[i]}, .aside = {.fd = f->aside.fd}};
    struct report_options options = {.state = f->state,
                                     .sites = told->sites,
                                     .count = SITES,
                                     .caller = told->hook[0],
                                     .burst = on_burst,
                                     .context = told};
    if (!report_start(&told->report, &options, &e))
        fail_msg("%s", e.message);
}

/* What the state says was restored in a site; and the rows and names it has for that. */
static uint64_t restored(struct site_fixture *f, const char *site, size_t *rows, uint64_t *named)
{
    struct error e = ERROR_INIT;
    CLEANUP_ARENA struct arena *arena = arena_new();
    struct tamper *list;
    uint64_t sum = 0;
    *named = 0;
    if (!tampers_list(f->state, site, 1000, arena, &list, rows, &e))
        fail_msg("%s", e.message);
    for (size_t i = 0; i < *rows; i++) {
        struct tamper_path *paths;
        size_t count;
        if (!tampers_paths(f->state, list[i].id, arena, &paths, &count, &e))
            fail_msg("%s", e.message);
        assert_in_range(count, 1, TAMPER_PATHS);
        sum += list[i].restored;
        *named += count + list[i].unlisted;
    }
    return sum;
}

static void *produce(void *context)
{
    struct told *told = context;
    for (unsigned i = 0; i < EVENTS; i++)
        tell(told, names[i % SITES], i, GUARD_MENDED);
    return NULL;
}

static void every_event_of_every_producer_is_counted(void **state)
{
    struct site_fixture f;
    struct told told;
    site_make(&f);
    start(&told, &f, false);
    pthread_t threads[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &told), 0);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    report_stop(told.report);
    for (size_t i = 0; i < SITES; i++) {
        size_t rows;
        uint64_t named;
        assert_int_equal(restored(&f, names[i], &rows, &named), PRODUCERS * EVENTS / SITES);
        assert_int_equal(named, PRODUCERS * EVENTS / SITES);
    }
    assert_true(atomic_load(&told.begun) >= SITES);
    assert_int_equal(atomic_load(&told.begun), atomic_load(&told.ended));
    site_remove(&f);
}

/* The queue runs over while bursts are being ended. */
static void what_found_the_queue_full_is_counted_in_its_burst(void **state)
{
    struct site_fixture f;
    struct told told;
    site_make(&f);
    start(&told, &f, false);
    told.stalls = true;
    for (size_t i = 0; i < SITES; i++)
        tell(&told, names[i], 0, GUARD_MENDED);
    while (!atomic_load_explicit(&told.stalled, memory_order_relaxed))
        usleep(1000);
    for (unsigned i = 0; i < EVENTS; i++)
        tell(&told, names[1], i, GUARD_MENDED);
    atomic_store_explicit(&told.full, true, memory_order_relaxed);
    report_stop(told.report);
    size_t rows;
    uint64_t named;
    assert_int_equal(restored(&f, names[1], &rows, &named), EVENTS + 1);
    assert_int_equal(named, EVENTS + 1);
    site_remove(&f);
}

/* Stopped again and again right behind an event: none is lost between the two. */
static void what_was_told_last_is_written_before_the_end(void **state)
{
    enum { ROUNDS = 200 };
    struct site_fixture f;
    struct told told;
    site_make(&f);
    for (unsigned i = 0; i < ROUNDS; i++) {
        start(&told, &f, false);
        if (i % 2)
            usleep(i * 100); /* the thread waits already, or not yet */
        tell(&told, "www", i, GUARD_MENDED);
        report_stop(told.report);
    }
    size_t rows;
    uint64_t named;
    assert_int_equal(restored(&f, "www", &rows, &named), ROUNDS);
    assert_int_equal(rows, ROUNDS);
    site_remove(&f);
}

static void a_burst_ends_by_itself_and_goes_to_the_hook_as_a_line(void **state)
{
    struct site_fixture f;
    struct told told;
    char text[4096];
    site_make(&f);
    start(&told, &f, true);
    for (unsigned i = 0; i < 3; i++)
        tell(&told, "www", i, GUARD_MENDED);
    tell(&told, "elsewhere", 0, GUARD_MENDED); /* of no site that it knows */
    tell(&told, "www", 0, GUARD_SWEPT);        /* is no change of a page */
    ssize_t n = recv(told.hook[1], text, sizeof text - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "\"site\":\"www\""));
    assert_non_null(strstr(text, "\"restored\":3"));
    assert_non_null(strstr(text, "\"path\":\"page-0\""));
    assert_int_equal(atomic_load(&told.ended), 1);
    report_stop(told.report);
    close(told.hook[0]);
    close(told.hook[1]);
    site_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_of_every_producer_is_counted),
        cmocka_unit_test(what_found_the_queue_full_is_counted_in_its_burst),
        cmocka_unit_test(what_was_told_last_is_written_before_the_end),
        cmocka_unit_test(a_burst_ends_by_itself_and_goes_to_the_hook_as_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

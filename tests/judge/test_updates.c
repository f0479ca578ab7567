/* From facts about updates, lists, kernels and processes to findings. */
#include "base/str.h"
#include "judge/updates.h"
#include "model/date.h"
#include "tests/judge/fixture.h"
#include "tests/support.h"

#include <stdlib.h>

#define HOST                                                                                       \
    "{\"kind\":\"host\",\"family\":\"debian\",\"os\":\"Debian 12\",\"arch\":\"amd64\","            \
    "\"distribution\":\"debian\"}\n"
#define SOURCE(state)                                                                              \
    "{\"kind\":\"update-source\",\"uri\":\"http://mirror.example/s/\",\"suite\":\"x-security\","   \
    "\"component\":\"main\",\"arch\":\"amd64\",\"security\":\"yes\",\"state\":\"" state "\","      \
    "\"valid_until\":\"2026-01-02T00:00:00Z\",\"refreshed\":\"2026-01-03T00:00:00Z\","             \
    "\"configured\":\"/etc/apt/sources.list:3\",\"reason\":\"cut\"}\n"
#define UPDATE(name, arch, more)                                                                   \
    "{\"kind\":\"update\",\"name\":\"" name "\",\"arch\":\"" arch "\",\"installed\":\"1\","        \
    "\"candidate\":\"2\",\"source_list\":\"L\"," more ",\"source\":{\"path\":\"/lists/x\"}}\n"
#define SECURITY "\"security\":\"yes\",\"held\":\"\""

struct judged {
    struct facts *facts;
    struct findings *findings;
    struct arena *arena;
};

static struct judged judge(const char *lines, const char *day)
{
    struct judged j = {fixture_facts(lines), findings_new(), arena_new()};
    int64_t now;
    assert_true(date_parse(day, &now));
    judge_updates(j.findings, j.facts, "target", now, now);
    return j;
}

static void end(struct judged *j)
{
    findings_free(j->findings);
    facts_free(j->facts);
    arena_free(j->arena);
}

static const struct finding *only(const struct judged *j, const char *rule)
{
    const struct finding *found = NULL;
    for (size_t i = 0; i < j->findings->list.count; i++) {
        const struct finding *f = j->findings->list.items[i];
        if (!str_equal(f->rule_id, rule))
            continue;
        if (found)
            fail_msg("more than one %s", rule);
        found = f;
    }
    if (!found)
        fail_msg("no %s", rule);
    return found;
}

static size_t count(const struct judged *j, const char *rule)
{
    size_t n = 0;
    for (size_t i = 0; i < j->findings->list.count; i++)
        n += str_equal(j->findings->list.items[i]->rule_id, rule);
    return n;
}

static const char *step(const struct judged *j, const struct finding *f, size_t i)
{
    assert_true(i < f->steps.count);
    return message_text(j->arena, &f->steps.items[i]);
}

static void one_finding_a_source_package(void **state)
{
    struct facts *facts =
        fixture_facts(HOST SOURCE("fresh") UPDATE("libssl3", "amd64", SECURITY)
                          UPDATE("libssl3", "i386", SECURITY) UPDATE("openssl", "amd64", SECURITY)
                              UPDATE("zip", "amd64", SECURITY));
    static const char *const packages[][2] = {
        {"libssl3", "amd64"}, {"libssl3", "i386"}, {"openssl", "amd64"}, {"zip", "amd64"}};
    for (size_t i = 0; i < ARRAY_COUNT(packages); i++) {
        struct fact *f =
            facts_add(facts, "package", "/var/lib/dpkg/status", 10 + i, -1, CONFIDENCE_HIGH);
        fact_put(facts, f, "manager", "dpkg");
        fact_put(facts, f, "name", packages[i][0]);
        fact_put(facts, f, "arch", packages[i][1]);
        fact_put(facts, f, "source_package", i < 3 ? "openssl" : "zipsource");
    }
    struct judged j = {facts, findings_new(), arena_new()};
    judge_updates(j.findings, facts, "target", 0, 0);
    assert_int_equal(count(&j, "debian-security-update"), 2);
    const struct finding *ssl = j.findings->list.items[0], *zip = j.findings->list.items[1];
    assert_string_equal(ssl->subject_name, "openssl");
    assert_int_equal(ssl->severity, SEVERITY_HIGH); /* in the path of every connection */
    assert_true(ssl->reachable);
    assert_string_equal(step(&j, ssl, 0), "sudo apt-get update && sudo apt-get install "
                                          "--only-upgrade libssl3 libssl3:i386 openssl");
    assert_string_equal(zip->subject_name, "zip"); /* alone: by its own name */
    assert_int_equal(zip->severity, SEVERITY_MEDIUM);
    assert_false(zip->reachable);
    assert_string_equal(zip->evidence.items[0].path, "/var/lib/dpkg/status");
    assert_int_equal(zip->evidence.items[0].line, 13);
    assert_string_equal(message_text(j.arena, &zip->summary),
                        "zip: a security update is waiting: 2 (installed: 1)");
    end(&j);
}

/* The rule of the header, line by line. */
static void severity_follows_what_others_can_reach(void **state)
{
    static const struct {
        const char *lines;
        enum severity severity;
        const char *port;
        bool reachable; /* what step patch of an incident does not leave open */
    } rows[] = {
        {UPDATE("x", "amd64", SECURITY), SEVERITY_MEDIUM, NULL, false},
        {UPDATE("x", "amd64", SECURITY) "{\"kind\":\"listener\",\"scope\":\"any\",\"package\":"
                                        "\"x\",\"process\":\"xd\","
                                        "\"port\":\"80\",\"proto\":\"tcp\"}\n",
         SEVERITY_HIGH, "80/tcp", true},
        {UPDATE("x", "amd64", SECURITY) "{\"kind\":\"listener\",\"scope\":\"loopback\",\"package\":"
                                        "\"x\",\"port\":\"80\"}\n",
         SEVERITY_MEDIUM, NULL, false},
        {UPDATE("libx", "amd64", SECURITY) "{\"kind\":\"process\",\"pid\":\"1\",\"serves\":\"yes\","
                                           "\"packages\":\"a libx b\"}\n",
         SEVERITY_HIGH, NULL, true},
        {UPDATE("libx", "amd64", SECURITY) "{\"kind\":\"process\",\"pid\":\"1\",\"serves\":\"yes\","
                                           "\"packages\":\"a libx-data\"}\n",
         SEVERITY_MEDIUM, NULL, false},
        {UPDATE("libx", "amd64", SECURITY) "{\"kind\":\"process\",\"pid\":\"1\",\"serves\":\"no\","
                                           "\"packages\":\"libx\"}\n",
         SEVERITY_MEDIUM, NULL, false},
        {UPDATE("linux-image-6.1.0-37-amd64", "amd64", SECURITY), SEVERITY_HIGH, NULL, false},
        {UPDATE("linux-libc-dev", "amd64", SECURITY), SEVERITY_MEDIUM, NULL, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = judge(rows[i].lines, "2026-01-01");
        const struct finding *f = only(&j, "debian-security-update");
        assert_int_equal(f->severity, rows[i].severity);
        assert_int_equal(f->reachable, rows[i].reachable);
        if (!str_equal(f->port, rows[i].port))
            fail_msg("row %zu", i);
        end(&j);
    }
}

static void held_updates_say_how_to_let_them_through(void **state)
{
    static const struct {
        const char *lines, *step;
    } rows[] = {
        {UPDATE("x", "amd64", "\"security\":\"yes\",\"held\":\"hold\""), "sudo apt-mark unhold x"},
        {UPDATE("x", "amd64", "\"security\":\"yes\",\"held\":\"pin\""), "apt-cache policy x"},
        {UPDATE("x", "amd64", "\"security\":\"yes\",\"held\":\"phased\""),
         "sudo apt-get update && sudo apt-get install --only-upgrade x"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = judge(rows[i].lines, "2026-01-01");
        const struct finding *f = only(&j, "debian-security-update");
        assert_string_equal(step(&j, f, 0), rows[i].step);
        assert_int_equal(f->notes.count, 1);
        assert_non_null(strstr(message_text(j.arena, &f->summary), "held back"));
        assert_int_equal(f->verdict, VERDICT_AFFECTED);
        end(&j);
    }
}

static void other_updates_are_one_finding(void **state)
{
    struct judged j = judge(UPDATE("x", "amd64", "\"security\":\"no\",\"held\":\"\"")
                                UPDATE("y", "amd64", "\"security\":\"no\",\"held\":\"\"")
                                    UPDATE("z", "amd64", "\"security\":\"no\",\"held\":\"phased\""),
                            "2026-01-01");
    const struct finding *f = only(&j, "debian-updates-pending");
    assert_int_equal(f->severity, SEVERITY_INFO);
    assert_string_equal(message_text(j.arena, &f->summary), "2 other updates are waiting");
    assert_int_equal(count(&j, "debian-security-update"), 0);
    end(&j);
}

static void lists_that_cannot_be_trusted_are_unknown(void **state)
{
    static const struct {
        const char *lines, *rule, *says;
    } rows[] = {
        {HOST SOURCE("fresh"), NULL, NULL},
        {HOST SOURCE("missing"), "updates-unknown", "never fetched its list"},
        {HOST SOURCE("expired"), "updates-unknown", "expired on 2026-01-02"},
        {HOST SOURCE("stale"), "updates-unknown", "last fetched on 2026-01-03"},
        {HOST SOURCE("unreadable"), "updates-unknown", "cannot be read: cut"},
        {HOST, "updates-unknown", "no list of any archive"},
        {HOST
         "{\"kind\":\"update-source\",\"suite\":\"bookworm\",\"security\":\"no\",\"state\":"
         "\"fresh\"}\n{\"kind\":\"os-support\",\"distribution\":\"debian\",\"series\":\"bookworm\","
         "\"released\":\"yes\",\"eol\":\"2030-01-01\"}\n",
         "security-archive-missing", "security archive of bookworm"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = judge(rows[i].lines, "2026-01-01");
        assert_int_equal(j.findings->list.count, rows[i].rule ? 1 : 0);
        if (rows[i].rule) {
            const struct finding *f = only(&j, rows[i].rule);
            const char *summary = message_text(j.arena, &f->summary);
            assert_int_equal(f->verdict, VERDICT_UNKNOWN);
            assert_true(str_starts(summary, "Cannot judge "));
            if (!strstr(summary, rows[i].says))
                fail_msg("%s", summary);
            assert_string_equal(step(&j, f, f->steps.count - 1), "sudo apt-get update");
        }
        end(&j);
    }
}

#define KERNEL(running, installed, from, runs, has)                                                \
    "{\"kind\":\"kernel\",\"running\":\"" running "\",\"installed\":\"" installed                  \
    "\",\"running_from\":\"" from "\",\"running_version\":\"" runs                                 \
    "\",\"installed_version\":\"" has "\",\"package\":\"p\"}\n"

static void a_kernel_waits_for_a_restart_only_where_it_is_newer(void **state)
{
    static const struct {
        const char *lines, *rule;
    } rows[] = {
        {KERNEL("6.1.0-9-amd64", "6.1.0-37-amd64", "distribution", "6.1.27-1", "6.1.140-1"),
         "kernel-restart-needed"},
        {KERNEL("6.1.0-37-amd64", "6.1.0-37-amd64", "distribution", "6.1.140-1", "6.1.147-1"),
         "kernel-restart-needed"},
        {KERNEL("6.1.0-37-amd64", "6.1.0-37-amd64", "distribution", "6.1.140-1", "6.1.140-1"),
         NULL},
        {KERNEL("6.8.0-45-generic", "6.8.0-50-generic", "distribution", "", "6.8.0-50.51"),
         "kernel-restart-needed"},
        {KERNEL("6.12.9+bpo-amd64", "6.1.0-37-amd64", "distribution", "6.12.9-1~bpo12+1",
                "6.1.140-1"),
         NULL},
        {KERNEL("6.18.44-own", "6.1.0-37-amd64", "elsewhere", "", "6.1.140-1"), "kernel-unknown"},
        {"{\"kind\":\"kernel\",\"running\":\"6.18.44-own\",\"installed\":{\"absent\":true},"
         "\"running_from\":\"elsewhere\"}\n",
         NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = judge(rows[i].lines, "2026-01-01");
        if (j.findings->list.count != (rows[i].rule ? 1 : 0))
            fail_msg("row %zu", i);
        if (rows[i].rule)
            only(&j, rows[i].rule);
        end(&j);
    }
}

#define PROCESS(pid, name, unit)                                                                   \
    "{\"kind\":\"process\",\"pid\":\"" pid "\",\"name\":\"" name "\",\"service\":\"" unit          \
    "\",\"restart_needed\":\"yes\",\"replaced\":\"/usr/lib/x\",\"replaced_packages\":\"libx\"}\n"

static void each_service_is_restarted_once_and_the_special_way(void **state)
{
    static const struct {
        const char *lines, *step;
    } rows[] = {
        {PROCESS("10", "nginx", "nginx.service") PROCESS("11", "nginx", "nginx.service"),
         "sudo systemctl restart nginx.service"},
        {PROCESS("1", "systemd", ""), "sudo systemctl daemon-reexec"},
        {PROCESS("5", "dbus-daemon", "dbus.service"), "sudo systemctl reboot"},
        {PROCESS("5", "bash", "user@1000.service"),
         "log out and in again, or: sudo systemctl reboot"},
        {PROCESS("5", "own", "") PROCESS("6", "own", ""),
         "end own (process 5) and start it again, or: sudo systemctl reboot"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = judge(rows[i].lines, "2026-01-01");
        const struct finding *f = only(&j, "service-restart-needed");
        assert_int_equal(f->severity, SEVERITY_MEDIUM);
        assert_string_equal(step(&j, f, 0), rows[i].step);
        end(&j);
    }
}

#define SUPPORT(eol, lts, paid)                                                                    \
    "{\"kind\":\"os-support\",\"distribution\":\"debian\",\"series\":\"x\",\"released\":\"yes\","  \
    "\"eol\":\"" eol "\",\"eol_lts\":\"" lts "\",\"eol_paid\":\"" paid "\"}\n"

static void the_end_of_support_has_its_stages(void **state)
{
    static const struct {
        const char *lines, *day;
        size_t ended, unknown;
        enum severity severity;
    } rows[] = {
        {SUPPORT("2026-07-11", "2028-06-30", ""), "2026-07-11", 0, 0, SEVERITY_INFO},
        {SUPPORT("2026-07-11", "2028-06-30", ""), "2026-07-12", 1, 0, SEVERITY_LOW},
        {SUPPORT("2026-07-11", "2028-06-30", ""), "2028-06-30", 1, 0, SEVERITY_LOW},
        {SUPPORT("2026-07-11", "2028-06-30", "2033-06-30"), "2028-07-01", 1, 1, SEVERITY_HIGH},
        {SUPPORT("2026-07-11", "2028-06-30",
                 "2033-06-30") "{\"kind\":\"update-source\",\"origin\":\"Freexian\",\"security\":"
                               "\"yes\",\"state\":"
                               "\"fresh\"}\n",
         "2028-07-01", 1, 0, SEVERITY_LOW},
        {SUPPORT("2012-02-06", "", ""), "2026-01-01", 1, 1, SEVERITY_HIGH},
        {"{\"kind\":\"os-support\",\"series\":\"x\",\"released\":\"yes\",\"eol\":{\"absent\":true}}"
         "\n",
         "2026-01-01", 0, 1, SEVERITY_INFO},
        {"{\"kind\":\"os-support\",\"series\":\"x\",\"released\":\"no\",\"eol\":{\"absent\":true}}"
         "\n",
         "2026-01-01", 0, 1, SEVERITY_INFO},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = judge(rows[i].lines, rows[i].day);
        if (count(&j, "os-support-ended") != rows[i].ended ||
            count(&j, "os-support-unknown") != rows[i].unknown)
            fail_msg("row %zu", i);
        if (rows[i].ended)
            assert_int_equal(only(&j, "os-support-ended")->severity, rows[i].severity);
        end(&j);
    }
}

static void ids_are_told_apart_and_no_place_is_left_empty(void **state)
{
    struct judged j = judge(
        HOST SOURCE("missing") SOURCE("stale") UPDATE("x", "amd64", SECURITY)
            UPDATE("y", "amd64", "\"security\":\"no\",\"held\":\"\"") PROCESS("1", "systemd", "")
                KERNEL("1", "2", "distribution", "", "") SUPPORT("2000-01-01", "", ""),
        "2026-01-01");
    for (size_t i = 0; i < j.findings->list.count; i++) {
        const struct finding *f = j.findings->list.items[i];
        const struct message *texts[] = {&f->summary, &f->why, &f->remedy};
        for (size_t k = 0; k < ARRAY_COUNT(texts); k++) {
            const char *text = message_text(j.arena, texts[k]);
            assert_true(*text);
            assert_null(strchr(text, '{'));
        }
        for (size_t k = 0; k < f->steps.count; k++)
            assert_null(strchr(step(&j, f, k), '{'));
        assert_true(f->evidence.count > 0);
        assert_int_equal(strlen(f->id), 16);
        for (size_t k = 0; k < i; k++)
            if (str_equal(f->id, j.findings->list.items[k]->id))
                assert_string_equal(f->rule_id, "updates-unknown"); /* one list, stated twice */
    }
    end(&j);
}

/* What waits today says nothing of what waited then, and nothing to restart is pending then. */
static void another_day_cannot_be_judged_from_lists_of_today(void **state)
{
    static const struct {
        const char *day;
        size_t updates, unknown;
    } rows[] = {{"2001-06-06", 0, 1}, {"2026-01-01", 1, 0}, {"2030-01-01", 0, 1}};
    int64_t now, day;
    assert_true(date_parse("2026-01-01T09:00:00Z", &now));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct judged j = {
            fixture_facts("{\"kind\":\"host\",\"family\":\"debian\",\"os\":\"Debian\"}\n" SOURCE(
                "fresh") UPDATE("openssl", "amd64", SECURITY)),
            findings_new(), arena_new()};
        assert_true(date_parse_day_end(rows[i].day, &day));
        judge_updates(j.findings, j.facts, "target", now, day);
        assert_int_equal(count(&j, "debian-security-update"), rows[i].updates);
        assert_int_equal(count(&j, "updates-unknown"), rows[i].unknown);
        if (rows[i].unknown)
            assert_int_equal(only(&j, "updates-unknown")->verdict, VERDICT_UNKNOWN);
        end(&j);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_finding_a_source_package),
        cmocka_unit_test(severity_follows_what_others_can_reach),
        cmocka_unit_test(held_updates_say_how_to_let_them_through),
        cmocka_unit_test(other_updates_are_one_finding),
        cmocka_unit_test(lists_that_cannot_be_trusted_are_unknown),
        cmocka_unit_test(a_kernel_waits_for_a_restart_only_where_it_is_newer),
        cmocka_unit_test(each_service_is_restarted_once_and_the_special_way),
        cmocka_unit_test(the_end_of_support_has_its_stages),
        cmocka_unit_test(another_day_cannot_be_judged_from_lists_of_today),
        cmocka_unit_test(ids_are_told_apart_and_no_place_is_left_empty),
    };
    return cmocka_run_group_tests_name("judge/updates", tests, NULL, NULL);
}

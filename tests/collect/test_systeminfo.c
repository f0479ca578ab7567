/* What systeminfo prints: the samples of other people, in six languages, and our own. */
#include "base/mem.h"
#include "base/str.h"
#include "tests/collect/collect_harness.h"
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>

static collect_source_function *const source[] = {collect_windows_text};

static struct harness run_text(const char *text, size_t size)
{
    struct harness h = {0};
    CLEANUP_FREE char *dir = support_temp_dir();
    char path[512];
    struct error e = ERROR_INIT;
    support_write(dir, "text", text, size);
    snprintf(path, sizeof path, "%s/text", dir);
    if (!target_open_text(&h.target, path, &e))
        fail_msg("%s", e.message);
    support_remove_tree(dir);
    harness_run(&h, NULL, source, 1);
    return h;
}

static size_t count_of(const struct harness *h, const char *kind)
{
    size_t count = 0;
    for (const struct fact *f = NULL; (f = facts_next(h->facts, kind, f));)
        count++;
    return count;
}

static bool says_incomplete(const struct harness *h)
{
    return harness_find(h, "unread", "what", "hotfix: systeminfo") != NULL;
}

static void every_sample_is_read(void **state)
{
    static const struct {
        const char *name, *host, *version, *build, *pack;
        size_t hotfixes;
        const char *last;
        bool cut;
    } rows[] = {
        {"10_1803_x64_education_en-us", "LAPTOP", "10.0", "17134", "", 5, "", false},
        {"10_1803_x64_pro_it", "PC044", "10.0", "17134", "", 10, "KB4487017", false},
        {"10_1803_x64_proforworkstations_en-us_B_20190306", "DESKTOP-OOF6NB5", "10.0", "17134", "",
         0, "", false},
        {"10_1803_x86_enterprise_nl", "DESKTOP-LFQSJM4", "10.0", "17134", "", 4, "KB4457128",
         false},
        {"10_1809_x64_enterprise_zh-cn", "DESKTOP-0CQH3P2", "10.0", "17763", "", 1, "KB4464455",
         false},
        {"10_1809_x64_education_en-us", "LAPTOP", "10.0", "17763", "", 6, "", false},
        {"10_21H1_x64_enterprise", "DESKTOP-92B51CV", "10.0", "19043", "", 4, "", false},
        {"10_22H2_x64_enterprise_en-us", "DESKTOP-92B51CV", "10.0", "19045", "", 1, "", false},
        {"11_21H2_x64_enterprise", "WINXI21H2", "10.0", "22000", "", 4, "", false},
        {"11_23H2_x64_enterprise", "DESKTOP-JNEKK9U", "10.0", "22631", "", 4, "", false},
        {"7_sp1_x64_enterprise_en-us_20190305", "WIN7SP1X64", "6.1", "7601", "1", 245, "KB3127220",
         true},
        {"7_sp1_x64_enterprise_en-us_B", "WIN7SP1X64", "6.1", "7601", "1", 245, "KB3127220", true},
        {"7_sp1_x86_enterprise_en-us", "WIN7SP1X86", "6.1", "7601", "1", 2, "", false},
        {"srv_2003_rtm_x86_standard_en-us", "WINSRV2K3SP0X86", "5.2", "3790", "", 2, "KB893803",
         false},
        {"srv_2003r2_sp2_rtm_x64_standard_en-us", "SRV2K3R2SP2X64", "5.2", "3790", "2", 1, "",
         false},
        {"srv_2008_rtm_x64_standard_en-us", "SRV2K8SP0X64", "6.0", "6001", "1", 1, "", false},
        {"srv_2008r2_sp1_x64_standard_en-us", "SRV2K8R2SP1X64", "6.1", "7601", "1", 2, "", false},
        {"srv_2012r2_u1", "SRV12R2U1X64", "6.3", "9600", "", 156, "", false},
        {"srv_2016_1607_datacenter_en-us", "MYSERVER", "10.0", "14393", "", 5, "", false},
        {"srv_2022", "WIN-RIBN7SM07BK", "10.0", "20348", "", 3, "", false},
        {"vista_x64_sp1", "WINVISTASP0X64", "6.0", "6001", "1", 173, "KB940157", false},
        {"xp_rtm_x86_professional_en-us", "WINXPSP0", "5.1", "2600", "", 2, "", false},
        {"xp_sp2_x64", "USER-8CEF73C787", "5.2", "3790", "2", 84, "", true},
        {"xp_sp3_x86_professional_en-us", "WINXPSP3", "5.1", "2600", "3", 93, "", true},
        {"7_sp1_x64_enterprise_fr", "WIN-IDKKFN87EL8", "6.1", "7601", "1", 93, "KB4493472", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char name[256];
        struct harness h = {0};
        struct error e = ERROR_INIT;
        snprintf(name, sizeof name, "data/audit/windows-systeminfo/%s_systeminfo%s.txt",
                 rows[i].name,
                 str_equal(rows[i].name, "srv_2012r2_u1") ? "2"
                 : str_ends(rows[i].name, "_fr")          ? "_powershell"
                                                          : "");
        CLEANUP_FREE char *path = support_shared(name);
        if (!path)
            skip();
        if (!target_open_text(&h.target, path, &e))
            fail_msg("%s: %s", name, e.message);
        harness_run(&h, NULL, source, 1);
        const struct fact *host = facts_first(h.facts, "host");
        if (!host)
            fail_msg("%s: no host", name);
        assert_string_equal(fact_text(host, "name"), rows[i].host);
        assert_string_equal(fact_text(host, "version"), rows[i].version);
        assert_string_equal(fact_text(host, "build"), rows[i].build);
        assert_string_equal(fact_text(host, "service_pack"), rows[i].pack);
        if (count_of(&h, "hotfix") != rows[i].hotfixes)
            fail_msg("%s: %zu hotfixes", name, count_of(&h, "hotfix"));
        if (*rows[i].last && !harness_find(&h, "hotfix", "id", rows[i].last))
            fail_msg("%s: %s is missing", name, rows[i].last);
        if (says_incomplete(&h) != rows[i].cut)
            fail_msg("%s: cut or not?", name);
        harness_close(&h);
    }
}

/* Labels in Shift_JIS, as a Japanese Windows prints them. */
#define JAPANESE_HEAD                                                                              \
    "\r\n\x83z\x83X\x83g\x96\xbc:               UMI-WEB\r\n"                                       \
    "OS \x96\xbc:                  Microsoft Windows Server 2003\r\n"                              \
    "OS \x83o\x81[\x83W\x83\x87\x83\x93:         5.2.3790 Service Pack 1 \x83r\x83\x8b\x83h "      \
    "3790\r\n"

static void a_list_that_is_not_whole_is_said(void **state)
{
    static const struct {
        const char *text;
        size_t hotfixes;
        bool cut;
    } rows[] = {
        {JAPANESE_HEAD "\x8f"
                       "C\x90\xb3:   2 \x8c\x8f\r\n   [01]: KB893803v2\r\n   [02]: Q147222\r\n"
                       "NIC:  1\r\n   [01]: Intel\r\n",
         2, false},
        {JAPANESE_HEAD "F:   3 x\r\n   [01]: KB893803\r\n   [02]: Q147222\r\nNIC: 1\r\n", 2, true},
        {JAPANESE_HEAD "F:   2 x\r\n   [01]: KB893803\r\n   [02]\r\nNIC: 1\r\n", 1, true},
        {JAPANESE_HEAD "F:   2 x\r\n   [01]: KB893803\r\n   [02]: Q147222\r\n", 2, true},
        {JAPANESE_HEAD
         "F:   2 x\r\n   [01]\xc2\xa0: KB893803\r\n   [02]\xff: Q147222\r\nNIC: 1\r\n",
         2, false},
        {JAPANESE_HEAD "F:   N/A\r\nNIC:  1 NIC\r\n   [01]: Intel\r\n", 0, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct harness h = run_text(rows[i].text, strlen(rows[i].text));
        const struct fact *host = facts_first(h.facts, "host");
        assert_non_null(host);
        assert_string_equal(fact_text(host, "name"), "UMI-WEB");
        assert_string_equal(fact_text(host, "os"), "Windows Server 2003, Service Pack 1");
        assert_int_equal(count_of(&h, "hotfix"), rows[i].hotfixes);
        if (says_incomplete(&h) != rows[i].cut)
            fail_msg("row %zu", i);
        harness_close(&h);
    }
}

static void a_list_of_two_hundred_is_doubted(void **state)
{
    for (unsigned listed = 199; listed <= 200; listed++) {
        CLEANUP_STR struct str text = {0};
        str_printf(&text, JAPANESE_HEAD "F:   %u x\r\n", listed);
        for (unsigned i = 1; i <= listed; i++)
            str_printf(&text, "   [%02u]: KB%06u\r\n", i, 900000 + i);
        str_add(&text, "NIC: 1\r\n");
        struct harness h = run_text(text.data, text.length);
        assert_int_equal(count_of(&h, "hotfix"), listed);
        assert_int_equal(says_incomplete(&h), listed == 200);
        harness_close(&h);
    }
}

static void other_texts_are_left_alone(void **state)
{
    static const char *const texts[] = {
        "", "Patch: 108662-01 Obsoletes:  Requires:  Incompatibles:  Packages: SUNWadmfw\n",
        "a: b\nc: 1.2.3.4\n", "Host: x\nOS: y\nVersion: 5.0\n"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct harness h = run_text(texts[i], strlen(texts[i]));
        assert_int_equal(facts_count(h.facts), 0);
        harness_close(&h);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_read),
        cmocka_unit_test(a_list_that_is_not_whole_is_said),
        cmocka_unit_test(a_list_of_two_hundred_is_doubted),
        cmocka_unit_test(other_texts_are_left_alone),
    };
    return cmocka_run_group_tests_name("collect/systeminfo", tests, NULL, NULL);
}

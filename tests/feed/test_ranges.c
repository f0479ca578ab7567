#include "tests/support.h"

#include "base/str.h"
#include "feed/ranges.h"
#include "model/version.h"

/* Ranges are joined by " OR "; NULL = not understood. */
static const struct {
    const char *text, *scheme, *expected;
} forms[] = {
    /* all */
    {"vers:all/*", NULL, ""},
    {"*", NULL, ""},
    {"All versions", NULL, ""},
    {"", NULL, ""},
    /* ours */
    {"1.3.20", NULL, "1.3.20"},
    {"<1.3.20", NULL, "<1.3.20"},
    {"<=4.1", NULL, "<=4.1"},
    {">=1.2,<1.4", NULL, ">=1.2,<1.4"},
    {"vers:windows/>=5.0.2195.3407", NULL, "vers:windows/>=5.0.2195.3407"},
    {"vers:windows/>=4.2.764.1|<5.0", NULL, "vers:windows/>=4.2.764.1|<5.0"},
    {"vers:solaris/>=108662-01", NULL, "vers:solaris/>=108662-01"},
    /* the specification's */
    {"vers:generic/>=1.0|<=2.3|>=3.0|<3.2", NULL,
     "vers:generic/>=1.0|<=2.3 OR vers:generic/>=3.0|<3.2"},
    {"vers:deb/1.2|1.3|1.4", NULL, "vers:dpkg/1.2 OR vers:dpkg/1.3 OR vers:dpkg/1.4"},
    {"vers:npm/>=1.0|!=1.5|<2.0", NULL, "vers:generic/>=1.0|<2.0|!=1.5"},
    {"vers:generic/!=1.5", NULL, "vers:generic/!=1.5"},
    {"vers:generic/<1|>=2", NULL, "vers:generic/<1 OR vers:generic/>=2"},
    {"vers:generic/<2|>=1", NULL, "vers:generic/<2|>=1"},
    {"vers:deb/<1%3A2.0", NULL, "vers:dpkg/<1:2.0"},
    /* CISA, Siemens, BSI */
    {"vers:all/<V4.3.8", NULL, "<V4.3.8"},
    {"vers:all/>=V3.0.1<V3.0.3", NULL, ">=V3.0.1,<V3.0.3"},
    {"<= 4.00.02", NULL, "<=4.00.02"},
    {">=1.220|<=1.281", NULL, ">=1.220,<=1.281"},
    {">= V4.3 and < V6.4", NULL, ">=V4.3,<V6.4"},
    {">= 01.19.000 | <= 01.38.000", NULL, ">=01.19.000,<=01.38.000"},
    {"All versions < V13 SP2", NULL, "<V13 SP2"},
    {"<= 3.1 Service Pack 1A", NULL, "<=3.1 Service Pack 1A"},
    {"< V14 SP1 Update 14", NULL, "<V14 SP1 Update 14"},
    {"<= 1.12.0.25 | 1.12.13.2 | 1.12.14.5", NULL, "<=1.12.0.25 OR 1.12.13.2 OR 1.12.14.5"},
    {"prior to 2.1", NULL, "<2.1"},
    {"2.1 and earlier", NULL, "<=2.1"},
    {"1.5 and later", NULL, ">=1.5"},
    {"1.0", "deb", "vers:deb/1.0"},
    /* what nobody can read for sure */
    {"All versions using Shared HIS", NULL, NULL},
    {"All versions <= V2.3.0 and Function State (FS) <= 3", NULL, NULL},
    {"<=with_the_first_5_digits_of_serial_number_24051", NULL, NULL},
    {"< 12.4 (firmware 1.46)", NULL, NULL},
    {"<= serial24051", NULL, NULL},
    {"vers:generic", NULL, NULL},
    {"<", NULL, NULL},
    {">=1.0 <", NULL, NULL},
};

static void ranges_are_read_or_said_to_be_unclear(void **state)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        struct ranges ranges = {0};
        bool read = ranges_parse(&ranges, arena, forms[i].text, forms[i].scheme);
        CLEANUP_STR struct str text = {0};
        for (size_t k = 0; read && k < ranges.count; k++)
            str_printf(&text, "%s%s", k ? " OR " : "", ranges.items[k]);
        if (read != (forms[i].expected != NULL) ||
            (read && !str_equal(str_text(&text), forms[i].expected)))
            fail_msg("\"%s\" is read as %s, not as %s", forms[i].text,
                     read ? str_text(&text) : "(unclear)",
                     forms[i].expected ? forms[i].expected : "(unclear)");
    }
}

static void what_comes_out_is_a_range_of_the_model(void **state)
{
    static const struct {
        const char *text, *version;
        bool inside;
    } cases[] = {
        {"All versions < V13 SP2", "V13 SP1", true}, {"All versions < V13 SP2", "V13 SP2", false},
        {"vers:all/<V4.3.8", "4.3.7", true},         {">=1.220|<=1.281", "1.300", false},
        {">= V4.3 and < V6.4", "5.0", true},
    };
    CLEANUP_ARENA struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct ranges ranges;
        struct version_range range;
        assert_true(ranges_parse(&ranges, arena, cases[i].text, NULL));
        assert_true(version_range_parse(&range, arena, ranges.items[0], VERSION_GENERIC, NULL));
        if (version_range_has(&range, cases[i].version) != cases[i].inside)
            fail_msg("%s in %s", cases[i].version, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read_or_said_to_be_unclear),
        cmocka_unit_test(what_comes_out_is_a_range_of_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which rules speak of a target: sets, products and versions. */
#include "base/str.h"
#include "judge/rules.h"
#include "model/date.h"

/* A set is a checklist; it fits by the host's family or by a product that was found. */
static const struct {
    const char *set, *name, *version;
    const char *from; /* when that server came out: nobody had a checklist for it before */
} sets[] = {
    {"iis3", "iis", "3", "1996-12-01"},
    {"iis4", "iis", "4", "1997-12-02"},
    {"iis5", "iis", "5", "2000-02-17"},
    {"solaris", "solaris", "", "1995-11-01"},
    {"netscape", "netscape", "", "1996-03-01"},
    {"apache13", "apache", "1.3", "1998-06-06"},
    {"linux", "linux", "", ""},
    {"windows", "windows", "", "1996-08-24"},
    {"persistence", "", "", ""}, /* of whatever was recognised */
    {"scan", "", "", ""},        /* of any target: no checklist, but what attackers leave behind */
};

/* Names of rules against the names under which products are reported. */
static const struct {
    const char *asked, *reported;
} synonyms[] = {
    {"netscape", "netscape-enterprise"},
    {"apache", "apache-httpd"},
};

static bool version_fits(const char *asked, const char *version)
{
    size_t length = strlen(asked);
    if (!length || str_equal_nocase(asked, version))
        return true;
    return str_starts_nocase(version, asked) && version[length] == '.';
}

/* Of a product whose version could not be read, the likely one. */
static const char *version_of(const struct fact *product)
{
    const struct fact_value *v = fact_value(product, "version");
    return v && v->state == VALUE_UNREADABLE ? fact_text(product, "likely")
                                             : fact_text(product, "version");
}

static bool fits(const struct facts *facts, const char *name, const char *version)
{
    const struct fact *host = facts_first(facts, "host");
    if (!*name)
        return host != NULL;
    if (host) {
        const char *family = fact_text(host, "family");
        bool same = str_equal_nocase(family, name) ||
                    (str_equal_nocase(name, "linux") && str_equal(family, "debian"));
        if (same && version_fits(version, fact_text(host, "version")))
            return true;
    }
    const char *reported = name;
    for (size_t i = 0; i < ARRAY_COUNT(synonyms); i++)
        if (str_equal_nocase(synonyms[i].asked, name))
            reported = synonyms[i].reported;
    for (const struct fact *f = NULL; (f = facts_next(facts, "product", f));) {
        const char *found = fact_text(f, "name");
        if ((str_equal_nocase(found, name) || str_equal_nocase(found, reported)) &&
            version_fits(version, version_of(f)))
            return true;
    }
    return false;
}

/* The first of the rule's sets that fits; their count if none does. */
static size_t set_of(const struct rule *rule, const struct facts *facts)
{
    for (size_t i = 0; i < rule->set_count; i++)
        for (size_t k = 0; k < ARRAY_COUNT(sets); k++)
            if (str_equal(sets[k].set, rule->sets[i]) &&
                (!*sets[k].name || fits(facts, sets[k].name, sets[k].version)))
                return k;
    return ARRAY_COUNT(sets);
}

const char *rules_set_of(const struct rule *rule, const struct facts *facts)
{
    size_t set = set_of(rule, facts);
    return set < ARRAY_COUNT(sets) ? sets[set].set : "";
}

int64_t rules_since(const struct rule *rule, const struct facts *facts)
{
    size_t set = set_of(rule, facts);
    int64_t from;
    if (set == ARRAY_COUNT(sets) || !date_parse(sets[set].from, &from))
        return rule->since;
    return rule->since == DATE_NONE || rule->since < from ? from : rule->since;
}

bool rules_applies(const struct rule *rule, const struct facts *facts)
{
    if (*rule->product && !fits(facts, rule->product, ""))
        return false;
    if (rule->set_count && !*rules_set_of(rule, facts))
        return false;
    for (size_t i = 0; i < rule->applies_count; i++)
        if (fits(facts, rule->applies[i].name, rule->applies[i].version))
            return true;
    return !rule->applies_count;
}

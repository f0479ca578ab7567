#include "feed/csaf_severity.h"

#include "base/json.h"
#include "base/str.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_get_string(object, key);
    return text ? text : "";
}

/* Words of aggregate_severity and of impact threats that are not ours. */
static const struct {
    const char *word;
    enum severity severity;
} words[] = {{"important", SEVERITY_HIGH}, {"moderate", SEVERITY_MEDIUM}};

static bool severity_of_word(const char *text, enum severity *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (str_equal_nocase(text, words[i].word)) {
            *out = words[i].severity;
            return true;
        }
    }
    CLEANUP_FREE char *lower = mem_strdup(text);
    str_lower_all(lower);
    return severity_from_name(lower, out);
}

enum severity csaf_severity_of(const struct document *d, const json_t *document)
{
    enum severity severity = SEVERITY_INFO, one;
    const json_t *aggregate =
        json_get_object(json_get_object(document, "document"), "aggregate_severity");
    if (severity_of_word(text_of(aggregate, "text"), &severity))
        return severity;
    double highest = 0;
    bool affected = false, found = false;
    for (size_t i = 0; i < d->case_count; i++) {
        affected |= !d->cases[i].not_affected;
        if (d->cases[i].cvss > highest)
            highest = d->cases[i].cvss;
    }
    if (highest > 0)
        return severity_from_cvss(highest);
    const json_t *list = json_get_array(document, "vulnerabilities"), *item, *threat;
    size_t i, t;
    json_array_foreach(list, i, item)
    {
        json_array_foreach(json_get_array(item, "threats"), t, threat)
        {
            if (str_equal(text_of(threat, "category"), "impact") &&
                severity_of_word(text_of(threat, "details"), &one)) {
                severity = one > severity ? one : severity;
                found = true;
            }
        }
    }
    return found ? severity : affected ? SEVERITY_MEDIUM : SEVERITY_INFO;
}

#include "collect/apt_policy.h"

#include "base/str.h"
#include "collect/deb822.h"
#include "model/version.h"

#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>

enum { MOST_PINS = 10000, MOST_EXPRESSION = 256 };

void apt_policy_free(struct apt_policy *policy)
{
    VEC_FREE(&policy->pins);
}

/* --- reading --- */

static bool priority_of(const char *text, int *out)
{
    uint64_t number;
    bool negative = *text == '-';
    if (str_equal(text, "never")) {
        *out = APT_NEVER;
        return true;
    }
    if (!str_to_u64(text + (negative || *text == '+'), &number) || number > INT16_MAX || !number)
        return false; /* 0 is refused by apt, too */
    *out = negative ? -(int)number : (int)number;
    return true;
}

static bool pin_type(const char *word, size_t length, enum apt_pin_type *out)
{
    static const char *const names[] = {"version", "release", "origin"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strlen(names[i]) == length && strncasecmp(word, names[i], length) == 0) {
            *out = (enum apt_pin_type)i;
            return true;
        }
    return false;
}

void apt_policy_parse(struct apt_policy *policy, struct arena *arena, const char *path,
                      const char *text, size_t size)
{
    enum { PACKAGE, PIN, PRIORITY, FIELDS };
    static const char *const names[FIELDS] = {"Package", "Pin", "Pin-Priority"};
    struct deb822_field f[FIELDS];
    struct deb822 reader = deb822_of(text, size);
    uint64_t line;
    while (deb822_stanza(&reader, names, f, FIELDS, &line)) {
        struct apt_pin pin = {.path = path, .line = line};
        size_t at = 0, length = 0;
        const char *word = "";
        if (!f[PIN].name && !f[PACKAGE].name)
            continue; /* an explanation only */
        bool good = f[PACKAGE].value_length && f[PIN].value_length && f[PRIORITY].value_length &&
                    deb822_word(&f[PIN], &at, &word, &length) &&
                    pin_type(word, length, &pin.type) &&
                    priority_of(deb822_value(arena, &f[PRIORITY]), &pin.priority);
        char *packages = good ? deb822_value(arena, &f[PACKAGE]) : NULL;
        bool every = good && str_equal(packages, "*");
        bool never = good && pin.priority == APT_NEVER;
        if (!good || (every && pin.type == APT_PIN_VERSION) || (never && !every) ||
            policy->pins.count >= MOST_PINS) {
            policy->malformed++;
            continue;
        }
        pin.data = str_trim(deb822_value(arena, &f[PIN]) + at);
        char *save = NULL;
        pin.package = "";
        if (every)
            VEC_PUSH(&policy->pins, pin);
        for (char *name = every ? NULL : strtok_r(packages, " \t\r\n", &save);
             name && policy->pins.count < MOST_PINS; name = strtok_r(NULL, " \t\r\n", &save)) {
            pin.package = name;
            VEC_PUSH(&policy->pins, pin);
        }
    }
}

void apt_policy_default(struct apt_policy *policy, const char *release)
{
    struct apt_pin pin = {
        .type = APT_PIN_RELEASE, .package = "", .data = release, .priority = 990, .path = ""};
    VEC_PUSH(&policy->pins, pin);
    memmove(policy->pins.items + 1, policy->pins.items,
            (policy->pins.count - 1) * sizeof *policy->pins.items);
    policy->pins.items[0] = pin;
}

/* --- matching --- */

static bool expression_matches(const char *expression, const char *text)
{
    size_t n = strlen(expression);
    if (n > 2 && expression[0] == '/' && expression[n - 1] == '/') {
        char pattern[MOST_EXPRESSION];
        regex_t compiled;
        if (n - 2 >= sizeof pattern)
            return false;
        memcpy(pattern, expression + 1, n - 2);
        pattern[n - 2] = '\0';
        if (regcomp(&compiled, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
            return false;
        bool found = regexec(&compiled, text, 0, NULL, 0) == 0;
        regfree(&compiled);
        return found;
    }
    return n <= MOST_EXPRESSION && fnmatch(expression, text, FNM_CASEFOLD) == 0;
}

/* "release a=stable,n=bookworm", or "release bookworm" (archive or codename), or a number. */
static bool release_matches(const char *data, const struct apt_origin *o)
{
    const struct {
        char letter;
        const char *value;
    } parts[] = {{'v', o->version}, {'o', o->origin},    {'a', o->archive}, {'n', o->codename},
                 {'l', o->label},   {'c', o->component}, {'b', o->arch}};
    if (!*data)
        return false;
    if (!strchr(data, '='))
        return str_is_digit(*data)
                   ? expression_matches(data, o->version)
                   : expression_matches(data, o->archive) || expression_matches(data, o->codename);
    char copy[1024], *save = NULL;
    bool any = false;
    if (strlen(data) >= sizeof copy)
        return false;
    memcpy(copy, data, strlen(data) + 1);
    for (char *part = strtok_r(copy, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
        part = str_trim(part);
        if (strlen(part) < 3 || part[1] != '=')
            continue;
        for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
            if (str_lower(part[0]) == parts[i].letter) {
                any = true;
                if (!expression_matches(part + 2, parts[i].value))
                    return false;
            }
    }
    return any;
}

static bool origin_matches(const char *data, const struct apt_origin *o)
{
    char site[256];
    size_t n = strlen(data);
    if (n >= sizeof site || o->is_status)
        return false;
    memcpy(site, data, strlen(data) + 1);
    if (n >= 2 && site[0] == '"' && site[n - 1] == '"') {
        site[n - 1] = '\0';
        memmove(site, site + 1, n - 1);
    }
    return expression_matches(site, o->site);
}

static bool pin_fits_origin(const struct apt_pin *pin, const struct apt_origin *o)
{
    return pin->type == APT_PIN_RELEASE  ? release_matches(pin->data, o)
           : pin->type == APT_PIN_ORIGIN ? origin_matches(pin->data, o)
                                         : false;
}

static bool pin_names(const struct apt_pin *pin, const char *name, const char *arch,
                      const char *source)
{
    char pattern[MOST_EXPRESSION];
    bool by_source = str_starts(pin->package, "src:");
    const char *text = by_source ? pin->package + 4 : pin->package;
    if (strlen(text) >= sizeof pattern)
        return false;
    memcpy(pattern, text, strlen(text) + 1);
    char *colon = pattern[0] == '/' ? NULL : strrchr(pattern, ':');
    if (colon) {
        *colon = '\0';
        if (!str_equal(colon + 1, "any") && !str_equal(colon + 1, arch))
            return false;
    }
    const char *subject = by_source ? source : name;
    return strpbrk(pattern, "*?[/") ? expression_matches(pattern, subject)
                                    : str_equal(pattern, subject);
}

void apt_policy_rate(const struct apt_policy *policy, struct apt_origin *o)
{
    o->priority = o->is_status                ? 100
                  : o->but_automatic_upgrades ? (o->not_automatic ? 100 : 500)
                  : o->not_automatic          ? 1
                                              : 500;
    for (size_t i = 0; i < policy->pins.count; i++) {
        const struct apt_pin *pin = &policy->pins.items[i];
        if (!*pin->package && pin_fits_origin(pin, o)) {
            o->priority = pin->priority;
            return;
        }
    }
}

/* The first stanza with this package's name that fits the version; NULL if none. */
static const struct apt_pin *pin_of_version(const struct apt_policy *policy, const char *name,
                                            const char *arch, const char *source,
                                            const struct apt_version *v)
{
    for (size_t i = 0; i < policy->pins.count; i++) {
        const struct apt_pin *pin = &policy->pins.items[i];
        if (!*pin->package || !pin_names(pin, name, arch, source))
            continue;
        if (pin->type == APT_PIN_VERSION && expression_matches(pin->data, v->version))
            return pin;
        for (size_t k = 0; k < v->origin_count; k++)
            if (pin_fits_origin(pin, v->origins[k]))
                return pin;
    }
    return NULL;
}

static int priority_of_version(const struct apt_policy *policy, const char *name, const char *arch,
                               const char *source, const struct apt_version *v, bool installed)
{
    const struct apt_pin *pin = pin_of_version(policy, name, arch, source, v);
    int best = INT32_MIN;
    bool offered = false;
    for (size_t i = 0; i < v->origin_count; i++) {
        int p = v->origins[i]->is_status && !installed ? -1 : v->origins[i]->priority;
        offered = offered || v->origins[i]->priority != APT_NEVER;
        best = p > best ? p : best;
    }
    if (pin && (pin->priority == APT_NEVER || offered))
        return pin->priority;
    return best == INT32_MIN ? 0 : best;
}

size_t apt_policy_choose(const struct apt_policy *policy, const char *name, const char *arch,
                         const char *source, struct apt_version *versions, size_t count,
                         size_t installed)
{
    size_t chosen = SIZE_MAX;
    int best = -1;
    for (size_t i = 0; i < count; i++) {
        struct apt_version *v = &versions[i];
        v->priority = priority_of_version(policy, name, arch, source, v, i == installed);
        if (v->priority == 0 || v->priority <= best)
            continue;
        if (v->priority < 1000 && installed < count && i > installed &&
            version_compare(VERSION_DPKG, v->version, versions[installed].version) < 0)
            continue;
        best = v->priority;
        chosen = i;
    }
    return chosen;
}

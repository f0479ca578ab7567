#include "collect/apt_release.h"

#include "base/str.h"
#include "collect/deb822.h"
#include "model/date.h"

/* Takes off the frame of RFC 4880, 7: headers up to an empty line, then the text up to the
 * signature. Lines of the text that begin with a dash are dash-escaped; no line of a Release
 * file does, so that views of the buffer can be used as they are. */
static void take_off_frame(const char **text, size_t *size)
{
    static const char begin[] = "-----BEGIN PGP SIGNED MESSAGE-----";
    static const char end[] = "\n-----BEGIN PGP SIGNATURE-----";
    const char *line;
    size_t position = 0, length;
    if (*size < sizeof begin || memcmp(*text, begin, sizeof begin - 1) != 0)
        return;
    while (str_next_line(*text, *size, &position, &line, &length))
        if (!length)
            break;
    if (position > *size)
        position = *size;
    *text += position;
    *size -= position;
    const char *stop = memmem(*text, *size, end, sizeof end - 1);
    if (stop)
        *size = (size_t)(stop - *text) + 1;
}

static bool says_yes(const char *value)
{
    return str_equal_nocase(value, "yes") || str_equal_nocase(value, "true") ||
           str_equal_nocase(value, "1");
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p++)
        if ((p == list || str_is_space(p[-1])) && (!p[n] || str_is_space(p[n])))
            return true;
    return false;
}

bool apt_release_parse(struct apt_release *out, struct arena *arena, const char *text, size_t size,
                       struct error *e)
{
    enum {
        ORIGIN,
        LABEL,
        SUITE,
        CODENAME,
        VERSION,
        ARCHITECTURES,
        COMPONENTS,
        DATE,
        UNTIL,
        NOT,
        BUT,
        NO_ALL,
        FIELDS
    };
    static const char *const names[FIELDS] = {"Origin",
                                              "Label",
                                              "Suite",
                                              "Codename",
                                              "Version",
                                              "Architectures",
                                              "Components",
                                              "Date",
                                              "Valid-Until",
                                              "NotAutomatic",
                                              "ButAutomaticUpgrades",
                                              "No-Support-for-Architecture-all"};
    struct deb822_field f[FIELDS];
    const char *value[FIELDS];
    bool any = false;
    take_off_frame(&text, &size);
    struct deb822 reader = deb822_of(text, size);
    if (!deb822_stanza(&reader, names, f, FIELDS, NULL)) {
        error_set(e, ERR_FORMAT, "this is not a Release file: it has no fields");
        return false;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        any = any || f[i].name;
        value[i] = f[i].value_length ? deb822_value(arena, &f[i]) : "";
    }
    if (!any) {
        error_set(e, ERR_FORMAT, "this is not a Release file: it names no origin, suite or date");
        return false;
    }
    struct apt_release r = {.origin = value[ORIGIN],
                            .label = value[LABEL],
                            .suite = value[SUITE],
                            .codename = value[CODENAME],
                            .version = value[VERSION],
                            .architectures = value[ARCHITECTURES],
                            .components = value[COMPONENTS],
                            .date = DATE_NONE,
                            .valid_until = DATE_NONE,
                            .not_automatic = says_yes(value[NOT]),
                            .but_automatic_upgrades = says_yes(value[BUT]),
                            .lists_all = has_word(value[ARCHITECTURES], "all") &&
                                         !has_word(value[NO_ALL], "Packages"),
                            .text = text,
                            .size = size};
    if (*value[DATE])
        date_parse_rfc5322(value[DATE], &r.date);
    if (*value[UNTIL] && !date_parse_rfc5322(value[UNTIL], &r.valid_until)) {
        error_set(e, ERR_FORMAT, "Valid-Until is no date: %.64s", value[UNTIL]);
        return false;
    }
    *out = r;
    return true;
}

enum apt_release_index apt_release_names(const struct apt_release *release, const char *index)
{
    /* "\n HASH SIZE NAME": found by its name, then checked for its size. */
    size_t n = strlen(index);
    const char *p = release->text, *end = release->text + release->size;
    enum apt_release_index found = APT_INDEX_NONE;
    while (p < end && (p = memmem(p, (size_t)(end - p), index, n))) {
        const char *behind = p + n;
        bool name_begins = p > release->text && str_is_space(p[-1]);
        bool plain = behind == end || str_is_space(*behind);
        bool packed = behind < end && *behind == '.';
        p = behind;
        if (!name_begins || !(plain || packed))
            continue;
        const char *digit = behind - n - 1;
        while (digit > release->text && *digit == ' ')
            digit--;
        bool zero = *digit == '0' && digit > release->text && str_is_space(digit[-1]);
        if (plain)
            return zero ? APT_INDEX_EMPTY : APT_INDEX_THERE;
        found = APT_INDEX_THERE;
    }
    return found;
}

bool apt_release_is_security(const struct apt_release *r)
{
    /* As the archives name themselves (their InRelease files); NULL = any. */
    static const struct {
        const char *origin, *label, *suite; /* suite: a glob */
    } archives[] = {
        {"Debian", "Debian-Security", NULL},
        {"Ubuntu", NULL, "*-security"},
        {"UbuntuESM*", NULL, "*-security"}, /* esm-infra */
        {"UbuntuESMApps*", NULL, "*-security"},
        {NULL, NULL, "*-security"}, /* others who follow the same custom */
        {"Freexian*", NULL, NULL},  /* Extended LTS: security updates only */
    };
    for (size_t i = 0; i < ARRAY_COUNT(archives); i++)
        if ((!archives[i].origin || str_glob(archives[i].origin, r->origin, true)) &&
            (!archives[i].label || str_equal(archives[i].label, r->label)) &&
            (!archives[i].suite || str_glob(archives[i].suite, r->suite, true) ||
             str_glob(archives[i].suite, r->codename, true)))
            return true;
    return false;
}

#include "base/language.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/where.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool japanese;

/* Most hosts have no Japanese locale generated. C.UTF-8 is always there, and with it gettext
 * goes by LANGUAGE. */
void language_set(const char *lang)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *wish = lang;
    for (size_t i = 0; !wish && i < ARRAY_COUNT(variables); i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            wish = value;
    }
    japanese = wish && str_starts(wish, "ja");
    setenv("LANGUAGE", japanese ? "ja" : "en", 1);
    setlocale(LC_ALL, "C.UTF-8");
    setlocale(LC_NUMERIC, "C");
    char folder[PATH_MAX];
    if (where_is(WHERE_LOCALE, NULL, folder, sizeof folder))
        bindtextdomain("yagura", folder);
    bind_textdomain_codeset("yagura", "UTF-8");
    textdomain("yagura");
    /* Opens our catalogue, and that of the C library for strerror(). */
    (void)!*_("this host");
    (void)!*strerror(ENOENT);
}

bool language_is_japanese(void)
{
    return japanese;
}

char *const *language_environment(void)
{
    static char language[16], folder[PATH_MAX + 16];
    static char *const environment[] = {language, folder, NULL};
    char where[PATH_MAX];
    if (!where_is(WHERE_LOCALE, NULL, where, sizeof where))
        where[0] = '\0';
    snprintf(language, sizeof language, "LC_ALL=%s", japanese ? "ja" : "en");
    snprintf(folder, sizeof folder, "YAGURA_LOCALE=%s", where);
    return environment;
}

const char *language_text(const char *id)
{
    return id && *id ? gettext(id) : "";
}

/* language.h - the language that this process speaks to a person: English or Japanese.
 *
 * Msgids are the English texts. _("...") translates where it stands; N_("...") only marks a text
 * that is translated later, where it is shown; formats of error_set() and its like need no mark.
 * po/extract collects all of them. Nothing that is compared, hashed into an id or written as
 * JSON may have gone through _(): with --json the language is English from the start. */
#ifndef YAGURA_BASE_LANGUAGE_H
#define YAGURA_BASE_LANGUAGE_H

#include <libintl.h>
#include <stdbool.h>

#define _(text)  gettext(text)
#define N_(text) text

/* Takes the wish from `lang` ("en", "ja" or NULL), LC_ALL, LC_MESSAGES, LANG, in that order.
 * The catalogue is loaded here and now: what is forked into a cage later may open no file. */
void language_set(const char *lang);
bool language_is_japanese(void);

/* For a program of ours that is started with nothing else in its environment: with these it
 * speaks as we do once it calls language_set(NULL). Two strings and NULL; static. */
char *const *language_environment(void);

/* The translation of a text that was marked with N_(); "" for NULL and "" (which gettext would
 * answer with the header of the catalogue). */
const char *language_text(const char *id);

#endif

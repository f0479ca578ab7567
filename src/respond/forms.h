/* forms.h - text forms with {places}, filled from facts: data/forms/, or a folder of one's own.
 *
 * A place is "{name}", name being [a-z0-9_]+; anything else in braces is text. A place that no
 * fact fills becomes what stands behind a bar, "{name|□}", or nothing: nothing is invented.
 * Lines that begin with "#:" are remarks on the template and are left out. */
#ifndef YAGURA_RESPOND_FORMS_H
#define YAGURA_RESPOND_FORMS_H

#include "base/error.h"
#include "base/json.h"

/* `facts`: an object of strings. What steers a terminal is escaped in them. */
void forms_fill(struct str *out, const char *template, size_t size, const json_t *facts);

/* Calls `each` with every form of the folder (NULL: the shipped ones), by name: NAME.txt. */
bool forms_each(const char *folder,
                bool (*each)(void *context, const char *name, const char *template, size_t size,
                             struct error *e),
                void *context, struct error *e);

#endif

/* where.h - where the program's own files lie: data, helper programs, translations.
 *
 * In this order: the environment (YAGURA_DATA, YAGURA_LIBEXEC, YAGURA_LOCALE), the build tree
 * beside the running program (share/, libexec/, po/), the installed places beside it
 * (../share/yagura, ../libexec/yagura, ../share/locale), the configured prefix. */
#ifndef YAGURA_BASE_WHERE_H
#define YAGURA_BASE_WHERE_H

#include <stdbool.h>
#include <stddef.h>

enum where { WHERE_DATA, WHERE_LIBEXEC, WHERE_LOCALE };

/* The folder, or folder/name; false if it does not exist anywhere. */
bool where_is(enum where what, const char *name, char *out, size_t size);

#endif

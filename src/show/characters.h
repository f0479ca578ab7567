/* characters.h - text as a terminal counts it; for the files of show/ alone. */
#ifndef YAGURA_SHOW_CHARACTERS_H
#define YAGURA_SHOW_CHARACTERS_H

#include "show/show.h"

/* One character of UTF-8: its bytes and columns; control characters count as one. */
size_t show_character(const char *text, unsigned *columns);

/* Bytes from outside may hold escape sequences: none reaches the terminal. */
void show_put(struct show *s, const char *text, size_t length);

/* show_wrap() where the cursor stands in that column already. */
void show_wrap_here(struct show *s, unsigned column, const char *text);

#endif

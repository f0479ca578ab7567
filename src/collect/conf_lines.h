/* conf_lines.h - the lines of a configuration file that somebody else wrote.
 *
 * Gives one logical line after the other, cut free of white space at its end, NUL-terminated
 * and writable, with the number of the physical line it began on. A line is read up to its
 * first NUL byte, as the C programs that own these files read it. A logical line longer than
 * `most_line` is passed over. Both are counted, and conf_lines_state() says so in the facts:
 * no line is dropped in silence. */
#ifndef YAGURA_COLLECT_CONF_LINES_H
#define YAGURA_COLLECT_CONF_LINES_H

#include "base/str.h"
#include "model/fact.h"

enum conf_joining {
    CONF_PLAIN,     /* a line is a line: inetd.conf, services, pkginfo */
    CONF_BACKSLASH, /* a backslash at the end joins the next one: httpd.conf */
    CONF_INDENTED   /* a line that begins with white space belongs to the one before: obj.conf */
};

struct conf_lines {
    const char *data;
    size_t size, position;
    enum conf_joining joining;
    size_t most_line;
    uint64_t line;  /* of the logical line given last */
    uint64_t lines; /* physical lines read so far */
    struct str buffer;
    size_t too_long, with_nul;
    uint64_t first_too_long, first_with_nul;
};

/* Reads what the caller keeps; conf_lines_free() it. */
struct conf_lines conf_lines_of(const char *data, size_t size, enum conf_joining joining,
                                size_t most_line);
void conf_lines_free(struct conf_lines *lines);
#define CLEANUP_CONF_LINES CLEANUP(conf_lines_free)

/* The next logical line, or NULL at the end; good until the next call. */
char *conf_lines_next(struct conf_lines *lines);

/* Adds "unread" facts for lines that were passed over or cut. */
void conf_lines_state(const struct conf_lines *lines, struct facts *facts, const char *what,
                      const char *path);

/* Cuts the next word (up to white space) out of *rest, in place; NULL when none is left. */
char *conf_lines_word(char **rest);
/* As above, and a word may stand in "double quotes" (with \" and \\ inside). */
char *conf_lines_quoted(char **rest);

#endif

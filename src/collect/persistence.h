/* persistence.h - what starts by itself, or answers where nobody asked: the facts of kind
 * `persistence`, shared by their sources (persist_*.c).
 *
 * One record for each such thing that is not as a package brought it (origin.h): its type, where it
 * stands, what it runs, for whom, since when. What a package owns unchanged is not stated. What
 * cannot be read is stated with an unreadable origin or `runs`, so that only the rules about that
 * type are unknown. */
#ifndef YAGURA_COLLECT_PERSISTENCE_H
#define YAGURA_COLLECT_PERSISTENCE_H

#include "collect/origin.h"

struct persist_home {
    const char *user, *path; /* the first account that lives there */
    uint64_t uid;
};

struct persist {
    struct collection *c;
    struct origins *origins;
    VEC(struct persist_home) homes; /* see persist_homes() */
    bool homes_read;
    char *text; /* of persist_text() */
};

enum { PERSIST_MOST_TEXT = 1 << 20, PERSIST_MOST_PASSWD = 16 << 20, PERSIST_MOST_RUNS = 64 << 10 };

struct persist persist_begin(struct collection *c);
void persist_end(struct persist *p);

/* A record. `path` may be a link; its times are those of what it leads to. `line` 0 = none. */
struct fact *persist_add(struct persist *p, const char *type, const char *path, uint64_t line,
                         const struct origin *origin);
/* The same for something that could not be looked at. */
void persist_add_unread(struct persist *p, const char *type, const char *path, const char *reason);
void persist_put_times(struct collection *c, struct fact *f, const struct target_stat *st);

/* Whether there is something at that path to be looked at: not absent, not a link to nowhere or to
 * /dev/null, no folder. What cannot be told is stated. `st` is of what it leads to. */
bool persist_there(struct persist *p, const char *type, const char *path, struct target_stat *st);
/* The text of a file, until the next is read: whoever may write in a site's folders could plant
 * more of them than memory holds. NULL where it is absent or was stated as unread. */
char *persist_text(struct persist *p, const char *type, const char *path, size_t *size);
/* The names in a folder, 0 where it is absent or was stated as unread. */
size_t persist_list(struct persist *p, const char *type, const char *path,
                    struct target_entry **out);

/* The lines of a text but comments and empty ones, joined: for `runs`. `takes` chooses lines; NULL
 * = all. In the arena. */
typedef bool persist_takes(const char *line);
const char *persist_lines(struct persist *p, const char *text, size_t size, persist_takes *takes);

/* Libraries (*.so) in a folder beside those of packages: a record each. */
void persist_modules(struct persist *p, const char *type, const char *folder);

/* The homes of all local accounts, each once. */
void persist_homes(struct persist *p);

/* Names that run-parts(8) and cron(8) look at. */
bool persist_run_parts_name(const char *name);

#endif

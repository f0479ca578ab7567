/* rules_kinds.h - the kinds of facts as rules see them: docs/facts.md as a table. */
#ifndef YAGURA_JUDGE_RULES_KINDS_H
#define YAGURA_JUDGE_RULES_KINDS_H

#include <stdbool.h>

struct rules_kind {
    const char *name;
    const char *subject;  /* the key that names a record; further ones, where that is empty,
                           * follow a space; or a text with {key} places */
    bool none_is_unknown; /* no record at all is no answer unless a `complete` fact says so */
    bool open;            /* settings of a server by their own names: any key may be asked for */
    const char *keys;     /* separated by spaces, one in front and behind */
    const char *unread;   /* what an `unread` fact calls the records of this kind, beside its
                           * name and its name with an s; "" = nothing else */
};

const struct rules_kind *rules_kinds_find(const char *name); /* NULL if there is none */
const struct rules_kind *rules_kinds_at(unsigned index);     /* NULL past the last */
bool rules_kinds_has(const struct rules_kind *kind, const char *key);
#endif

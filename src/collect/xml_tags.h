/* xml_tags.h - the tags of a small XML file, one after the other: elements and attributes only.
 *
 * For configuration whose facts stand in attributes (XML 1.0, 2.1 to 3.1). Text, comments, CDATA
 * and processing instructions are passed over. Entities are not expanded, but for the five of
 * XML itself in values; a document type that defines its own is told (`entities`), since what
 * stands behind them is not seen. No nesting is kept: a circle or a depth costs nothing. */
#ifndef YAGURA_COLLECT_XML_TAGS_H
#define YAGURA_COLLECT_XML_TAGS_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

enum { XML_MOST_ATTRIBUTES = 64 };

struct xml_tags {
    /* of the current tag, in the arena */
    const char *name;
    bool closes, empty; /* </x>, <x/> */
    uint64_t line;
    struct {
        const char *name, *value;
    } attributes[XML_MOST_ATTRIBUTES];
    size_t count;
    bool damaged;  /* the text is no XML from here on, or a tag has too many attributes */
    bool entities; /* it defines some of its own */
    /* inside */
    struct arena *arena;
    const char *text;
    size_t size, at;
};

struct xml_tags xml_tags_of(struct arena *arena, const char *text, size_t size);
/* False at the end, and where it is damaged. */
bool xml_tags_next(struct xml_tags *x);
/* The value of an attribute of the current tag, or NULL. */
const char *xml_tags_get(const struct xml_tags *x, const char *name);

#endif

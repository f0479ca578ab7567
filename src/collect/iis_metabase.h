/* iis_metabase.h - the settings of IIS 4.0 and 5.0, from texts that its own tools printed.
 *
 * MetaBase.bin itself has no public format and is not parsed. What is read instead:
 *
 *   adsutil.vbs enum_all /p   [/W3SVC/1/ROOT]  then  Name : (TYPE) value, lists with one
 *                             quoted item a line
 *   mdutil enum_all           the same with the attributes before the type, numbers in
 *                             hexadecimal with names behind them: (DWORD) 0x201={Read Script}
 *   MetaEdit's export         a line a property, in columns between tabs: id, name,
 *                             attributes, user type, data type, data; lists between | or \0
 *
 * Property names and numbers: IIS SDK (IIScnfg.h of the Windows SDK): Path 3001, AccessFlags
 * 6016 and so on; those not in the table of iis_metabase.c are passed over. Values that a node
 * does not have come from the node above it, as in the metabase itself.
 *
 * MetaBase.bin can still be asked for script maps that stand in it as plain text: weak
 * evidence, because deleted ones may still lie there. */
#ifndef YAGURA_COLLECT_IIS_METABASE_H
#define YAGURA_COLLECT_IIS_METABASE_H

#include "base/error.h"
#include "base/mem.h"

#include <stddef.h>

struct metabase_property {
    const char *name;         /* as the SDK spells it: "AccessFlags" */
    const char *const *items; /* one, or those of a list */
    size_t count;
    size_t line;
};

struct metabase_node {
    const char *path; /* "W3SVC/1/ROOT/scripts": no "LM", no slash at the ends */
    size_t line;
    struct metabase_property *properties;
    size_t count, capacity;
};

struct metabase {
    struct metabase_node *nodes;
    size_t count, capacity;
    bool cut; /* there was more than we take */
};

/* ERR_FORMAT if nothing in the text is a node of a metabase. All in the arena. */
bool iis_metabase_parse(struct metabase *out, struct arena *arena, const char *text, size_t size,
                        struct error *e);

/* NULL if there is none; names without regard to case. */
const struct metabase_node *iis_metabase_node(const struct metabase *m, const char *path);
/* The node's own, or that of the nearest node above it. */
const struct metabase_property *iis_metabase_own(const struct metabase_node *node,
                                                 const char *name);
const struct metabase_property *iis_metabase_get(const struct metabase *m, const char *path,
                                                 const char *name);
/* Its first item, or NULL. */
const char *iis_metabase_text(const struct metabase *m, const char *path, const char *name);
/* Decimal, negative decimal, 0x..., True and False. */
bool iis_metabase_number(const char *text, uint32_t *out);

/* Script maps (".ext,C:\x.dll,1") among the bytes of MetaBase.bin, each once, in the order in
 * which they lie there: UTF-16 and single bytes. */
void iis_metabase_strings(const void *bytes, size_t size, struct arena *arena,
                          const char *const **out, size_t *count);

#endif

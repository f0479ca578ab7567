/* pieces.h - a text of YARA rules, cut where rules begin, so that a broken one can be left out.
 *
 * No parser of YARA: a line that begins with `rule NAME` (behind `private` and `global`) begins a
 * piece; what stands before the first is piece 0 (imports, includes). Which pieces are good, the
 * compiler says. Lines keep their numbers. */
#ifndef YAGURA_LIBEXEC_SCAN_PIECES_H
#define YAGURA_LIBEXEC_SCAN_PIECES_H

#include <stdbool.h>
#include <stddef.h>

struct rule_pieces {
    size_t count;
    size_t *starts; /* of each, and the text's end */
    bool *kept;     /* false at first */
};

void rule_pieces_cut(struct rule_pieces *out, const char *text, size_t size);
/* A copy (free() it) of the text of which the pieces that are not kept are blank. */
char *rule_pieces_text(const struct rule_pieces *p, const char *text);
void rule_pieces_free(struct rule_pieces *p);

/* Takes `import "magic"` out, in place: that module opens a database of its own at every file,
 * which no cage allows, so that the scan of each file would fail. Without the import only the rules
 * that use it do not compile. Returns the line of the first, 0 if there was none. */
int rule_pieces_without_magic(char *text);

#endif

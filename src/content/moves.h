/* moves.h - of what is gone and what is new, that which was moved.
 *
 * Files by their content, one to one, in the order of their paths where several share it. A folder,
 * with all that is in it, where everything that was published in the one that is gone stands under
 * the same names in the new one, and nothing else: then its links, its empty files and its folders
 * were moved with it, which alone say nothing. */
#ifndef YAGURA_CONTENT_MOVES_H
#define YAGURA_CONTENT_MOVES_H

#include "content/verify.h"

/* `items` are sorted by path. Turns pairs of a removed and an added one into one that moved, and
 * returns how many items are left, in the same order. */
size_t moves_find(const struct manifest *m, struct difference *items, size_t count);

#endif

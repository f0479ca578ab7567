/* first_sign.h - when the intrusion first showed, as far as this host can tell by itself.
 *
 * Two sources, and never the word of a file on itself:
 *   guard  the first thing that the guard undid since the last incident was closed: the kernel told
 *          the guard so, and it was then. Something may have happened before, unseen.
 *   files  of what is not as it was published, the time at which the kernel last changed it (ctime)
 *          or, where it was made after the publication, made it (btime). Every later change moves
 *          a ctime, so that it says "at the latest". An mtime is what its writer wanted it to be
 *          (utimensat) and is only shown.
 *
 * The earliest of them is a proposal: what the operator says (--first-sign) goes before it. A time
 * before the publication in which the thing was otherwise is a clock that was set, and proposes
 * nothing. Who has root's rights may set the clock and change both. */
#ifndef YAGURA_RESPOND_FIRST_SIGN_H
#define YAGURA_RESPOND_FIRST_SIGN_H

#include "respond/respond.h"

/* result["first_sign"]: time, from ("guard", "files"), subject, who, mtime (of files) and what else
 * there is ("more", the earliest first); nothing if there is none. Says it, too. Sites are compared
 * by what the stat index trusts and for at most five seconds, as the host is not cut off yet. */
bool first_sign_propose(struct response *r, json_t *result, struct error *e);

/* In the language of the process: "the guard undid example: index.html", ... */
const char *first_sign_source(struct arena *arena, const struct incident *i);

#endif

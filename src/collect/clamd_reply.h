/* clamd_reply.h - what clamd answers about one file within a session (man clamd, COMMANDS):
 * "7: fd[12]: OK", "7: fd[12]: NAME FOUND", "7: fd[12]: SENTENCE ERROR", "7: SENTENCE ERROR". */
#ifndef YAGURA_COLLECT_CLAMD_REPLY_H
#define YAGURA_COLLECT_CLAMD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clamd_reply {
    uint32_t number; /* of the question, from 1 */
    enum { CLAMD_OK, CLAMD_FOUND, CLAMD_ERROR } verdict;
    char name[256]; /* of the signature; or the sentence; printable UTF-8 */
};

/* False for anything else. The NUL at the end may be among the bytes. */
bool clamd_reply_parse(struct clamd_reply *out, const void *bytes, size_t size);

#endif

/* program.h - the parts of yagura-scan: rules become patterns, patterns are looked for in files. */
#ifndef YAGURA_LIBEXEC_SCAN_PROGRAM_H
#define YAGURA_LIBEXEC_SCAN_PROGRAM_H

#include "collect/scan_protocol.h"

#include <yara.h>

/* main.c: an answer to the client; ends the program where nobody listens any more. */
void program_reply(const struct scan_reply *reply);
/* A note about the file `number`, from a format. */
void program_note(uint32_t number, enum scan_note note, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- rules.c --- */

struct rules_text;

/* Reads a file of rules; what cannot be read is told as a PROBLEM. */
void rules_text_add(struct rules_text **all, int fd, const char *path, bool ours);
/* Of a file that does not compile, the rules that do are kept: the others are told as PROBLEM.
 * NULL where nothing is left. */
YR_RULES *rules_text_compile(struct rules_text *all, uint32_t *count);
/* Whether the rules of this file came with the program. */
bool rules_text_ours(const struct rules_text *all, const char *path);

/* --- look.c --- */

struct look;

struct look *look_new(YR_RULES *rules, const struct rules_text *texts,
                      struct scan_progress *progress);
/* Replies with what it finds; true if the file is an archive, which is not opened. */
bool look_at(struct look *l, uint32_t number, int fd, uint64_t size, const char *path);

/* --- clamd.c --- */

struct clamd {
    int socket; /* -1: none */
    bool by_stream;
    uint32_t asked;
    struct scan_progress *progress;
};

/* A connected socket of clamd (man clamd, IDSESSION); the socket is the struct's. */
void clamd_begin(struct clamd *c, int socket, bool by_stream, struct scan_progress *progress);
/* Hands the descriptor over (FILDES), or the bytes (INSTREAM), waits, replies with what clamd says
 * of the file. */
void clamd_ask(struct clamd *c, uint32_t number, int fd);

#endif

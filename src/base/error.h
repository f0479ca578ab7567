/* error.h - the one way in which a function of this program fails.
 *
 * A function that can fail returns bool (or a pointer) and takes a `struct error *` as its
 * last parameter. On failure it fills the struct and leaves its results untouched; on
 * success it leaves the struct alone. The struct is of fixed size, owns nothing and may be
 * copied through a pipe between processes.
 *
 * The sentence says what was being done, to what, and what to do about it; callers add
 * where, with error_prefix(): "reading packages: var/lib/dpkg/status:10233: ...".
 * Formats are msgids: they are translated here into the language of the process
 * (base/language.h), and po/extract finds them without a mark. Words that are put into them are
 * the caller's to translate.
 * A NULL error pointer is allowed everywhere: the caller does not want to know. */
#ifndef YAGURA_BASE_ERROR_H
#define YAGURA_BASE_ERROR_H

#include "base/language.h"

#include <stdbool.h>
#include <stdint.h>

enum error_code {
    ERR_NONE,
    ERR_USAGE,      /* the caller asked for something that cannot be: exit code 2 */
    ERR_FORMAT,     /* bytes that are not what they claim to be */
    ERR_LIMIT,      /* larger, deeper or longer than we read */
    ERR_ABSENT,     /* not there */
    ERR_UNREADABLE, /* there, but it could not be looked at */
    ERR_SYSTEM,     /* the operating system refused; see sys_errno */
    ERR_CORRUPT,    /* our own state is damaged */
    ERR_TIMEOUT,    /* gave up waiting */
    ERR_CAGE,       /* a caged child died */
    ERR_UNSUPPORTED /* known, and not done by this version */
};

struct error {
    enum error_code code;
    int sys_errno;     /* 0 if none */
    uint64_t line;     /* 1-based; 0 = none */
    uint64_t column;   /* 1-based; 0 = none */
    char path[256];    /* the file concerned, as a person would name it; may be empty */
    char message[512]; /* a sentence without a full stop; UTF-8, in the person's language */
};

#define ERROR_INIT ((struct error){0})

void error_set(struct error *e, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set(), and appends ": " and the text of `sys_errno`. The code is ERR_ABSENT for
 * ENOENT and ENOTDIR, ERR_UNREADABLE for EACCES, EPERM, ELOOP and EXDEV, else ERR_SYSTEM. */
void error_set_errno(struct error *e, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says where. Line and column may be 0. */
void error_at(struct error *e, const char *path, uint64_t line, uint64_t column);

/* Puts "TEXT: " in front of the message. */
void error_prefix(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "path:line:column: message", as it is shown to a person: what steers a terminal is escaped;
 * `out` is of `size` bytes. */
const char *error_text(const struct error *e, char *out, unsigned long size);

#endif

/* ledger.h - what was done, when and by whom: append-only, hash-chained, signed.
 *
 * An entry is one line of JSON (seq, time, host, who, kind, text and what the kind adds). Its
 * hash is SHA-256 over the hash of the entry before it (64 hexadecimal digits; 64 zeros for
 * the first) and the line; the hash is signed with the key "ledger" (Ed25519). Rows lie in
 * the table `ledger` of the state; triggers are no protection against the owner of the file,
 * so none is pretended: protection is `verify`, and a checkpoint kept elsewhere.
 *
 * A checkpoint is a text of five lines: "yagura ledger checkpoint", seq, hash, time, and the
 * signature over the first four; with the public key's number in the first line. */
#ifndef YAGURA_RECORD_LEDGER_H
#define YAGURA_RECORD_LEDGER_H

#include "base/mem.h"
#include "record/state.h"

struct ledger_entry {
    int64_t seq;
    const char *body; /* the line of JSON */
    const char *hash; /* 64 hexadecimal digits */
};

/* Appends, and makes the key of a new ledger; the object gets "seq" and "time" put in front. Not
 * consumed. */
bool ledger_append(struct state *s, const json_t *object, int64_t now, struct error *e);

/* Entries in order, those of one target only if `target` is given; in the arena. */
bool ledger_read(struct state *s, const char *target, struct arena *arena,
                 struct ledger_entry **out, size_t *count, struct error *e);

struct ledger_report {
    size_t entries;
    size_t problems;
    /* One sentence a problem; at most 32 are kept. */
    struct message problem[32];
    int64_t problem_seq[32];
};

/* Checks chain, signatures and (checkpoint != NULL: the text of one) that nothing up to the
 * checkpoint was cut off or rewritten. An unreadable ledger is an error; a broken one is not:
 * it is reported. One with entries and without its key cannot be checked: ERR_ABSENT. Message
 * arguments live in the arena. */
bool ledger_verify(struct state *s, const char *checkpoint, struct arena *arena,
                   struct ledger_report *out, struct error *e);

/* The text of a checkpoint of today's state; ERR_ABSENT of an empty ledger. */
bool ledger_checkpoint(struct state *s, struct str *out, int64_t now, struct error *e);

#endif

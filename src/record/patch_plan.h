/* patch_plan.h - a patch plan as a file: what one host has staged is what another applies.
 *
 * One JSON object, format "yagura patch plan 1" (docs/patching.md): the host it was made on, the
 * steps of `patch plan`, and for the Debian family every package with its exact versions. What
 * names a plan is the SHA-256 of the file's bytes: a receipt is of that file and no other.
 *
 * A plan travels and is not signed: it is read in a cage. Names and versions become words of a
 * command line, so only what the Debian Policy (5.6.1, 5.6.12) allows in them is taken. Limits:
 * 4 MiB, 5,000 packages, 5,000 steps, 4,000 bytes a text. An error names file, line and column,
 * or the place within: "packages[3].to". */
#ifndef YAGURA_RECORD_PATCH_PLAN_H
#define YAGURA_RECORD_PATCH_PLAN_H

#include "base/mem.h"
#include "base/str.h"
#include "model/fact.h"
#include "model/package_change.h"

enum { PATCH_PLAN_MOST_BYTES = 4 << 20, PATCH_HASH_SIZE = 65 };

struct patch_plan_step {
    int64_t order;
    const char *part, *patch, *what, *closes; /* `patch` and `closes` may be "" */
};

/* What waits, too, and is not in the plan, with the reason: "hold", "pin", "phased". */
struct patch_plan_held {
    const char *name, *arch, *from, *to, *held;
};

struct patch_plan {
    const char *made, *who, *version; /* RFC 3339; who asked for it; of this program */
    const char *host, *identity, *os; /* of the target it was made for */
    VEC(struct package_change) packages;
    VEC(struct patch_plan_step) steps;
    VEC(struct patch_plan_held) held;
    char hash[PATCH_HASH_SIZE]; /* of the file it was read from, or "" */
    struct arena *arena;
};

struct patch_plan *patch_plan_new(void);
void patch_plan_free(struct patch_plan *p);
void patch_plan_cleanup(struct patch_plan **p);

/* The file's text. */
void patch_plan_write(struct str *out, const struct patch_plan *p);
/* Reads it in a cage. */
bool patch_plan_read(struct patch_plan **out, const char *path, struct error *e);
/* What the cage does: the bytes as facts ("plan", "plan-package", "plan-step", "plan-held"). */
bool patch_plan_parse(struct facts *out, const char *text, size_t size, const char *path,
                      struct error *e);

/* SHA-256 in hexadecimal. */
void patch_hash(char out[PATCH_HASH_SIZE], const void *bytes, size_t size);

#endif

/* patch_receipt.h - the proof that a plan was tried: made by `patch stage`, asked for by `patch
 * apply`.
 *
 * FILE is one JSON object, format "yagura patch receipt 1" (docs/patching.md): the plan's hash,
 * host, who and when, each package before and after, the audits before and after, the pages that
 * were asked. FILE.minisig is its signature with the key "ledger" of that host, as `minisign -V`
 * checks it; the public key stands in the receipt. A signature by the key inside shows that
 * nobody changed the receipt since, and not who made it: that is what known keys are for. */
#ifndef YAGURA_RECORD_PATCH_RECEIPT_H
#define YAGURA_RECORD_PATCH_RECEIPT_H

#include "base/json.h"
#include "record/keys.h"
#include "record/patch_plan.h"

enum { PATCH_RECEIPT_MOST_BYTES = 4 << 20 };

struct patch_receipt {
    const char *plan;                    /* SHA-256 of the plan's file */
    const char *who, *recorded_by;       /* who answers for it; who ran it */
    const char *host, *identity, *os;    /* where */
    const char *when;                    /* RFC 3339 */
    const char *key;                     /* the public key that verified it: "RW..." */
    uint64_t open_before, open_after;    /* findings of the audits */
    VEC(struct package_change) packages; /* from: before, to: after */
    struct arena *arena;
};

/* The head of a receipt: format, plan, who, host, when. New reference; `patch stage` adds
 * "packages", "audit_before", "audit_after", "restarted" and "pages". */
json_t *patch_receipt_begin(const struct patch_plan *plan, const char *who,
                            const char *recorded_by);

/* Puts the public key into it, writes FILE and FILE.minisig. `path` may have folders. */
bool patch_receipt_write(json_t *receipt, const struct keypair *key, const char *path,
                         struct error *e);

/* Reads FILE in a cage and checks FILE.minisig with the key that stands in it. ERR_CORRUPT: it is
 * not signed so: changed or forged. */
bool patch_receipt_read(struct patch_receipt **out, const char *path, struct error *e);
/* What the cage does: facts "receipt", "receipt-host", "receipt-audit", "receipt-package". */
bool patch_receipt_parse(struct facts *out, const char *text, size_t size, const char *path,
                         struct error *e);
void patch_receipt_free(struct patch_receipt *r);
void patch_receipt_cleanup(struct patch_receipt **r);

#endif

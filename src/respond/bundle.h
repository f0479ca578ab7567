/* bundle.h - all evidence of an incident in one file that can be given away: tar, zstd, signed.
 *
 *   yagura-ID/evidence/FOLDER/...  as in DIR/evidence/ID
 *   yagura-ID/aside/SITE/...       what was found in the places of published pages and put aside,
 *                                  links as links
 *   yagura-ID/quarantine/ID        what was put into quarantine, and ID.json: where it was, its
 *                                  owner, mode and times, who moved it and why
 *   yagura-ID/quarantine/processes/PID-START/...
 *                                  of a process that ran from it and was ended
 *   yagura-ID/ledger/              entries.jsonl, checkpoint.txt (signed), ledger.pub
 *   yagura-ID/report/...           the report's own files
 *   yagura-ID/SHA256SUMS           of every file above, and its signature SHA256SUMS.minisig
 *
 * Written into the report's folder as bundle.tar.zst, with bundle.tar.zst.minisig, by the key of
 * the ledger: `minisign -Vm bundle.tar.zst -p ledger.pub`. Setuid and setgid bits are left out, so
 * that nothing is planted where root unpacks it. Of what was put aside at most 4 GiB go in; what
 * has no room is said in the folder's index. A bundle that the disk has no room for is an error and
 * is taken away again: half of it is of no use to anybody. */
#ifndef YAGURA_RESPOND_BUNDLE_H
#define YAGURA_RESPOND_BUNDLE_H

#include "respond/evidence.h"

struct bundle_told {
    size_t files;
    uint64_t bytes; /* before they were compressed */
};
bool bundle_write(struct evidence_folder *report, struct response *r, struct bundle_told *told,
                  struct error *e);

/* Is the signature beside the bundle of the ledger's key and of these bytes? */
bool bundle_verify(struct response *r, int folderfd, struct error *e);

#endif

/* runbook_copy.h - the runbook of an incident, kept in the state: DIR/runbooks/ID.yaml.
 *
 * An update of yagura, or somebody with an editor, may change the file that an incident was begun
 * with, in its middle. The incident goes on with its own copy, and only if that is what the ledger
 * says of it (`runbook_sha256`). Where no copy is there the file itself will do, if it is still
 * that one. It does not lie with the evidence: another disk may be mounted over that. */
#ifndef YAGURA_RESPOND_RUNBOOK_COPY_H
#define YAGURA_RESPOND_RUNBOOK_COPY_H

#include "respond/respond.h"

/* Of r->book, for the incident that is to be called `id`. */
bool runbook_copy_keep(struct response *r, const char *id, struct error *e);
/* r->book of r->incident. Says where the file is another one by now, or gone. ERR_CORRUPT: the copy
 * is not what the ledger says; ERR_USAGE: there is none, and the file is another one. */
bool runbook_copy_open(struct response *r, struct error *e);

#endif

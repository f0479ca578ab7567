/* {action: evidence}: the volatile evidence of this host, all of it at once. */
#include "respond/actions.h"
#include "respond/evidence.h"

bool action_evidence(struct response *r, const struct runbook_call *call, json_t *result,
                     const char **waits, struct error *e)
{
    CLEANUP_EVIDENCE struct evidence_folder *first = NULL;
    struct error second = ERROR_INIT;
    bool good = evidence_first(&first, r, e);
    bool more = evidence_rest(r, first, result, &second);
    if (good && !more)
        *e = second;
    return good && more;
}

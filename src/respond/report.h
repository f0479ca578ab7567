/* report.h - what the report's files are made of: facts for the forms, the page in HTML. */
#ifndef YAGURA_RESPOND_REPORT_H
#define YAGURA_RESPOND_REPORT_H

#include "respond/timeline.h"

/* What the runbook may say beside the action's name: `forms`, a folder of one's own, and what only
 * people know (who they are, what they concluded), which fills the places of that name. */
extern const struct runbook_takes report_takes[];

/* What is known, as the places of the forms (docs/evidence.md lists them); new reference. What is
 * not known is not there. Arguments of the runbook's call fill places as well. */
json_t *report_facts(struct response *r, const struct runbook_call *call, const struct timeline *t,
                     const struct evidence_entry *evidence, size_t evidence_count);

/* One file that loads nothing from anywhere, in the language of the process. Whatever came from
 * outside is text in it. */
void report_html(struct str *out, struct response *r, const json_t *facts, const struct timeline *t,
                 const struct evidence_entry *evidence, size_t evidence_count);

#endif

/* audit_internal.h - what the pipelines of this folder share. */
#ifndef YAGURA_AUDIT_AUDIT_INTERNAL_H
#define YAGURA_AUDIT_AUDIT_INTERNAL_H

#include "audit/audit.h"

struct audit *audit_new(const struct audit_request *request);
bool audit_open_target(struct audit *a, const struct audit_request *request, struct error *e);
/* The rules of these folders; problems are kept in the audit. */
bool audit_take_rules(struct audit *a, const char *const *dirs, size_t count, struct error *e);
/* Facts of the collectors, for what rules and advisories want; and who the target is. */
bool audit_take_facts(struct audit *a, const struct audit_request *request, struct error *e);
void audit_find_identity(struct audit *a, const struct audit_request *request);
void audit_count(struct audit *a);
/* Is it the folder, or beneath it? By the names alone. */
bool audit_lies_in(const char *path, const char *folder);
/* States of the published sites that lie in these paths, or these in them (none: of all), what is
 * not as it was published; quickly, by what the stat index trusts. */
void audit_compare_sites(struct facts *facts, const struct audit_request *target,
                         const char *const *paths, size_t path_count);

#endif

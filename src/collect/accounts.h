/* accounts.h - who may be somebody on a Unix host: the facts of kinds `account`, `session` and
 * `name-service`, and the question whether a user is a local one.
 *
 * passwd(5), shadow(5), group(5), nsswitch.conf(5), utmp(5), and what logind writes under
 * /run/systemd/sessions (sd-login(3)). A password's hash is looked at and never stated. */
#ifndef YAGURA_COLLECT_ACCOUNTS_H
#define YAGURA_COLLECT_ACCOUNTS_H

#include "collect/collect.h"

enum account_source {
    ACCOUNT_LOCAL,     /* in the passwd file of the host */
    ACCOUNT_DIRECTORY, /* not there, and the name service asks LDAP, SSSD, AD or NIS */
    ACCOUNT_NOBODY,    /* not there, and nobody else is asked */
    ACCOUNT_UNKNOWN    /* the files could not be read */
};

/* Of facts that collect_accounts() stated. `service` (may be NULL) is set to what else is asked,
 * as it stands in nsswitch.conf ("sss ldap"), or "". */
enum account_source account_source_of(const struct facts *facts, const char *user,
                                      const char **service);

#endif

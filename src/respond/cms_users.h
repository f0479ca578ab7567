/* cms_users.h - the users of a CMS lie in its database, which is not read here: whoever serves it
 * may be the attacker, and its password is not ours to take. An administrator that the attacker
 * added there would stay. So it is said that they were not looked at, and what shows them. */
#ifndef YAGURA_RESPOND_CMS_USERS_H
#define YAGURA_RESPOND_CMS_USERS_H

#include "respond/respond.h"

/* What is to be said of that fact of kind `secret`; NULL of what is no such database. With a
 * WordPress a command to paste stands in it, on lines of its own: it asks for each administrator
 * and each password of an application, the newest user first. */
const char *cms_users_note(struct response *r, const struct fact *f);

#endif

/* passwords.h - the secrets of step 6: what each was when it was listed, and what the program
 * itself can do to it.
 *
 * A secret is seen to have changed by a mark, a digest under a key of this incident's own, which
 * is made when the list is first made: of a local account's hash (act/accounts.h; an account that
 * was locked, or has expired, counts as changed), of WordPress' salts and of its database password
 * (act/wp_config.h), else of the file. A time alone proves nothing. What has no mark (users in a
 * database, the registrar) is signed for. The marks are in the ledger, the key is not. */
#ifndef YAGURA_RESPOND_PASSWORDS_H
#define YAGURA_RESPOND_PASSWORDS_H

#include "act/accounts.h"
#include "respond/respond.h"

/* The facts of kind `secret` and what could not be looked at. */
struct audit *passwords_look(struct response *r, struct error *e);
/* The key of the marks, made at the first call, and anew where it was lost. */
bool password_key(struct response *r, uint8_t key[ACCOUNT_KEY_BYTES], struct error *e);

/* "database:/var/www/html/wp-config.php", by which it is signed for. */
const char *password_id(struct response *r, const struct fact *f);
/* As it is now; NULL where it has none. */
const char *password_mark(struct response *r, const struct fact *f, const uint8_t *key);
/* By which the ledger knows under which key its marks were made. */
const char *password_key_name(struct response *r, const uint8_t *key);
/* What was noted of it, under this key, when the list was first made, or NULL. */
const char *password_mark_before(struct response *r, const char *id, const uint8_t *key);
bool password_has_changed(const char *before, const char *now);

/* Where the keys and salts of a wp-config.php stand: in the file (also of one that cannot be read),
 * in no file, or where it takes them from (getenv(), a constant). */
enum password_salts { PASSWORD_SALTS_HERE, PASSWORD_SALTS_NONE, PASSWORD_SALTS_ELSEWHERE };
enum password_salts password_salts(const char *path);
/* How it is changed on this host: what to type, or where to go; of what has no mark, how to sign
 * for it as well. NULL: it is another host's. */
const char *password_todo(struct response *r, const struct fact *f, bool has_mark);

enum password_way {
    PASSWORD_LOCK,         /* an account: locked, expired, its sessions ended */
    PASSWORD_EXPIRE,       /* the same, and the hash stays as it is */
    PASSWORD_UNLOCK,       /* as it was before one of the two */
    PASSWORD_END_SESSIONS, /* of root, or of somebody who stays */
    PASSWORD_ROTATE        /* new salts of a wp-config.php; published, where a site has it */
};
const char *password_way_name(enum password_way way); /* "lock", "end-sessions" ... */

/* `what` is an id as listed, the account's name or the file's path. On this host only; the ledger
 * says that it was done. A guard waits while salts are changed. *said is a sentence. With dry_run
 * it is only looked whether it could be. False also of an account that is shut, where what it runs
 * could not all be ended: the ledger and the error say both. */
bool password_change(struct response *r, enum password_way way, const char *what, const char **said,
                     struct error *e);

#endif

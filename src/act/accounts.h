/* accounts.h - local accounts of a host after an intrusion: shut, sessions ended, passwords seen to
 * have changed.
 *
 * `prefix` is "" for this host, or the folder of another root (usermod(8), --prefix). Locking puts
 * "!" before the password's hash and lets the account expire, so that keys do not open it either.
 * It is done by usermod, which takes the locks that passwd and useradd take. Refused are root
 * itself and whoever is not in the passwd file: accounts of LDAP, SSSD or AD are shut where they
 * are kept.
 *
 * No secret is taken or kept: a password is known by a digest under a key that the caller makes
 * once (account_key()) and keeps apart from it. The files are read in a cage.
 *
 * Everything that changes something does nothing when `dry_run` is true but look whether it could,
 * and sees afterwards whether it is so: false means that it is not. */
#ifndef YAGURA_ACT_ACCOUNTS_H
#define YAGURA_ACT_ACCOUNTS_H

#include "base/error.h"
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { ACCOUNT_KEY_BYTES = 32, ACCOUNT_MARK_BYTES = 32 };

struct account_state {
    uint32_t uid;
    bool locked;                      /* a "!" stands before the hash */
    char expires[24];                 /* days since 1970 as shadow(5) has it; "" = never */
    char changed[24];                 /* the same of the password's last change; "" = not known */
    uint8_t mark[ACCOUNT_MARK_BYTES]; /* of the hash without "!", under the key: neither locking nor
                                         a new date changes it */
};

/* A fresh key for marks. */
void account_key(uint8_t out[ACCOUNT_KEY_BYTES]);

/* How the account is now; `key` may be NULL: no mark. ERR_ABSENT if it is no local one. */
bool account_look(struct account_state *out, const char *prefix, const char *user,
                  const uint8_t *key, struct error *e);

enum account_way {
    ACCOUNT_LOCK,  /* password and expiry: nobody gets in */
    ACCOUNT_EXPIRE /* expiry alone: nobody gets in, and the hash stays as it is */
};

/* *before is how it was: for account_reopen(). */
bool account_shut(struct account_state *before, const char *prefix, const char *user,
                  enum account_way way, bool dry_run, struct error *e);
/* The undo: locked and expiring as in `before`. */
bool account_reopen(const struct account_state *before, const char *prefix, const char *user,
                    bool dry_run, struct error *e);

/* Ends what an account runs on this host: every process of that uid, and all that descends from
 * the leaders of its sessions (facts of kind `session`, key `pid`); of uid 0 only the latter. Our
 * own process and those above it are spared. Stopped first, so that none makes children
 * meanwhile, then killed, as a program of an intruder may catch whatever else; *count says how many
 * there were. There is no undo. */
bool account_end_sessions(size_t *count, uint32_t uid, const pid_t *leaders, size_t leader_count,
                          bool dry_run, struct error *e);

#endif

/* minisign.h - detached signatures of files, as `minisign -V` checks them.
 *
 * Format (https://jedisct1.github.io/minisign/, "Signature format"):
 *   untrusted comment: TEXT
 *   base64("ED" key-number(8) Ed25519 of BLAKE2b-512 of the file (64))
 *   trusted comment: TEXT
 *   base64(Ed25519 of the 64 bytes of the signature and the trusted comment)
 * Files signed without the hash ("Ed") are of minisign before 0.8 and refused. */
#ifndef YAGURA_RECORD_MINISIGN_H
#define YAGURA_RECORD_MINISIGN_H

#include "base/error.h"
#include "base/str.h"
#include "record/keys.h"

#include <stddef.h>

enum { MINISIGN_COMMENT_SIZE = 1024 };

/* The text of a signature over these bytes. The comment is one line. */
void minisign_sign(struct str *out, const struct keypair *k, const void *bytes, size_t size,
                   const char *trusted_comment);

/* ERR_FORMAT if this is no signature, ERR_CORRUPT if it is not of this key or these bytes. */
bool minisign_verify(const struct keypair *k, const char *signature, const void *bytes, size_t size,
                     char trusted_comment[MINISIGN_COMMENT_SIZE], struct error *e);

#endif

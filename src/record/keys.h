/* keys.h - Ed25519 keys in minisign's format, under DIR/keys/.
 *
 * NAME.pub  untrusted comment line, then base64 of "Ed", key number (8 bytes), key (32).
 * NAME.key  as `minisign -G -W` writes it (no password): "Ed", two zero bytes, "B2", 48 zero
 *           bytes (salt and limits), key number, secret key (64), BLAKE2b-256 checksum of
 *           "Ed" + key number + secret key. Mode 0600.
 * Format: https://jedisct1.github.io/minisign/ (section "Minisign key formats"). */
#ifndef YAGURA_RECORD_KEYS_H
#define YAGURA_RECORD_KEYS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct keypair {
    uint8_t number[8];
    uint8_t public_key[32];
    uint8_t secret_key[64];
    bool has_secret;
};

/* Opens DIR/keys/NAME, making a new pair if there is none and `make` is asked for. */
bool keys_open(struct keypair *out, int state_dirfd, const char *name, bool make, struct error *e);
void keys_wipe(struct keypair *k);

/* 64-byte detached signature, and base64 of it (88 characters and a NUL). */
void keys_sign(char out[89], const struct keypair *k, const void *bytes, size_t size);
bool keys_verify(const struct keypair *k, const char *signature, const void *bytes, size_t size);

/* The key number as 16 hexadecimal digits, as minisign prints it. */
void keys_number_text(char out[17], const struct keypair *k);

/* The public key as one word, "RW...", as `minisign -P` takes it; and back. ERR_FORMAT. */
enum { KEYS_PUBLIC_TEXT = 57 };
void keys_public_text(char out[KEYS_PUBLIC_TEXT], const struct keypair *k);
bool keys_of_public_text(struct keypair *out, const char *text, struct error *e);

#endif

#include "record/minisign.h"

#include "base/mem.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH = 64, SIGNATURE = crypto_sign_BYTES, FIRST_LINE = 2 + 8 + SIGNATURE };
static const char untrusted[] = "untrusted comment: ", trusted[] = "trusted comment: ";

static void add_base64(struct str *out, const uint8_t *bytes, size_t size)
{
    char text[256];
    sodium_bin2base64(text, sizeof text, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    str_add(out, text);
    str_add_char(out, '\n');
}

static void hash_of(uint8_t out[HASH], const void *bytes, size_t size)
{
    crypto_generichash(out, HASH, bytes, size, NULL, 0);
}

void minisign_sign(struct str *out, const struct keypair *k, const void *bytes, size_t size,
                   const char *trusted_comment)
{
    uint8_t hash[HASH], line[FIRST_LINE] = "ED", global[SIGNATURE];
    hash_of(hash, bytes, size);
    memcpy(line + 2, k->number, sizeof k->number);
    crypto_sign_detached(line + 10, NULL, hash, sizeof hash, k->secret_key);

    CLEANUP_STR struct str both = {0};
    str_add_bytes(&both, line + 10, SIGNATURE);
    str_add(&both, trusted_comment);
    crypto_sign_detached(global, NULL, (const uint8_t *)both.data, both.length, k->secret_key);

    str_printf(out, "%ssignature of yagura\n", untrusted);
    add_base64(out, line, sizeof line);
    str_printf(out, "%s%s\n", trusted, trusted_comment);
    add_base64(out, global, sizeof global);
}

static bool decode(uint8_t *bytes, size_t size, const char *line, size_t length)
{
    size_t got;
    return sodium_base642bin(bytes, size, line, length, NULL, &got, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           got == size;
}

/* The four lines; false if they are not these. */
static bool parse(const char *text, uint8_t line[FIRST_LINE], char comment[MINISIGN_COMMENT_SIZE],
                  uint8_t global[SIGNATURE])
{
    const char *at;
    size_t position = 0, length, size = strlen(text);
    if (!str_next_line(text, size, &position, &at, &length) || !str_starts(at, untrusted) ||
        !str_next_line(text, size, &position, &at, &length) ||
        !decode(line, FIRST_LINE, at, length) ||
        !str_next_line(text, size, &position, &at, &length) || !str_starts(at, trusted) ||
        length - strlen(trusted) >= MINISIGN_COMMENT_SIZE)
        return false;
    snprintf(comment, MINISIGN_COMMENT_SIZE, "%.*s", (int)(length - strlen(trusted)),
             at + strlen(trusted));
    return str_next_line(text, size, &position, &at, &length) &&
           decode(global, SIGNATURE, at, length);
}

bool minisign_verify(const struct keypair *k, const char *signature, const void *bytes, size_t size,
                     char trusted_comment[MINISIGN_COMMENT_SIZE], struct error *e)
{
    uint8_t line[FIRST_LINE], global[SIGNATURE], hash[HASH];
    char comment[MINISIGN_COMMENT_SIZE];
    if (!parse(signature, line, comment, global) || memcmp(line, "ED", 2) != 0) {
        error_set(e, ERR_FORMAT, "this is no signature in minisign's format, or it is damaged");
        return false;
    }
    if (memcmp(line + 2, k->number, sizeof k->number) != 0) {
        error_set(e, ERR_CORRUPT, "it was signed with another key");
        return false;
    }
    hash_of(hash, bytes, size);
    CLEANUP_STR struct str both = {0};
    str_add_bytes(&both, line + 10, SIGNATURE);
    str_add(&both, comment);
    if (crypto_sign_verify_detached(line + 10, hash, sizeof hash, k->public_key) != 0 ||
        crypto_sign_verify_detached(global, (const uint8_t *)both.data, both.length,
                                    k->public_key) != 0) {
        error_set(e, ERR_CORRUPT, "the signature does not fit: the file was changed or forged");
        return false;
    }
    memcpy(trusted_comment, comment, sizeof comment);
    return true;
}

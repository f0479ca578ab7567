#include "record/keys.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PUBLIC_BYTES = 2 + 8 + 32, SECRET_BYTES = 2 + 2 + 2 + 48 + 8 + 64 + 32 };

static void checksum(uint8_t out[32], const struct keypair *k)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)"Ed", 2);
    crypto_generichash_update(&state, k->number, sizeof k->number);
    crypto_generichash_update(&state, k->secret_key, sizeof k->secret_key);
    crypto_generichash_final(&state, out, 32);
}

/* "untrusted comment: ...", newline, base64, newline. */
static void encode(struct str *out, const char *comment, const uint8_t *bytes, size_t size)
{
    char text[512];
    sodium_bin2base64(text, sizeof text, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    str_printf(out, "untrusted comment: %s\n%s\n", comment, text);
    sodium_memzero(text, sizeof text);
}

static bool decode(uint8_t *bytes, size_t size, const char *text)
{
    const char *line = strchr(text, '\n');
    size_t got = 0;
    return line &&
           sodium_base642bin(bytes, size, line + 1, strcspn(line + 1, "\r\n"), NULL, &got, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           got == size;
}

static bool read_public(struct keypair *k, int fd, struct error *e)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    uint8_t bytes[PUBLIC_BYTES];
    if (!file_read_fd(&text, &size, fd, 4096, e))
        return false;
    if (!decode(bytes, sizeof bytes, text) || memcmp(bytes, "Ed", 2) != 0) {
        error_set(e, ERR_FORMAT, "this is not a public key in minisign's format");
        return false;
    }
    memcpy(k->number, bytes + 2, 8);
    memcpy(k->public_key, bytes + 10, 32);
    return true;
}

static bool read_secret(struct keypair *k, int fd, struct error *e)
{
    CLEANUP_FREE char *text = NULL;
    size_t size;
    uint8_t bytes[SECRET_BYTES], sum[32];
    if (!file_read_fd(&text, &size, fd, 4096, e))
        return false;
    bool good = decode(bytes, sizeof bytes, text) && memcmp(bytes, "Ed\0\0B2", 6) == 0;
    if (good) {
        memcpy(k->number, bytes + 54, 8);
        memcpy(k->secret_key, bytes + 62, 64);
        checksum(sum, k);
        good = sodium_memcmp(sum, bytes + 126, 32) == 0;
    }
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(text, size);
    if (!good) {
        error_set(e, ERR_FORMAT,
                  "this is not a secret key in minisign's format without a password, or it is "
                  "damaged");
        return false;
    }
    crypto_sign_ed25519_sk_to_pk(k->public_key, k->secret_key);
    k->has_secret = true;
    return true;
}

static void public_bytes(uint8_t out[PUBLIC_BYTES], const struct keypair *k)
{
    out[0] = 'E';
    out[1] = 'd';
    memcpy(out + 2, k->number, 8);
    memcpy(out + 10, k->public_key, 32);
}

static bool write_public(const struct keypair *k, int dir, const char *name, struct error *e)
{
    char number[17], comment[64];
    uint8_t public[PUBLIC_BYTES];
    CLEANUP_STR struct str text = {0};
    public_bytes(public, k);
    keys_number_text(number, k);
    snprintf(comment, sizeof comment, "minisign public key %s", number);
    encode(&text, comment, public, sizeof public);
    return file_replace(dir, name, text.data, text.length, 0644, e);
}

static bool make_pair(struct keypair *k, int dir, const char *public_name, const char *secret_name,
                      struct error *e)
{
    CLEANUP_STR struct str text = {0};
    crypto_sign_keypair(k->public_key, k->secret_key);
    randombytes_buf(k->number, sizeof k->number);
    k->has_secret = true;

    uint8_t secret[SECRET_BYTES] = "Ed\0\0B2", sum[32];
    memcpy(secret + 54, k->number, 8);
    memcpy(secret + 62, k->secret_key, 64);
    checksum(sum, k);
    memcpy(secret + 126, sum, 32);
    encode(&text, "minisign secret key", secret, sizeof secret);
    bool good = file_replace(dir, secret_name, text.data, text.length, 0600, e);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text.data, text.length);
    return good && write_public(k, dir, public_name, e);
}

bool keys_open(struct keypair *out, int state_dirfd, const char *name, bool make, struct error *e)
{
    if (sodium_init() < 0) {
        error_set(e, ERR_SYSTEM, "libsodium could not be started");
        return false;
    }
    char public_name[80], secret_name[80];
    snprintf(public_name, sizeof public_name, "%s.pub", name);
    snprintf(secret_name, sizeof secret_name, "%s.key", name);
    if (make)
        mkdirat(state_dirfd, "keys", 0700);
    CLEANUP_CLOSE int dir =
        openat(state_dirfd, "keys", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        error_set_errno(e, errno, "opening the folder keys/ of the state failed");
        return false;
    }
    if (make) /* of two that make the first one, the second takes it */
        flock(dir, LOCK_EX);
    if (make && faccessat(dir, public_name, F_OK, 0) != 0)
        file_clear_temporaries(dir);
    struct keypair k = {0};
    CLEANUP_CLOSE int secret = openat(dir, secret_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool hidden = secret < 0 && errno != ENOENT; /* there, but not for us: not to be replaced */
    CLEANUP_CLOSE int public = openat(dir, public_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool good;
    if (secret >= 0)
        good = read_secret(&k, secret, e) &&
               (!make || public >= 0 || write_public(&k, dir, public_name, e)); /* was killed */
    else if (public >= 0)
        good = read_public(&k, public, e);
    else if (make && !hidden)
        good = make_pair(&k, dir, public_name, secret_name, e);
    else {
        error_set(e, ERR_ABSENT, hidden ? N_("it cannot be opened") : N_("there is none"));
        good = false;
    }
    if (!good) {
        error_prefix(e, "the key keys/%s of the state", name);
        return false;
    }
    *out = k;
    keys_wipe(&k);
    return true;
}

void keys_wipe(struct keypair *k)
{
    sodium_memzero(k, sizeof *k);
}

void keys_sign(char out[89], const struct keypair *k, const void *bytes, size_t size)
{
    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_detached(signature, NULL, bytes, size, k->secret_key);
    sodium_bin2base64(out, 89, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
}

bool keys_verify(const struct keypair *k, const char *signature, const void *bytes, size_t size)
{
    uint8_t raw[crypto_sign_BYTES];
    size_t got = 0;
    return sodium_base642bin(raw, sizeof raw, signature, strlen(signature), NULL, &got, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           got == sizeof raw && crypto_sign_verify_detached(raw, bytes, size, k->public_key) == 0;
}

void keys_number_text(char out[17], const struct keypair *k)
{
    /* minisign prints it as a little-endian number */
    for (size_t i = 0; i < 8; i++)
        snprintf(out + 2 * i, 3, "%02X", k->number[7 - i]);
}

void keys_public_text(char out[KEYS_PUBLIC_TEXT], const struct keypair *k)
{
    uint8_t public[PUBLIC_BYTES];
    public_bytes(public, k);
    sodium_bin2base64(out, KEYS_PUBLIC_TEXT, public, sizeof public, sodium_base64_VARIANT_ORIGINAL);
}

bool keys_of_public_text(struct keypair *out, const char *text, struct error *e)
{
    uint8_t public[PUBLIC_BYTES];
    size_t got = 0;
    if (sodium_base642bin(public, sizeof public, text, strlen(text), NULL, &got, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        got != sizeof public || memcmp(public, "Ed", 2) != 0) {
        error_set(e, ERR_FORMAT, "this is not a public key as minisign -P takes it");
        return false;
    }
    *out = (struct keypair){.has_secret = false};
    memcpy(out->number, public + 2, 8);
    memcpy(out->public_key, public + 10, 32);
    return true;
}

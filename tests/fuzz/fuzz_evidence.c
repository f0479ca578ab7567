/* Any bytes as the list of a folder of evidence, with the hash that the ledger would have: whole
 * only where every name in it is a file with that hash, and nothing else lies there. */
#include "tests/fuzz/fuzz_root.h"

#include "respond/evidence.h"

#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct state *state;
    CLEANUP_ARENA struct arena *arena = arena_new();
    uint8_t hash[crypto_hash_sha256_BYTES];
    char digits[2 * sizeof hash + 1];
    const char *problem = NULL;
    size_t files;
    if (!state && !state_open(&state, fuzz_root(), NULL))
        abort();
    fuzz_root_write("evidence/2001-05-08-1/first-1/SHA256SUMS", data, size);
    fuzz_root_write("evidence/2001-05-08-1/first-1/index.json", "{}\n", 3);
    crypto_hash_sha256(hash, data, size);
    sodium_bin2hex(digits, sizeof digits, hash, sizeof hash);
    struct respond_options options = {.who = "fuzz"};
    struct response r = {
        .state = state, .arena = arena, .options = &options, .incident = {.id = "2001-05-08-1"}};
    struct evidence_entry entry = {.folder = "first-1", .sha256 = digits};
    if (!evidence_is_whole(&r, &entry, &files, &problem)) {
        if (!problem)
            abort();
    } else if (!files || !memmem(data, size, "index.json", 10)) {
        abort();
    }
    return 0;
}

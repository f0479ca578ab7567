/* Any bytes as the file of a key: the first says which of both. */
#include "record/keys.h"
#include "tests/fuzz/fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"keys/k.pub", "keys/k.key"};
    CLEANUP_STR struct str other = {0};
    if (!size)
        return 0;
    fuzz_root_write(names[data[0] & 1], data + 1, size - 1);
    str_printf(&other, "%s/%s", fuzz_root(), names[!(data[0] & 1)]);
    unlink(str_text(&other));
    CLEANUP_CLOSE int dir = open(fuzz_root(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct keypair k;
    char signature[89], number[17];
    if (!keys_open(&k, dir, "k", false, NULL))
        return 0;
    keys_number_text(number, &k);
    if (k.has_secret) {
        keys_sign(signature, &k, "x", 1);
        (void)!keys_verify(&k, signature, "x", 1);
    }
    (void)!keys_verify(&k, "", "x", 1);
    keys_wipe(&k);
    return 0;
}

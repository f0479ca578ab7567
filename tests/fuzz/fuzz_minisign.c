/* A signature: of this key and these bytes (only what was signed here is), or refused. */
#include "base/mem.h"
#include "record/minisign.h"

#include <stdlib.h>

static const char signed_bytes[] = "what was signed";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* a key of all zeros but for the number: nobody has signed with it */
    static const struct keypair k = {.number = {1, 2, 3, 4, 5, 6, 7, 8}, .public_key = {9}};
    char comment[MINISIGN_COMMENT_SIZE];
    struct error e = ERROR_INIT;
    CLEANUP_FREE char *text = mem_alloc(size + 1);
    if (size)
        memcpy(text, data, size);
    if (minisign_verify(&k, text, signed_bytes, sizeof signed_bytes, comment, &e) || !e.message[0])
        abort();
    return 0;
}

/* Facts as a caged collector sends them, and as a line of JSON: what is taken can be sent and
 * written again. The first byte says which. */
#include "base/json.h"
#include "base/mem.h"
#include "model/fact.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send_again(const struct facts *facts)
{
    CLEANUP_STR struct str wire = {0};
    CLEANUP(facts_cleanup) struct facts *again = facts_new();
    for (size_t i = 0; i < facts_count(facts); i++)
        fact_encode(&wire, facts_at(facts, i));
    struct bytes in = bytes_of(wire.data, wire.length);
    while (bytes_left(&in))
        if (!facts_add_encoded(again, &in, NULL))
            abort();
    if (facts_count(again) != facts_count(facts))
        abort();
    for (size_t i = 0; i < facts_count(facts); i++) {
        CLEANUP_JSON json_t *one = fact_to_json(facts_at(facts, i));
        CLEANUP_JSON json_t *other = fact_to_json(facts_at(again, i));
        if (!json_equal(one, other))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(facts_cleanup) struct facts *facts = facts_new();
    struct bytes in = bytes_of(data, size);
    if (bytes_u8(&in) == 'w') {
        while (bytes_left(&in) && facts_add_encoded(facts, &in, NULL))
            ;
        if (bytes_left(&in))
            return 0; /* the one that was refused is in the set, cut */
    } else {
        CLEANUP_JSON json_t *o =
            json_parse((const char *)data + 1, bytes_left(&in), "fuzz", 1 << 20, 64, NULL);
        if (!json_is_object(o) || !facts_add_json(facts, o, NULL))
            return 0;
    }
    send_again(facts);
    return 0;
}

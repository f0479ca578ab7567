/* long_ledger STATE COUNT: a ledger with so many entries more, as years of patches and guarding
 * leave it, for the tests that measure what does not wait for it. */
#include "base/json.h"
#include "model/date.h"
#include "record/ledger.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    CLEANUP(state_cleanup) struct state *s = NULL;
    struct error e = ERROR_INIT;
    json_begin();
    if (argc != 3)
        return 2;
    bool good = state_open(&s, argv[1], &e);
    for (long i = 0; good && i < strtol(argv[2], NULL, 10); i++) {
        CLEANUP_JSON json_t *o = json_pack("{s:s, s:s, s:s}", "kind", "tamper", "site", "shop",
                                           "text", "/var/www/shop/index.php was put back");
        json_put_int(o, "number", i);
        good = ledger_append(s, o, date_now(), &e);
    }
    if (!good)
        fprintf(stderr, "%s\n", e.message);
    return good ? 0 : 1;
}

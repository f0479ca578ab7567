/* A plan or receipt from anybody: refused with a reason, or every name and version in it is a word
 * that apt-get takes for nothing else. */
#include "base/mem.h"
#include "record/patch_plan.h"
#include "record/patch_receipt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_word(const char *word, bool may_be_empty)
{
    if (!*word ? !may_be_empty : *word == '-' || strpbrk(word, " \t\n/=*?$`'\"\\|&;<>"))
        abort();
}

static void check_rows(const struct facts *facts, const char *kind, const char *before,
                       const char *after)
{
    for (const struct fact *f = facts_first(facts, kind); f; f = facts_next(facts, kind, f)) {
        check_word(fact_text(f, "name"), false);
        check_word(fact_text(f, "arch"), false);
        check_word(fact_text(f, before), true);
        check_word(fact_text(f, after), true);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(facts_cleanup) struct facts *plan = facts_new();
    CLEANUP(facts_cleanup) struct facts *receipt = facts_new();
    struct error e = ERROR_INIT;
    if (patch_plan_parse(plan, (const char *)data, size, "fuzz", &e))
        check_rows(plan, "plan-package", "from", "to");
    else if (!e.message[0])
        abort();
    e = ERROR_INIT;
    if (patch_receipt_parse(receipt, (const char *)data, size, "fuzz", &e))
        check_rows(receipt, "receipt-package", "before", "after");
    else if (!e.message[0])
        abort();
    return 0;
}

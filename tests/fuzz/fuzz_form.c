/* Any bytes as a template of a form. */
#include "respond/forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_STR struct str out = {0};
    CLEANUP_JSON json_t *facts = json_object();
    json_put_string(facts, "host", "www\nor another");
    forms_fill(&out, (const char *)data, size, facts);
    return 0;
}

/* Any bytes as utmp, wtmp, btmp and lastlog: whoever was root has written them. */
#include "collect/utmp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(void *context, const struct utmp_entry *entry)
{
    *(size_t *)context += strlen(entry->user) + strlen(entry->line) + strlen(entry->host);
}

static void visit_last(void *context, uint64_t uid, const struct utmp_entry *entry)
{
    *(size_t *)context += (size_t)uid + strlen(entry->line) + strlen(entry->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sum = 0;
    utmp_parse(data, size, visit, &sum);
    utmp_parse_last(data, size, 0, visit_last, &sum);
    return 0;
}

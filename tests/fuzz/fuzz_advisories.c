/* A compiled file under right checksums: whatever its records say, nothing outside is read. */
#include "base/mem.h"
#include "feed/advisories_set.h"
#include "feed/db_format.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So that a change gets past the checksums to the readers of records. */
static void seal(uint8_t *bytes, size_t size)
{
    uint64_t at, length, sum;
    memcpy(&at, bytes + 32 + DB_PAGES * 16, 8);
    memcpy(&length, bytes + 32 + DB_PAGES * 16 + 8, 8);
    if (at > size || length > size - at)
        return;
    for (uint64_t i = 0; i < length / 8; i++) {
        uint64_t from = i ? i * DB_PAGE_BYTES : DB_HEADER_BYTES, to = (i + 1) * DB_PAGE_BYTES;
        if (from > at)
            break;
        sum = db_hash_bytes(bytes + from, (to < at ? to : at) - from);
        memcpy(bytes + at + i * 8, &sum, 8);
    }
    sum = db_hash_bytes(bytes + at, length);
    memcpy(bytes + DB_PAGES_HASH_AT, &sum, 8);
    sum = db_hash_bytes(bytes, DB_HEADER_HASH_AT);
    memcpy(bytes + DB_HEADER_HASH_AT, &sum, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE uint8_t *bytes = mem_dup(data, size);
    if (size >= DB_HEADER_BYTES)
        seal(bytes, size);
    CLEANUP_ADVISORIES struct advisories *set = NULL;
    if (!advisories_of_bytes(&set, bytes, size, NULL))
        return 0;
    const struct advisory_case *const *cases;
    const struct advisory_patch *const *patches;
    const struct advisory_revision *revisions;
    const struct advisory_feed *feeds;
    const char *const *texts;
    for (size_t i = 0; i < advisories_count(set); i++) {
        advisories_cases_of(set, advisories_at(set, i), &cases);
        advisories_revisions(set, advisories_at(set, i), &revisions);
    }
    advisories_cases(set, CASE_PRODUCT, "iis", "", &cases);
    advisories_cases(set, CASE_PACKAGE, "deb", "curl", &cases);
    advisories_find(set, "MS01-026");
    advisories_patches(set, "", &patches);
    advisories_circles(set, "iis", &texts);
    advisories_wants(set, &texts);
    advisories_feeds(set, &feeds);
    advisories_verify(set, NULL);
    return 0;
}

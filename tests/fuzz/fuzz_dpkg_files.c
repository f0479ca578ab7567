/* Any bytes as one of dpkg's lists of files, and as what the cache remembers of them. */
#include "collect/dpkg_files.h"
#include "tests/fuzz/fuzz_root.h"

struct memory {
    const void *data;
    size_t size;
};

static bool get(void *self, const char *key, const void **data, size_t *size)
{
    const struct memory *m = self;
    *data = m->data;
    *size = m->size;
    return true;
}

static void put(void *self, const char *slot, const char *key, const void *data, size_t size)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"/usr/sbin/nginx", "/bin/sh", "/usr/lib/x.so", "", "/"};
    const char *owners[ARRAY_COUNT(paths)];
    struct memory memory = {data, size};
    struct cache cache = {get, put, &memory};
    fuzz_root_write("var/lib/dpkg/info/nginx:amd64.list", data, size);
    for (int with_cache = 0; with_cache < 2; with_cache++) {
        CLEANUP(target_cleanup) struct target *target = NULL;
        CLEANUP_ARENA struct arena *arena = arena_new();
        CLEANUP(facts_cleanup) struct facts *facts = facts_new();
        if (!target_open_root(&target, fuzz_root(), NULL))
            abort();
        struct collection c = {.target = target,
                               .facts = facts,
                               .arena = arena,
                               .cache = with_cache ? &cache : NULL,
                               .netlink_fd = -1};
        dpkg_owners(&c, paths, ARRAY_COUNT(paths), owners);
        for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
            if (!with_cache && *owners[i] && strcmp(owners[i], "nginx") != 0)
                abort();
    }
    return 0;
}

/* Any bytes as what docker and podman keep, and as saved packet filter rules. */
#include "collect/containers.h"
#include "collect/saved_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(void *context, uint16_t port)
{
    *(size_t *)context += port;
}

static void rules(struct arena *arena, const char *text, size_t size, bool nft)
{
    CLEANUP_SAVED_RULES struct saved_rules r = {0};
    size_t sum = 0;
    (nft ? saved_rules_parse_nft : saved_rules_parse_iptables)(&r, arena, text, size);
    for (size_t i = 0; i < r.forwards.count; i++)
        saved_ports_each(r.forwards.items[i].ports, visit, &sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    CLEANUP_ARENA struct arena *arena = arena_new();
    CLEANUP_CONTAINER struct container docker = {0};
    CLEANUP_CONTAINER struct container quadlet = {0};
    container_parse_docker(&docker, arena, "", text, size, text, size, NULL);
    container_parse_quadlet(&quadlet, arena, text, size);
    rules(arena, text, size, false);
    rules(arena, text, size, true);
    return 0;
}

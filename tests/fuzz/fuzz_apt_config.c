/* The first byte chooses: pins, settings, sources in one line each, or sources as deb822. */
#include "collect/apt_conf.h"
#include "collect/apt_policy.h"
#include "collect/apt_sources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pins(struct arena *arena, const char *text, size_t size)
{
    struct apt_origin o = {.origin = "Debian",
                           .label = "Debian",
                           .archive = "stable",
                           .codename = "bookworm",
                           .version = "12.1",
                           .component = "main",
                           .arch = "amd64",
                           .site = "mirror.example"};
    CLEANUP_APT_POLICY struct apt_policy policy = {0};
    apt_policy_parse(&policy, arena, "", text, size);
    apt_policy_rate(&policy, &o);
    struct apt_version versions[2] = {{.version = "2", .origins = {&o}, .origin_count = 1},
                                      {.version = "1", .origins = {&o}, .origin_count = 1}};
    apt_policy_choose(&policy, "openssl", "amd64", "openssl", versions, 2, 1);
}

static void settings(struct arena *arena, const char *text, size_t size)
{
    CLEANUP_APT_CONF struct apt_conf conf = {0};
    const char *out[4];
    apt_conf_parse(&conf, arena, text, size);
    apt_conf_list(&conf, "APT::Architectures", arena, out, 4);
    apt_conf_true(&conf, "APT::Default-Release", false);
}

static void archives(struct arena *arena, const char *text, size_t size, bool deb822)
{
    CLEANUP_APT_SOURCES struct apt_sources s = {0};
    static const char *const configured[] = {"amd64"};
    const char *arches[4];
    (deb822 ? apt_sources_parse_deb822 : apt_sources_parse_lines)(&s, arena, "", "amd64", text,
                                                                  size);
    for (size_t i = 0; i < s.list.count; i++) {
        const struct apt_source *one = &s.list.items[i];
        apt_source_arches(one, configured, 1, arches, 4);
        apt_source_site(one, arena);
        apt_source_list_name(one, arena, apt_source_index(one, arena, "main", "amd64"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new();
    if (!size)
        return 0;
    const char *text = (const char *)data + 1;
    size--;
    switch (data[0]) {
    case 'p':
        pins(arena, text, size);
        break;
    case 'c':
        settings(arena, text, size);
        break;
    default:
        archives(arena, text, size, data[0] == 'd');
    }
    return 0;
}

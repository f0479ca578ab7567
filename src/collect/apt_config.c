/* /etc/apt of the target: settings, sources, preferences. */
#include "base/str.h"
#include "collect/apt.h"
#include "collect/dpkg.h"

enum { MOST_CONFIG_BYTES = 4 << 20, MOST_INCLUDES = 200, MOST_INCLUDE_DEPTH = 10 };

static void say_damaged(struct collection *c, const char *what, const char *path)
{
    facts_unread(c->facts, what, path, _("it could not be understood in full; apt may see more"));
}

/* Calls `take` for one file; nothing happens where it is not there. */
static void with_file(struct apt_state *s, const char *path,
                      void (*take)(struct apt_state *s, const char *path, const char *text,
                                   size_t size))
{
    size_t size = 0;
    char *text = collect_text(s->c, path, MOST_CONFIG_BYTES, &size);
    if (text)
        take(s, path, text, size);
}

static void
with_folder(struct apt_state *s, const char *folder, const char *extension, const char *other,
            void (*take)(struct apt_state *s, const char *path, const char *text, size_t size))
{
    struct target_entry *entries;
    size_t count = collect_list(s->c, N_("settings of apt"), folder, &entries, NULL);
    for (size_t i = 0; i < count; i++)
        if (entries[i].type != TARGET_DIR && apt_conf_takes_file(entries[i].name, extension, other))
            with_file(s, arena_printf(s->c->arena, "%s/%s", folder, entries[i].name), take);
}

static void take_conf(struct apt_state *s, const char *path, const char *text, size_t size)
{
    if (!apt_conf_parse(&s->conf, s->c->arena, text, size))
        say_damaged(s->c, N_("settings of apt"), path);
}

static void take_sources(struct apt_state *s, const char *path, const char *text, size_t size)
{
    const char *native = s->arch_count ? s->arches[0] : NULL;
    uint64_t before = s->sources.malformed;
    (str_ends(path, ".sources") ? apt_sources_parse_deb822 : apt_sources_parse_lines)(
        &s->sources, s->c->arena, path, native, text, size);
    if (s->sources.malformed > before)
        say_damaged(s->c, N_("archives of apt"), path);
}

static void take_preferences(struct apt_state *s, const char *path, const char *text, size_t size)
{
    uint64_t before = s->policy.malformed;
    apt_policy_parse(&s->policy, s->c->arena, path, text, size);
    if (s->policy.malformed > before)
        say_damaged(s->c, N_("pins of apt"), path);
}

static void find_arches(struct apt_state *s)
{
    struct collection *c = s->c;
    struct error e = ERROR_INIT;
    const char *native = apt_conf_get(&s->conf, "APT::Architecture");
    s->arch_count =
        apt_conf_list(&s->conf, "APT::Architectures", c->arena, s->arches, APT_MOST_ARCHES);
    if (!s->arch_count)
        s->arch_count =
            dpkg_architectures(c->target, c->facts, c->arena, s->arches, APT_MOST_ARCHES, &e);
    if (e.code)
        facts_unread(c->facts, N_("updates: foreign architectures"), e.path, e.message);
    if (!native)
        native = dpkg_native_arch(c->target, c->facts, c->arena);
    for (size_t i = 0; native && i < s->arch_count; i++)
        if (str_equal(s->arches[i], native)) { /* the native one stands first */
            s->arches[i] = s->arches[0];
            s->arches[0] = native;
            return;
        }
    if (native && s->arch_count < APT_MOST_ARCHES) {
        memmove(s->arches + 1, s->arches, s->arch_count * sizeof *s->arches);
        s->arches[0] = native;
        s->arch_count++;
    }
}

/* What is named relative to a working directory, and more than MOST_INCLUDES, is not followed. */
static bool follow(void *context, const char *path)
{
    struct apt_state *s = context;
    if (*path != '/' || s->depth == MOST_INCLUDE_DEPTH || s->includes++ == MOST_INCLUDES)
        return false;
    size_t length = strlen(path);
    s->depth++;
    if (path[length - 1] == '/')
        with_folder(s, arena_strndup(s->c->arena, path, length - 1), "", "conf", take_conf);
    else
        with_file(s, path, take_conf);
    s->depth--;
    return true;
}

/* The path that a setting names, where anything else than the usual one is; NULL: switched off. */
static const char *place(struct apt_state *s, const char *key)
{
    return apt_conf_path(&s->conf, s->c->arena, key);
}

static void read_at(struct apt_state *s, const char *key, const char *parts, const char *extension,
                    const char *other,
                    void (*take)(struct apt_state *s, const char *path, const char *text,
                                 size_t size))
{
    const char *file = place(s, key), *folder = place(s, parts);
    if (file)
        with_file(s, file, take);
    if (folder)
        with_folder(s, folder, extension, other, take);
}

void apt_read_config(struct apt_state *s)
{
    s->conf.include = follow;
    s->conf.context = s;
    with_folder(s, "/etc/apt/apt.conf.d", "", "conf", take_conf);
    with_file(s, "/etc/apt/apt.conf", take_conf);
    if (s->conf.not_followed)
        facts_unread(
            s->c->facts, N_("settings of apt"), "/etc/apt/apt.conf.d",
            arena_printf(s->c->arena, _("#include \"%s\" was not followed"), s->conf.not_followed));
    const char *packages = place(s, "Dir::State::status");
    if (!packages || !str_equal(packages, "/var/lib/dpkg/status"))
        facts_unread(s->c->facts, N_("settings of apt"), packages ? packages : "",
                     _("Dir::State::status names another list of packages than dpkg's: it was not "
                       "read"));
    s->lists = place(s, "Dir::State::lists");
    find_arches(s);
    read_at(s, "Dir::Etc::sourcelist", "Dir::Etc::sourceparts", "list", "sources", take_sources);
    read_at(s, "Dir::Etc::preferences", "Dir::Etc::preferencesparts", "", "pref", take_preferences);
    const char *release = apt_conf_get(&s->conf, "APT::Default-Release");
    if (release && *release)
        apt_policy_default(&s->policy, release);
}

/* persist_units.c - units of systemd that no package brought so, and what they run:
 * systemd.unit(5) for the folders, systemd.service(5) and its kin for what is run. Drop-ins
 * (NAME.d/ *.conf) count as units. What generators make under /run at each start, and transient
 * units, are not looked at: they do not outlive a start. */
#include "collect/persistence.h"

#include "base/str.h"

static const char *const folders[] = {
    "/etc/systemd/system",         "/run/systemd/system",     "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",     "/lib/systemd/system",     "/etc/systemd/user",
    "/run/systemd/user",           "/usr/lib/systemd/user",   "/usr/local/lib/systemd/user",
    "/etc/systemd/system.control", "/usr/share/systemd/user",
};
static const char *const of_homes[] = {".config/systemd/user", ".local/share/systemd/user"};

static bool is_unit(const char *name)
{
    static const char *const suffixes[] = {".service", ".timer",     ".path",  ".socket",
                                           ".mount",   ".automount", ".target"};
    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++)
        if (str_ends(name, suffixes[i]))
            return true;
    return false;
}

/* What is run, when, and with what in its surroundings. */
static bool tells(const char *line)
{
    static const char *const keys[] = {"Exec",  "On",    "Unit=",  "Path",      "Environment",
                                       "User=", "What=", "Listen", "Requires=", "Wants="};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (str_starts(line, keys[i]))
            return true;
    return false;
}

/* A link to a unit that is looked at where it lies says nothing more. */
static bool leads_to_another(const struct origin *origin, const char *path)
{
    if (str_equal(origin->path, path))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        if (str_starts(origin->path, folders[i]))
            return true;
    return false;
}

static void look_at(struct persist *p, const char *path, const char *user)
{
    struct target_stat st;
    size_t size;
    if (!persist_there(p, "unit", path, &st))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    const char *text = origin.state == ORIGIN_PACKAGE || !st.size || leads_to_another(&origin, path)
                           ? NULL
                           : persist_text(p, "unit", path, &size);
    if (!text)
        return;
    struct fact *f = persist_add(p, "unit", path, 0, &origin);
    if (user)
        fact_put(p->c->facts, f, "user", user);
    fact_put(p->c->facts, f, "runs", persist_lines(p, text, size, tells));
    if (!str_equal(origin.path, path))
        fact_put(p->c->facts, f, "leads_to", origin.path);
}

static void look_into(struct persist *p, const char *folder, const char *user, bool inner)
{
    struct target_entry *entries;
    size_t count = persist_list(p, "unit", folder, &entries);
    for (size_t i = 0; i < count; i++) {
        const char *name = entries[i].name;
        const char *path = arena_printf(p->c->arena, "%s/%s", folder, name);
        bool drop_in = str_ends(name, ".d"), wants = str_ends(name, ".wants") ||
                                                     str_ends(name, ".requires") ||
                                                     str_ends(name, ".upholds");
        if (!inner && (drop_in || wants))
            look_into(p, path, user, true);
        else if (is_unit(name) || (inner && str_ends(name, ".conf")))
            look_at(p, path, user);
    }
}

void collect_persist_units(struct collection *c)
{
    struct persist p = persist_begin(c);
    struct target_stat st;
    bool merged = target_stat(c->target, "/lib", false, &st, NULL) && st.type == TARGET_LINK;
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        if (!merged || !str_starts(folders[i], "/lib/"))
            look_into(&p, folders[i], NULL, false);
    persist_homes(&p);
    for (size_t i = 0; i < p.homes.count; i++)
        for (size_t k = 0; k < ARRAY_COUNT(of_homes); k++)
            look_into(&p,
                      arena_printf(c->arena, "%s/%s",
                                   p.homes.items[i].path[1] ? p.homes.items[i].path : "",
                                   of_homes[k]),
                      p.homes.items[i].user, false);
    persist_end(&p);
}

#include "collect/iis_internal.h"

enum {
    /* MD_ACCESS_*, IIScnfg.h */
    ACCESS_READ = 1,
    ACCESS_WRITE = 2,
    ACCESS_EXECUTE = 4,
    ACCESS_SOURCE = 0x10,
    ACCESS_SCRIPT = 0x200,
};

void iis_facts_put(struct iis *s, struct fact *f, const char *key, const char *text)
{
    fact_put(s->c->facts, f, key, text);
}

void iis_facts_put_yes(struct iis *s, struct fact *f, const char *key, bool yes)
{
    fact_put(s->c->facts, f, key, yes ? "yes" : "no");
}

void iis_facts_put_volume(struct iis *s, struct fact *f, const char *directory)
{
    bool sure;
    const char *full = windows_expand(s->w, s->c->arena, directory, &sure);
    if (full && full[0] && full[1] == ':')
        iis_facts_put_yes(s, f, "on_system_volume", str_lower(full[0]) == str_lower(s->w->drive));
}

void iis_facts_put_place(struct iis *s, struct fact *f, const char *directory)
{
    struct error e = ERROR_INIT;
    struct windows_path found;
    iis_facts_put(s, f, "directory", directory);
    if (windows_resolve(s->w, s->c->arena, directory, &found, &e))
        iis_facts_put(s, f, "directory_exists", "yes");
    else if (e.code == ERR_ABSENT)
        iis_facts_put(s, f, "directory_exists", "no");
    else
        fact_put_state(s->c->facts, f, "directory_exists", VALUE_UNREADABLE, e.message);
    iis_facts_put_volume(s, f, directory);
}

void iis_facts_put_access(struct iis *s, struct fact *f, uint32_t flags)
{
    fact_put_number(s->c->facts, f, "access_flags", flags);
    iis_facts_put_yes(s, f, "readable", flags & ACCESS_READ);
    iis_facts_put_yes(s, f, "writable", flags & ACCESS_WRITE);
    iis_facts_put_yes(s, f, "executable", flags & ACCESS_EXECUTE);
    /* IIS 3 knows one right for scripts and programs */
    iis_facts_put_yes(s, f, "script",
                      flags & (ACCESS_SCRIPT | (s->major == 3 ? ACCESS_EXECUTE : 0)));
    iis_facts_put_yes(s, f, "source_access", flags & ACCESS_SOURCE);
}

void iis_facts_put_unreadable(struct iis *s, struct fact *f, const char *key)
{
    fact_put_state(s->c->facts, f, key, VALUE_UNREADABLE,
                   _("it stands in MetaBase.bin, whose format is not public: export it with "
                     "\"adsutil.vbs enum_all /p > metabase.txt\" beside it"));
}

void iis_facts_put_groups(struct iis *s, struct fact *f)
{
    fact_put_state(s->c->facts, f, "anonymous_groups", VALUE_UNREADABLE,
                   _("the accounts (hive SAM) are not looked at"));
}

struct fact *iis_facts_begin(struct iis *s, const char *kind, const char *instance, size_t line,
                             bool from_export, enum confidence confidence)
{
    struct fact *f =
        from_export ? facts_add(s->c->facts, kind, s->export_path, line, -1, s->export_confidence)
                    : windows_fact(s->c, &s->w->hives[WINDOWS_SYSTEM], kind, confidence);
    iis_facts_put(s, f, "server", "iis");
    iis_facts_put(s, f, "instance", instance);
    return f;
}

void iis_facts_put_map(struct iis *s, struct fact *f, const char *text, const char *from)
{
    char *copy = arena_strdup(s->c->arena, text), *cell[4] = {copy};
    for (size_t i = 1; i < ARRAY_COUNT(cell) && cell[i - 1]; i++) {
        cell[i] = strchr(cell[i - 1], ',');
        if (cell[i])
            *cell[i]++ = '\0';
    }
    iis_facts_put(s, f, "extension", cell[0]);
    iis_facts_put(s, f, "handler", cell[1] ? cell[1] : "");
    if (cell[2])
        iis_facts_put(s, f, "flags", cell[2]);
    iis_facts_put(s, f, "verbs", cell[3] ? cell[3] : "");
    iis_facts_put(s, f, "verbs_are", s->major < 5 ? "excluded" : "allowed");
    iis_facts_put(s, f, "from", from);
    s->maps++;
}

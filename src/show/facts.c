#include "show/show.h"

#include "base/json.h"
#include "base/str.h"

enum { LABEL = 19 };

/* What of each kind is shown without --all: the keys that tell one from another. */
static const struct {
    const char *kind, *title;
    const char *keys[6];
} columns[] = {
    {"product", N_("Server software"), {"title", "name", "version"}},
    {"site", N_("Sites"), {"server", "name", "bindings", "root"}},
    {"listener", N_("Listening"), {"port", "proto", "address", "process", "package", "service"}},
    {"hotfix", N_("Patches"), {"id", "installed", "place"}},
    {"hotfix-leavings", N_("Left by uninstalled patches"), {"id", "path"}},
    {"update", N_("Updates"), {"name", "installed", "candidate", "security", "held"}},
    {"update-source",
     N_("Package lists"),
     {"suite", "component", "origin", "state", "valid_until"}},
    {"kernel", N_("Kernel"), {"running", "installed"}},
    {"registry", N_("Registry"), {"hive", "state", "format"}},
    {"leaving", N_("Left by attackers"), {"of", "path", "what"}},
    {"firewall", N_("Firewall files"), {"tool", "path", "state", "policy"}},
    {"unread", N_("Could not be looked at"), {"what", "reason"}},
};

static size_t count_of(const struct facts *facts, const char *kind)
{
    size_t n = 0;
    for (const struct fact *f = facts_first(facts, kind); f; f = facts_next(facts, kind, f))
        n++;
    return n;
}

static void show_host(struct show *s, const struct audit *a)
{
    static const struct {
        const char *key, *label;
    } rows[] = {{"name", N_("host name")},
                {"os", N_("system")},
                {"version", N_("version")},
                {"build", N_("build")},
                {"service_pack", N_("service pack")},
                {"arch", N_("architecture")},
                {"system_root", N_("system folder")},
                {"product_type", N_("product type")},
                {"identity_source", N_("known by")}};
    const struct fact *host = facts_first(a->facts, "host");
    show_colour(s, SHOW_BOLD);
    show_wrap(s, "", 0, language_text(target_name(a->target)));
    show_colour(s, SHOW_PLAIN);
    for (size_t i = 0; host && i < ARRAY_COUNT(rows); i++) {
        const char *text = fact_text(host, rows[i].key);
        if (!*text)
            continue;
        CLEANUP_STR struct str first = {0};
        str_printf(&first, "  %s ", _(rows[i].label));
        for (unsigned n = show_columns(str_text(&first)); n < LABEL; n++)
            str_add_char(&first, ' ');
        show_wrap(s, str_text(&first), LABEL, text);
    }
}

/* Values that are words of ours, not of the target's. */
static const struct {
    const char *key, *value, *word;
} words[] = {
    {"security", "yes", N_("security")},
    {"security", "no", ""},
    {"held", "yes", N_("held")},
    {"held", "no", ""},
    {"installed", "1", N_("installed")},
    {"installed", "0", N_("not installed")},
    {"state", "fresh", N_("fresh")},
    {"state", "expired", N_("expired")},
    {"state", "stale", N_("stale")},
    {"state", "missing", N_("missing")},
    {"state", "unreadable", N_("unreadable")},
    {"state", "clean", N_("clean")},
    {"state", "dirty", N_("dirty")},
    {"state", "enabled", N_("enabled")},
    {"state", "disabled", N_("disabled")},
};

static const char *word(const char *key, const char *text)
{
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (str_equal(words[i].key, key) && str_equal(words[i].value, text))
            return language_text(words[i].word);
    return str_equal(key, "what") ? language_text(text) : text;
}

static void show_kind(struct show *s, const struct audit *a, size_t row)
{
    size_t total = count_of(a->facts, columns[row].kind), shown = 0;
    if (!total)
        return;
    show_colour(s, SHOW_BOLD);
    fprintf(s->out, "\n%s (%zu)\n", language_text(columns[row].title), total);
    show_colour(s, SHOW_PLAIN);
    for (const struct fact *f = facts_first(a->facts, columns[row].kind); f;
         f = facts_next(a->facts, columns[row].kind, f)) {
        if (shown++ == 12 && !s->all) {
            fprintf(s->out, _("  … and %zu more (--all)\n"), total - 12);
            break;
        }
        CLEANUP_STR struct str line = {0};
        for (size_t k = 0; k < ARRAY_COUNT(columns[row].keys) && columns[row].keys[k]; k++) {
            const char *key = columns[row].keys[k], *text = word(key, fact_text(f, key));
            if (*text)
                str_printf(&line, "%s%s", line.length ? "  " : "", text);
        }
        show_wrap(s, "  ", 4, str_text(&line));
    }
}

void show_facts(struct show *s, const struct audit *a)
{
    if (s->json) {
        for (size_t i = 0; i < facts_count(a->facts); i++)
            show_json_line(s, fact_to_json(facts_at(a->facts, i)));
        json_t *o = json_object();
        json_put_string(o, "type", "summary");
        json_put_string(o, "target", a->identity);
        json_put_int(o, "found", 0);
        json_put_int(o, "unknown",
                     (int64_t)count_of(a->facts, "unread") + !facts_first(a->facts, "host"));
        json_put_int(o, "facts", (int64_t)facts_count(a->facts));
        show_json_line(s, o);
        return;
    }
    show_host(s, a);
    for (size_t row = 0; row < ARRAY_COUNT(columns); row++)
        show_kind(s, a, row);
    size_t packages = count_of(a->facts, "package");
    fputc('\n', s->out);
    if (packages)
        fprintf(s->out, ngettext("%zu package, ", "%zu packages, ", packages), packages);
    size_t all = facts_count(a->facts);
    fprintf(s->out,
            ngettext("%zu fact in all; --json prints every one.\n",
                     "%zu facts in all; --json prints every one.\n", all),
            all);
}

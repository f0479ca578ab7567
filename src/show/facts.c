#include "show/show.h"

#include "base/json.h"
#include "base/str.h"

enum { LABEL = 19 };

/* What of each kind is shown without --all: the keys that tell one from another, each below the
 * word for it. */
static const struct {
    const char *kind, *title;
    struct {
        const char *key, *word;
    } keys[6];
} columns[] = {
    {"product",
     N_("Server software"),
     {{"title", N_("software")}, {"name", N_("kind")}, {"version", N_("version")}}},
    {"site",
     N_("Sites"),
     {{"server", N_("server")},
      {"name", N_("name")},
      {"bindings", N_("bindings")},
      {"root", N_("folder")}}},
    {"listener",
     N_("Listening"),
     {{"port", N_("port")},
      {"proto", N_("protocol")},
      {"address", N_("address")},
      {"process", N_("process")},
      {"package", N_("package")},
      {"service", N_("service")}}},
    {"hotfix",
     N_("Patches"),
     {{"id", N_("patch")}, {"installed", N_("installed?")}, {"place", N_("seen in")}}},
    {"hotfix-leavings",
     N_("Folders that patches keep for their removal"),
     {{"id", N_("patch")}, {"path", N_("folder")}}},
    {"update",
     N_("Updates"),
     {{"name", N_("package")},
      {"installed", N_("installed")},
      {"candidate", N_("available")},
      {"security", N_("security?")},
      {"held", N_("held?")}}},
    {"update-source",
     N_("Package lists"),
     {{"suite", N_("suite")},
      {"component", N_("component")},
      {"origin", N_("from")},
      {"state", N_("state")},
      {"valid_until", N_("valid until")}}},
    {"kernel", N_("Kernel"), {{"running", N_("running")}, {"installed", N_("installed")}}},
    {"registry",
     N_("Registry"),
     {{"hive", N_("hive")}, {"state", N_("state")}, {"format", N_("format")}}},
    {"leaving",
     N_("Left by attackers"),
     {{"of", N_("of")}, {"path", N_("path")}, {"what", N_("what")}}},
    {"firewall",
     N_("Firewall files"),
     {{"tool", N_("tool")},
      {"path", N_("path")},
      {"state", N_("state")},
      {"policy", N_("policy")}}},
    {"unread", N_("Could not be looked at"), {{"what", N_("what")}, {"reason", N_("reason")}}},
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
    {"security", "yes", N_("yes")},
    {"security", "no", N_("no")},
    {"held", "yes", N_("yes")},
    {"held", "no", N_("no")},
    {"installed", "1", N_("yes")},
    {"installed", "0", N_("no")},
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

static void show_kind(struct show *s, struct arena *arena, const struct audit *a, size_t row)
{
    size_t total = count_of(a->facts, columns[row].kind), shown = 0;
    if (!total)
        return;
    show_colour(s, SHOW_BOLD);
    fprintf(s->out, "\n%s (%zu)\n", language_text(columns[row].title), total);
    show_colour(s, SHOW_PLAIN);
    struct show_table table = {.columns = ARRAY_COUNT(columns[row].keys), .indent = 2};
    struct show_line *line = show_table_line(&table, SHOW_DIM);
    while (table.columns && !columns[row].keys[table.columns - 1].key)
        table.columns--;
    for (size_t k = 0; k < table.columns; k++)
        line->cells[k] = language_text(columns[row].keys[k].word);
    for (const struct fact *f = facts_first(a->facts, columns[row].kind); f;
         f = facts_next(a->facts, columns[row].kind, f)) {
        if (shown++ == 12 && !s->all)
            break;
        line = show_table_line(&table, SHOW_PLAIN);
        for (size_t k = 0; k < table.columns; k++) {
            const char *key = columns[row].keys[k].key;
            line->cells[k] = word(key, fact_text(f, key));
        }
    }
    show_table(s, &table, true);
    if (total > 12 && !s->all)
        show_wrap(s, "  ", 4,
                  arena_printf(arena, _("… and %zu more: %s"), total - 12,
                               show_command(arena, "facts --all")));
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
    CLEANUP_ARENA struct arena *arena = arena_new();
    show_host(s, a);
    for (size_t row = 0; row < ARRAY_COUNT(columns); row++)
        show_kind(s, arena, a, row);
    size_t packages = count_of(a->facts, "package");
    fputc('\n', s->out);
    CLEANUP_STR struct str line = {0};
    if (packages)
        str_printf(&line, ngettext("%zu package, ", "%zu packages, ", packages), packages);
    size_t all = facts_count(a->facts);
    str_printf(&line,
               ngettext("%zu fact in all. Every one: %s", "%zu facts in all. Every one: %s", all),
               all, show_command(arena, "facts --json"));
    show_wrap(s, "", 2, str_text(&line));
}

/* What `showrev -p` or `patchadd -p` printed, perhaps with `showrev` or `uname -a` before it. */
#include "collect/conf_lines.h"
#include "collect/solaris.h"

enum { MOST_LINE = 64 * 1024 };

struct showing {
    struct collection *c;
    struct patch_set *patches;
    const char *name, *release, *arch;
    uint64_t release_line;
    bool no_patches; /* it said that there are none */
    bool from_patch; /* the release is that of a kernel patch */
};

/* "Release: 5.7", "Hostname: kaede", "Application architecture: sparc": showrev(1M). */
static void read_showrev_line(struct showing *s, char *line, uint64_t number)
{
    char *colon = strchr(line, ':');
    if (!colon)
        return;
    *colon = '\0';
    char *value = str_trim(colon + 1);
    if (!*value || strlen(value) > 255)
        return;
    if (str_equal(line, "Hostname") && !s->name) {
        s->name = arena_strdup(s->c->arena, value);
    } else if (str_equal(line, "Release") && !s->release &&
               solaris_release_name(s->c->arena, value)) {
        s->release = arena_strdup(s->c->arena, value);
        s->release_line = number;
    } else if (str_equal(line, "Application architecture") && !s->arch) {
        s->arch = solaris_arch(value);
    }
}

/* "SunOS kaede 5.7 Generic_106541-08 sun4u sparc SUNW,Ultra-5_10" */
static void read_uname_line(struct showing *s, char *line, uint64_t number)
{
    char *words[6] = {0};
    for (size_t i = 0; i < ARRAY_COUNT(words) && (words[i] = conf_lines_word(&line)); i++)
        ;
    if (!words[4] || !solaris_release_name(s->c->arena, words[2]) || s->release)
        return;
    s->release = arena_strdup(s->c->arena, words[2]);
    s->release_line = number;
    if (!s->name && strlen(words[1]) <= 255)
        s->name = arena_strdup(s->c->arena, words[1]);
    if (!s->arch)
        s->arch = solaris_arch(words[5] ? words[5] : words[4]);
}

/* Kernel patches differ by release and architecture: they tell both. */
static void guess_from_patches(struct showing *s)
{
    for (size_t i = 0; i < patch_set_count(s->patches); i++) {
        const struct patch *patch = patch_set_at(s->patches, i);
        const struct solaris_system *system = solaris_system_of_patch(patch->id);
        if (!system)
            continue;
        if (!s->release) {
            s->release = system->release;
            s->release_line = patch->line;
            s->from_patch = true;
        }
        if (!s->arch && str_equal(s->release, system->release))
            s->arch = system->arch;
    }
}

static void put_or_unreadable(struct collection *c, struct fact *f, const char *key,
                              const char *value, const char *reason)
{
    if (value)
        fact_put(c->facts, f, key, value);
    else
        fact_put_state(c->facts, f, key, VALUE_UNREADABLE, reason);
}

static void put_host(struct showing *s)
{
    struct collection *c = s->c;
    const char *why = _("the text does not say: put the output of `uname -a` before it");
    const char *path = target_name(c->target);
    const char *marketing = s->release ? solaris_release_name(c->arena, s->release) : NULL;
    const char *os = marketing ? arena_printf(c->arena, "Solaris %s", marketing) : "Solaris";
    enum confidence confidence = s->from_patch ? CONFIDENCE_MEDIUM : CONFIDENCE_HIGH;

    struct fact *host = facts_add(c->facts, "host", path, s->release_line, -1, confidence);
    fact_put(c->facts, host, "family", "solaris");
    put_or_unreadable(c, host, "name", s->name, why);
    fact_put(c->facts, host, "os", os);
    put_or_unreadable(c, host, "version", s->release, why);
    put_or_unreadable(c, host, "arch", s->arch, why);
    put_or_unreadable(c, host, "identity", s->name, why);
    if (s->name)
        fact_put(c->facts, host, "identity_source", _("host name"));

    struct fact *product = facts_add(c->facts, "product", path, s->release_line, -1, confidence);
    fact_put(c->facts, product, "name", "solaris");
    put_or_unreadable(c, product, "version", s->release, why);
    fact_put(c->facts, product, "title", os);
}

static void read_line(struct showing *s, char *line, uint64_t number)
{
    if (str_starts(line, "Patch:")) {
        if (!patch_set_add_line(s->patches, line, target_name(s->c->target), number))
            facts_unread(s->c->facts, N_("patches"), target_name(s->c->target),
                         arena_printf(s->c->arena, _("line %llu names no patch number"),
                                      (unsigned long long)number));
    } else if (str_starts(line, "SunOS ")) {
        read_uname_line(s, line, number);
    } else if (str_starts_nocase(line, "no patches")) {
        s->no_patches = true;
    } else {
        read_showrev_line(s, line, number);
    }
}

void collect_solaris_text(struct collection *c)
{
    if (target_kind(c->target) != TARGET_TEXT || collect_host(c))
        return;
    size_t size;
    const char *text = target_text(c->target, &size);
    CLEANUP_PATCH_SET struct patch_set *patches = patch_set_new();
    struct showing s = {.c = c, .patches = patches};
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text, size, CONF_INDENTED, MOST_LINE);
    CLEANUP(facts_cleanup) struct facts *said = facts_new();
    struct collection quiet = *c;
    quiet.facts = said; /* nothing is stated of a text that is not ours */
    s.c = &quiet;
    for (char *line; (line = conf_lines_next(&lines));)
        read_line(&s, line, lines.line);
    if (!patch_set_count(patches) && !(s.no_patches && s.release))
        return;
    s.c = c;
    for (const struct fact *f = facts_first(said, "unread"); f; f = facts_next(said, "unread", f))
        facts_unread(c->facts, fact_text(f, N_("what")), f->path, fact_text(f, "reason"));
    conf_lines_state(&lines, c->facts, N_("patches"), target_name(c->target));
    guess_from_patches(&s);
    put_host(&s);
    collect_text_unread(c, N_("files and services"),
                        _("a text from showrev names the system and its patches only"));
    patch_set_facts(patches, c->facts);
    if (patch_set_refused(patches))
        facts_unread(c->facts, N_("patches"), target_name(c->target),
                     _("more patches than are kept: the rest was passed over"));
}

#include "act/packages.h"

#include "act/host_program.h"
#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    QUERY_SECONDS = 120,
    FETCH_SECONDS = 1800,
    INSTALL_SECONDS = 3600,
    MOST_WORDS = 6000,
    MOST_PACKAGES = 200000
};

#define CACHE_OF_APT "/var/cache/apt/archives"

static const char *const quiet[] = {"DEBIAN_FRONTEND=noninteractive",
                                    "APT_LISTCHANGES_FRONTEND=none",
                                    "APT_LISTBUGS_FRONTEND=none",
                                    "NEEDRESTART_MODE=l",
                                    "NEEDRESTART_SUSPEND=1",
                                    "UCF_FORCE_CONFFOLD=1",
                                    "TERM=dumb",
                                    NULL};

/* A command line that grows. */
struct words {
    VEC(const char *) list;
    struct arena *arena;
};

static void words_free(struct words *w)
{
    VEC_FREE(&w->list);
    arena_free(w->arena);
}

static struct words words_of(const char *const *first, size_t count)
{
    struct words w = {.arena = arena_new()};
    for (size_t i = 0; i < count; i++)
        VEC_PUSH(&w.list, first[i]);
    return w;
}

/* apt-get and what holds for every run of it. */
static struct words apt_get(void)
{
    static const char *const options[] = {"apt-get", "-q",
                                          "-y",      "--no-install-recommends",
                                          "-o",      "Dpkg::Options::=--force-confold",
                                          "-o",      "Dpkg::Use-Pty=0",
                                          "-o",      "Dpkg::Progress-Fancy=0",
                                          "-o",      "DPkg::Lock::Timeout=120",
                                          "-o",      "Acquire::Retries=2"};
    return words_of(options, ARRAY_COUNT(options));
}

static void add(struct words *w, const char *word)
{
    VEC_PUSH(&w->list, word);
}

/* "name:arch"; what is of all architectures is named alone. */
static const char *full_name(struct arena *arena, const struct package_change *c)
{
    return !*c->arch || strcmp(c->arch, "all") == 0
               ? c->name
               : arena_printf(arena, "%s:%s", c->name, c->arch);
}

static void add_targets(struct words *w, const struct package_change *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (*wanted[i].to)
            add(w, arena_printf(w->arena, "%s=%s", full_name(w->arena, &wanted[i]), wanted[i].to));
}

static bool run(struct words *w, unsigned seconds, bool finishes, int log, int *code,
                struct str *output, struct error *e)
{
    VEC_PUSH(&w->list, NULL);
    struct host_program p = {.argv = w->list.items,
                             .variables = quiet,
                             .seconds = seconds,
                             .finishes = finishes,
                             .log = log};
    if (!host_program_run(&p, code, output, e))
        return false;
    if (*code == HOST_PROGRAM_NOT_THERE) {
        error_set(e, ERR_UNSUPPORTED, "there is no %s on this host", w->list.items[0]);
        return false;
    }
    return true;
}

/* --- what dpkg has --- */

void packages_states_free(struct package_states *s)
{
    VEC_FREE(&s->list);
    arena_free(s->arena);
    s->arena = NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct package_state *)a)->name, ((const struct package_state *)b)->name);
}

/* The next field of a line that tabs divide. */
static const char *field(struct arena *arena, const char **at, const char *end)
{
    const char *tab = memchr(*at, '\t', (size_t)(end - *at)), *stop = tab ? tab : end;
    const char *text = arena_strndup(arena, *at, (size_t)(stop - *at));
    *at = tab ? tab + 1 : end;
    return text;
}

bool packages_look(struct package_states *out, struct error *e)
{
    static const char *const query[] = {"dpkg-query", "-W", "-f",
                                        "${Package}\t${Architecture}\t${Version}\t"
                                        "${db:Status-Want}\t${db:Status-Status}\n"};
    CLEANUP(words_free) struct words w = words_of(query, ARRAY_COUNT(query));
    CLEANUP_STR struct str text = {0};
    int code;
    if (!run(&w, QUERY_SECONDS, false, -1, &code, &text, e))
        return false;
    if (code != 0) {
        error_set(e, ERR_UNREADABLE, "dpkg-query ended with %d", code);
        return false;
    }
    struct package_states s = {.arena = arena_new()};
    const char *line;
    size_t position = 0, length;
    while (str_next_line(str_text(&text), text.length, &position, &line, &length) &&
           s.list.count < MOST_PACKAGES) {
        const char *at = line, *end = line + length;
        struct package_state p = {.name = field(s.arena, &at, end)};
        p.arch = field(s.arena, &at, end);
        p.version = field(s.arena, &at, end);
        p.hold = str_equal(field(s.arena, &at, end), "hold");
        const char *status = field(s.arena, &at, end);
        p.finished = str_equal(status, "installed");
        p.there = !str_equal(status, "not-installed") && !str_equal(status, "config-files");
        VEC_PUSH(&s.list, p);
    }
    if (s.list.count)
        qsort(s.list.items, s.list.count, sizeof *s.list.items, by_name);
    *out = s;
    return true;
}

const struct package_state *packages_find(const struct package_states *s, const char *name,
                                          const char *arch)
{
    struct package_state wanted = {.name = name};
    const struct package_state *end = s->list.items + s->list.count,
                               *found = s->list.count
                                            ? bsearch(&wanted, s->list.items, s->list.count,
                                                      sizeof *s->list.items, by_name)
                                            : NULL;
    while (found && found > s->list.items && str_equal(found[-1].name, name))
        found--;
    for (; found && found < end && str_equal(found->name, name); found++)
        if (found->there && (str_equal(found->arch, arch) || str_equal(found->arch, "all") ||
                             str_equal(arch, "all") || !*arch))
            return found;
    return NULL;
}

/* --- what apt would do --- */

/* The first "E: ..." of what apt said. */
static void apts_words(struct str *out, const char *text, size_t size)
{
    const char *line;
    size_t position = 0, length;
    while (str_next_line(text, size, &position, &line, &length))
        if (length > 3 && strncmp(line, "E: ", 3) == 0) {
            str_add_printable(out, line + 3, length - 3 < 300 ? length - 3 : 300);
            return;
        }
}

static bool apt_failed(const struct str *text, struct error *e)
{
    CLEANUP_STR struct str words = {0};
    apts_words(&words, str_text(text), text->length);
    bool absent = strstr(str_text(&words), "was not found") ||
                  strstr(str_text(&words), "Unable to locate package");
    error_set(e, absent ? ERR_ABSENT : ERR_USAGE,
              absent ? N_("apt cannot get what is wanted: %s") : N_("apt refuses: %s"),
              words.length ? str_text(&words) : "?");
    return false;
}

/* What changes nothing. */
static bool ask_apt(struct words *w, struct str *text, struct error *e)
{
    int code;
    return run(w, QUERY_SECONDS, false, -1, &code, text, e) && (code == 0 || apt_failed(text, e));
}

/* "Inst NAME[:ARCH] [FROM] (TO SOURCE ... [ARCH])", as apt-get -s prints it. False: not such. */
static bool simulated(struct package_change *c, struct arena *arena, const char *line,
                      size_t length)
{
    static const char word[] = "Inst ";
    if (length < sizeof word || strncmp(line, word, sizeof word - 1) != 0)
        return false;
    char *text = arena_strndup(arena, line + sizeof word - 1, length - (sizeof word - 1));
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close || close < open)
        return false;
    *close = '\0';
    char *from = strchr(text, '[');
    char *from_end = from && from < open ? strchr(from, ']') : NULL;
    *open = '\0';
    *c = (struct package_change){.from = "", .source = "", .closes = "", .arch = ""};
    if (from_end) {
        *from_end = '\0';
        c->from = from + 1;
    }
    text[strcspn(text, " ")] = '\0';
    char *colon = strchr(text, ':');
    if (colon)
        *colon = '\0';
    c->name = text;
    char *to = open + 1, *arch = strrchr(to, '[');
    if (arch && strchr(arch, ']')) {
        *strchr(arch, ']') = '\0';
        c->arch = arch + 1;
        while (arch > to && str_is_space(arch[-1]))
            arch--;
        *arch = '\0';
    }
    char *blank = strchr(to, ' ');
    if (blank) {
        *blank = '\0';
        c->source = blank + 1;
    }
    c->to = to;
    return *c->name && *c->to;
}

static bool is_wanted(const struct package_change *c, const struct package_change *wanted,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(wanted[i].name, c->name) &&
            (str_equal(wanted[i].arch, c->arch) || str_equal(wanted[i].arch, "all") ||
             str_equal(c->arch, "all")))
            return true;
    return false;
}

bool packages_simulate(struct package_changes *out, struct arena *arena,
                       const struct package_change *wanted, size_t count, struct error *e)
{
    CLEANUP(words_free) struct words w = apt_get();
    CLEANUP_STR struct str text = {0};
    add(&w, "-s");
    add(&w, "--no-remove");
    add(&w, "install");
    add_targets(&w, wanted, count);
    if (!ask_apt(&w, &text, e))
        return false;
    VEC(struct package_change) list = {0};
    const char *line;
    size_t position = 0, length;
    while (str_next_line(str_text(&text), text.length, &position, &line, &length) &&
           list.count < MOST_WORDS) {
        struct package_change c;
        if (!simulated(&c, arena, line, length))
            continue;
        c.dependency = !is_wanted(&c, wanted, count);
        VEC_PUSH(&list, c);
    }
    out->count = list.count;
    out->items = list.count ? arena_dup(arena, list.items, list.count * sizeof *list.items) : NULL;
    VEC_FREE(&list);
    return true;
}

/* --- from where --- */

/* Of "'http://user@mirror.example:80/pool/x.deb' x.deb 123 SHA256:..."; NULL: a path has none. */
static const char *host_of(struct arena *arena, const char *line, size_t length)
{
    const char *text = arena_strndup(arena, line, length), *at = strstr(text, "://");
    if (*text != '\'' || !at || str_starts(text, "'file:") || str_starts(text, "'cdrom:"))
        return NULL;
    const char *host = at + 3, *user = memchr(host, '@', strcspn(host, "/'"));
    host = user ? user + 1 : host;
    size_t size = *host == '[' ? strcspn(++host, "]/'") : strcspn(host, ":/'");
    return size ? arena_strndup(arena, host, size) : NULL;
}

bool packages_hosts(const char *const **out, size_t *hosts, struct arena *arena,
                    const struct package_change *wanted, size_t count, struct error *e)
{
    CLEANUP(words_free) struct words w = apt_get();
    CLEANUP_STR struct str text = {0};
    VEC(const char *) list = {0};
    add(&w, "--no-remove");
    add(&w, "--print-uris");
    add(&w, "install");
    add_targets(&w, wanted, count);
    if (!ask_apt(&w, &text, e))
        return false;
    const char *line;
    size_t position = 0, length;
    while (str_next_line(text.data, text.length, &position, &line, &length)) {
        const char *host = host_of(arena, line, length);
        bool known = !host;
        for (size_t i = 0; i < list.count && !known; i++)
            known = strcmp(list.items[i], host) == 0;
        if (!known)
            VEC_PUSH(&list, host);
    }
    *hosts = list.count;
    *out = list.count ? arena_dup(arena, list.items, list.count * sizeof *list.items) : NULL;
    VEC_FREE(&list);
    return true;
}

/* --- changing --- */

/* What went wrong since the log was so long, in the words of apt or dpkg. */
static void words_of_log(struct str *out, int log, off_t from)
{
    enum { MOST_LOG = 4 << 20 };
    off_t end = lseek(log, 0, SEEK_END), at = end - from > MOST_LOG ? end - MOST_LOG : from;
    size_t got = 0, size = end > at ? (size_t)(end - at) : 0;
    CLEANUP_FREE char *text = mem_alloc(size + 1);
    if (size)
        (void)!file_read_at(log, (uint64_t)at, text, size, &got, NULL);
    static const char *const marks[] = {"dpkg: error processing ", "E: "};
    const char *line;
    for (size_t i = 0; i < ARRAY_COUNT(marks) && !out->length; i++) {
        size_t position = 0, length;
        while (!out->length && str_next_line(text, got, &position, &line, &length))
            if (length > strlen(marks[i]) && strncmp(line, marks[i], strlen(marks[i])) == 0)
                str_add_printable(out, line, length < 300 ? length : 300);
    }
}

/* Runs with a log; an error names what the log says. */
static bool run_logged(struct words *w, unsigned seconds, bool finishes, int log, int *code,
                       const char *what, struct error *e)
{
    CLEANUP_STR struct str words = {0};
    off_t from = lseek(log, 0, SEEK_END);
    if (!run(w, seconds, finishes, log, code, NULL, e))
        return false;
    if (*code == 0)
        return true;
    words_of_log(&words, log, from);
    error_set(e, ERR_UNREADABLE, "%s (%s ended with %d)%s%s", what, w->list.items[0], *code,
              words.length ? ": " : "", str_text(&words));
    return false;
}

bool packages_fetch(const struct package_change *wanted, size_t count, int log, struct error *e)
{
    CLEANUP(words_free) struct words w = apt_get();
    int code;
    add(&w, "--no-remove");
    add(&w, "--download-only");
    add(&w, "install");
    add_targets(&w, wanted, count);
    return run_logged(&w, FETCH_SECONDS, false, log, &code, _("the packages could not be fetched"),
                      e);
}

/* Naming a package marks it as wanted by somebody: what came by itself is marked so again. */
static bool automatic(struct str *out, struct error *e)
{
    static const char *const command[] = {"apt-mark", "showauto"};
    CLEANUP(words_free) struct words w = words_of(command, ARRAY_COUNT(command));
    int code;
    return run(&w, QUERY_SECONDS, false, -1, &code, out, e);
}

static bool has_line(const char *text, size_t size, const char *wanted)
{
    const char *line;
    size_t position = 0, length, size_wanted = strlen(wanted);
    while (str_next_line(text, size, &position, &line, &length))
        if (length == size_wanted && memcmp(line, wanted, length) == 0)
            return true;
    return false;
}

static bool mark_automatic(const struct package_change *changes, size_t count, bool back,
                           const struct str *before, int log, struct error *e)
{
    static const char *const command[] = {"apt-mark", "auto"};
    CLEANUP(words_free) struct words w = words_of(command, ARRAY_COUNT(command));
    size_t least = w.list.count;
    int code;
    for (size_t i = 0; i < count; i++) {
        const char *full = full_name(w.arena, &changes[i]);
        bool was = has_line(str_text(before), before->length, changes[i].name) ||
                   has_line(str_text(before), before->length, full);
        /* what came newly came along; on the way back it is gone */
        if (*changes[i].from ? was : !back)
            add(&w, full);
    }
    return w.list.count == least || run(&w, QUERY_SECONDS, false, log, &code, NULL, e);
}

bool packages_install(const struct package_change *wanted, size_t count, int log, struct error *e)
{
    CLEANUP(words_free) struct words w = apt_get();
    CLEANUP_STR struct str before = {0};
    int code;
    add(&w, "--no-remove");
    add(&w, "install");
    add_targets(&w, wanted, count);
    if (!automatic(&before, e))
        return false;
    bool good =
        run_logged(&w, INSTALL_SECONDS, true, log, &code, _("a package could not be installed"), e);
    return mark_automatic(wanted, count, false, &before, log, good ? e : NULL) && good;
}

bool packages_configure(int log, struct error *e)
{
    static const char *const command[] = {"dpkg", "--force-confold", "--configure", "-a"};
    CLEANUP(words_free) struct words w = words_of(command, ARRAY_COUNT(command));
    int code;
    return run_logged(&w, INSTALL_SECONDS, true, log, &code, _("a package could not be configured"),
                      e);
}

/* --- going back --- */

/* " name | version | archive": whether one is there. */
static bool offers(struct arena *arena, const char *text, size_t size, const char *name,
                   const char *version)
{
    const char *line;
    size_t position = 0, length;
    while (str_next_line(text, size, &position, &line, &length)) {
        char *copy = arena_strndup(arena, line, length);
        char *rest = strchr(copy, '|'), *end = rest ? strchr(rest + 1, '|') : NULL;
        if (!end)
            continue;
        *rest = *end = '\0';
        if (str_equal(str_trim(copy), name) && str_equal(str_trim(rest + 1), version))
            return true;
    }
    return false;
}

/* Where apt keeps what it has fetched: NAME_VERSION_ARCH.deb, a colon as %3a. NULL: it is not
 * there. */
static const char *in_cache(struct arena *arena, const struct package_change *c)
{
    CLEANUP_STR struct str path = {0};
    str_printf(&path, CACHE_OF_APT "/%s_", c->name);
    for (const char *v = c->from; *v; v++)
        if (*v == ':')
            str_add(&path, "%3a");
        else
            str_add_char(&path, *v);
    str_printf(&path, "_%s.deb", c->arch);
    return access(str_text(&path), R_OK) == 0 ? arena_strdup(arena, str_text(&path)) : NULL;
}

/* The words of the way back, behind "apt-get install --allow-downgrades". */
static bool back_words(struct words *w, struct str *missing, const struct package_change *changes,
                       size_t count, struct error *e)
{
    static const char *const command[] = {"apt-cache", "madison"};
    CLEANUP(words_free) struct words query = words_of(command, ARRAY_COUNT(command));
    CLEANUP_STR struct str known = {0};
    int code;
    for (size_t i = 0; i < count; i++)
        if (*changes[i].from)
            add(&query, changes[i].name);
    if (query.list.count > ARRAY_COUNT(command) &&
        !run(&query, QUERY_SECONDS, false, -1, &code, &known, e))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct package_change *c = &changes[i];
        const char *name = full_name(w->arena, c), *deb;
        if (!*c->from)
            add(w, arena_printf(w->arena, "%s-", name));
        else if (offers(query.arena, str_text(&known), known.length, c->name, c->from))
            add(w, arena_printf(w->arena, "%s=%s", name, c->from));
        else if ((deb = in_cache(w->arena, c)))
            add(w, deb);
        else
            str_printf(missing, "%s%s=%s", missing->length ? " " : "", c->name, c->from);
    }
    return true;
}

bool packages_way_back(struct str *command, struct str *missing,
                       const struct package_change *changes, size_t count, struct error *e)
{
    CLEANUP(words_free) struct words w = {.arena = arena_new()};
    if (!back_words(&w, missing, changes, count, e))
        return false;
    for (size_t i = 0; i < w.list.count; i++) {
        str_add(command, i ? " " : "apt-get install --allow-downgrades ");
        str_add_shell_word(command, w.list.items[i]);
    }
    return true;
}

/* Whether a package that goes away is one that came newly: what has come to need it since would go
 * with it, and apt-get -y asks nobody. */
static bool takes_only(const struct words *w, const struct package_change *changes, size_t count,
                       struct error *e)
{
    static const char word[] = "Remv ";
    CLEANUP(words_free) struct words look = words_of(w->list.items, w->list.count);
    CLEANUP_STR struct str text = {0};
    const char *line;
    size_t position = 0, length;
    int code;
    add(&look, "-s");
    if (!run(&look, QUERY_SECONDS, false, -1, &code, &text, e))
        return false;
    if (code != 0)
        return apt_failed(&text, e);
    while (str_next_line(str_text(&text), text.length, &position, &line, &length)) {
        if (length < sizeof word || strncmp(line, word, sizeof word - 1) != 0)
            continue;
        char *name = arena_strndup(look.arena, line + sizeof word - 1, length - (sizeof word - 1));
        name[strcspn(name, ": ")] = '\0';
        bool meant = false;
        for (size_t i = 0; i < count && !meant; i++)
            meant = !*changes[i].from && str_equal(changes[i].name, name);
        if (!meant) {
            error_set(e, ERR_USAGE, "apt would take away %s, too: nothing was changed", name);
            return false;
        }
    }
    return true;
}

bool packages_go_back(const struct package_change *changes, size_t count, int log, struct error *e)
{
    CLEANUP(words_free) struct words w = apt_get();
    CLEANUP_STR struct str missing = {0}, before = {0};
    int code;
    add(&w, "--allow-downgrades");
    add(&w, "install");
    if (!back_words(&w, &missing, changes, count, e))
        return false;
    if (missing.length) {
        error_set(
            e, ERR_ABSENT,
            "these can be had no longer, neither from an archive nor from apt's cache: %.300s",
            str_text(&missing));
        return false;
    }
    if (!takes_only(&w, changes, count, e) || !automatic(&before, e))
        return false;
    bool good =
        run_logged(&w, INSTALL_SECONDS, true, log, &code, _("a package could not be installed"), e);
    return mark_automatic(changes, count, true, &before, log, good ? e : NULL) && good;
}

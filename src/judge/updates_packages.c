/* Pending updates: see updates.h. */
#include "base/str.h"
#include "judge/updates.h"

#include <stdio.h>
#include <stdlib.h>

/* Sources in the path of every connection of a server, whoever listens. */
static const char *const exposed_sources[] = {"openssl", "gnutls28", "glibc", "nss", "systemd"};

struct installed {
    const char *name, *arch, *source;
    const struct fact *fact;
};

struct group {
    const char *source;
    VEC(const struct fact *) updates;
};

struct packages {
    const struct updates_input *in;
    struct installed *installed; /* sorted by name */
    size_t installed_count;
    VEC(struct group) groups;
};

static void free_packages(struct packages *p)
{
    free(p->installed);
    for (size_t i = 0; i < p->groups.count; i++)
        VEC_FREE(&p->groups.items[i].updates);
    VEC_FREE(&p->groups);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct installed *)a)->name, ((const struct installed *)b)->name);
}

static void index_installed(struct packages *p)
{
    VEC(struct installed) list = {0};
    for (const struct fact *f = facts_first(p->in->facts, "package"); f;
         f = facts_next(p->in->facts, "package", f))
        if (str_equal(fact_text(f, "manager"), "dpkg"))
            VEC_PUSH(&list, ((struct installed){fact_text(f, "name"), fact_text(f, "arch"),
                                                fact_text(f, "source_package"), f}));
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, by_name);
    p->installed = list.items;
    p->installed_count = list.count;
}

static const struct installed *find_installed(const struct packages *p, const struct fact *update)
{
    struct installed wanted = {.name = fact_text(update, "name")};
    const char *arch = fact_text(update, "arch");
    const struct installed *end = p->installed + p->installed_count;
    const struct installed *found =
        p->installed_count
            ? bsearch(&wanted, p->installed, p->installed_count, sizeof *p->installed, by_name)
            : NULL;
    if (!found)
        return NULL;
    while (found > p->installed && str_equal(found[-1].name, wanted.name))
        found--;
    for (const struct installed *i = found; i < end && str_equal(i->name, wanted.name); i++)
        if (str_equal(i->arch, arch))
            return i;
    return found;
}

static void add_to_group(struct packages *p, const struct fact *update)
{
    const struct installed *i = find_installed(p, update);
    const char *source = i && *i->source ? i->source : fact_text(update, "name");
    struct group *g = NULL;
    for (size_t k = 0; k < p->groups.count && !g; k++)
        if (str_equal(p->groups.items[k].source, source))
            g = &p->groups.items[k];
    if (!g) {
        VEC_PUSH(&p->groups, ((struct group){.source = source}));
        g = &p->groups.items[p->groups.count - 1];
    }
    VEC_PUSH(&g->updates, update);
}

/* --- why it weighs more --- */

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; n && (at = strstr(at, word)); at += n)
        if ((at == list || at[-1] == ' ') && (!at[n] || at[n] == ' '))
            return true;
    return false;
}

struct weight {
    enum { WEIGHT_PLAIN, WEIGHT_LISTENS, WEIGHT_MAPPED, WEIGHT_KERNEL, WEIGHT_EXPOSED } kind;
    const struct fact *fact; /* the listener or process */
};

static struct weight weigh_package(const struct updates_input *in, const char *name)
{
    for (const struct fact *f = facts_first(in->facts, "listener"); f;
         f = facts_next(in->facts, "listener", f))
        if (!str_equal(fact_text(f, "scope"), "loopback") &&
            str_equal(fact_text(f, "package"), name))
            return (struct weight){WEIGHT_LISTENS, f};
    for (const struct fact *f = facts_first(in->facts, "process"); f;
         f = facts_next(in->facts, "process", f))
        if (str_equal(fact_text(f, "serves"), "yes") &&
            (has_word(fact_text(f, "packages"), name) || str_equal(fact_text(f, "package"), name)))
            return (struct weight){WEIGHT_MAPPED, f};
    return (struct weight){WEIGHT_PLAIN, NULL};
}

static struct weight weigh(const struct updates_input *in, const struct group *g)
{
    struct weight best = {WEIGHT_PLAIN, NULL};
    for (size_t i = 0; i < g->updates.count && best.kind != WEIGHT_LISTENS; i++) {
        const char *name = fact_text(g->updates.items[i], "name");
        struct weight w = weigh_package(in, name);
        if (w.kind == WEIGHT_PLAIN && str_starts(name, "linux-image-"))
            w.kind = WEIGHT_KERNEL;
        if (w.kind != WEIGHT_PLAIN && (best.kind == WEIGHT_PLAIN || w.kind == WEIGHT_LISTENS))
            best = w;
    }
    for (size_t i = 0; best.kind == WEIGHT_PLAIN && i < ARRAY_COUNT(exposed_sources); i++)
        if (str_equal(exposed_sources[i], g->source))
            best.kind = WEIGHT_EXPOSED;
    return best;
}

static struct message say_why(const struct updates_input *in, const struct weight *w)
{
    struct message m;
    char port[32];
    switch (w->kind) {
    case WEIGHT_LISTENS:
        m = updates_message(in,
                            N_("{process} listens on {port}, so others can reach the hole that "
                               "this update closes."),
                            "process", fact_text(w->fact, "process"));
        snprintf(port, sizeof port, "%.6s/%.6s", fact_text(w->fact, "port"),
                 fact_text(w->fact, "proto"));
        updates_argument(in, &m, "port", port);
        return m;
    case WEIGHT_MAPPED:
        return updates_message(in,
                               N_("{process} is reached from the network and runs with it, so the "
                                  "hole that this update closes may be reached, too."),
                               "process", fact_text(w->fact, "name"));
    case WEIGHT_KERNEL:
        return message_of(
            N_("It is the kernel of this host: whoever gets in as any user may become "
               "root through it."));
    case WEIGHT_EXPOSED:
        return message_of(N_("Most servers run with it, and what it does is in the path of every "
                             "connection."));
    default:
        return message_of(N_("A hole that is closed in the newer version is still open in the "
                             "installed one, and everyone can read what it is."));
    }
}

/* --- security updates --- */

/* "libssl3 openssl", with :ARCH where that is not the host's own. */
static void list_packages(struct str *out, const struct updates_input *in, const struct group *g)
{
    const struct fact *host = facts_first(in->facts, "host");
    const char *native = host ? fact_text(host, "arch") : "";
    for (size_t i = 0; i < g->updates.count; i++) {
        const char *arch = fact_text(g->updates.items[i], "arch");
        bool plain = !*native || str_equal(arch, native) || str_equal(arch, "all");
        str_printf(out, "%s%s%s%s", i ? " " : "", fact_text(g->updates.items[i], "name"),
                   plain ? "" : ":", plain ? "" : arch);
    }
}

static const char *held_by(const struct group *g)
{
    for (size_t i = 0; i < g->updates.count; i++)
        if (*fact_text(g->updates.items[i], "held"))
            return fact_text(g->updates.items[i], "held");
    return "";
}

static void add_step(struct finding *f, struct message step)
{
    VEC_PUSH(&f->steps, step);
}

static void say_remedy(const struct updates_input *in, struct finding *f, const char *held,
                       const char *packages, const struct weight *w)
{
    static const struct {
        const char *held, *note, *step;
    } ways[] = {
        {"hold",
         N_("It is on hold (apt-mark hold): apt leaves it out until the hold is taken off."),
         N_("sudo apt-mark unhold {packages}")},
        {"pin",
         N_("A pin in the preferences of apt keeps it away: see which one, and let security "
            "updates through."),
         N_("apt-cache policy {packages}")},
        {"phased",
         N_("It is handed out step by step, and it is not this machine's turn yet. Naming the "
            "package installs it now."),
         NULL},
    };
    f->remedy = message_of(N_("Install the update."));
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        if (!str_equal(ways[i].held, held))
            continue;
        VEC_PUSH(&f->notes, message_of(ways[i].note));
        if (ways[i].step)
            add_step(f, updates_message(in, ways[i].step, "packages", packages));
    }
    add_step(f, updates_message(in,
                                N_("sudo apt-get update && sudo apt-get install --only-upgrade "
                                   "{packages}"),
                                "packages", packages));
    if (w->kind == WEIGHT_KERNEL)
        add_step(f, message_of(N_("sudo systemctl reboot")));
}

static void add_reference(const struct updates_input *in, struct finding *f, const char *source)
{
    const struct fact *host = facts_first(in->facts, "host");
    const char *distribution = host ? fact_text(host, "distribution") : "";
    const char *url = str_equal(distribution, "ubuntu")
                          ? "https://ubuntu.com/security/cves?package="
                      : str_equal(distribution, "debian")
                          ? "https://security-tracker.debian.org/tracker/source-package/"
                          : NULL;
    if (!url)
        return;
    struct reference r = {N_("What is known of holes in this package"),
                          arena_printf(in->out->arena, "%s%s", url, source)};
    VEC_PUSH(&f->references, r);
}

static void add_evidence(const struct packages *p, struct finding *f, const struct group *g,
                         const struct weight *w)
{
    const struct updates_input *in = p->in;
    struct arena *arena = in->out->arena;
    for (size_t i = 0; i < g->updates.count; i++) {
        const struct fact *u = g->updates.items[i];
        const struct installed *has = find_installed(p, u);
        if (has)
            updates_evidence(in, f, has->fact,
                             arena_printf(arena, "package %s %s installed", has->name,
                                          fact_text(u, "installed")));
        updates_evidence(in, f, u,
                         arena_printf(arena, "update %s: %s (%s)", fact_text(u, "name"),
                                      fact_text(u, "candidate"), fact_text(u, "source_list")));
    }
    if (w->fact)
        updates_evidence(in, f, w->fact,
                         w->kind == WEIGHT_LISTENS
                             ? arena_printf(arena, "listener %s %s/%s",
                                            fact_text(w->fact, "process"),
                                            fact_text(w->fact, "port"), fact_text(w->fact, "proto"))
                             : arena_printf(arena, "process %s pid=%s serves=yes",
                                            fact_text(w->fact, "name"), fact_text(w->fact, "pid")));
}

static void judge_group(const struct packages *p, const struct group *g)
{
    const struct updates_input *in = p->in;
    const struct fact *first = g->updates.items[0];
    for (size_t i = 0; i < g->updates.count; i++) /* its namesake speaks for the source */
        if (str_equal(fact_text(g->updates.items[i], "name"), g->source))
            first = g->updates.items[i];
    const char *subject = g->updates.count == 1 ? fact_text(first, "name") : g->source;
    const char *held = held_by(g);
    struct weight w = weigh(in, g);
    CLEANUP_STR struct str packages = {0};
    list_packages(&packages, in, g);
    struct finding *f =
        updates_finding(in, "debian-security-update", N_("A security update is not installed"),
                        "package", g->source);
    /* The id is that of the source: it stays the same while its packages are updated singly. */
    f->subject_name = arena_strdup(in->out->arena, subject);
    f->rule_kind = RULE_UPDATE;
    f->rule_source = arena_strdup(in->out->arena, fact_text(first, "source_list"));
    f->severity = w.kind == WEIGHT_PLAIN ? SEVERITY_MEDIUM : SEVERITY_HIGH;
    /* apt does not say which holes: whoever reaches the program is taken to reach them */
    f->reachable = w.kind != WEIGHT_PLAIN && w.kind != WEIGHT_KERNEL;
    f->summary = updates_message(
        in,
        *held
            ? N_("{package}: a security update is held back: {candidate} (installed: {installed})")
            : N_("{package}: a security update is waiting: {candidate} (installed: {installed})"),
        "package", subject);
    updates_argument(in, &f->summary, "candidate", fact_text(first, "candidate"));
    updates_argument(in, &f->summary, "installed", fact_text(first, "installed"));
    f->why = say_why(in, &w);
    if (w.kind == WEIGHT_LISTENS)
        f->port = arena_printf(in->out->arena, "%s/%s", fact_text(w.fact, "port"),
                               fact_text(w.fact, "proto"));
    say_remedy(in, f, held, str_text(&packages), &w);
    add_evidence(p, f, g, &w);
    add_reference(in, f, g->source);
}

/* --- the others --- */

static void judge_others(const struct updates_input *in)
{
    enum { MOST_NAMED = 20 };
    size_t count = 0, held = 0;
    const struct fact *first = NULL;
    CLEANUP_STR struct str names = {0};
    char number[24];
    for (const struct fact *u = facts_first(in->facts, "update"); u;
         u = facts_next(in->facts, "update", u)) {
        if (str_equal(fact_text(u, "security"), "yes"))
            continue;
        if (*fact_text(u, "held")) {
            held++;
            continue;
        }
        if (count < MOST_NAMED)
            str_printf(&names, "%s%s", count ? " " : "", fact_text(u, "name"));
        else if (count == MOST_NAMED)
            str_add(&names, " …");
        first = first ? first : u;
        count++;
    }
    if (!count)
        return;
    snprintf(number, sizeof number, "%zu", count);
    struct finding *f =
        updates_finding(in, "debian-updates-pending", N_("Updates are waiting"), "host", "updates");
    f->rule_kind = RULE_UPDATE;
    f->severity = SEVERITY_INFO;
    f->summary = updates_message(in,
                                 str_equal(number, "1") ? N_("{count} other update is waiting")
                                                        : N_("{count} other updates are waiting"),
                                 "count", number);
    f->why =
        message_of(N_("They mend faults that are no security holes. Whoever installs them "
                      "regularly has less to do on the day when a security update needs them."));
    f->remedy = message_of(N_("Install them when it suits you."));
    add_step(f, message_of(N_("sudo apt-get update && sudo apt-get upgrade")));
    VEC_PUSH(&f->notes,
             updates_message(in, N_("Packages: {packages}"), "packages", str_text(&names)));
    if (held) {
        snprintf(number, sizeof number, "%zu", held);
        VEC_PUSH(&f->notes,
                 updates_message(in,
                                 str_equal(number, "1") ? N_("{count} more is held back")
                                                        : N_("{count} more are held back"),
                                 "count", number));
    }
    updates_evidence(in, f, first,
                     arena_printf(in->out->arena, "update %s: %s", fact_text(first, "name"),
                                  fact_text(first, "candidate")));
}

void updates_judge_packages(const struct updates_input *in)
{
    CLEANUP(free_packages) struct packages p = {.in = in};
    bool any = false;
    for (const struct fact *u = facts_first(in->facts, "update"); u;
         u = facts_next(in->facts, "update", u)) {
        if (!str_equal(fact_text(u, "security"), "yes"))
            continue;
        if (!any)
            index_installed(&p);
        any = true;
        add_to_group(&p, u);
    }
    for (size_t i = 0; i < p.groups.count; i++)
        judge_group(&p, &p.groups.items[i]);
    judge_others(in);
}

/* What was updated on disk and still runs in its old form: see updates.h. */
#include "base/str.h"
#include "judge/updates.h"
#include "model/version.h"

#include <stdio.h>

static void judge_kernel(const struct updates_input *in, const struct fact *k)
{
    const char *running = fact_text(k, "running"), *installed = fact_text(k, "installed");
    const char *has = fact_text(k, "installed_version"), *runs = fact_text(k, "running_version");
    struct arena *arena = in->out->arena;
    if (!*running || !*installed)
        return;
    if (str_equal(fact_text(k, "running_from"), "elsewhere")) {
        struct finding *f =
            updates_finding(in, "kernel-unknown", N_("The running kernel belongs to no package"),
                            "kernel", running);
        f->rule_kind = RULE_RESTART;
        f->verdict = VERDICT_UNKNOWN;
        f->severity = SEVERITY_MEDIUM;
        f->summary = updates_message(in,
                                     N_("Cannot judge the kernel: {running} runs, and no package "
                                        "describes it"),
                                     "running", running);
        f->why = updates_message(in,
                                 N_("{package} is installed and is not what runs, so that its "
                                    "updates do not reach the running kernel."),
                                 "package", fact_text(k, "package"));
        f->remedy =
            message_of(N_("Ask who supplies this kernel (the provider of the virtual machine, "
                          "or whoever built it) for its security updates."));
        VEC_PUSH(&f->steps, message_of(N_("uname -a")));
        updates_evidence(in, f, k, arena_printf(arena, "kernel running=%s", running));
        return;
    }
    bool same = str_equal(running, installed);
    int order = same            ? (*runs && *has ? version_compare(VERSION_DPKG, runs, has) : 0)
                : *runs && *has ? version_compare(VERSION_DPKG, runs, has)
                                : version_compare(VERSION_DPKG, running, installed);
    if (order >= 0) /* the running one is as new as what is installed, or newer */
        return;
    struct finding *f = updates_finding(
        in, "kernel-restart-needed", N_("A newer kernel waits for a restart"), "kernel", "kernel");
    f->rule_kind = RULE_RESTART;
    f->severity = SEVERITY_MEDIUM;
    f->summary = updates_message(in,
                                 N_("The running kernel is {running}; {installed} is installed and "
                                    "waits for a restart"),
                                 "running", same ? runs : running);
    updates_argument(in, &f->summary, "installed", same ? has : installed);
    f->why =
        message_of(N_("A kernel update takes effect only after a restart: until then the holes "
                      "that it closes are open."));
    f->remedy = message_of(N_("Restart the host at a time that suits: sudo systemctl reboot"));
    VEC_PUSH(&f->steps, message_of(N_("sudo systemctl reboot")));
    updates_evidence(in, f, k,
                     arena_printf(arena, "kernel running=%s installed=%s", running, installed));
}

/* Services that must not, or cannot, be restarted by themselves; a glob of the unit's name. */
static const struct {
    const char *unit, *step;
} special_units[] = {
    {"init.scope", N_("sudo systemctl daemon-reexec")},
    {"dbus.service", N_("sudo systemctl reboot")},
    {"dbus-broker.service", N_("sudo systemctl reboot")},
    {"systemd-logind.service", N_("sudo systemctl reboot")},
    {"user@*.service", N_("log out and in again, or: sudo systemctl reboot")},
    {"getty@*.service", N_("log out and in again at that console")},
};

static bool same_subject(const struct fact *a, const struct fact *b)
{
    return str_equal(fact_text(a, "service"), fact_text(b, "service")) &&
           (*fact_text(a, "service") || str_equal(fact_text(a, "name"), fact_text(b, "name")));
}

static bool seen_before(const struct updates_input *in, const struct fact *p)
{
    for (const struct fact *f = facts_first(in->facts, "process"); f && f != p;
         f = facts_next(in->facts, "process", f))
        if (str_equal(fact_text(f, "restart_needed"), "yes") && same_subject(f, p))
            return true;
    return false;
}

static struct message restart_step(const struct updates_input *in, const struct fact *p)
{
    const char *unit = fact_text(p, "service");
    if (str_equal(fact_text(p, "pid"), "1"))
        unit = "init.scope";
    for (size_t i = 0; i < ARRAY_COUNT(special_units); i++)
        if (str_glob(special_units[i].unit, unit, false))
            return message_of(special_units[i].step);
    if (*unit)
        return updates_message(in, N_("sudo systemctl restart {unit}"), "unit", unit);
    struct message m = updates_message(
        in, N_("end {name} (process {pid}) and start it again, or: sudo systemctl reboot"), "name",
        fact_text(p, "name"));
    updates_argument(in, &m, "pid", fact_text(p, "pid"));
    return m;
}

static void judge_process(const struct updates_input *in, const struct fact *p)
{
    const char *unit = fact_text(p, "service"), *name = fact_text(p, "name");
    const char *subject = *unit ? unit : name;
    struct arena *arena = in->out->arena;
    struct finding *f =
        updates_finding(in, "service-restart-needed", N_("A process still runs what was replaced"),
                        "service", subject);
    f->rule_kind = RULE_RESTART;
    f->severity = SEVERITY_MEDIUM;
    const char *packages = fact_text(p, "replaced_packages");
    f->summary = updates_message(
        in,
        *packages ? N_("{service} still runs the old version of {packages}")
                  : N_("{service} still runs files that have been replaced or removed on disk"),
        "service", subject);
    updates_argument(in, &f->summary, "packages", packages);
    bool serves = false;
    for (const struct fact *q = p; q; q = facts_next(in->facts, "process", q)) {
        if (!str_equal(fact_text(q, "restart_needed"), "yes") || !same_subject(p, q))
            continue;
        const char *files = fact_text(q, "replaced");
        serves = serves || str_equal(fact_text(q, "serves"), "yes");
        updates_evidence(in, f, q,
                         arena_printf(arena, "process %s pid=%s replaced=%.*s",
                                      fact_text(q, "name"), fact_text(q, "pid"),
                                      (int)strcspn(files, "\n"), files));
    }
    f->why = serves
                 ? message_of(N_("It is reached from the network, and an update takes effect only "
                                 "when it is started anew."))
                 : message_of(N_("An update takes effect only when the process is started anew."));
    f->remedy = restart_step(in, p);
    VEC_PUSH(&f->steps, f->remedy);
}

void updates_judge_restarts(const struct updates_input *in)
{
    const struct fact *kernel = facts_first(in->facts, "kernel");
    if (kernel)
        judge_kernel(in, kernel);
    for (const struct fact *p = facts_first(in->facts, "process"); p;
         p = facts_next(in->facts, "process", p))
        if (str_equal(fact_text(p, "restart_needed"), "yes") && !seen_before(in, p))
            judge_process(in, p);
}

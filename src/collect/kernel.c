/* Which kernel runs, and which is installed: /proc/sys/kernel/osrelease and /proc/version
 * against the packages linux-image-RELEASE.
 *
 * The builds of Debian and Ubuntu put the version of their package into /proc/version ("... #1
 * SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)", "... #45~22.04.1-Ubuntu ..."): where the
 * release is the same and the version is not, the newer build waits for a restart, too. */
#include "base/str.h"
#include "collect/collect.h"
#include "model/version.h"

enum { MOST_SMALL_BYTES = 4096 };
static const char prefix[] = "linux-image-";

/* "linux-image-6.1.0-37-amd64", not the empty "linux-image-amd64" nor "-dbg"; the unsigned
 * twin holds the same kernel. */
static const char *release_of(const char *package)
{
    if (!str_starts(package, prefix) || str_ends(package, "-dbg") || str_ends(package, "-dbgsym"))
        return NULL;
    const char *release = package + sizeof prefix - 1;
    if (str_starts(release, "unsigned-"))
        release += sizeof "unsigned-" - 1;
    return str_is_digit(*release) ? release : NULL;
}

/* The word behind "Debian " in the text of /proc/version. */
static const char *debian_version(struct arena *arena, const char *text)
{
    static const char mark[] = " Debian ";
    for (const char *p = text; (p = strstr(p, mark)); p++) {
        const char *version = p + sizeof mark - 1;
        if (str_is_digit(*version))
            return arena_strndup(arena, version, strcspn(version, " \n"));
    }
    return "";
}

void collect_kernel(struct collection *c)
{
    const struct fact *newest = NULL;
    const char *newest_release = "", *running = "", *built = "";
    bool of_distribution = false, running_installed = false;
    size_t size = 0;
    if (target_kind(c->target) == TARGET_LIVE) {
        char *text = collect_text(c, "/proc/sys/kernel/osrelease", MOST_SMALL_BYTES, &size);
        running = text ? str_trim(text) : "";
        text = collect_text(c, "/proc/version", MOST_SMALL_BYTES, &size);
        built = text ? debian_version(c->arena, text) : "";
        of_distribution = text && (*built || strstr(text, "Ubuntu"));
    }
    for (const struct fact *f = facts_first(c->facts, "package"); f;
         f = facts_next(c->facts, "package", f)) {
        const char *release = release_of(fact_text(f, "name"));
        if (!release || !str_equal(fact_text(f, "manager"), "dpkg"))
            continue;
        running_installed = running_installed || str_equal(release, running);
        int order = newest ? version_compare(VERSION_DPKG, fact_text(f, "version"),
                                             fact_text(newest, "version"))
                           : 1;
        /* Flavours (cloud, rt) come in the same version: then the running one counts. */
        if (order > 0 || (order == 0 && str_equal(release, running))) {
            newest = f;
            newest_release = release;
        }
    }
    if (!newest && !*running)
        return;
    struct facts *facts = c->facts;
    struct fact *k =
        facts_add(facts, "kernel", *running ? "/proc/sys/kernel/osrelease" : newest->path,
                  *running ? 1 : newest->line, -1, CONFIDENCE_HIGH);
    if (*running)
        fact_put(facts, k, "running", running);
    else
        fact_put_state(facts, k, "running", VALUE_ABSENT, "");
    if (newest)
        fact_put(facts, k, "installed", newest_release);
    else
        fact_put_state(facts, k, "installed", VALUE_ABSENT, "");
    fact_put(facts, k, "package", newest ? fact_text(newest, "name") : "");
    fact_put(facts, k, "installed_version", newest ? fact_text(newest, "version") : "");
    if (*running) {
        fact_put(facts, k, "running_version", built);
        fact_put(facts, k, "running_from",
                 running_installed || of_distribution ? "distribution" : "elsewhere");
    }
}

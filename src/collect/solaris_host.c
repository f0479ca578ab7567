/* The host fact of a Solaris system: release from what the installation wrote down, held
 * against a second and a third source. */
#include "collect/solaris.h"

#include "collect/conf_lines.h"
#include "model/date.h"

#include <stdio.h>

enum { MOST_SMALL = 64 * 1024, MOST_PKGINFO = 8 * 1024 * 1024, MOST_LINE = 4096 };

#define INST_RELEASE "/var/sadm/system/admin/INST_RELEASE"
#define RELEASE      "/etc/release"
#define CSR          "/var/sadm/pkg/SUNWcsr/pkginfo"

struct sighting {
    const char *release, *path;
};

struct looking {
    struct collection *c;
    struct sighting seen[3];
    size_t count;
    const char *release_line; /* the first line of /etc/release */
    const char *arch;
};

static void see(struct looking *l, const char *release, const char *path)
{
    if (release)
        l->seen[l->count++] = (struct sighting){release, path};
}

/* OS=Solaris, VERSION=7, REV=0 */
static void look_at_inst_release(struct looking *l)
{
    size_t size = 0;
    char *text = collect_text(l->c, INST_RELEASE, MOST_SMALL, &size);
    if (!text)
        return;
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    bool solaris = false;
    const char *version = NULL;
    for (char *line; (line = conf_lines_next(&lines));) {
        solaris |= str_equal(line, "OS=Solaris");
        if (str_starts(line, "VERSION="))
            version = solaris_release_from_name(l->c->arena, line + strlen("VERSION="));
    }
    if (solaris)
        see(l, version, INST_RELEASE);
}

/* "                       Solaris 7 11/99 s998s_u4 SPARC" */
static void look_at_release(struct looking *l)
{
    size_t size = 0;
    char *text = collect_text(l->c, RELEASE, MOST_SMALL, &size);
    if (!text)
        return;
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    char *line = conf_lines_next(&lines);
    const char *at = line ? strstr(line, "Solaris ") : NULL;
    if (!at)
        return;
    l->release_line = arena_strdup(l->c->arena, str_trim(line));
    see(l, solaris_release_from_name(l->c->arena, at + strlen("Solaris ")), RELEASE);
    const char *last = strrchr(l->release_line, ' ');
    if (last)
        l->arch = solaris_arch(last + 1);
}

static void look_at_csr(struct looking *l)
{
    size_t size = 0;
    char *text = collect_text(l->c, CSR, MOST_PKGINFO, &size);
    if (!text)
        return;
    struct pkginfo info;
    pkginfo_parse(&info, NULL, l->c->arena, NULL, text, size, CSR, "SUNWcsr");
    if (info.version)
        see(l, solaris_release_from_csr(l->c->arena, info.version), CSR);
    if (info.arch && solaris_arch(info.arch))
        l->arch = solaris_arch(info.arch);
}

/* Sources that contradict each other lower the confidence, and it is said which. */
static bool agree(struct looking *l)
{
    for (size_t i = 1; i < l->count; i++) {
        if (str_equal(l->seen[i].release, l->seen[0].release))
            continue;
        facts_unread(l->c->facts, N_("release"), l->seen[i].path,
                     arena_printf(l->c->arena, _("%s says SunOS %s, but %s says %s: taken as %s"),
                                  l->seen[i].path, l->seen[i].release, l->seen[0].path,
                                  l->seen[0].release, l->seen[0].release));
        return false;
    }
    return true;
}

/* /etc/nodename: one word; the name of the host before and without any network. */
static const char *node_name(struct collection *c)
{
    size_t size = 0;
    char *text = collect_text(c, "/etc/nodename", MOST_SMALL, &size);
    char *word = text ? conf_lines_word(&text) : NULL;
    return word && strlen(word) <= 255 ? word : NULL;
}

static void put_identity(struct collection *c, struct fact *host, const char *name, size_t volume)
{
    struct target_volume v = {0};
    bool known = target_volume(c->target, volume, &v);
    const char *serial = known && v.serial ? v.serial : "";
    if (!name && !*serial) {
        fact_put_state(c->facts, host, "identity", VALUE_UNREADABLE,
                       _("neither /etc/nodename nor a file-system id: name the host with --name"));
        return;
    }
    const char *both = name && *serial ? "/" : "";
    fact_put(c->facts, host, "identity",
             arena_printf(c->arena, "%s%s%s", name ? name : "", both, serial));
    fact_put(c->facts, host, "identity_source",
             *both  ? _("nodename and file-system id")
             : name ? "nodename"
                    : _("file-system id"));
}

/* Each log-in and each package leaves its time. Of a disk only: a tree that was copied has the
 * times of the copy. */
static void put_last_written(struct collection *c, struct fact *host)
{
    static const char *const files[] = {"/var/adm/wtmpx", "/var/adm/utmpx", "/var/adm/messages",
                                        "/var/sadm/install/contents", "/var/sadm/patch"};
    struct target_stat st;
    int64_t newest = 0;
    char text[32];
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        if (target_stat(c->target, files[i], true, &st, NULL) && st.mtime > newest)
            newest = st.mtime;
    if (!newest || target_kind(c->target) != TARGET_IMAGE)
        return;
    date_format(newest, text);
    fact_put(c->facts, host, "last_written", text);
}

static void put_host(struct looking *l, size_t volume)
{
    struct collection *c = l->c;
    const struct sighting *first = &l->seen[0];
    enum confidence confidence = agree(l) ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    const char *marketing = solaris_release_name(c->arena, first->release);
    const char *os = arena_printf(c->arena, "Solaris %s", marketing ? marketing : first->release);
    const char *name = node_name(c);

    struct fact *host = facts_add(c->facts, "host", first->path, 0, -1, confidence);
    fact_put(c->facts, host, "family", "solaris");
    if (name)
        fact_put(c->facts, host, "name", name);
    else
        fact_put_state(c->facts, host, "name", VALUE_ABSENT, "");
    fact_put(c->facts, host, "os", os);
    fact_put(c->facts, host, "version", first->release);
    if (l->arch)
        fact_put(c->facts, host, "arch", l->arch);
    else
        fact_put_state(c->facts, host, "arch", VALUE_UNREADABLE,
                       arena_printf(c->arena, _("neither %s nor %s names it"), CSR, RELEASE));
    if (l->release_line)
        fact_put(c->facts, host, "release", l->release_line);
    put_identity(c, host, name, volume);
    put_last_written(c, host);
    fact_put_number(c->facts, host, "volume", (int64_t)volume);

    struct fact *product = facts_add(c->facts, "product", first->path, 0, -1, confidence);
    fact_put(c->facts, product, "name", "solaris");
    fact_put(c->facts, product, "version", first->release);
    fact_put(c->facts, product, "title", os);
}

/* A disk of several slices: the root file system is the one that tells its release. */
void collect_solaris_host(struct collection *c)
{
    if (collect_host(c) || target_kind(c->target) == TARGET_TEXT)
        return;
    size_t count = target_volume_count(c->target);
    for (size_t volume = 0; volume < count || volume == 0; volume++) {
        struct looking l = {.c = c};
        target_select_volume(c->target, volume);
        look_at_inst_release(&l);
        look_at_release(&l);
        look_at_csr(&l);
        if (l.count) {
            put_host(&l, volume);
            return;
        }
    }
    target_select_volume(c->target, 0);
}

bool solaris_begin(struct collection *c)
{
    const struct fact *host = collect_host(c);
    uint64_t volume = 0;
    if (!host || !str_equal(fact_text(host, "family"), "solaris") ||
        target_kind(c->target) == TARGET_TEXT)
        return false;
    str_to_u64(fact_text(host, "volume"), &volume);
    target_select_volume(c->target, volume);
    return true;
}

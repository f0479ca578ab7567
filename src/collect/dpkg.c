#include "collect/dpkg.h"

#include "base/str.h"
#include "collect/collect.h"
#include "collect/deb822.h"

#include <stdlib.h>

static const char status_path[] = "/var/lib/dpkg/status";
enum { STATUS_MOST_BYTES = 256 << 20, STATUS_D_MOST_BYTES = 1 << 20, MOST_STANZAS = 200000 };

static bool text_is(struct dpkg_text t, const char *word)
{
    return t.length == strlen(word) && memcmp(t.text, word, t.length) == 0;
}

static void split_words(const struct deb822_field *f, struct dpkg_text *words, size_t count)
{
    size_t position = 0;
    for (size_t i = 0; i < count; i++)
        if (!f->value || !deb822_word(f, &position, &words[i].text, &words[i].length))
            words[i] = (struct dpkg_text){"", 0};
}

void dpkg_split_source(const char *value, size_t length, struct dpkg_text *name,
                       struct dpkg_text *version)
{
    const char *open = memchr(value, '(', length);
    const char *close = open ? memchr(open, ')', length - (size_t)(open - value)) : NULL;
    size_t end = open ? (size_t)(open - value) : length;
    while (end && str_is_space(value[end - 1]))
        end--;
    *name = (struct dpkg_text){value, end};
    *version = (struct dpkg_text){"", 0};
    if (close)
        *version = (struct dpkg_text){open + 1, (size_t)(close - open) - 1};
}

/* What dpkg itself takes for a name; others would end in lines that are pasted into a shell. */
static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = str_lower(text[i]);
        bool plain = (c >= 'a' && c <= 'z') || str_is_digit(c);
        if (!plain && (!i || (c != '-' && c != '+' && c != '.' && c != '_')))
            return false;
    }
    return length > 0;
}

uint64_t dpkg_parse(const char *data, size_t size, dpkg_visit *visit, void *context,
                    uint64_t *first_bad)
{
    enum { PACKAGE, STATUS, VERSION, ARCHITECTURE, SOURCE, FIELDS };
    static const char *const names[FIELDS] = {"Package", "Status", "Version", "Architecture",
                                              "Source"};
    struct deb822_field f[FIELDS];
    struct deb822 reader = deb822_of(data, size);
    uint64_t line, bad = 0, first = 0;
    while (deb822_stanza(&reader, names, f, FIELDS, &line)) {
        struct dpkg_package p = {.line = line};
        struct dpkg_text words[3];
        if (!is_name(f[PACKAGE].value, f[PACKAGE].value_length)) {
            bad++;
            first = first ? first : line;
            continue;
        }
        split_words(&f[STATUS], words, 3);
        p.want = words[0];
        p.status = words[2];
        struct dpkg_text *plain[] = {&p.name, &p.version, &p.arch};
        const struct deb822_field *from[] = {&f[PACKAGE], &f[VERSION], &f[ARCHITECTURE]};
        for (size_t i = 0; i < ARRAY_COUNT(plain); i++)
            *plain[i] =
                (struct dpkg_text){from[i]->value ? from[i]->value : "", from[i]->value_length};
        p.source = p.name;
        p.source_version = p.version;
        if (f[SOURCE].value_length) {
            struct dpkg_text version;
            dpkg_split_source(f[SOURCE].value, f[SOURCE].value_length, &p.source, &version);
            if (version.length)
                p.source_version = version;
        }
        if (!p.version.length && text_is(p.status, "installed")) {
            bad++;
            first = first ? first : line;
        }
        if (!visit(context, &p))
            break;
    }
    if (reader.malformed && (!first || reader.malformed_line < first))
        first = reader.malformed_line;
    if (first_bad)
        *first_bad = first;
    return bad + reader.malformed;
}

struct collecting {
    struct collection *c;
    const char *path;
    bool always; /* status.d: no Status field, everything there is installed */
    size_t count;
};

static const char *keep(struct collection *c, struct dpkg_text t)
{
    return arena_strndup(c->arena, t.text, t.length);
}

static bool add_package(void *context, const struct dpkg_package *p)
{
    struct collecting *s = context;
    struct collection *c = s->c;
    bool gone = text_is(p->status, "not-installed") || text_is(p->status, "config-files");
    if (!s->always && (gone || !p->status.length))
        return true;
    if (!p->version.length)
        return true; /* half-installed for the first time: nothing to compare */
    if (++s->count > MOST_STANZAS) {
        facts_unread(c->facts, N_("installed packages"), s->path, _("there are more than 200,000"));
        return false;
    }
    struct fact *f = facts_add(c->facts, "package", s->path, p->line, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "manager", "dpkg");
    fact_put(c->facts, f, "name", keep(c, p->name));
    fact_put(c->facts, f, "version", keep(c, p->version));
    fact_put(c->facts, f, "arch", keep(c, p->arch));
    fact_put(c->facts, f, "status", s->always ? "installed" : keep(c, p->status));
    fact_put(c->facts, f, "source_package", keep(c, p->source));
    fact_put(c->facts, f, "source_version", keep(c, p->source_version));
    fact_put(c->facts, f, "hold", text_is(p->want, "hold") ? "yes" : "no");
    return true;
}

/* False where something of it was not read: that is stated. */
static bool read_one(struct collection *c, const char *path, size_t most, bool always,
                     size_t *count)
{
    CLEANUP_FREE char *text = NULL;
    size_t size = 0;
    struct error e = ERROR_INIT;
    if (!target_read(c->target, path, most, &text, &size, &e)) {
        facts_unread(c->facts, N_("installed packages"), path, e.message);
        return false;
    }
    struct collecting s = {.c = c, .path = path, .always = always, .count = *count};
    uint64_t first = 0, bad = dpkg_parse(text, size, add_package, &s, &first);
    *count = s.count;
    if (bad)
        facts_unread(
            c->facts, N_("installed packages"), path,
            arena_printf(
                c->arena,
                ngettext("%llu line or stanza is damaged, at line %llu; the rest was read",
                         "%llu lines or stanzas are damaged, the first at line %llu; the rest "
                         "was read",
                         bad),
                (unsigned long long)bad, (unsigned long long)first));
    return !bad && s.count <= MOST_STANZAS;
}

/* An interrupted dpkg leaves what it did in updates/: then status is behind (dpkg(1)). */
static bool say_journal(struct collection *c)
{
    static const char path[] = "/var/lib/dpkg/updates";
    struct target_entry *entries;
    bool lost = false;
    size_t count = collect_list(c, N_("installed packages"), path, &entries, &lost);
    for (size_t i = 0; i < count; i++)
        if (str_is_digit(entries[i].name[0])) {
            facts_unread(c->facts, N_("installed packages"), path,
                         _("dpkg was interrupted, so that its list may be behind; "
                           "run: sudo dpkg --configure -a"));
            return true;
        }
    return lost;
}

void collect_dpkg(struct collection *c)
{
    static const char folder[] = "/var/lib/dpkg/status.d";
    struct target_stat st;
    struct error e = ERROR_INIT;
    struct target_entry *entries = NULL;
    size_t count = 0, packages = 0;
    bool whole = true;
    bool status = target_stat(c->target, status_path, true, &st, &e);
    if (status || e.code != ERR_ABSENT)
        whole = read_one(c, status_path, STATUS_MOST_BYTES, false, &packages);
    struct error list_error = ERROR_INIT;
    bool parts = target_list(c->target, folder, c->arena, &entries, &count, &list_error);
    if (!parts && list_error.code != ERR_ABSENT) {
        facts_unread(c->facts, N_("installed packages"), folder, list_error.message);
        whole = false;
    }
    for (size_t i = 0; parts && i < count; i++)
        if (entries[i].name[0] != '.' && !str_ends(entries[i].name, ".md5sums") &&
            entries[i].type != TARGET_DIR)
            whole &= read_one(c, arena_printf(c->arena, "%s/%s", folder, entries[i].name),
                              STATUS_D_MOST_BYTES, true, &packages);
    if (!packages && whole)
        facts_unread(c->facts, N_("installed packages"), status_path,
                     status || parts ? _("the package database names no installed package")
                                     : _("this Debian system has no package database"));
    if (say_journal(c) || !whole || !packages)
        return;
    struct fact *f = facts_add(c->facts, "complete", status_path, 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "of", "package");
    fact_put_number(c->facts, f, "found", (int64_t)packages);
}

/* --- architectures --- */

size_t dpkg_architectures(struct target *target, const struct facts *facts, struct arena *arena,
                          const char **out, size_t most, struct error *e)
{
    static const char *const tell[] = {"dpkg", "apt", "libc6", "base-files"};
    CLEANUP_FREE char *text = NULL;
    size_t size = 0, position = 0, length, count = 0;
    const char *line;
    struct error why = ERROR_INIT;
    if (!target_read(target, "/var/lib/dpkg/arch", 64 << 10, &text, &size, &why)) {
        if (e && why.code != ERR_ABSENT)
            *e = why;
    } else {
        while (count < most && str_next_line(text, size, &position, &line, &length))
            if (length)
                out[count++] = arena_strndup(arena, line, length);
    }
    for (size_t i = 0; !count && most && i < ARRAY_COUNT(tell); i++)
        for (const struct fact *f = facts_first(facts, "package"); f && !count;
             f = facts_next(facts, "package", f))
            if (str_equal(fact_text(f, "name"), tell[i]) &&
                str_equal(fact_text(f, "manager"), "dpkg") &&
                !str_equal(fact_text(f, "arch"), "all"))
                out[count++] = fact_text(f, "arch");
    return count;
}

const char *dpkg_native_arch(struct target *target, const struct facts *facts, struct arena *arena)
{
    const char *one[1];
    return dpkg_architectures(target, facts, arena, one, 1, NULL) ? one[0] : NULL;
}

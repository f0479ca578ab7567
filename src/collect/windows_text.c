/* windows_text.c - a text that systeminfo.exe printed, in any language.
 *
 * Labels are translated and in the code page of that Windows, so they are not looked at. What
 * does not change (Windows XP to 11, seen in 25 texts of 6 languages): the order of the first
 * fields (host, system, version ... product id, install date), numbers, ids of hotfixes, and
 * `[01]: ` before the items of a list. A long list of hotfixes is cut by systeminfo itself:
 * the heading then names more than there are, or the last item is empty. */
#include "collect/windows_hotfixes.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_FIELDS = 64,
    MOST_LISTED = 4096,
    SUSPICIOUS = 200, /* lists of this length have been seen to be cut without a word */
    FIELD_NAME = -2,  /* from the field of the version */
    FIELD_SYSTEM = -1,
    FIELD_PRODUCT_ID = 6,
    FIELD_INSTALLED = 7,
};

struct field {
    const char *value;
    uint64_t line;
};

struct text {
    struct collection *c;
    struct field fields[MOST_FIELDS];
    size_t field_count;
    size_t version; /* the field that holds it */
    uint64_t ids[MOST_LISTED];
    const char *names[MOST_LISTED];
    size_t listed, hotfixes; /* items of the list, and those that are ids */
    uint64_t declared, heading_line;
    bool empty_item, ends_within;
};

/* "6.1.7601 Service Pack 1 Build 7601" */
static bool is_version(const char *s)
{
    size_t major = strspn(s, "0123456789");
    if (!major || major > 2 || s[major] != '.')
        return false;
    size_t minor = strspn(s + major + 1, "0123456789");
    const char *build = s + major + 1 + minor + 1;
    if (!minor || minor > 2 || build[-1] != '.')
        return false;
    size_t digits = strspn(build, "0123456789");
    return digits >= 3 && digits <= 5 && (build[digits] == ' ' || !build[digits]);
}

/* "[01]: KB2534111", French: a no-break space before the colon. NULL if it is no item. */
static char *item_of(char *line)
{
    if (*line != '[')
        return NULL;
    size_t digits = strspn(line + 1, "0123456789");
    if (!digits || digits > 4 || line[1 + digits] != ']')
        return NULL;
    char *rest = line + digits + 2;
    while (*rest == ':' || *rest == ' ' || *rest == '\xc2' || *rest == '\xa0' || *rest == '\xff')
        rest++;
    return rest;
}

static bool is_id(const char *item)
{
    const char *digits = item;
    if (str_starts_nocase(digits, "KB"))
        digits += 2;
    else if (str_starts_nocase(digits, "Q"))
        digits++;
    size_t length = strspn(digits, "0123456789");
    /* without letters an id is all there is: "940157" */
    return length >= 5 && length <= 8 && (digits != item || !item[length]);
}

static uint64_t number_in(const char *value)
{
    const char *digits = value + strcspn(value, "0123456789");
    uint64_t n = 0;
    char copy[8] = "";
    size_t length = strspn(digits, "0123456789");
    if (length && length < sizeof copy) {
        memcpy(copy, digits, length);
        str_to_u64(copy, &n);
    }
    return n;
}

/* A list is that of the hotfixes if one of its items is an id; processors and network cards
 * have none. Items before the first id count too: "File 1". */
struct list {
    uint64_t declared, heading_line;
    size_t items, first;
    bool has_id, empty;
};

static void close_list(struct text *t, const struct list *l, bool at_end)
{
    if (!l->has_id)
        return;
    t->declared = l->declared;
    t->heading_line = l->heading_line;
    t->listed += l->items;
    t->empty_item |= l->empty;
    t->ends_within |= at_end;
}

static void take_item(struct text *t, struct list *l, char *item, uint64_t line)
{
    item = str_trim(item);
    l->items++;
    l->empty |= !*item;
    if (!is_id(item) || t->hotfixes == MOST_LISTED)
        return;
    l->has_id = true;
    t->ids[t->hotfixes] = line;
    t->names[t->hotfixes++] = arena_strdup(t->c->arena, item);
}

static void read_lines(struct text *t, const char *data, size_t size)
{
    struct list list = {0};
    size_t position = 0, length;
    const char *line;
    uint64_t number = 0;
    bool last_was_item = false;
    while (str_next_line(data, size, &position, &line, &length)) {
        char *copy = arena_strndup(t->c->arena, line, length > 1024 ? 1024 : length);
        bool indented = str_is_space(*copy);
        char *text = str_trim(copy), *item = indented ? item_of(text) : NULL;
        number++;
        if (item) {
            take_item(t, &list, item, number);
            last_was_item = true;
            continue;
        }
        if (indented || !*text) {
            last_was_item &= !*text;
            continue;
        }
        char *colon = strchr(text, ':');
        close_list(t, &list, false);
        list = (struct list){.heading_line = number};
        last_was_item = false;
        if (!colon)
            continue;
        char *value = str_trim(colon + 1);
        list.declared = number_in(value);
        if (t->field_count < MOST_FIELDS)
            t->fields[t->field_count++] = (struct field){value, number};
    }
    close_list(t, &list, last_was_item);
}

static bool find_version(struct text *t)
{
    for (size_t i = 1; i < t->field_count && i < 8; i++)
        if (is_version(t->fields[i].value)) {
            t->version = i;
            return true;
        }
    return false;
}

static const char *field_at(const struct text *t, int from_version)
{
    int64_t i = (int64_t)t->version + from_version;
    return i >= 0 && (size_t)i < t->field_count ? t->fields[i].value : "";
}

/* "Microsoft(R) Windows(R) Server 2003" -> "Windows Server 2003" */
static const char *clean_name(struct arena *arena, const char *name)
{
    CLEANUP_STR struct str out = {0};
    if (str_starts_nocase(name, "Microsoft"))
        name += strcspn(name, " \xc2");
    for (; *name; name++) {
        if (str_starts(name, "(R)") || str_starts(name, "(TM)"))
            name += name[1] == 'R' ? 2 : 3;
        else if (str_starts(name, "\xc2\xae") || str_starts(name, "\xc2\xa0"))
            name++, str_add(&out, (unsigned char)*name == 0xa0 ? " " : "");
        else
            str_add_char(&out, *name);
    }
    char *copy = arena_strdup(arena, str_text(&out));
    return str_trim(copy);
}

static void put_host(struct text *t, const char *path)
{
    struct collection *c = t->c;
    const struct field *version = &t->fields[t->version];
    const char *system = clean_name(c->arena, field_at(t, FIELD_SYSTEM));
    const char *number = version->value, *pack = str_find_nocase(number, "Service Pack ");
    size_t two = strcspn(number, ".") + 1;
    two += strspn(number + two, "0123456789");
    const char *build = number + two + 1;
    const char *pack_digits = "";
    if (pack) {
        pack += strlen("Service Pack ");
        pack_digits = arena_strndup(c->arena, pack, strspn(pack, "0123456789"));
    }
    const char *short_version = arena_strndup(c->arena, number, two);
    const char *line =
        *pack_digits ? arena_printf(c->arena, "%s, Service Pack %s", system, pack_digits) : system;
    struct fact *host = facts_add(c->facts, "host", path, version->line, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, host, "family", "windows");
    fact_put(c->facts, host, "name", field_at(t, FIELD_NAME));
    fact_put(c->facts, host, "os", line);
    fact_put(c->facts, host, "version", short_version);
    fact_put(c->facts, host, "service_pack", pack_digits);
    fact_put(c->facts, host, "build", arena_strndup(c->arena, build, strspn(build, "0123456789")));
    if (str_find_nocase(system, "Server"))
        fact_put(c->facts, host, "product_type", "ServerNT");
    for (size_t i = t->version; i < t->field_count; i++) {
        const char *value = t->fields[i].value;
        if (str_find_nocase(value, "-based PC") && !*fact_text(host, "arch"))
            fact_put(c->facts, host, "arch",
                     str_starts_nocase(value, "x64")     ? "AMD64"
                     : str_starts_nocase(value, "arm64") ? "ARM64"
                                                         : "x86");
        if (value[0] && value[1] == ':' && value[2] == '\\' && !*fact_text(host, "system_root"))
            fact_put(c->facts, host, "system_root", value);
    }
    fact_put(c->facts, host, "identity",
             arena_printf(c->arena, "%s|%s|%s", field_at(t, FIELD_INSTALLED),
                          field_at(t, FIELD_NAME), field_at(t, FIELD_PRODUCT_ID)));
    fact_put(c->facts, host, "identity_source",
             _("install date, computer name, product id, as systeminfo prints them"));

    struct fact *product = facts_add(c->facts, "product", path, version->line, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, product, "name", "windows");
    fact_put(c->facts, product, "version", short_version);
    fact_put(c->facts, product, "title", line);
}

static void put_hotfixes(struct text *t, const char *path, bool before_xp)
{
    struct collection *c = t->c;
    for (size_t i = 0; i < t->hotfixes; i++) {
        struct fact *f = facts_add(c->facts, "hotfix", path, t->ids[i], -1, CONFIDENCE_HIGH);
        fact_put(c->facts, f, "id", windows_hotfixes_id(c->arena, t->names[i], before_xp));
        fact_put(c->facts, f, "installed", "1");
        fact_put(c->facts, f, "place", "systeminfo");
    }
    const char *why = NULL;
    if (t->hotfixes == MOST_LISTED)
        why = _("more hotfixes than what we take");
    else if (t->declared > t->listed || t->empty_item)
        why = arena_printf(c->arena,
                           _("systeminfo cut its list: the heading says %llu hotfixes, and %zu are "
                             "named; nothing can be said of the others"),
                           (unsigned long long)t->declared, t->hotfixes);
    else if (t->ends_within)
        why = _("the text ends within the list of hotfixes: some may be missing");
    else if (t->listed >= SUSPICIOUS)
        why = arena_printf(c->arena,
                           _("systeminfo is known to cut lists as long as this one (%zu hotfixes): "
                             "some may be missing"),
                           t->listed);
    if (why)
        facts_unread(c->facts, N_("hotfix: systeminfo"), path, why);
}

void collect_windows_text(struct collection *c)
{
    size_t size = 0;
    const char *data = target_text(c->target, &size);
    if (!data || collect_host(c))
        return;
    struct text *t = arena_alloc(c->arena, sizeof *t);
    t->c = c;
    read_lines(t, data, size);
    if (!find_version(t))
        return; /* another tool's text */
    const char *path = target_name(c->target);
    put_host(t, path);
    const char *version = fact_text(collect_host(c), "version");
    put_hotfixes(t, path, str_starts(version, "4.") || str_equal(version, "5.0"));
    collect_text_unread(c, N_("files, registry and services"),
                        _("a text from systeminfo names the system and its hotfixes only"));
}

#include "collect/linux_host.h"

#include "base/bytes.h"
#include "base/str.h"
#include "collect/collect.h"
#include "collect/dpkg.h"
#include "collect/os_support.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_SMALL_BYTES = 64 << 10, MOST_TABLE_BYTES = 1 << 20 };

/* Takes off quotes and the backslashes that os-release(5) allows; nothing is expanded. */
static const char *unquote(struct arena *arena, const char *text, size_t length)
{
    CLEANUP_STR struct str out = {0};
    char quote = length && (*text == '"' || *text == '\'') ? *text : 0;
    for (size_t i = quote ? 1 : 0; i < length; i++) {
        if (quote && text[i] == quote)
            break;
        if (text[i] == '\\' && quote != '\'' && i + 1 < length)
            i++;
        str_add_char(&out, text[i]);
    }
    return arena_strdup(arena, str_text(&out));
}

/* "9 (stretch)" and "Debian GNU/Linux 9 (stretch)", of the time before VERSION_CODENAME. */
static void guess_codename(struct linux_os *os, struct arena *arena)
{
    const char *open = strrchr(os->version, '('), *close = open ? strchr(open, ')') : NULL;
    if (*os->codename || !close || strchr(open, ' ') || strchr(open, ','))
        return;
    char *name = arena_strndup(arena, open + 1, (size_t)(close - open - 1));
    str_lower_all(name);
    os->codename = name;
}

void linux_os_parse(struct linux_os *os, struct arena *arena, const char *text, size_t size)
{
    *os = (struct linux_os){"", 0, "", "", "", "", "", "", ""};
    const struct {
        const char *key;
        const char **place;
    } keys[] = {{"ID", &os->id},
                {"ID_LIKE", &os->id_like},
                {"PRETTY_NAME", &os->pretty},
                {"VERSION_ID", &os->version_id},
                {"VERSION", &os->version},
                {"VERSION_CODENAME", &os->codename},
                {"BUILD_ID", &os->build}};
    size_t position = 0, length;
    const char *line;
    for (uint64_t number = 1; str_next_line(text, size, &position, &line, &length); number++) {
        while (length && str_is_space(*line))
            line++, length--;
        const char *equals = memchr(line, '=', length);
        if (!equals || *line == '#')
            continue;
        size_t key = (size_t)(equals - line);
        size_t rest = length - key - 1;
        while (rest && str_is_space(equals[rest]))
            rest--;
        for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
            if (strlen(keys[i].key) == key && memcmp(keys[i].key, line, key) == 0) {
                *keys[i].place = unquote(arena, equals + 1, rest);
                if (i == 0)
                    os->line = number;
            }
    }
    guess_codename(os, arena);
}

static bool read_os(struct collection *c, struct linux_os *os)
{
    static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
    size_t size = 0;
    linux_os_parse(os, c->arena, "", 0); /* all empty */
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        char *text = collect_text(c, paths[i], MOST_SMALL_BYTES, &size);
        if (!text)
            continue;
        linux_os_parse(os, c->arena, text, size);
        os->path = paths[i];
        return true;
    }
    char *version = collect_text(c, "/etc/debian_version", MOST_SMALL_BYTES, &size);
    if (!version)
        return false;
    os->path = "/etc/debian_version";
    os->line = 1;
    os->id = "debian";
    os->version_id = arena_strndup(c->arena, str_trim(version), strcspn(str_trim(version), "."));
    os->pretty = arena_printf(c->arena, "Debian %s", str_trim(version));
    return true;
}

static bool is_debian(const struct linux_os *os)
{
    CLEANUP_STR struct str like = {0};
    str_printf(&like, " %s %s ", os->id, os->id_like);
    return strstr(str_text(&like), " debian ") || strstr(str_text(&like), " ubuntu ");
}

/* ELF gABI, e_machine; names as Debian and as the kernel give them. */
static const char *arch_of_elf(struct collection *c, bool debian)
{
    static const struct {
        uint16_t machine;
        uint8_t bits; /* 1 = 32, 2 = 64 */
        const char *debian, *kernel;
    } machines[] = {{62, 2, "amd64", "x86_64"},     {183, 2, "arm64", "aarch64"},
                    {3, 1, "i386", "i686"},         {40, 1, "armhf", "armv7l"},
                    {21, 2, "ppc64el", "ppc64le"},  {22, 2, "s390x", "s390x"},
                    {243, 2, "riscv64", "riscv64"}, {8, 2, "mips64el", "mips64"},
                    {8, 1, "mipsel", "mips"},       {258, 2, "loong64", "loongarch64"}};
    static const char *const programs[] = {"/bin/sh", "/usr/bin/env", "/usr/bin/dpkg"};
    for (size_t i = 0; i < ARRAY_COUNT(programs); i++) {
        uint8_t head[20];
        size_t got = 0;
        if (!target_read_at(c->target, programs[i], 0, head, sizeof head, &got, NULL) ||
            got < sizeof head || memcmp(head, "\177ELF", 4) != 0)
            continue;
        struct bytes b = bytes_of(head, sizeof head);
        bytes_seek(&b, 18);
        uint16_t machine = head[5] == 2 ? bytes_u16be(&b) : bytes_u16le(&b);
        for (size_t k = 0; k < ARRAY_COUNT(machines); k++)
            if (machines[k].machine == machine && machines[k].bits == head[4])
                return debian ? machines[k].debian : machines[k].kernel;
    }
    return "";
}

static const char *read_arch(struct collection *c, bool debian)
{
    const char *arch = debian ? dpkg_native_arch(c->target, c->facts, c->arena) : NULL;
    return arch ? arch : arch_of_elf(c, debian);
}

static const char *first_line(struct collection *c, const char *path)
{
    size_t size = 0;
    char *text = collect_text(c, path, MOST_SMALL_BYTES, &size);
    if (!text)
        return "";
    text[strcspn(text, "\r\n")] = '\0';
    return str_trim(text);
}

static bool is_machine_id(const char *text)
{
    return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32 && strspn(text, "0") != 32;
}

static void put_identity(struct collection *c, struct fact *host, const char *name)
{
    static const char *const paths[] = {"/etc/machine-id", "/var/lib/dbus/machine-id"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        const char *id = first_line(c, paths[i]);
        if (is_machine_id(id)) {
            fact_put(c->facts, host, "identity", id);
            fact_put(c->facts, host, "identity_source", "machine-id");
            return;
        }
    }
    fact_put(c->facts, host, "identity", *name ? name : "");
    fact_put(c->facts, host, "identity_source", *name ? _("host name") : "none");
}

/* A release that has not been published yet has no VERSION_ID (base-files of testing, sid). */
static void state_support(struct collection *c, const struct linux_os *os)
{
    struct facts *facts = c->facts;
    bool known_family = str_equal(os->id, "debian") || str_equal(os->id, "ubuntu");
    bool released = *os->version_id != '\0';
    struct os_support s = {"", "", "", "", 0};
    const char *path = arena_printf(c->arena, "/usr/share/distro-info/%s.csv", os->id);
    const char *from = path;
    size_t size = 0;
    bool found = false;
    if (known_family && released) {
        char *text = collect_text(c, path, MOST_TABLE_BYTES, &size);
        found = text && os_support_find(&s, c->arena, text, size, os->codename, os->version_id);
        if (!found || !*s.eol) {
            found = os_support_builtin(&s, os->id, os->codename, os->version_id);
            from = os_support_builtin_source();
        }
    }
    struct fact *f = facts_add(facts, "os-support", found && s.line ? path : os->path,
                               found && s.line ? s.line : os->line, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "distribution", os->id);
    fact_put(facts, f, "series",
             *os->codename ? os->codename
             : *s.series   ? s.series
                           : os->version_id);
    fact_put(facts, f, "released", released ? "yes" : "no");
    if (found && *s.eol)
        fact_put(facts, f, "eol", s.eol);
    else
        fact_put_state(facts, f, "eol", VALUE_ABSENT, "");
    if (*s.eol_lts)
        fact_put(facts, f, "eol_lts", s.eol_lts);
    if (*s.eol_paid)
        fact_put(facts, f, "eol_paid", s.eol_paid);
    if (found)
        fact_put(facts, f, "from", from);
}

void collect_linux_host(struct collection *c)
{
    struct linux_os os;
    if (collect_host(c) || target_kind(c->target) == TARGET_TEXT || !read_os(c, &os))
        return;
    bool debian = is_debian(&os);
    struct fact *host = facts_add(c->facts, "host", os.path, os.line, -1, CONFIDENCE_HIGH);
    const char *name = first_line(c, "/etc/hostname");
    fact_put(c->facts, host, "family", debian ? "debian" : "linux");
    fact_put(c->facts, host, "name", name);
    fact_put(c->facts, host, "os", *os.pretty ? os.pretty : os.id);
    fact_put(c->facts, host, "version", os.version_id);
    fact_put(c->facts, host, "arch", read_arch(c, debian));
    fact_put(c->facts, host, "build", os.build);
    fact_put(c->facts, host, "distribution", os.id);
    fact_put(c->facts, host, "series", os.codename);
    put_identity(c, host, name);
    state_support(c, &os);
}

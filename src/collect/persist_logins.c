/* persist_logins.c - what decides who gets in and becomes whom: PAM (pam.d(5)), sudo (sudoers(5)),
 * and the libraries that the linker loads into every program (ld.so(8), ld.so.preload). */
#include "collect/persistence.h"

#include "base/str.h"
#include "collect/conf_lines.h"

enum { MOST_LINE = 16 << 10 };

/* --- ld.so.preload --- */

static void read_preload(struct persist *p)
{
    static const char path[] = "/etc/ld.so.preload";
    struct target_stat st;
    size_t size;
    if (!persist_there(p, "preload", path, &st))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    char *text = persist_text(p, "preload", path, &size);
    if (!text || !st.size)
        return;
    /* Words are separated by white space and colons; the linker knows "#" comments. */
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    for (char *line, *save; (line = conf_lines_next(&lines));) {
        line[strcspn(line, "#")] = '\0';
        for (char *word = strtok_r(line, " \t\r:", &save); word;
             word = strtok_r(NULL, " \t\r:", &save)) {
            struct fact *f = persist_add(p, "preload", path, lines.line, &origin);
            fact_put(p->c->facts, f, "runs", word);
        }
    }
}

/* --- PAM --- */

/* pam-auth-update(8) makes these out of what packages ask for: no package owns them. */
static bool is_generated(const char *name)
{
    static const char *const names[] = {"common-account", "common-auth", "common-password",
                                        "common-session", "common-session-noninteractive"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (str_equal(name, names[i]))
            return true;
    return false;
}

struct pam_line {
    const char *group, *control, *module, *arguments;
};

/* "[-]type control module args", where the control may be "[a=b c=d]". */
static bool split_pam(char *line, struct pam_line *out)
{
    char *rest = line;
    out->group = conf_lines_word(&rest);
    if (!out->group)
        return false;
    out->group += *out->group == '-';
    rest += strspn(rest, " \t");
    if (*rest == '[') {
        char *end = strchr(rest, ']');
        if (!end)
            return false;
        out->control = rest;
        rest = end + 1;
        if (*rest)
            *rest++ = '\0';
    } else {
        out->control = conf_lines_word(&rest);
    }
    out->module = conf_lines_word(&rest);
    out->arguments = str_trim(rest);
    return out->control && out->module;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add_pam(struct persist *p, const char *type, const char *path, uint64_t number,
                    const struct origin *origin, const struct pam_line *line)
{
    struct fact *f = persist_add(p, type, path, number, origin);
    fact_put(p->c->facts, f, "runs",
             arena_printf(p->c->arena, "%s %s %s %s", line->group, line->control, line->module,
                          line->arguments));
}

/* Whether a line of `auth` that succeeds ends the asking. */
static bool is_enough(const char *control)
{
    return str_equal(control, "sufficient") || strstr(control, "success=done");
}

static void read_pam(struct persist *p, const char *folder, const char *name)
{
    static const char *const programs[] = {"pam_exec.so", "pam_script.so", "pam_python.so",
                                           "pam_unix_auth.so"};
    const char *path = arena_printf(p->c->arena, "%s/%s", folder, name);
    struct target_stat st;
    size_t size;
    if (!persist_there(p, "pam", path, &st))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    const char *text = origin.state == ORIGIN_PACKAGE ? NULL : persist_text(p, "pam", path, &size);
    if (!text)
        return;
    bool said = false, asked = false;
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text, size, CONF_BACKSLASH, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines));) {
        struct pam_line line;
        row = str_trim(row);
        row[strcspn(row, "#")] = '\0';
        if (*row == '@' || !split_pam(row, &line))
            continue;
        const char *module = last_part(line.module);
        bool auth = str_equal(line.group, "auth"), permits = str_equal(module, "pam_permit.so"),
             runs = false;
        for (size_t i = 0; i < ARRAY_COUNT(programs); i++)
            runs |= str_equal(module, programs[i]);
        if (*line.module == '/') {
            struct origin of = origin_of(p->c, p->origins, line.module);
            if (of.state != ORIGIN_PACKAGE) {
                add_pam(p, "pam-module", path, lines.line, &of, &line);
                said = true;
            }
        }
        if (auth && permits && (is_enough(line.control) || !asked)) {
            add_pam(p, "pam-open", path, lines.line, &origin, &line);
            said = true;
        } else if (runs) {
            add_pam(p, "pam", path, lines.line, &origin, &line);
            said = true;
        }
        asked |= auth && !permits && !str_equal(line.control, "optional") &&
                 !str_equal(module, "pam_env.so");
    }
    if (!said && !is_generated(name)) {
        struct fact *f = persist_add(p, "pam", path, 0, &origin);
        fact_put(p->c->facts, f, "runs", persist_lines(p, text, size, NULL));
    }
}

/* /usr/lib/x86_64-linux-gnu/security and its kin of other architectures. */
static void read_module_folders(struct persist *p, const char *lib)
{
    struct target_entry *entries;
    size_t count = persist_list(p, "pam-module", lib, &entries);
    persist_modules(p, "pam-module", arena_printf(p->c->arena, "%s/security", lib));
    for (size_t i = 0; i < count; i++)
        if (strstr(entries[i].name, "-linux-gnu") && entries[i].type != TARGET_FILE)
            persist_modules(p, "pam-module",
                            arena_printf(p->c->arena, "%s/%s/security", lib, entries[i].name));
}

/* --- sudo --- */

/* "#1000 ALL=..." is a rule of user number 1000, and "#include" the old form of "@include". */
static bool is_comment(const char *line)
{
    return *line == '#' && !str_is_digit(line[1]) && !str_starts(line, "#include");
}

/* Of the settings those that ask for no password or let libraries through. */
static bool is_rule(const char *line)
{
    if (str_starts(line, "@include") || str_starts(line, "#include"))
        return !strstr(line, "includedir /etc/sudoers.d");
    if (!str_starts(line, "Defaults"))
        return true;
    return strstr(line, "!authenticate") || strstr(line, "exempt_group") ||
           strstr(line, "!env_reset") || strstr(line, "LD_") || strstr(line, "BASH_ENV");
}

static void read_sudoers(struct persist *p, const char *path)
{
    struct target_stat st;
    size_t size;
    if (!persist_there(p, "sudo", path, &st))
        return;
    struct origin origin = origin_of(p->c, p->origins, path);
    const char *text = origin.state == ORIGIN_PACKAGE ? NULL : persist_text(p, "sudo", path, &size);
    if (!text)
        return;
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text, size, CONF_BACKSLASH, MOST_LINE);
    for (char *line; (line = conf_lines_next(&lines));) {
        line = str_trim(line);
        if (!*line || is_comment(line) || !is_rule(line))
            continue;
        /* The rules that Debian's own file has are its own, whatever else was changed in it. */
        if (str_equal(path, "/etc/sudoers") &&
            (str_starts(line, "root\t") || str_starts(line, "%sudo\t")) &&
            str_ends(line, "ALL=(ALL:ALL) ALL"))
            continue;
        struct fact *f = persist_add(p, "sudo", path, lines.line, &origin);
        fact_put(p->c->facts, f, "runs", line);
        fact_put(p->c->facts, f, "user", arena_strndup(p->c->arena, line, strcspn(line, " \t=")));
    }
}

void collect_persist_logins(struct collection *c)
{
    static const char *const folders[] = {"/etc/pam.d", "/usr/lib/pam.d"};
    struct persist p = persist_begin(c);
    struct target_entry *entries;
    struct target_stat st;
    read_preload(&p);
    for (size_t k = 0; k < ARRAY_COUNT(folders); k++) {
        size_t count = persist_list(&p, "pam", folders[k], &entries);
        for (size_t i = 0; i < count; i++)
            if (!strchr(entries[i].name, '.') && !strchr(entries[i].name, '~'))
                read_pam(&p, folders[k], entries[i].name);
    }
    read_module_folders(&p, "/usr/lib");
    if (!target_stat(c->target, "/lib", false, &st, NULL) || st.type != TARGET_LINK)
        read_module_folders(&p, "/lib");
    read_sudoers(&p, "/etc/sudoers");
    size_t count = persist_list(&p, "sudo", "/etc/sudoers.d", &entries);
    for (size_t i = 0; i < count; i++)
        if (!strchr(entries[i].name, '.') && !str_ends(entries[i].name, "~"))
            read_sudoers(&p, arena_printf(c->arena, "/etc/sudoers.d/%s", entries[i].name));
    persist_end(&p);
}

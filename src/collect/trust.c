/* trust.c - whom a Solaris host lets in by name alone: .rhosts of the accounts, hosts.equiv.
 *
 * A line is HOST [USER]; "+" stands for anyone, "-" in front takes back (hosts.equiv(4)).
 * Read are /etc/hosts.equiv, and .rhosts in the home of every account of /etc/passwd. */
#include "collect/collect.h"
#include "collect/conf_lines.h"

#include "base/str.h"

enum { MOST_FILE = 256 * 1024, MOST_LINE = 4096, MOST_ACCOUNTS = 2000 };

static void read_file(struct collection *c, const char *path, const char *account, size_t *found)
{
    size_t size;
    char *text = collect_text_of(c, N_("trust"), path, MOST_FILE, &size, NULL);
    if (!text)
        return;
    CLEANUP_CONF_LINES struct conf_lines lines = conf_lines_of(text, size, CONF_PLAIN, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines));) {
        char *rest = str_trim(row);
        if (!*rest || *rest == '#')
            continue;
        char *host = conf_lines_word(&rest), *user = conf_lines_word(&rest);
        struct fact *f = facts_add(c->facts, "trust", path, lines.line, -1, CONFIDENCE_HIGH);
        fact_put(c->facts, f, "path", path);
        fact_put(c->facts, f, "account", account);
        fact_put(c->facts, f, "host", host);
        if (user)
            fact_put(c->facts, f, "user", user);
        else
            fact_put_state(c->facts, f, "user", VALUE_ABSENT, "");
        ++*found;
    }
    conf_lines_state(&lines, c->facts, N_("trust"), path);
}

/* The sixth field of a line of passwd(4) is the home, the first the account. */
static char *field(char *line, unsigned index)
{
    while (index-- && line) {
        line = strchr(line, ':');
        line = line ? line + 1 : NULL;
    }
    return line;
}

void collect_trust(struct collection *c)
{
    size_t size, found = 0, before = facts_count(c->facts), accounts = 0;
    read_file(c, "/etc/hosts.equiv", "*", &found);
    char *text = collect_text_of(c, N_("trust"), "/etc/passwd", MOST_FILE, &size, NULL);
    CLEANUP_CONF_LINES struct conf_lines lines =
        conf_lines_of(text ? text : "", text ? size : 0, CONF_PLAIN, MOST_LINE);
    for (char *row; (row = conf_lines_next(&lines)) && accounts < MOST_ACCOUNTS; accounts++) {
        char *home = field(row, 5);
        if (!home)
            continue;
        home[strcspn(home, ":")] = '\0';
        row[strcspn(row, ":")] = '\0';
        if (*home == '/' && *row)
            read_file(c, arena_printf(c->arena, "%s/.rhosts", home[1] ? home : ""),
                      arena_strdup(c->arena, row), &found);
    }
    conf_lines_state(&lines, c->facts, N_("trust"), "/etc/passwd");
    if (accounts == MOST_ACCOUNTS)
        facts_unread(c->facts, N_("trust"), "/etc/passwd", _("more accounts than are looked at"));
    bool complete = text != NULL;
    for (size_t i = before; i < facts_count(c->facts); i++)
        complete &= !str_equal(facts_at(c->facts, i)->kind, "unread");
    if (!complete)
        return;
    struct fact *f = facts_add(c->facts, "complete", "", 0, -1, CONFIDENCE_HIGH);
    fact_put(c->facts, f, "of", "trust");
    fact_put_number(c->facts, f, "found", (int64_t)found);
}

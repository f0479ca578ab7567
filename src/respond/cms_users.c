#include "respond/cms_users.h"

#include "act/wp_config.h"
#include "respond/passwords.h"

#include <fcntl.h>
#include <unistd.h>

static struct wp_tables tables_of(const char *path)
{
    struct wp_tables t = {.database = ""};
    if (!wp_config_tables(&t, AT_FDCWD, path, NULL))
        t = (struct wp_tables){.database = ""};
    return t;
}

static bool is_certain(const struct wp_tables *t)
{
    return *t->database && *t->prefix;
}

/* Line ends within the quotes mean nothing to SQL. The names are letters, digits, underscores, and
 * hyphens in the database's. Of many sites (a multisite) each has administrators of its own, by the
 * site's number, and the one list of those above all has their logins in PHP's notation, which
 * comes last: no other site has that table. */
static const char *command_of(struct response *r, const struct wp_tables *t)
{
    const char *database = *t->database ? t->database : "DATABASE",
               *prefix = *t->prefix ? t->prefix : "PREFIX_";
    const char *above =
        arena_printf(r->arena,
                     ";\nSELECT ID, user_login, user_email, user_registered, meta_key\n"
                     "FROM %susers JOIN %ssitemeta ON INSTR(meta_value, CONCAT(CHAR(34), "
                     "user_login, CHAR(34)))\n"
                     "WHERE meta_key = 'site_admins' ORDER BY ID DESC",
                     prefix, prefix);
    return arena_printf(r->arena,
                        "%s %s -e \"SELECT ID, user_login, user_email, user_registered, meta_key\n"
                        "FROM %susers JOIN %susermeta ON user_id = ID\n"
                        "WHERE meta_key = '_application_passwords'\n"
                        "OR (meta_key REGEXP '^%s([0-9]+_)?capabilities\\$'\n"
                        "AND meta_value LIKE '%%administrator%%')\n"
                        "ORDER BY ID DESC%s\"",
                        access("/usr/bin/mariadb", X_OK) == 0 ? "mariadb" : "mysql", database,
                        prefix, prefix, prefix, t->multisite || !is_certain(t) ? above : "");
}

const char *cms_users_note(struct response *r, const struct fact *f)
{
    const char *path = fact_text(f, "path");
    if (!str_equal(fact_text(f, "reach"), "cms-user") || !*path)
        return NULL;
    if (!str_ends(path, "/wp-config.php"))
        return arena_printf(
            r->arena,
            _("The users in the database of %s were not looked at: an attacker may have added an "
              "administrator. Look through its list of users, delete whom nobody knows, then sign "
              "for %s."),
            path, password_id(r, f));
    struct wp_tables t = tables_of(path);
    const char *said = arena_printf(
        r->arena,
        _("The users in the database of %s were not looked at: an attacker may have added an "
          "administrator, or a password of an application, which a new password does not end. "
          "Delete what nobody knows (in WordPress itself), then sign for %s. As the "
          "administrator of the database, this shows them:\n%s"),
        path, password_id(r, f), command_of(r, &t));
    if (is_certain(&t))
        return said;
    return arena_printf(
        r->arena, "%s\n%s", said,
        _("PHP may see another name of the database, or another prefix of its tables, than what "
          "stands in that file: put in for DATABASE and PREFIX_ what it sees. An error in the end "
          "that there is no table sitemeta means that it is not a WordPress of many sites."));
}

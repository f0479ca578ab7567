#include "respond/cms_users.h"

#include "act/wp_config.h"
#include "respond/passwords.h"

#include <fcntl.h>
#include <unistd.h>

/* Line ends within the quotes mean nothing to SQL. The names are letters, digits, underscores, and
 * hyphens in the database's. */
static const char *command_of(struct response *r, const char *path)
{
    struct wp_tables t;
    if (!wp_config_tables(&t, AT_FDCWD, path, NULL))
        t = (struct wp_tables){.database = ""};
    const char *database = *t.database ? t.database : "DATABASE",
               *prefix = *t.prefix ? t.prefix : "PREFIX_";
    return arena_printf(r->arena,
                        "%s %s -e \"SELECT ID, user_login, user_email, user_registered, meta_key\n"
                        "FROM %susers JOIN %susermeta ON user_id = ID\n"
                        "WHERE meta_key = '_application_passwords'\n"
                        "OR (meta_key = '%scapabilities' AND meta_value LIKE '%%administrator%%')\n"
                        "ORDER BY ID DESC\"",
                        access("/usr/bin/mariadb", X_OK) == 0 ? "mariadb" : "mysql", database,
                        prefix, prefix, prefix);
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
    return arena_printf(
        r->arena,
        _("The users in the database of %s were not looked at: an attacker may have added an "
          "administrator, or a password of an application, which a new password does not end. "
          "Delete what nobody knows (in WordPress itself), then sign for %s. As the "
          "administrator of the database, this shows them:\n%s"),
        path, password_id(r, f), command_of(r, path));
}

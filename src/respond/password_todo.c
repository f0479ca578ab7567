/* What an administrator types, or where he goes, for each secret of step 6. */
#include "respond/passwords.h"

#include "base/language.h"
#include "base/str.h"

static const char in_database[] = N_("change it in the database (ALTER USER), then in this file"),
                  in_page[] = N_("change it in the database (ALTER USER), then in this file, and "
                                 "publish that: yagura publish"),
                  in_relay[] = N_("make it new at the mail relay, then in this file"),
                  in_application[] =
                      N_("make each of them new where it was issued, put them into this file, and "
                         "publish that: yagura publish"),
                  of_host[] = N_(
                      "rm {} {}.pub; ssh-keygen -A; systemctl restart ssh; and tell whoever logs "
                      "in the new fingerprint"),
                  of_user[] =
                      N_("ssh-keygen -f {} makes a new one; take the old public key away wherever "
                         "it opens something (authorized_keys, deploy keys)");

/* The first row that fits; `name` is the whole of what is changed, or the last part of its path,
 * NULL: any. {} is what is changed, as a shell takes it. */
static const struct {
    const char *reach, *name, *text;
} rows[] = {
    {"system-account", "root",
     N_("passwd root; then throw out its other sessions:\nyagura respond end-sessions root")},
    {"system-account", NULL,
     N_("passwd {}; or, if nobody needs it: yagura respond lock {} (yagura respond expire {} "
        "leaves the hash as it is)")},
    {"database", "wp-config.php", in_page},
    {"database", "configuration.php", in_page},
    {"database", "settings.php", in_page},
    {"database", "LocalSettings.php", in_page},
    {"database", ".pgpass", N_("change it in PostgreSQL (\\password in psql), then in this file")},
    {"database", "redis.conf",
     N_("another requirepass in this file; systemctl restart redis-server; and wherever it is "
        "used")},
    {"database", NULL, in_database},
    {"cms-user", "wp-config.php",
     N_("as administrator under /wp-admin/users.php, or with wp-cli: wp user reset-password "
        "--skip-email --show-password NAME; delete whom nobody knows")},
    {"cms-user", "configuration.php",
     N_("as administrator under /administrator, Users; delete whom nobody knows")},
    {"cms-user", NULL, N_("where the mailboxes are kept")},
    {"api-key", "passwd.client", in_relay},
    {"api-key", "msmtprc", in_relay},
    {"api-key", "sasl_passwd",
     N_("make it new at the mail relay, then in this file; then: postmap {}")},
    {"api-key", "krb5.keytab",
     N_("adcli update or realm join (Active Directory), kadmin ktadd -k {} (Kerberos)")},
    {"api-key", "sssd.conf",
     N_("make it new in the directory, then ldap_default_authtok in this file")},
    {"api-key", ".htpasswd",
     N_("htpasswd {} NAME, for each of its names; then publish it: yagura publish")},
    {"api-key", ".env", in_application},
    {"api-key", "parameters.yml", in_application},
    {"api-key", "monitoring", N_("in the settings of each of these services")},
    {"tls-key", "ssh_host_ed25519_key", of_host},
    {"tls-key", "ssh_host_rsa_key", of_host},
    {"tls-key", "ssh_host_ecdsa_key", of_host},
    {"tls-key", NULL,
     N_("make a new key, get a certificate of it, and have the issuer revoke the old one")},
    {"deploy-key", "id_rsa", of_user},
    {"deploy-key", "id_ed25519", of_user},
    {"deploy-key", "id_ecdsa", of_user},
    {"deploy-key", NULL, N_("change it on those servers, then in this file")},
    {"ftp", "ftpd.passwd",
     N_("ftpasswd --passwd --file={} --name=NAME --change-password, for each of its names")},
    {"ftp", "pureftpd.passwd", N_("pure-pw passwd NAME -f {} -m, for each of its names")},
    {"ftp", "virtual_users.db",
     N_("change the list that it was made from; then: db_load -T -t hash -f LIST {}")},
    {"ftp", "vsftpd.userlist", N_("passwd NAME, for each of its names")},
    {"ftp", NULL, N_("in the panel of the hoster")},
    {"registrar", NULL,
     N_("log in there from a clean machine, and look who else has a login there")},
    {NULL, NULL,
     N_("make a new one where it was issued, put it here, and delete the old one there")},
};

static bool fits(size_t row, const char *reach, const char *subject)
{
    const char *name = rows[row].name, *slash = strrchr(subject, '/');
    return (!rows[row].reach || str_equal(rows[row].reach, reach)) &&
           (!name || str_equal(name, subject) || (slash && str_equal(name, slash + 1)));
}

static const char *const of_salts[] = {
    [PASSWORD_SALTS_HERE] = N_("yagura respond rotate {}"),
    [PASSWORD_SALTS_NONE] =
        N_("it has none, and WordPress keeps others in its database: copy the eight lines AUTH_KEY "
           "to NONCE_SALT of wp-config-sample.php into it, publish that (yagura publish); then "
           "yagura respond rotate {}"),
    [PASSWORD_SALTS_ELSEWHERE] =
        N_("they come from elsewhere (getenv, a constant): change them there")};

static void fill(struct str *out, const char *text, const char *subject)
{
    for (const char *place; (place = strstr(text, "{}")); text = place + 2) {
        str_add_bytes(out, text, (size_t)(place - text));
        str_add_shell_word(out, subject);
    }
    str_add(out, text);
}

const char *password_todo(struct response *r, const struct fact *f, bool has_mark)
{
    CLEANUP_STR struct str todo = {0}, sign = {0};
    const char *reach = fact_text(f, "reach"), *path = fact_text(f, "path");
    const char *subject =
        str_equal(reach, "system-account") || !*path ? fact_text(f, "name") : path;
    size_t i = 0;
    while (!fits(i, reach, subject))
        i++;
    const char *text = str_equal(reach, "salt") ? of_salts[password_salts(path)] : rows[i].text;
    fill(&todo, language_text(text), subject);
    if (has_mark)
        return arena_strdup(r->arena, str_text(&todo));
    str_add_shell_word(&sign, password_id(r, f));
    return arena_printf(r->arena,
                        _("%s; then sign for it:\nyagura respond sign %s --because \"...\""),
                        str_text(&todo), str_text(&sign));
}

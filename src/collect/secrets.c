/* secrets.c - what has to be changed after an intrusion, by reach: facts of kind `secret`.
 *
 * Whoever read the host's files knows what stands in them. A record says which secret lies where
 * and since when; its value is neither stated nor kept. What lies elsewhere (the registrar, the
 * panel of the hoster) cannot be seen from here: it is stated all the same, with `place` `outside`,
 * so that nobody forgets it. */
#include "collect/persistence.h"

#include "base/str.h"
#include "collect/windows_system.h"

enum { MOST_SITE_NAMES = 20000, MOST_DEPTH = 3 };

static struct fact *add(struct persist *p, const char *reach, const char *name, const char *path,
                        const char *what)
{
    struct facts *facts = p->c->facts;
    struct target_stat st;
    struct fact *f = facts_add(facts, "secret", path, 0, -1, CONFIDENCE_HIGH);
    fact_put(facts, f, "reach", reach);
    fact_put(facts, f, "name", name);
    fact_put(facts, f, "path", path);
    fact_put(facts, f, "what", what);
    fact_put(facts, f, "place", *path ? "here" : "outside");
    if (*path && target_stat(p->c->target, path, true, &st, NULL))
        persist_put_times(p->c, f, &st);
    return f;
}

static bool there(struct persist *p, const char *path, int type)
{
    struct target_stat st;
    struct error e = ERROR_INIT;
    if (target_stat(p->c->target, path, true, &st, &e))
        return (int)st.type == type;
    if (e.code != ERR_ABSENT)
        facts_unread(p->c->facts, N_("secret"), path, e.message);
    return false;
}

static void accounts(struct persist *p)
{
    for (const struct fact *f = facts_first(p->c->facts, "account"); f;
         f = facts_next(p->c->facts, "account", f)) {
        const struct fact_value *password = fact_value(f, "password");
        if (!password || str_equal(password->text, "none") || str_equal(password->text, "locked"))
            continue;
        struct fact *s = add(p, "system-account", fact_text(f, "name"), "/etc/shadow",
                             N_("the password of an account of this host"));
        if (*fact_text(f, "password_changed"))
            fact_put(p->c->facts, s, "since", fact_text(f, "password_changed"));
    }
}

/* Files with fixed names. */
static const struct {
    const char *reach, *path, *what;
} fixed[] = {
    {"database", "/root/.my.cnf", N_("a password of MySQL or MariaDB")},
    {"database", "/etc/mysql/debian.cnf", N_("a password of MySQL or MariaDB")},
    {"database", "/root/.pgpass", N_("a password of PostgreSQL")},
    {"database", "/etc/redis/redis.conf", N_("the password of Redis, if one is set")},
    {"ftp", "/etc/proftpd/ftpd.passwd", N_("the passwords of FTP")},
    {"ftp", "/etc/pure-ftpd/pureftpd.passwd", N_("the passwords of FTP")},
    {"ftp", "/etc/vsftpd/virtual_users.db", N_("the passwords of FTP")},
    {"ftp", "/etc/vsftpd.userlist", N_("the passwords of FTP")},
    {"tls-key", "/etc/ssh/ssh_host_ed25519_key", N_("the key by which this host proves itself")},
    {"tls-key", "/etc/ssh/ssh_host_rsa_key", N_("the key by which this host proves itself")},
    {"tls-key", "/etc/ssh/ssh_host_ecdsa_key", N_("the key by which this host proves itself")},
    {"api-key", "/etc/exim4/passwd.client", N_("the password of the mail relay")},
    {"api-key", "/etc/postfix/sasl_passwd", N_("the password of the mail relay")},
    {"api-key", "/etc/msmtprc", N_("the password of the mail relay")},
    {"api-key", "/etc/krb5.keytab", N_("the key of this host in Kerberos or Active Directory")},
    {"api-key", "/etc/sssd/sssd.conf", N_("the password by which the directory is asked")},
};

static const struct {
    const char *reach, *path, *what;
} in_homes[] = {
    {"deploy-key", ".ssh/id_rsa", N_("a private key that opens other hosts")},
    {"deploy-key", ".ssh/id_ed25519", N_("a private key that opens other hosts")},
    {"deploy-key", ".ssh/id_ecdsa", N_("a private key that opens other hosts")},
    {"deploy-key", ".git-credentials", N_("the passwords of git")},
    {"deploy-key", ".netrc", N_("passwords of other servers")},
    {"api-key", ".aws/credentials", N_("a key of a cloud")},
    {"api-key", ".config/gcloud/credentials.db", N_("a key of a cloud")},
    {"api-key", ".azure/accessTokens.json", N_("a key of a cloud")},
    {"api-key", ".docker/config.json", N_("the password of a registry of images")},
    {"api-key", ".kube/config", N_("the key of a cluster")},
    {"api-key", ".npmrc", N_("the key of a registry of packages")},
    {"database", ".my.cnf", N_("a password of MySQL or MariaDB")},
    {"database", ".pgpass", N_("a password of PostgreSQL")},
};

/* Private keys of TLS: the usual folders. */
static void keys(struct persist *p, const char *folder, const char *suffix)
{
    struct target_entry *entries;
    size_t count = collect_list(p->c, N_("secret"), folder, &entries, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(p->c->arena, "%s/%s", folder, entries[i].name);
        /* made at the installation, for nobody: openssl's ssl-cert */
        if (!str_ends(entries[i].name, suffix) ||
            str_equal(entries[i].name, "ssl-cert-snakeoil.key"))
            continue;
        if (there(p, path, TARGET_FILE))
            add(p, "tls-key", entries[i].name, path, N_("the private key of a certificate"));
    }
}

static void certificates(struct persist *p)
{
    struct target_entry *entries;
    keys(p, "/etc/ssl/private", ".key");
    keys(p, "/etc/nginx/ssl", ".key");
    keys(p, "/etc/apache2/ssl", ".key");
    size_t count = collect_list(p->c, N_("secret"), "/etc/letsencrypt/live", &entries, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *path =
            arena_printf(p->c->arena, "/etc/letsencrypt/live/%s/privkey.pem", entries[i].name);
        if (entries[i].type != TARGET_FILE && there(p, path, TARGET_FILE))
            add(p, "tls-key", entries[i].name, path, N_("the private key of a certificate"));
    }
}

/* Settings of applications that hold passwords. */
static const struct {
    const char *reach, *name, *what;
    const char *above; /* the folder that its folder lies in; NULL: any */
} in_sites[] = {
    {"database", "wp-config.php", N_("the database password of WordPress"), NULL},
    {"salt", "wp-config.php", N_("the keys and salts of WordPress: they sign the login cookies"),
     NULL},
    {"cms-user", "wp-config.php",
     N_("the passwords of all users of WordPress, administrators first"), NULL},
    {"database", "configuration.php", N_("the database password of Joomla"), NULL},
    {"cms-user", "configuration.php", N_("the passwords of all users of Joomla"), NULL},
    /* sites/default/settings.php, sites/example.com/settings.php */
    {"database", "settings.php", N_("the database password of Drupal"), "sites"},
    {"database", "LocalSettings.php", N_("the database password of MediaWiki"), NULL},
    {"api-key", ".env", N_("the passwords and keys of an application"), NULL},
    {"api-key", "parameters.yml", N_("the passwords and keys of an application"), NULL},
    {"api-key", ".htpasswd", N_("the passwords of protected pages"), NULL},
};

/* Of the folder that `path` lies in, whether the one above it has that name. */
static bool lies_below(struct arena *arena, const char *path, const char *name)
{
    char *folder = arena_strdup(arena, path);
    for (unsigned i = 0; i < 2; i++) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
    const char *slash = strrchr(folder, '/');
    return slash && str_equal(slash + 1, name);
}

/* A file may lie below the roots of several sites. */
static bool is_told(struct persist *p, const char *path)
{
    for (const struct fact *f = facts_first(p->c->facts, "secret"); f;
         f = facts_next(p->c->facts, "secret", f))
        if (str_equal(fact_text(f, "path"), path))
            return true;
    return false;
}

static void site_file(struct persist *p, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    bool known = false;
    for (size_t k = 0; k < ARRAY_COUNT(in_sites) && !known; k++)
        known = str_equal(in_sites[k].name, name);
    if (!known || is_told(p, path) || !there(p, path, TARGET_FILE))
        return;
    for (size_t k = 0; k < ARRAY_COUNT(in_sites); k++)
        if (str_equal(in_sites[k].name, name) &&
            (!in_sites[k].above || lies_below(p->c->arena, path, in_sites[k].above)))
            add(p, in_sites[k].reach, path, path, in_sites[k].what);
}

static void site(struct persist *p, const char *folder, unsigned depth, size_t *names)
{
    struct target_entry *entries;
    size_t count = collect_list(p->c, N_("secret"), folder, &entries, NULL);
    for (size_t i = 0; i < count && *names < MOST_SITE_NAMES; i++, ++*names) {
        const char *path = arena_printf(p->c->arena, "%s/%s", folder, entries[i].name);
        site_file(p, path);
        if (entries[i].type == TARGET_DIR && depth < MOST_DEPTH)
            site(p, path, depth + 1, names);
    }
}

static void sites(struct persist *p)
{
    CLEANUP_STR struct str done = {0};
    for (const struct fact *f = facts_first(p->c->facts, "site"); f;
         f = facts_next(p->c->facts, "site", f)) {
        char *root = arena_strdup(p->c->arena, fact_text(f, "root"));
        for (size_t n = strlen(root); n > 1 && root[n - 1] == '/'; n--)
            root[n - 1] = '\0';
        const char *mark = arena_printf(p->c->arena, "\n%s\n", root);
        size_t names = 0;
        if (*root != '/' || !root[1] || (done.data && strstr(done.data, mark)))
            continue;
        str_add(&done, mark);
        site(p, root, 0, &names);
        if (names == MOST_SITE_NAMES)
            facts_unread(p->c->facts, N_("secret"), root,
                         _("more names than are looked at: the rest was left out"));
        /* wp-config.php may lie one folder above the pages */
        site_file(p, arena_printf(p->c->arena, "%.*s/wp-config.php",
                                  (int)(strrchr(root, '/') - root), root));
    }
}

/* Accounts of a Windows are not read: that there are some is. */
static void windows(struct persist *p)
{
    struct facts *facts = p->c->facts;
    struct windows *w = windows_acquire(p->c);
    if (!w)
        return;
    target_select_volume(p->c->target, w->volume);
    add(p, "system-account", "SAM",
        w->folder ? arena_printf(p->c->arena, "%s/system32/config/SAM", w->folder) : "SAM",
        N_("the passwords of all accounts of this Windows, administrators first: their hashes lie "
           "there"));
    windows_release(p->c, w);
    for (const struct fact *f = facts_first(facts, "service"); f;
         f = facts_next(facts, "service", f)) {
        const char *account = fact_text(f, "account");
        if (!*account || str_equal_nocase(account, "LocalSystem") ||
            str_starts_nocase(account, "NT AUTHORITY\\"))
            continue;
        add(p, "system-account", account, fact_text(f, "name"),
            N_("the password of the account that a service starts with"));
    }
    for (const struct fact *f = facts_first(facts, "site"); f; f = facts_next(facts, "site", f)) {
        const char *root = fact_text(f, "root");
        if (str_equal(fact_text(f, "server"), "iis") && *root)
            add(p, "database", root, root,
                N_("database passwords in pages and global.asa, if there are any"));
    }
}

static void outside(struct persist *p)
{
    static const struct {
        const char *reach, *name, *what;
    } always[] = {
        {"registrar", "registrar", N_("the login at the registrar: who has it moves the name")},
        {"registrar", "dns", N_("the login where the zone is kept")},
        {"registrar", "hoster", N_("the login at the hoster, its panel and its rescue console")},
        {"cms-user", "mail", N_("the mailboxes to which lost passwords are sent")},
        {"ftp", "ftp", N_("FTP and SFTP logins that a hoster keeps elsewhere")},
        {"api-key", "monitoring", N_("keys of monitoring, backup and delivery networks")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(always); i++)
        add(p, always[i].reach, always[i].name, "", always[i].what);
}

void collect_secrets(struct collection *c)
{
    struct persist p = persist_begin(c);
    persist_homes(&p);
    accounts(&p);
    for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
        if (there(&p, fixed[i].path, TARGET_FILE))
            add(&p, fixed[i].reach, fixed[i].path, fixed[i].path, fixed[i].what);
    for (size_t i = 0; i < p.homes.count; i++)
        for (size_t k = 0; k < ARRAY_COUNT(in_homes); k++) {
            const char *path = arena_printf(c->arena, "%s/%s",
                                            p.homes.items[i].path[1] ? p.homes.items[i].path : "",
                                            in_homes[k].path);
            if (there(&p, path, TARGET_FILE))
                add(&p, in_homes[k].reach, p.homes.items[i].user, path, in_homes[k].what);
        }
    certificates(&p);
    sites(&p);
    windows(&p);
    outside(&p);
    persist_end(&p);
}

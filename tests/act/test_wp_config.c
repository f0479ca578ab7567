/* The salts of WordPress are made anew, and nothing else of the file changes. */
#include "act/accounts.h"
#include "act/wp_config.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char config[] =
    "<?php\n"
    "// define('AUTH_KEY', 'in a comment');\n"
    "/* define( 'AUTH_SALT', 'in another' ); */\n"
    "$text = \"define('NONCE_KEY', 'in a text')\";\n"
    "define( 'DB_PASSWORD', 'pass\\'word' );\n"
    "define( 'AUTH_KEY',         'put your unique phrase here' );\n"
    "define(\"SECURE_AUTH_KEY\", \"with \\\" and $dollar\"); define('LOGGED_IN_KEY','');\n"
    "Define /* odd */ ( 'NONCE_KEY' # comment\n , 'x' ) ;\n"
    "define('AUTH_SALT', getenv('AUTH_SALT'));\n"
    "define('SECURE_AUTH_SALT', 'a' . 'b');\n"
    "undefine('LOGGED_IN_SALT', 'no'); $x->define2('NONCE_SALT', 'no');\n"
    "if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }\n";

struct site {
    char *dir;
    int fd;
};

static struct site begin(const char *text)
{
    struct site s = {support_temp_dir(), -1};
    support_write(s.dir, "wp-config.php", text, strlen(text));
    s.fd = open(s.dir, O_RDONLY | O_DIRECTORY);
    assert_true(s.fd >= 0);
    return s;
}

static void end(struct site *s)
{
    close(s->fd);
    support_remove_tree(s->dir);
    free(s->dir);
}

static char *read_back(const struct site *s)
{
    CLEANUP_STR struct str path = {0};
    str_printf(&path, "%s/wp-config.php", s->dir);
    char *text = NULL;
    size_t size;
    assert_true(file_read(&text, &size, str_text(&path), 1 << 20, NULL));
    return text;
}

static void salts_are_new_and_the_rest_is_as_it_was(void **state)
{
    struct site s = begin(config);
    struct error e = ERROR_INIT;
    struct wp_marks before, now;
    uint8_t key[WP_KEY_BYTES];
    size_t count = 0;
    account_key(key);
    assert_int_equal(fchmodat(s.fd, "wp-config.php", 0640, 0), 0);
    if (geteuid() == 0)
        assert_int_equal(fchownat(s.fd, "wp-config.php", 33, 33, 0), 0);
    assert_true(wp_config_look(&before, s.fd, "wp-config.php", key, &e));
    assert_true(wp_config_rotate(&count, s.fd, "wp-config.php", true, &e));
    assert_int_equal(count, 4);
    CLEANUP_FREE char *same = read_back(&s);
    assert_string_equal(same, config);
    if (!wp_config_rotate(&count, s.fd, "wp-config.php", false, &e))
        fail_msg("%s", e.message);
    assert_true(wp_config_look(&now, s.fd, "wp-config.php", key, &e));
    static const struct {
        bool there, elsewhere, changed;
    } expected[WP_SECRETS] = {{true, false, true},   {true, false, true},   {true, false, true},
                              {true, false, true},   {true, true, false},   {true, true, false},
                              {false, false, false}, {false, false, false}, {true, false, false}};
    for (size_t i = 0; i < WP_SECRETS; i++) {
        assert_int_equal(now.there[i], expected[i].there);
        assert_int_equal(now.elsewhere[i], expected[i].elsewhere);
        assert_int_equal(wp_config_changed(&before, &now, i), expected[i].changed);
    }
    /* Line by line: what is no salt stands as it stood. */
    CLEANUP_FREE char *text = read_back(&s);
    static const char *const kept[] = {"// define('AUTH_KEY', 'in a comment');\n",
                                       "/* define( 'AUTH_SALT', 'in another' ); */\n",
                                       "$text = \"define('NONCE_KEY', 'in a text')\";\n",
                                       "define( 'DB_PASSWORD', 'pass\\'word' );\n",
                                       "define('AUTH_SALT', getenv('AUTH_SALT'));\n",
                                       "define('SECURE_AUTH_SALT', 'a' . 'b');\n",
                                       "undefine('LOGGED_IN_SALT', 'no');",
                                       "define( 'ABSPATH', __DIR__ . '/' ); }\n"};
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
        assert_non_null(strstr(text, kept[i]));
    assert_null(strstr(text, "put your unique phrase here"));
    struct stat st;
    assert_int_equal(fstatat(s.fd, "wp-config.php", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    if (geteuid() == 0)
        assert_int_equal(st.st_uid, 33);
    end(&s);
}

static void what_is_no_such_file_is_refused(void **state)
{
    struct site s = begin("<?php\ndefine('DB_PASSWORD', 'x');\n");
    struct error e = ERROR_INIT;
    size_t count;
    assert_false(wp_config_rotate(&count, s.fd, "wp-config.php", false, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_int_equal(symlinkat("wp-config.php", s.fd, "link.php"), 0);
    assert_false(wp_config_rotate(&count, s.fd, "link.php", false, &e));
    assert_int_equal(mkfifoat(s.fd, "fifo.php", 0600), 0);
    e = ERROR_INIT;
    assert_false(wp_config_rotate(&count, s.fd, "fifo.php", false, &e));
    assert_int_equal(e.code, ERR_UNREADABLE);
    end(&s);
}

/* Cut anywhere, it is refused or the rest stays: never a crash, never another file. */
static void a_file_that_is_cut_is_no_worse_afterwards(void **state)
{
    for (size_t size = 0; size < sizeof config; size += 7) {
        char text[sizeof config] = "";
        memcpy(text, config, size);
        struct site s = begin(text);
        size_t count;
        if (!wp_config_rotate(&count, s.fd, "wp-config.php", false, NULL)) {
            CLEANUP_FREE char *same = read_back(&s);
            assert_string_equal(same, text);
        }
        end(&s);
    }
}

/* What PHP itself has after this file for AUTH_KEY, or that it does not go through it. */
static char *as_php_has_it(const struct site *s)
{
    CLEANUP_STR struct str command = {0};
    char *text = mem_alloc(4096);
    str_printf(&command,
               "timeout 30 php -n -d display_errors=0 -r 'ob_start(); include $argv[1]; "
               "ob_end_clean(); echo constant(\"AUTH_KEY\");' %s/wp-config.php 2>&1",
               s->dir);
    FILE *php = popen(str_text(&command), "r");
    assert_non_null(php);
    text[fread(text, 1, 4095, php)] = '\0';
    pclose(php);
    return text;
}

#define REST                                                                                       \
    "define('SECURE_AUTH_KEY', 'old'); define('LOGGED_IN_KEY', 'old'); "                           \
    "define('AUTH_SALT', 'old');\n"

/* Whoever was in writes the file so that we find another key than PHP does. */
static void what_php_takes_is_new_or_nothing_is(void **state)
{
    static const struct {
        const char *text;
        bool new;
    } cases[] = {
        {"<?php\ndefine('AUTH_KEY', 'old');\n" REST, true},
        {"<?php // \rdefine('AUTH_KEY', 'old');\n" REST, true},
        /* as hosters and plugins leave it */
        {"<?php\r\n/** The base of it.\r\n * @package WordPress\r\n */\r\n"
         "define('WP_CACHE', true); // Added by a plugin\r\n"
         "if ( isset( $_SERVER['HTTP_X'] ) && $_SERVER['HTTP_X'] === 'https' ) {\r\n"
         "    $_SERVER['HTTPS'] = 'on';\r\n} else { @ini_set('display_errors', 0); }\r\n"
         "define( 'WP_HOME', \"https://$_SERVER[HTTP_HOST]\" . dirname(__FILE__) );\r\n"
         "# it's a comment\r\ndefine( 'DB_COLLATE', '' );\r\n/**#@+ keys */\r\n"
         "define( 'AUTH_KEY',  'old' );\r\n" REST "/**#@-*/\r\n$table_prefix = 'wp_';\r\n"
         "if ( ! defined( 'ABSPATH' ) ) {\r\n\tdefine( 'ABSPATH', __DIR__ . '/' );\r\n}\r\n",
         true},
        {"<?php if (!defined('X')) { define('X', isset($a) ? 1 : 2); } ini_set('a', '1');\n"
         "$x = array('a' => getenv('B') ?: X); define('AUTH_KEY', 'old'); " REST "?>\n",
         true},
        {"<?php define('AUTH_KEY', 'old'); " REST "if (0) f(); function f() { return eval(''); }",
         true},
        {"<?php const AUTH_KEY = 'old';\n// ?><?php\n define('AUTH_KEY', 'decoy');" REST, false},
        {"<?php define('AUTH_'.'KEY', 'old'); define('AUTH_KEY', 'decoy');" REST, false},
        {"<?php // ?><?php define('AUTH_KEY', 'old'); /*\n define('AUTH_KEY', 'decoy'); "
         "//*/\n" REST,
         false},
        {"<?php define('AUTH_KEY', 'old'); define('AUTH_KEY', 'decoy');" REST, false},
        {"<?php $a = <<<'X'\n ' \nX;\ndefine('AUTH_KEY', 'old'); $b = <<<'X'\n '; "
         "define('AUTH_KEY', 'decoy');\nX;\n" REST,
         false},
        {"define('AUTH_KEY', 'decoy'); <?php define('AUTH_KEY', 'old');" REST, false},
        {"<?php define(\"AUTH\\x5fKEY\", 'old'); define('AUTH_KEY', 'decoy');" REST, false},
        {"<?php $f = 'def' . 'ine'; $f('AUTH' . '_KEY', 'old'); define('AUTH_KEY', 'decoy');" REST,
         false},
        {"<?php ('def' . 'ine')('AUTH' . '_KEY', 'old'); define('AUTH_KEY', 'decoy');" REST, false},
        {"<?php ${'f'} = 'define'; ${'f'}('AUTH' . '_KEY', 'old'); define('AUTH_KEY', "
         "'decoy');" REST,
         false},
        {"<?php $x = 'AUTH_KEY'; define($x, 'old'); define('AUTH_KEY', 'decoy');" REST, false},
        {"<?php call_user_func('define', 'AUTH' . '_KEY', 'old'); define('AUTH_KEY', 'd');" REST,
         false},
        {"<?php eval('define(\"AUTH_K\" . \"EY\", \"old\");'); define('AUTH_KEY', 'd');" REST,
         false},
        {"<?php if (0) define('AUTH_KEY', 'decoy'); " REST "define('AUTH_K' . 'EY', 'old');",
         false},
        {"<?php if (0): define('AUTH_KEY', 'decoy'); endif; " REST
         "define('AUTH_K' . 'EY', 'old');",
         false},
        {"<?php if (0) { define('AUTH_KEY', 'decoy'); } " REST "define('AUTH_K' . 'EY', 'old');",
         false},
        {"<?php function g() { define('AUTH_KEY', 'decoy'); } " REST
         "define('AUTH_K' . 'EY', 'old');",
         false},
        {"<?php $z = \"{$_GET[\"a\"]}\"; define('AUTH_KEY', 'old'); $q = '\"'; " REST, false},
        {"<?php namespace a; function define($a, $b) { \\define($a, 'old'); }\n"
         "define('AUTH_KEY', 'decoy');" REST,
         false},
        {"<?php define('SECURE_AUTH_KEY', 'old'); return define('AUTH_K' . 'EY', 'old');\n"
         "define('AUTH_KEY', 'decoy'); define('LOGGED_IN_KEY', 'decoy');",
         false},
        {"<?php define('NONCE_KEY', 'decoy'); define('AUTH_K' . 'EY', 'old');", false},
        {"<?php define('AUTH_KEY', 'old'); define('SECURE_AUTH_KEY', 'old');", false},
    };
    bool php = system("command -v php >/dev/null") == 0;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct site s = begin(cases[i].text);
        struct error e = ERROR_INIT;
        struct wp_marks before, now;
        uint8_t key[WP_KEY_BYTES];
        size_t count = 0;
        account_key(key);
        CLEANUP_FREE char *was = php ? as_php_has_it(&s) : NULL;
        if (php && !str_equal(was, "old"))
            fail_msg("PHP has \"%s\" of %s", was, cases[i].text);
        assert_true(wp_config_look(&before, s.fd, "wp-config.php", key, NULL));
        bool new = wp_config_rotate(&count, s.fd, "wp-config.php", false, &e);
        if (new != cases[i].new)
            fail_msg("%s: %s", cases[i].text, new ? "said to be new" : e.message);
        assert_true(wp_config_look(&now, s.fd, "wp-config.php", key, NULL));
        assert_int_equal(wp_config_changed(&before, &now, 0), new);
        CLEANUP_FREE char *text = read_back(&s);
        if (!new)
            assert_string_equal(text, cases[i].text);
        CLEANUP_FREE char *is = php ? as_php_has_it(&s) : NULL;
        if (php && new && (str_equal(is, "old") || strlen(is) != 64))
            fail_msg("PHP has \"%s\" of %s", is, text);
        end(&s);
    }
    if (!php)
        skip(); /* what PHP has to say is looked at where there is one */
}

/* What stands in a command to paste means nothing but a name, and is not guessed. */
static void where_the_users_are_kept_is_told_where_it_is_plain(void **state)
{
    static const struct {
        const char *text, *database, *prefix;
        bool multisite;
    } cases[] = {
        {"<?php define('DB_NAME', 'shop-1'); $table_prefix = 'wp_';", "shop-1", "wp_", false},
        {"<?php /* $table_prefix = 'no_'; */ $table_prefix  =  \"x9_\" ; "
         "define(\"DB_NAME\",\"a\");",
         "a", "x9_", false},
        {"<?php define('DB_NAME', 'a'); $table_prefix = 'b_'; define('MULTISITE', true);\n"
         "require_once ABSPATH . 'wp-settings.php';",
         "a", "b_", true},
        {"<?php define('DB_NAME', 'a'); $table_prefix = 'b_'; // define('MULTISITE', true);\n"
         "define('WP_ALLOW_MULTISITE', true); if (defined('MULTISITE')) $x = 1;",
         "a", "b_", false},
        {"<?php define('DB_NAME', getenv('DB')); $table_prefix = 'a' . 'b';", "", "", false},
        {"<?php define('DB_NAME', '-e'); $table_prefix = 'wp-';", "", "", false},
        {"<?php define('DB_NAME', '$(id)'); $table_prefix = 'a\\'b';", "", "", false},
        {"<?php define('DB_NAME', 'a'); define('DB_NAME', 'b'); $table_prefix = 'a'; "
         "$table_prefix = 'b';",
         "", "", false},
        {"<?php if ($table_prefix == 'a') $y_table_prefix = 'b'; $table_prefix_ = 'c';", "", "",
         false},
        {"<?php define('DB_NAME', "
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');",
         "", "", false},
        /* PHP may take another */
        {"define('DB_NAME', 'a'); $table_prefix = 'b_';", "", "", false},
        {"<?php define('DB_NAME', 'a'); require 'x.php'; $table_prefix = 'b_';", "a", "", false},
        {"<?php if ($x) { define('DB_NAME', 'a'); $table_prefix = 'b_'; }", "", "", false},
        {"<?php if ($x) $table_prefix = 'b_';", "", "", false},
        {"<?php $table_prefix = 'b_'; $table_prefix .= 'c_';", "", "", false},
        {"<?php $table_prefix = 'b_'; $table_prefix .= $x;", "", "", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct site s = begin(cases[i].text);
        struct error e = ERROR_INIT;
        struct wp_tables t;
        if (!wp_config_tables(&t, s.fd, "wp-config.php", &e))
            fail_msg("%s", e.message);
        assert_string_equal(t.database, cases[i].database);
        assert_string_equal(t.prefix, cases[i].prefix);
        assert_int_equal(t.multisite, cases[i].multisite);
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(salts_are_new_and_the_rest_is_as_it_was),
        cmocka_unit_test(what_is_no_such_file_is_refused),
        cmocka_unit_test(a_file_that_is_cut_is_no_worse_afterwards),
        cmocka_unit_test(what_php_takes_is_new_or_nothing_is),
        cmocka_unit_test(where_the_users_are_kept_is_told_where_it_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

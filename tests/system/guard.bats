#!/usr/bin/env bats
# A site under guard: every change is undone, whoever makes it and however, and nothing else is
# touched. Numbers of milliseconds are printed and never asserted.
load lib
load guard

setup() {
    as_root
    mkdir -p "$WORK/site"
}
teardown() {
    guard_ends
    if [ -f "$WORK/pids" ]; then
        xargs -r kill <"$WORK/pids" 2>/dev/null || :
    fi
    [ ! -f "$WORK/mounts" ] || tac "$WORK/mounts" | xargs -r -n1 umount -l 2>/dev/null || :
    # the ways of deface that mount
    umount -l "$SITE/index.html" "$SITE/a" 2>/dev/null || :
    while umount -l "$SITE" 2>/dev/null; do :; done
    chattr -R -i -a "$WORK" 2>/dev/null || :
    sane
}
# stays COMMAND ...: in the background, ended with the test
stays() {
    "$@" >/dev/null 2>>"$WORK/background" </dev/null 3>&- &
    echo $! >>"$WORK/pids"
}

# ---- real servers ------------------------------------------------------------------------------

nginx_on() {
    mkdir -p "$WORK/nginx"
    cat >"$WORK/nginx/conf" <<END
user root;
worker_processes 1;
daemon off;
pid $WORK/nginx/pid;
error_log $WORK/nginx/error;
events {}
http {
    access_log off;
    types { text/html html; }
    server { listen 127.0.0.1:$1; root $SITE; }
}
END
    stays nginx -e "$WORK/nginx/error" -p "$WORK/nginx" -c "$WORK/nginx/conf"
}
apache_on() {
    local modules=/usr/lib/apache2/modules dir=$SITE
    mkdir -p "$WORK/apache"
    while [ "$dir" != / ]; do
        chmod o+x "$dir"
        dir=$(dirname "$dir")
    done
    cat >"$WORK/apache/conf" <<END
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
ServerName localhost
ServerRoot $WORK/apache
PidFile $WORK/apache/pid
Mutex file:$WORK/apache
ErrorLog $WORK/apache/error
Listen 127.0.0.1:$1
User www-data
Group www-data
DocumentRoot $SITE
<Directory $SITE>
    Require all granted
</Directory>
END
    stays apache2 -f "$WORK/apache/conf" -DFOREGROUND
}
# Both, with a client each and wrk on both.
served() {
    rm -f "$WORK/stop" "$WORK"/fetched-*
    NGINX=$(guarded port)
    nginx_on "$NGINX"
    APACHE=$(guarded port)
    apache_on "$APACHE"
    for port in "$NGINX" "$APACHE"; do
        until_true 10 curl -s -o /dev/null "http://127.0.0.1:$port/index.html"
        nice wrk -t1 -c4 -d1000 "http://127.0.0.1:$port/index.html" >/dev/null 2>&1 </dev/null 3>&- &
        echo $! >>"$WORK/pids"
    done
}
clients() {
    rm -f "$WORK/stop"*
    FETCHERS=
    for port in "$NGINX" "$APACHE"; do
        "$HELPERS/guarded" fetch "$port" "$WORK/copy" "$WORK/stop" >"$WORK/fetched-$port" 3>&- &
        FETCHERS="$FETCHERS $!"
    done
    until_true 20 test -e "$WORK/stop.ready-$NGINX" -a -e "$WORK/stop.ready-$APACHE"
}
# WRONG, FETCHED and FAILED of both clients
clients_end() {
    : >"$WORK/stop"
    # shellcheck disable=SC2086
    wait $FETCHERS
    read -r WRONG FETCHED FAILED < <(cat "$WORK/fetched-$NGINX" "$WORK/fetched-$APACHE" |
        /usr/bin/python3 -c '
import json, sys
rows = [json.loads(l) for l in sys.stdin]
assert len(rows) == 2
print(*(sum(r[k] for r in rows) for k in ("wrong", "fetched", "failed")))')
}

@test "nginx and Apache under load: each way is undone a hundred times, the tree is as published" {
    program nginx apache2 wrk curl
    site 200
    cp -a "$SITE" "$WORK/copy"
    served
    guard
    local way line before after
    for way in $("$DEFACE" "$SITE" list); do
        before=$(guarded ask "$YAGURA_STATE" status | jq_int restored)
        clients
        line=$("$DEFACE" "$SITE" "$way" "$(some 100 10)" 20) || {
            echo "$line"
            tail -5 "$WORK/events"
            return 1
        }
        clients_end
        after=$(guarded ask "$YAGURA_STATE" status | jq_int restored)
        tell "$line restored=$((after - before)) wrong=$WRONG of $FETCHED (failed $FAILED)"
        [ "$after" -gt "$before" ] || [[ $way == root-* ]]
        back 20
    done
}

@test "with the guard off the clients see wrong pages" {
    program nginx apache2 wrk curl
    site 50
    cp -a "$SITE" "$WORK/copy"
    served
    clients
    run "$DEFACE" "$SITE" overwrite 1 2
    [ "$status" -eq 1 ]
    clients_end
    tell "guard off: wrong=$WRONG of $FETCHED"
    [ "$WRONG" -gt 10 ]
}

# ---- the cases ---------------------------------------------------------------------------------

@test "renamed, linked, exchanged and mounted into place, and through a mapping of before the start" {
    site 20
    "$HELPERS/attack" mapping "$SITE/index.html" "$WORK/go" 3>&- &
    echo $! >>"$WORK/pids"
    until_true 10 test -e "$WORK/go.ready"
    guard
    : >"$WORK/go"
    until_true 10 test -e "$WORK/go.done"
    back
    events 'any(e.get("path") == "index.html" and e["undone"] for e in every)'
    # the guard takes away what is made beside the page: again and again, until the rename came first
    local way
    echo bad >"$WORK/site/bad"
    for way in written linked; do
        "$HELPERS/attack" rename "$SITE/index.html" "$way" "$WORK/site/bad" "$(some 50 10)"
        back
    done
    events 'sum(e.get("path") == "index.html" and e["undone"] for e in every) > 4'
    "$HELPERS/attack" exchange "$WORK/site/bad" "$SITE/index.html"
    back
    ln "$SITE/a/page.html" "$WORK/site/outside"
    echo defaced >"$WORK/site/outside"
    back
    echo bad >"$WORK/site/cover"
    mount --bind "$WORK/site/cover" "$SITE/index.html"
    back
    mkdir "$WORK/site/coverdir"
    echo bad >"$WORK/site/coverdir/page.html"
    mount --bind "$WORK/site/coverdir" "$SITE/a"
    back
    mount -t tmpfs none "$SITE"
    back
    [ "$(cat "$WORK/site/cover" "$WORK/site/coverdir/page.html")" = $'bad\nbad' ]
}

@test "ten thousand folders made quickly one in another, and the same folder made again" {
    site 20
    guard
    local made
    made=$("$HELPERS/attack" folders "$SITE" "$(some 10000 1000)")
    tell "$made files written in folders made a moment before"
    [ "$made" -ge "$(some 300 30)" ]
    back 60
    events 'sum(e.get("path", "").startswith("w") and e["undone"] for e in every) > 50'
    rm -rf "$SITE/a" 2>/dev/null || : # it comes back while it goes
    back
    mkdir -p "$SITE/a" && echo bad >"$SITE/a/page.html"
    back
    rm -rf "$SITE/a" && mkdir "$SITE/a" 2>/dev/null || :
    back
    echo bad >"$SITE/a/page.html"
    back
    echo bad >>"$SITE/b/page.html"
    back
}

@test "changed while no guard ran: restored at its start, never adopted" {
    site 50
    guard
    guard_killed
    echo defaced >"$SITE/index.html"
    rm -r "$SITE/pages"
    echo '<?php' >"$SITE/shell.php"
    chmod 777 "$SITE/bin/tool.cgi"
    guard
    back
    guard_killed
    # what a reboot takes: sockets, locks, caches, what was known of inodes
    rm -rf "$YAGURA_STATE/guard.sock" "$YAGURA_STATE"/manifests/*/*.stat "$YAGURA_STATE/cache"
    echo defaced >"$SITE/a/page.html"
    guard
    back
    guard_ends
    echo defaced >"$SITE/b/page.html"
    guard
    back
    # changed before it could look, and then killed
    kill -STOP "$GUARD" "$(inner)"
    echo defaced >"$SITE/index.html"
    guard_killed
    guard
    back
    code 0 "$YAGURA" verify --json
    code 0 "$YAGURA" history --json
    holds 'len([o for o in every if o.get("type") == "generation"]) == 1'
}

# package VERSION FILE=TEXT ...: a package that owns these under the document root
package() {
    local version=$1 tree=$WORK/package-$1 file
    shift
    mkdir -p "$tree/DEBIAN" "$tree/srv/www/app"
    for file; do
        mkdir -p "$(dirname "$tree/srv/www/app/${file%%=*}")"
        echo "${file#*=}" >"$tree/srv/www/app/${file%%=*}"
    done
    printf 'Package: hoshi-site\nVersion: %s\nArchitecture: all\nMaintainer: Hoshi <hoshi@mirror.example>\nDescription: a site\n' \
        "$version" >"$tree/DEBIAN/control"
    (cd "$tree" && find srv -type f -print0 | xargs -0 md5sum >DEBIAN/md5sums)
    dpkg-deb --root-owner-group -b "$tree" "$WORK/hoshi-$version.deb" >/dev/null
}
package_install() { dpkg --root="$WORK/debian" --force-unsafe-io -i "$WORK/hoshi-$1.deb" >>"$WORK/dpkg.log" 2>&1; }
debian_site() {
    program dpkg dpkg-deb
    mkdir -p "$WORK"/debian/var/lib/dpkg/{info,updates,triggers}
    : >"$WORK/debian/var/lib/dpkg/status"
    SITE=$WORK/debian/srv/www
    printf 'dpkg: %s\n' "$WORK/debian/var/lib/dpkg" >"$WORK/yagura.yaml"
    export YAGURA_CONFIG=$WORK/yagura.yaml
    local i pages=()
    for i in $(seq 200); do pages+=("pages/$i.html=page $i of one"); done
    package 1 index.php=one old.php=old "${pages[@]}"
    package 2 index.php=two new/deep.php=deep "${pages[@]/one/two}"
    package 3 index.php=three new/deep.php=deep "${pages[@]/one/three}"
    package_install 1
    echo own >"$SITE/own.html"
    publish_it
}
generations() {
    code 0 "$YAGURA" history --json
    holds "len([o for o in every if o.get('type') == 'generation']) == $1"
}

@test "an upgrade through dpkg is let in by its record, a foreign change beside it is not" {
    debian_site
    guard
    local done=0 i=0
    package_install 2 &
    local installer=$!
    while kill -0 "$installer" 2>/dev/null; do
        i=$((i + 1))
        echo '<?php' >"$SITE/app/shell-$i.php"
        echo defaced >"$SITE/own.html"
        sleep 0.02
    done
    wait "$installer" || {
        cat "$WORK/dpkg.log"
        return 1
    }
    echo defaced >"$SITE/own.html"
    settled() { generations 2 >/dev/null 2>&1 && [ "$(cat "$SITE/own.html")" = own ] && ! ls "$SITE"/app/shell-* 2>/dev/null; }
    until_true 20 settled || {
        ls -la "$SITE" "$SITE/app"
        tail -5 "$WORK/events"
        cat "$WORK/said"
        return 1
    }
    [ "$(cat "$SITE/app/index.php" "$SITE/app/new/deep.php" "$SITE/app/pages/7.html")" = $'two\ndeep\npage 7 of two' ]
    [ ! -e "$SITE/app/old.php" ]
    dpkg --root="$WORK/debian" -V hoshi-site
    code 0 "$YAGURA" verify --json
    code 0 "$YAGURA" ledger show --json
    holds 'any("\"by\": \"dpkg\"" in json.dumps(o) and "hoshi-site" in json.dumps(o) for o in every)'
    # of a package's file, too, what is not in the record is undone
    echo defaced >"$SITE/app/index.php"
    until_true 20 grep -q two "$SITE/app/index.php"
    # again, with nothing new in it
    package_install 2
    sleep 1
    generations 2
    dpkg --root="$WORK/debian" -V hoshi-site
    code 0 "$YAGURA" verify --json
}

# own_apt: apt-get with all of its own beneath the test's folder, a repository of the test's packages
# and the test's Debian to install in.
own_apt() {
    program apt-get dpkg-scanpackages
    mkdir -p "$WORK"/apt/{etc,state/lists/partial,cache/archives/partial,log} "$WORK/repository"
    cp "$WORK"/hoshi-*.deb "$WORK/repository/"
    (cd "$WORK/repository" && dpkg-scanpackages -m . >Packages 2>/dev/null)
    echo "deb [trusted=yes] copy:$WORK/repository ./" >"$WORK/apt/etc/sources.list"
    cat >"$WORK/apt.conf" <<END
Dir "$WORK/apt";
Dir::Etc "$WORK/apt/etc";
Dir::State "$WORK/apt/state";
Dir::State::status "$WORK/debian/var/lib/dpkg/status";
Dir::Cache "$WORK/apt/cache";
Dir::Log "$WORK/apt/log";
APT::Sandbox::User "root";
DPkg::Options { "--root=$WORK/debian"; "--force-unsafe-io"; "--force-script-chrootless"; };
END
    own_apt_get update
}
own_apt_get() { APT_CONFIG=$WORK/apt.conf DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >>"$WORK/apt.log" 2>&1; }

@test "apt-get install --reinstall is let in, a foreign change in the same folder at the same time is not" {
    debian_site
    # dpkg is at work for a while
    printf '#!/bin/sh\nsleep 2\n' >"$WORK/package-1/DEBIAN/postinst"
    chmod 755 "$WORK/package-1/DEBIAN/postinst"
    dpkg-deb --root-owner-group -b "$WORK/package-1" "$WORK/hoshi-1.deb" >/dev/null
    own_apt
    # the administrator's own change to a file of the package, and a file beside it
    echo patched >"$SITE/app/index.php"
    echo beside >"$SITE/app/beside.html"
    code 0 "$YAGURA" publish www --yes
    generations 2
    guard
    own_apt_get install --reinstall hoshi-site=1 &
    local installer=$! landed=0 undone=0
    while kill -0 "$installer" 2>/dev/null; do
        echo defaced >"$SITE/app/beside.html"
        landed=$((landed + 1))
        echo '<?php' >"$SITE/app/shell-$((landed % 10)).php"
        sleep 0.02
        ! grep -qx beside "$SITE/app/beside.html" || undone=$((undone + 1))
    done
    wait "$installer" || {
        cat "$WORK/apt.log"
        return 1
    }
    tell "$landed foreign changes while apt-get and dpkg were at work, $undone undone at once"
    settled() { generations 3 >/dev/null 2>&1 && [ "$(cat "$SITE/app/beside.html")" = beside ] && ! ls "$SITE"/app/shell-* 2>/dev/null; }
    until_true 20 settled || {
        ls -la "$SITE/app"
        tail -5 "$WORK/events"
        cat "$WORK/said"
        return 1
    }
    [ "$undone" -ge $((landed / 2)) ] && [ "$landed" -ge 20 ] || false
    [ "$(cat "$SITE/app/index.php" "$SITE/app/old.php")" = $'one\nold' ]
    code 0 "$YAGURA" verify --json
    code 0 "$YAGURA" ledger show --json
    holds 'any("\"by\": \"dpkg\"" in json.dumps(o) and "hoshi-site" in json.dumps(o) for o in every)'
    # what dpkg did was not touched, not even for a moment; what was foreign was
    events 'not any(e.get("path") in ("app/index.php", "app/old.php") or e.get("path", "").startswith("app/pages") for e in every if e["said"] == "mended")' \
        'any(e.get("path") == "app/beside.html" and e["undone"] for e in every)' \
        'any(e.get("path", "").startswith("app/shell-") and e["undone"] for e in every)'
    # again, and nothing is new in it: nothing is published, nothing is undone
    local before
    before=$(grep -c '"said":"mended"' "$WORK/events")
    own_apt_get install --reinstall hoshi-site=1
    sleep 1
    generations 3
    [ "$(grep -c '"said":"mended"' "$WORK/events")" = "$before" ]
    code 0 "$YAGURA" verify --json
}

@test "publish --dpkg takes what an upgrade brought, publish -- dpkg all that it changed, and neither what stands beside it" {
    debian_site
    package_install 2
    echo '<?php' >"$SITE/app/shell.php"
    echo defaced >"$SITE/own.html"
    code 0 "$YAGURA" publish --dpkg --dry-run
    says "changed  app/index.php" "added  app/new and 1 name in it" "would be published"
    says_not shell own.html
    generations 1
    code 0 "$YAGURA" publish --dpkg
    says "by dpkg's record"
    code 1 "$YAGURA" verify --json
    holds 'sorted(d["path"] for d in of("difference")) == ["app/old.php", "app/shell.php", "own.html"]'
    code 0 "$YAGURA" publish --dpkg
    says "nothing to publish"
    code 0 "$YAGURA" restore --yes
    echo '<?php' >"$SITE/app/shell.php"
    code 1 "$YAGURA" publish -- dpkg --root="$WORK/debian" --force-unsafe-io -i "$WORK/hoshi-3.deb"
    code 1 "$YAGURA" verify --json
    holds '[d["path"] for d in of("difference")] == ["app/shell.php"]'
    [ "$(cat "$SITE/app/index.php")" = three ]
}

@test "a package updated while no guard ran is let in, what was changed beside it is not" {
    debian_site
    package_install 3
    echo defaced >"$SITE/own.html"
    echo defaced >"$SITE/app/pages/3.html"
    guard
    [ "$(cat "$SITE/own.html" "$SITE/app/index.php")" = $'own\nthree' ]
    grep -q "page 3 of" "$SITE/app/pages/3.html"
    generations 2
    code 0 "$YAGURA" verify --json
}

@test "a guard killed or hung is started anew, and what came meanwhile is undone" {
    site 20
    guard
    local first started
    first=$(inner)
    kill -STOP "$first"
    echo defaced >"$SITE/index.html"
    started=$(date +%s%N)
    back
    tell "hung: back after $((($(date +%s%N) - started) / 1000000)) ms"
    [ "$(inner)" != "$first" ]
    first=$(inner)
    kill -KILL "$first"
    echo defaced >"$SITE/index.html"
    started=$(date +%s%N)
    back
    tell "killed: back after $((($(date +%s%N) - started) / 1000000)) ms"
    grep -q "hung and is started anew" "$WORK/said"
    grep -q "died and is started anew" "$WORK/said"
}

@test "a link to a victim, and folders exchanged for links while they are restored" {
    site 20
    mkdir "$WORK/site/victim"
    echo victim >"$WORK/site/victim/page.html"
    guarded list "$WORK/site/victim" >"$WORK/victim"
    guard
    ln -s "$WORK/site/victim/page.html" "$WORK/site/link"
    "$HELPERS/attack" exchange "$WORK/site/link" "$SITE/index.html"
    back
    events 'any(e.get("path") == "index.html" and e.get("kind") == "type" and e["undone"] for e in every)'
    "$HELPERS/attack" race "$SITE/a" "$WORK/site/victim" "$(some 10000 1000)"
    back
    guarded list "$WORK/site/victim" | diff "$WORK/victim" -
    events 'sum(e["said"] == "mended" for e in every) > 10'
}

@test "two hundred thousand changes while it is stopped, with a bounded queue" {
    site 2000
    printf 'guard:\n  bounded_queue: yes\n' >"$WORK/yagura.yaml"
    export YAGURA_CONFIG=$WORK/yagura.yaml
    guard
    local count
    count=$(some 200000 30000)
    kill -STOP "$GUARD" "$(inner)"
    "$HELPERS/attack" changes "$SITE" "$count"
    kill -CONT "$(inner)" "$GUARD"
    back 300
    # it may be all as published before the queue has been read to its end
    until_true 60 grep -qE '"said": ?"lost"' "$WORK/events"
    # the answer to its self-test may be among what was lost: then it is blind until the next one
    until_true 60 status 'last["lost"] >= 1' 'not last["blind"]'
    ! grep -q "started anew" "$WORK/said" || false
}

@test "a burst is undone and is one row of what was tampered with" {
    site "$(some 20000 2000)"
    guard
    local line
    line=$("$DEFACE" "$SITE" burst "$(some 20000 2000)" 300)
    back 60
    guard_ends
    cp -a "$SITE" "$WORK/site/off"
    tell "guarded:  $line"
    tell "no guard: $("$DEFACE" "$WORK/site/off" burst "$(some 20000 2000)" 0.01)"
    [ "$(sqlite3 "$YAGURA_STATE/state.db" 'select count(*) from tamper')" = 1 ]
    [ "$(sqlite3 "$YAGURA_STATE/state.db" 'select restored from tamper')" -ge "$(some 20000 2000)" ]
}

@test "a guard that does not see says so, and compares instead" {
    site 20
    printf 'guard:\n  selftest_seconds: 1\n' >"$WORK/yagura.yaml"
    export YAGURA_CONFIG=$WORK/yagura.yaml
    guard
    local aside
    aside=$(echo "$WORK"/site/.yagura-*)/proof
    until_true 10 test -e "$aside/selftest"
    rm -f "$aside/selftest"
    until_true 10 mkdir "$aside/selftest" 2>/dev/null
    until_true 20 grep -q '"said":"blind"' "$WORK/events"
    status 'last["blind"]'
    rmdir "$aside/selftest"
    until_true 20 grep -q '"said":"sees"' "$WORK/events"
    status 'not last["blind"]'
}

@test "names that are hidden, odd, or no text" {
    mkdir -p "$SITE/b/wp-admin"
    "$HELPERS/attack" names "$SITE" keep
    site 5
    guard
    "$HELPERS/attack" names "$SITE" change
    back
    "$HELPERS/attack" names "$SITE/b" add
    back
    # each of them was found and undone, changed and added
    local names
    names=$("$HELPERS/attack" names "$SITE" count)
    events "len({e['path'] for e in every if e.get('undone') and e.get('kind') == 'changed'}) >= $names" \
        "len({e['path'] for e in every if e.get('undone') and e.get('kind') == 'added' and e['path'].startswith('b/')}) >= $names"
    guard_ends
    "$HELPERS/attack" names "$SITE/b" add
    code 1 "$YAGURA" verify
    ! grep -qP '[\x00-\x08\x0b-\x1f\x7f]' <<<"$output" || false
    code 1 "$YAGURA" verify --json
    holds "sum(o.get('kind') == 'added' for o in every) >= $names"
    # never raw in what is told
    ! grep -qP '[\x00-\x08\x0b-\x1f\x80-\xff]' "$WORK/events" || false
}

@test "a publication holds the guard; one that is killed in the middle lets nothing in" {
    site 20
    guard
    code 0 "$YAGURA" publish www --json -- sh -c "echo new >'$SITE/index.html'; sleep 0.3"
    [ "$(cat "$SITE/index.html")" = new ]
    guarded list "$SITE" >"$LISTING"
    sleep 0.5
    as_published
    "$YAGURA" publish www --json -- sh -c "echo half >'$SITE/a/page.html'; touch '$WORK/half'; sleep 30" >/dev/null 2>&1 3>&- &
    local publisher=$!
    until_true 10 test -e "$WORK/half"
    [ "$(cat "$SITE/a/page.html")" = half ]
    kill -KILL "$publisher"
    back
}

@test "detect-only tells and leaves" {
    site 20
    guard --detect-only
    echo defaced >"$SITE/index.html"
    until_true 10 grep -q '"path":"index.html"' "$WORK/events"
    [ "$(cat "$SITE/index.html")" = defaced ]
    status 'last["detect_only"]'
}

@test "what the guard changed of this machine is put back when it ends" {
    site 20
    "$HELPERS/attack" settings >"$WORK/settings"
    guard
    echo defaced >"$SITE/index.html"
    back
    guard_ends
    grep -q fs/inotify/max_user_watches "$WORK/settings" && grep -q fs/fanotify/max_queued_events "$WORK/settings" || false
    "$HELPERS/attack" settings | diff "$WORK/settings" -
    # and where it had no time to put anything back
    guard
    guard_killed
    "$HELPERS/attack" settings | diff "$WORK/settings" -
    guard
    guard_ends
    [ ! -e "$YAGURA_STATE/guard.sock" ]
    [ -z "$(ls -A "$WORK"/site/.yagura-www | grep -v -e ^bad- -e '^proof$')" ]
}

# ---- mounts, containers, size ------------------------------------------------------------------

# small_disk MIB: a file system of its own around the document root
small_disk() {
    program mkfs.ext4 mount
    truncate -s "$1M" "$WORK/disk"
    mkfs.ext4 -q -m 0 "$WORK/disk"
    mount -o loop "$WORK/disk" "$WORK/site" || skip "loop devices cannot be mounted here"
    echo "$WORK/site" >>"$WORK/mounts"
}
# whole PATH GOOD BAD: the page is one of the two, never a part of one
whole() { cmp -s "$1" "$2" || cmp -s "$1" "$3"; }

@test "a full disk and a read-only remount: said, tried again, never half a page" {
    small_disk 32
    site 10
    cp "$SITE/index.html" "$WORK/good"
    head -c 6000 /dev/zero | tr '\0' x >"$WORK/bad"
    printf 'guard:\n  ready_mb: 0\n' >"$WORK/yagura.yaml" # a copy would need no room
    export YAGURA_CONFIG=$WORK/yagura.yaml
    guard
    dd if=/dev/zero of="$WORK/site/filler" bs=64k 2>/dev/null || :
    dd if=/dev/zero of="$WORK/site/filler2" bs=512 2>/dev/null || :
    dd if="$WORK/bad" of="$SITE/index.html" conv=notrunc bs=6000 2>/dev/null
    until_true 20 grep -q '"undone":false.*"error"' "$WORK/events"
    local i
    for i in $(seq 20); do
        whole "$SITE/index.html" "$WORK/good" "$WORK/bad"
        sleep 0.02
    done
    rm "$WORK/site/filler" "$WORK/site/filler2"
    back
    local said
    said=$(grep -c '"error"' "$WORK/events")
    kill -STOP "$GUARD" "$(inner)"
    dd if="$WORK/bad" of="$SITE/index.html" conv=notrunc bs=6000 2>/dev/null
    mount -o remount,ro "$WORK/site"
    kill -CONT "$(inner)" "$GUARD"
    more() { [ "$(grep -c '"error"' "$WORK/events")" -gt "$said" ]; }
    until_true 20 more
    whole "$SITE/index.html" "$WORK/good" "$WORK/bad"
    mount -o remount,rw "$WORK/site"
    back
    code "0 1" "$YAGURA" verify --json
}

# refused FOLDER ERRNO CALL [N]: as tests/fault/refuse says, of the guard, from now on; refused_end
# ends it and has how many in REFUSED.
refused() {
    : >"$WORK/refused"
    "$BUILD/tests/fault/refuse" "$(inner)" "$@" >>"$WORK/refused" 3>&- &
    REFUSER=$!
    echo $REFUSER >>"$WORK/pids"
    until_true 10 grep -q ready "$WORK/refused"
}
refused_end() {
    kill "$REFUSER"
    wait "$REFUSER"
    REFUSED=$(tail -1 "$WORK/refused")
}
errors_told() { grep -c '"error"' "$WORK/events" || :; }
# wrongs CALL: pages exchanged by one rename each, and folders taken away (a folder's time alone is
# no difference: none where it cannot be set)
wrongs() {
    local page
    for page in index.html big.html start.html; do
        head -c 6000 /dev/zero | tr '\0' x >"$WORK/site/bad"
        mv -f "$WORK/site/bad" "$SITE/$page"
    done
    [ "$1" = utimensat ] || rm -r "$SITE/empty" "$SITE/pages/000" 2>/dev/null || : # it comes back while it goes
    chown 12:12 "$SITE/a/page.html"
}

@test "EDQUOT and EIO at each system call of a restoration: said, tried again, never half a page" {
    [ -x "$BUILD/tests/fault/refuse" ] || skip "this build has no tests/fault/refuse: only one with -Dtests=true for x86-64 has it"
    guarded make "$SITE" 10
    head -c 700000 /dev/urandom >"$SITE/big.html"
    publish_it
    head -c 6000 /dev/zero | tr '\0' x >"$WORK/bad"
    cp -a "$SITE" "$WORK/good"
    # without copies kept ready, which need one rename only: each page is written anew; and without the
    # sweeper, which would find what was given up
    printf 'guard:\n  ready_mb: 0\n  sweep_seconds: 0\n' >"$WORK/yagura.yaml"
    export YAGURA_CONFIG=$WORK/yagura.yaml
    guard
    local aside=$WORK/site/.yagura-www error call folder first told rounds round
    rounds="EDQUOT:write EDQUOT:write:3 EIO:write:2 EIO:pread64 EDQUOT:openat EIO:openat EDQUOT:mkdirat
        EDQUOT:symlinkat EIO:renameat2 EDQUOT:renameat2:2 EIO:fchmod EIO:utimensat EDQUOT:fchown
        ENOSPC:write:4 EROFS:renameat2"
    # shellcheck disable=SC2086
    for round in $(some "$rounds" "EDQUOT:write:3 EIO:pread64 EDQUOT:renameat2:2 EIO:fchmod"); do
        IFS=: read -r error call first <<<"$round"
        folder=$WORK/site
        [ "$call" != pread64 ] || folder=$YAGURA_STATE/objects
        told=$(errors_told)
        refused "$folder" "$error" "$call" ${first:+"$first"}
        rm -f "$WORK/whole.stop"
        guarded whole "$WORK/whole.stop" "$SITE" "$WORK/good" "$WORK/bad" index.html big.html >"$WORK/whole" 3>&- &
        local reader=$!
        echo $reader >>"$WORK/pids"
        wrongs "$call"
        more() { [ "$(errors_told)" -gt "$told" ]; }
        until_true 20 more || {
            echo "$round: nothing was said"
            tail -5 "$WORK/events"
            return 1
        }
        sleep 1.2 # and it has tried again
        refused_end
        [ "$REFUSED" -ge 1 ] || {
            echo "$round: $REFUSED calls refused"
            return 1
        }
        back
        : >"$WORK/whole.stop"
        wait "$reader"
        tell "$round: $REFUSED refused, pages read $(cat "$WORK/whole")"
        [ -z "$(ls "$aside" | grep ^ready-)" ]
    done
    ! grep -q "started anew" "$WORK/said" || false
    code 0 "$YAGURA" verify --json
}

@test "copies kept ready: counted, and a page is put back from one on a disk that is full" {
    small_disk 32
    site 10
    guard
    copies() { status 'last["sites"][0]["copies_ready"] == last["sites"][0]["copies_wanted"] > 10'; }
    until_true 20 copies
    dd if=/dev/zero of="$WORK/site/filler" bs=64k 2>/dev/null || :
    dd if=/dev/zero of="$WORK/site/filler2" bs=512 2>/dev/null || :
    dd if=/dev/zero of="$SITE/index.html" conv=notrunc bs=6000 count=1 2>/dev/null
    back
    rm "$WORK/site/filler" "$WORK/site/filler2"
    until_true 20 copies # made anew
    rm -r "$WORK/site/.yagura-www/spare"
    anew() { status 'last["sites"][0]["copies_ready"] == '"$(find "$WORK/site/.yagura-www/spare" -type f | wc -l)" && copies; }
    until_true 20 anew
    echo published >"$WORK/page"
    mkdir "$WORK/tree"
    cp -a "$SITE/." "$WORK/tree"
    cp "$WORK/page" "$WORK/tree/index.html"
    code 0 "$YAGURA" publish www --from "$WORK/tree" --yes
    until_true 20 anew # those of the generation before are gone
    echo defaced >"$SITE/index.html"
    until_true 20 cmp -s "$WORK/page" "$SITE/index.html"
}

@test "edited by a container: through a bind mount, and copied up through an overlay" {
    program unshare mount
    site 20
    mkdir -p "$WORK/site/lower" "$WORK/site/work" "$WORK/merged" "$WORK/bound"
    echo lower >"$WORK/site/lower/below.html"
    guard
    unshare -m sh -c "mount --bind '$SITE' '$WORK/bound' && echo defaced >'$WORK/bound/index.html' &&
        echo bad >'$WORK/bound/new.html' && mv '$WORK/bound/a' '$WORK/bound/moved'" ||
        skip "namespaces cannot be made here"
    back
    events 'all(any(e.get("path") == p and e["undone"] for e in every) for p in ("index.html", "new.html", "a"))' \
        'any(e.get("path") == "index.html" and e.get("pid") for e in every)'
    mkdir "$WORK/view"
    unshare -m sh -c "mount -t overlay overlay -o 'lowerdir=$WORK/site/lower,upperdir=$SITE,workdir=$WORK/site/work' '$WORK/merged' &&
        echo more >>'$WORK/merged/below.html' && cat '$WORK/merged/below.html' >'$WORK/view/seen' &&
        echo defaced >'$WORK/merged/index.html' && rm '$WORK/merged/b/page.html'; sleep 1" ||
        skip "no overlay can be mounted here"
    back
    [ "$(cat "$WORK/view/seen")" = $'lower\nmore' ]
    # what was copied up lay in the document root, and what was deleted below left a mark there
    events 'any(e.get("path") == "below.html" and e["kind"] == "added" and e["undone"] for e in every)' \
        'any(e.get("path") == "b/page.html" and e["undone"] for e in every)'
    [ "$(cat "$WORK/site/lower/below.html")" = lower ]
}

@test "a document root that is itself an overlay: copied up and undone, or refused aloud, never unseen" {
    program unshare mount
    mkdir -p "$WORK"/site/{lower,upper,work,merged}
    SITE=$WORK/site/merged/www
    guarded make "$WORK/site/lower/www" 20
    guarded list "$WORK/site/lower/www" >"$WORK/lower"
    overlay() {
        mount -t overlay overlay -o "lowerdir=$WORK/site/lower,upperdir=$WORK/site/upper,workdir=$WORK/site/work$1" \
            "$WORK/site/merged" || skip "no overlay can be mounted here"
        echo "$WORK/site/merged" >>"$WORK/mounts"
    }
    overlay ""
    publish_it
    code 3 timeout 30 "$YAGURA" guard
    says "does not tell its changes by handle" "nfs_export=on"
    umount "$WORK/site/merged"
    rm -rf "$WORK/site/work" "$WORK/site/upper"/* && mkdir "$WORK/site/work"
    overlay ",index=on,nfs_export=on"
    guard
    unshare -m sh -c "echo defaced >'$SITE/index.html' && echo more >>'$SITE/bin/tool.cgi' && echo '<?php' >'$SITE/shell.php' &&
        rm '$SITE/b/page.html' && chmod 777 '$SITE/a'"
    back
    events 'all(any(e.get("path") == p and e["undone"] and e.get("pid") for e in every) for p in ("index.html", "bin/tool.cgi", "shell.php", "b/page.html", "a"))'
    guarded list "$WORK/site/lower/www" | diff "$WORK/lower" -
}

@test "1,200,000 folders with the default watch limits" {
    local count
    count=$(some 1200000 12000)
    program mount
    # in memory: a disk takes minutes to remove them
    mount -t tmpfs -o size=4g,nr_inodes=0 yagura-test "$WORK/site" || skip "no tmpfs can be mounted here"
    echo "$WORK/site" >>"$WORK/mounts"
    mkdir -p "$SITE"
    /usr/bin/python3 - "$SITE" "$count" <<'END'
import os, sys
root, count = sys.argv[1], int(sys.argv[2])
for i in range(count // 100):
    os.makedirs(f"{root}/{i // 100}/{i % 100}")
    for k in range(99):
        os.mkdir(f"{root}/{i // 100}/{i % 100}/{k}")
open(f"{root}/0/0/0/page.html", "w").write("page\n" * 100)
END
    code 0 "$YAGURA" init "$SITE" --json
    local started=$SECONDS
    GUARD_SECONDS=300 guard
    tell "$count folders: on guard after $((SECONDS - started)) s"
    ! grep -q "started anew" "$WORK/said" || false
    # no watch a folder, and no limit raised
    [ "$(cat /proc/"$(inner)"/fdinfo/* 2>/dev/null | grep -c '^inotify')" = 0 ]
    tell "fs.inotify.max_user_watches is $(cat /proc/sys/fs/inotify/max_user_watches)"
    echo defaced >"$SITE/0/0/0/page.html"
    until_true 20 grep -q "^page" "$SITE/0/0/0/page.html"
    rm -r "$SITE/0/1/2"
    until_true 20 test -d "$SITE/0/1/2"
    touch "$SITE/0/99/98/shell.php"
    gone() { [ ! -e "$SITE/0/99/98/shell.php" ]; }
    until_true 20 gone
    tell "$count folders: the guard's memory at most $(grep VmHWM "/proc/$(inner)/status" | tr -s '\t ' ' ')"
}

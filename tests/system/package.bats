# The Debian package: what is in it, its units, and that it is installed, upgraded and removed.
load lib
load package

UNITS=$ROOT/packaging/systemd

@test "the units are sound" {
    program systemd-analyze
    mkdir "$WORK/units"
    cp "$UNITS"/* "$WORK/units/"
    # here the program lies elsewhere
    sed -i "s,=/usr/bin/yagura,=$YAGURA,; s,=/usr/libexec/yagura/,=$BUILD/libexec/," "$WORK"/units/*.service
    code 0 env SYSTEMD_UNIT_PATH="$WORK/units:" systemd-analyze verify --man=no "$WORK"/units/yagura-guard.service \
        "$WORK"/units/yagura-audit.service "$WORK"/units/yagura-audit.timer "$WORK"/units/yagura-hook.socket \
        "$WORK"/units/yagura-hook@.service "$WORK"/units/yagura-isolation.service \
        "$WORK"/units/yagura-ports.service "$WORK"/units/yagura-notice.service \
        "$WORK"/units/yagura-watch.service "$WORK"/units/yagura-watch.timer
    [ -z "$(printf '%s' "$output" | grep yagura)" ] || {
        echo "$output"
        return 1
    }
}

@test "the units are as narrow as was promised: the guard 1.8, the notice 1.9, the watch 2.5, all others 1.2" {
    program systemd-analyze
    local unit most
    for unit in "$UNITS"/*.service; do
        most=12
        [[ $unit != */yagura-guard.service ]] || most=18
        [[ $unit != */yagura-notice.service ]] || most=19 # it is there to be reached from outside
        [[ $unit != */yagura-watch.service ]] || most=25 # it isolates: the firewall, the notice, evidence
        code 0 systemd-analyze security --offline=true --no-pager --threshold=$most "$unit"
    done
    # the other way round: it can fail
    code 1 systemd-analyze security --offline=true --no-pager --threshold=5 "$UNITS/yagura-guard.service"
}

@test "every capability of the guard's unit is justified, and the program keeps the same ones" {
    local capability in_unit in_program
    in_unit=$(sed -n 's/^CapabilityBoundingSet=//p' "$UNITS/yagura-guard.service" | tr ' ' '\n' | sort)
    in_program=$(sed -n '/guards_capabilities =/,/;/p' "$ROOT/src/guard/walls.c" | grep -o 'CAP_[A-Z_]*' | sort)
    [ "$in_unit" = "$in_program" ]
    for capability in $in_unit; do
        grep -q "^| \`$capability\` |" "$ROOT/docs/privileges.md"
    done
}

@test "the example of the configuration is one, with every key" {
    code 0 "$YAGURA" --config "$ROOT/packaging/yagura.yaml" on-tamper
    # with the comments taken away it is still one
    sed -E 's/^#([a-z ])/\1/' "$ROOT/packaging/yagura.yaml" | grep -v '^[A-Z]\|^ [A-Z]\|^ a\|^ o' >"$WORK/all.yaml"
    sed -i 's,^on_tamper:.*,on_tamper: cat,' "$WORK/all.yaml"
    code 0 "$YAGURA" --config "$WORK/all.yaml" on-tamper
    local key found=
    for key in $(grep -ohE 'str_equal\([^,]*->text, "[a-z_]+"\)' "$ROOT"/src/cmd/config*.c | cut -d'"' -f2 | sort -u); do
        case $key in yes | no | true | false | other | any) continue ;; esac # values
        found="$found $key"
        grep -q "\\b$key:" "$WORK/all.yaml" || { echo "$key is not there"; false; }
    done
    [[ "$found" == *evidence_mb*selftest_seconds* ]]
}

@test "the package is clean under lintian, and all is in it" {
    package
    code 0 lintian --allow-root --fail-on error,warning "$BUILD"/deb-test/yagura_*.changes
    says_not "W:" "E:"
    local wanted
    dpkg -c "$DEB" | awk '{print $6}' >"$WORK/names"
    for wanted in usr/bin/yagura usr/libexec/yagura/yagura-image usr/libexec/yagura/yagura-unpack usr/libexec/yagura/yagura-tree usr/libexec/yagura/yagura-scan \
        usr/share/yagura/rules/ usr/share/yagura/profiles/ usr/share/yagura/advisories/ \
        usr/share/locale/ja/LC_MESSAGES/yagura.mo usr/share/man/man1/yagura.1.gz \
        usr/share/man/ja/man1/yagura.1.gz usr/share/bash-completion/completions/yagura \
        etc/yagura/yagura.yaml lib/systemd/system/yagura-guard.service \
        lib/systemd/system/yagura-audit.timer lib/systemd/system/yagura-hook.socket \
        lib/systemd/system/yagura-watch.service lib/systemd/system/yagura-watch.timer \
        usr/share/doc/yagura/privileges.md usr/share/doc/yagura/copyright; do
        grep -qx "./$wanted" "$WORK/names" || {
            echo "$wanted is missing"
            return 1
        }
    done
}

@test "installed, upgraded, removed, purged: what was published is never lost" {
    package
    as_root
    local root=$WORK/root
    install_in "$root" systemd
    inside() { chroot "$root" "$@"; }
    code 0 inside yagura --version
    says "yagura "
    code 0 inside yagura --lang ja help
    says "番人"
    [ -L "$root/etc/systemd/system/multi-user.target.wants/yagura-guard.service" ]
    [ -L "$root/etc/systemd/system/timers.target.wants/yagura-audit.timer" ]
    [ -L "$root/etc/systemd/system/timers.target.wants/yagura-watch.timer" ]
    [ -L "$root/etc/systemd/system/sockets.target.wants/yagura-hook.socket" ]
    code 0 inside stat -c '%U %a' /var/lib/yagura
    says "yagura 700"
    # something is published, and the configuration is the administrator's now
    mkdir -p "$root/srv/www"
    echo page >"$root/srv/www/index.html"
    code 0 inside yagura init /srv/www --name www
    echo 'keep: 5' >"$root/etc/yagura/yagura.yaml"
    # the next version
    dpkg-deb -R "$DEB" "$WORK/next"
    sed -i 's/^Version: .*/&.1/' "$WORK/next/DEBIAN/control"
    dpkg-deb -b "$WORK/next" "$root/root/next.deb" >/dev/null
    echo defaced >"$root/srv/www/index.html" # while there is no guard
    code 0 inside dpkg -i --force-confold /root/next.deb
    code 0 inside dpkg-query -W -f '${Version}' yagura
    says ".1"
    grep -q 'keep: 5' "$root/etc/yagura/yagura.yaml"
    # what was changed meanwhile is not adopted
    code 0 inside yagura history www --json
    holds 'len([o for o in every if o.get("type") == "generation"]) == 1'
    code 1 inside yagura verify www
    # removed: the state stays, and the configuration
    code 0 inside dpkg -r yagura
    [ ! -e "$root/usr/bin/yagura" ]
    [ -s "$root/var/lib/yagura/state.db" ]
    [ -e "$root/etc/yagura/yagura.yaml" ]
    # purged: the state stays still, and that is said
    code 0 inside dpkg -P yagura
    says "/var/lib/yagura is kept"
    [ -s "$root/var/lib/yagura/state.db" ]
    [ ! -e "$root/etc/yagura/yagura.yaml" ]
    [ -z "$(find "$root/etc/systemd" -name '*yagura*')" ]
    # and the package finds it again
    code 0 inside dpkg -i /root/yagura.deb
    code 0 inside yagura history www
    # an empty state is no reason to leave a folder
    rm -r "$root/var/lib/yagura"/*
    code 0 inside dpkg -P yagura
    [ ! -e "$root/var/lib/yagura" ]
}

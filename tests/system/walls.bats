# What the guard's processes may not do, and that the guard does its work without it: as it runs,
# and with what its unit leaves of root's power. What systemd itself adds is in boot.bats.
load lib

setup() {
    as_root
    SITE=$WORK/srv/www
    mkdir -p "$SITE/a" "$SITE/b" "$WORK/out"
    chmod 777 "$WORK/out"
    chmod a+rx "$WORK" "$(dirname "$WORK")" "$(dirname "$(dirname "$WORK")")"
    local page
    for page in index.html a/page.html b/page.html; do echo "published $page" >"$SITE/$page"; done
    printf 'on_tamper: "{ cat; id -u; } >>%s/told"\n' "$WORK/out" >"$WORK/yagura.yaml"
}

teardown() {
    [ -z "$GUARD" ] || kill "$GUARD" 2>/dev/null || true
    [ -z "$GUARD" ] || wait "$GUARD" 2>/dev/null || true
}

# guard COMMAND ...: starts it in front of yagura guard; waits until it is on guard.
guard() {
    "$@" "$YAGURA" --config "$WORK/yagura.yaml" guard >"$WORK/log" 2>&1 3>&- &
    GUARD=$!
    local i
    for i in $(seq 100); do
        grep -q "on guard" "$WORK/log" && return
        sleep 0.1
    done
    cat "$WORK/log"
    return 1
}

deface() {
    local way
    for way; do
        "$BUILD/deface" "$SITE" "$way" 5 10 || {
            cat "$WORK/log"
            return 1
        }
    done
}
WAYS="overwrite truncate append rename-over exchange delete new-file tree-moved-in link-for-file
    link-for-folder folders-exchanged folder-moved hard-link chmod chown xattr mtime-forged
    writer-goes-on fifo-for-file mapped-write outside-link root-moved"

process() { # of the guard: parent, caller or guard
    case $1 in
    parent) echo "$GUARD" ;;
    caller) pgrep -P "$GUARD" | head -1 ;;
    guard) pgrep -P "$GUARD" | tail -1 ;;
    esac
}
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$(process "$1")/status"; }

@test "a process that was taken over is refused what it has no business with" {
    case $BUILD in *-asan) skip "a sanitizer's own system calls are in no list: there are no walls" ;; esac
    [ -x "$BUILD/tests/guard/inject" ] || skip "this build has no tests/guard/inject: only one with -Dtests=true for x86-64 has it"
    "$YAGURA" init "$SITE" --name www
    guard
    [ "$(pgrep -P "$GUARD" | wc -l)" = 2 ]
    inject() { # PROCESS NAME NUMBER WANTED ARGUMENT ...
        local who=$1 what=$2 number=$3 wanted=$4 got
        shift 4
        got=$(timeout 20 "$BUILD/tests/guard/inject" "$(process "$who")" "$number" "$@")
        [[ " $wanted " == *" $got "* ]] || {
            echo "$who: $what: $got, not $wanted"
            return 1
        }
    }
    local who
    for who in parent guard; do
        inject $who "another program" 59 EPERM 0 0 0
        inject $who "a socket of the internet" 41 EPERM 2 1 0
        inject $who "another's registers" 101 EPERM 16 1
        inject $who "a mount" 165 EPERM 0 0 0
        inject $who "another root" 161 EPERM 0
        inject $who "executable memory" 9 EPERM 0 4096 7 34 -1 0
        inject $who "bpf" 321 EPERM 0 0 0
        inject $who "io_uring" 425 EPERM 1 0
        inject $who "another user" 105 EPERM 33
        # and that it is the filter which refuses: what is allowed comes through
        inject $who "its own number" 39 "done"
    done
    inject guard "another process" 57 EPERM
    inject guard "a socket of this host" 41 EPERM 1 1 0
    inject guard "a signal to the first process" 62 EPERM 1 0
    # the hook's runner: any program, but as nobody
    inject caller "another's registers" 101 EPERM 16 1
    inject caller "root again" 105 EPERM 0
    inject caller "a mount" 165 EPERM 0 0 0
    [ "$(status_of caller CapEff)" = 0000000000000000 ]
    [ "$(status_of caller Uid | cut -f1)" = 65534 ]
    for who in parent caller guard; do
        [ "$(status_of $who Seccomp)" = 2 ]
        [ "$(status_of $who NoNewPrivs)" = 1 ]
    done
    # it goes on as if nothing had happened
    deface overwrite delete
}

@test "the guard does its work within its walls, and the hook is told" {
    "$YAGURA" init "$SITE" --name www
    guard
    # shellcheck disable=SC2086
    deface $WAYS
    for _ in $(seq 100); do
        grep -q 65534 "$WORK/out/told" 2>/dev/null && break
        sleep 0.1
    done
    grep -q '"type":"tamper".*"do":"yagura respond start"' "$WORK/out/told"
    [ "$(tail -1 "$WORK/out/told")" = 65534 ]
}

@test "the guard does its work with what its unit leaves of root's power" {
    program setpriv unshare
    mkdir -m 700 "$YAGURA_STATE"
    chown games "$YAGURA_STATE"
    "$YAGURA" init "$SITE" --name www
    # what root made in the other user's state is that user's where it has to be
    [ "$(stat -c %U "$YAGURA_STATE/state.db" "$YAGURA_STATE/cache" | sort -u)" = games ]
    chown -R www-data: "$SITE/b"
    chmod 2775 "$SITE/b"
    "$YAGURA" publish www --yes
    guard "$HELPERS/as_unit" "$ROOT/packaging/systemd/yagura-guard.service" games
    [ "$(status_of guard Uid | cut -f1)" = "$(id -u games)" ]
    # shellcheck disable=SC2086
    deface $WAYS
    # others' attributes come back, the set-group-id bit too
    chown root: "$SITE/b"
    chmod 700 "$SITE/b"
    for _ in $(seq 50); do
        [ "$(stat -c '%U %a' "$SITE/b")" = "www-data 2775" ] && break
        sleep 0.1
    done
    [ "$(stat -c '%U %a' "$SITE/b")" = "www-data 2775" ]
    # who it was is told although that is another user's process
    grep -q "back after .*deface" "$WORK/log"
    # the folder aside stays root's
    [ "$(stat -c '%U %a' "$WORK/srv/.yagura-www")" = "root 700" ]
    # and root's own commands work on the same state
    "$YAGURA" verify www
    code 0 "$YAGURA" status
}

@test "on-tamper runs what is configured, as nobody, and may write to its notes only" {
    printf 'on_tamper: "id -u; cat; touch /tmp/yagura-on-tamper.$$ && rm /tmp/yagura-on-tamper.$$ && echo notes; echo x >/run/lock/yagura-no && echo elsewhere; grep CapEff /proc/self/status"\n' >"$WORK/yagura.yaml"
    code 0 bash -c "echo a burst | '$YAGURA' --config '$WORK/yagura.yaml' on-tamper"
    says 65534 "a burst" notes 0000000000000000
    if grep -q landlock /sys/kernel/security/lsm 2>/dev/null; then says_not elsewhere; fi
    rm -f /run/lock/yagura-no
    # a command that another may have written is not run, nor one that is run as root
    chmod o+w "$WORK/yagura.yaml"
    code 2 "$YAGURA" --config "$WORK/yagura.yaml" on-tamper
    says "others may write it"
    chmod o-w "$WORK/yagura.yaml"
    chown 65534 "$WORK/yagura.yaml"
    code 2 "$YAGURA" --config "$WORK/yagura.yaml" on-tamper
    printf 'patch: {policy: {backup: {command: "true"}}}\n' >"$WORK/yagura.yaml"
    code 2 "$YAGURA" --config "$WORK/yagura.yaml" on-tamper
    says "others may write it"
    echo 'keep: 3' >"$WORK/yagura.yaml"
    code 0 "$YAGURA" --config "$WORK/yagura.yaml" on-tamper
    says "not set"
}

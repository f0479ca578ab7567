#!/usr/bin/env bats
# A site and a state that somebody has tampered with: a clear error or a finding each, nothing
# hangs, nothing published is lost, nothing reaches the terminal raw.
load lib

setup() {
    WWW=$WORK/www
    mkdir -p "$WWW/sub"
    for i in 1 2 3; do echo "<h1>page $i</h1>" >"$WWW/page$i.html"; done
    M=$YAGURA_STATE/manifests/www
}
init() { code 0 "$YAGURA" init "$WWW"; }
# Nothing that a terminal would obey, and lines end where we end them.
tame() {
    local raw
    raw=$(printf '%s' "$output" | LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xff|\xfe' | cat -v)
    [ -z "$raw" ] || { echo "raw: $raw" && return 1; }
}
@test "a manifest cut short, forged, of a newer version, of another site, an old one replayed" {
    mkdir -p "$WORK/other" && echo other >"$WORK/other/page1.html"
    code 0 "$YAGURA" init "$WORK/other"
    init
    echo "<h1>page 1, revised</h1>" >"$WWW/page1.html"
    code 0 "$YAGURA" publish www --yes
    cp -a "$YAGURA_STATE/manifests" "$WORK/good"
    back() { rm -rf "$YAGURA_STATE/manifests" && cp -a "$WORK/good" "$YAGURA_STATE/manifests"; }
    refused_www() {
        local what
        for what in "verify www" "restore www --yes" "publish www --yes" "diff www" "manifest export --mtree www" "gc --keep 1"; do
            # shellcheck disable=SC2086
            code 3 within 20 "$YAGURA" $what
            says "generation 2 of www"
        done
        [ "$(cat "$WWW/page1.html")" = "<h1>page 1, revised</h1>" ]
        code 0 "$YAGURA" ledger verify
        code "0 3" "$YAGURA" history www
        back
        code 0 "$YAGURA" verify www
    }
    truncate -s 300 "$M/2" && refused_www
    truncate -s 0 "$M/2" && refused_www
    # one bit of a page's hash
    printf '\x01' | dd of="$M/2" bs=1 seek=400 conv=notrunc status=none && refused_www
    printf 'YAGURAM9' | dd of="$M/2" bs=1 conv=notrunc status=none && refused_www
    cp "$YAGURA_STATE/manifests/other/1" "$M/2" && cp "$YAGURA_STATE/manifests/other/1.minisig" "$M/2.minisig" && refused_www
    cp "$M/1" "$M/2" && cp "$M/1.minisig" "$M/2.minisig" && refused_www
    rm "$M/2.minisig" && refused_www
    head -c 5000 /dev/urandom >"$M/2.minisig" && refused_www
    rm "$M/2" && refused_www
}

@test "names that are not UTF-8, with newlines and escape sequences, are shown harmless everywhere" {
    init
    local name
    for name in $'\e[2J\e]0;owned\a.html' $'two\nlines.html' $'\xff\xfe.html' $'\xc2\x9b31m.html' $'back\b\b\bname.html'; do
        printf 'x\e[31m\n' >"$WWW/$name"
        mkdir "$WWW/sub/$name" && ln -s "$name" "$WWW/sub/$name/link"
    done
    code 1 "$YAGURA" verify
    tame
    says "added"
    code 1 "$YAGURA" verify --json
    tame
    code 1 "$YAGURA" diff
    tame
    code "0 1" "$YAGURA" restore --dry-run
    tame
    code 0 "$YAGURA" publish --yes
    tame
    code 0 "$YAGURA" manifest export --mtree
    tame
    printf 'y\e[32m\n' >"$WWW/"$'two\nlines.html'
    code 1 "$YAGURA" diff
    tame
    code 0 "$YAGURA" restore --yes
    tame
    code 0 "$YAGURA" verify
    code 0 "$YAGURA" ledger show
    tame
}

@test "the guard shows such names harmless, too" {
    as_root
    init
    "$YAGURA" guard >"$WORK/guard.out" 2>&1 &
    local guard=$! i
    for ((i = 0; i < 100; i++)); do
        [ -s "$WORK/guard.out" ] && break
        sleep 0.1
    done
    sleep 1
    printf 'x' >"$WWW/"$'\e[2J\e]0;owned\a\nlines\xff\xc2\x9b.html'
    for ((i = 0; i < 100; i++)); do
        [ "$(find "$WWW" -type f | wc -l)" = 3 ] && break
        sleep 0.1
    done
    sleep 1
    kill "$guard" && wait "$guard" || true
    output=$(cat "$WORK/guard.out")
    says "owned" "lines"
    tame
    [ "$(find "$WWW" -type f | wc -l)" = 3 ]
}

@test "FIFOs, sockets, devices and what cannot be read hang nothing and are said" {
    init
    mkfifo "$WWW/fifo"
    /usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$WWW/socket"
    [ "$(id -u)" != 0 ] || mknod "$WWW/device" c 1 5
    code 1 within 20 "$YAGURA" verify
    says fifo socket
    code 1 within 20 "$YAGURA" diff
    rm "$WWW/page1.html" && mkfifo "$WWW/page1.html"
    code 1 within 20 "$YAGURA" verify
    says page1.html
    code 0 within 20 "$YAGURA" restore --yes
    code 0 "$YAGURA" verify
    [ "$(cat "$WWW/page1.html")" = "<h1>page 1</h1>" ] && [ ! -e "$WWW/fifo" ] && [ ! -e "$WWW/socket" ] && [ ! -e "$WWW/device" ] || false
    mkfifo "$WORK/www/again"
    code 3 within 20 "$YAGURA" init "$WWW" --name second --state "$WORK/second"
    says again "not guarded"
}

@test "a file that changes while it is looked at is a finding, and nothing waits for it" {
    head -c 40000000 /dev/zero >"$WWW/log.html"
    init
    (while :; do printf x >>"$WWW/log.html"; done) &
    local writer=$!
    code "1 3" within 60 "$YAGURA" verify
    says log.html
    kill "$writer"
    wait "$writer" || true
}

@test "100,000 entries in one folder" {
    slow
    mkdir "$WWW/many"
    /usr/bin/python3 -c '
import os, sys
for i in range(100_000):
    os.close(os.open(f"{sys.argv[1]}/{i}.html", os.O_CREAT | os.O_WRONLY, 0o644))' "$WWW/many"
    init
    echo owned >"$WWW/many/77777.html"
    rm "$WWW/many/5.html"
    code 1 within 120 "$YAGURA" verify --json
    holds 'summary["found"] == 2'
    code 0 within 120 "$YAGURA" restore --yes
    code 0 within 120 "$YAGURA" verify
}

@test "folders deeper than a path can be long" {
    init
    /usr/bin/python3 -c '
import os, sys
at = os.open(sys.argv[1], os.O_RDONLY)
name = "d" * 200
for i in range(30):
    os.mkdir(name, dir_fd=at)
    at = os.open(name, os.O_RDONLY, dir_fd=at)
fd = os.open("shell.php", os.O_CREAT | os.O_WRONLY, dir_fd=at)
os.write(fd, b"owned")' "$WWW"
    code "1 3" within 20 "$YAGURA" verify
    says "dddd"
    code "0 3" within 20 "$YAGURA" restore --yes
    code 0 within 20 "$YAGURA" verify
    code 3 within 20 "$YAGURA" init "$WORK/.yagura-www" --name deep --state "$WORK/second"
}

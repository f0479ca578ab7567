#!/usr/bin/env bats
# Disks that are full or can only be read, of the test's own: said, retried, never half a page.
load lib

setup() {
    as_root
    DISK=$WORK/disk
    mkdir -p "$DISK"
    mount -t tmpfs -o size=3m,mode=700 yagura-test "$DISK" 2>/dev/null || skip "no tmpfs can be mounted here"
    head -c 400000 /dev/urandom >"$WORK/picture"
    GUARD=
}
teardown() {
    [ -z "$GUARD" ] || kill "$GUARD" 2>/dev/null || true
    [ -z "$GUARD" ] || wait "$GUARD" || true
    [ ! -d "$WORK/disk" ] || umount -l "$WORK/disk" 2>/dev/null || true
}
site() { # WHERE: the site that a test serves
    mkdir -p "$1/sub"
    for i in 1 2 3; do echo "<h1>page $i</h1>" >"$1/page$i.html"; done
    cp "$WORK/picture" "$1/sub/picture.png"
}
fill() { cat /dev/zero >"$DISK/filler" 2>/dev/null || true; }
room() { rm -f "$DISK/filler"; }
# Every page is what was published, what was put there by the test ("owned"), or absent.
whole() {
    local page
    for page in "$1"/page*.html; do
        [ ! -e "$page" ] || grep -qxE '<h1>page [0-9]</h1>|owned' "$page" || {
            echo "$page is half-written: $(head -c 80 "$page")"
            return 1
        }
    done
    [ ! -e "$1/sub/picture.png" ] || cmp -s "$1/sub/picture.png" "$WORK/picture" ||
        [ "$(cat "$1/sub/picture.png")" = owned ]
}

@test "the state's disk is full while a site is taken and while it is published" {
    site "$WORK/www"
    export YAGURA_STATE=$DISK/state
    fill
    code 3 "$YAGURA" init "$WORK/www"
    says "disk is full"
    truncate -s -150000 "$DISK/filler"
    code 3 "$YAGURA" init "$WORK/www"
    says "No space left"
    room
    code 0 "$YAGURA" init "$WORK/www"
    echo "<h1>page 4</h1>" >"$WORK/www/page4.html"
    head -c 500000 /dev/urandom >"$WORK/www/other.png"
    fill
    truncate -s -150000 "$DISK/filler"
    code 3 "$YAGURA" publish --yes
    says "No space left"
    room
    code 0 "$YAGURA" ledger verify
    code 0 "$YAGURA" history --json
    holds 'summary["generations"] == 1'
    code 1 "$YAGURA" verify
    code 0 "$YAGURA" publish --yes
    code 0 "$YAGURA" verify
}

@test "the site's disk is full while it is restored" {
    site "$DISK/www"
    code 0 "$YAGURA" init "$DISK/www"
    rm "$DISK/www/sub/picture.png" "$DISK/www/page2.html"
    echo owned >"$DISK/www/page1.html"
    fill
    code 3 "$YAGURA" restore --yes
    says "No space left"
    whole "$DISK/www"
    room
    code 0 "$YAGURA" restore --yes
    code 0 "$YAGURA" verify
    whole "$DISK/www"
}

@test "the site's disk can only be read while it is restored" {
    site "$DISK/www"
    code 0 "$YAGURA" init "$DISK/www"
    echo owned >"$DISK/www/page1.html"
    mount -o remount,ro "$DISK"
    code 3 "$YAGURA" restore --yes
    says "Read-only file system"
    whole "$DISK/www"
    mount -o remount,rw "$DISK"
    code 0 "$YAGURA" restore --yes
    code 0 "$YAGURA" verify
}

guard() {
    "$YAGURA" guard --json >"$WORK/guard.out" 2>"$WORK/guard.err" &
    GUARD=$!
    soon "grep -q swept $WORK/guard.out"
}
soon() { # a condition that comes true within 20 seconds
    local i
    for ((i = 0; i < 200; i++)); do
        eval "$1" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "not within 20 seconds: $1"
    cat "$WORK/guard.out" "$WORK/guard.err" | tail -20 | cut -c1-300
    return 1
}

@test "a guard whose site's disk is full, then read-only, mends when it can" {
    site "$DISK/www"
    echo owned >"$WORK/owned"
    code 0 "$YAGURA" init "$DISK/www"
    guard
    cp "$WORK/owned" "$DISK/owned"
    fill
    # renames need no room: the attacker has it easier than the one who restores
    mv "$DISK/owned" "$DISK/www/sub/picture.png"
    sleep 2
    whole "$DISK/www"
    kill -0 "$GUARD"
    room
    soon "cmp $DISK/www/sub/picture.png $WORK/picture"
    echo owned >"$DISK/www/page1.html" && mount -o remount,ro "$DISK" 2>/dev/null || true
    sleep 1
    whole "$DISK/www"
    mount -o remount,rw "$DISK"
    soon "grep -q 'page 1' $DISK/www/page1.html"
    whole "$DISK/www"
    kill -0 "$GUARD"
    code 0 "$YAGURA" verify
}

@test "what is unfolded beside the state leaves the disk bytes and inodes, of a git revision as of an archive" {
    program git tar
    site "$WORK/www"
    export YAGURA_STATE=$DISK/state
    mount -o remount,size=300m "$DISK"
    code 0 "$YAGURA" init "$WORK/www"
    (
        git -c init.defaultBranch=main init -q "$WORK/repo" && cd "$WORK/repo"
        git config user.name t && git config user.email t@mirror.example
        mkdir many && touch many/{1..300}
        git add -A && git commit -qm many && git tag many
        truncate -s 64M zeros # little to git, and much to the disk
        git add -A && git commit -qm big && git tag big
        truncate -s 400M zeros # more than the disk has
        git add -A && git commit -qm huge && git tag huge
    )
    git -C "$WORK/repo" archive --format=tar.gz -o "$WORK/many.tar.gz" many
    git -C "$WORK/repo" archive --format=tar.gz -o "$WORK/big.tar.gz" big
    refused() { # REVISION SENTENCE
        code 3 timeout 120 "$YAGURA" publish www --from-git "$1" --from "$WORK/repo" --dry-run
        says "$2"
        code 3 timeout 120 "$YAGURA" publish www --from "$WORK/$1.tar.gz" --dry-run
        says "$2"
        [ -z "$(find "$YAGURA_STATE" -maxdepth 1 -name 'git-*' -o -maxdepth 1 -name 'archive-*')" ]
        [ "$(df --output=avail -B1M "$DISK" | tail -1)" -gt 256 ]
    }
    taken() { # REVISION
        code 0 timeout 120 "$YAGURA" publish www --from-git "$1" --from "$WORK/repo" --dry-run
        code 0 timeout 120 "$YAGURA" publish www --from "$WORK/$1.tar.gz" --dry-run
    }
    refused big "less than 256 MiB would be left"
    # nor is it filled first, and looked at then
    code 3 timeout 120 "$YAGURA" publish www --from-git huge --from "$WORK/repo" --dry-run
    says "less than 256 MiB would be left"
    taken many
    mount -o remount,size=500m "$DISK"
    taken big
    mount -o remount,nr_inodes=4300 "$DISK"
    refused many "fewer than 4,096 free inodes"
    mount -o remount,nr_inodes=9000 "$DISK"
    taken many
}

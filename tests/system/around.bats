#!/usr/bin/env bats
# What is done around a guarded site: to the folders above its document root, to the folder aside,
# to file systems mounted in it, and in folders where visitors may put things.
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
}
mounted() {
    mount "$@" || skip "nothing can be mounted here"
    echo "${!#}" >>"$WORK/mounts"
}
is_mounted() { grep -q " $1 " /proc/self/mountinfo; }
events_of() { grep -c "\"path\":\"$1\".*\"pid\"" "$WORK/events" || :; }

# ---- the way to the document root --------------------------------------------------------------

# SITE lies in $WORK/site/home, which an attacker may rename
site_at_home() {
    SITE=$WORK/site/home/www
    site "${1:-10}"
    mkdir -p "$WORK/site/victim/www"
    echo victim >"$WORK/site/victim/www/page"
    guarded list "$WORK/site/victim" >"$WORK/victim"
}
victim_is_untouched() { guarded list "$WORK/site/victim" | diff "$WORK/victim" -; }

@test "a link in place of a folder above the document root is not followed, the folder comes back" {
    site_at_home
    guard
    mv "$WORK/site/home" "$WORK/site/else"
    ln -s victim "$WORK/site/home"
    back
    [ ! -L "$WORK/site/home" ]
    victim_is_untouched
    # and when it was moved into what stands in its place
    mv "$WORK/site/home" "$WORK/site/between"
    mkdir "$WORK/site/home"
    mv "$WORK/site/between" "$WORK/site/home/else" 2>/dev/null || :
    back
    rm -rf "$WORK/site/home" 2>/dev/null || :
    back
    echo defaced >"$SITE/index.html"
    back
    mounted -t tmpfs none "$WORK/site/home"
    mkdir -p "$SITE"
    back
    victim_is_untouched
}

@test "a document root moved deeper than a path can be long comes back" {
    site 10
    guard
    /usr/bin/python3 - "$WORK/site" <<'END'
import os, sys
os.chdir(sys.argv[1])
name = "d" * 200
for i in range(30):
    os.mkdir(name)
    os.chdir(name)
    if i == 0:
        top = os.open("..", os.O_RDONLY)
deep = os.open(".", os.O_RDONLY)
os.rename("www", "www", src_dir_fd=top, dst_dir_fd=deep)
END
    back
}

@test "a document root deleted or exchanged for a link while no guard ran is made anew, and no link is followed" {
    site_at_home
    mkdir "$WORK/site/other"
    echo other >"$WORK/site/other/page.html"
    code 0 "$YAGURA" init "$WORK/site/other" --json
    rm -rf "$SITE"
    guard
    back
    guard_ends
    rm -rf "$SITE"
    ln -s "$WORK/site/victim/www" "$SITE"
    chown -h nobody "$SITE"
    code "1 2 3" "$YAGURA" verify www
    says "not followed"
    guard
    back
    victim_is_untouched
    echo defaced >"$WORK/site/other/page.html"
    until_true 10 grep -q other "$WORK/site/other/page.html"
}

@test "a folder aside that is deleted or moved away is there again, and pages come back" {
    site 10
    guard
    rm -rf "$WORK/site/.yagura-www" || : # it may be written to at that moment
    echo defaced >"$SITE/index.html"
    back
    status 'last["pending"] == 0' || until_true 20 status 'last["pending"] == 0'
    mv "$WORK/site/.yagura-www" "$SITE/a/"
    until_true 10 test -d "$WORK/site/.yagura-www"
    back
    until_true 20 status 'last["pending"] == 0'
    ! grep -q '"said":"blind"' "$WORK/events" || false
}

@test "a self-test written while the folder aside is being deleted does not make the guard blind" {
    site 10
    printf 'guard:\n  selftest_seconds: 1\n' >"$WORK/yagura.yaml"
    export YAGURA_CONFIG=$WORK/yagura.yaml
    guard
    for _ in $(seq "$(some 20 8)"); do
        rm -rf "$WORK/site/.yagura-www" || : # it may be written to at that moment
        sleep 0.4
    done
    sleep 2.5 # by then an answer is missed
    ! grep -q '"said":"blind"' "$WORK/events" || false
    status 'not last["blind"]' || until_true 10 status 'not last["blind"]'
}

@test "a document root that is gone and cannot come back is no good state" {
    site 10
    guard --detect-only
    mv "$SITE" "$WORK/site/else"
    until_true 10 grep -q '"said":"root-gone"' "$WORK/events"
    status 'last["pending"] >= 1'
    code 1 "$YAGURA" status
}

# ---- mounts ------------------------------------------------------------------------------------

@test "a file system mounted in the site is published with it, watched, and stays mounted" {
    mkdir -p "$SITE/media"
    mounted -t tmpfs none "$SITE/media"
    mkdir "$SITE/media/deep"
    echo media | tee "$WORK/media" >"$SITE/media/page.html"
    echo deep >"$SITE/media/deep/page.html"
    site 10
    guard
    echo defaced >"$SITE/media/page.html"
    rm -r "$SITE/media/deep" 2>/dev/null || : # it comes back while it goes
    back
    is_mounted "$SITE/media"
    # the kernel told it, with who it was: comparing would not know
    [ "$(events_of media/page.html)" -ge 1 ]
    # it goes: what was published is there all the same
    umount "$SITE/media"
    until_true 20 cmp -s "$WORK/media" "$SITE/media/page.html"
    local before
    before=$(events_of media/page.html)
    echo defaced >"$SITE/media/page.html"
    until_true 10 cmp -s "$WORK/media" "$SITE/media/page.html"
    [ "$(events_of media/page.html)" -gt "$before" ]
    # and another one comes
    mount -t tmpfs none "$SITE/media"
    until_true 20 cmp -s "$WORK/media" "$SITE/media/page.html"
    is_mounted "$SITE/media"
    before=$(events_of media/page.html)
    echo defaced >"$SITE/media/page.html"
    until_true 10 cmp -s "$WORK/media" "$SITE/media/page.html"
    [ "$(events_of media/page.html)" -gt "$before" ]
}

@test "what not even root may look at is unmounted (FUSE of a user)" {
    [ -c /dev/fuse ] || skip "there is no FUSE here"
    site 10
    guard
    cat >"$WORK/fuse.py" <<'END'
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/dev/fuse", os.O_RDWR)
options = b"fd=%d,rootmode=%s,user_id=33,group_id=33" % (fd, sys.argv[2].encode())
if libc.mount(b"x", sys.argv[1].encode(), b"fuse", 0, options):
    sys.exit(1)
open(sys.argv[3], "w").close()
time.sleep(60)
END
    local at mode
    while read -r at mode; do
        /usr/bin/python3 "$WORK/fuse.py" "$SITE/$at" "$mode" "$WORK/is.$mode" 3>&- &
        echo $! >>"$WORK/pids"
        echo "$SITE/$at" >>"$WORK/mounts"
        until_true 5 test -e "$WORK/is.$mode" || skip "FUSE cannot be mounted here"
        back
    done <<<$'a 40000\nindex.html 100000'
}

# ---- uploads -----------------------------------------------------------------------------------

upload_site() {
    mkdir -p "$SITE/uploads"
    printf 'sites:\n  www:\n    policies:\n      - {path: /uploads/, policy: upload}\n' >"$WORK/yagura.yaml"
    export YAGURA_CONFIG=$WORK/yagura.yaml
    site "$1"
}

@test "a tree moved into an upload folder is looked at and watched to its bottom" {
    upload_site 10
    guard
    mkdir -p "$WORK/site/new/deep/deeper"
    echo '<?php' >"$WORK/site/new/deep/deeper/shell.php"
    echo text >"$WORK/site/new/deep/deeper/text.txt"
    mv "$WORK/site/new" "$SITE/uploads/"
    until_true 10 test ! -e "$SITE/uploads/new/deep/deeper/shell.php"
    sleep 0.5
    echo '<?php' >"$SITE/uploads/new/deep/deeper/text.php"
    until_true 10 test ! -e "$SITE/uploads/new/deep/deeper/text.php"
    [ "$(events_of uploads/new/deep/deeper/text.php)" -ge 1 ]
    # out, changed, and in again
    mv "$SITE/uploads/new" "$WORK/site/"
    echo '<?php' >"$WORK/site/new/deep/again.php"
    mv "$WORK/site/new" "$SITE/uploads/"
    until_true 10 test ! -e "$SITE/uploads/new/deep/again.php"
    [ "$(events_of uploads/new/deep/again.php)" -ge 1 ] || tell "found by comparing"
    [ -e "$SITE/uploads/new/deep/deeper/text.txt" ]
}

@test "folders that come and go in an upload folder neither keep the guard busy nor are an alarm" {
    upload_site "$(some 20000 5000)"
    guard
    /usr/bin/python3 - "$SITE/uploads" "$(some 20000 3000)" <<'END'
import os, sys
for i in range(int(sys.argv[2])):
    os.mkdir(f"{sys.argv[1]}/{i}")
    if i >= 20:
        os.rmdir(f"{sys.argv[1]}/{i - 20}")
END
    local started
    started=$(date +%s%N)
    echo defaced >"$SITE/index.html"
    until_true 60 sh -c "! grep -q defaced '$SITE/index.html'"
    tell "back after $((($(date +%s%N) - started) / 1000000)) ms"
    status 'last["failed"] == 0'
    ! grep -q '"undone":false' "$WORK/events" || false
}

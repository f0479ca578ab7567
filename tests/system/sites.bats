#!/usr/bin/env bats
# A site from its first publication on: compared, published, restored, deployed, explained.
load lib

setup() {
    mkdir -p "$WORK/www/css"
    echo '<h1>home</h1>' >"$WORK/www/index.html"
    echo 'a { }' >"$WORK/www/css/a.css"
    ln -s index.html "$WORK/www/home.html"
    touch -d 2026-01-01 "$WORK/www/index.html"
}
teardown() {
    if [ -n "$GUARD" ]; then stop_guard; fi
    if [ -n "$NGINX" ]; then kill "$NGINX" && wait "$NGINX" || :; fi
    if [ -n "$MOUNTED" ]; then umount -l "$MOUNTED"; fi
}
site() { code "0" "$YAGURA" init "$WORK/www" --name www; }

# guard [OPTION ...]: starts it and waits until it guards; what it says is in $WORK/guard.
guard() {
    "$YAGURA" guard "$@" >"$WORK/guard" 2>"$WORK/guard.err" 3>&- &
    GUARD=$!
    until_true 10 grep -q 'on guard' "$WORK/guard.err"
}
stop_guard() {
    kill "$GUARD"
    wait "$GUARD" || :
    GUARD=
}
# until_true SECONDS COMMAND ...
until_true() {
    local end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || { echo "never: $*"; return 1; }
        sleep 0.05
    done
}
# tree DIR: all of it in one text
tree() { (cd "$1" && find . -printf '%p %y %m %U %G %l ' \( -type f -exec sha256sum {} \; -o -printf '\n' \)) | sort; }

@test "init takes a site as it is and says why this profile; a second time it says what it is" {
    code 0 "$YAGURA" init "$WORK/www"
    says "www: generation 1 of $WORK/www is published: 2 files" "Profile static"
    code 2 "$YAGURA" init "$WORK/www"
    says "is under guard already, as www"
    code 2 "$YAGURA" init "$WORK/nowhere"
    code 2 "$YAGURA" init "$WORK/www/css" --name 'No Name'
    mkdir -p "$WORK/wp/wp-includes"
    touch "$WORK/wp/wp-config.php" "$WORK/wp/wp-includes/version.php"
    code 0 "$YAGURA" init "$WORK/wp"
    says "Profile wordpress, as wp-config.php, wp-includes/version.php are there"
    code 2 "$YAGURA" init "$WORK/www/css" --profile wordpres
    says "wordpres"
}

@test "init warns when the server's user may write the document root, and its commands mend it" {
    as_root
    program runuser
    chmod o+rx "$WORK" "$(dirname "$WORK")" "$(dirname "$(dirname "$WORK")")"
    mkdir -p "$WORK/www/uploads"
    chown -R www-data "$WORK/www"
    code 0 "$YAGURA" init "$WORK/www" --profile wordpress
    says "The web server's user www-data may write here (folders: 3, files: 2)"
    printf '%s\n' "$stdout" | sed -n 's/^  [^ ]*yagura //p' >"$WORK/commands"
    grep -q "publish www -- chown -R root:www-data $WORK/www" "$WORK/commands"
    while read -r words; do
        # shellcheck disable=SC2086
        code 0 "$YAGURA" $words
    done <"$WORK/commands"
    run runuser -u www-data -- find "$WORK/www" ! -type l -writable
    [ "$status" -eq 0 ] && [ -z "$output" ] || false
    runuser -u www-data -- cat "$WORK/www/index.html"
    code 0 "$YAGURA" verify www
}

@test "what a group or everybody may write is a warning, too; what only root may is none" {
    as_root
    code 0 "$YAGURA" init "$WORK/www" --name a --json
    holds 'not of("writable")'
    chmod 666 "$WORK/www/index.html"
    code 0 "$YAGURA" init "$WORK/www/css" --name b --json
    holds 'not of("writable")'
    chgrp www-data "$WORK/www/css" && chmod 775 "$WORK/www/css"
    mkdir "$WORK/c" && cp -a "$WORK/www/." "$WORK/c"
    code 0 "$YAGURA" init "$WORK/c" --json
    holds 'of("writable")[0]["user"] == "www-data"' 'of("writable")[0]["directories"] == 1' \
        'of("writable")[0]["files"] == 1' 'last["type"] == "summary"'
}

@test "verify tells each kind of difference, and its exit code" {
    site
    code 0 "$YAGURA" verify
    says "www is as it was published (generation 1"
    echo x >"$WORK/www/new.html"
    rm "$WORK/www/home.html"
    echo more >>"$WORK/www/index.html"
    mv "$WORK/www/css/a.css" "$WORK/www/b.css"
    code 1 "$YAGURA" verify www
    says "! added  new.html" "! removed  home.html" "! changed  index.html (content)" \
        "! moved  b.css (was css/a.css)" "Before anything is put back:" "respond start"
    narrow 80
    code 1 "$YAGURA" verify "$WORK/www" --json
    holds 'sorted(d["kind"] for d in of("difference")) == ["added", "changed", "moved", "removed"]' \
        'last["found"] == 4 and last["unknown"] == 0'
    code 2 "$YAGURA" verify nobody
    code 2 "$YAGURA" verify www too
}

@test "verify without a name compares all sites, and the worst counts" {
    site
    mkdir "$WORK/b" && echo b >"$WORK/b/b.html"
    code 0 "$YAGURA" init "$WORK/b"
    code 0 "$YAGURA" verify
    says "b is as it was published" "www is as it was published"
    echo x >>"$WORK/b/b.html"
    code 1 "$YAGURA" verify --json
    holds '[v["found"] for v in of("verified")] == [1, 0]' 'last["sites"] == 2' \
        'last["found"] == 1'
    code 0 "$YAGURA" verify www
    rm -r "$WORK/b"
    code 3 "$YAGURA" verify
    says "www is as it was published"
}

@test "publish lets in what differs, asks, and changes nothing with --dry-run" {
    site
    echo x >"$WORK/www/new.html"
    code 0 "$YAGURA" publish www --dry-run
    says "! added  new.html"
    code 1 "$YAGURA" verify www
    code 2 "$YAGURA" publish www
    says "--yes"
    code 0 "$YAGURA" publish www --dry-run --json
    holds 'last["type"] == "summary"' 'last["generation"] == 1'
    code 0 "$YAGURA" publish www --yes
    says "generation 2 is published, with 1 difference"
    code 0 "$YAGURA" verify www
    code 0 "$YAGURA" publish www --yes
    says "nothing to publish"
    code 0 "$YAGURA" history www --json
    holds '[g["generation"] for g in of("generation")] == [2, 1]' 'of("generation")[0]["published"]'
    code 0 "$YAGURA" ledger verify
}

@test "publish -- COMMAND lets in what the command changed, and not what another hand did meanwhile" {
    as_root
    site
    (
        until [ -e "$WORK/www/mine" ]; do sleep 0.02; done
        echo foreign >"$WORK/www/theirs"
        echo foreign >>"$WORK/www/css/a.css"
    ) 3>&- &
    code 1 "$YAGURA" publish www -- sh -c "echo m >'$WORK/www/mine'; sleep 1; echo n >>'$WORK/www/index.html'"
    says "differences let in: 2, not let in: 2" "Changed by other hands, not published:"
    code 1 "$YAGURA" verify www
    says "! added  theirs" "! changed  css/a.css"
    says_not mine index.html
    code 0 "$YAGURA" restore www --yes
    [ ! -e "$WORK/www/theirs" ] && [ -e "$WORK/www/mine" ] || false
    code 3 "$YAGURA" publish www -- sh -c "echo z >'$WORK/www/z'; exit 4"
    says "the command failed"
    code 2 "$YAGURA" publish www --from "$WORK" -- true
}

@test "publish does one thing at a time, and with --dry-run runs and publishes nothing" {
    as_root
    site
    echo x >"$WORK/www/new.html"
    code 2 "$YAGURA" publish www --dry-run -- touch "$WORK/www/ran"
    says "no --dry-run"
    code 2 "$YAGURA" publish www --dpkg -- touch "$WORK/www/ran"
    code 2 "$YAGURA" publish www --dpkg --from "$WORK/www"
    says "one of them"
    [ ! -e "$WORK/www/ran" ]
    # an empty variable behind -- does not let in everything
    code 2 "$YAGURA" publish www --yes --
    says "which command?"
    code 0 "$YAGURA" publish www --dry-run --json
    holds 'last["found"] == 0 and last["differences"] == 1'
    code 0 "$YAGURA" history www --json
    holds 'last["generations"] == 1'
    # the document root names the site as a shell completes it
    code 0 "$YAGURA" publish "$WORK/www/" --yes
    code 0 "$YAGURA" publish www --dpkg
    says "no package owns anything in $WORK/www"
    program setpriv
    chmod o+rx "$WORK" "$(dirname "$WORK")" "$(dirname "$(dirname "$WORK")")"
    code 3 setpriv --reuid=65534 --regid=65534 --clear-groups "$YAGURA" --state "$WORK/other" publish -- true
    says "only root is told who changes what"
}

@test "what stood wrong before a command ran, and was not replaced by it, is not let in with it" {
    as_root
    site
    echo evil >>"$WORK/www/index.html"
    echo evil >>"$WORK/www/css/a.css"
    code 1 "$YAGURA" publish www -- sh -c "echo mine >>'$WORK/www/index.html'
        echo 'b { }' >'$WORK/www/css/t'; mv '$WORK/www/css/t' '$WORK/www/css/a.css'"
    says "! changed  css/a.css" "Changed by other hands, not published:" "! changed  index.html"
    code 0 "$YAGURA" restore www --yes
    [ "$(cat "$WORK/www/index.html")" = '<h1>home</h1>' ]
    [ "$(cat "$WORK/www/css/a.css")" = 'b { }' ]
}

@test "what is no file, folder or link is said and never published" {
    site
    mkfifo "$WORK/www/pipe"
    echo x >"$WORK/www/new.html"
    code 1 "$YAGURA" publish www --yes
    says "! added  new.html" "Cannot be published:" "! added  pipe (a FIFO)" "not let in: 1"
    code 0 "$YAGURA" manifest export www --mtree
    says "./new.html"
    says_not pipe
    code 0 "$YAGURA" restore www --yes
    [ ! -e "$WORK/www/pipe" ]
    code 0 "$YAGURA" verify www
}

@test "paths are taken as people write them; one that is not there, or leads out, is a mistake" {
    site
    echo x >>"$WORK/www/css/a.css"
    local path
    for path in css/ ./css//a.css /css/a.css "$WORK/www/css/" . "$WORK/www"; do
        code 1 "$YAGURA" restore www "$path" --dry-run
        says "- changed  css/a.css" "1 would be put back, 0 removed"
        code 1 "$YAGURA" diff www "$path"
        says "+x"
    done
    for path in .. ../www css/../../x; do
        code 2 "$YAGURA" restore www "$path" --yes
        says "leads out of $WORK/www"
    done
    code 2 "$YAGURA" restore www cs --yes
    says "cs is not in $WORK/www, and was not published there"
    code 2 "$YAGURA" diff www cs
    code 0 "$YAGURA" restore www css index.html css/a.css --yes
    code 0 "$YAGURA" verify www
    # of an older generation only what was asked for is let in
    echo second >"$WORK/www/index.html"
    echo second >"$WORK/www/css/a.css"
    code 0 "$YAGURA" publish www --yes
    echo 'a { }' >"$WORK/www/css/a.css"
    code 0 "$YAGURA" restore www index.html --generation 1 --yes
    code 1 "$YAGURA" verify www
    says "! changed  css/a.css"
}

@test "on a terminal restore shows what it would do before it asks, and asks for nothing if nothing differs" {
    program script
    site
    echo x >>"$WORK/www/index.html"
    code 2 script -qec "$YAGURA restore www" "$WORK/log" <<<n
    says "- changed  index.html" "[y/N]"
    [ "$(tail -1 "$WORK/www/index.html")" = x ]
    code 0 "$YAGURA" restore www --yes
    code 0 script -qec "$YAGURA restore www" "$WORK/log" <<<n
    says "nothing differs"
    says_not "[y/N]"
}

@test "a name is shown on one line, whatever is in it" {
    site
    echo x >"$WORK/www/a"$'\n''! removed  index.html'
    echo x >"$WORK/www/t"$'\t\e[31m'
    code 1 "$YAGURA" verify www
    says '! added  a\x0a! removed  index.html' '! added  t\x09\x1b[31m'
    code 1 "$YAGURA" verify www --json
    holds 'of("difference")[0]["path"] == r"a\x0a! removed  index.html"'
}

@test "a folder that was moved is one move, with all that was in it" {
    site
    mkdir "$WORK/www/css/deep"
    : >"$WORK/www/css/deep/empty"
    ln -s ../a.css "$WORK/www/css/deep/link"
    code 0 "$YAGURA" publish www --yes
    mkdir "$WORK/www/assets"
    mv "$WORK/www/css" "$WORK/www/assets/style"
    code 1 "$YAGURA" verify www --json
    holds 'sorted((d["path"], d.get("from")) for d in of("difference")) == [("assets", None),
        ("assets/style", "css"), ("assets/style/a.css", "css/a.css"),
        ("assets/style/deep", "css/deep"), ("assets/style/deep/empty", "css/deep/empty"),
        ("assets/style/deep/link", "css/deep/link")]'
    mv "$WORK/www/assets/style" "$WORK/www/look" && rmdir "$WORK/www/assets"
    code 1 "$YAGURA" verify www
    says "! moved  look and 4 names in it (was css)" "www: 5 differ"
    says_not added removed
    code 1 "$YAGURA" restore www --dry-run
    says "1 would be put back, 1 removed"
    code 0 "$YAGURA" publish www --yes
    code 0 "$YAGURA" verify www
    code 0 "$YAGURA" restore www --generation 2 --yes
    code 0 "$YAGURA" verify www
    [ -L "$WORK/www/css/deep/link" ] && [ ! -e "$WORK/www/look" ] || false
    # what is not all the same is no move of the folder
    mv "$WORK/www/css" "$WORK/www/look" && echo x >"$WORK/www/look/more"
    code 1 "$YAGURA" verify www
    says "! removed  css" "! added  look"
}

@test "publish --from deploys and publishes in one step, whole, with the site's owners" {
    site
    if [ "$(id -u)" = 0 ]; then chown -R www-data:www-data "$WORK/www"; fi
    chmod 750 "$WORK/www/css"
    code 0 "$YAGURA" publish www --yes
    echo old >"$WORK/www/old.html"
    code 0 "$YAGURA" publish www --yes
    local owner
    owner=$(stat -c %u "$WORK/www")
    cp -a "$WORK/www" "$WORK/build"
    (
        cd "$WORK/build"
        umask 077
        rm old.html home.html
        echo '<h1>new</h1>' >index.html
        mkdir -p .git js css/sub
        echo secret >.git/config
        echo 'b()' >js/b.js
        echo c >css/sub/c.css
        echo '#!/bin/sh' >run.cgi
        chmod 700 run.cgi
        ln -s css style
    )
    touch -d 2026-02-02 "$WORK/build/css/a.css"
    echo foreign >"$WORK/www/foreign.php"
    code 0 "$YAGURA" publish www --from "$WORK/build" --dry-run
    says "- new  js and 1 name in it" "- goes  old.html" "- changes  index.html (content" \
        "by other hands" "! added  foreign.php"
    narrow 80
    [ -e "$WORK/www/old.html" ]
    code 0 "$YAGURA" publish www --from "$WORK/build" --yes --json
    holds 'last["generation"] == 4' 'last["found"] == 0' \
        '"js/b.js" in [d["path"] for d in of("deployment") if d["kind"] == "added"]' \
        '"old.html" in [d["path"] for d in of("deployment") if d["kind"] == "removed"]'
    [ "$(cat "$WORK/www/index.html")" = '<h1>new</h1>' ]
    [ ! -e "$WORK/www/old.html" ] && [ ! -e "$WORK/www/.git" ] && [ ! -e "$WORK/www/foreign.php" ] || false
    [ "$(stat -c '%a %u' "$WORK/www/js/b.js")" = "644 $owner" ]
    [ "$(stat -c '%a %u' "$WORK/www/css/sub/c.css")" = "640 $owner" ]
    [ "$(stat -c '%a %u' "$WORK/www/css/sub")" = "750 $owner" ]
    [ "$(stat -c %a "$WORK/www/run.cgi")" = 755 ]
    [ "$(readlink "$WORK/www/style")" = css ]
    # what is the same was not written: it keeps its time
    [ "$(stat -c %Y "$WORK/www/css/a.css")" != "$(date -d 2026-02-02 +%s)" ]
    code 0 "$YAGURA" verify www
    # only what another hand had put there is evidence
    [ "$(find "$WORK/.yagura-www" -name 'bad-*' | wc -l)" = 1 ]
    code 0 "$YAGURA" publish www --from "$WORK/build" --yes
    says "nothing to publish"
    # and back
    code 0 "$YAGURA" restore www --generation 3 --yes
    [ "$(cat "$WORK/www/old.html")" = old ]
    code 2 "$YAGURA" publish www --from "$WORK/nowhere"
    # not the site in itself, and not the keys
    code 2 "$YAGURA" publish www --from "$WORK/www"
    says "is the document root"
    code 2 "$YAGURA" publish www --from "$WORK"
    says "yagura's own state"
}

@test "publish --from leaves alone what is the site's own: uploads and growing logs" {
    mkdir -p "$WORK/conf" "$WORK/build"
    printf '%s\n' 'sites:' '  www:' '    policies:' '      - {path: /uploads/, policy: upload}' \
        '      - {path: /log/, policy: append}' >"$WORK/conf/y.yaml"
    export YAGURA_CONFIG="$WORK/conf/y.yaml"
    mkdir "$WORK/www/uploads" "$WORK/www/log"
    echo one >"$WORK/www/log/day"
    site
    echo pic >"$WORK/www/uploads/p.jpg"
    echo two >>"$WORK/www/log/day"
    mkdir "$WORK/build/uploads"
    echo x >"$WORK/build/uploads/x"
    echo new >"$WORK/build/index.html"
    code 0 "$YAGURA" publish www --from "$WORK/build" --yes
    says "lies where policy lets others write: not deployed"
    [ "$(cat "$WORK/www/log/day")" = "$(printf 'one\ntwo')" ]
    [ "$(cat "$WORK/www/uploads/p.jpg")" = pic ] && [ ! -e "$WORK/www/uploads/x" ] || false
    [ ! -e "$WORK/www/css" ]
}

@test "publish --from-git deploys a revision; what its .gitattributes leave out stays out" {
    program git tar
    site
    (
        mkdir "$WORK/repo" && cd "$WORK/repo"
        git -c init.defaultBranch=main init -q .
        git config user.name t && git config user.email t@mirror.example
        mkdir public
        echo one >public/index.html
        echo no >public/draft.md
        ln -s index.html public/start
        echo 'public/draft.md export-ignore' >.gitattributes
        git add -A && git commit -qm one && git tag v1
        echo two >public/index.html
        git commit -qam two
    )
    local commit
    commit=$(git -C "$WORK/repo" rev-parse v1)
    code 0 "$YAGURA" publish www --from-git v1 --from "$WORK/repo/public" --yes
    [ "$(cat "$WORK/www/index.html")" = one ] && [ -L "$WORK/www/start" ] || false
    [ ! -e "$WORK/www/draft.md" ] && [ ! -e "$WORK/www/css" ] || false
    code 0 "$YAGURA" ledger show --json
    [[ "$stdout" == *"$commit"* ]]
    code 0 "$YAGURA" publish www --from-git HEAD --from "$WORK/repo/public" --yes
    [ "$(cat "$WORK/www/index.html")" = two ]
    code 2 "$YAGURA" publish www --from-git v9 --from "$WORK/repo"
    says "no revision"
    code 2 "$YAGURA" publish www --from-git v1 --from "$WORK/www"
    [ -z "$(find "$YAGURA_STATE" -maxdepth 1 -name 'git-*')" ]
    # who owns the repository cannot make us wait for ever
    mv "$WORK/repo/.git/config" "$WORK/config" && mkfifo "$WORK/repo/.git/config"
    code 3 timeout 90 "$YAGURA" publish www --from-git v1 --from "$WORK/repo/public" --dry-run
    says "never ends"
    mv "$WORK/config" "$WORK/repo/.git/config"
    # what a run that was killed has left behind goes with the next one; of one that lives it stays
    mkdir -p "$YAGURA_STATE/git-$$/sub" "$YAGURA_STATE/git-4194304/sub" "$YAGURA_STATE/git-mine"
    code 0 "$YAGURA" publish www --from-git v1 --from "$WORK/repo/public" --dry-run
    [ "$(cd "$YAGURA_STATE" && echo git-*)" = "git-$$ git-mine" ]
}

@test "a deployment under guard is not undone by it, and what it left half-done is completed" {
    as_root
    site
    cp -a "$WORK/www" "$WORK/build"
    for i in $(seq 200); do
        echo "$i" >"$WORK/www/p$i.html"
        echo "new $i" >"$WORK/build/p$i.html"
    done
    code 0 "$YAGURA" publish www --yes
    guard
    code 0 "$YAGURA" publish www --from "$WORK/build" --yes
    code 0 "$YAGURA" verify www
    [ "$(cat "$WORK/www/p7.html")" = "new 7" ]
    code 0 "$YAGURA" publish www --from "$WORK/build" --yes
    says "nothing to publish"
    # killed while it brings the pages in: the accepted generation is completed by the guard
    for i in $(seq 200); do echo "third $i" >"$WORK/build/p$i.html"; done
    (
        until "$YAGURA" history www --json | grep -q '"generation":4'; do sleep 0.01; done
        kill -9 "$(cat "$WORK/pid")"
    ) 3>&- &
    sh -c 'echo $$ >"$1"; exec "$2" publish www --from "$3" --yes' sh "$WORK/pid" "$YAGURA" "$WORK/build" || :
    wait $! || :
    all_third() { [ "$(cat "$WORK"/www/p*.html | grep -c third)" = 200 ]; }
    until_true 15 all_third
    until_true 10 "$YAGURA" verify www
}

@test "restore puts back a path, the whole, or an older generation; --dry-run changes nothing" {
    site
    echo x >>"$WORK/www/index.html"
    echo y >>"$WORK/www/css/a.css"
    echo z >"$WORK/www/evil.php"
    code 1 "$YAGURA" restore www --dry-run
    says "2 would be put back, 1 removed; nothing was changed"
    code 2 "$YAGURA" restore www
    code 0 "$YAGURA" restore www css --yes
    says "+ css/a.css is back (what was there is kept as" "bad-"
    [ "$(cat "$WORK/www/css/a.css")" = 'a { }' ] && [ -e "$WORK/www/evil.php" ] || false
    code 0 "$YAGURA" restore www --yes
    says "+ index.html is back" "+ evil.php was added, and is removed" "1 put back, 1 removed, 0 failed"
    says_not "evil.php is back"
    narrow 80
    [ "$(stat -c %Y "$WORK/www/index.html")" = "$(date -d 2026-01-01 +%s)" ]
    code 0 "$YAGURA" restore www --yes
    says "nothing differs from what was published"
    echo second >"$WORK/www/index.html"
    code 0 "$YAGURA" publish www --yes
    code 0 "$YAGURA" restore www --generation 1 --yes
    [ "$(cat "$WORK/www/index.html")" = '<h1>home</h1>' ]
    code 0 "$YAGURA" verify www
    code 2 "$YAGURA" restore www --generation 9 --yes
    code 2 "$YAGURA" restore www --generation x --yes
}

@test "diff shows what changed line by line, and says so with its exit code" {
    site
    code 0 "$YAGURA" diff www
    says "nothing differs"
    printf '<h1>defaced</h1>\n\033[31m' >"$WORK/www/index.html"
    printf 'a\0b' >"$WORK/www/css/a.css"
    code 1 "$YAGURA" diff www
    ln -sfn evil.html "$WORK/www/home.html"
    code 1 "$YAGURA" diff www
    says "-index.html" "+evil.html"
    says "--- a/index.html" "-<h1>home</h1>" "+<h1>defaced</h1>" '\x1b[31m' "css/a.css: binary"
    rm "$WORK/www/home.html" && mkdir "$WORK/www/home.html"
    code 1 "$YAGURA" diff www home.html
    says "! type  home.html (was a link, is a folder)"
    code 1 "$YAGURA" diff www css --json
    holds 'len(of("difference")) == 1' 'last["found"] == 1'
}

@test "the manifest is checked by minisign and by mtree, without yagura" {
    program minisign mtree
    site
    code 0 "$YAGURA" history www
    "$YAGURA" manifest export www >"$WORK/manifest"
    minisign -V -q -p "$YAGURA_STATE/keys/baseline.pub" -x "$YAGURA_STATE/manifests/www/1.minisig" -m "$WORK/manifest"
    printf x >>"$WORK/manifest"
    run minisign -V -q -p "$YAGURA_STATE/keys/baseline.pub" -x "$YAGURA_STATE/manifests/www/1.minisig" -m "$WORK/manifest"
    [ "$status" -ne 0 ]
    code 0 "$YAGURA" manifest export www --mtree
    printf '%s\n' "$stdout" >"$WORK/mtree"
    mtree -f "$WORK/mtree" -p "$WORK/www"
    echo x >>"$WORK/www/index.html"
    run mtree -f "$WORK/mtree" -p "$WORK/www"
    [ "$status" -ne 0 ]
    [[ "$output" == *index.html* ]]
    code 2 "$YAGURA" manifest import
    code 2 "$YAGURA" manifest export www --json
}

@test "gc keeps what the policy says, and the published generation always" {
    site
    for i in 1 2 3 4 5; do
        echo "$i" >"$WORK/www/index.html"
        code 0 "$YAGURA" publish www --yes
    done
    code 0 "$YAGURA" gc --keep 2 --dry-run
    says "4 generations" "nothing was changed"
    code 0 "$YAGURA" gc --keep 2 --json
    holds 'last["dropped"] == 4' 'last["objects"] == 4'
    code 0 "$YAGURA" history www --json
    holds '[g["generation"] for g in of("generation")] == [6, 5]'
    echo bad >"$WORK/www/index.html"
    code 0 "$YAGURA" restore www --yes
    [ "$(cat "$WORK/www/index.html")" = 5 ]
    code 2 "$YAGURA" gc --keep 0
    code 2 "$YAGURA" restore www --generation 1 --yes
    says "there is no generation 1 of www:" "history www lists them"
    code 0 "$YAGURA" ledger verify
}

@test "a manifest that is damaged or not the accepted one: no command goes on, and it is said what to do" {
    site
    echo second >"$WORK/www/index.html"
    code 0 "$YAGURA" publish www --yes
    local words
    for words in cut old; do
        if [ "$words" = cut ]; then
            truncate -s 200 "$YAGURA_STATE/manifests/www/2"
        else
            cp "$YAGURA_STATE/manifests/www/1" "$YAGURA_STATE/manifests/www/2"
            cp "$YAGURA_STATE/manifests/www/1.minisig" "$YAGURA_STATE/manifests/www/2.minisig"
        fi
        for command in "verify www" "restore www --yes" "publish www --yes" "gc --keep 1" "diff www"; do
            # shellcheck disable=SC2086
            code 3 "$YAGURA" $command
            says "generation 2 of www"
        done
        says "from a copy that you trust"
        code 3 "$YAGURA" history www
        says "?    2  " "     1  "
        code 3 "$YAGURA" history www --json
        holds 'last["unknown"] == 1'
    done
}

@test "evidence beyond its bound goes: first what is the same, never the newest of a path" {
    as_root
    echo 'evidence_mb: 1' >"$WORK/y.yaml"
    site
    guard
    head -c 400000 /dev/urandom >"$WORK/one"
    head -c 400000 /dev/urandom >"$WORK/two"
    for what in one one one two; do
        cp "$WORK/$what" "$WORK/www/index.html"
        until_true 10 grep -q home "$WORK/www/index.html"
    done
    cp "$WORK/one" "$WORK/www/alone.bin"
    until_true 10 test ! -e "$WORK/www/alone.bin"
    sleep 3 # the burst ends and is written
    stop_guard
    # two thrice at index.html and once alone; the copies may have been caught half-written
    [ "$(find "$WORK/.yagura-www" -name 'bad-*' | wc -l)" -ge 5 ]
    code 0 "$YAGURA" --config "$WORK/y.yaml" gc --dry-run
    code 0 "$YAGURA" --config "$WORK/y.yaml" gc
    [ "$(du -sk "$WORK/.yagura-www" | cut -f1)" -le 1100 ]
    # the newest of each path is there
    code 3 "$YAGURA" status --all --json
    printf '%s\n' "$stdout" | /usr/bin/python3 -c '
import json, sys
newest = {}
bursts = [o for o in map(json.loads, sys.stdin) if o["type"] == "tamper"]
for burst in reversed(bursts):
    for p in burst["paths"]:
        if p["evidence"]:
            newest[p["path"]] = p["evidence"]
print(newest["index.html"], newest["alone.bin"], sep="\n")' >"$WORK/newest"
    while read -r name; do [ -e "$WORK/.yagura-www/$name" ]; done <"$WORK/newest"
    [ "$(wc -l <"$WORK/newest")" = 2 ]
}

@test "status says loudly that nobody guards, and from another terminal how the guard fares" {
    as_root
    code 0 "$YAGURA" status
    says "Nothing has been looked at yet"
    site
    code 3 "$YAGURA"
    says "NO GUARD RUNS" "$WORK/www: generation 1"
    narrow 80
    code 3 "$YAGURA" status --json
    holds 'last["sites"] == 1 and last["unknown"] == 1' 'not of("site")[0]["guarded"]'
    guard
    code 0 "$YAGURA" status
    says "On guard since" "guarded" "0 failures"
    sh -c "echo defaced >'$WORK/www/index.html'"
    until_true 10 grep -q home "$WORK/www/index.html"
    sleep 3
    code 0 "$YAGURA" status --all
    says "index.html" "1 changes undone"
    narrow 80
    code 0 "$YAGURA" status --all --json
    holds 'of("guard")[0]["restored"] == 1' 'of("tamper")[0]["paths"][0]["path"] == "index.html"' \
        'len(of("tamper")[0]["paths"][0]["sha256"]) == 64' 'of("site")[0]["guarded"]'
    grep -q 'www: tampered with: index.html is back after' "$WORK/guard"
    echo evil >"$WORK/www/shell.php"
    until_true 10 test ! -e "$WORK/www/shell.php"
    until_true 10 grep -q 'shell.php was added, and is removed after' "$WORK/guard"
    stop_guard
    code 3 "$YAGURA" status
    unwrapped
    # as the alarm says it, until somebody has begun with it
    says "somebody is in. What to do now, step by step: " " respond start"
    code "0 1" "$YAGURA" respond start
    code 1 "$YAGURA" status
    says_not "somebody is in"
}

@test "a guard that only detects says what was done, and never that it was undone" {
    as_root
    site
    guard --detect-only
    echo evil >"$WORK/www/shell.php"
    until_true 10 grep -q 'shell.php was tampered with' "$WORK/guard"
    [ -e "$WORK/www/shell.php" ]
    code 0 "$YAGURA" status
    says "It only detects: nothing is put back" "0 changes undone"
    stop_guard
    code 1 "$YAGURA" verify www
}

# small_disk MEBIBYTES: an ext4 of the test's own at $WORK/disk, without room kept for root
small_disk() {
    as_root
    program mkfs.ext4 losetup
    truncate -s "$1M" "$WORK/disk.img"
    mkfs.ext4 -q -m 0 "$WORK/disk.img"
    mkdir "$WORK/disk"
    mount -o loop "$WORK/disk.img" "$WORK/disk" 2>/dev/null || skip "no loop mount can be made here"
    MOUNTED=$WORK/disk
}

@test "on a full disk a page is never half: it is tried again until there is room" {
    small_disk 24
    mkdir "$WORK/disk/www"
    head -c 3000000 /dev/urandom >"$WORK/disk/www/big.bin"
    local sum
    sum=$(sha256sum <"$WORK/disk/www/big.bin")
    code 0 "$YAGURA" init "$WORK/disk/www"
    guard
    dd if=/dev/zero of="$WORK/disk/filler" bs=64k 2>/dev/null || :
    # the bad page needs no room of its own
    dd if=/dev/zero of="$WORK/disk/www/big.bin" bs=1 count=4 conv=notrunc 2>/dev/null
    until_true 10 grep -q 'big.bin' "$WORK/guard"
    code 1 "$YAGURA" status
    says "1 name is wrong and could not be put back yet; it is tried again"
    sleep 4
    [ "$(stat -c %s "$WORK/disk/www/big.bin")" = 3000000 ]
    [ "$(grep -c big.bin "$WORK/guard")" = 1 ]
    [ -z "$(find "$WORK/disk/.yagura-www" -name 'ready-*')" ]
    rm "$WORK/disk/filler"
    right() { [ "$(sha256sum <"$WORK/disk/www/big.bin")" = "$sum" ]; }
    until_true 20 right
    until_true 5 "$YAGURA" status
    code 0 "$YAGURA" verify
    stop_guard
}

@test "on a disk that cannot be written for a while a page comes back once it can" {
    small_disk 24
    mkdir "$WORK/disk/www"
    echo good >"$WORK/disk/www/index.html"
    code 0 "$YAGURA" init "$WORK/disk/www"
    echo bad >"$WORK/disk/www/index.html"
    sync
    mount -o remount,ro "$WORK/disk"
    "$YAGURA" guard >"$WORK/guard" 2>"$WORK/guard.err" 3>&- &
    GUARD=$!
    until_true 10 grep -q 'on guard' "$WORK/guard.err"
    sleep 3
    code 1 "$YAGURA" status
    says_not BLIND
    mount -o remount,rw "$WORK/disk"
    until_true 20 grep -q good "$WORK/disk/www/index.html"
    until_true 5 "$YAGURA" status
    stop_guard
}

# up COMMAND-LINE: in the background; what it says is in $WORK/guard
up() {
    "$@" >"$WORK/guard" 2>"$WORK/guard.err" 3>&- &
    GUARD=$!
    until_true 60 grep -q 'on guard' "$WORK/guard.err"
}

@test "up guards what the nginx that runs here serves, and nothing else" {
    as_root
    program unshare nginx ip
    mkdir -p "$WORK/etc" "$WORK/other"
    echo other >"$WORK/other/index.html"
    cat >"$WORK/etc/nginx.conf" <<CONF
daemon off;
pid $WORK/nginx.pid;
error_log $WORK/error.log;
events {}
http { access_log off; server { listen 127.0.0.1:8099; root $WORK/www; } }
CONF
    unshare -mn true || skip "namespaces cannot be made here"
    cat >"$WORK/host" <<'HOST'
mount --bind "$1/etc" /etc/nginx && ip link set lo up || exit 9
nginx 2>/dev/null &
echo $! >"$1/nginx.own"
i=0
until [ -s "$1/nginx.pid" ] || [ $((i += 1)) -gt 100 ]; do sleep 0.05; done
exec "$2" up
HOST
    up unshare -mn --propagation private sh "$WORK/host" "$WORK" "$YAGURA"
    NGINX=$(cat "$WORK/nginx.own")
    grep -q "www: generation 1 of $WORK/www is published" "$WORK/guard"
    echo defaced >"$WORK/www/index.html"
    until_true 10 grep -q home "$WORK/www/index.html"
    code 0 "$YAGURA" status --json
    holds '[s["root"] for s in of("site")] == ["'"$WORK"'/www"]'
    kill "$NGINX"
    NGINX=
    stop_guard
}

@test "where nothing is served, up lays out a site, serves it, and make deface sees it undone" {
    as_root
    program unshare nginx
    unshare -mn true || skip "namespaces cannot be made here"
    cat >"$WORK/host" <<'HOST'
mount -t tmpfs none /etc/nginx && mount -t tmpfs none /etc/systemd/system && ip link set lo up || exit 9
[ ! -d /etc/apache2 ] || mount -t tmpfs none /etc/apache2
[ ! -d /etc/lighttpd ] || mount -t tmpfs none /etc/lighttpd
exec "$2" up
HOST
    up unshare -mn --propagation private sh "$WORK/host" "$WORK" "$YAGURA"
    local demo
    demo=$(sed -n 's/^No web server runs here: this guards a demonstration site, //p' "$WORK/guard")
    [ -f "$demo/index.html" ]
    grep -q '^Look at it: http://127.0.0.1:' "$WORK/guard"
    [ "$(grep -c 'generation 1' "$WORK/guard")" = 1 ]
    run "$ROOT/scripts/deface" "$BUILD" "$demo"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(printf '%s\n' "$output" | grep -c 'undone 10 of 10 times')" = 12 ]
    stop_guard
    [ ! -e "$demo" ]
}

@test "up wants folders, and says what is none" {
    echo x >"$WORK/file"
    code 2 "$YAGURA" up "$WORK/file"
    says "$WORK/file is no folder"
    code 2 "$YAGURA" up "$WORK/nowhere"
}

@test "the configuration is checked: unknown keys and policies are errors with their line" {
    site
    printf 'keep: 3\nguard:\n  selftest: 5\n' >"$WORK/y.yaml"
    code 2 "$YAGURA" --config "$WORK/y.yaml" verify
    says "y.yaml:3" 'there is no key "selftest" here'
    printf 'evidence_mb: none\n' >"$WORK/y.yaml"
    code 2 "$YAGURA" --config "$WORK/y.yaml" gc
    says "a whole number"
    printf 'sites:\n  www:\n    policies:\n      - {path: /x/, policy: frozen}\n' >"$WORK/y.yaml"
    code 2 "$YAGURA" --config "$WORK/y.yaml" verify
    says "y.yaml:4"
    code 2 "$YAGURA" --config "$WORK/absent.yaml" verify
}

@test "every JSON line of every command of sites is JSON, and the last one is a summary" {
    site
    echo x >"$WORK/www/new.html"
    local words
    while read -r words; do
        # shellcheck disable=SC2086
        code "0 1 2 3" "$YAGURA" --json $words
        holds 'summary' || { echo "$words"; return 1; }
    done <<LIST
verify
verify --quick
diff www
history
publish --dry-run
publish --from $WORK/www/css --dry-run
publish --yes
restore --dry-run
restore --yes
gc
status
status --all
LIST
}

@test "a state of before there were sites can still be looked at" {
    code "0 1 3" "$YAGURA" audit
    /usr/bin/python3 -c '
import sqlite3, sys
sqlite3.connect(sys.argv[1]).executescript("DROP TABLE site; DROP TABLE tamper; DROP TABLE tamper_path; PRAGMA user_version=1")' "$YAGURA_STATE/state.db"
    code 0 "$YAGURA" status
    code 0 "$YAGURA" ledger show
    site
    code "0 3" "$YAGURA" status
    says "$WORK/www"
}

@test "every view of a site is at most 80 columns wide, and Japanese where that is wanted" {
    as_root
    site
    echo x >"$WORK/www/a-rather-long-name-that-somebody-thought-of-for-a-page-of-a-site.html"
    rm "$WORK/www/home.html"
    local words
    while read -r words; do
        # shellcheck disable=SC2086
        code "0 1 2 3" "$YAGURA" $words
        narrow 80
        # shellcheck disable=SC2086
        code "0 1 2 3" "$YAGURA" --lang ja $words
        narrow 80
        printf '%s\n' "$output" | "$HELPERS/english" || { echo "(from $words)"; return 1; }
    done <<LIST
status
verify
diff www
history
publish --dry-run
publish --from $WORK/www/css --dry-run
restore --dry-run
gc --dry-run
help publish
help status
help gc
restore --yes
LIST
}

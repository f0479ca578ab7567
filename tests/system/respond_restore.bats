#!/usr/bin/env bats
# Step restore where nothing was published before: from a folder, an archive, a git revision. What an
# archive may not have in it, and what stays though the source does not have it.
load lib

setup() {
    as_root
    SITE=$WORK/www
    GOOD=$WORK/good
    cat >"$WORK/short.yaml" <<'YAML'
id: short
title: {en: Short, ja: 短い}
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no, offline: yes}
  - {id: restore, title: Restore, text: x, why: x, action: restore, verify: [content], undo: no}
YAML
    mkdir -p "$GOOD"/wp-includes "$GOOD"/wp-content/uploads/2024 "$GOOD"/wp-content/themes
    echo "*{}" >"$GOOD/wp-content/themes/style.css"
    echo '<?php $wp_version = "0";' >"$GOOD/wp-includes/version.php"
    echo '<?php echo "HOSHI";' >"$GOOD/index.php"
    echo hello >"$GOOD/readme.html"
    echo picture >"$GOOD/wp-content/uploads/2024/a.png"
    echo picture >"$GOOD/wp-content/uploads/2024/b.png"
    cp -a "$GOOD" "$SITE"
    echo '<?php define("DB_NAME", "shop");' >"$SITE/wp-config.php"
    chmod 640 "$SITE/wp-config.php"
}
deface() {
    echo defaced >"$SITE/index.php"
    chmod 4777 "$SITE/readme.html"
    rm "$SITE/wp-includes/version.php" "$SITE/wp-content/uploads/2024/b.png"
    mkdir "$SITE/evil"
    echo '<?php eval($_POST[1]);' >"$SITE/evil/x.php"
    echo '<?php eval($_POST[1]);' >"$SITE/wp-content/uploads/2024/shell.php"
    echo '<?php eval($_POST[1]);' >"$SITE/wp-content/uploads/2024/a.png"
    echo "the user's own" >"$SITE/wp-content/uploads/own.png"
}
begin() { code 0 "$YAGURA" respond start --runbook "$WORK/short.yaml" "$@"; }
restore() { local wanted=$1; shift; code "$wanted" "$YAGURA" respond do restore --site "$SITE" "$@"; unwrapped; }
# As GOOD, with what is the site's own; what the attacker brought is evidence.
is_good() {
    diff -r "$GOOD" "$SITE" -x wp-config.php -x own.png -x .yagura-\*
    [ "$(cat "$SITE/wp-content/uploads/own.png")" = "the user's own" ]
    grep -q DB_NAME "$SITE/wp-config.php"
    [ "$(stat -c %a "$SITE/wp-config.php")" = 640 ]
    [ "$(stat -c %a "$SITE/readme.html")" = 664 ]
    code 0 "$YAGURA" verify
    # what the attacker brought is kept as evidence
    grep -rq eval "$(find "$WORK" -name '.yagura-www' -type d)"
}

@test "a look at a document root that is not there makes none" {
    begin
    rm -r "$SITE"
    restore 2 --from "$WORK/no-such" --dry-run
    says "opening the folder or archive"
    restore "0 3" --from "$GOOD" --dry-run
    says "There is no folder $SITE: it would be made, and all of $GOOD put into it"
    [ ! -e "$SITE" ]
    restore 0 --from "$GOOD" --yes
    diff -r "$GOOD" "$SITE"
}

@test "never published, and nothing is named: what to type is said" {
    deface
    begin
    code 2 "$YAGURA" respond do restore
    unwrapped
    says "no site was ever published here" "respond do restore --site " "--from DIR-OR-ARCHIVE (or --from-git REV)"
    restore 2
    says "no site was ever published here" "respond do restore --site $SITE --from DIR-OR-ARCHIVE"
    restore 2 --from "$WORK/no-such.tar"
    says "opening the folder or archive"
    code 2 "$YAGURA" respond do restore --site nothere --from "$GOOD"
    says "there is no site nothere"
    code 2 "$YAGURA" respond do open --from "$GOOD"
    says '--from is of the step that does "restore"'
    [ "$(cat "$SITE/index.php")" = defaced ]
}

@test "from a folder: what differs is shown first, asked, and put in place with what is the user's own" {
    deface
    begin
    restore "0 3" --from "$GOOD" --dry-run
    says "(${SITE}) becomes:" "goes evil" "changes index.php (content)" "changes readme.html (mode)" \
        "goes wp-content/uploads/2024/shell.php" "changes wp-content/uploads/2024/a.png (content)" \
        "new wp-includes/version.php" "1 name that is missing where policy lets others write is put in" \
        "wp-config.php is not in $GOOD and stays as it is: READ IT"
    restore 2 --from "$GOOD"
    says "--yes says yes" "nothing was changed"
    [ "$(cat "$SITE/index.php")" = defaced ]
    code 2 "$YAGURA" verify # no baseline was made
    restore 0 --from "$GOOD" --yes --json
    holds 'any(o["type"] == "deployment" and o["kind"] == "removed" and o["path"] == "evil/x.php" for o in every)' \
        'next(o for o in every if o.get("step") == "restore")["result"]["sites"][0]["kept"] == ["wp-config.php"]'
    is_good
    code 0 "$YAGURA" ledger show --json
    holds 'any(o["kind"] == "restore" and o["source"].endswith("/good") and o["generation"] == 1 for o in every if o.get("kind"))'
    # it is now what was published, and is put back as such without a doubt
    echo again >"$SITE/index.php"
    code 0 "$YAGURA" respond do restore
    says_not "NOT KNOWN"
    is_good
    code 0 "$YAGURA" respond close
}

@test "from an archive of any kind, of which the outer folder is left off, and from a git revision" {
    program zip git
    deface
    cp -a "$SITE" "$WORK/defaced"
    mkdir "$WORK/packing" && cp -a "$GOOD" "$WORK/packing/wordpress"
    tar -C "$WORK/packing" -czf "$WORK/a.tar.gz" wordpress
    tar -C "$GOOD" -cJf "$WORK/b.tar.xz" .
    (cd "$WORK/packing" && zip -qr "$WORK/c.zip" wordpress)
    git -C "$GOOD" init -q && git -C "$GOOD" add . && git -C "$GOOD" -c user.name=x -c user.email=x@y commit -qm x
    local from
    for from in a.tar.gz b.tar.xz c.zip git; do
        export YAGURA_STATE=$WORK/state-$from
        rm -rf "$SITE" && cp -a "$WORK/defaced" "$SITE"
        begin
        if [ $from = git ]; then
            mv "$GOOD/.git" "$WORK/repository.git"
            restore 0 --from-git HEAD --from "$WORK/repository.git" --yes
            mv "$WORK/repository.git" "$GOOD/.git"
        else
            restore 0 --from "$WORK/$from" --yes
            [ $from = b.tar.xz ] || says "All of the archive lies in wordpress/"
        fi
        rm -rf "$WORK/check" && cp -a "$GOOD" "$WORK/check" && rm -rf "$WORK/check/.git"
        GOOD=$WORK/check is_good
        [ -z "$(find "$YAGURA_STATE" -maxdepth 1 \( -name 'archive-*' -o -name 'git-*' \))" ]
    done
}

@test "an archive that is not one, is broken, or wants to be somewhere else is refused whole" {
    deface
    begin
    /usr/bin/python3 "$HELPERS/hostile-archives" "$WORK/hostile"
    local name text listing last
    listing=$(find "$SITE" -printf '%P %s %m %T@\n' | sort)
    while read -r name text; do
        restore "2 3" --from "$WORK/hostile/$name" --yes
        says "$text"
        last=$name
        [ "$(find "$SITE" -printf '%P %s %m %T@\n' | sort)" = "$listing" ] || { echo "$name changed the site"; return 1; }
        [ -z "$(find "$YAGURA_STATE" -maxdepth 1 -name 'archive-*')" ]
    done <"$WORK/hostile/expected"
    [ ! -e "$WORK/escaped" ]
    [ "$last" = none.tar ]
    # links that stay in it are no crime
    restore 0 --from "$WORK/hostile/good-links.tar" --yes
    [ "$(readlink "$SITE/sub/link")" = ../index.php ]
    [ "$(cat "$SITE/same.php")" = fine ]
    restore 0 --from "$WORK/hostile/good-links-within.tar" --yes
    says "All of the archive lies in a/"
    [ "$(readlink "$SITE/sub/link")" = ../index.php ]
}

@test "from a folder or a revision: links that may lead out of the site are said" {
    program git
    begin
    ln -s ../index.php "$GOOD/wp-includes/stays"
    restore "0 3" --from "$GOOD" --dry-run
    says_not "LOOK WHETHER"
    ln -s /etc/passwd "$GOOD/leak"
    ln -s ../../other/x "$GOOD/wp-includes/up"
    restore "0 3" --from "$GOOD" --dry-run
    says "2 links may lead out of the site, and the server may follow them: leak -> /etc/passwd, wp-includes/up -> ../../other/x. LOOK WHETHER THEY SHOULD"
    rm "$GOOD/leak"
    git -C "$GOOD" init -q && git -C "$GOOD" add . && git -C "$GOOD" -c user.name=x -c user.email=x@y commit -qm x
    restore 0 --from-git HEAD --from "$GOOD" --yes
    says "1 link may lead out of the site, and the server may follow it: wp-includes/up -> ../../other/x. LOOK WHETHER IT SHOULD"
    [ -L "$SITE/wp-includes/up" ]
}

@test "a published site becomes the named folder, and the others as they were" {
    code 0 "$YAGURA" init "$SITE"
    mkdir "$WORK/other" && echo other >"$WORK/other/index.html"
    code 0 "$YAGURA" init "$WORK/other"
    deface
    echo defaced >"$WORK/other/index.html"
    begin
    code 2 "$YAGURA" respond do restore --from "$GOOD" --yes
    says "which site?"
    echo newer >"$GOOD/readme.html"
    echo '<?php evil();' >>"$SITE/wp-config.php"
    code 1 "$YAGURA" respond do restore --site www --from "$GOOD" --yes
    says "is not as it was published" # the other one
    [ "$(cat "$SITE/readme.html")" = newer ]
    # no release has it, so it stays, as it was published
    [ "$(cat "$SITE/wp-config.php")" = '<?php define("DB_NAME", "shop");' ]
    [ "$(cat "$WORK/other/index.html")" = defaced ]
    code 0 "$YAGURA" respond do restore
    says "other: WHETHER GENERATION 1" # and no doubt about the one that somebody named
    says_not "www: WHETHER"
    [ "$(cat "$WORK/other/index.html")" = other ]
    [ "$(cat "$SITE/readme.html")" = newer ]
    # a look where all is true already
    code 0 "$YAGURA" respond do restore --dry-run
    says "Nothing was done."
    says_not "not true yet"
}

@test "killed while it is put in place: the next one goes on with it" {
    deface
    for i in $(seq 3000); do echo "$i" >"$GOOD/page$i.html"; done
    begin
    "$YAGURA" respond do restore --site "$SITE" --from "$GOOD" --yes >/dev/null 2>&1 &
    local pid=$! i
    for i in $(seq 3000); do [ -e "$SITE/page1.html" ] && break; sleep 0.01; done
    kill -KILL $pid 2>/dev/null || :
    wait $pid || :
    code 0 "$YAGURA" respond do restore
    says_not "NOT KNOWN"
    diff -r "$GOOD" "$SITE" -x wp-config.php -x own.png -x .yagura-\* -x b.png
}

@test "what comes back as it is put back is said, and the step is not done" {
    code 0 "$YAGURA" init "$SITE"
    begin
    # a program of the attacker's that still runs, behind the page's name
    while :; do echo defaced >"$SITE/index.php" 2>/dev/null; done &
    local pid=$!
    local i
    for i in $(seq 100); do # it may be starved for a while
        "$YAGURA" respond do restore >"$WORK/said" 2>&1 || break
    done
    kill $pid
    wait $pid || :
    grep -qE 'differ again|not as it was published|NOT done|could not be' "$WORK/said"
    code 0 "$YAGURA" respond do restore
}

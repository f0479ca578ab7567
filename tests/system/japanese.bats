#!/usr/bin/env bats
# Japanese is complete: no English sentence in it, whatever is looked at and however broken it is;
# and what is not for people (ids, the state, JSON) is the same in both languages.
load lib

setup() { images; }
ja() { timeout -k 1 120 "$YAGURA" --lang ja "$@" </dev/null; }
# japanese COMMAND ...: what it says, on both outputs, has Japanese in it and no English sentence.
japanese() {
    local got=0
    output=$("$@" 2>&1) || got=$?
    [ "$got" -le 3 ] || { echo "$* ended with $got: $output"; return 1; }
    printf '%s\n' "$output" | "$HELPERS/english" || { echo "(from $*)"; return 1; }
    printf '%s\n' "$output" | grep -qP '[\x{3040}-\x{30ff}\x{4e00}-\x{9fff}]' || {
        echo "no Japanese from $*: $output"
        return 1
    }
}
ids() { # LANGUAGE: the findings that a memory has after audits in that language
    local image
    for image in windows2000-iis5-found solaris7-iplanet-found nt4-iis4-mended; do
        code "0 1 3" "$YAGURA" --lang "$1" --state "$WORK/$1" audit --image "$IMAGES/$image.img"
    done
    code "0 1 3" "$YAGURA" --lang "$1" --state "$WORK/$1" audit --root "$WORK/tree"
    sqlite3 "$WORK/$1/state.db" 'SELECT target, id, rule, subject, verdict FROM finding ORDER BY target, id' >"$WORK/$1.ids"
}
broken_tree() {
    local config=$1/WINNT/system32/config
    mkdir -p "$config" "$1/etc"
    head -c 6000 /dev/zero >"$config/software"
    head -c 100 /dev/zero >"$config/system"
}

@test "every command on every demo image speaks Japanese only" {
    local image words
    for image in "$IMAGES"/*.img; do
        while read -r words; do
            # shellcheck disable=SC2086
            japanese ja $words --image "$image"
        done <<'LIST'
audit --all
audit --checklist
audit --as-of 2001-06-06
facts --all
patch plan --all
ports
LIST
    done
    # of the router's rules only the comments are for people
    ja ports --gateway | sed -n '/^# /p' >"$WORK/comments"
    japanese cat "$WORK/comments"
}

@test "this host, the advisories, the rules and the help speak Japanese only" {
    local words name
    while read -r words; do
        # shellcheck disable=SC2086
        japanese ja $words
    done <<'LIST'

audit --all
audit --checklist
facts --all
patch plan --all
patch history
ports
feed list
advisory list
rules list
rules lint
rules test
ledger show
ledger verify
status
help
help audit
help feed
help --man
LIST
    for name in $("$YAGURA" rules list --json | sed -n 's/.*"type":"rule".*//; s/.*"name":"\([^"]*\)".*/\1/p'); do
        japanese ja rules explain "$name"
    done
    for name in MS01-026 MS99-025 MS01-033 sadmind-1999; do japanese ja advisory show "$name"; done
}

@test "each finding is explained in Japanese" {
    local id
    code 1 "$YAGURA" audit --image "$IMAGES/solaris7-iplanet-found.img" --json
    for id in $(printf '%s\n' "$stdout" | sed -n 's/.*"type":"finding","id":"\([0-9a-f]*\)".*/\1/p'); do
        japanese ja explain "$id"
    done
}

@test "what is broken is said in Japanese: hives, images, texts" {
    local size
    broken_tree "$WORK/tree"
    japanese ja audit --root "$WORK/tree" --all
    [[ "$output" == *"レジストリハイブ"* ]]
    japanese ja facts --root "$WORK/tree" --all
    mkdir "$WORK/empty"
    japanese ja audit --root "$WORK/empty" --all
    printf 'QFI\xfb' >"$WORK/qcow2"
    printf '\x1f\x8b' >"$WORK/gz"
    printf 'KDMV' >"$WORK/vmdk"
    printf '# Disk DescriptorFile\nRW 1 ODD "x"\n' >"$WORK/descriptor"
    printf '# Disk DescriptorFile\nRW 63 FLAT "gone.vmdk" 0\n' >"$WORK/extent"
    : >"$WORK/nothing"
    for size in qcow2 gz vmdk descriptor extent nothing; do
        truncate -s '>4096' "$WORK/$size"
        japanese ja audit --image "$WORK/$size"
    done
    for size in 70000 900000 9000000; do
        head -c "$size" "$IMAGES/windows2000-iis5-found.img" >"$WORK/cut.img"
        japanese ja audit --image "$WORK/cut.img" --all
    done
    cp "$IMAGES/windows2000-iis5-found.img" "$WORK/noise.img"
    "$HELPERS/damage" "$WORK/noise.img" noise 40000 4000000
    japanese ja audit --image "$WORK/noise.img" --all
    echo "hello" >"$WORK/text"
    japanese ja audit --text "$WORK/text" --all
    japanese ja audit --image "$WORK/not-there"
    japanese ja audit --root "$WORK/not-there"
    japanese ja audit --image "$WORK"
}

@test "what is broken is said in Japanese: feeds, rules, versions, the ledger, usage" {
    program zip
    local kind version words
    mkdir "$WORK/docs" "$WORK/rules"
    for kind in cut depth duplicate utf8 circle; do "$HELPERS/csaf" "$kind" "$WORK/docs/$kind.json" "B-$kind"; done
    echo '{}' >"$WORK/docs/no-csaf.json"
    echo '{"document":{"category":"x"}}' >"$WORK/docs/no-id.json"
    japanese ja feed import "$WORK/docs" "$WORK/gone"
    [[ "$output" == *"CSAF 文書ではありません"* ]] # out of a cage
    (cd "$WORK/docs" && zip -q "$WORK/whole.zip" cut.json no-id.json)
    head -c 200 "$WORK/whole.zip" >"$WORK/cut.zip"
    japanese ja feed import "$WORK/whole.zip" "$WORK/cut.zip"
    [[ "$output" == *"アーカイブ"* ]] # out of yagura-unpack
    printf 'title: [\n' >"$WORK/rules/yaml.yml"
    printf 'title: x\nlogsource: {category: nothing}\ndetection: {a: {b|nonsense: 1}, condition: a and c}\n' >"$WORK/rules/modifier.yml"
    printf 'title: x\nlogsource: {category: host}\ndetection: {a: {b: [[1]]}, c: {}, condition: a (}\n' >"$WORK/rules/lists.yml"
    printf 'logsource: {category: host}\ndetection: {a: {b|re: "("}, condition: 1 of}\nlevel: bad\nyagura: {weight: 1000, foo: 1}\n' >"$WORK/rules/keys.yml"
    printf 'title: x\nlogsource: {category: host}\ndetection: {a: {nosuch: 1}, d: {name: 1}, condition: a}\n' >"$WORK/rules/fields.yml"
    : >"$WORK/rules/empty.yml"
    japanese ja rules lint "$WORK/rules"
    japanese ja rules test "$WORK/rules"
    japanese ja rules lint "$WORK/gone"
    japanese ja audit --rules "$WORK/rules" --root "$WORK/rules"
    for kind in dpkg:'1:0~~-' dpkg:a:1 dpkg::1 rpm:ä windows:1.x windows:1.2.3.4.5 solaris:1-1 dpkg:x; do
        version=${kind#*:}
        echo "$version 1.0" >"$WORK/pairs"
        japanese sh -c "'$YAGURA' --lang ja version-cmp ${kind%%:*} <'$WORK/pairs' 2>&1 >/dev/null"
    done
    code "0 1 3" "$YAGURA" patch record Q267559 --image "$IMAGES/windows2000-iis5-found.img" --who taro
    japanese ja ledger verify
    sqlite3 "$WORK/state/state.db" "UPDATE ledger SET body = replace(body, 'taro', 'jiro')"
    japanese ja ledger verify
    japanese ja ledger verify --checkpoint "$WORK/pairs"
    echo "no database" >"$WORK/state/state.db"
    japanese ja audit --root "$WORK/empty"
    japanese ja status
    while read -r words; do
        # shellcheck disable=SC2086
        japanese ja $words
    done <<'LIST'
adit
audit --jsom
audit --as-of yesterday
audit --root / --image x
explain
explain zzzz
advisory show MS99-999
rules explain nothing
patch record
ledger foo
version-cmp foo
LIST
}

@test "ids and the memory do not depend on the language" {
    program sqlite3
    broken_tree "$WORK/tree"
    ids en
    ids ja
    [ "$(wc -l <"$WORK/en.ids")" -gt 50 ]
    diff "$WORK/en.ids" "$WORK/ja.ids"
    # what the one wrote, the other explains in its own words
    id=$(sqlite3 "$WORK/ja/state.db" "SELECT id FROM finding WHERE rule = 'could-not-look' LIMIT 1")
    code 3 "$YAGURA" --state "$WORK/ja" explain "$id"
    says "Could not look at"
    [ -z "$(printf '%s' "$output" | grep -P '[\x{3040}-\x{30ff}]')" ]
}

@test "JSON is English, and so is what is said beside it" {
    broken_tree "$WORK/tree"
    LC_ALL=ja_JP.UTF-8 LANG=ja_JP.UTF-8 code "1 3" "$YAGURA" --lang ja audit --root "$WORK/tree" --json
    says "could not be read"
    ! printf '%s' "$output" | grep -P '[\x{3000}-\x{30ff}]|\\u30' || false
    code 2 "$YAGURA" --lang ja --json adit
    says "did you mean audit?"
    code 2 "$YAGURA" --json --lang ja audit --image "$WORK/gone"
    says "the disk image could not be opened"
}

@test "one of a thing is not many" {
    mkdir "$WORK/docs"
    "$HELPERS/csaf" good "$WORK/docs/one.json" ONE-1
    code 0 "$YAGURA" feed import "$WORK/docs"
    code 0 "$YAGURA" feed list
    says "docs: 1 document, newest"
    code "1 3" "$YAGURA" audit --image "$IMAGES/nt4-iis4-found.img"
    code 0 "$YAGURA" status
    says "1 target, "
    code "0 1 3" "$YAGURA" patch record Q267559 --image "$IMAGES/windows2000-iis5-found.img"
    code 0 "$YAGURA" ledger verify
    says "1 entry: chain"
    code 0 "$YAGURA" advisory list --before 1998-01-01
    says "0 advisories"
}

@test "a rule is explained with words where a finding has values" {
    code 0 "$YAGURA" rules explain iis-script-map-any-file
    says "The mapping of ‹extension› does not check" "‹flags›)"
    code 0 "$YAGURA" --lang ja rules explain iis-script-map-any-file
    says "‹拡張子› のマッピング"
    for name in $("$YAGURA" rules list --json | sed -n 's/.*"name":"\([^"]*\)".*/\1/p'); do
        code 0 "$YAGURA" rules explain "$name"
        ! grep -nE '[{](path|name|port|service|server|address|process|extension|handler)[}]' <<<"$stdout" || false
    done
}

@test "why a port should be shut is said in whole, in both languages" {
    local lang
    for lang in en ja; do
        for COLUMNS in 60 80 160; do
            export COLUMNS
            code "0 1 3" "$YAGURA" --lang "$lang" ports --image "$IMAGES/solaris7-iplanet-found.img"
            [ "$COLUMNS" = 60 ] || says_not "…"
            narrow $COLUMNS
        done
    done
    says "パスワードが平文でネットワークを流れます" # the width there is, is used
}

#!/usr/bin/env bats
# The command line itself: words, exit codes, forms of output.
load lib

commands() { "$YAGURA" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'; }
found() { echo "$(image) --as-of 2001-06-06"; }
image() { echo "--image $IMAGES/windows2000-iis5-found.img"; }
# in a terminal of 80 columns
terminal() { script -qec "stty cols 80 rows 50; $*" /dev/null </dev/null | tr -d '\r'; }

@test "a typo gets a suggestion, and nonsense gets none" {
    local line
    while IFS='|' read -r words wanted; do
        # shellcheck disable=SC2086
        code 2 "$YAGURA" $words
        says "did you mean $wanted?" "Usage: "
        [ -z "$stdout" ]
    done <<'LIST'
adit|audit
exlpain 1|explain
leger show|ledger
audit --jsom|--json
audit --rot /|--root
--lnag ja audit|--lang
patch plan --as-fo 2001-06-06|--as-of
help adit|audit
patch paln|plan
feed imprt x|import
advisory lsit|list
rules lnt|lint
ledger verfiy|verify
--roots / audit|--root
audit --roots=/|--root
LIST
    code 2 "$YAGURA" frobnicate
    says_not "did you mean"
    code 2 "$YAGURA" --lang ja adit
    says "audit"
    [[ "$output" != *"there is no command"* ]] || { echo "not in Japanese: $output"; false; }
}

@test "bad usage is 2 and names what was wrong" {
    while IFS='|' read -r words wanted; do
        # shellcheck disable=SC2086
        code 2 "$YAGURA" $words
        says "$wanted"
    done <<'LIST'
--lang fr audit|fr
audit --root|--root
audit extra|extra
audit --root / --image x|one target
audit --as-of 2001-13-40|2001-13-40
audit --as-of 2001-02-29|2001-02-29
audit --fail-on dreadful|dreadful
audit --gateway|--gateway
audit --text /nonexistent/file|/nonexistent/file
audit --root /nonexistent/dir|/nonexistent/dir
audit --image /nonexistent/disk|/nonexistent/disk
audit --text /usr|for a folder there is --root
facts --text /usr|for a folder there is --root
ports --text /nonexistent/file|/nonexistent/file
audit --root /bin/sh|for a disk image there is --image
facts --root /bin/sh|for a disk image there is --image
patch plan --root /bin/sh|for a disk image there is --image
audit --image /usr|for a folder there is --root
facts --image /usr|for a folder there is --root
facts --image /nonexistent/disk|/nonexistent/disk
audit --checklist nosuch|nosuch
advisory show MS99-999|MS99-999
rules explain nosuch|nosuch
feed|feed import
feed import|feed import
feed import /nonexistent/feed|/nonexistent/feed
version-cmp nosuch|dpkg, rpm
explain|which finding
explain 0000000000000000|0000000000000000
ledger|ledger show
patch|patch plan
patch record|which patch
LIST
}

@test "a text that is none of ours is unknown, and the sentence says what is read" {
    printf '\n  uid=0(root)\033[2J gid=0\n' >"$WORK/text"
    code 3 "$YAGURA" audit --text "$WORK/text" --json
    says "this text is neither what systeminfo prints on Windows nor what showrev -p prints"
    says 'uid=0(root)\\x1b[2J'
    [[ "$output" != *os-release* ]] || { echo "a text has no files to look for: $output"; false; }
    code 3 "$YAGURA" facts --text "$WORK/text"
    says 'uid=0(root)\x1b[2J'
    : >"$WORK/empty"
    code 3 "$YAGURA" facts --text "$WORK/empty"
    says "it is empty"
}

@test "exit codes: 0 nothing wrong, 1 found, 3 could not be looked at" {
    images
    code 0 "$YAGURA" --version
    code 0 "$YAGURA" rules lint
    code 3 "$YAGURA" ledger verify
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(found)
    mkdir "$WORK/empty"
    code 3 "$YAGURA" audit --root "$WORK/empty"
    code 3 "$YAGURA" facts --root "$WORK/empty"
    # what lies below --fail-on is nothing found; what is unknown is still unknown
    code 3 "$YAGURA" audit --image "$IMAGES/windows2000-iis5-mended.img" --as-of 2001-06-06 --fail-on critical --json
    holds 'summary["unknown"] > 0'
    code 1 "$YAGURA" audit --image "$IMAGES/windows2000-iis5-mended.img" --as-of 2001-06-06 --fail-on low
}

@test "--fail-on changes what is found, not what is to be done today" {
    images
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(found) --json
    printf '%s\n' "$stdout" >"$WORK/all"
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(found) --json --fail-on critical
    holds "(lambda s: all(s[k] == summary[k] for k in ('today', 'fixed', 'unknown')) and 0 < summary['found'] < s['found'])(json.loads(open('$WORK/all').readlines()[-1]))" \
        "summary['today'] > summary['found']" \
        'summary["found"] == len([f for f in findings if f["severity"] == "critical" and f["verdict"] in OPEN])'
}

@test "global options may stand before and after the command" {
    code 0 "$YAGURA" --json rules list
    before=$stdout
    code 0 "$YAGURA" rules --json list
    [ "$stdout" = "$before" ]
    code 0 "$YAGURA" rules list --json
    [ "$stdout" = "$before" ]
    code 0 "$YAGURA" rules list --lang=ja
    ja=$stdout
    code 0 "$YAGURA" --lang ja rules list
    [ "$stdout" = "$ja" ]
    code 0 "$YAGURA" rules list --lang en
    [ "$stdout" != "$ja" ]
    LC_ALL=ja_JP.UTF-8 code 0 "$YAGURA" rules list
    [ "$stdout" = "$ja" ]
    code "0 1 3" "$YAGURA" --state "$WORK/elsewhere" facts --root "$WORK"
    [ -e "$WORK/elsewhere" ]
    [ "$(stat -c %a "$WORK/elsewhere")" = 700 ]
}

@test "with --json the last line is a summary with both counts, whatever the command" {
    images
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(image) --json
    id=$(grep -o '"id":"[0-9a-f]\{16\}"' <<<"$stdout" | head -1 | cut -d'"' -f4)
    while read -r words; do
        words=${words//@/$(found)}; words=${words//%/$(image)}; words=${words//=/$id}
        got=0
        # shellcheck disable=SC2086
        stdout=$("$YAGURA" $words --json 2>/dev/null <<<"1.0 2.0") || got=$?
        holds 'last["type"] == "summary"' 'isinstance(last["found"], int)' \
            'isinstance(last["unknown"], int)' 'all("type" in o for o in every)' \
            "$got == (1 if last['found'] else 3 if last['unknown'] else 0)" \
            'len([o for o in every if o["type"] == "summary"]) == 1' || { echo "($words)"; return 1; }
    done <<'LIST'
audit
audit @
audit @ --fail-on critical
audit --fail-on critical
audit --checklist @
audit --checklist @ --fail-on critical
facts %
facts
explain =
version-cmp dpkg
ports
ports %
ports --gateway
patch plan @
patch plan
patch record Q293826 @
patch history
patch record Q293826 %
feed list
advisory list
advisory show MS01-026
rules list
rules lint
rules test
rules explain iis-htr-mapped
ledger show
ledger verify
ledger checkpoint
status
LIST
}

@test "a JSON finding has every key of the contract" {
    images
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(found) --json
    holds 'len(findings) > 50' \
        'all({"type", "id", "target", "rule", "severity", "subject", "verdict", "confidence", "summary", "why", "remedy", "evidence", "refs", "exploited", "first_seen", "last_seen"} <= set(f) for f in findings)' \
        'all({"id", "title", "source"} <= set(f["rule"]) for f in findings)' \
        'all(f["severity"] in ("critical", "high", "medium", "low", "info") for f in findings)' \
        'all(f["verdict"] in ("affected", "broken", "fixed", "not_affected", "unknown", "accepted") for f in findings)' \
        'all(f["confidence"] in ("high", "medium", "low") for f in findings)' \
        'len({f["id"] for f in findings}) == len(findings)' \
        'all(f["remedy"]["summary"] for f in findings if f["verdict"] in OPEN)' \
        'all(f["why"] and f["summary"] for f in findings if f["verdict"] in OPEN)'
    # the same input gives the same bytes
    first=$stdout
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(found) --json
    [ "$stdout" = "$first" ]
}

@test "a closed or full output is not a clean result" {
    local got=0
    "$YAGURA" rules list >/dev/full 2>"$WORK/errors" || got=$?
    [ "$got" -ne 0 ]
    got=0
    "$YAGURA" rules list >&- 2>"$WORK/errors" || got=$?
    [ "$got" -ne 0 ]
    images
    # shellcheck disable=SC2046
    set -o pipefail
    got=0
    # shellcheck disable=SC2046
    timeout 20 "$YAGURA" audit $(found) --all --json 2>"$WORK/errors" | head -1 >/dev/null || got=$?
    [ "$got" -ne 124 ]
    [ "$got" -lt 128 ]
    run grep -i 'assert\|sanitizer\|abort' "$WORK/errors"
    [ "$status" -eq 1 ]
}

@test "colour only on a terminal, and never with NO_COLOR" {
    program script
    images
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(found)
    [[ "$stdout" != *$'\e'* ]]
    terminal "$YAGURA audit $(found)" >"$WORK/colour"
    grep -q $'\e' "$WORK/colour"
    NO_COLOR=1 terminal "$YAGURA audit $(found)" >"$WORK/plain"
    run grep $'\e' "$WORK/plain"
    [ "$status" -eq 1 ]
    # colour is never the only sign
    diff <(sed $'s/\e\\[[0-9;]*m//g' "$WORK/colour") "$WORK/plain"
}

@test "nothing is wider than 80 columns, in both languages" {
    images
    local lang image words
    for lang in en ja; do
        for image in "$IMAGES"/*.img; do
            COLUMNS=80 code "0 1 3" "$YAGURA" --lang "$lang" audit --image "$image" --as-of 2001-06-06
            narrow 80
        done
        while read -r words; do
            words=${words//@/$(found)}; words=${words//%/$(image)}
            # shellcheck disable=SC2086
            COLUMNS=80 code "0 1 3" "$YAGURA" --lang "$lang" $words
            narrow 80 || { echo "($lang: $words)"; return 1; }
        done <<'LIST'
audit
audit --all
audit --all @
audit --checklist @
patch plan @
patch plan
ports %
ports
facts %
advisory list
advisory show MS01-026
rules list
rules explain iis-htr-mapped
status
--help
LIST
    done
}

@test "every command has help in both languages, with all its options" {
    commands >"$WORK/commands"
    [ "$(wc -l <"$WORK/commands")" -ge 10 ]
    while read -r command; do
        code 0 "$YAGURA" "$command" --help
        says "yagura $command" "Exit codes" "--json" "--state"
        [ -z "$stderr" ]
        en=$stdout
        code 0 "$YAGURA" help "$command"
        [ "$stdout" = "$en" ]
        code 0 "$YAGURA" --lang ja "$command" --help
        grep -qP '[\x{3040}-\x{9fff}]' <<<"$stdout"
        [ "$stdout" != "$en" ]
        narrow 80
        # each option of the usage line is in the table, and is taken; with --help nothing is done
        for option in $(grep -oE -- '(\[|\| )--[a-z-]+' <<<"$en" | grep -oE -- '--[a-z-]+'); do
            grep -q -- "^  $option\b" <<<"$en" || { echo "$command: no word of $option"; return 1; }
        done
        for option in $(grep -o -- '^  --[a-z-]*' <<<"$en"); do
            run "$YAGURA" "$command" --help "$option"
            [[ "$output" != *"does not take"* && "$output" != *"there is no option"* ]] || { echo "$command $option: $output"; return 1; }
        done
    done <"$WORK/commands"
}

@test "the man page and the completion are made of the same tables" {
    code 0 "$YAGURA" help --man
    while read -r command; do says "${command//-/\\-}"; done < <(commands)
    if command -v groff >/dev/null; then
        printf '%s\n' "$stdout" | groff -man -Tutf8 -ww >/dev/null 2>"$WORK/groff"
        [ ! -s "$WORK/groff" ] || { cat "$WORK/groff"; false; }
    fi
    code 0 "$YAGURA" help --completion
    printf '%s\n' "$stdout" >"$WORK/completion"
    bash -n "$WORK/completion"
    while read -r command; do says "$command"; done < <(commands)
}

oracle() {
    grep -v '^#' "$SHARED/data/audit/version-tests/$1_oracle.tsv" >"$WORK/pairs"
    cut -f1,2 "$WORK/pairs" >"$WORK/in"
    cut -f3 "$WORK/pairs" | sed 's/^-1$/</; s/^0$/=/; s/^1$/>/' >"$WORK/wanted"
    "$YAGURA" version-cmp "$1" <"$WORK/in" >"$WORK/got"
    [ "$(wc -l <"$WORK/got")" -eq "$(wc -l <"$WORK/wanted")" ]
    [ "$(wc -l <"$WORK/got")" -ge 400 ]
    paste "$WORK/in" "$WORK/wanted" "$WORK/got" | awk -F'\t' '$3 != $4' >"$WORK/wrong"
    [ ! -s "$WORK/wrong" ] || { echo "A, B, wanted, got:"; head -20 "$WORK/wrong"; false; }
}

@test "versions are ordered as dpkg and rpm order them, pair by pair" {
    need "$SHARED/data/audit/version-tests"
    oracle dpkg
    oracle rpm
}

@test "what is no version is said, with its line" {
    printf '1.0 2.0\n1:0~~- 1.0\n1.0\n' >"$WORK/in"
    run "$YAGURA" version-cmp dpkg <"$WORK/in"
    [ "$status" -eq 2 ]
    [[ "$output" == *"line 2"* && "$output" == *"line 3"* && "$output" != *"line 1"* ]]
    # CASES 17: back-ports
    printf '%s\n' '6.1.0-10~bpo12+1 6.1.0-10' '1.2-3+deb12u1 1.2-3' '1.2-3+deb12u2 1.2-3+deb12u10' >"$WORK/in"
    run "$YAGURA" version-cmp dpkg <"$WORK/in"
    [ "$output" = $'<\n>\n<' ]
}

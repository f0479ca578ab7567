#!/usr/bin/env bats
# What a screen promises: its commands can be pasted, its order is explained by what stands on it.
load lib

setup() { images; }
found() { echo "--image $IMAGES/windows2000-iis5-found.img --as-of 2001-06-06"; }
# The commands of a screen, one a line, their broken lines joined.
pasted() { sed -e ':a' -e '/ \\$/{N;s/ \\\n */ /;ba' -e '}' | grep -o "[^ ]*yagura'\? [a-z].*"; }

@test "a hint repeats the options of the run, quoted, by the name the program was called with" {
    local dir="$WORK/a disk's" line
    mkdir -p "$dir/build" "$dir/rules"
    ln -s "$YAGURA" "$dir/build/yagura"
    ln -s "$IMAGES/windows2000-iis5-found.img" "$dir/disk one.img"
    cd "$dir"
    export YAGURA_DATA="$BUILD/share" YAGURA_LIBEXEC="$BUILD/libexec" YAGURA_LOCALE="$BUILD/po"
    code 1 build/yagura --state "$WORK/st ate" audit --image "disk one.img" --name "web 1" --as-of 2001-06-06 --rules rules
    for line in "audit" "patch plan" "ports"; do
        pasted <<<"$stdout" | grep -F "build/yagura $line" >"$WORK/line"
        grep -qF -- "--image 'disk one.img' --name 'web 1'" "$WORK/line" || { cat "$WORK/line"; false; }
        [ "$line" = ports ] || grep -qF -- "--as-of 2001-06-06" "$WORK/line"
        grep -qF -- "--rules rules" "$WORK/line"
        grep -qF -- "--state '$WORK/st ate'" "$WORK/line"
    done
    # each can be run as it stands
    pasted <<<"$stdout" >"$WORK/all"
    [ "$(wc -l <"$WORK/all")" -ge 6 ]
    while read -r line; do
        code "0 1 3" sh -c "$line"
        [ -z "$stderr" ]
    done <"$WORK/all"
}

@test "findings stand below headings that explain their order, and within them by severity" {
    local name
    for name in windows2000-iis5-found windows2000-iis5-mended nt4-iis4-mended solaris7-iplanet-found; do
        code 1 "$YAGURA" audit --image "$IMAGES/$name.img" --as-of 2001-06-06 --all
        awk '/^[A-Z][^:]*$/ {heading = 1; last = 9}
             /^[!?+] \[/ {
                 rank = /\[critical\]/ ? 4 : /\[high\]/ ? 3 : /\[medium\]/ ? 2 : /\[low\]/ ? 1 : 0
                 if ($1 == "!" && rank > last) {print "after a lower one: " $0; bad = 1}
                 last = rank
             } END {exit bad || !heading}' <<<"$stdout"
    done
    says "Left behind by attackers"
    code 1 "$YAGURA" audit --image "$IMAGES/nt4-iis4-mended.img" --as-of 2001-06-06
    says "Open, but nothing leads to it now"
}

@test "a virtual directory, a script map and a service of inetd are reached without a login" {
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(found) --json
    holds 'all(f["reachable_without_login"] for f in findings if f["subject"]["kind"] in ("vdir", "script-map") and f["verdict"] == "affected")' \
        'not any(f["reachable_without_login"] for f in findings if f["rule"]["id"] == "iis-root-on-system-volume")'
}

@test "what is shown in full says what was seen, that a firewall does not help, and what is broken" {
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit $(found) --all
    says "w3svc.dll is 5.0.2195.1600, fixed in" "A firewall does not help: the way in is 80/tcp" \
        "broken: apply again" "Windows 2000 Service Pack 2 is not installed here"
    says_not "service-pack:"
    # shellcheck disable=SC2046
    code 1 "$YAGURA" --lang ja audit $(found) --all
    says "ファイアウォールでは防げません" "破損"
    says_not "service-pack:"
}

@test "no line ends with a blank" {
    local words
    while read -r words; do
        words=${words//@/$(found)}
        # shellcheck disable=SC2086
        code "0 1 3" "$YAGURA" $words
        ! grep -n ' $' <<<"$stdout" || false
    done <<'LIST'
audit @ --all
audit --checklist @
facts --all
ports
patch plan @ --all
advisory list
advisory show MS01-026
rules list
help audit
LIST
}

@test "rules list shows all sets; a checklist names each rule that fails" {
    code 0 "$YAGURA" rules list
    grep -q 'iis4 iis5' <<<"$stdout"
    # shellcheck disable=SC2046
    code 1 "$YAGURA" audit --checklist $(found)
    grep -q '^    iis5-printer-mapped$' <<<"$stdout"
    grep -q '^✗ yes .*Internet Printing is mapped' <<<"$stdout"
}

@test "an advisory is found by a CVE, a patch or an older name; a rule is pointed to" {
    local word
    for word in CVE-2000-0884 Q293826 MS98-004; do
        code 0 "$YAGURA" advisory show $word
        says "2"
        code 0 "$YAGURA" advisory show $word --json
        holds 'last["advisories"] >= 1'
    done
    code 2 "$YAGURA" advisory show worm-sadmind-iis
    says "rules explain worm-sadmind-iis"
    # what is the same on several releases is said once
    code 0 "$YAGURA" advisory show sadmind-2003
    [ "$(grep -c 'Programs that use it are public' <<<"$stdout")" -le 2 ]
    # no id runs into its date
    code 0 "$YAGURA" advisory list
    ! grep -nE '^[^ ]*[0-9]{4}-[0-9]{2}-[0-9]{2} ' <<<"$stdout" || false
}

@test "completion knows sub-actions, languages, sets and files, and leaks no variable" {
    "$YAGURA" help --completion >"$WORK/completion"
    cat >"$WORK/try" <<'SH'
. "$1"; shift
before=$(compgen -v | sort)
w=mine
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_yagura "$@" 2>/dev/null
[ "$w" = mine ] || echo leaked
printf '%s\n' "${COMPREPLY[@]}"
SH
    completes() { # WANTED WORD ...
        local wanted=$1
        shift
        bash "$WORK/try" "$WORK/completion" "$@" >"$WORK/got"
        ! grep -qx leaked "$WORK/got" || false
        grep -qx -- "$wanted" "$WORK/got" || { echo "$*: no $wanted in"; cat "$WORK/got"; return 1; }
    }
    completes audit "$YAGURA" --lang ja a
    completes ja "$YAGURA" --lang ''
    completes history "$YAGURA" patch ''
    completes --because "$YAGURA" patch record Q1 --b
    completes iis5 "$YAGURA" audit --checklist i
    completes iis5-printer-mapped "$YAGURA" rules explain iis5-p
    completes verify "$YAGURA" ledger v
    mkdir "$WORK/fol der"
    completes "$WORK/fol der" "$YAGURA" audit --root "$WORK/fo"
    completes "$WORK/completion" "$YAGURA" feed import "$WORK/compl"
    grep -q 'compopt -o filenames' "$WORK/completion"
}

@test "the man page has examples, files and what to read on; every option stands in the usage" {
    code 0 "$YAGURA" help --man
    says ".SH EXAMPLES" ".SH FILES" ".SH SEE ALSO"
    for command in audit patch ports; do
        code 0 "$YAGURA" help "$command"
        usage=$(sed '/^$/q' <<<"$stdout")
        for option in $(grep -o '^  --[a-z-]*' <<<"$stdout"); do
            case $option in --state | --config | --json | --lang | --help | --version) continue ;; esac
            grep -qF -- "$option" <<<"$usage" || { echo "$command: no $option in: $usage"; false; }
        done
    done
}

@test "facts have headings and answers in words" {
    code "0 3" "$YAGURA" facts --image "$IMAGES/windows2000-iis5-found.img"
    grep -q '^  patch  *installed?' <<<"$stdout"
    grep -q '^  Q291845  *yes ' <<<"$stdout"
    says_not "Left by uninstalled patches"
}

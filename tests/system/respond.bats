#!/usr/bin/env bats
# The runbook by its commands only: order, proof, refusal, a cut-short step, a changed ledger.
load lib

setup() {
    as_root
    SITE=$WORK/www
    mkdir -p "$SITE"
    echo published >"$SITE/index.html"
    cat >"$WORK/short.yaml" <<'YAML'
id: short
title: {en: Short, ja: 短い}
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no, offline: yes}
  - {id: look, title: Look, text: x, why: x, verify: [content], undo: no, offline: yes}
  - {id: restore, title: Restore, text: x, why: x, action: restore, verify: [content], undo: no}
YAML
}
publish() { code 0 "$YAGURA" init "$SITE" "$@"; sleep 1.1; }
start() { code 0 "$YAGURA" respond start --runbook "$WORK/short.yaml" --json "$@"; }

@test "a step that is claimed and not true is refused; in order; skipped only with a reason" {
    publish
    start --because "the page says HOSHI"
    holds 'any(o["type"] == "check" and o["verdict"] == "true" for o in every)' \
        '[o["because"] for o in of("incident")] == ["the page says HOSHI"]' \
        '[o["state"] for o in of("incident-step")] == ["done", "open", "open"]' 'last["type"] == "summary"' \
        'any("By this clock" in o["text"] for o in of("note"))'
    code 1 "$YAGURA" status
    says "is open:" "yagura respond"
    code 1 "$YAGURA" status --json
    holds '[o["closed"] for o in of("incident")] == [None]' 'last["found"] == 1'
    code 2 "$YAGURA" respond start
    says "is open"
    echo defaced >"$SITE/index.html"
    code 2 "$YAGURA" respond do restore
    says "step 1 (look) comes first"
    code 1 "$YAGURA" respond do look
    says "1 name is not as it was published" "is NOT done" "verify --all"
    code 2 "$YAGURA" respond skip look
    says "why?"
    code 0 "$YAGURA" respond skip look --because "it is put back anyway"
    says "it is put back anyway"
    code 0 "$YAGURA" respond do restore
    says "Nothing is left to do" "respond close" # the last step, too, says how to go on
    [ "$(cat "$SITE/index.html")" = published ]
    code 0 "$YAGURA" respond close
    code 2 "$YAGURA" respond do restore
    says "is closed"
    code 3 "$YAGURA" status
    says_not ncident
    code 0 "$YAGURA" ledger verify
}

@test "put back is what was published before the first sign, and a doubt is said loudly" {
    publish
    local sign
    sign=$(date -u +%FT%TZ)
    sleep 1.1
    echo "planted by the attacker, and published" >"$SITE/index.html"
    code 0 "$YAGURA" publish --yes
    start --first-sign "$sign"
    code 0 "$YAGURA" respond skip look --because test
    code 0 "$YAGURA" respond do restore --json
    holds 'any(o.get("step") == "restore" and not o["result"]["sites"][0]["doubtful"] for o in every)'
    [ "$(cat "$SITE/index.html")" = published ]
    code 0 "$YAGURA" respond close
    code 2 "$YAGURA" respond start --first-sign 2100-01-01
    says "is yet to come"
    start
    code 0 "$YAGURA" respond skip look --because test
    code 0 "$YAGURA" respond do restore
    says "OLDER THAN THE INTRUSION IS NOT KNOWN"
}

@test "the first sign: what the kernel's times of files show, never an mtime; the operator's word goes before it" {
    publish
    local at
    echo '<?php ?>' >"$SITE/plant.php"
    at=$(date -u -d "@$(stat -c %W "$SITE/plant.php")" +%FT%TZ)
    [ "$(stat -c %W "$SITE/plant.php")" != 0 ] || skip "this file system does not know when a file was made"
    sleep 1.1
    chmod 600 "$SITE/plant.php"              # a later change of it
    touch -d 2001-05-05 "$SITE/plant.php"    # and what its writer says
    start
    code 1 "$YAGURA" respond status --json
    holds "any(o['type'] == 'incident' and o['first_sign'] == '$at' and o['first_sign_from'] == 'files' and o['first_sign_subject'] == 'www: plant.php' for o in every)"
    holds "any(o.get('step') == 'open' and o['result']['first_sign']['mtime'] == '2001-05-05T00:00:00Z' and 'synchronised' in o['result']['clock'] for o in every)"
    code 0 "$YAGURA" respond do open
    unwrapped
    says "$at at the latest, by the kernel's times of www: plant.php" "its mtime, which its writer chose, says 2001-05-05" "By this clock it is" "The guard never had to undo anything" "Nothing was ever audited"
    code 1 "$YAGURA" respond status
    unwrapped
    says "First sign of the intrusion: $at, at the latest, by the times of www: plant.php" "respond resume --first-sign DATE"
    # times are UTC, and where this is another zone that of the place beside them
    TZ=Asia/Tokyo code 0 "$YAGURA" respond do open
    unwrapped
    [[ "$output" =~ By\ this\ clock\ it\ is\ 20[0-9-]+T[0-9:]+Z\ \(20[0-9-]+\ [0-9:]+\ \+09:00\)\. ]]
    says "$at ($(TZ=Asia/Tokyo date -d "$at" '+%F %T +09:00')) at the latest"
    # what files show is an upper bound only: a doubt is said
    code 0 "$YAGURA" respond skip look --because test
    code 0 "$YAGURA" respond do restore
    says "OLDER THAN THE INTRUSION IS NOT KNOWN"
    # done again, the files show nothing any more: what they showed is kept
    code 0 "$YAGURA" respond do open
    says "Neither the guard nor the published sites show"
    code 0 "$YAGURA" respond status --json
    holds "every[0]['first_sign'] == '$at'"
    # another first sign: what was put back as of the one before is open again
    code 2 "$YAGURA" respond resume --first-sign 2100-01-01
    says "is yet to come"
    code 2 "$YAGURA" respond status --first-sign 2026-01-01
    says "--first-sign goes with"
    code 0 "$YAGURA" respond resume --first-sign 2026-01-01 --who hoshi
    unwrapped
    says "First sign of the intrusion: 2026-01-01T00:00:00Z, said by hoshi" "another first sign of the intrusion"
    code 1 "$YAGURA" respond status --json
    holds 'every[0]["first_sign_from"] == "operator"'
    holds 'next(o for o in every if o.get("step") == "restore")["state"] == "failed"'
    code 0 "$YAGURA" respond do restore --first-sign 2026-01-02
    code 0 "$YAGURA" respond status --json
    holds 'every[0]["first_sign"] == "2026-01-02T00:00:00Z"'
}

@test "cut short in the middle of a step, and gone on with by another operator" {
    publish
    start
    code 0 "$YAGURA" respond skip look --because "it is known to be defaced"
    echo defaced >"$SITE/index.html"
    # the entry that a killed step leaves: begun, and no end
    "$YAGURA" respond do restore >/dev/null 2>&1 & # killed as soon as it has begun
    local pid=$! i
    for i in $(seq 500); do
        "$YAGURA" ledger show --json | grep -q '"what":"begin".*"step":"restore"' && break
        sleep 0.01
    done
    kill -KILL $pid 2>/dev/null || :
    wait $pid || :
    code "0 1" "$YAGURA" respond status --json
    holds 'next(o for o in every if o.get("step") == "restore")["state"] in ("begun", "done")'
    code "0 1" "$YAGURA" respond resume --who somebody-else
    code 0 "$YAGURA" respond do restore --who somebody-else --json
    holds 'next(o for o in every if o.get("step") == "restore")["who"] == "somebody-else"'
    [ "$(cat "$SITE/index.html")" = published ]
}

@test "what was done and is true no longer is open again" {
    publish
    start
    code 0 "$YAGURA" respond do look
    code 0 "$YAGURA" respond do restore
    echo again >"$SITE/index.html"
    code 1 "$YAGURA" respond close
    says "1 name is not as it was published"
    code 1 "$YAGURA" respond status --json
    holds 'next(o for o in every if o.get("step") == "restore")["state"] == "failed"'
}

@test "every command that is named can be pasted: it has the state that was named" {
    export YAGURA_STATE=$WORK/nowhere
    local state=$WORK/elsewhere
    publish --state "$state"
    start --state "$state"
    code 2 "$YAGURA" respond start --state "$state"
    says "$YAGURA --state $state respond status"
    echo defaced >"$SITE/index.html"
    code 1 "$YAGURA" respond do look --state "$state"
    unwrapped
    says "$YAGURA verify --state $state --all"
    code 2 "$YAGURA" respond do restore --state "$state"
    says "$YAGURA --state $state respond skip look"
    [ ! -e "$YAGURA_STATE" ]
}

@test "a step with many checks: the last one counts as well" {
    publish
    sed "/id: look/s/verify: .content./verify: [$(printf 'opened, %.0s' $(seq 40))content]/" "$WORK/short.yaml" >"$WORK/many.yaml"
    code 0 "$YAGURA" respond start --runbook "$WORK/many.yaml"
    echo defaced >"$SITE/index.html"
    code 1 "$YAGURA" respond do look
    says "1 name is not as it was published" "is NOT done"
    code 1 "$YAGURA" respond status
    says "not done yet"
}

@test "two steps that ask for the content are proved by one look at the site" {
    program strace
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it looks by ptrace, too
    publish
    start
    code 0 "$YAGURA" respond do look
    code 0 "$YAGURA" respond do restore
    code 0 strace -f -o "$WORK/opened" -e trace=openat,openat2 "$YAGURA" respond close
    [ "$(grep -c '"index.html"' "$WORK/opened")" = 1 ]
}

@test "a changed ledger is said at every step, and closes nothing without a reason" {
    program sqlite3
    publish
    start --because "the page says HOSHI"
    code 0 "$YAGURA" respond do look
    code 0 "$YAGURA" respond do restore
    sqlite3 "$YAGURA_STATE/state.db" "update ledger set body = replace(body, 'HOSHI', 'PIYO')"
    code 1 "$YAGURA" respond status
    says "THE LEDGER WAS CHANGED: entry"
    code 3 "$YAGURA" respond close
    says "the ledger was changed"
}

@test "of a mounted volume: what changes nothing is done, the rest is refused" {
    mkdir -p "$WORK/volume/etc"
    start --root "$WORK/volume"
    code 2 "$YAGURA" respond do restore
    code 0 "$YAGURA" respond skip look --because "no site is known of it"
    code 2 "$YAGURA" respond do restore
    says "changes the host"
    [ -s "$(sed -n 's/.*it stands in the plan, //p' <<<"$output")" ]
}

@test "the plan of an image in the incident's light, and the record of what was applied counts" {
    images
    local image=$IMAGES/solaris26-apache-found.img ids
    cat >"$WORK/patch.yaml" <<'YAML'
id: short
title: {en: Short, ja: 短い}
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no, offline: yes}
  - {id: patch, title: Patch, text: x, why: x, action: {action: holes, least: high}, verify: [{check: holes, least: high}], undo: no, offline: yes}
YAML
    code 0 "$YAGURA" respond start --runbook "$WORK/patch.yaml" --image "$image" --json
    code 1 "$YAGURA" respond do patch --json --out "$WORK/plan.json"
    # the first step closes the first hole, and the plan that is kept has this order
    holds 'next(o["rule"]["id"] for o in every if o["type"] == "finding") in next(o for o in every if o["type"] == "step")["closes"]'
    /usr/bin/python3 -c 'import json, sys; plan = json.load(open(sys.argv[1])); assert "sadmind-1999" in plan["steps"][0]["closes"], plan["steps"][0]' "$WORK/plan.json"
    ids=$(printf '%s\n' "$stdout" | grep '"type": *"finding"' | grep -v sadmind-1999 | grep -oE '"id": *"[0-9a-f]{16}"' | grep -oE '[0-9a-f]{16}')
    # one of several that is none: what was signed for, and what not
    code 2 "$YAGURA" respond sign "${ids%%$'\n'*}" 0badcafe 1badcafe --because "a slip"
    unwrapped
    says "Done: ${ids%%$'\n'*}. Not done: 0badcafe 1badcafe."
    # shellcheck disable=SC2086 # a list
    code 0 "$YAGURA" respond sign $ids --because "what the image was made for"
    code 1 "$YAGURA" respond do patch
    unwrapped
    says "sadmind-1999" "patch record PATCH --image $image" "What closes them"
    # in one file both streams stand in the order in which it was said
    "$YAGURA" respond do patch >"$WORK/both" 2>&1 || :
    [ "$(grep -n "^- The plan:" "$WORK/both" | cut -d: -f1)" -gt "$(grep -n "^What closes them" "$WORK/both" | cut -d: -f1)" ]
    code 2 "$YAGURA" respond do patch --apply
    says "applied on the host itself"
    code "0 1 3" "$YAGURA" patch record 108661-01 --image "$image"
    code 0 "$YAGURA" respond do patch
    says "no hole that can be reached is open"
}

@test "visitors hear that holes were mended when they were, and not when somebody signed for them" {
    images
    local image=$IMAGES/solaris26-apache-found.img ids told
    program minisign zstd tar
    cat >"$WORK/told.yaml" <<'YAML'
id: told
title: Told
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no, offline: yes}
  - {id: patch, title: Patch, text: x, why: x, told: Mended., action: {action: holes, least: high}, verify: [{check: holes, least: high}], undo: no, offline: yes}
  - {id: report, title: Report, text: x, why: x, action: report, verify: [report-written], undo: no, offline: yes}
YAML
    code 0 "$YAGURA" respond start --runbook "$WORK/told.yaml" --image "$image" --json
    code 1 "$YAGURA" respond do patch --json
    ids=$(printf '%s\n' "$stdout" | grep '"type": *"finding"' | grep -oE '"id": *"[0-9a-f]{16}"' | grep -oE '[0-9a-f]{16}')
    # shellcheck disable=SC2086 # a list
    code 0 "$YAGURA" respond sign $ids --because "an old disk"
    code 0 "$YAGURA" respond do patch
    code 0 "$YAGURA" respond do report
    told() { cat "$(ls -td "$YAGURA_STATE"/evidence/*/report-* | head -1)/notice.en.txt"; }
    if told | grep -q "Mended"; then return 1; fi
    code "0 1 3" "$YAGURA" patch record 108661-01 --image "$image"
    code 0 "$YAGURA" respond do report
    told | grep -q "^  - Mended.$"
}

@test "a runbook that changed under way, one that proves nothing, and the paper copy" {
    chmod o+w "$WORK/short.yaml"
    code 0 "$YAGURA" respond start --runbook "$WORK/short.yaml" --state "$WORK/another"
    unwrapped
    says "can be changed by others"
    chmod o-w "$WORK/short.yaml"
    start
    says_not "can be changed by others"
    # it goes on with its own copy, and says that the file is another one, or gone
    echo '# changed' >>"$WORK/short.yaml"
    code 1 "$YAGURA" respond next
    unwrapped
    says "is another one by now" "with the one it began with: $YAGURA_STATE/runbooks/" "respond do look"
    mv "$WORK/short.yaml" "$WORK/lost.yaml"
    code 1 "$YAGURA" respond next
    unwrapped
    says "cannot be read any more" "goes on with its copy" "respond do look"
    mv "$WORK/lost.yaml" "$WORK/short.yaml"
    sed -i '/^# changed/d' "$WORK/short.yaml"
    code 1 "$YAGURA" respond next
    says_not "by now"
    sed 's/verify: \[content\]/verify: []/' "$WORK/short.yaml" >"$WORK/bad.yaml"
    code 2 "$YAGURA" respond print --runbook "$WORK/bad.yaml"
    says "bad.yaml:5:" "nothing verifies this step"
    code 2 "$YAGURA" respond start --runbook "$WORK/bad.yaml" --state "$WORK/third"
    says "bad.yaml:5:" "nothing verifies this step"
    code 0 "$YAGURA" ledger show --state "$WORK/third" --json
    says_not '"what":"start"'
    # nor is it a matter of the folder in which it was named; lost for good: ended with a reason,
    # and the next one begins
    cd "$WORK"
    code 0 "$YAGURA" respond start --runbook ./short.yaml --state "$WORK/fourth"
    cd /
    rm "$WORK"/fourth/runbooks/*.yaml
    code 1 "$YAGURA" respond next --state "$WORK/fourth"
    mv "$WORK/short.yaml" "$WORK/lost.yaml"
    code 2 "$YAGURA" respond close --state "$WORK/fourth"
    code 1 "$YAGURA" respond close --because "the runbook is lost" --state "$WORK/fourth"
    says "is closed. Nothing was proved"
    mv "$WORK/lost.yaml" "$WORK/short.yaml"
    code 0 "$YAGURA" respond start --runbook "$WORK/short.yaml" --state "$WORK/fourth"
    code 0 "$YAGURA" respond print
    says "Put the content back" "Done at" "respond start --because" "respond do restore" "respond undo isolate"
    unwrapped
    says "every site is, byte for byte, what was published"
    code 0 "$YAGURA" respond print --lang ja
    says "コンテンツの復元" "公開した内容と 1 バイトも違わない"
    code 0 "$YAGURA" respond print --json
    holds '[o["number"] for o in every if o["type"] == "runbook-step"] == list(range(9))'
    holds 'all(o["title"] and o["text"] and o["why"] and o["verify"] and (o["undo"] or o["no_undo"]) for o in every if o["type"] == "runbook-step")'
}

@test "a copy of the runbook that somebody changed is refused, and how to go on is said" {
    publish
    start
    local copy
    copy=$(echo "$YAGURA_STATE"/runbooks/*.yaml)
    cmp "$copy" "$WORK/short.yaml"
    [ "$(stat -c %a "$copy")" = 600 ]
    sed -i 's/verify: \[content\]/verify: [opened]/' "$copy"
    code 3 "$YAGURA" respond do look
    unwrapped
    says "$copy: somebody changed this copy" "$WORK/short.yaml is unchanged: delete the copy"
    mv "$WORK/short.yaml" "$WORK/lost.yaml"
    code 3 "$YAGURA" respond do look
    unwrapped
    says "Put the right one back, or end the incident" "respond close --because"
    mv "$WORK/lost.yaml" "$WORK/short.yaml"
    rm "$copy"
    code 0 "$YAGURA" respond do look
    says_not "short.yaml"
    echo '# changed' >>"$WORK/short.yaml"
    code 2 "$YAGURA" respond do restore
    says "is not the one that incident"
    # neither it nor the file: only an end with a reason
    rm "$WORK/short.yaml"
    code 2 "$YAGURA" respond do restore
    code 1 "$YAGURA" respond close --because "the runbook is lost"
}

@test "where no copy of the runbook can be kept the incident begins all the same" {
    publish
    : >"$YAGURA_STATE/runbooks"
    start
    unwrapped
    says "No copy of the runbook could be kept" "leave $WORK/short.yaml as it is"
    code 0 "$YAGURA" respond do look
}

@test "what is only tried is not said to be done, on the screen and as JSON" {
    publish
    start
    code 0 "$YAGURA" respond lock daemon --dry-run
    says "it could be done; nothing was"
    code 0 "$YAGURA" respond lock daemon --dry-run --json
    holds '[(o["done"], o["text"]) for o in of("password-change")] == [(False, "daemon: it could be done; nothing was")]'
}

@test "an option that the step would not hear of is refused" {
    publish
    start
    local options
    for options in "--allow 192.0.2.7" "--mode full" "--trial 60" "--from $SITE" "--apply"; do
        # shellcheck disable=SC2086 # an option and its value
        code 2 "$YAGURA" respond do look $options
        says "${options%% *}" "is of the step that does"
    done
    code 0 "$YAGURA" respond do look
}

@test "the next step as JSON says what its page says" {
    publish
    start
    code 1 "$YAGURA" respond next --json
    holds 'any(o["type"] == "runbook-step" and o["step"] == "look" and o["verify"] == ["content"] and o["action"] is None and o["no_undo"] == "no" for o in every)'
}

@test "what could not be read is signed for by what is shown of it, whatever its name is" {
    program setpriv
    local name
    name=$(printf 'x\xff\033[2J\n+ y.php')
    sed -i '/id: look/s/verify: \[content\]/action: scan, verify: [scan-settled]/' "$WORK/short.yaml"
    mkdir -p "$WORK/root/srv"
    echo '<?php' >"$WORK/root/srv/$name"
    chmod 0 "$WORK/root/srv/$name"
    weak() { setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search "$YAGURA" respond "$@"; }
    code "0 1 3" weak start --runbook "$WORK/short.yaml" --root "$WORK/root"
    code 3 weak do look
    says "unread:/srv/x\xff\x1b[2J\x0a+ y.php"
    code 0 weak sign 'unread:/srv/x\xff\x1b[2J\x0a+ y.php' --because "it is ours"
    code "0 3" weak do look
    says_not "y.php"
}

@test "the scan with --quarantine: what would be moved is said first, and moved only then" {
    sed -i '/id: look/s/verify: \[content\]/action: scan, verify: [scan-settled]/' "$WORK/short.yaml"
    mkdir -p "$WORK/root/srv"
    echo '<?php system($_GET["c"]);' >"$WORK/root/srv/shell.php"
    code 0 "$YAGURA" respond start --runbook "$WORK/short.yaml" --root "$WORK/root"
    code 1 "$YAGURA" respond do look --quarantine --dry-run
    unwrapped
    says "/srv/shell.php: a web shell" "/srv/shell.php would be moved into quarantine" "Nothing was done"
    [ -e "$WORK/root/srv/shell.php" ]
    code "1 3" "$YAGURA" respond do look --quarantine --yes # it is no operating system
    unwrapped
    says "/srv/shell.php was moved to" "quarantine give-back ID"
    [ ! -e "$WORK/root/srv/shell.php" ]
    code 0 "$YAGURA" quarantine list
    says shell.php
    code 0 "$YAGURA" respond sign "unread:$WORK/root" --because "a folder of the test"
    code 0 "$YAGURA" respond do look
}

@test "a step that waits for the scan's findings names the command that lists all of them" {
    cat >"$WORK/waits.yaml" <<'YAML'
id: waits
title: Waits
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no, offline: yes}
  - {id: scan, title: Look, text: x, why: x, action: scan, verify: [scan-settled], undo: no, offline: yes}
  - {id: after, title: After, text: x, why: x, before: [scan-settled], action: report, verify: [report-written], undo: no, offline: yes}
YAML
    mkdir -p "$WORK/root/srv"
    code "0 1 3" "$YAGURA" respond start --runbook "$WORK/waits.yaml" --root "$WORK/root"
    code 0 "$YAGURA" respond skip scan --because "a test"
    printf '<?p''hp @ev''al($_PO''ST["q"]); ?>' | tee "$WORK/root/srv/x.php" >"$WORK/root/srv/y.php"
    code 1 "$YAGURA" respond do after
    unwrapped
    says "2 findings are neither gone nor signed for" "and others ($YAGURA respond do scan lists all of them)"
    code 1 "$YAGURA" --lang ja respond do after
    unwrapped
    says "respond do scan"
    # where they stand above, it need not be said
    code 1 "$YAGURA" respond do scan
    says "/srv/x.php" "/srv/y.php"
    says_not "lists all of them"
}

@test "where a runbook calls its steps otherwise, what is to be typed has its names" {
    cat >"$WORK/ours.yaml" <<'YAML'
id: ours
title: Ours
steps:
  - {id: begin, title: Open, text: x, why: x, action: open, verify: [opened], undo: no, offline: yes}
  - {id: cut, title: Cut, text: x, why: x, action: isolate, verify: [isolated], undo: {action: open-network}}
  - {id: find, title: Find, text: x, why: x, action: scan, verify: [scan-settled], undo: no, offline: yes}
  - {id: look, title: Look, text: x, why: x, before: [isolated, content, reconnected], verify: [opened], undo: no}
  - {id: back, title: Back, text: x, why: x, action: restore, verify: [content], undo: no}
  - {id: open-again, title: Open, text: x, why: x, action: open-network, verify: [reconnected], undo: no}
  - {id: after, title: After, text: x, why: x, before: [scan-settled], action: report, verify: [report-written], undo: no, offline: yes}
YAML
    code 0 "$YAGURA" respond start --runbook "$WORK/ours.yaml"
    code 0 "$YAGURA" respond skip cut --because "a test"
    code 0 "$YAGURA" respond skip find --because "a test"
    code 1 "$YAGURA" respond do look
    unwrapped
    says "respond do cut" "respond do back --site DOCUMENT-ROOT --from"
    says_not "respond do isolate" "respond do restore"
    code 0 "$YAGURA" respond skip look --because "a test"
    code 2 "$YAGURA" respond do back
    unwrapped
    says "respond do back --site"
    code 2 "$YAGURA" respond rotate "$WORK/wp-config.php"
    unwrapped
    # no step of this one lists them
    says "no step found salts there"
    # of a volume
    mkdir -p "$WORK/root/srv"
    printf '<?p''hp @ev''al($_PO''ST["q"]); ?>' | tee "$WORK/root/srv/x.php" >"$WORK/root/srv/y.php"
    code "0 1 3" "$YAGURA" respond start --runbook "$WORK/ours.yaml" --root "$WORK/root" --state "$WORK/volume"
    code 0 "$YAGURA" respond skip find --because "a test" --state "$WORK/volume"
    code 1 "$YAGURA" respond do after --state "$WORK/volume"
    unwrapped
    says "respond do find lists all of them"
}

@test "what the scan of an incident found is explained by its id" {
    sed -i '/id: look/s/verify: \[content\]/action: scan, verify: [scan-settled]/' "$WORK/short.yaml"
    mkdir -p "$WORK/root/srv"
    printf '<?p''hp @ev''al($_PO''ST["q"]); ?>' >"$WORK/root/srv/x.php"
    code "0 1 3" "$YAGURA" respond start --runbook "$WORK/short.yaml" --root "$WORK/root"
    code 1 "$YAGURA" respond do look
    local id
    id=$(grep -oE '^! [0-9a-f]{8} ' <<<"$output" | head -1 | cut -c3-10)
    code 1 "$YAGURA" explain "$id"
    unwrapped
    says "/srv/x.php" "a web shell in PHP" "--quarantine"
    rm "$WORK/root/srv/x.php"
    code 0 "$YAGURA" explain "$id"
    says "is not there any more"
}

@test "rules of one's own, one of them broken, and what lies in the way of the scan: said, and the incident goes on" {
    sed -i '/id: look/s/verify: \[content\]/action: scan, verify: [scan-settled]/' "$WORK/short.yaml"
    mkdir -p "$WORK/root/srv" "$WORK/rules"
    echo "a needle" >"$WORK/root/srv/x.txt"
    truncate -s 10G "$WORK/root/srv/sparse"
    mkfifo "$WORK/root/srv/fifo"
    ln -s loop "$WORK/root/srv/loop"
    ln -s / "$WORK/root/srv/everything"
    /usr/bin/python3 - "$WORK/root/srv/bomb.zip" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for i in range(8):
        z.writestr(str(i), b"\0" * (128 << 20))
PY
    printf '%s\n' 'rule needle { meta: severity = "high" strings: $a = "needle" condition: $a }' 'rule torn { strings: $a = "x' \
        >"$WORK/rules/own.yar"
    # none of the rules: nothing, and nothing hangs
    code 0 "$YAGURA" respond start --runbook "$WORK/short.yaml" --root "$WORK/root"
    code 3 within 60 "$YAGURA" respond do look # it is no operating system, and nothing else
    code 0 "$YAGURA" respond sign "unread:$WORK/root" --because "a folder of the test"
    code 0 within 60 "$YAGURA" respond do look
    code 2 "$YAGURA" respond do restore --rules "$WORK/rules"
    says "--rules is of the step"
    code 2 "$YAGURA" respond do look --rules "$WORK/nothing"
    says "No such file"
    cd "$WORK"
    code 1 within 60 "$YAGURA" respond do look --rules rules
    unwrapped
    says "unread:$WORK/rules/own.yar:3 unterminated string" "x.txt" "respond sign ID" "yagura scan --rules rules --root $WORK/root"
    says_not "ID ... --rules"
    # they are asked again though nobody names them
    cd /
    code 1 "$YAGURA" respond do look --json
    holds 'next(o for o in every if o.get("step") == "look")["result"]["rules"] == "'"$WORK"'/rules"'
    local id
    id=$(printf '%s\n' "$stdout" | /usr/bin/python3 -c 'import json, sys; print(*[o["id"] for o in map(json.loads, sys.stdin) if o["type"] == "finding"])')
    # shellcheck disable=SC2086 # a list
    code 0 "$YAGURA" respond sign $id --because "it is ours"
    code 3 "$YAGURA" respond do look
    says "1 thing could not be looked at, and is not signed for"
    code 0 "$YAGURA" respond sign "unread:$WORK/rules/own.yar:3" --because "to be mended tomorrow"
    code 0 "$YAGURA" respond do look
    echo "another needle" >"$WORK/root/srv/y.txt"
    code 1 "$YAGURA" respond resume
    says "y.txt"
    code 0 "$YAGURA" ledger verify
}

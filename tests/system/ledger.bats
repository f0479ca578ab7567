#!/usr/bin/env bats
# The record of what was applied, and its proof against whoever has the file.
load lib

setup() {
    images
    DISK="--image $IMAGES/windows2000-iis5-found.img --as-of 2001-06-06"
    STORE=$WORK/state/state.db
}
record() {
    # shellcheck disable=SC2086
    code "0 1 3" "$YAGURA" patch record "$1" $DISK --who taro --when "${2:-2001-06-01}" --because "${3:-the page of IPA}"
}
# three entries
fill() { record Q267559 && record Q291845 2001-06-02 && record Q260205 2001-06-03; }
sql() { sqlite3 "$STORE" "$@"; }

@test "what was applied is written down and shown again" {
    fill
    code 0 "$YAGURA" patch history --json
    holds 'every[0]["verdict"] == "fixed"' 'all(o["verdict"] for o in every if o["type"] == "patch")'
    holds 'len([o for o in every if o["type"] == "patch"]) == 3' \
        '[o["patch"] for o in every if o["type"] == "patch"] == ["Q267559", "Q291845", "Q260205"]' \
        'all(o["who"] == "taro" and o["host"] == "HOSHI-WEB01" for o in every if o["type"] == "patch")' \
        'every[1]["applied"].startswith("2001-06-02")' 'every[0]["text"] == "the page of IPA"'
    code 0 "$YAGURA" patch history
    says Q291845 2001-06-02 taro
    code 0 "$YAGURA" ledger show --json
    holds '[o["seq"] for o in every if o["type"] == "entry"] == [1, 2, 3]' \
        'all(len(o["hash"]) == 64 for o in every if o["type"] == "entry")'
    code 0 "$YAGURA" ledger verify --json
    holds 'summary["entries"] == 3' 'summary["found"] == 0'
    [ "$(stat -c %a "$WORK/state/keys/ledger.key")" = 600 ]
}

@test "a claim that the files contradict is broken, one that they bear out is fixed" {
    # shellcheck disable=SC2086
    code 1 "$YAGURA" patch record Q293826 $DISK --json
    holds 'every[0]["verdict"] == "broken"' 'summary["found"] > 90'
    # shellcheck disable=SC2086
    code 1 "$YAGURA" patch record Q267559 $DISK --json
    holds 'every[0]["verdict"] == "fixed"'
    # shellcheck disable=SC2086
    code 1 "$YAGURA" patch record Q999999 --because "the vendor's letter" $DISK --json
    holds 'every[0]["verdict"] == "unknown"'
    code 1 "$YAGURA" patch record Q293826 --image "$IMAGES/windows2000-iis5-mended.img" --as-of 2001-06-06 --json
    holds 'every[0]["verdict"] == "fixed"'
    code 1 "$YAGURA" patch record Q293826 --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06
    says "broken"
    code 0 "$YAGURA" patch history
    says "broken" "fixed" "cannot judge"
    [[ "$(printf '%s\n' "$stdout" | tail -2)" == *broken* ]]
}

# the same host as it stood on a day, and perhaps with another service pack
as_of_day() {
    rm -rf "$WORK/tree"
    mkdir "$WORK/tree"
    tsk_recover -a -o 63 "$IMAGES/windows2000-iis5-found.img" "$WORK/tree" >/dev/null
    "$HELPERS/hive" "$WORK/tree/WINNT/system32/config/software" "$@"
    "$HELPERS/hive" "$WORK/tree/WINNT/system32/config/system" "$1"
    DISK="--root $WORK/tree --as-of 2001-06-06 --name web01"
}
verdict_is() { # RULE VERDICT CONFIDENCE
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $DISK --json
    holds "[f for f in findings if f['rule']['id'] == '$1' and f['verdict'] == '$2' and f['confidence'] == '$3']"
}
planned() {
    # shellcheck disable=SC2086
    code 1 "$YAGURA" patch plan $DISK --json
    holds "[o for o in every if o['type'] == 'step' and 'MS01-007' in o['closes'] and o['lost']]"
}

@test "a claim that nothing here can prove is fixed by the claim alone, and record says what audit says" {
    local when
    for when in "--when 2001-05-01" ""; do
        rm -rf "$WORK/state"
        # shellcheck disable=SC2086
        code "0 1 3" "$YAGURA" patch record Q285851 $DISK $when --json
        holds 'every[0]["verdict"] == "fixed"' 'every[0]["confidence"] == "low"'
        verdict_is MS01-007 fixed low
        # shellcheck disable=SC2086
        code "0 1 3" "$YAGURA" patch record Q285851 $DISK $when
        says "nothing here can prove it"
    done
}

@test "the host ran on and its own list lacks what was recorded: broken, or lost with a service pack" {
    program tsk_recover
    as_of_day 2001-05-02
    # shellcheck disable=SC2086
    code "0 1 3" "$YAGURA" patch record Q285851 $DISK --when 2001-05-03 --json
    verdict_is MS01-007 fixed low
    as_of_day 2001-05-20
    verdict_is MS01-007 broken high
    holds '[f for f in findings if f["rule"]["id"] == "MS01-007" and "list of patches lacks it" in f["summary"]]'
    planned
    as_of_day 2001-05-20 "Service Pack 1" "Service Pack 2"
    verdict_is MS01-007 affected high
    holds '[f for f in findings if f["rule"]["id"] == "MS01-007" and "lost with the service pack" in json.dumps(f["notes"])]'
    planned
    # applied and written down again
    # shellcheck disable=SC2086
    code "0 1 3" "$YAGURA" patch record Q285851 $DISK --json
    verdict_is MS01-007 fixed low
    # a list that cannot be read says nothing against it
    as_of_day 2001-05-25 "Service Pack 1" "Service Pack 2"
    "$HELPERS/damage" "$WORK/tree/WINNT/system32/config/software" noise 4 4
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $DISK --json
    holds 'not [f for f in findings if f["rule"]["id"] == "MS01-007" and f["verdict"] in ("broken", "affected")]'
}

@test "an entry that was changed is named" {
    program sqlite3
    fill
    sql "update ledger set body = replace(body, 'taro', 'jiro') where seq = 2"
    code 1 "$YAGURA" ledger verify --json
    holds '2 in {p["seq"] for p in problems}' 'summary["found"] >= 1' '1 not in {p["seq"] for p in problems}'
    code 1 "$YAGURA" ledger verify
    says "cannot be trusted"
}

@test "an entry that was changed together with its hash is named" {
    program sqlite3
    fill
    /usr/bin/python3 - "$STORE" <<'PY'
import hashlib, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
before = "0" * 64
for seq, body in db.execute("select seq, body from ledger order by seq").fetchall():
    if seq >= 2:
        body = body.replace("taro", "jiro")
    digest = hashlib.sha256((before + body).encode()).hexdigest()
    if seq >= 2:
        db.execute("update ledger set body = ?, hash = ? where seq = ?", (body, digest, seq))
    else:
        assert digest == db.execute("select hash from ledger where seq = 1").fetchone()[0], \
            "the hash is not made as record/ledger.h says"
    before = digest
db.commit()
PY
    code 1 "$YAGURA" ledger verify --json
    holds '{2, 3} <= {p["seq"] for p in problems}'
}

@test "an entry that was taken out, slipped in or moved is named" {
    program sqlite3
    fill
    cp "$STORE" "$WORK/good.db"
    sql "delete from ledger where seq = 2"
    code 1 "$YAGURA" ledger verify --json
    holds 'len(problems) >= 1'
    cp "$WORK/good.db" "$STORE"
    sql "insert into ledger select seq + 3, body, hash, signature from ledger where seq = 3"
    code 1 "$YAGURA" ledger verify
    cp "$WORK/good.db" "$STORE"
    sql "update ledger set seq = 9 where seq = 1; update ledger set seq = 1 where seq = 2; update ledger set seq = 2 where seq = 9"
    code 1 "$YAGURA" ledger verify
    cp "$WORK/good.db" "$STORE"
    sql "update ledger set signature = (select signature from ledger where seq = 1) where seq = 3"
    code 1 "$YAGURA" ledger verify --json
    holds '3 in {p["seq"] for p in problems}'
    cp "$WORK/good.db" "$STORE"
    code 0 "$YAGURA" ledger verify
    # what is no JSON any more neither crashes nor passes
    sql "update ledger set body = 'noise' where seq = 1"
    code 1 "$YAGURA" ledger verify
    code "0 1 3" "$YAGURA" ledger show
    code "0 1 3" "$YAGURA" patch history
    sql "update ledger set body = null, hash = null, signature = null where seq = 1"
    code 1 "$YAGURA" ledger verify
    code "0 1 3" "$YAGURA" ledger show
    sql "drop table ledger"
    code "1 3" "$YAGURA" ledger verify --checkpoint /dev/null || code 2 "$YAGURA" ledger verify --checkpoint /dev/null
}

@test "a checkpoint kept elsewhere shows a cut tail and a rewritten whole" {
    program sqlite3
    fill
    code 0 "$YAGURA" ledger checkpoint
    printf '%s\n' "$stdout" >"$WORK/checkpoint"
    [ "$(wc -l <"$WORK/checkpoint")" -eq 5 ]
    code 0 "$YAGURA" ledger verify --checkpoint "$WORK/checkpoint"
    record Q277873
    code 0 "$YAGURA" ledger verify --checkpoint "$WORK/checkpoint"
    cp "$STORE" "$WORK/good.db"
    sql "delete from ledger where seq >= 3"
    code 0 "$YAGURA" ledger verify
    code 1 "$YAGURA" ledger verify --checkpoint "$WORK/checkpoint"
    # the whole made anew with the very key
    sql "delete from ledger"
    record Q267559 2001-06-01 "another story" && record Q291845 && record Q260205 && record Q277873
    code 0 "$YAGURA" ledger verify
    code 1 "$YAGURA" ledger verify --checkpoint "$WORK/checkpoint"
    # and with another key
    cp "$WORK/good.db" "$STORE"
    mv "$WORK/state/keys" "$WORK/keys"
    code "1 3" "$YAGURA" ledger verify
    rm -rf "$WORK/state/keys"
    mv "$WORK/keys" "$WORK/state/keys"
    code 0 "$YAGURA" ledger verify --checkpoint "$WORK/checkpoint"
    # a checkpoint that was edited is no checkpoint
    sed 's/^4$/3/; 2s/.*/2/' "$WORK/checkpoint" >"$WORK/edited"
    code "1 2" "$YAGURA" ledger verify --checkpoint "$WORK/edited"
    echo noise >"$WORK/edited"
    code 2 "$YAGURA" ledger verify --checkpoint "$WORK/edited"
}

@test "two at once do not tear the chain" {
    local i
    for i in 1 2 3 4 5 6; do
        # shellcheck disable=SC2086
        "$YAGURA" patch record "Q10000$i" --because six $DISK >/dev/null 2>&1 &
    done
    wait
    code 0 "$YAGURA" ledger verify --json
    holds 'summary["entries"] == 6'
}

@test "a memory that cannot be opened is said, and nothing claims to be written" {
    mkdir -p "$WORK/state"
    head -c 8192 /dev/urandom >"$STORE"
    # shellcheck disable=SC2086
    code 3 "$YAGURA" patch record Q267559 $DISK
    says "state.db"
    says_not "written down"
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $DISK
    says "HOSHI-WEB01" "to fix today" "without memory"
}

@test "what is no patch is told what it is, and not written down" {
    # shellcheck disable=SC2086
    code 2 "$YAGURA" patch record MS01-026 $DISK
    says "MS01-026 is an advisory: its patch here is Q293826:" "yagura patch record Q293826"
    # shellcheck disable=SC2086
    code 2 "$YAGURA" patch record ms02-999 $DISK
    says "no advisory here knows a patch ms02-999" "--because TEXT"
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $DISK --json
    local id
    id=$(head -1 <<<"$stdout" | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')
    # shellcheck disable=SC2086
    code 2 "$YAGURA" patch record "$id" $DISK
    says "$id is a finding:" "yagura explain $id"
    # shellcheck disable=SC2086
    code 2 "$YAGURA" patch record Q293826 --when 2222-01-01 $DISK
    says "2222-01-01 has not come yet"
    # one that is wrong keeps the others out, too
    # shellcheck disable=SC2086
    code 2 "$YAGURA" patch record Q267559 MS01-026 $DISK
    code 0 "$YAGURA" ledger show --json
    holds 'len(every) == 1'
}

@test "a patch is written down as the advisories spell it" {
    # shellcheck disable=SC2086
    code 1 "$YAGURA" patch record q293826 kb267559 291845 $DISK --json
    holds '[o["patch"] for o in every[:-1]] == ["Q293826", "Q267559", "Q291845"]'
    # what is open decides the exit code, and nothing but that
    code 0 "$YAGURA" ledger show --json
    holds 'len(every) == 4'
    code 1 "$YAGURA" patch record 108827-07 --image "$IMAGES/solaris7-iplanet-mended.img" --because test
}

@test "history is that of the target that is named, with both dates and both names" {
    record Q267559 2001-06-01
    code 1 "$YAGURA" patch record 108662-01 --image "$IMAGES/solaris7-iplanet-found.img" --who jiro --when 2001-06-04
    code 0 "$YAGURA" patch history --json
    holds 'len(every) == 3'
    code 0 "$YAGURA" patch history --json --image "$IMAGES/solaris7-iplanet-found.img"
    holds '[o["patch"] for o in every[:-1]] == ["108662-01"]' 'every[0]["recorded_by"]'
    code 0 "$YAGURA" patch history --image "$IMAGES/solaris7-iplanet-found.img"
    says "2001-06-04  108662-01  umi  jiro" "written down on $(date -u +%Y-%m-%d)" "by $(id -un)"
    says_not Q267559
    code 0 "$YAGURA" patch history --image "$IMAGES/nt4-iis4-found.img"
    says "Nothing has been written down about this target yet"
    code 0 "$YAGURA" ledger show
    says 2001-06-01T 2001-06-04T
}

@test "where there is no state, a command that only shows makes none" {
    local words
    for words in "ledger show" "ledger verify" "ledger checkpoint" "patch history"; do
        # shellcheck disable=SC2086
        code 3 "$YAGURA" $words --state "$WORK/typo"
        says "$WORK/typo: there is no" "nothing was remembered"
    done
    code 3 "$YAGURA" explain 0123456789 --state "$WORK/typo"
    says "name the target, or the memory with --state DIR"
    for words in status "feed list" "advisory list" "advisory show MS01-026"; do
        # shellcheck disable=SC2086
        code 0 "$YAGURA" $words --state "$WORK/typo"
        says "$WORK/typo: there is no such folder"
    done
    [ ! -e "$WORK/typo" ]
    # and where there is one without entries, there is nothing to prove
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $DISK
    code 0 "$YAGURA" ledger verify
    says "The ledger is empty"
    code 3 "$YAGURA" ledger checkpoint
    [ ! -e "$WORK/state/keys" ]
}

@test "without its key the ledger proves nothing, and gets no new one" {
    record Q267559
    rm -r "$WORK/state/keys"
    code 3 "$YAGURA" ledger verify
    says "the ledger's key is missing"
    says_not "slipped in"
    code 3 "$YAGURA" ledger checkpoint
    # shellcheck disable=SC2086
    code 3 "$YAGURA" patch record Q291845 $DISK
    says "Q291845 was not written down" "key is missing"
    [ ! -e "$WORK/state/keys/ledger.key" ]
}

@test "evidence that cannot be written is read, and left as it is" {
    as_root
    program setpriv
    record Q267559
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $DISK --json
    local id words before
    id=$(head -1 <<<"$stdout" | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')
    local evidence
    evidence=$(mktemp -d)/evidence
    cp -r "$WORK/state" "$evidence"
    chmod -R a+rX,a-w "$evidence"
    chmod a+rx "$(dirname "$evidence")"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$YAGURA" --version || skip "nobody may not run what was built"
    before=$(cd "$evidence" && find . -type f -exec sha256sum {} + | sort)
    for words in "ledger verify" "ledger show" "ledger checkpoint" "patch history" "status" "" "feed list"; do
        # shellcheck disable=SC2086
        code 0 setpriv --reuid=65534 --regid=65534 --clear-groups "$YAGURA" --state "$evidence" $words
    done
    code 1 setpriv --reuid=65534 --regid=65534 --clear-groups "$YAGURA" --state "$evidence" explain "$id"
    # shellcheck disable=SC2086
    code 1 setpriv --reuid=65534 --regid=65534 --clear-groups "$YAGURA" --state "$evidence" audit $DISK
    says "the memory can only be read; nothing will be remembered"
    [ "$(cd "$evidence" && find . -type f -exec sha256sum {} + | sort)" = "$before" ]
    # entries that still stand in the log beside the file are not passed over in silence
    chmod u+w "$evidence"
    head -c 64 /dev/zero >"$evidence/state.db-wal"
    chmod 444 "$evidence/state.db-wal"
    chmod a-w "$evidence"
    code 3 setpriv --reuid=65534 --regid=65534 --clear-groups "$YAGURA" --state "$evidence" ledger verify
    says "copy the whole folder"
    rm -rf "$(dirname "$evidence")"
}

@test "reading leaves nothing behind beside the state" {
    record Q267559
    local before
    before=$(cd "$WORK/state" && find . ! -path './cache*' | sort)
    code 0 "$YAGURA" ledger verify
    code 0 "$YAGURA" patch history
    [ "$(cd "$WORK/state" && find . ! -path './cache*' | sort)" = "$before" ]
}

@test "a finding of a named target is explained without a memory" {
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $DISK --json
    local id
    id=$(head -1 <<<"$stdout" | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')
    # shellcheck disable=SC2086
    code 1 env -u YAGURA_STATE -u XDG_STATE_HOME HOME=/nonexistent YAGURA_STATE=/nonexistent/state "$YAGURA" explain "$id" $DISK
    says HOSHI-WEB01
    says_not "could not be made"
}

@test "a full disk is named with what could not be written, and where" {
    as_root
    record Q267559
    mkdir "$WORK/small"
    mount -t tmpfs -o size=1M none "$WORK/small" || skip "no tmpfs may be mounted here"
    cp -r "$WORK/state" "$WORK/small/state"
    dd if=/dev/zero of="$WORK/small/fill" bs=1k >/dev/null 2>&1 || true
    # shellcheck disable=SC2086
    code 3 "$YAGURA" patch record Q291845 $DISK --state "$WORK/small/state" || { umount "$WORK/small"; return 1; }
    says "$WORK/small/state/state.db: " "No space left on device" || { umount "$WORK/small"; return 1; }
    truncate -s -150K "$WORK/small/fill"
    code 3 "$YAGURA" feed import "$ROOT/data/advisories/2001" --state "$WORK/small/state" || { umount "$WORK/small"; return 1; }
    says "No space left on device" || { umount "$WORK/small"; return 1; }
    umount "$WORK/small"
}

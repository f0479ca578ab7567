#!/usr/bin/env bats
# The evidence of an incident: taken from the running host, hashed, entered, bundled, reported.
load lib
load guard

setup() {
    as_root
    cat >"$WORK/evidence.yaml" <<'YAML'
id: evidence
title: {en: Evidence only, ja: 証拠だけ}
steps:
  - id: take
    title: {en: Take the evidence, ja: 証拠の採取}
    text: {en: Reads this host., ja: このホストを読みます。}
    why: {en: It is gone tomorrow., ja: 明日にはありません。}
    action: evidence
    verify: [evidence-whole]
    undo: {en: It changes nothing., ja: 何も変更しません。}
  - id: report
    title: {en: Report, ja: 報告}
    text: {en: Writes the report., ja: 報告書を書きます。}
    why: {en: Somebody will ask., ja: 問われます。}
    action: {action: report, organisation: 鹿沼市, email: webmaster@mirror.example}
    verify: [report-written, evidence-whole]
    undo: {en: It changes nothing., ja: 何も変更しません。}
YAML
    PIDS=()
}
teardown() {
    guard_ends
    for pid in "${PIDS[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    umount -l "$YAGURA_STATE/evidence" 2>/dev/null || true
}
start() { "$YAGURA" respond start --runbook "$WORK/evidence.yaml" "$@"; }
folder() { echo "$YAGURA_STATE"/evidence/*/"$1"; }
# has_none GREP-ARGUMENTS: nothing is found
has_none() { code 1 grep "$@"; }
# is_running PID PROGRAM: it has become that program
is_running() { [ "$(readlink "/proc/$1/exe")" = "$2" ]; }
redo() {
    code 0 "$YAGURA" respond do take
    code 0 "$YAGURA" respond do report
}
# python of a process that listens on 127.0.0.1
LISTENER='import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); time.sleep(300)'
# lines FILE EXPRESSION: python over the JSON Lines of a file, `lines` being all of them
lines() { /usr/bin/python3 -c '
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]
names = {"lines": lines, "pid": int(sys.argv[3]) if len(sys.argv) > 3 else 0}
sys.exit(not eval(sys.argv[2], names) and sys.argv[2] + " does not hold of " + sys.argv[1])' "$@"; }

@test "sockets, processes, open files, deleted programs: as they are, and as sha256sum reads them" {
    mkdir "$WORK/place"
    cp "$(readlink -f "$(command -v sleep)")" "$WORK/place/back door"
    cp "$WORK/place/back door" "$WORK/copy"
    ln -s /etc/shadow "$WORK/place/link"
    (cd "$WORK/place" && exec -a "$(printf 'kworker) 1 2\nS')" "./back door" 300) 7<"$WORK/copy" 3>&- &
    PIDS+=($!)
    /usr/bin/python3 -c "$LISTENER" 47115 3>&- &
    PIDS+=($!)
    until_true 10 is_running "${PIDS[0]}" "$WORK/place/back door"
    until_true 10 grep -q :B80B /proc/net/tcp
    rm "$WORK/place/back door"
    code 0 start --because test
    lines "$(folder first-1)/sockets.jsonl" 'any(s.get("local") == "127.0.0.1:47115" and s["state"] == "LISTEN" and pid in [p["pid"] for p in s["processes"]] for s in lines)' "${PIDS[1]}"
    lines "$(folder first-1)/processes.jsonl" 'any(p["pid"] == pid and p["exe"].endswith("/place/back door") and p["exe_deleted"] and p["cwd"].endswith("/place") and p["cmdline"][1:] == ["300"] and p["uid"] == 0 and len(p["parents"]) > 1 and p["start"] for p in lines)' "${PIDS[0]}"
    lines "$(folder rest-1)/deleted.jsonl" 'any(p["pid"] == pid and p["copy"] == "deleted-%d.bin" % pid for p in lines)' "${PIDS[0]}"
    cmp "$WORK/copy" "$(folder rest-1)/deleted-${PIDS[0]}.bin"
    lines "$(folder rest-1)/open-files.jsonl" 'any(f["pid"] == pid and f["fd"] == 7 and f["to"].endswith("/copy") for f in lines)' "${PIDS[0]}"
    lines "$(folder rest-1)/maps.jsonl" 'any(m["pid"] == pid and "back door (deleted)" in m["maps"] for m in lines)' "${PIDS[0]}"
    lines "$(folder rest-1)/routing.jsonl" 'any(l["kind"] == "link" and l["name"] == "lo" for l in lines) and any(l["kind"] == "route" for l in lines)'
    lines "$(folder rest-1)/kernel.jsonl" 'any(k["path"] == "/proc/sys/kernel/tainted" for k in lines)'
    grep -q " / " "$(folder rest-1)/mounts.txt"
    for f in first-1 rest-1; do (cd "$(folder $f)" && sha256sum --quiet -c SHA256SUMS); done
    [ -z "$(find "$YAGURA_STATE/evidence" -type l)" ]
    [ -z "$(find "$YAGURA_STATE/evidence" -perm /077)" ]
    code 0 "$YAGURA" ledger verify
}

@test "cutting off fails: what was read before is entered all the same" {
    program unshare setpriv nft
    sed '/action: evidence/s/evidence/{action: isolate, mode: contain}/' "$WORK/evidence.yaml" >"$WORK/isolate.yaml"
    # a network of its own, and no right to change even that
    code 3 unshare -n setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$YAGURA" respond start --allow 192.0.2.1 --runbook "$WORK/isolate.yaml"
    [ -d "$(folder first-1)" ]
    code 0 "$YAGURA" ledger show --json
    says '"folder":"first-1"'
    [ ! -d "$(folder rest-1)" ]
}

# A socket, and others with names that make up lines with its inode, with that of a kind of sockets
# that is not listed, and with one that nobody has.
FORGER='import os, socket, time
real = socket.socket(socket.AF_UNIX); real.bind("\0yagura-real-%d" % os.getpid()); real.listen()
line = "0000000000000000: 00000002 00000000 00010000 0001 01 %d /forged-%d" % (os.fstat(real.fileno()).st_ino, os.getpid())
other = socket.socket(socket.AF_UNIX); other.bind("\0x\n" + line); other.listen()
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
made = ["0000000000000000: 00000002 00000000 00010000 0001 01 %d /%s-%d" % (inode, name, os.getpid()) for name, inode in (("netlink", os.fstat(netlink.fileno()).st_ino), ("nobody", 4294967294))]
rest = [socket.socket(socket.AF_UNIX) for line in made]
for s, line in zip(rest, made): s.bind("\0x\n" + line); s.listen()
time.sleep(300)'

@test "a Unix socket whose name makes up a line does not pass for another" {
    /usr/bin/python3 -c "$FORGER" 3>&- &
    PIDS+=($!)
    until_true 10 grep -aq "nobody-${PIDS[0]}" /proc/net/unix
    code 0 start --because test
    local made='"/forged-%d", '
    # by number, where the kernel tells
    /usr/bin/python3 -c 'import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)
s.send(struct.pack("=IHHIIBBHIIIII", 40, 20, 0x301, 1, 0, 1, 0, 0, 0xffffffff, 0, 0, 0, 0))
raise SystemExit(struct.unpack_from("=H", s.recv(65536), 4)[0] == 2)' && made+='"/netlink-%d", "/nobody-%d", '
    lines "$(folder first-1)/sockets.jsonl" '{s["path"] for s in lines if s.get("doubtful") and s.get("path", "").endswith("-%d" % pid)} == {w.replace("%d", str(pid)) for w in ['"$made"'"@yagura-real-%d"]}' "${PIDS[0]}"
}

@test "sockets of another network namespace are seen" {
    program unshare ip
    unshare -n sh -c 'ip link set lo up; exec /usr/bin/python3 -c "$1" 47116' - "$LISTENER" 3>&- &
    PIDS+=($!)
    until_true 10 grep -q B80C "/proc/$!/net/tcp"
    code 0 start
    lines "$(folder rest-1)/sockets-others.jsonl" 'any(s.get("local") == "127.0.0.1:47116" and s["processes"] for s in lines)'
    lines "$(folder first-1)/sockets.jsonl" 'len({s["net"] for s in lines}) == 1'
}

@test "a file of evidence that is changed, added or taken away is noticed, and so is a new list" {
    code 0 start
    code 0 "$YAGURA" respond do report
    first=$(folder first-1)
    cp -a "$first" "$WORK/good"
    again() { rm -rf "$first" && cp -a "$WORK/good" "$first"; }
    sed -i '1s/pid/pit/' "$first/processes.jsonl"
    code 1 "$YAGURA" respond close
    says "first-1/processes.jsonl is not what was written"
    # what it says to do can be pasted from anywhere
    code 1 bash -c "$(grep -A1 '^ *cd /' <<<"$stdout" | head -2)"
    says "processes.jsonl: FAILED"
    again
    redo
    echo x >"$first/more"
    code 1 "$YAGURA" respond close
    says "first-1/more was not written by yagura"
    again
    redo
    rm "$first/sockets.jsonl"
    code 1 "$YAGURA" respond close
    says "first-1/sockets.jsonl is not what was written"
    again
    redo
    echo >>"$first/sockets.jsonl"
    (cd "$first" && sha256sum sockets.jsonl processes.jsonl index.json >SHA256SUMS)
    code 1 "$YAGURA" respond close
    says "first-1/SHA256SUMS is not the one that the ledger knows of"
}

@test "1 MiB is free: as much as goes, whole lines, and what is left out is said" {
    mkdir -p "$YAGURA_STATE/evidence"
    mount -t tmpfs -o size=1m,mode=700 yagura-test "$YAGURA_STATE/evidence" 2>/dev/null || skip "no tmpfs can be mounted here"
    # more than fits, by far: programs of 4 MiB that have no names any more
    for _ in $(seq 8); do
        cp "$(readlink -f "$(command -v sleep)")" "$WORK/large"
        truncate -s 4M "$WORK/large"
        "$WORK/large" 300 3>&- &
        PIDS+=($!)
        until_true 10 is_running "$!" "$WORK/large"
        rm "$WORK/large"
    done
    code 0 start
    unwrapped
    says "the disk has no room for all of the evidence"
    lines "$(folder rest-1)/index.json" '"there was no room for" in str(lines[0]["unread"]) and any(f.get("cut") for f in lines[0]["files"])'
    lines "$(folder rest-1)/kernel.jsonl" 'len(lines) > 5'
    for f in "$(folder first-1)"/*.jsonl "$(folder rest-1)"/*.jsonl; do lines "$f" 'True'; done
    [ "$(df --output=avail -k "$YAGURA_STATE/evidence" | tail -1)" -ge 400 ]
}

@test "a full disk and one that can only be read: a clear error, and the incident goes on" {
    mkdir -p "$YAGURA_STATE/evidence"
    mount -t tmpfs -o size=300k,mode=700 yagura-test "$YAGURA_STATE/evidence" 2>/dev/null || skip "no tmpfs can be mounted here"
    code 3 start
    unwrapped
    says "the disk of the evidence is full"
    mount -o remount,ro "$YAGURA_STATE/evidence"
    code 3 "$YAGURA" respond do take
    unwrapped
    says "the disk of the evidence can only be read"
    umount "$YAGURA_STATE/evidence"
    code 0 "$YAGURA" ledger verify
    code 0 "$YAGURA" respond do take
    mount -t tmpfs -o size=1m,mode=700 yagura-test "$YAGURA_STATE/evidence"
    head -c 800k /dev/zero >"$YAGURA_STATE/evidence/filler"
    code 3 "$YAGURA" respond do report
    unwrapped
    says "the disk of the evidence is full"
    code 0 "$YAGURA" respond skip report --because "no disk"
    code 0 "$YAGURA" ledger verify
}

@test "a disk that fills up or breaks in the middle of a file" {
    program strace
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it looks by ptrace, too
    id=$(date -u +%F)-1
    for _ in $(seq 200); do # so many that it takes several pieces
        sleep 600 3>&- &
        PIDS+=($!)
    done
    # the room is gone at the second piece: whole lines stay, and it is said
    code 0 strace -f -o /dev/null -P "$YAGURA_STATE/evidence/$id/first-1/processes.jsonl" -e trace=write \
        -e inject=write:error=ENOSPC:when=2+ "$YAGURA" respond start --runbook "$WORK/evidence.yaml"
    says "has no room for all of the evidence"
    lines "$(folder first-1)/processes.jsonl" 'len(lines) > 1'
    lines "$(folder first-1)/index.json" '[f["name"] for f in lines[0]["files"] if f.get("cut")] == ["processes.jsonl"]'
    # broken: an error, what was written before is entered, and the step can be done again
    code 3 strace -f -o /dev/null -P "$YAGURA_STATE/evidence/$id/rest-2/maps.jsonl" -e trace=write \
        -e inject=write:error=EIO:when=1+ "$YAGURA" respond do take
    says "maps.jsonl" "Input/output error"
    (cd "$(folder rest-2)" && sha256sum --quiet -c SHA256SUMS && grep -q open-files.jsonl SHA256SUMS)
    code 0 "$YAGURA" respond do take
    says "files of evidence are what was written"
    code 0 "$YAGURA" ledger verify
}

@test "the report: one sequence, the forms filled from facts, a page, a bundle that others can check" {
    program minisign zstd tar
    site 20
    guard
    page=$(find "$SITE" -name '*.html' | head -1)
    echo 'owned<script>alert(1)</script>' >"$page"
    echo '<?php ?>' >"$SITE/<img src=x>.php"
    ln -s /etc/shadow "$SITE/link.html"
    back
    guard_ends
    export TZ=Asia/Tokyo
    code 0 start --because 'a call: "<b>owned</b>"' --first-sign "$(date -u +%Y-%m-%d)"
    code 0 "$YAGURA" respond do report
    says "the report and the signed bundle are in"
    report=$(folder report-1)
    # what is to be read, and to be filled in, by path
    output=$(tr -d '\n ' <<<"$output") # a path of this test may be longer than a line
    says "forabrowser:$report/report.html" "$report/ipa.txtコンピュータ不正アクセス届出" "$report/jpcert.txtJPCERT/CC"
    # on the screen all times are UTC, and that of this place beside them
    code 0 "$YAGURA" respond status
    unwrapped
    [[ "$output" =~ opened\ 20[0-9-]+T[0-9:]+Z\ \(20[0-9-]+\ [0-9:]+\ \+09:00\)\ by ]]
    [[ "$output" =~ done,\ 20[0-9-]+T[0-9:]+Z\ \(20[0-9-]+\ [0-9:]+\ \+09:00\), ]]
    [ -f "$report/timeline.jsonl" ]
    lines "$report/timeline.jsonl" '[m["time"] for m in lines] == sorted(m["time"] for m in lines)'
    lines "$report/timeline.jsonl" '{"ledger", "guard", "file"} <= {m["source"] for m in lines}'
    lines "$report/timeline.jsonl" 'any("link.html" in m["subject"] and m["source"] == "guard" for m in lines)'
    grep -q '+09:00  the incident was opened' "$report/timeline.txt"
    grep -q '企業・組織名:   鹿沼市' "$report/ipa.txt"
    grep -q '■ 監視ツール類のアラート (ツール名: yagura' "$report/ipa.txt"
    grep -q '氏名:$' "$report/ipa.txt"
    grep -q 'タイムゾーン:   JST (UTC+0900)' "$report/jpcert.txt"
    # until when visitors saw it nobody knows while it was not cut off
    grep -q '当サイト (運営: 鹿沼市) は' "$report/notice.ja.txt"
    grep -q 'から (調査中) まで' "$report/notice.ja.txt"
    has_none -n '[{}]' "$report"/*.txt
    has_none -n '^#:' "$report"/*.txt
    grep -q "$(hostname)" "$report/custody.en.txt"
    # each form in its own language
    grep -qE '[0-9]+ ファイル、[0-9]+ バイト$' "$report/jpcert.txt"
    grep -qE '[0-9]+ ファイル、[0-9]+ バイト$' "$report/custody.ja.txt"
    grep -qE '[0-9]+ files, [0-9]+ bytes$' "$report/custody.en.txt"
    has_none bytes "$report"/jpcert.txt "$report"/custody.ja.txt
    grep -q '&lt;img src=x&gt;.php' "$report/report.html"
    grep -q '&lt;b&gt;owned&lt;/b&gt;' "$report/report.html"
    has_none -e '<script' -e '<img' -e '<b>' -e 'http[s]*://' "$report/report.html"
    minisign -q -Vm "$report/bundle.tar.zst" -p "$YAGURA_STATE/keys/ledger.pub"
    mkdir "$WORK/out"
    tar --zstd -C "$WORK/out" -xf "$report/bundle.tar.zst"
    (cd "$WORK/out" && sha256sum --quiet -c yagura-*/SHA256SUMS)
    minisign -q -Vm "$WORK"/out/yagura-*/SHA256SUMS -p "$YAGURA_STATE/keys/ledger.pub"
    # links as links, and what was put aside as it was
    [ "$(readlink "$(find "$WORK/out" -path '*/aside/*' -type l)")" = /etc/shadow ]
    grep -rqx 'owned<script>alert(1)</script>' "$WORK"/out/yagura-*/aside
    diff -r "$(folder first-1)" "$WORK"/out/yagura-*/evidence/first-1
    cmp "$WORK/evidence.yaml" "$WORK"/out/yagura-*/runbook.yaml
    code 0 "$YAGURA" ledger verify --checkpoint "$(echo "$WORK"/out/yagura-*/ledger/checkpoint.txt)"
    # changed, it is noticed
    cp "$report/bundle.tar.zst" "$WORK/bundle"
    printf x | dd of="$report/bundle.tar.zst" bs=1 seek=1000 conv=notrunc status=none
    code 1 "$YAGURA" respond close
    says "report-1/bundle.tar.zst is not what was written"
    cp "$WORK/bundle" "$report/bundle.tar.zst"
    redo
    [ -d "$(folder report-2)" ]
    code 0 "$YAGURA" respond close
    # of a volume of another host: nothing of what the guard of this one knows, nor of its sites
    mkdir -p "$WORK/volume/etc"
    cat >"$WORK/volume.yaml" <<'YAML'
id: volume
title: Volume
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no, offline: yes}
  - {id: report, title: Report, text: x, why: x, action: report, verify: [report-written], undo: no, offline: yes}
YAML
    code 0 "$YAGURA" respond start --runbook "$WORK/volume.yaml" --root "$WORK/volume"
    code 0 "$YAGURA" respond do report --json
    code 0 "$YAGURA" respond status --json
    holds 'not any("guard" in (o.get("result") or {}) for o in every)'
    report=$(echo "$YAGURA_STATE"/evidence/*-2/report-1)
    grep -q 'サイト:$' "$report/ipa.txt"
    lines "$report/timeline.jsonl" '{m["source"] for m in lines} == {"ledger"} and not any("site was" in m["what"] for m in lines)'
}

@test "the first sign is what the guard saw first, unless the operator says otherwise" {
    site 20
    guard
    page=$(find "$SITE" -name '*.html' | head -1)
    echo owned >"$page"
    back
    guard_ends
    sed -i 's/id: take/id: open/;s/action: evidence$/action: open/;s/verify: \[evidence-whole\]/verify: [opened]/' "$WORK/evidence.yaml"
    code 0 start --json
    holds 'next(o for o in every if o.get("step") == "open")["result"]["guard"]["bursts"] == 1'
    code 1 "$YAGURA" respond status --json
    holds 'any(o["type"] == "incident" and o["first_sign_from"] == "guard" and o["first_sign_subject"].endswith(": '"${page#"$SITE"/}"'") for o in every)'
    code 0 "$YAGURA" respond do open
    unwrapped
    says "The guard undid 1 change and could not undo 0" "the guard undid "
    code 0 "$YAGURA" respond resume --first-sign 2026-01-01
    code 1 "$YAGURA" respond status --json
    holds 'any(o["type"] == "incident" and o["first_sign_from"] == "operator" for o in every)'
}

@test "what was quarantined and what was put aside: in the bundle, harmless to unpack, and in the timeline with its times" {
    program minisign zstd tar
    mkdir "$WORK/www" "$WORK/plant"
    echo published >"$WORK/www/index.html"
    code 0 "$YAGURA" init "$WORK/www"
    echo owned >"$WORK/www/index.html"
    echo '<?php eval($_POST["x"]); ?>' >"$WORK/plant/shell.php"
    chmod 4755 "$WORK/plant/shell.php"
    cp -a "$WORK/plant/shell.php" "$WORK/copy"
    touch -d 2001-05-05 "$WORK/plant/shell.php"
    made=$(date -u -d "@$(stat -c %W "$WORK/plant/shell.php")" +%FT%TZ)
    cat >"$WORK/put-back.yaml" <<'YAML'
id: put-back
title: Put back
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no}
  - {id: restore, title: Restore, text: x, why: x, told: {en: The pages are right again., ja: ページを直しました。}, action: restore, verify: [content], undo: no}
  - {id: report, title: Report, text: x, why: x, action: report, verify: [report-written], undo: no}
  - {id: after, title: After, text: x, why: x, told: NOT-YET, verify: [isolated], undo: no}
YAML
    code 0 "$YAGURA" respond start --runbook "$WORK/put-back.yaml" --because test
    { printf 'while :; do sleep 1; done\nexit\n# '; cat "$WORK/copy"; } >"$WORK/plant/loop.sh"
    sh "$WORK/plant/loop.sh" 3>&- &
    local ran=$!
    PIDS+=($ran)
    until_true 10 grep -q loop.sh /proc/$ran/cmdline
    code "0 1" "$YAGURA" scan "$WORK/plant" --quarantine --yes --because "a shell"
    [ ! -e "$WORK/plant/shell.php" ]
    code 0 "$YAGURA" respond do restore
    code 0 "$YAGURA" respond do report
    report=$(folder report-1)
    mkdir "$WORK/out"
    tar --zstd -C "$WORK/out" -xpf "$report/bundle.tar.zst" # as root, with all modes
    cd "$WORK/out"
    sha256sum --quiet -c yagura-*/SHA256SUMS
    kept=$(grep -l shell.php yagura-*/quarantine/*.json)
    cmp "$WORK/copy" "${kept%.json}"
    lines "$kept" 'lines[0]["mode"] & 0o4000 and lines[0]["sha256"]'
    [ -z "$(find . -perm /6000)" ]
    grep -q loop.sh yagura-*/quarantine/processes/$ran-*/process.json
    grep -rqx owned yagura-*/aside
    # their times are the kernel's; what the file says of itself is told beside them
    lines "$report/timeline.jsonl" 'any(m["subject"].endswith("/plant/shell.php") and "btime" in m["what"] and m["time"][:19] + "Z" == "'"$made"'" and "mode 4755" in m["detail"] and "mtime 2001-05-05T00:00:00Z" in m["detail"] for m in lines)'
    lines "$report/timeline.jsonl" 'any(m["what"] == "something was put into quarantine" and m["subject"].endswith("/plant/shell.php") for m in lines)'
    lines "$report/timeline.jsonl" 'any(m["what"] == "a process that ran what was found was ended" and m["subject"].endswith("/plant/loop.sh") and m["detail"].startswith("pid '$ran': sh ") for m in lines)'
    lines "$report/timeline.jsonl" 'not any("processes" in m["subject"] for m in lines)'
    lines "$report/timeline.jsonl" 'any(m["source"] == "file" and m["subject"] == "www: index.html" for m in lines) and not any("?" in m["subject"] for m in lines)'
    # files show only when it was at the latest: no time of the first sign in the forms, but the hint
    grep -q '^発生時刻:$' <(tr -d ' ' <"$report/jpcert.txt")
    grep -q '最初の兆候: *遅くとも .* (www: index.html の時刻による)' "$report/jpcert.txt"
    grep -q "^OS: .*$(. /etc/os-release && echo "$PRETTY_NAME")" "$report/jpcert.txt"
    # visitors hear what was done, and not what is open
    grep -q '^  - The pages are right again.$' "$report/notice.en.txt"
    grep -q '^  ・ページを直しました。$' "$report/notice.ja.txt"
    has_none -E 'NOT-YET|Open|Restore|Report' "$report"/notice.*.txt
    # of equal times the order of the ledger, in which a step begins before it ends
    lines "$report/timeline.jsonl" '[m["number"] for m in lines] == list(range(1, len(lines) + 1))'
    lines "$report/timeline.jsonl" '[m["what"] for m in lines if m["source"] == "ledger" and m["subject"] in ("", "open")][-3:] == ["the incident was opened", "a step was begun", "a step was done and proved"]'
    code 0 "$YAGURA" ledger verify
}

@test "what listened before the cut stands in the draft for JPCERT/CC" {
    /usr/bin/python3 -c "${LISTENER/127.0.0.1/0.0.0.0}" 47117 3>&- &
    PIDS+=($!)
    until_true 10 grep -q B80D /proc/net/tcp
    code 0 start
    code 0 "$YAGURA" respond do report
    grep -q '待ち受けていたもの.*tcp 47117' "$(folder report-1)/jpcert.txt"
    grep -q "待ち受けていたプログラム:.*$(readlink -f /usr/bin/python3)" "$(folder report-1)/jpcert.txt"
}

@test "another user's state: said whose it is, and that the incident is gone on with as that one" {
    program setpriv
    code 0 start
    chmod 755 "$WORK" "$YAGURA_STATE"
    for d in "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$(dirname "$WORK")"; do chmod o+x "$d" 2>/dev/null || true; done
    code 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$YAGURA" respond resume
    unwrapped
    says "This state is another user's (uid 0)"
    code 1 "$YAGURA" respond status
    code 0 "$YAGURA" ledger verify
}

@test "forms of one's own: the folder that the runbook names" {
    mkdir "$WORK/forms"
    printf '#: a remark\nOf {host}, not {of_this}{that|(blank)}, {not a place} {\n' >"$WORK/forms/ours.txt"
    sed -i "s|{action: report, .*|{action: report, forms: $WORK/forms}|" "$WORK/evidence.yaml"
    code 0 start
    code 0 "$YAGURA" respond do report
    [ "$(cat "$(folder report-1)/ours.txt")" = "Of $(hostname), not (blank), {not a place} {" ]
    [ ! -e "$(folder report-1)/ipa.txt" ]
}

@test "300 processes: at most 5 s" {
    for _ in $(seq 300); do
        sleep 300 3>&- &
        PIDS+=($!)
    done
    code 0 start
    lines "$(folder first-1)/processes.jsonl" 'len(lines) > 300'
    for f in first-1 rest-1; do
        /usr/bin/python3 -c 'import json,sys; o=json.load(open(sys.argv[1])); print("#", o["folder"], o["took_us"] / 1000, "ms"); sys.exit(o["took_us"] > 5e6)' "$(folder $f)/index.json" >&3
    done
}

@test "two million descriptors of one user's hide no socket, and keep nobody from cutting off" {
    program unshare setpriv nft
    sed '/action: evidence/s/evidence/{action: isolate, mode: contain}/' "$WORK/evidence.yaml" >"$WORK/isolate.yaml"
    /usr/bin/python3 -c '
import ctypes, os, resource, socket, time
most = min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
try:
    while True: os.dup(s.fileno())
except OSError: pass
for i in range(100):
    if not os.fork():
        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
        time.sleep(300)
print("ready", flush=True)
time.sleep(300)' >"$WORK/many" 3>&- &
    PIDS+=($!)
    for _ in $(seq 300); do grep -q ready "$WORK/many" && break; sleep 0.1; done
    # in a network of its own, and no right to change even that: only what is read first
    code 3 unshare -n setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$YAGURA" respond start --allow 192.0.2.1 --runbook "$WORK/isolate.yaml"
    lines "$(folder first-1)/index.json" '"sockets.jsonl" not in [u["what"] for u in lines[0]["unread"]]'
    [ -e "$(folder first-1)/sockets.jsonl" ]
}

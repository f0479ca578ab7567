#!/usr/bin/env bats
# Has somebody been in? What attackers leave behind, found in the bytes of files, and moved away.
load lib

setup() { mkdir -p "$WORK/site"; }
teardown() {
    local pid
    for pid in $(cat "$WORK/pids" 2>/dev/null); do kill -CONT $pid 2>/dev/null && kill -KILL $pid || :; done
    [ ! -d "${ELSEWHERE:-}" ] || umount "$ELSEWHERE" 2>/dev/null || :
    [ ! -e "$WORK/site/kept.php" ] || chattr -i "$WORK/site/kept.php" 2>/dev/null || :
}

scan() { "$YAGURA" scan --clamd off --json "$@"; }
# A fragment of a shell, put together here so that no scanner stops at this file.
shell() { printf '<?p''hp @ev''al($_PO''ST["q"]); ?>'; }
id_of() { "$YAGURA" quarantine list --json | /usr/bin/python3 -c '
import json, sys
print(*[o["id"] for o in map(json.loads, sys.stdin) if o["type"] == "quarantined"
        and o["origin"].endswith(sys.argv[1])])' "$1"; }

@test "each shipped YARA rule hits what it is for, and nothing that only looks so" {
    /usr/bin/python3 "$HELPERS/samples.py" "$WORK/samples"
    code 1 scan "$WORK/samples"
    printf '%s\n' "$stdout" >"$WORK/found"
    /usr/bin/python3 - "$WORK/found" "$WORK/samples" "$ROOT/data/yara" <<'PY'
import glob, json, os, re, sys
found, samples, data = sys.argv[1:]
hits = {}
for o in map(json.loads, open(found)):
    if o["type"] == "finding":
        for e in o["evidence"]:
            hits.setdefault(e["path"], set()).update(re.findall(r"\brule=(\w+)", e["fact"]))
rules = set()
for path in glob.glob(data + "/*.yar"):
    rules |= set(re.findall(r"^rule (\w+)", open(path).read(), re.M))
assert rules == set(os.listdir(samples + "/hits")), rules ^ set(os.listdir(samples + "/hits"))
assert rules == set(os.listdir(samples + "/misses")), rules ^ set(os.listdir(samples + "/misses"))
for path in glob.glob(samples + "/hits/*/*") + glob.glob(samples + "/hits/*/.*t*"):
    rule = os.path.basename(os.path.dirname(path))
    assert rule in hits.get(path, ()), f"{rule} does not hit {path}: {open(path, 'rb').read()!r}"
wrong = [p for p in hits if "/misses/" in p]
assert not wrong, [(p, hits[p]) for p in wrong]
PY
}

@test "what, why, what to do, source, how sure: in both languages" {
    shell >"$WORK/site/x.php"
    code 1 "$YAGURA" scan "$WORK/site"
    unwrapped
    says "a web shell in PHP" "why Whoever knows its address" "do this" "scan-web-shell" "sure: high" " id " \
        "1 sign that somebody has been in"
    code 1 "$YAGURA" scan "$WORK/site" --lang ja
    says "PHP の Web シェル" "理由" "対処" "侵入の痕跡 1 件"
}

@test "of the servers of 2001 exactly two are infected" {
    images
    local image name
    for image in "$IMAGES"/*.img; do
        name=$(basename "$image" .img)
        case $name in
        solaris7-iplanet-found | windows2000-iis5-found)
            code 1 scan --image "$image"
            holds 'summary["found"] >= 5' 'summary["unknown"] == 0'
            ;;
        *)
            code 0 scan --image "$image"
            holds 'summary["found"] == 0' 'summary["files"] > 20'
            ;;
        esac
    done
    code 2 scan --image "$IMAGES/nt4-iis3-found.img" --quarantine
    says "evidence"
}

@test "an untouched Debian with stock WordPress shows nothing" {
    slow
    mkdir "$WORK/debs"
    (cd "$WORK/debs" && apt-get -qq download wordpress wordpress-theme-twentytwentythree >/dev/null 2>&1) ||
        skip "the packages of WordPress cannot be downloaded here"
    for deb in "$WORK"/debs/*.deb; do dpkg -x "$deb" "$WORK/wordpress"; done
    code 0 scan "$WORK/wordpress" /usr/share
    holds 'summary["files"] > 3000' 'summary["found"] == 0'
}

@test "the rules, and what tests them, are no findings themselves" {
    code 0 scan "$ROOT/data" "$ROOT/src" "$ROOT/po" "$ROOT/docs" "$HELPERS/samples.py" \
        "$ROOT/tests/system/scan.bats"
    holds 'summary["files"] > 300'
}

@test "rules of the user: a broken one is named with its line, and the rest goes on" {
    mkdir -p "$WORK/rules/more"
    cat >"$WORK/rules/broken.yar" <<'YARA'
rule good { strings: $a = "needle-one" condition: $a }
rule torn
{
    strings: $a = "x
    condition: $a
}
rule unknown_word { condition: nothing_like_that }
private rule helper { condition: filesize > 1 }
rule good_too
{
    meta: description = "the second good one"
    strings: $a = "needle-two"
    condition: $a and helper
}
YARA
    echo 'include "../beside.yar"' >"$WORK/rules/more/index.yara"
    echo 'rule beside { strings: $a = "needle" condition: $a and extension == ".txt" }' >"$WORK/rules/beside.yar"
    printf 'YARA\0\1' >"$WORK/rules/compiled.yar"
    printf 'import "magic"\nrule by_magic { condition: magic.type() contains "x" }\nrule after { condition: false }\n' \
        >"$WORK/rules/magic.yar"
    ln -s loop.yar "$WORK/rules/loop.yar"
    echo "needle-one needle-two" >"$WORK/site/x.txt"
    code 1 scan "$WORK/site" --rules "$WORK/rules"
    says loop.yar
    says '"line":5,"column":0,"text":"unterminated string"' 'undefined identifier \"nothing_like_that\"' \
        "rule=good," "rule=good_too," "rule=beside," "the second good one" "only their sources" \
        "the module magic"
    holds 'len(problems) == 6' 'summary["unknown"] == 6'
    code 2 scan "$WORK/site" --rules "$WORK/nothing"
    mkdir "$WORK/empty"
    code 3 scan "$WORK/site" --rules "$WORK/empty"
    says "there are no YARA rules here"
}

@test "large, packed, endless: bounded, said, and the rest goes on" {
    truncate -s 10G "$WORK/site/sparse"
    mkfifo "$WORK/site/fifo"
    ln -s loop "$WORK/site/loop"
    ln -s / "$WORK/site/everything"
    shell >"$WORK/site/x.php"
    /usr/bin/python3 - "$WORK/site/bomb.zip" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for i in range(8):
        z.writestr(str(i), b"\0" * (128 << 20))
PY
    code 1 timeout 60 "$YAGURA" scan --clamd off --json "$WORK/site" "$WORK/site/loop" "$WORK/site/fifo" "$WORK/nothing"
    says "a FIFO, not a regular file" "symbolic links" "No such file"
    holds 'summary["found"] == 1' 'summary["unknown"] == 3' 'summary["archives_not_opened"] == 1' \
        'summary["links_not_followed"] == 2' 'summary["files"] == 3'
    code 2 scan "$WORK/nothing"
    code 3 scan "$WORK/site/loop"
}

@test "a file larger than a piece is looked at as a whole, across the borders" {
    /usr/bin/python3 - "$WORK/site/big" <<'PY'
import sys
with open(sys.argv[1], "wb") as f:
    f.write(b"#" * (70 << 20))
    for at, text in (((32 << 20) - 5, b"needle-one"), (69 << 20, b"needle-two"), (200 << 20, b"needle-end")):
        f.seek(at)
        f.write(text)
PY
    mkdir "$WORK/rules"
    printf 'rule n%s { strings: $a = "needle-%s" condition: $a and filesize > 200MB }\n' _one one _two two \
        _end end >"$WORK/rules/n.yar"
    code 1 scan "$WORK/site" --rules "$WORK/rules"
    says "rule=n_one" "rule=n_two" "rule=n_end"
}

@test "padding hides no program of the server" {
    local i
    printf '<%%@ page %%><%% Runtime.getRuntime().exec(request.getParameter("c")); %%>' >"$WORK/jsp"
    printf '<%% ev''al request("x") %%>' >"$WORK/asp"
    shell >"$WORK/php"
    for i in php asp jsp; do
        { cat "$WORK/$i" && head -c 9M /dev/zero | tr '\0' ' '; } >"$WORK/site/behind.$i"
        { head -c 40M /dev/zero | tr '\0' ' ' && cat "$WORK/$i"; } >"$WORK/site/before.$i"
    done
    { shell && head -c 9M /dev/zero | tr '\0' ' '; } >"$WORK/site/of-a-log.txt"
    code 1 scan "$WORK/site"
    holds 'summary["found"] == 6' 'not [f for f in findings if "of-a-log" in f["subject"]["name"]]'
}

@test "a program that dies of a file costs that file only" {
    mkdir "$WORK/rules"
    echo 'rule slow { condition: filename == "slow" and for all i in (0..9000000000000) : (i >= 0) }' >"$WORK/rules/slow.yar"
    local i
    for i in $(seq 40); do shell >"$WORK/site/$i.php"; done
    echo slow >"$WORK/site/slow"
    "$YAGURA" scan --clamd off --json "$WORK/site" --rules "$WORK/rules" >"$WORK/out" 2>"$WORK/err" &
    local ours=$! helper
    # the one that is at work while the others wait
    for i in $(seq 100); do
        sleep 0.1
        helper=$(pgrep -P $ours -x yagura-scan -r R | head -1) && sleep 0.5 &&
            helper=$(pgrep -P $ours -x yagura-scan -r R | head -1) && break
    done
    [ -n "$helper" ]
    kill -ILL "$helper" # a sanitizer takes SIGSEGV for itself
    local ended=0
    wait $ours || ended=$?
    [ $ended = 1 ]
    stdout=$(cat "$WORK/out")
    output=$stdout
    says "died of it (SIGILL)"
    holds 'summary["found"] == 40' 'summary["unknown"] == 1'
}

# A real clamd with a signature of our own, listening at $WORK/run/s.
start_clamd() {
    program clamd
    mkdir -p "$WORK/db" "$WORK/run"
    rm -f "$WORK/run/s"
    printf 'Own.Test.Marker:0:*:%s\n' "$(printf 'own-test-marker' | od -An -tx1 | tr -d ' \n')" >"$WORK/db/own.ndb"
    printf '%s\n' "LocalSocket $WORK/run/s" "DatabaseDirectory $WORK/db" "Foreground yes" "User ${1:-$(id -un)}" \
        "TemporaryDirectory $WORK/run" "LogFile $WORK/run/log" "StreamMaxLength 1M" >"$WORK/clamd.conf"
    clamd -c "$WORK/clamd.conf" >/dev/null 2>&1 3>&- &
    echo $! >>"$WORK/pids"
    echo $! >"$WORK/clamd.pid"
    local i
    for i in $(seq 600); do [ ! -S "$WORK/run/s" ] || break; sleep 0.1; done
    [ -S "$WORK/run/s" ] || skip "clamd does not start here: $(tail -1 "$WORK/run/log")"
}
# relay NAME TO: listens at $WORK/run/NAME (helpers/relay).
relay() {
    "$HELPERS/relay" "$WORK/run/$1" "$2" >/dev/null 2>&1 3>&- &
    echo $! >>"$WORK/pids"
    local i
    for i in $(seq 200); do [ ! -S "$WORK/run/$1" ] || return 0; sleep 0.1; done
    return 1
}

@test "ClamAV is asked where clamd listens, and its loss is said" {
    start_clamd
    echo "an own-test-marker here" >"$WORK/site/a.txt"
    echo clean >"$WORK/site/b.txt"
    gzip -k "$WORK/site/a.txt"
    code 1 "$YAGURA" scan --json "$WORK/site" --clamd "$WORK/run/s"
    says "ClamAV calls it Own.Test.Marker"
    holds 'summary["found"] == 2' 'summary["unknown"] == 0' 'summary["clamav"]' # clamd unfolds archives
    code 3 "$YAGURA" scan --json "$WORK/site/b.txt" --clamd "$WORK/run/none"
    says "No such file"
    kill "$(cat "$WORK/clamd.pid")"
    for i in $(seq 100); do kill -0 "$(cat "$WORK/clamd.pid")" 2>/dev/null || break; sleep 0.1; done
    code 3 "$YAGURA" scan --json "$WORK/site/b.txt" --clamd "$WORK/run/s"
    holds 'not summary["clamav"]' 'summary["unknown"] == 1'
}

@test "clamd may be another user, and is sent the bytes where no descriptor reaches it" {
    as_root
    mkdir -p "$WORK/run"
    chown nobody "$WORK/run"
    chmod o+x "$(dirname "$(dirname "$WORK")")" "$(dirname "$WORK")" "$WORK"
    start_clamd nobody
    relay far "$WORK/run/s"
    echo "an own-test-marker here" >"$WORK/site/a.txt"
    chmod 600 "$WORK/site/a.txt"
    echo clean >"$WORK/site/b.txt"
    head -c 2500000 /dev/zero >"$WORK/site/long"
    chmod 700 "$WORK/site" # which the user nobody may not open
    code 1 "$YAGURA" scan --json "$WORK/site" --clamd "$WORK/run/s"
    holds 'summary["found"] == 1' 'summary["unknown"] == 0'
    code 1 "$YAGURA" scan --json "$WORK/site" --clamd "$WORK/run/far"
    says "ClamAV calls it Own.Test.Marker" "INSTREAM size limit exceeded"
    holds 'summary["found"] == 1' 'summary["unknown"] == 1' 'summary["clamav"]'
}

@test "a clamd that hangs, dies in the middle or talks nonsense is never a clean answer" {
    start_clamd
    local i
    for i in $(seq 60); do echo "clean $i" >"$WORK/site/$i.txt"; done
    echo "an own-test-marker here" >"$WORK/site/a.txt"
    relay nonsense --nonsense
    code 3 "$YAGURA" scan --json "$WORK/site" --clamd "$WORK/run/nonsense"
    says "makes no sense"
    holds 'not summary["clamav"]' 'summary["unknown"] == 1' 'summary["files"] == 61'
    relay silent --silent
    code 3 timeout 100 "$YAGURA" scan --json "$WORK/site" --clamd "$WORK/run/silent"
    says "clamd does not answer"
    kill -STOP "$(cat "$WORK/clamd.pid")" # it hangs: the kernel still takes connections for it
    code 3 timeout 100 "$YAGURA" scan --json "$WORK/site" --clamd "$WORK/run/s"
    says "clamd does not answer"
    holds 'not summary["clamav"]' 'summary["unknown"] == 1'
    kill -CONT "$(cat "$WORK/clamd.pid")"
    # it hangs up on every file: what lies behind that file is asked about again
    relay torn "$WORK/run/s"
    for i in 1 2 3 4 5; do head -c 2500000 /dev/zero >"$WORK/site/long$i"; done
    code 1 "$YAGURA" scan --json "$WORK/site" --clamd "$WORK/run/torn"
    says "ClamAV calls it Own.Test.Marker"
    holds 'summary["found"] == 1' 'summary["unknown"] == 5'
    # it dies while a program has files in hand
    rm "$WORK/site"/long* "$WORK/site/a.txt"
    mkdir "$WORK/rules"
    echo 'rule slow { condition: filename == "60.txt" and for all i in (0..9000000000000) : (i >= 0) }' >"$WORK/rules/slow.yar"
    "$YAGURA" scan --json "$WORK/site" --clamd "$WORK/run/s" --rules "$WORK/rules" >"$WORK/out" 2>"$WORK/err" 3>&- &
    local ours=$! ended=0
    for i in $(seq 300); do pgrep -P $ours -x yagura-scan -r R >/dev/null && sleep 1 &&
        pgrep -P $ours -x yagura-scan -r R >/dev/null && break; sleep 0.1; done
    kill -KILL "$(cat "$WORK/clamd.pid")"
    wait $ours || ended=$?
    [ $ended = 3 ]
    stdout=$(cat "$WORK/out")
    holds 'summary["found"] == 0' 'summary["unknown"] >= 2'
}

@test "quarantine: out of the server's reach, and back exactly" {
    as_root
    program setfattr getfattr
    shell >"$WORK/site/x.php"
    shell >"$WORK/site/kept.php"
    ln "$WORK/site/x.php" "$WORK/site/again.txt"
    setfattr -n user.note -v hello "$WORK/site/kept.php" 2>/dev/null || :
    chown www-data "$WORK/site/kept.php"
    chmod 4755 "$WORK/site/kept.php"
    touch -d '2001-06-06 12:34:56.789' "$WORK/site/kept.php"
    chattr +i "$WORK/site/kept.php" 2>/dev/null || :
    local before
    before=$(stat -c '%i %a %u %g %s %y' "$WORK/site/kept.php"; getfattr -d "$WORK/site/kept.php"; lsattr "$WORK/site/kept.php")
    code 1 scan "$WORK/site" --quarantine --dry-run
    says "would-quarantine"
    [ -e "$WORK/site/x.php" ]
    code 1 scan "$WORK/site" --quarantine --yes --because "found by a test"
    holds 'len(of("quarantined")) == 3'
    says '"other_names":1'
    [ ! -e "$WORK/site/x.php" ]
    [ ! -e "$WORK/site/kept.php" ]
    code 0 scan "$WORK/site"
    local id
    id=$(id_of /kept.php)
    [ -f "$YAGURA_STATE/quarantine/$id" ]
    chmod o+x "$(dirname "$(dirname "$WORK")")" "$(dirname "$WORK")" "$WORK" "$WORK/site"
    local -a visitor=(setpriv --reuid www-data --regid www-data --clear-groups)
    "${visitor[@]}" test -d "$WORK/site/." # the way there is open
    run "${visitor[@]}" test -r "$YAGURA_STATE/quarantine/$id"
    [ "$status" = 1 ]
    code 0 "$YAGURA" quarantine list --json
    says "found by a test" "/site/kept.php"
    echo "the page" >"$WORK/site/kept.php"
    code 2 "$YAGURA" quarantine give-back "$id"
    says "something else lies there now"
    rm "$WORK/site/kept.php"
    code 0 "$YAGURA" quarantine give-back "$id"
    [ "$before" = "$(stat -c '%i %a %u %g %s %y' "$WORK/site/kept.php"; getfattr -d "$WORK/site/kept.php"; lsattr "$WORK/site/kept.php")" ]
    code 2 "$YAGURA" quarantine give-back "$id"
    says "nothing in quarantine has the id"
    code 0 "$YAGURA" ledger verify
    code 0 "$YAGURA" ledger show
    says quarantine give-back kept.php
}

@test "quarantine take: what no pattern knows, by its name; no folder, nothing through a link that lies there" {
    as_root
    mkdir "$WORK/site/cron"
    echo '* * * * * root x' >"$WORK/site/cron/job"
    ln -s "$WORK/site" "$WORK/way"
    ln -s cron/job "$WORK/site/link"
    chmod 4750 "$WORK/site/cron/job"
    local before
    before=$(stat -c '%i %a %u %g %s %y' "$WORK/site/cron/job")
    code 0 "$YAGURA" quarantine take "$WORK/site/cron/job" --dry-run
    says "would be moved into quarantine"
    code 2 "$YAGURA" quarantine take "$WORK/site/cron/job"
    says "--yes says yes"
    [ -e "$WORK/site/cron/job" ]
    code 2 "$YAGURA" quarantine take "$WORK/site/cron" --yes
    says "this is a folder"
    # of several the others are moved all the same; the way there may lead through a link
    cd "$WORK/way"
    code 2 "$YAGURA" quarantine take none cron/job link --yes --because "no job of ours" --json
    holds 'sorted(o["kind"] for o in every if o["type"] == "quarantined") == ["file", "link"]' 'last["quarantined"] == 2' 'last["unknown"] == 1'
    [ ! -e "$WORK/site/cron/job" ]
    [ ! -L "$WORK/site/link" ]
    code 0 "$YAGURA" quarantine list
    says "no job of ours" "/cron/job"
    code 0 "$YAGURA" ledger show
    says "/site/cron/job" "no job of ours"
    code 0 "$YAGURA" quarantine give-back "$(id_of /cron/job)"
    [ "$before" = "$(stat -c '%i %a %u %g %s %y' "$WORK/site/cron/job")" ]
    code 0 "$YAGURA" ledger verify
}

@test "what was set-uid is no finding where it is kept, and is one anywhere else" {
    as_root
    local host=$WORK/host
    mkdir -p "$host"/{etc,var/lib/dpkg,srv}
    printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' >"$host/etc/os-release"
    printf 'root:x:0:0::/root:/bin/sh\n' >"$host/etc/passwd"
    : >"$host/var/lib/dpkg/status"
    shell >"$host/srv/x.php"
    cp "$host/srv/x.php" "$host/srv/y.txt"
    chmod 4755 "$host/srv/x.php"
    export YAGURA_STATE=$host/var/lib/yagura
    privileged() { grep -o '"subject":{"kind":"privileged-file","name":"[^"]*' <<<"$stdout" | cut -d'"' -f10 | sort -u; }
    code 1 scan --root "$host"
    [ "$(privileged)" = /srv/x.php ]
    code "1 3" scan --root "$host" --quarantine --yes
    [ "$(find "$YAGURA_STATE/quarantine" -perm -4000 | wc -l)" = 1 ]
    code "0 1 3" scan --root "$host"
    [ -z "$(privileged)" ]
    cp -a "$YAGURA_STATE/quarantine" "$host/srv/quarantine"
    code 1 scan --root "$host"
    [[ "$(privileged)" == /srv/quarantine/* ]]
}

@test "a folder that only bears the name of one of ours hides nothing" {
    mkdir -p "$WORK/www"
    echo hello >"$WORK/www/index.html"
    code 0 "$YAGURA" init "$WORK/www"
    shell >"$WORK/site/x.php"
    code 1 scan "$WORK/site" --quarantine --yes
    # ours: what was put aside is not found again
    shell >"$WORK/.yagura-www/bad-1"
    code 0 scan "$WORK/www" "$WORK/.yagura-www" "$YAGURA_STATE"
    # with any name, owner and mode of ours
    local name
    for name in "$WORK/www/.yagura-www" "$WORK/.yagura-quarantine" "$WORK/.yagura-x"; do
        mkdir -m 700 "$name"
        shell >"$name/x.php"
    done
    code 1 scan "$WORK"
    holds 'len(of("finding")) == 3' 'all(".yagura-" in o["subject"]["name"] for o in of("finding"))'
    # another state knows nothing of them
    code 1 scan "$WORK/.yagura-www" --state "$WORK/other"
}

@test "quarantine on another file system stays there, and names of any bytes go too" {
    as_root
    ELSEWHERE=$WORK/elsewhere
    mkdir "$ELSEWHERE"
    mount -t tmpfs none "$ELSEWHERE" || skip "nothing can be mounted here"
    mkdir -p "$ELSEWHERE/www/deep"
    local name
    name=$(printf 'a\xff\n\033[2J; rm.php')
    shell >"$ELSEWHERE/www/deep/$name"
    code 1 scan "$ELSEWHERE/www" --quarantine --yes
    [ ! -e "$ELSEWHERE/www/deep/$name" ]
    [ "$(stat -c %a "$ELSEWHERE/.yagura-quarantine")" = 700 ]
    code 0 scan "$ELSEWHERE"
    holds 'summary["files"] == 0'
    code 0 "$YAGURA" quarantine give-back "$(id_of .php)"
    [ -e "$ELSEWHERE/www/deep/$name" ]
    # somebody else's folder of that name is not used
    rmdir "$ELSEWHERE/.yagura-quarantine"
    mkdir -m 777 "$ELSEWHERE/.yagura-quarantine"
    code 1 scan "$ELSEWHERE/www" --quarantine --yes
    says "not ours alone"
    [ -e "$ELSEWHERE/www/deep/$name" ]
    umount "$ELSEWHERE"
}

@test "a byte that is no text, and a name that is spelled like it, are two findings" {
    as_root
    local raw
    raw=$(printf '\xff.php')
    shell >"$WORK/site/$raw"
    shell >"$WORK/site/\\xff.php"
    code 1 scan "$WORK/site"
    holds 'sorted(f["subject"]["name"].rsplit("/", 1)[1] for f in findings) == ["\\x5cxff.php", "\\xff.php"]' \
        'len({f["id"] for f in findings}) == 2'
    code 1 scan "$WORK/site" --quarantine --yes
    [ -z "$(ls -A "$WORK/site")" ]
    code 0 "$YAGURA" quarantine give-back $(id_of 'site/\xff.php' | cut -d ' ' -f 1)
    [ "$(ls -A "$WORK/site" | wc -l)" = 1 ]
}

@test "quarantine below a bind mount, which has the device of what lies above it" {
    as_root
    ELSEWHERE=$WORK/bound
    mkdir -p "$ELSEWHERE" "$WORK/site/deep"
    shell >"$WORK/site/deep/x.php"
    mount --bind "$WORK/site" "$ELSEWHERE" || skip "nothing can be mounted here"
    code 1 scan "$ELSEWHERE/deep" --quarantine --yes
    [ ! -e "$ELSEWHERE/deep/x.php" ]
    [ "$(stat -c %a "$ELSEWHERE/.yagura-quarantine")" = 700 ]
    [ ! -e "$WORK/.yagura-quarantine" ]
    code 0 "$YAGURA" quarantine give-back "$(id_of .php)"
    [ -e "$ELSEWHERE/deep/x.php" ]
    umount "$ELSEWHERE"
}

# begin COMMAND ...: in the background, its pid is kept for the end and in $begun.
begin() {
    "$@" >/dev/null 2>&1 3>&- &
    begun=$!
    echo $begun >>"$WORK/pids"
}
# A zombie, whose parent is this shell, has ended.
lives() { [ -e "/proc/$1/stat" ] && [[ "$(sed 's/.*) //' "/proc/$1/stat")" != [ZX]* ]]; }
gone() { if lives "$1"; then echo "$1 lives: $(tr '\0' ' ' <"/proc/$1/cmdline")"; return 1; fi; }
# runs PID TEXT: waits until its command line says so: it has begun.
runs() {
    local i
    for i in $(seq 100); do [[ "$(tr '\0' ' ' <"/proc/$1/cmdline")" != *"$2"* ]] || return 0; sleep 0.1; done
    return 1
}
# What each kind of program looks like that hits a rule and runs.
plant_running() {
    cp "$(command -v sleep)" "$WORK/site/bot"
    shell >>"$WORK/site/bot"
    { echo 'while :; do sleep 1; done'; echo exit; echo "# $(shell)"; } >"$WORK/site/loop.sh"
    cp "$WORK/site/loop.sh" "$WORK/site/hidden.sh"
    printf 'import time\nwhile True: time.sleep(1)\n# %s\n' "$(shell)" >"$WORK/site/loop.py"
}

@test "what runs from a file that was found is named, kept as evidence and ended; nothing else is" {
    plant_running
    begin "$WORK/site/bot" 600
    local bot=$begun script hidden python reader tail
    begin sh "$WORK/site/loop.sh"
    script=$begun
    begin env A_SECRET=hunter2 bash -c 'cd "$0"; exec -a kworker bash hidden.sh' "$WORK/site"
    hidden=$begun
    begin env -C "$WORK/site" /usr/bin/python3 loop.py
    python=$begun
    begin bash -c 'exec 3<"$0"; while :; do read -t 1 <> <(:); sleep 1; done' "$WORK/site/loop.sh"
    reader=$begun
    begin tail -f "$WORK/site/loop.py" "$WORK/site/bot"
    tail=$begun
    runs "$hidden" kworker
    runs "$python" loop.py
    runs "$reader" exec
    code 1 scan "$WORK/site"
    holds 'sum(f["rule"]["id"] == "scan-running" for f in findings) == 4' \
        'sum(f["rule"]["id"] == "scan-running-likely" for f in findings) == 1'
    says "Process $bot " "Process $script " "Process $hidden " "Process $python " "Process $reader "
    says_not "Process $tail "
    code 1 scan "$WORK/site" --quarantine --dry-run
    holds 'sorted(o["pid"] for o in of("would-end")) == sorted(['"$bot, $script, $hidden, $python"'])' \
        'len(of("would-quarantine")) == 4' 'not of("ended")' \
        '[(o["pid"], o["how"]) for o in of("left-open")] == [('"$reader"', "open")]'
    code 1 "$YAGURA" scan "$WORK/site" --quarantine --dry-run
    unwrapped
    says "has $WORK/site/loop.sh open, and is left: restart it if it is a server of yours, else end it yourself (kill): bash"
    lives "$bot"
    # without a word of the operator nothing is ended
    code "1 2 3" scan "$WORK/site" --quarantine
    lives "$bot"
    [ -e "$WORK/site/bot" ]
    code 1 scan "$WORK/site" --quarantine --yes
    holds 'sorted(o["pid"] for o in of("ended")) == sorted(['"$bot, $script, $hidden, $python"'])' \
        'len(of("quarantined")) == 4' 'not of("left")' \
        '[o["pid"] for o in of("left-open")] == ['"$reader"']'
    gone "$bot"
    gone "$script"
    gone "$hidden"
    gone "$python"
    lives "$reader"
    lives "$tail"
    [[ "$(sed 's/.*) //' "/proc/$reader/stat")" != T* ]]
    local kept
    kept=$(ls -d "$YAGURA_STATE/quarantine/processes/$hidden-"*)
    grep -q A_SECRET "$kept/environment-names"
    run grep -rq hunter2 "$kept"
    [ "$status" = 1 ]
    grep -q "r-xp" "$kept/maps"
    grep -q kworker "$kept/process.json"
    code 0 "$YAGURA" ledger show
    says process-ended
    code 0 "$YAGURA" quarantine list --json
    holds 'len(of("quarantined")) == 4'
}

@test "who runs large programs without a name fills no disk: what was not kept is said, and all are ended" {
    plant_running
    local i pids=
    echo hoshi-marker >>"$WORK/site/bot"
    truncate -s 70M "$WORK/site/bot"
    echo 'rule Large_Bot { meta: severity = "high" strings: $a = "hoshi-marker" condition: $a }' >"$WORK/large.yar"
    for i in 1 2 3 4 5 6; do
        ln "$WORK/site/bot" "$WORK/site/large$i" # the name that each ran by is gone
        begin "$WORK/site/large$i" 600
        pids+=" $begun"
        runs "$begun" "large$i"
        rm "$WORK/site/large$i"
    done
    code "1 3" scan "$WORK/site" --rules "$WORK/large.yar" --quarantine --yes
    holds 'len(of("ended")) == 6' 'not of("left")' 'all(o.get("cut") for o in of("ended"))' \
        '0 < len([o for o in of("ended") if "evidence" not in o]) < 4'
    for i in $pids; do gone "$i"; done
    # 64 MiB of each and 256 MiB of all
    [ "$(du -sm "$YAGURA_STATE/quarantine/processes" | cut -f1)" -le 260 ]
    grep -q '"cut":true' <<<"$("$YAGURA" ledger show --json)"
}

@test "who runs hundreds of programs is ended with all of them, and of 500 something is kept" {
    slow
    plant_running
    local i first
    for ((i = 0; i < 510; i++)); do begin "$WORK/site/bot" 600; done
    first=$(head -1 "$WORK/pids")
    runs "$begun" 600
    code "1 3" scan "$WORK/site" --quarantine --yes
    holds 'len(of("ended")) == 510' 'not of("left")' \
        '10 <= len([o for o in of("ended") if "evidence" not in o and o["cut"]]) < 510'
    gone "$first"
    gone "$begun"
    # fewer where a minute was over before
    [ "$(find "$YAGURA_STATE/quarantine/processes" -mindepth 1 -maxdepth 1 | wc -l)" -le 500 ]
}

@test "a disk with little room: half of it is left beside what is kept of who is ended, and the ledger has it" {
    plant_running
    echo hoshi-marker >>"$WORK/site/bot"
    truncate -s 70M "$WORK/site/bot"
    echo 'rule Large_Bot { meta: severity = "high" strings: $a = "hoshi-marker" condition: $a }' >"$WORK/large.yar"
    mkdir -m 700 "$WORK/disk"
    mount -t tmpfs -o size=24m,mode=700 yagura-test "$WORK/disk" 2>/dev/null || skip "no tmpfs can be mounted here"
    ELSEWHERE=$WORK/disk
    export YAGURA_STATE=$WORK/disk/state
    ln "$WORK/site/bot" "$WORK/site/large"
    begin "$WORK/site/large" 600
    runs "$begun" large
    rm "$WORK/site/large"
    code "1 3" scan "$WORK/site" --rules "$WORK/large.yar" --quarantine --yes
    holds 'len(of("ended")) == 1' 'of("ended")[0]["cut"]' 'not of("left")'
    gone "$begun"
    code 0 "$YAGURA" ledger verify
    code 0 "$YAGURA" ledger show
    says process-ended
    [ "$(df --output=avail -B1M "$WORK/disk" | tail -1)" -ge 8 ]
    [ "$(du -sm "$YAGURA_STATE/quarantine/processes" | cut -f1)" -ge 4 ]
}

@test "what keeps starting itself anew is ended, and what ran on from quarantine is found" {
    plant_running
    cat >"$WORK/site/beat.sh" <<EOF
bash "$WORK/site/beat.sh" & sleep 0.05
exit
# $(shell)
EOF
    begin setsid bash "$WORK/site/beat.sh"
    code 1 scan "$WORK/site" --quarantine --yes
    holds 'of("ended")' 'not of("left")'
    local i
    for i in $(seq 50); do pgrep -f "$WORK/site/beat.sh" >/dev/null || break; sleep 0.1; done
    run pgrep -f "$WORK/site/beat.sh"
    [ "$status" = 1 ]
    # the file lies in quarantine already, and somebody runs it from there
    begin "$YAGURA_STATE/quarantine/$(id_of /bot)" 600
    local bot=$begun
    runs "$bot" 600
    code 1 scan "$WORK/site"
    says "Process $bot "
    code 1 scan "$WORK/site" --quarantine --yes
    holds 'len(of("ended")) == 1' 'not of("quarantined")'
    gone "$bot"
    code 0 scan "$WORK/site"
}

@test "what no pattern knows and nobody published is found by the manifest, where the policies do not let it" {
    mkdir -p "$WORK/site/sub" "$WORK/site/cache"
    echo hi | tee "$WORK/site/index.html" >"$WORK/site/sub/a.html"
    code 0 "$YAGURA" init "$WORK/site" --name www
    code 0 scan "$WORK/site"
    echo harmless >"$WORK/site/plain.txt"
    echo more >>"$WORK/site/sub/a.html"
    echo new >"$WORK/site/cache/page"
    echo 'sites: {www: {policies: [{path: /cache/, policy: ignore}]}}' >"$WORK/config.yaml"
    code 1 scan "$WORK/site" --config "$WORK/config.yaml"
    holds '[(f["rule"]["id"], f["subject"]["name"], f["severity"]) for f in findings] == [("scan-not-published", "www", "low")]' \
        'findings[0]["summary"].endswith("example plain.txt, sub/a.html")'
    # only what was asked about
    code 1 scan "$WORK/site/sub" --config "$WORK/config.yaml"
    holds 'findings[0]["summary"].endswith("example sub/a.html")'
    code 0 scan "$WORK/site/index.html" --config "$WORK/config.yaml"
    code 1 scan "$WORK" --config "$WORK/config.yaml"
    code 0 "$YAGURA" restore www --yes --config "$WORK/config.yaml"
    code 0 scan "$WORK/site" --config "$WORK/config.yaml"
    # what cannot be compared is not clean
    mv "$WORK/site" "$WORK/gone"
    code 3 scan "$WORK" --config "$WORK/config.yaml"
}

@test "what runs from where programs do not lie is found, and what apt replaced while it ran is not" {
    [ "$(id -u)" = 0 ] || skip "mounts"
    unshare -m sh -c 'mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w && mount -t overlay o -o lowerdir=/usr/bin,upperdir=/mnt/u,workdir=/mnt/w /usr/bin' || skip "no overlay here"
    mkdir "$WORK/out" "$WORK/state"
    code 0 unshare -mpf --mount-proc --kill-child "$HELPERS/strays" "$YAGURA" "$WORK/state" "$WORK/out"
    /usr/bin/python3 - "$WORK/out" <<'PY'
import json, sys
out = sys.argv[1]
def strays(name):
    all = [o for o in map(json.loads, open(out + "/" + name)) if o["type"] == "finding"]
    return [o for o in all if o["subject"]["kind"] == "stray-program"], all
before, all = strays("clean")
assert not before, before
assert not [o for o in all if o["rule"]["id"].startswith("scan-stray")], all
pids = dict(line.split() for line in open(out + "/pids"))
found = {o["evidence"][0]["path"]: o for o in strays("found")[0]}
wanted = {"temporary": ("scan-stray-program", "high", "/tmp/.x"),
          "others": ("scan-stray-program", "high", "/dev/shm/y"),
          "unlinked": ("scan-stray-program", "high", "/var/tmp/kworker"),
          "memory": ("scan-stray-program", "high", "/memfd:x"),
          "deleted": ("scan-stray-deleted", "medium", "/srv/agent"),
          "removed": ("scan-stray-removed", "low", "/usr/bin/old-sleep")}
for name, (rule, severity, path) in wanted.items():
    o = found.pop("/proc/" + pids[name])
    got = o["rule"]["id"], o["severity"], o["subject"]["name"]
    assert got == (rule, severity, path), (name, o)
    assert pids[name] in o["summary"] and "9999" in o["summary"] and o["verdict"] == "affected", o
assert not found, found
PY
}

#!/usr/bin/env bats
# The servers of 2001 as disk images, looked at as on 2001-06-06.
load lib

setup() { images; }
teardown() { ! mountpoint -q "$WORK/mnt" || umount "$WORK/mnt"; }

audit() { "$YAGURA" audit "$@" --as-of 2001-06-06 --json; }
# the findings that do not hang on access lists, which a copied tree does not have
comparable() {
    /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    o = json.loads(line)
    if o["type"] == "finding" and "acl" not in json.dumps([o["rule"], o["evidence"]]):
        print(o["rule"]["id"], o["subject"]["name"], o["verdict"], o["severity"], sep="\t")' | sort
}
ntfs_partition() { dd if="$IMAGES/$1.img" of="$2" bs=512 skip=63 status=none; }

@test "each image shows what is right of it, row by row" {
    run "$HELPERS/expected" "$YAGURA" "$IMAGES" "$ROOT/examples/expected.tsv"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "what was open turns to fixed when the same host comes back in order" {
    local host
    for host in windows2000-iis5 nt4-iis4 nt4-iis3 solaris7-iplanet solaris26-apache; do
        code 1 audit --image "$IMAGES/$host-found.img"
        printf '%s' "$stdout" >"$WORK/found"
        code 1 audit --image "$IMAGES/$host-mended.img"
        printf '%s' "$stdout" >"$WORK/mended"
        /usr/bin/python3 - "$WORK/found" "$WORK/mended" "$host" <<'PY'
import json, sys
found, mended = ({o["id"]: o for o in map(json.loads, open(p)) if o["type"] == "finding"}
                 for p in sys.argv[1:3])
targets = {o["target"] for o in [*found.values(), *mended.values()]}
assert len(targets) == 1, targets
closed = [i for i, o in found.items() if o["verdict"] in ("affected", "broken")
          and i in mended and mended[i]["verdict"] == "fixed"]
gone = [i for i, o in found.items() if o["verdict"] in ("affected", "broken") and
        (i not in mended or mended[i]["verdict"] == "not_affected")]
worse = [o["rule"]["id"] for i, o in mended.items() if o["verdict"] in ("affected", "broken")
         and i in found and found[i]["verdict"] == "fixed"]
assert closed or gone, "nothing was closed"
assert not worse, worse
# nt4-iis3 stays on FAT, which has no access lists, and IIS 4 asks for them where IIS 3 did not.
open_now = [o["rule"]["id"] for o in mended.values() if o["verdict"] in ("affected", "broken")
            and not ("nt4-iis3" in sys.argv[3] and o["rule"]["id"].startswith("iis-acl-"))]
open_then = [o for o in found.values() if o["verdict"] in ("affected", "broken")]
assert len(open_now) < len(open_then), (len(open_now), len(open_then))
PY
    done
}

@test "when a finding was fixed is remembered, and its first day stays" {
    code 1 "$YAGURA" audit --image "$IMAGES/solaris7-iplanet-found.img" --json
    holds 'all(f["first_seen"] for f in findings)' 'not any(f["fixed_at"] for f in findings)'
    first=$(printf '%s' "$stdout" | grep '"id":"sadmind-1999"' | grep -o '"first_seen":"[^"]*"')
    sleep 1.1
    code 1 "$YAGURA" audit --image "$IMAGES/solaris7-iplanet-mended.img" --json
    holds '[f for f in findings if f["rule"]["id"] == "sadmind-1999"][0]["fixed_at"]' \
        '[f for f in findings if f["rule"]["id"] == "sadmind-1999"][0]["verdict"] == "fixed"'
    [ "$(printf '%s' "$stdout" | grep '"id":"sadmind-1999"' | grep -o '"first_seen":"[^"]*"')" = "$first" ]
}

@test "the long story of a finding can be asked for with the id that the audit showed" {
    code 1 "$YAGURA" audit --image "$IMAGES/windows2000-iis5-found.img"
    id=$(printf '%s' "$stdout" | grep -o 'yagura explain [0-9a-f]*' | head -1 | cut -d' ' -f3)
    [ -n "$id" ]
    code 1 "$YAGURA" explain "$id"
    says "$id" "why" "do this" "first"
    # and when it was shown as of another day
    code 1 "$YAGURA" audit --image "$IMAGES/nt4-iis4-found.img" --as-of 2001-06-06
    id=$(printf '%s' "$stdout" | grep -o 'yagura explain [0-9a-f]*' | head -1 | cut -d' ' -f3)
    code 1 "$YAGURA" explain "$id" --image "$IMAGES/nt4-iis4-found.img" --as-of 2001-06-06
    says "$id" "why" "do this"
}

@test "an image and the same tree as a mounted root agree" {
    local image
    for image in windows2000-iis5-found nt4-iis4-found nt4-iis4-mended; do
        mkdir -p "$WORK/$image"
        tsk_recover -a -o 63 "$IMAGES/$image.img" "$WORK/$image" >/dev/null
        code 1 audit --image "$IMAGES/$image.img" --name same
        printf '%s\n' "$stdout" | comparable >"$WORK/$image.image"
        code 1 audit --root "$WORK/$image" --name same
        printf '%s\n' "$stdout" | comparable >"$WORK/$image.root"
        diff "$WORK/$image.image" "$WORK/$image.root"
        [ "$(wc -l <"$WORK/$image.root")" -gt 20 ]
    done
}

@test "a disk that the kernel mounts says the same as its image" {
    as_root
    program ntfs-3g
    [ -e /dev/fuse ] || skip "no /dev/fuse"
    mkdir "$WORK/mnt"
    ntfs_partition windows2000-iis5-mended "$WORK/part.img"
    ntfs-3g -o ro "$WORK/part.img" "$WORK/mnt" || skip "ntfs-3g cannot mount here"
    code 1 audit --root "$WORK/mnt" --name same
    printf '%s\n' "$stdout" | comparable >"$WORK/mounted"
    code 1 audit --image "$WORK/part.img" --name same
    printf '%s\n' "$stdout" | comparable >"$WORK/image"
    diff "$WORK/mounted" "$WORK/image"
}

@test "a hive alone proves what it proves, and the rest is unknown" { # CASES 22
    mkdir -p "$WORK/lone" "$WORK/tree"
    tsk_recover -a -o 63 "$IMAGES/windows2000-iis5-found.img" "$WORK/tree" >/dev/null
    cp "$WORK/tree/WINNT/system32/config/software" "$WORK/lone/SOFTWARE"
    code 1 audit --root "$WORK/lone"
    holds '"affected" in verdicts("windows2000-sp2")' 'summary["unknown"] > 0' \
        'not verdicts("MS01-026") & {"fixed", "not_affected"}' \
        'not [f for f in findings if f["verdict"] in ("fixed", "broken") and any(".dll" in e["fact"] for e in f["evidence"])]'
    code 1 "$YAGURA" audit --checklist --json --root "$WORK/lone"
    holds '{o["outcome"] for o in every if o.get("rule", "").startswith("worm-")} == {"unknown"}'
}

@test "of a part of a Windows only what is in it is judged, with a memory as without" {
    mkdir -p "$WORK/tree" "$WORK/lone" "$WORK/part/WINNT/system32/config"
    tsk_recover -a -o 63 "$IMAGES/windows2000-iis5-found.img" "$WORK/tree" >/dev/null
    cp "$WORK"/tree/WINNT/system32/config/{software,system} "$WORK/part/WINNT/system32/config"
    cp "$WORK"/tree/WINNT/system32/config/{software,system} "$WORK/lone"
    code 1 audit --root "$WORK/tree" --name same
    local root title
    for root in part lone; do
        code 1 audit --root "$WORK/$root" --name same
        holds 'verdicts("MS01-026") == {"unknown"}' 'verdicts("MS00-078") == {"unknown"}' \
            'verdicts("windows2000-sp2") == {"affected"}' 'verdicts("worm-sadmind-iis") == {"unknown"}' \
            'not [f for f in findings if f["verdict"] == "not_affected" or f["fixed_at"]]' \
            '[u for u in findings if "product: index-server" in u["summary"]]'
        COLUMNS=160 code 1 "$YAGURA" audit --checklist --root "$WORK/$root"
        for title in "? The sadmind/IIS worm has been here" "? Code Red II has been here" \
            "? The HTML administration pages are there" "✓ SNMP starts by itself"; do
            grep -qE "^[${title%% *}] .*${title#* }" <<<"$stdout"
        done
    done
}

@test "a claim, or no claim, beside what cannot be read is no high confidence" {
    program hivexregedit
    mkdir "$WORK/w2k" "$WORK/nt4"
    tsk_recover -a -o 63 "$IMAGES/windows2000-iis5-mended.img" "$WORK/w2k" >/dev/null
    tsk_recover -a -o 63 "$IMAGES/nt4-iis4-found.img" "$WORK/nt4" >/dev/null
    rm "$WORK"/w2k/WINNT/system32/{msw3prt.dll,inetsrv/w3svc.dll}
    mkfifo "$WORK/w2k/WINNT/system32/msw3prt.dll"
    ln -s /etc/passwd "$WORK/w2k/WINNT/system32/inetsrv/w3svc.dll"
    code 1 audit --root "$WORK/w2k"
    holds 'verdicts("MS01-026") == {"unknown"}' 'verdicts("MS00-078") == {"unknown"}' \
        'not [f for f in findings if f["rule"]["id"] == "MS01-023" and f["confidence"] != "low"]' \
        '"could not be read" in json.dumps([f["notes"] for f in findings if f["rule"]["id"] == "MS01-023"])'
    # a roll-up that is only claimed takes nothing away that service packs and other records brought
    hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\SOFTWARE' "$WORK/nt4/winnt/System32/Config/SOFTWARE" <<'REG'
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Hotfix\Q295534]
"Installed"=dword:00000001
REG
    code 1 audit --root "$WORK/nt4"
    holds 'verdicts("MS01-026") == {"broken"}' 'verdicts("MS99-061") == {"broken"}' \
        'verdicts("MS99-019") | verdicts("MS99-003") | verdicts("MS99-029") | verdicts("MS99-053") == {"fixed"}' \
        '[f["confidence"] for f in findings if f["rule"]["id"] == "MS99-053"] == ["low"]'
}

@test "an IIS whose registry key is gone, and with it the program, does not vanish" {
    program hivexregedit
    mkdir "$WORK/tree"
    tsk_recover -a -o 63 "$IMAGES/windows2000-iis5-found.img" "$WORK/tree" >/dev/null
    hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\SOFTWARE' "$WORK/tree/WINNT/system32/config/software" <<'REG'
Windows Registry Editor Version 5.00

[-HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\InetStp]
REG
    code 1 audit --root "$WORK/tree"
    holds 'verdicts("MS01-026") == {"affected"}' '"product: iis" in json.dumps(findings)' \
        '[f["confidence"] for f in findings if f["rule"]["id"] == "MS01-026"] == ["medium"]'
    rm "$WORK/tree/WINNT/system32/inetsrv/inetinfo.exe"
    code 1 audit --root "$WORK/tree"
    holds 'verdicts("MS01-026") == {"unknown"}' 'verdicts("iis-ida-idq-mapped") == {"affected"}'
    mkdir "$WORK/nt3"
    tsk_recover -a "$IMAGES/nt4-iis3-found.img" "$WORK/nt3" >/dev/null
    rm "$WORK/nt3/WINNT/SYSTEM32/INETSRV/INETINFO.EXE"
    code 1 audit --root "$WORK/nt3"
    holds '"unknown" in verdicts("MS99-025")' 'verdicts("iis3-end") == {"unknown"}'
}

@test "sadmind that is started is open, whatever the packages say" {
    mkdir "$WORK/tree"
    tsk_recover -a "$IMAGES/solaris7-iplanet-found.img" "$WORK/tree" >/dev/null
    rm -r "$WORK/tree/var/sadm/pkg/SUNWadmfw"
    code 1 "$YAGURA" audit --root "$WORK/tree" --as-of 2004-06-06 --json
    holds 'verdicts("sadmind-1999") | verdicts("sadmind-2003") == {"affected"}' \
        '[f["confidence"] for f in findings if f["rule"]["id"] == "sadmind-1999"] == ["low"]'
}

@test "a partition without a partition table is read as well" { # CASES 22
    ntfs_partition windows2000-iis5-found "$WORK/part.img"
    code 1 audit --image "$IMAGES/windows2000-iis5-found.img"
    whole=$(printf '%s\n' "$stdout" | comparable)
    code 1 audit --image "$WORK/part.img"
    [ "$(printf '%s\n' "$stdout" | comparable)" = "$whole" ]
    [ "$(wc -l <<<"$whole")" -gt 50 ]
}

@test "a file that NTFS compresses is read" { # CASES 24
    as_root
    program ntfs-3g
    [ -e /dev/fuse ] || skip "no /dev/fuse"
    mkdir "$WORK/mnt"
    ntfs_partition windows2000-iis5-found "$WORK/part.img"
    ntfs-3g -o compression,streams_interface=windows "$WORK/part.img" "$WORK/mnt" || skip "ntfs-3g cannot mount here"
    "$HELPERS/ntfs" compress "$WORK/mnt/WINNT/system32/inetsrv/httpext.dll"
    umount "$WORK/mnt"
    code "0 3" "$YAGURA" facts --image "$WORK/part.img" --json
    holds '[f for f in kind("file") if f["path"].endswith("httpext.dll")][0]["version"] in ("0.9.3940.16",) or "unreadable" in [f for f in kind("file") if f["path"].endswith("httpext.dll")][0]["version"]'
    code 1 audit --image "$WORK/part.img"
    holds 'verdicts("MS01-016") <= {"broken", "unknown"}'
}

@test "a file that Windows compressed its own way could not be read, which is not missing" { # CASES 24
    as_root
    program ntfs-3g
    [ -e /dev/fuse ] || skip "no /dev/fuse"
    mkdir "$WORK/mnt"
    ntfs_partition windows2000-iis5-mended "$WORK/part.img"
    ntfs-3g -o streams_interface=windows "$WORK/part.img" "$WORK/mnt" || skip "ntfs-3g cannot mount here"
    "$HELPERS/ntfs" wof "$WORK/mnt/WINNT/system32/inetsrv/w3svc.dll"
    umount "$WORK/mnt"
    code "0 3" "$YAGURA" facts --image "$WORK/part.img" --json
    holds '[f for f in kind("file") if f["path"].endswith("inetsrv\\w3svc.dll")][0]["exists"] == "yes"' \
        '"unreadable" in [f for f in kind("file") if f["path"].endswith("inetsrv\\w3svc.dll")][0]["version"]'
    code 1 audit --image "$WORK/part.img"
    holds '"affected" not in verdicts("MS00-078")' '"broken" not in verdicts("MS00-078")'
}

@test "a volume of NTFS 1.2 or 3.0 is read, and nothing of it is made up" { # CASES 25
    local version
    for version in "1 2" "3 0"; do
        cp "$IMAGES/nt4-iis4-found.img" "$WORK/old.img"
        # shellcheck disable=SC2086
        "$HELPERS/ntfs" version "$WORK/old.img" $((63 * 512)) $version
        ! cmp -s "$IMAGES/nt4-iis4-found.img" "$WORK/old.img" || false
        code 1 audit --image "$IMAGES/nt4-iis4-found.img"
        printf '%s\n' "$stdout" | comparable >"$WORK/new"
        code 1 audit --image "$WORK/old.img"
        printf '%s\n' "$stdout" | comparable >"$WORK/old"
        # the same, or unknown: never another verdict
        diff "$WORK/new" "$WORK/old" | grep '^>' | grep -v 'unknown' && return 1
        [ "$(wc -l <"$WORK/old")" -gt 50 ]
    done
}

@test "Solaris' own disks are read: big-endian bare, little-endian in slices" { # CASES 26
    local image
    for image in solaris7-iplanet-found solaris26-apache-found; do
        code "0 3" "$YAGURA" facts --image "$IMAGES/$image.img" --json
        holds 'kind("host")[0]["family"] == "solaris"' 'len(kind("inetd")) > 5' \
            'any(k["id"].startswith("10") for k in kind("hotfix"))' 'not unread'
    done
    # owners stand elsewhere than BSD has them: 60001 is nobody, not root
    code 1 audit --image "$IMAGES/solaris26-apache-found.img"
    says '60001:60001'
}

@test "exit codes of images: something found, nothing to read, no such file" {
    code 1 audit --image "$IMAGES/nt4-iis3-found.img"
    code 2 audit --image "$WORK/none.img"
    says "none.img"
    head -c 100000 /dev/zero >"$WORK/zero.img"
    code "2 3" audit --image "$WORK/zero.img"
    says "zero.img"
    : >"$WORK/empty.img"
    code "2 3" audit --image "$WORK/empty.img"
    code "2 3" audit --image "$WORK"
}

@test "Japanese and English say the same number of things" {
    local lang
    for lang in en ja; do
        code 1 "$YAGURA" --lang "$lang" audit --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --all
        printf '%s\n' "$stdout" >"$WORK/$lang"
    done
    grep -q '今日直すもの' "$WORK/ja"
    [ "$(grep -c '^!' "$WORK/ja")" = "$(grep -c '^!' "$WORK/en")" ]
    # a sentence of four or more English words in a row, names and commands apart
    sentences=$(grep -E '^!' "$WORK/ja" | grep -vP '[\x{3040}-\x{9fff}]' || true)
    [ -z "$sentences" ] || { echo "no Japanese in: $sentences" | head -20; false; }
    run grep -E '^ +(why|do this|source) |to fix today' "$WORK/ja"
    [ "$status" -eq 1 ]
    # JSON is never translated
    code 1 "$YAGURA" --lang ja audit --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --json
    run grep -P '[\x{3040}-\x{30ff}]' <<<"$stdout"
    [ "$status" -eq 1 ]
}

@test "the page's day comes down to one roll-up and a few side patches" {
    code 1 "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --json
    holds 'len([o for o in every if o.get("part") == "patch"]) <= 12' \
        'len([o for o in every if o.get("patch") == "Q293826"]) == 1' \
        'not {o.get("patch") for o in every} & {"Q269862", "Q277873", "Q267559", "Q260205"}' \
        'any("printer" in json.dumps(o) for o in every if o.get("part") == "now")' \
        'summary["safe"] is False'
}

@test "every plan of every day closes all that is open, in an order that can be followed" {
    "$HELPERS/plan" "$YAGURA" "$ROOT/data/advisories" "$IMAGES"/*.img
}

@test "what a person does once is one step, and is counted once" {
    local disk="--image $IMAGES/windows2000-iis5-found.img --as-of 2001-06-06"
    # shellcheck disable=SC2086
    code 1 "$YAGURA" patch plan $disk --json
    holds '"iis5-service-pack" in [o for o in every if o.get("patch") == "service-pack:windows:5.0:2"][0]["closes"]' \
        '"iis5-cumulative-patch" in [o for o in every if o.get("patch") == "Q293826"][0]["closes"]' \
        '[o["part"] for o in every if "iis5-printer-mapped" in o.get("closes", [])] == ["now"]' \
        'not [o for o in every if o.get("part") == "setting" and "Apply" in o["what"] + "Service Pack" * ("ervice Pack" in o["what"])]'
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $disk --json
    holds '{f["rule"]["id"] for f in findings if f["repeated"]} == {"iis5-service-pack", "iis5-cumulative-patch"}'
    # on a day when there was no roll-up yet nobody asks for it
    code 1 "$YAGURA" audit --image "$IMAGES/windows2000-iis5-found.img" --as-of 2000-08-31 --json
    holds 'not verdicts("iis5-cumulative-patch")' 'not verdicts("iis5-service-pack")'
}

@test "a plan fits a person: in both languages, with what was meant" {
    local lang image
    for image in "$IMAGES"/*.img; do
        for lang in en ja; do
            COLUMNS=80 code 1 "$YAGURA" --lang "$lang" patch plan --image "$image" --as-of 2001-06-06
            narrow 80
            [ "$(wc -l <<<"$stdout")" -lt 160 ]
            says "yagura ports --lang $lang" "--checklist"
        done
    done
    code 1 "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06
    unwrapped # where a line ends depends on the path of the image
    says "Make a backup, and try it on a test host first." "Apply Patch Q293826 (MS01-026)" \
        "lost with the service pack" "Check again after the service pack" "-- restart here" \
        "Patches alone are not enough" "--as-of 2001-06-06 --all" "for the new installation"
    code 1 "$YAGURA" patch plan --image "$IMAGES/nt4-iis3-found.img" --as-of 2001-06-06
    says "only after step 3" "closes iis3-end, iis3-unsupported"
    code 1 "$YAGURA" patch plan --image "$IMAGES/solaris26-apache-found.img" --as-of 2001-06-06
    says_not "service pack"
}

@test "a patch that an uninstall folder shows and that is gone is called lost" {
    code 1 "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --json
    holds '[o["lost"] for o in every if o.get("patch") == "Q293826"] == [True]'
    # what an earlier audit saw is lost, too; what nobody saw is not
    code 1 "$YAGURA" patch plan --image "$IMAGES/nt4-iis4-found.img" --as-of 2001-06-06 --json
    holds '[o["lost"] for o in every if o.get("patch") == "Q276575"] == [False]'
    code 1 "$YAGURA" audit --image "$IMAGES/nt4-iis4-mended.img"
    code 1 "$YAGURA" patch plan --image "$IMAGES/nt4-iis4-found.img" --as-of 2001-06-06 --json
    holds '[o["lost"] for o in every if o.get("patch") == "Q276575"] == [True]' \
        '[o["lost"] for o in every if o.get("part") == "service-pack"] == [False]'
}

# as_of DAY IMAGE: the audit of that day.
as_of() { code "0 1 3" "$YAGURA" audit --image "$IMAGES/$2.img" --as-of "$1" --json; }

@test "each day has the revisions, remedies and words of that day" {
    local day image
    # before MDAC 2.1 SP2 there was one remedy, and the bulletin stood in its first form
    as_of 1998-08-01 nt4-iis4-found
    holds 'verdicts("MS99-025") == {"affected"}' \
        'all(f["rule"]["revision"] == "1" and not f["exploited"] for f in findings if f["rule"]["id"] == "MS99-025")' \
        'not [f for f in findings if "MDAC 2.1" in json.dumps(f)]' \
        '{f["rule"]["id"] for f in findings if f["rule"]["id"].startswith("MS")} == {"MS99-025"}'
    as_of 1999-07-23 nt4-iis4-found
    holds '[f for f in findings if f["rule"]["id"] == "MS99-025" and "MDAC 2.1 SP2" in json.dumps(f) and f["exploited"] and f["rule"]["revision"] == "3"]'
    # the day of the cumulative patch: eight revisions later, one then
    as_of 2001-05-14 windows2000-iis5-found
    holds '{f["rule"]["revision"] for f in findings if f["rule"]["id"] == "MS01-026"} == {"1"}' \
        'not [f for f in findings if f["rule"]["id"] == "MS01-026" and f["exploited"]]'
    as_of 2001-06-06 windows2000-iis5-found
    holds '{f["rule"]["revision"] for f in findings if f["rule"]["id"] == "MS01-026"} == {"4"}' \
        '[f for f in findings if f["rule"]["id"] == "MS01-026" and f["exploited"]]' \
        '[f for f in findings if f["rule"]["id"] == "iis-ida-idq-mapped"][0]["severity"] == "medium"' \
        'all(f["rule"]["contact"] for f in findings if f["rule"]["id"].startswith("MS"))'
    as_of 2001-08-31 windows2000-iis5-found
    holds '"affected" in verdicts("MS01-033")' '[f for f in findings if "Code Red" in json.dumps(f)]' \
        '[f for f in findings if f["rule"]["id"] == "iis-ida-idq-mapped"][0]["severity"] == "critical"'
    # no day speaks of a later one, but for what has superseded a patch since
    for image in windows2000-iis5-found nt4-iis4-found nt4-iis3-found solaris7-iplanet-found solaris26-apache-found; do
        for day in 1998-08-01 2001-05-14 2001-06-06 2001-08-31; do
            as_of "$day" "$image"
            printf '%s' "$stdout" | /usr/bin/python3 -c '
import json, re, sys
day, wrong = sys.argv[1], []
first = {"sadmind/IIS": "2001-05-08", "Code Red": "2001-07-13", "Nimda": "2001-09-18", "MS01-033": "2001-06-18",
         "MS01-044": "2001-08-15", "MS03-007": "2003-03-17", "CVE-2003": "2003-09-16", "CA-2002": "2002-11-25",
         "MS01-026": "2001-05-14", "MS01-023": "2001-05-01", "MS00-078": "2000-10-17"}
for o in map(json.loads, sys.stdin):
    o["notes"] = [n for n in o.get("notes", []) if not re.search("Since that day|no patch yet that day", n)]
    wrong += [(o["rule"]["id"], w) for w, since in first.items()
              if o["type"] == "finding" and day < since and w.lower() in json.dumps(o).lower()]
sys.exit(f"{wrong}" if wrong else 0)' "$day" || { echo "$image on $day"; return 1; }
        done
    done
}

@test "a patch that came later than its bulletin is not offered before" {
    as_of 2000-11-10 windows2000-iis5-found
    holds '[f for f in findings if f["rule"]["id"] == "MS00-086" and "Q277873" not in f.get("patches", []) and "no patch yet" in json.dumps(f["notes"]) and "Delete all .bat" in f["remedy"]["summary"]]'
    as_of 2000-11-30 windows2000-iis5-found
    holds '[f for f in findings if f["rule"]["id"] == "MS00-086" and "Q277873" in json.dumps(f)]'
    code "0 1 3" "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --as-of 2000-11-10 --json
    holds '"Q277873" not in {o.get("patch") for o in every}'
    code "0 1 3" "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --as-of 2000-11-30 --json
    holds '"Q277873" in {o.get("patch") for o in every}'
}

@test "a day before there was anything to judge by is unknown, and what is left out is said" {
    local image
    for image in windows2000-iis5-found solaris7-iplanet-found nt4-iis4-found; do
        code 3 "$YAGURA" audit --image "$IMAGES/$image.img" --as-of 1990-01-01 --json
        holds 'summary["today"] == 0 and summary["found"] == 0' 'summary["too_early"] > 10' \
            '"unknown" in verdicts("no-advisories-yet")'
        code 3 "$YAGURA" audit --image "$IMAGES/$image.img" --as-of 1990-01-01
        unwrapped
        says "became known only after that day"
    done
    code "0 1 3" "$YAGURA" audit --checklist --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-05-01
    grep -q "^- .*The sadmind/IIS worm has been here" <<<"$stdout"
    unwrapped
    says "became known only after that day"
    code "0 1 3" "$YAGURA" audit --checklist --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-05-01 --json
    holds '{o["outcome"] for o in every if o.get("rule") == "worm-sadmind-iis"} == {"too-early"}'
}

@test "an advisory is shown as of a day" {
    code 0 "$YAGURA" advisory show MS01-026 --as-of 2001-05-23
    says "version 2" "2001-05-22  2" "Microsoft: https://"
    says_not "2001-06-05" "Nimda"
    code 0 "$YAGURA" advisory show MS01-026 --json
    holds 'every[0]["version"] == "8"' 'len(every[0]["history"]) == 8' '"Nimda" in json.dumps(every[0])' 'every[0]["contact"]'
    code 0 "$YAGURA" advisory show MS01-026 --as-of 2001-05-14 --json
    holds 'every[0]["version"] == "1"' 'len(every[0]["history"]) == 1' '"Nimda" not in json.dumps(every[0])'
    code 0 "$YAGURA" advisory show MS99-025 --as-of 1998-08-01
    says "First published as MS98-004" "Remove RDS"
    says_not "MDAC 2.1" "Published again"
    code 0 "$YAGURA" advisory show sadmind-1999 --as-of 1999-12-15 --json
    holds 'not any(c["patches"] for c in every[0]["cases"])'
    code 0 "$YAGURA" advisory show sadmind-1999 --json
    holds 'all(c["patches"] for c in every[0]["cases"])'
    code 2 "$YAGURA" advisory show MS01-033 --as-of 2001-06-06
    says "2001-06-18"
    code 0 "$YAGURA" --lang ja advisory show MS01-026
    says "初版公開。" "連絡先"
    says_not "First published."
    # a rule tells its days as well
    code 0 "$YAGURA" rules explain iis-ida-idq-mapped
    says "2001-06-18 idq.dll has an overflow" "2001-07-13 It is the way of Code Red."
    # and whom to ask stands in the long story of a finding
    id=$("$YAGURA" audit --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --json | grep -m1 '"id":"MS01-026"' | grep -o '"id":"[0-9a-f]\{16\}"' | cut -d'"' -f4)
    code 1 "$YAGURA" explain "$id" --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06
    says "contact" "https://support.microsoft.com/gp/cntactms"
}

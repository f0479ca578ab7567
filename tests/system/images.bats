#!/usr/bin/env bats
# The servers of 2001 as disk images, looked at as on 2001-06-06.
load lib

setup() { images; }

@test "each image shows what is right of it, row by row" {
    run /usr/bin/python3 "$ROOT/tests/system/expected.py" "$YAGURA" "$IMAGES" "$ROOT/examples/expected.tsv"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "what was open turns to fixed when the same host comes back in order" {
    code 1 "$YAGURA" audit --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --json
    found=$(echo "$output" | grep -o '"target":"[0-9a-f]*"' | sort -u)
    first=$(echo "$output" | grep '"id":"MS01-026"' | grep -o '"id":"[0-9a-f]\{16\}"')
    [ -n "$first" ]
    code 1 "$YAGURA" audit --image "$IMAGES/windows2000-iis5-mended.img" --as-of 2001-06-06 --json
    mended=$(echo "$output" | grep -o '"target":"[0-9a-f]*"' | sort -u)
    [ "$found" = "$mended" ]
    [ "$(echo "$output" | grep '"id":"MS01-026"' | grep -o '"id":"[0-9a-f]\{16\}"')" = "$first" ]
    echo "$output" | grep '"id":"MS01-026"' | grep -q '"verdict":"fixed"'
}

@test "fixed_at is remembered, found by found" {
    code 1 "$YAGURA" audit --image "$IMAGES/solaris7-iplanet-found.img" --json
    code 1 "$YAGURA" audit --image "$IMAGES/solaris7-iplanet-mended.img" --json
    echo "$output" | grep '"id":"sadmind-1999"' | grep '"verdict":"fixed"' | grep -q '"fixed_at":"20'
}

@test "an image and the same tree as a mounted root agree" {
    for image in windows2000-iis5-found nt4-iis4-found; do
        mkdir -p "$BATS_TEST_TMPDIR/$image"
        tsk_recover -a -o 63 "$IMAGES/$image.img" "$BATS_TEST_TMPDIR/$image" >/dev/null
        for from in "--image $IMAGES/$image.img" "--root $BATS_TEST_TMPDIR/$image"; do
            # shellcheck disable=SC2086
            "$YAGURA" audit $from --name same --as-of 2001-06-06 --json |
                /usr/bin/python3 -c '
import json, sys
rows = []
for line in sys.stdin:
    o = json.loads(line)
    # access lists do not survive the copy
    if o["type"] == "finding" and not o["rule"]["id"].startswith("iis-acl") and "acl" not in json.dumps(o["evidence"]) and o["rule"]["id"] not in ("iis-log-folder-acl", "windows-repair-sam"):
        rows.append((o["rule"]["id"], o["subject"]["name"], o["verdict"]))
print("\n".join(map(str, sorted(rows))))' >"$BATS_TEST_TMPDIR/$image.${from%% *}"
        done
        diff "$BATS_TEST_TMPDIR/$image.--image" "$BATS_TEST_TMPDIR/$image.--root"
        [ "$(wc -l <"$BATS_TEST_TMPDIR/$image.--root")" -gt 50 ]
    done
}

@test "a hive alone proves what it proves, and the rest is unknown" {
    mkdir -p "$BATS_TEST_TMPDIR/lone" "$BATS_TEST_TMPDIR/tree"
    tsk_recover -a -o 63 "$IMAGES/windows2000-iis5-found.img" "$BATS_TEST_TMPDIR/tree" >/dev/null
    cp "$BATS_TEST_TMPDIR"/tree/WINNT/system32/config/software "$BATS_TEST_TMPDIR/lone/SOFTWARE"
    code 1 "$YAGURA" audit --root "$BATS_TEST_TMPDIR/lone" --as-of 2001-06-06 --json
    says '"id":"windows2000-sp2"'
    echo "$output" | grep '"id":"MS01-026"' | grep -q '"verdict":"unknown"' ||
        ! echo "$output" | grep -q '"id":"MS01-026"'
    echo "$output" | tail -1 | grep -vq '"unknown":0'
}

@test "a partition without a partition table is read as well" {
    dd if="$IMAGES/windows2000-iis5-found.img" of="$BATS_TEST_TMPDIR/part.img" bs=512 skip=63 status=none
    code 1 "$YAGURA" audit --image "$BATS_TEST_TMPDIR/part.img" --as-of 2001-06-06 --json
    echo "$output" | grep '"id":"MS01-023"' | grep -q '"verdict":"affected"'
}

@test "a volume that says it is NTFS 1.2 is read, and metadata of it is not made up" {
    cp "$IMAGES/nt4-iis4-found.img" "$BATS_TEST_TMPDIR/old.img"
    # $Volume is inode 3; $VOLUME_INFORMATION (type 0x70) holds major and minor at 8 and 9
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/old.img" <<'PY'
import struct, sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
base = 63 * 512
cluster = data[base + 13] * 512
mft = base + struct.unpack_from("<Q", data, base + 48)[0] * cluster
size = struct.unpack_from("<b", data, base + 64)[0]
size = 1 << -size if size < 0 else size * cluster
record = mft + 3 * size
at = record + struct.unpack_from("<H", data, record + 20)[0]
while True:
    kind, length = struct.unpack_from("<II", data, at)
    if kind == 0x70:
        content = at + struct.unpack_from("<H", data, at + 20)[0]
        assert data[content + 8] == 3
        data[content + 8], data[content + 9] = 1, 2
        break
    at += length
open(path, "wb").write(data)
PY
    code 1 "$YAGURA" audit --image "$BATS_TEST_TMPDIR/old.img" --as-of 2001-06-06 --json
    echo "$output" | grep '"id":"MS01-026"' | grep -Eq '"verdict":"(affected|unknown)"'
    ! echo "$output" | grep '"id":"MS01-026"' | grep -q '"verdict":"(fixed|not_affected)"'
}

@test "Japanese and English say the same number of things in 80 columns" {
    for lang in en ja; do
        COLUMNS=80 "$YAGURA" --lang $lang audit --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 >"$BATS_TEST_TMPDIR/$lang" || true
        /usr/bin/python3 - "$BATS_TEST_TMPDIR/$lang" <<'PY'
import sys, unicodedata
for line in open(sys.argv[1], encoding="utf-8"):
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line.rstrip("\n"))
    assert width <= 80, (width, line)
PY
    done
    grep -q '今日直すもの' "$BATS_TEST_TMPDIR/ja"
    ! grep -q 'to fix today' "$BATS_TEST_TMPDIR/ja"
    ! grep -Eq '^ +(why|do this|source) ' "$BATS_TEST_TMPDIR/ja"
}

@test "the page's day comes down to one roll-up and a few side patches" {
    code 1 "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --json
    steps=$(echo "$output" | grep -c '"part":"patch"')
    [ "$steps" -le 12 ]
    [ "$(echo "$output" | grep -c '"patch":"Q293826"')" -eq 1 ]
    for superseded in Q269862 Q277873 Q267559 Q260205; do
        ! echo "$output" | grep -q "\"patch\":\"$superseded\""
    done
    echo "$output" | grep '"part":"now"' | grep -q 'printer'
    echo "$output" | tail -1 | grep -q '"safe":false'
}

@test "a patch that an uninstall folder shows and that is gone is called lost" {
    code 1 "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --json
    echo "$output" | grep '"patch":"Q293826"' | grep -q '"lost":true'
}

#!/usr/bin/env bats
# Advisories of others are brought in; what is broken is named and the rest goes in.
load lib

loaded() { "$YAGURA" feed list --json | tail -1 | grep -o '"advisories":[0-9]*' | cut -d: -f2; }
import() { code "$1" timeout -k 1 60 "$YAGURA" feed import "${@:2}" --json; }
csaf() { "$HELPERS/csaf" "$@"; }

@test "folders of real publishers go in, and what is no advisory is named" {
    need "$SHARED/data/audit/csaf-cisa"
    before=$(loaded)
    import 3 "$SHARED/data/audit/csaf-cisa"
    holds 'summary["added"] >= 300' 'len(problems) == 1' \
        'problems[0]["path"].endswith("cisa-csaf-it-feed-tlp-white.json")' 'summary["unknown"] == 1'
    added=$(printf '%s\n' "$stdout" | tail -1 | grep -o '"added":[0-9]*' | cut -d: -f2)
    [ "$(loaded)" -eq $((before + added)) ]
    import "0 3" "$SHARED/data/audit/csaf-redhat" "$SHARED/data/audit/csaf-vex-redhat" "$SHARED/data/audit/csaf-examples"
    holds 'summary["added"] >= 15' 'not problems'
    # twice is the same as once
    import 3 "$SHARED/data/audit/csaf-cisa"
    holds 'summary["added"] == 0' 'summary["unchanged"] >= 300'
    code 0 "$YAGURA" advisory show ICSA-17-024-01
    says "ICSA-17-024-01"
    code 0 "$YAGURA" feed list
    says "csaf-cisa" "304 documents" "1 left out"
}

@test "the publishers' own broken examples are refused for what is wrong with them" {
    need "$SHARED/data/audit/csaf-testsuite"
    import 3 "$SHARED/data/audit/csaf-testsuite/data/mandatory"
    holds 'summary["added"] > 50' 'len(problems) >= 5' \
        'all(p["path"] and p["text"] for p in problems)' \
        'any("circle" in p["text"] for p in problems)' 'any("not defined" in p["text"] for p in problems)' \
        'any("contradicts" in p["text"] for p in problems)'
}

@test "zip, tar.gz, tar.xz and json.gz hold the same as the folder" {
    program zip tar
    local i archive
    mkdir "$WORK/docs"
    for i in 1 2 3; do csaf good "$WORK/docs/$i.json" "PACKED-$i"; done
    (cd "$WORK/docs" && zip -q ../a.zip ./*.json && tar czf ../a.tar.gz ./*.json && tar c ./*.json | xz >../a.tar.xz)
    gzip -k "$WORK/docs/1.json"
    mv "$WORK/docs/1.json.gz" "$WORK/one.json.gz"
    for archive in a.zip a.tar.gz a.tar.xz; do
        YAGURA_STATE=$WORK/state-$archive import 0 "$WORK/$archive"
        holds 'summary["added"] == 3' 'not problems'
        YAGURA_STATE=$WORK/state-$archive code 0 "$YAGURA" advisory show PACKED-2
    done
    YAGURA_STATE=$WORK/state-one import 0 "$WORK/one.json.gz"
    holds 'summary["added"] == 1'
}

@test "what an archive holds that is not read is said: links, and archives within" {
    program zip tar
    mkdir "$WORK/docs"
    csaf good "$WORK/docs/good.json" OUTER-1
    csaf good "$WORK/inner.json" INNER-1
    (cd "$WORK" && zip -q docs/inner.zip inner.json && gzip -c inner.json >docs/inner.json.gz)
    ln -s /etc/passwd "$WORK/docs/link.json"
    echo "not a document" >"$WORK/docs/README"
    tar cf "$WORK/a.tar" -C "$WORK/docs" .
    import 3 "$WORK/a.tar"
    holds 'summary["added"] == 1' 'len(problems) == 3' \
        '{p["path"].split("/")[-1] for p in problems} == {"inner.zip", "inner.json.gz", "link.json"}'
}

@test "what is broken is named with file and place, while the rest goes in" {
    local kind
    mkdir "$WORK/docs"
    for kind in cut depth duplicate utf8; do csaf "$kind" "$WORK/docs/$kind.json" "BROKEN-$kind"; done
    csaf good "$WORK/docs/good.json" GOOD-1
    csaf bom "$WORK/docs/bom.json" GOOD-2
    : >"$WORK/docs/empty.json"
    mkfifo "$WORK/docs/pipe.json"
    ln -s /etc/passwd "$WORK/docs/link.json"
    import 3 "$WORK/docs"
    holds 'summary["added"] == 2' 'len(problems) >= 5' \
        'all(any(p["path"].endswith(k + ".json") for p in problems) for k in ("cut", "depth", "duplicate", "utf8", "empty"))' \
        'all(p["line"] > 0 and p["column"] > 0 for p in problems if p["path"].endswith(("cut.json", "depth.json", "duplicate.json", "utf8.json")))' \
        '[p["line"] for p in problems if p["path"].endswith("duplicate.json")] == [4]'
    says_not "root:x"
    code 0 "$YAGURA" advisory show GOOD-1
    code 0 "$YAGURA" advisory show GOOD-2
    code 2 "$YAGURA" advisory show BROKEN-utf8
    # and in the words of a person
    code "2 3" "$YAGURA" feed import "$WORK/docs"
    says "duplicate.json:4:" "broken"
}

@test "a bomb, a climbing name and a wall of text end at once" {
    csaf bomb "$WORK/bomb.zip"
    import "2 3" "$WORK/bomb.zip"
    holds 'len(problems) == 1' '"bomb.zip" in problems[0]["path"]'
    (cd "$WORK" && csaf climb climb.zip)
    import "0 2 3" "$WORK/climb.zip"
    [ ! -e "$WORK/climbed.json" ]
    [ ! -e "$(dirname "$(dirname "$WORK")")/climbed.json" ]
    head -c 3000 /dev/urandom >"$WORK/noise.zip"
    printf 'PK\003\004' | dd of="$WORK/noise.zip" conv=notrunc status=none
    import 2 "$WORK/noise.zip"
    says "noise.zip"
}

@test "a string of a gigabyte is refused, as a file and packed" {
    slow
    csaf string "$WORK/big.json"
    start=$SECONDS
    import 2 "$WORK/big.json"
    says "big.json"
    gzip -1 "$WORK/big.json"
    import 2 "$WORK/big.json.gz"
    says "big.json.gz"
    [ $((SECONDS - start)) -lt 30 ]
}

@test "the old database stays when nothing went in" {
    csaf good "$WORK/good.json" KEPT-1
    import 0 "$WORK/good.json"
    sum=$(sha256sum "$WORK/state/advisories.db")
    csaf cut "$WORK/cut.json"
    import 2 "$WORK/cut.json"
    [ "$(sha256sum "$WORK/state/advisories.db")" = "$sum" ]
    code 0 "$YAGURA" advisory show KEPT-1
    # nothing half-written is left behind
    [ "$(find "$WORK/state" -name 'advisories.db*' | wc -l)" -eq 1 ]
    # a newer one replaces, an older one does not
    sed 's/2001-05-01T00:00:00Z/2001-07-01T00:00:00Z/g; s/Hole in thing/Newer words/' "$WORK/good.json" >"$WORK/newer.json"
    import 0 "$WORK/newer.json"
    holds 'summary["replaced"] == 1'
    import 0 "$WORK/good.json"
    holds 'summary["older"] == 1'
    code 0 "$YAGURA" advisory show KEPT-1
    says "Newer words"
}

@test "a damaged database is said, and the shipped advisories still judge" {
    images
    csaf good "$WORK/good.json"
    import 0 "$WORK/good.json"
    printf 'noise' | dd of="$WORK/state/advisories.db" conv=notrunc status=none
    code 1 "$YAGURA" audit --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --json
    holds '"affected" in verdicts("MS01-026")' 'summary["unknown"] > 0'
    code "0 3" "$YAGURA" feed list
    says "advisories.db"
    code 3 "$YAGURA" feed list
    truncate -s 40 "$WORK/state/advisories.db"
    code 3 "$YAGURA" feed list
    says "advisories.db"
    # importing again heals it, and says what was lost
    import "0 3" "$WORK/good.json"
    code 0 "$YAGURA" feed list
}

@test "a day is judged by what was known on that day" {
    images
    disk="--image $IMAGES/windows2000-iis5-found.img"
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $disk --as-of 2001-06-06 --json
    holds 'verdicts("MS01-026") == {"affected"}' 'not verdicts("MS01-044")' 'not verdicts("MS01-033")'
    # MS01-033 came on 2001-06-18, MS01-044 on 2001-08-15
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $disk --as-of 2001-06-17 --json
    holds 'not verdicts("MS01-033")'
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $disk --as-of 2001-06-18 --json
    holds '"affected" in verdicts("MS01-033")' 'not verdicts("MS01-044")'
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit $disk --as-of 2001-08-16 --json
    holds '"affected" in verdicts("MS01-044")'
    # the patch of a later day is not the advice of an earlier one
    # shellcheck disable=SC2086
    code 1 "$YAGURA" patch plan $disk --as-of 2001-06-06 --json
    holds '"Q301625" not in {o.get("patch") for o in every}'
    # shellcheck disable=SC2086
    code 1 "$YAGURA" patch plan $disk --as-of 2001-12-31 --json
    holds '"Q301625" in {o.get("patch") for o in every}' '"Q293826" not in {o.get("patch") for o in every}'
    # before there was anything
    # shellcheck disable=SC2086
    code "1 3" "$YAGURA" audit $disk --as-of 1997-01-01 --json
    holds 'not [f for f in findings if f["rule"]["id"].startswith("MS")]'
    code 0 "$YAGURA" advisory list --before 2001-01-01 --json
    holds 'all(o["released"] < "2001-01-01" for o in every if o["type"] == "advisory")' \
        'summary["advisories"] > 20'
}

@test "supersedence that runs in a circle ends, is named, and proves nothing" {
    images
    csaf circle "$WORK/circle.json"
    import 0 "$WORK/circle.json"
    code 1 timeout 20 "$YAGURA" audit --image "$IMAGES/windows2000-iis5-mended.img" --as-of 2001-06-06 --json
    holds 'verdicts("CIRCLE-1") == {"affected"}'
    code 1 timeout 20 "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-mended.img" --as-of 2001-06-06 --json
    said=$output
    code 0 "$YAGURA" advisory show CIRCLE-1
    said+=$output
    code "0 1 3" "$YAGURA" audit --image "$IMAGES/windows2000-iis5-mended.img" --as-of 2001-06-06 --all
    said+=$output
    [[ "$said" == *circle* ]] || { echo "nobody says that Q900001, Q900002 and Q900003 run in a circle"; false; }
}

@test "one folder is one feed however it is written, and can be taken out again" {
    images
    mkdir -p "$WORK/mine/sub"
    cp "$ROOT"/data/advisories/2001/ms01-026.json "$WORK/mine/"
    local before
    before=$(loaded)
    import 0 "$WORK/mine"
    import 0 "$WORK/mine/"
    import 0 "$WORK/mine/sub/.."
    holds "summary[\"advisories\"] == $before" 'summary["documents"] == 1'
    code 0 "$YAGURA" feed list --json
    holds "[o['name'] for o in every[:-1] if not o['shipped']] == ['$(realpath "$WORK/mine")']" \
        '[o["name"] for o in every[:-1] if o["shipped"]].count("2001") == 1' "summary['advisories'] == $before"
    code 0 "$YAGURA" feed list
    says "2001: " ", shipped" "$before documents are loaded"
    # it is old, and that matters where it has something to say
    code "1 3" "$YAGURA" audit --image "$IMAGES/windows2000-iis5-mended.img" --json
    holds 'verdicts("feed-old") == {"unknown"}' \
        "all('feed remove $(realpath "$WORK/mine")' in f['remedy']['summary'] for f in findings if f['rule']['id'] == 'feed-old')"
    code "1 3" "$YAGURA" audit --image "$IMAGES/solaris7-iplanet-mended.img" --json
    holds 'verdicts("feed-old") == set()'
    code 2 "$YAGURA" feed remove nothing-of-the-kind
    says "there is no feed nothing-of-the-kind"
    code 2 "$YAGURA" feed remove 2001
    says "2001 is shipped with the program and stays"
    code 0 "$YAGURA" feed remove "$WORK/mine/" --because "it is old"
    says "1 document was taken out" "$before documents are loaded now"
    code 0 "$YAGURA" feed list --json
    holds 'all(o["shipped"] for o in every[:-1])'
    code "1 3" "$YAGURA" audit --image "$IMAGES/windows2000-iis5-mended.img" --json
    holds 'verdicts("feed-old") == set()'
    code 0 "$YAGURA" ledger show
    says feed-removed "$(realpath "$WORK/mine")" "it is old"
    code 0 "$YAGURA" ledger verify
}

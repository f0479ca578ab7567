#!/usr/bin/env bats
# What was not looked at is said, counts, and is never a good result.
load lib

@test "a text shows no files: nothing that lives in them is called good" {
    need "$SHARED/data/audit/windows-systeminfo/xp_sp2_x64_systeminfo.txt"
    code 3 "$YAGURA" audit --checklist --json --text "$SHARED/data/audit/windows-systeminfo/xp_sp2_x64_systeminfo.txt"
    holds 'all(o["outcome"] == "unknown" for o in every if o["type"] == "check")' \
        'summary["checks"] == 2' 'summary["unknown"] >= 2'
    printf 'SunOS kaede 5.7 Generic_106541-08 sun4u sparc SUNW,Ultra-5_10\nPatch: 106541-08 Obsoletes:  Requires:  Incompatibles:  Packages: SUNWcsu\n' >"$WORK/showrev"
    code 3 "$YAGURA" audit --checklist --json --text "$WORK/showrev"
    holds 'all(o["outcome"] == "unknown" for o in every if o["type"] == "check")' 'summary["checks"] > 20'
    code 3 "$YAGURA" audit --checklist --text "$WORK/showrev"
    says_not "✓"
}

@test "a checklist that does not fit gives no score" {
    images
    local set
    for set in linux iis4; do
        code 3 "$YAGURA" audit --checklist "$set" --image "$IMAGES/windows2000-iis5-mended.img"
        says "The checklist $set does not fit this target (Windows 2000 Server, Service"
        says_not Exposure ✓
    done
    code 3 "$YAGURA" audit --checklist linux --json --image "$IMAGES/windows2000-iis5-mended.img"
    holds 'summary["unknown"] == 1' 'summary["checks"] == 0' '"exposure" not in summary'
    mkdir "$WORK/empty"
    code 3 "$YAGURA" audit --checklist --root "$WORK/empty"
    says "No checklist fits this target" "nothing was"
    says_not Exposure
}

@test "rules that are asked for and do not load are all named, and count" {
    images
    local target="--image $IMAGES/solaris26-apache-mended.img" command
    for command in "audit" "facts" "ports" "patch plan" "rules list"; do
        # shellcheck disable=SC2086
        code 2 "$YAGURA" $command --rules "$WORK/nowhere"
        says "$WORK/nowhere: there is no folder of rules here"
    done
    # shellcheck disable=SC2086
    code "0 1 3" "$YAGURA" audit --json $target
    local before
    before=$(tail -1 <<<"$stdout" | python3 -c 'import json,sys; print(json.load(sys.stdin)["unknown"])')
    mkdir "$WORK/rules"
    for n in 1 2 3; do echo "title: x: y" >"$WORK/rules/bad$n.yml"; done
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit --rules "$WORK/rules" $target
    says bad1.yml:1:9 bad2.yml:1:9 bad3.yml:1:9
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit --json --rules "$WORK/rules" $target
    holds "summary[\"unknown\"] == $before + 3" 'len([o for o in every if o["type"] == "problem"]) == 3'
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit --checklist --rules "$WORK/rules" $target
    says bad1.yml:1:9 bad3.yml:1:9
    for n in 4 5 6 7 8 9 10; do echo "title: x: y" >"$WORK/rules/bad$n.yml"; done
    # shellcheck disable=SC2086
    code 1 "$YAGURA" audit --rules "$WORK/rules" $target
    says "2 more problems in the rules"
}

@test "a reader that has seen enough is no error; a full disk is" {
    local errors
    errors=$( { "$YAGURA" rules list | head -1 >/dev/null; } 2>&1 )
    [ -z "$errors" ]
    code 3 bash -c "'$YAGURA' rules list >/dev/full"
    says "standard output"
}

@test "exit code 3 is explained as it is meant" {
    code 0 "$YAGURA" help audit
    says "nothing was found, but something could not be looked at"
    code 0 "$YAGURA" help --man
    says "3 nothing was found, but something could not be looked at"
}

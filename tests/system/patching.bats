#!/usr/bin/env bats
# Patches, by the host's own apt and dpkg: tried on one host, applied on another. Both are this
# machine's root with a layer over it (patching.bash).
load lib
load patching

teardown() { end_hosts; }

# two_hosts: "test" and "live" have shop 1.0; the archive has 2.0, and test has made a plan.
two_hosts() {
    hosts test live
    deb shop 1.0 "$1"
    both apt-get -qq update
    both apt-get -qq -y install shop
    deb shop 2.0 "$2"
    both apt-get -qq update
    plan
}
both() {
    local host
    for host in test live; do on "$host" "$@" >"$WORK/both.log" 2>&1 || { cat "$WORK/both.log"; return 1; }; done
}
plan() { code "0 1 3" yagura_on test patch plan --out /repo/plan.json --json; }
stage() { code 0 yagura_on test patch stage /repo/plan.json --who alice --yes --json "$@"; }
apply() {
    local wanted=$1
    shift
    code "$wanted" yagura_on live patch apply /repo/plan.json --yes --json "$@"
}
RECEIPT=(--receipt /repo/plan.json.receipt)
policy() { cat >"$HOSTS/live/root/etc/yagura/yagura.yaml"; }
ledger() { # ledger HOST EXPRESSION ...: over its entries, e
    local host=$1
    shift
    code 0 yagura_on "$host" ledger show --json
    holds "$@"
    code 0 yagura_on "$host" ledger verify
}

@test "a long plan: the question stands with what it is about, how much that is, and where all of it is" {
    program script
    hosts test
    local n dir=$WORK/many
    eval "list_archive() $(declare -f archive | tail -n +2)"
    archive() { :; } # once, for all of them
    for n in $(seq -w 24); do deb "stock$n" 1.0; deb "stock$n" 2.0; done
    mkdir "$dir"
    mv "$HOSTS"/repo/pool/*_2.0_all.deb "$dir"
    list_archive
    on test apt-get -qq update >/dev/null
    on test apt-get -qq -y install $(seq -f 'stock%02g' 24) >"$WORK/install.log" 2>&1
    mv "$dir"/*.deb "$HOSTS/repo/pool"
    list_archive
    on test apt-get -qq update >/dev/null
    plan
    export -f on yagura_on
    export HOSTS YAGURA
    # on a terminal: nobody says yes, and nothing is changed
    SHELL=/bin/bash script -qec "stty cols 80 rows 24; yagura_on test patch stage /repo/plan.json" "$WORK/screen" <<<n >/dev/null || :
    tail -n 24 "$WORK/screen" | tr -d '\r' >"$WORK/last"
    output=$(cat "$WORK/last")
    unwrapped
    says "/repo/plan.json, SHA-256 " ": packages 24, of which 0 come along" "patch stage /repo/plan.json --dry-run --all" "Try this plan on this host? [y/N]" "The way back:" "patch undo"
    [ "$(has test stock24)" = "1.0 installed" ]
    if grep -q stock24 "$WORK/screen"; then return 1; fi
    code 0 yagura_on test patch stage /repo/plan.json --dry-run --all
    says stock24 stock01=1.0
}

@test "a host that is cut off: what has to be named first is said before anything is tried, and the cause once" {
    program nft
    hosts live
    deb shop 1.0
    deb tool 1.0
    on live apt-get -qq update
    on live apt-get -qq -y install shop tool >"$WORK/install.log" 2>&1
    deb shop 2.0
    deb tool 2.0
    on live apt-get -qq update
    printf '%s\n' 'id: cut' 'title: Cut' 'steps:' '  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no}' \
        '  - {id: isolate, title: Cut, text: x, why: x, action: {action: isolate, mode: full}, verify: [isolated], undo: {action: open-network}}' >"$HOSTS/repo/cut.yaml"
    cat >"$HOSTS/repo/cut.sh" <<'SH'
"$1" patch plan --out /repo/cut.json >/repo/cut.planned 2>&1
# the same archive, as if it had been fetched over the network
echo 'Acquire::http::Proxy "false";' >/etc/apt/apt.conf.d/zz-no-proxy
echo 'deb [trusted=yes] http://mirror.example/ bookworm-security main' >/etc/apt/sources.list
cd /var/lib/apt/lists && for list in _repo_*; do cp -L "$list" "mirror.example_${list#_repo_}" && rm "$list"; done
: >/etc/hosts
echo 'nameserver 192.0.2.53' >/etc/resolv.conf
"$1" patch apply /repo/cut.json --dry-run >/repo/open 2>&1
"$1" respond start --runbook /repo/cut.yaml >/repo/cut.started 2>&1
"$1" respond do isolate --allow 192.0.2.9 >/repo/cut.done 2>&1
"$1" patch apply /repo/cut.json --yes >/repo/said 2>&1
echo $? >/repo/code
"$1" patch apply /repo/cut.json --dry-run --json >/repo/json 2>&1
"$1" respond do isolate --allow 192.0.2.53 >>/repo/cut.done 2>&1
echo 'nameserver 192.0.2.54' >>/etc/resolv.conf
"$1" patch apply /repo/cut.json --dry-run >/repo/one 2>&1
echo '192.0.2.53 mirror.example' >/etc/hosts
"$1" patch apply /repo/cut.json --dry-run >/repo/named 2>&1
SH
    on live sh /repo/cut.sh "$YAGURA"
    cat "$HOSTS"/repo/{cut.planned,cut.started,cut.done,said}
    output=$(cat "$HOSTS/repo/open")
    says_not "cut off"
    [ "$(cat "$HOSTS/repo/code")" = 1 ]
    output=$(cat "$HOSTS/repo/said")
    unwrapped
    says "this host is cut off, and does not reach mirror.example, 192.0.2.53" "respond do isolate --allow ADDRESS-OF-mirror.example,192.0.2.53" \
        "the packages could not be fetched" "No package was changed: 2 are as they were."
    says_not "and should be"
    # before it is tried, and again with the outcome
    local fetching
    fetching=$(grep -n "Fetching" "$HOSTS/repo/said" | cut -d: -f1)
    [ "$(grep -n "^! this host is cut off" "$HOSTS/repo/said" | head -1 | cut -d: -f1)" -lt "$fetching" ]
    [ "$(grep -n "^! this host is cut off" "$HOSTS/repo/said" | tail -1 | cut -d: -f1)" -gt "$fetching" ]
    grep -q '"type":"note","text":"this host is cut off' "$HOSTS/repo/json"
    # of several name servers one that was named is enough
    output=$(cat "$HOSTS/repo/one")
    unwrapped
    says "does not reach mirror.example: apt will fetch nothing"
    output=$(cat "$HOSTS/repo/named")
    says_not "this host is cut off"
}

@test "staged on one host, applied on the other, and back" {
    two_hosts
    holds '[p for p in every if p["type"] == "plan"][0]["packages"] == 1'
    /usr/bin/python3 - "$HOSTS/repo/plan.json" <<'PY'
import json, sys
plan = json.load(open(sys.argv[1]))
assert plan["host"]["name"] == "test", plan
[shop] = plan["packages"]
assert (shop["from"], shop["to"], shop["security"]) == ("1.0", "2.0", True), shop
assert "debian-security-update" in shop["closes"], shop
PY
    # who has no test host is told how to go on, too
    code "0 1 3" yagura_on test patch plan --out /repo/plan.json
    says "patch stage /repo/plan.json" "patch apply /repo/plan.json"
    # a look changes nothing
    code 0 yagura_on test patch stage /repo/plan.json --dry-run --json
    holds 'summary["changed"] is False' '"shop=1.0" in summary["way_back"]'
    [ "$(has test shop)" = "1.0 installed" ]
    stage
    holds 'summary["changed"]' 'summary["found"] == 0' 'summary["open_after"] < summary["open_before"]'
    [ "$(has test shop)" = "2.0 installed" ]
    # what minisign says of the receipt
    if command -v minisign >/dev/null; then
        minisign -Vqm "$HOSTS/repo/plan.json.receipt" -P "$(/usr/bin/python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["public_key"])' "$HOSTS/repo/plan.json.receipt")"
    fi
    # the administrator has changed a configuration file: it stays, and nobody is asked
    echo mine >"$HOSTS/live/root/etc/shop.conf"
    # ... and what was installed automatically stays marked so, there and back
    on live apt-mark auto shop >/dev/null
    apply 0 "${RECEIPT[@]}" --dry-run
    holds 'summary["changed"] is False' '[n for n in every if n["type"] == "note" and "not known here" in n["text"]]'
    [ "$(has live shop)" = "1.0 installed" ]
    apply 0 "${RECEIPT[@]}" --because "the fair"
    [ "$(has live shop)" = "2.0 installed" ]
    [ "$(cat "$HOSTS/live/root/etc/shop.conf")" = mine ]
    on live apt-mark showauto | grep -qx shop
    [ "$(on live cat /usr/share/shop/version)" = 2.0 ]
    ledger live '[e["kind"] for e in every if e["type"] == "entry"] == ["patch-begun", "patch-applied"]' \
        'every[0]["receipt"]["who"] == "alice"' 'every[0]["text"] == "the fair"' \
        'every[0]["packages"][0]["before"] == "1.0"' 'every[1]["packages"][0]["after"] == "2.0"' 'every[1]["good"]'
    # again: there is nothing to do
    apply 0 "${RECEIPT[@]}"
    holds 'summary["changed"] is False'
    # back
    code 0 yagura_on live patch undo --yes --json
    [ "$(has live shop)" = "1.0 installed" ]
    on live apt-mark showauto | grep -qx shop
    ledger live '[e["kind"] for e in every if e["type"] == "entry"][-1] == "patch-undone"'
    code 2 yagura_on live patch undo --yes
    says "not undone"
    # staged once more, and the receipt has no folder to lie in; the way back is that of the first
    code 3 yagura_on test patch stage /repo/plan.json --yes --json --receipt /repo/none/receipt
    holds 'summary["found"] == 0' 'summary["unknown"] == 1' 'summary["receipt"] is None'
    code 0 yagura_on test patch undo --yes
    [ "$(has test shop)" = "1.0 installed" ]
}

@test "a receipt that is not of this plan, was changed, or forged, is none" {
    two_hosts
    stage
    # without one: said
    apply 0 --dry-run
    holds '[n for n in every if n["type"] == "note" and "no receipt" in n["text"]]'
    # the plan was changed after it was tried
    cp "$HOSTS/repo/plan.json" "$WORK/plan.json"
    sed -i 's/"who": "root"/"who": "roof"/' "$HOSTS/repo/plan.json"
    apply 1 "${RECEIPT[@]}"
    holds '[o for o in every if o["type"] == "obstacle" and "another plan" in o["text"]]'
    [ "$(has live shop)" = "1.0 installed" ]
    # ... and the receipt with it
    sum=$(sha256sum "$HOSTS/repo/plan.json" | cut -d' ' -f1)
    cp "$HOSTS/repo/plan.json.receipt" "$WORK/receipt"
    sed -i "s/\"plan\": \"[0-9a-f]*\"/\"plan\": \"$sum\"/" "$HOSTS/repo/plan.json.receipt"
    apply 2 "${RECEIPT[@]}"
    says "the signature does not fit"
    # no signature at all, and no override of that
    rm "$HOSTS/repo/plan.json.receipt.minisig"
    apply 2 "${RECEIPT[@]}" --override --because "in a hurry"
    [ "$(has live shop)" = "1.0 installed" ]
    # what is no plan
    for text in '{' '[]' '{"format": "yagura patch plan 9"}' \
        "$(sed 's/"shop"/"-o Dpkg::Pre-Install-Pkgs::=x"/' "$WORK/plan.json")" \
        "$(sed 's/"to": "2.0"/"to": "2.0 --allow-downgrades"/' "$WORK/plan.json")"; do
        printf '%s\n' "$text" >"$HOSTS/repo/plan.json"
        apply 2
        says "plan.json"
    done
    says "packages[0].to"
}

@test "another version than the plan begins with, a held package, what apt adds" {
    slow
    two_hosts
    deb shop 1.5
    both apt-get -qq update
    on live apt-get -qq -y install shop=1.5 >/dev/null 2>&1
    apply 1
    holds '[o for o in every if o["type"] == "obstacle" and "1.5" in o["text"] and "1.0" in o["text"]]'
    [ "$(has live shop)" = "1.5 installed" ]
    on live apt-get -qq -y --allow-downgrades install shop=1.0 >/dev/null 2>&1
    on live apt-mark hold shop >/dev/null
    apply 1
    holds '[o for o in every if o["type"] == "obstacle" and "held" in o["text"]]'
    on live apt-mark unhold shop >/dev/null
    # the plan of a host on which it is held has it, and says so
    on test apt-mark hold shop >/dev/null
    plan
    holds '[p for p in every if p["type"] == "plan"][0]["held"] == 1'
    on test apt-mark unhold shop >/dev/null
    # a version that no archive has any more
    plan
    rm "$HOSTS/repo/pool/shop_2.0_all.deb"
    archive
    on live apt-get -qq update
    apply 1
    holds '[o for o in every if o["type"] == "obstacle" and "2.0" in o["text"]]'
    # a package that comes along is part of the plan
    deb till 1.0
    deb shop 2.0 "" "till (>= 1.0)"
    both apt-get -qq update
    plan
    holds '[p for p in every if p["type"] == "plan"][0]["packages"] == 2'
    stage
    apply 0 "${RECEIPT[@]}"
    [ "$(has live till)" = "1.0 installed" ]
    on live apt-mark showauto | grep -qx till
    # what has come to need it since is not taken away with it
    deb cash 1.0 "" till
    on live apt-get -qq update
    on live apt-get -qq -y install cash >/dev/null 2>&1
    code 3 yagura_on live patch undo --yes
    says "cash"
    [ "$(has live cash)" = "1.0 installed" ]
    on live apt-get -qq -y remove cash >/dev/null 2>&1
    code 0 yagura_on live patch undo --yes
    [ "$(has live shop)" = "1.0 installed" ]
    [[ "$(has live till)" == *config-files ]]
}

@test "the policy: staging, key, age, approver, window, backup; and against it with a reason" {
    program minisign
    two_hosts
    stage
    refused() { holds "[r for r in every if r['type'] == 'refusal' and r['key'] == '$1']" 'summary["refused"]' 'summary["found"] == 1'; }
    policy <<<'patch: {policy: {staging: yes}}'
    apply 1
    refused staging
    apply 0 --dry-run "${RECEIPT[@]}"
    # whose receipt
    code 0 yagura_on live patch policy print
    policy <<<"patch: {policy: {receipt_keys: [RWTZgySutk4XkI+0f1LmZ/Wo3Jh/euDxepHeRYwX1NEE2WqmJQGxooaM]}}"
    apply 1 "${RECEIPT[@]}"
    refused receipt_keys
    policy <<<"patch: {policy: {receipt_keys: [$(sed -n 2p "$HOSTS/test/root/var/lib/yagura/keys/ledger.pub")]}}"
    apply 0 --dry-run "${RECEIPT[@]}"
    holds 'not [n for n in every if n["type"] == "note"]'
    # who answers for it
    policy <<<'patch: {policy: {approver: other}}'
    apply 1 "${RECEIPT[@]}" --who alice
    refused other_approver
    apply 0 --dry-run "${RECEIPT[@]}" --who bob
    # when: a window that opens in an hour, in a zone that is not the host's
    policy <<<"patch: {policy: {window: {from: \"$(TZ=Asia/Tokyo date -d '+1 hour' +%H:%M)\", to: \"$(TZ=Asia/Tokyo date -d '+2 hours' +%H:%M)\", zone: Asia/Tokyo}}}"
    apply 1 "${RECEIPT[@]}"
    refused window
    policy <<<"patch: {policy: {window: {from: \"$(TZ=Asia/Tokyo date -d '-1 hour' +%H:%M)\", to: \"$(TZ=Asia/Tokyo date -d '+1 hour' +%H:%M)\", zone: Asia/Tokyo}}}"
    apply 0 --dry-run "${RECEIPT[@]}"
    # a backup
    policy <<<'patch: {policy: {backup: {path: /var/backups/site, hours: 2}}}'
    apply 1 "${RECEIPT[@]}"
    refused backup
    mkdir -p "$HOSTS/live/root/var/backups/site"
    touch -d '3 hours ago' "$HOSTS/live/root/var/backups/site/dump"
    apply 1 "${RECEIPT[@]}"
    refused backup
    touch "$HOSTS/live/root/var/backups/site/dump"
    apply 0 --dry-run "${RECEIPT[@]}"
    policy <<<'patch: {policy: {backup: {command: "test -e /var/backups/none"}}}'
    apply 1 "${RECEIPT[@]}"
    refused backup
    # an old receipt: the clock of its host was right then
    policy <<<'patch: {policy: {receipt_days: 1}}'
    touch "$HOSTS/repo/plan.json"
    old_receipt
    apply 1 --receipt /repo/old
    refused receipt_days
    # against it: with a reason only, and the ledger keeps both
    apply 2 --receipt /repo/old --override
    apply 2 --receipt /repo/old --override --because ""
    apply 0 --receipt /repo/old --override --because "it is being attacked" --dry-run
    holds 'summary["found"] == 0' 'not summary["refused"]'
    apply 0 --receipt /repo/old --override --because "it is being attacked"
    ledger live 'every[0]["overridden"] == ["receipt_days"]' 'every[0]["text"] == "it is being attacked"'
    [ "$(has live shop)" = "2.0 installed" ]
    # what is misspelt is not no policy
    policy <<<'patch: {policy: {stageing: yes}}'
    apply 2
    says "stageing" "yagura.yaml:1"
    policy <<<'patch: {policy: {window: {from: "22:00", to: "04:00", zone: Asia/Edo}}}'
    apply 2
    says "time zone"
    # the printed one can be used as it is
    code 0 yagura_on live patch policy print
    printf '%s\n' "$stdout" | policy
    code "0 1 3" yagura_on live audit --checklist --json
    holds '[c["outcome"] for c in every if c.get("rule") == "linux-no-patch-policy"] == ["quiet"]'
    rm "$HOSTS/live/root/etc/yagura/yagura.yaml"
    code "0 1 3" yagura_on live audit --checklist --json
    holds '[(c["outcome"], c["severity"]) for c in every if c.get("rule") == "linux-no-patch-policy"] == [("fires", "low")]'
}
# A receipt of three days ago, signed by the test host's own key.
old_receipt() {
    sed "s/\"when\": \"[^\"]*\"/\"when\": \"$(date -u -d '3 days ago' +%Y-%m-%dT%H:%M:%SZ)\"/" \
        "$HOSTS/repo/plan.json.receipt" >"$HOSTS/repo/old"
    minisign -Sm "$HOSTS/repo/old" -s "$HOSTS/test/root/var/lib/yagura/keys/ledger.key" -x "$HOSTS/repo/old.minisig" -t old </dev/null >/dev/null
}

@test "a script of a package that fails: said, with the way back" {
    slow
    two_hosts "" 'echo the shop cannot open >&2; exit 1'
    code 1 yagura_on test patch stage /repo/plan.json --yes --json
    holds '"error processing package shop" in summary["problem"]' 'summary["receipt"] is None' '"shop=1.0" in summary["way_back"]' \
        '[p for p in every if p["type"] == "package"][0]["configured"] is False'
    [ ! -e "$HOSTS/repo/plan.json.receipt" ]
    grep -q "the shop cannot open" "$HOSTS/test/root$(/usr/bin/python3 -c 'import json,sys; print(json.loads(sys.argv[1].splitlines()[-1])["log"])' "$stdout")"
    ledger test '[e for e in every if e["type"] == "entry"][-1]["good"] is False'
    code 0 yagura_on test patch undo --yes
    [ "$(has test shop)" = "1.0 installed" ]
}

@test "killed in the middle: dpkg finishes, and the next run goes on" {
    slow
    # the script waits until it is let go
    two_hosts "" 'touch /repo/begun; n=0; while [ ! -e /repo/go ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done'
    # shellcheck disable=SC2016
    code 0 on live sh -c '
        "$1" patch apply /repo/plan.json --yes --json >/repo/said 2>&1 &
        n=0; while [ ! -e /repo/begun ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done
        kill -KILL $!; wait $! 2>/dev/null
        pgrep -x dpkg >/dev/null || exit 9
        touch /repo/go
        n=0; while pgrep -x dpkg >/dev/null && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done' sh "$YAGURA"
    [ "$(has live shop)" = "2.0 installed" ]
    ledger live '[e["kind"] for e in every if e["type"] == "entry"] == ["patch-begun"]'
    apply 0
    holds '[n for n in every if n["type"] == "note" and "interrupted" in n["text"]]'
    ledger live 'every[-2]["kind"] == "patch-applied"' 'every[-2]["packages"][0]["before"] == "1.0"'
    code 0 yagura_on live patch undo --yes
    [ "$(has live shop)" = "1.0 installed" ]
    # everything is killed, dpkg too: unconfigured, and the next run configures
    rm -f "$HOSTS"/repo/{begun,go}
    # shellcheck disable=SC2016
    code 0 on live sh -c '
        "$1" patch apply /repo/plan.json --yes --json >/repo/said 2>&1 &
        n=0; while [ ! -e /repo/begun ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done' sh "$YAGURA"
    [[ "$(has live shop)" == "2.0 "* && "$(has live shop)" != *" installed" ]]
    touch "$HOSTS/repo/go"
    apply 0
    holds '[n for n in every if n["type"] == "note" and "unconfigured" in n["text"]]'
    [ "$(has live shop)" = "2.0 installed" ]
}

@test "pages before and after: of the sites that are found, and of health:" {
    slow
    program nginx openssl
    # back when the workers of before are gone
    two_hosts "" 'test ! -e /repo/break || echo "server { listen 8080; return 503; }" >/etc/nginx/sites-enabled/default
        old=$(pgrep -P "$(cat /run/nginx.pid)"); kill -HUP "$(cat /run/nginx.pid)"
        for w in $old; do n=0; while kill -0 $w 2>/dev/null && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done; done'
    mkdir -p "$HOSTS/live/root/etc/nginx/sites-enabled"
    rm -f "$HOSTS/live/root/etc/nginx/sites-enabled/"* "$HOSTS/live/root/etc/nginx/conf.d/"*
    echo 'server { listen 8080; server_name shop.example; location / { return 200 "open"; } }' >"$HOSTS/live/root/etc/nginx/sites-enabled/default"
    # one that speaks TLS, whose certificate nobody has signed
    openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=till.example -keyout "$HOSTS/live/root/etc/till.key" \
        -out "$HOSTS/live/root/etc/till.pem" 2>/dev/null
    echo 'server { listen 8443 ssl; server_name till.example; ssl_certificate /etc/till.pem; ssl_certificate_key /etc/till.key; return 404; }' \
        >"$HOSTS/live/root/etc/nginx/sites-enabled/till"
    served() { on live sh -c 'nginx || exit 9; shift; "$@"; code=$?; nginx -s stop; exit $code' sh - "$YAGURA" patch "$@"; }
    code 0 served apply /repo/plan.json --dry-run --json
    holds '[f["name"] for f in every if f["type"] == "foreseen" and f["what"] == "page"] == ["http://shop.example:8080/", "https://till.example:8443/"]'
    code "0 3" served apply /repo/plan.json --yes --json
    holds '[(p["url"], p["before"], p["after"]) for p in every if p["type"] == "page"] == [("http://shop.example:8080/", 200, 200), ("https://till.example:8443/", 404, 404)]'
    code 0 yagura_on live patch undo --yes
    # the update breaks the site
    touch "$HOSTS/repo/break"
    policy <<<'health: ["http://127.0.0.1:8080/", "http://127.0.0.1:8081/"]'
    code 1 served apply /repo/plan.json --yes --json
    holds '[(p["before"], p["after"]) for p in every if p["type"] == "page"] == [(200, 503), (0, 0)]' 'summary["found"] == 1' 'summary["unknown"] >= 1'
    ledger live 'every[-2]["good"] is False'
}

@test "a service that runs in its old form is restarted, one that does not come back is said" {
    slow
    [ -x /lib/systemd/systemd ] || skip "there is no systemd here"
    program systemctl nsenter
    hosts live
    local unit=$WORK/files-shop/lib/systemd/system
    mkdir -p "$unit" "$WORK/files-shop/usr/lib/shop"
    cp /bin/sleep "$WORK/files-shop/usr/lib/shop/shopd"
    printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' 'ExecStart=/usr/lib/shop/shopd 1000' >"$unit/shop.service"
    printf '%s\n' '[Unit]' DefaultDependencies=no Wants=shop.service >"$unit/small.target"
    deb shop 1.0
    on live apt-get -qq update
    on live apt-get -qq -y install shop >/dev/null 2>&1
    deb shop 2.0
    on live apt-get -qq update
    code "0 1 3" yagura_on live patch plan --out /repo/plan.json --json
    boot live small.target
    # restarted only if something is applied
    before=$(enter live systemctl show -p MainPID --value shop.service)
    code "0 3" enter live "$YAGURA" patch apply /repo/plan.json --dry-run --json
    holds 'summary["changed"] is False'
    [ "$before" = "$(enter live systemctl show -p MainPID --value shop.service)" ]
    code "0 3" enter live "$YAGURA" patch apply /repo/plan.json --yes --json
    holds '[(s["unit"], s["outcome"]) for s in every if s["type"] == "service" and s["unit"] == "shop.service"] == [("shop.service", "restarted")]'
    after=$(enter live systemctl show -p MainPID --value shop.service)
    [ "$before" != "$after" ]
    [ "$(enter live systemctl is-active shop.service)" = active ]
    # the next version has no program that runs
    cp /bin/false "$WORK/files-shop/usr/lib/shop/shopd"
    deb shop 3.0
    enter live apt-get -qq update
    code "0 1 3" enter live "$YAGURA" patch plan --out /repo/plan.json --json
    code 1 enter live "$YAGURA" patch apply /repo/plan.json --yes --json
    holds '[s["outcome"] for s in every if s["type"] == "service" and s["unit"] == "shop.service"] == ["failed"]' 'summary["found"] == 1'
}

@test "what patch does not take is said, and a plan of another system has no packages" {
    images
    code "1 3" "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --as-of 2001-06-06 --out "$WORK/plan.json" --json
    holds 'of("plan")[0]["packages"] == 0' 'summary["found"] > 0'
    /usr/bin/python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["steps"][0]["part"] == "now"' "$WORK/plan.json"
    code 0 "$YAGURA" patch apply "$WORK/plan.json" --yes
    says "no packages"
    code 0 "$YAGURA" patch apply "$WORK/plan.json" --yes --json
    holds 'summary["changed"] is False' 'summary["found"] == 0'
    code 2 "$YAGURA" patch apply
    says "which plan?"
    code 2 "$YAGURA" patch apply "$WORK/plan.json" --root /
    says "this host"
    code 2 "$YAGURA" patch apply "$WORK/plan.json" --out x
    says "--out"
    code 2 "$YAGURA" patch plan --override
    code 2 "$YAGURA" patch apply "$WORK/none.json" --yes
    says "none.json"
    mkfifo "$WORK/pipe"
    code 2 within 10 "$YAGURA" patch apply "$WORK/pipe" --yes
    code 2 "$YAGURA" patch policy print --json
    code "1 3" "$YAGURA" patch plan --image "$IMAGES/windows2000-iis5-found.img" --out "$WORK/none/plan.json"
    says "none/plan.json"
}

@test "in an incident: the plan in its light, applied by the step, with the receipt of a test host" {
    SOURCE=openssl two_hosts # what is in the path of every connection can be reached
    local state=/repo/incident
    cat >"$HOSTS/repo/short.yaml" <<'YAML'
id: short
title: {en: Short, ja: 短い}
steps:
  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no, offline: yes}
  - {id: patch, title: Patch, text: x, why: x, action: {action: holes, least: high}, verify: [{check: holes, least: high}], undo: no, offline: yes}
YAML
    cp /dev/null "$HOSTS/repo/out.json"
    respond() { local wanted=$1; shift; code "$wanted" yagura_on live respond "$@" --state $state; }
    respond "0 1 3" start --runbook /repo/short.yaml
    respond "0 1 3" do patch --dry-run
    [ "$(ls "$HOSTS/repo/incident/evidence"/*/ | grep -c plan)" = 0 ]
    respond "0 1 3" do patch --out /repo/out.json --json
    holds 'next(o for o in every if o.get("step") == "patch")["result"]["plan"]'
    cmp "$HOSTS/repo/out.json" "$HOSTS"/repo/incident/evidence/*/plan-1/plan.json
    /usr/bin/python3 - "$HOSTS/repo/out.json" <<'PY'
import json, sys
[shop] = json.load(open(sys.argv[1]))["packages"]
assert (shop["name"], shop["to"]) == ("shop", "2.0"), shop
PY
    respond 1 do patch
    says "plan-2/plan.json" "can be reached" "debian-security-update" "is NOT done"
    # the policy holds here as well
    policy <<<'patch: {policy: {staging: yes}}'
    respond 3 do patch --apply --yes
    says "tried on a test host first" "the plan was not applied"
    [ "$(has live shop)" = "1.0 installed" ]
    cp "$HOSTS"/repo/incident/evidence/*/plan-2/plan.json "$HOSTS/repo/plan.json"
    stage
    respond "0 1 3" do patch --apply "${RECEIPT[@]}" --dry-run
    [ "$(has live shop)" = "1.0 installed" ]
    respond "0 1 3" do patch --apply "${RECEIPT[@]}" --yes --json
    holds 'any(o.get("type") == "package" and o.get("name") == "shop" and o.get("after") == "2.0" for o in every)' \
        'next(o for o in every if o.get("step") == "patch")["result"]["applied"]' \
        'not any("debian-security-update" in o["text"] for o in every if o["type"] == "check")'
    [ "$(has live shop)" = "2.0 installed" ]
    code 0 yagura_on live ledger show --json --state $state
    holds '[e["kind"] for e in every if e.get("kind", "").startswith("patch")] == ["patch-begun", "patch-applied"]'
    # a plan that somebody changed is not applied
    echo >>"$HOSTS"/repo/incident/evidence/*/plan-2/plan.json
    respond 3 do patch --apply --yes
    says "the plan is not to be believed"
    respond 2 do open --apply
    says 'of the step that does "holes"'
}

#!/usr/bin/env bats
# Isolation and `ports --close` in network namespaces of their own: an operator at a way in as sshd
# is one, an attacker, a container. Nothing leaves them.
load lib
load firewall

setup() {
    as_root
    program ip nft ss
    [ -x "$ISOLATE" ] || skip "$ISOLATE is not built"
    network
    serve
}
teardown() { network_ends; }
# Rules as ufw, fail2ban and Docker leave them.
foreign() {
    in_ns srv nft -f - <<'RULES'
table ip filter {
	chain ufw-before-input {
		ct state established,related accept
		tcp dport { 22, 80, 443, 3306 } accept
	}
	chain INPUT {
		type filter hook input priority filter; policy accept;
		counter packets 0 bytes 0 jump ufw-before-input
		tcp dport 23 drop
	}
	chain DOCKER {
		ip daddr 10.9.3.2 iifname != "tocon" tcp dport 80 counter packets 0 bytes 0 accept
	}
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
		counter packets 0 bytes 0 jump DOCKER
	}
}
table ip nat {
	chain DOCKER {
		iifname != "tocon" tcp dport 8080 counter packets 0 bytes 0 dnat to 10.9.3.2:80
	}
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local counter packets 0 bytes 0 jump DOCKER
	}
}
table inet f2b-table {
	set addr-set-sshd {
		type ipv4_addr
		elements = { 10.9.2.77 }
	}
	chain f2b-chain {
		type filter hook input priority filter - 1; policy accept;
		tcp dport 22 ip saddr @addr-set-sshd reject with icmp port-unreachable
	}
}
RULES
}

# A runbook that does nothing but cut off, in MODE; begun by the operator.
begin_cut() {
    printf '%s\n' 'id: cut' 'title: Cut' 'steps:' '  - {id: open, title: Open, text: x, why: x, action: open, verify: [opened], undo: no}' \
        "  - {id: cut, title: Cut, text: x, why: x, action: {action: isolate, mode: $1}, verify: [isolated], undo: {action: open-network}}" >"$WORK/cut.yaml"
    code 0 on operator "$YAGURA respond start --runbook $WORK/cut.yaml"
}

@test "isolation ends everybody's connections but the operator's, and the rules of others stay as they are" {
    mkdir -p "$YAGURA_STATE"
    foreign
    others >"$WORK/before"
    connect operator adm 10.9.1.1
    connect early adm 10.9.1.1 # and logs in later
    connect shell att fd09:2::1
    stand visitor att 10.9.2.1 80
    stand published att 10.9.2.1 8080
    is open srv tcp 10.9.2.2 4444
    code 0 on shell "echo in"
    # a shell that called home: opened from here
    ip netns exec "$NS-srv" "$HELPERS/session" connect 10.9.2.2 4444 "$WORK/home.sock" 3>&- &
    echo $! >"$WORK/home.pid"
    for _ in $(seq 50); do in_ns srv ss -Htn state established dst 10.9.2.2 dport = 4444 | grep -q . && break; sleep 0.1; done
    code 0 on operator "$ISOLATE $YAGURA_STATE preview contain"
    says "ending 3"
    [ "$(others)" = "$(cat "$WORK/before")" ]

    code 0 on operator "$ISOLATE $YAGURA_STATE begin contain 300"
    says trial "left 0"
    code 0 on operator "echo still here"
    says "still here"
    # by sockets: only the operator's two are left of those with the outside
    [ "$(in_ns srv ss -Htn state established | wc -l)" = 2 ]
    [ "$(stands visitor)" != answers ]
    [ "$(stands published)" != answers ]
    WAIT=1 code "90 91" on shell "echo still here"
    for target in "tcp 10.9.2.1 80" "tcp fd09:2::1 80" "tcp 10.9.2.1 22" "tcp 10.9.2.1 8080" "udp 10.9.2.1 53" "udp fd09:2::1 53"; do
        # shellcheck disable=SC2086
        is shut att $target
    done
    is shut srv tcp 10.9.2.2 4444
    is shut srv tcp fd09:2::2 4444
    is shut srv udp 10.9.2.2 53
    is shut con tcp 10.9.2.2 4444 # what a container of this host does
    is open srv tcp 127.0.0.1 80  # and the host itself lives

    # the same connection proves nothing, an older one neither; a new one does
    code 2 on operator "$ISOLATE $YAGURA_STATE confirm"
    says "was there before"
    code 2 on early "$ISOLATE $YAGURA_STATE confirm"
    says "was there before"
    [ ! -e "$YAGURA_STATE/firewall.nft" ]
    connect again adm 10.9.1.1
    code 0 on again "$ISOLATE $YAGURA_STATE look"
    says trial "altered 0"
    code 0 on again "$ISOLATE $YAGURA_STATE confirm"
    code 0 on again "$ISOLATE $YAGURA_STATE look"
    says confirmed
    in_ns srv nft list set inet yagura live | grep -q 'elements = { ipv4, ipv6 }'

    # a restart: the kernel knows nothing, the unit loads the file
    in_ns srv nft delete table inet yagura
    code 0 on again "$ISOLATE $YAGURA_STATE look"
    says removed
    in_ns srv nft -f "$YAGURA_STATE/firewall.nft"
    is shut att tcp 10.9.2.1 80
    code 0 on again "$ISOLATE $YAGURA_STATE look"
    says confirmed "altered 0"

    code 0 on again "$ISOLATE $YAGURA_STATE end"
    [ ! -e "$YAGURA_STATE/firewall.nft" ]
    others | diff "$WORK/before" -
    is open att tcp 10.9.2.1 80
    is open att tcp 10.9.2.1 8080
    code 0 on again "$ISOLATE $YAGURA_STATE look"
    says none
}

@test "a trial ends by itself, whatever became of this program" {
    mkdir -p "$YAGURA_STATE"
    connect operator adm fd09:1::1
    # killed as soon as the rules are there: nothing is left to undo them, and nothing needs to
    cat >"$WORK/killed" <<EOF
"$ISOLATE" "$YAGURA_STATE" begin contain 5 & pid=\$!
while kill -0 \$pid 2>/dev/null && ! nft get element inet yagura live "{ ipv4 }" >/dev/null 2>&1; do :; done
kill -9 \$pid 2>/dev/null && echo killed
wait \$pid 2>/dev/null
true
EOF
    code 0 on operator "sh $WORK/killed"
    is shut att tcp 10.9.2.1 80
    sleep 5
    is open att tcp 10.9.2.1 80
    is open att tcp fd09:2::1 80
    is open srv tcp 10.9.2.2 4444
    # begun again, the operator's connection lost at once
    code 0 on operator "$ISOLATE $YAGURA_STATE begin contain 5"
    kill "$(cat "$WORK/operator.pid")"
    is shut att tcp 10.9.2.1 80
    sleep 4.5
    is open att tcp 10.9.2.1 80
    connect again adm fd09:1::1
    code 0 on again "$ISOLATE $YAGURA_STATE look"
    says lapsed
    code 2 on again "$ISOLATE $YAGURA_STATE confirm"
    says "trial is over"
}

@test "what would lock the operator out is refused, and nothing is changed" {
    mkdir -p "$YAGURA_STATE"
    none() { [ -z "$(in_ns srv nft list ruleset)" ] && [ -z "$(ls "$YAGURA_STATE")" ]; }
    # nobody there: a timer
    code 2 in_ns srv setsid -w "$ISOLATE" "$YAGURA_STATE" begin contain 60
    says "may lock you out" "--allow"
    none
    # everything cut, and no way to come again
    connect operator adm 10.9.1.1
    code 2 on operator "$ISOLATE $YAGURA_STATE begin full 60"
    says "would lock you out"
    code 2 on operator "$ISOLATE $YAGURA_STATE begin full 60 10.9.1.1" # that is this host itself
    says "would lock you out"
    code 2 on operator "$ISOLATE $YAGURA_STATE begin contain 1"
    says "trial lasts"
    none
    # all clients are 127.0.0.1: which one is he?
    keep mux srv "$HELPERS/session" proxy 2222 22
    connect through adm 10.9.1.1 2222
    connect other att 10.9.2.1 2222
    code 0 on through "echo here"
    code 0 on other "echo here"
    code 0 on through "$ISOLATE $YAGURA_STATE who"
    says "seat hidden" "connections"
    says_not "way "
    code 2 on through "$ISOLATE $YAGURA_STATE begin contain 60"
    says "would lock you out" "--allow"
    none
    # he says it himself
    code 0 on through "$ISOLATE $YAGURA_STATE begin contain 60 10.9.1.2"
    code 0 on through "echo still here"
    says "still here"
    WAIT=1 code "90 91" on other "echo still here"
    is shut att tcp 10.9.2.1 2222
    is open adm tcp 10.9.1.1 80
    code 0 on through "$ISOLATE $YAGURA_STATE end"
    # one process a connection, as sslh: he is found
    keep muxes srv "$HELPERS/session" proxy 2223 22 fork
    connect single adm 10.9.1.1 2223
    code 0 on single "echo here"
    code 0 on single "$ISOLATE $YAGURA_STATE who"
    says "seat network" "10.9.1.2" "10.9.1.1:2223" "through"
    code 0 on single "$ISOLATE $YAGURA_STATE begin contain 60"
    code 0 on single "echo still here"
    connect anew adm 10.9.1.1 2223
    code 0 on anew "$ISOLATE $YAGURA_STATE confirm"
    is shut att tcp 10.9.2.1 2223
    code 0 on anew "$ISOLATE $YAGURA_STATE end"
    none
    # a tunnel's packets have other addresses than what is in it
    if [ -c /dev/net/tun ]; then
        keep vpn srv "$HELPERS/session" tunnel vpn0 10.99.0.1/24 5194
        keep vpn2 adm "$HELPERS/session" tunnel vpn0 10.99.0.2/24 5194 10.9.1.1
        connect vpns adm 10.99.0.1
        code 0 on vpns "$ISOLATE $YAGURA_STATE who"
        says "seat network" "tunnel vpn0"
        code 2 on vpns "$ISOLATE $YAGURA_STATE begin contain 60"
        says "through the tunnel vpn0"
        code 2 on vpns "$ISOLATE $YAGURA_STATE begin contain 60 10.99.0.0/24" # that is inside of it
        none
        code 0 on vpns "$ISOLATE $YAGURA_STATE begin contain 60 10.9.1.2"
        code 0 on vpns "$ISOLATE $YAGURA_STATE end"
    fi
    # what the kernel does not let this process do
    if command -v setpriv >/dev/null; then
        code 2 on anew "setpriv --bounding-set -net_admin --inh-caps -net_admin $ISOLATE $YAGURA_STATE begin contain 60"
        says "nft says"
        none
    fi
}

@test "a kernel that lacks what the rules need: said, nothing is changed, and the incident goes on" {
    program strace
    local asan=ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it looks by ptrace, too
    foreign
    others >"$WORK/before"
    connect operator adm 10.9.1.1
    stand visitor att 10.9.2.1 80
    begin_cut contain
    # nft's batch of rules is answered as such a kernel does it
    code 3 on operator "$asan strace -f -o $WORK/calls -e trace=sendmsg -e inject=sendmsg:error=EOPNOTSUPP $YAGURA respond do cut"
    unwrapped
    says "nothing was changed" "nft says" "not supported"
    grep -q EOPNOTSUPP "$WORK/calls"
    others | diff "$WORK/before" -
    [ "$(stands visitor)" = answers ]
    [ ! -e "$YAGURA_STATE/firewall.nft" ]
    code 1 on operator "$YAGURA respond status"
    says "Cut: not done yet"
    code 0 on operator "$YAGURA respond do cut"
    [ "$(stands visitor)" != answers ]
}

# with_notice SCRIPT: the program that shows the notice, started between the cut and what is added to
# it, is this script; $notice is the real one.
with_notice() {
    mkdir "$WORK/libexec"
    ln -s "$BUILD"/libexec/* "$WORK/libexec/"
    rm "$WORK/libexec/yagura-notice"
    printf '%s\n' '#!/bin/sh' "notice=$BUILD/libexec/yagura-notice" "$1" >"$WORK/libexec/yagura-notice"
    chmod +x "$WORK/libexec/yagura-notice"
}

@test "a kernel that shuts the host and shows no notice: it is cut off, visitors are refused, and that is said" {
    connect operator adm 10.9.1.1
    begin_cut web
    # as nft says it where the module nft_tproxy is missing
    cat >"$WORK/nft" <<'NFT'
#!/bin/sh
rules=$(mktemp)
cat >"$rules"
case $* in *-f*) grep -q tproxy "$rules" && echo "/dev/stdin:1:1-2: Error: Could not process rule: No such file or directory" >&2 && exit 1 ;; esac
exec /usr/sbin/nft.real "$@" <"$rules"
NFT
    chmod +x "$WORK/nft"
    local real
    real=$(readlink -f /usr/sbin/nft)
    sed -i "s#/usr/sbin/nft.real#$WORK/nft.real#" "$WORK/nft"
    cp "$real" "$WORK/nft.real"
    stand visitor att 10.9.2.1 80
    code 0 on operator "unshare -m sh -c 'mount --bind $WORK/nft $real && exec $YAGURA respond do cut'"
    unwrapped
    says "visitors get no notice: nft says" "yagura respond do cut" "over a NEW connection"
    [ "$(stands visitor)" != answers ]
    [ "$(probe att tcp 10.9.2.1 80)" = refused ]
    is shut att tcp 10.9.2.1 3306
    is shut srv tcp 10.9.2.2 4444
    # nobody is left who would show it
    if in_ns srv ss -Hltnp | grep -q yagura-notice; then return 1; fi
    # it holds like any other
    connect again adm 10.9.1.1
    code 0 on again "$YAGURA respond confirm"
    [ "$(probe att tcp 10.9.2.1 80)" = refused ]
    code 0 on again "$YAGURA respond status"
    says "stays so"
    # and is finished once the kernel can
    code 0 on again "$YAGURA respond do cut"
    [ "$(in_ns att curl -s -m 5 -o /dev/null -w '%{http_code}' http://10.9.2.1/)" = 503 ]
    is shut att tcp 10.9.2.1 3306
    # what cannot be taken away is there after a restart as well
    code 3 on again "unshare -m sh -c 'mount --bind /bin/false $real && exec $YAGURA respond undo cut'"
    in_ns srv nft flush ruleset
    in_ns srv nft -f "$YAGURA_STATE/firewall.nft"
    is shut att tcp 10.9.2.1 3306
    code 0 on again "$YAGURA respond undo cut"
    [ -z "$(find "$YAGURA_STATE" -name 'firewall*')" ]
    is open att tcp 10.9.2.1 3306
}

@test "killed between the cut and the notice: it is cut off all the same, and confirmed, or done again behind a reboot" {
    connect operator adm 10.9.1.1
    begin_cut web
    with_notice 'pid=${1#/proc/}; kill -9 "${pid%%/*}"'
    WAIT=60 code 137 on operator "YAGURA_LIBEXEC=$WORK/libexec $YAGURA respond do cut"
    is shut att tcp 10.9.2.1 80
    is shut att tcp 10.9.2.1 3306
    is shut srv tcp 10.9.2.2 4444
    code 1 on operator "$YAGURA respond status"
    unwrapped
    says "This host is isolated (web) on trial"
    # a reboot: the kernel knows nothing of it, and a trial is not loaded again
    in_ns srv nft flush ruleset
    [ ! -e "$YAGURA_STATE/firewall.nft" ]
    code 1 on operator "$YAGURA respond status"
    unwrapped
    says "somebody else took our rules away"
    WAIT=60 code 137 on operator "YAGURA_LIBEXEC=$WORK/libexec $YAGURA respond do cut"
    # what is in force can be confirmed as it is
    connect again adm 10.9.1.1
    code 0 on again "$YAGURA respond confirm"
    [ "$(probe att tcp 10.9.2.1 80)" = refused ]
    is shut att tcp 10.9.2.1 3306
    # once more, of what is confirmed already: no trial, and a start brings back the same
    WAIT=60 code 137 on again "YAGURA_LIBEXEC=$WORK/libexec $YAGURA respond do cut"
    is shut att tcp 10.9.2.1 80
    in_ns srv nft flush ruleset
    is open att tcp 10.9.2.1 80
    in_ns srv nft -f "$YAGURA_STATE/firewall.nft"
    is shut att tcp 10.9.2.1 80
    is shut srv tcp 10.9.2.2 4444
    code 1 on again "$YAGURA respond status"
    unwrapped
    says "This host is isolated (web), and stays so"
    says_not "somebody else"
    # and it is finished
    code 0 on again "$YAGURA respond do cut"
    [ "$(in_ns att curl -s -m 5 -o /dev/null -w '%{http_code}' http://10.9.2.1/)" = 503 ]
}

@test "cut off from another state, or by one that was killed before it wrote it down: said by whoever looks" {
    connect operator adm 10.9.1.1
    begin_cut contain
    mkdir "$WORK/other"
    code 0 on operator "$ISOLATE $WORK/other begin contain 300"
    code 1 on operator "$YAGURA respond status"
    unwrapped
    says "a table inet yagura of which the state here knows nothing"
    code 1 on operator "$YAGURA status --json"
    stdout=$(sed 's/^[^{]*//' <<<"$output" | grep '^{')
    holds '[o["stand"] for o in of("firewall")] == ["strange"]'
    # it is taken over, and is this state's from then on
    code 0 on operator "$YAGURA respond do cut"
    code 1 on operator "$YAGURA respond status"
    unwrapped
    says "This host is isolated (contain) on trial"
    says_not "knows nothing"
}

@test "who holds our table so that nobody can cut the host off is named" {
    connect operator adm 10.9.1.1
    begin_cut contain
    mkfifo "$WORK/held"
    ip netns exec "$NS-srv" nft -i <"$WORK/held" >"$WORK/held.out" 2>&1 3>&- &
    echo $! >"$WORK/held.pid"
    local fd
    exec {fd}>"$WORK/held"
    echo 'add table inet yagura { flags owner; }' >&"$fd"
    for _ in $(seq 100); do in_ns srv nft list tables | grep -q yagura && break; sleep 0.1; done
    in_ns srv nft list table inet yagura | grep -q 'flags owner' || skip "this nft knows no owners"
    code 3 on operator "$YAGURA respond do cut"
    unwrapped
    says "a program that calls itself \"nft\" holds the table inet yagura" "pull the cable"
    in_ns srv ss -f netlink | grep -q "/$(cat "$WORK/held.pid") "
    exec {fd}>&-
    for _ in $(seq 100); do in_ns srv nft list tables | grep -q yagura || break; sleep 0.1; done
    code 0 on operator "$YAGURA respond do cut"
    is shut att tcp 10.9.2.1 80
}

@test "neither a long ledger, a changed one nor one that takes nothing keeps the host open, and all of it is said" {
    program sqlite3
    local at began verified
    WAIT=120
    connect operator adm 10.9.1.1
    begin_cut contain
    "$BUILD/tests/record/long_ledger" "$YAGURA_STATE" 10000
    began=$(date +%s%N)
    code 0 "$YAGURA" ledger verify
    verified=$((($(date +%s%N) - began) / 1000))
    sqlite3 "$YAGURA_STATE/state.db" "update ledger set body = replace(body, 'shop', 'shap') where seq = 77"
    began=$(date +%s%N)
    code 1 on operator "$YAGURA respond do cut"
    unwrapped
    says "THE LEDGER WAS CHANGED: entry 77 was changed" "Your way in stays" "over a NEW connection"
    is shut att tcp 10.9.2.1 80
    at=$("$YAGURA" ledger show --json | grep -o 'in_force_at":"[^"]*' | cut -d'"' -f3)
    at=$((($(date -d "$at" +%s%N) - began) / 1000))
    echo "# 10,000 entries are verified in $((verified / 1000)) ms; it was cut off after $((at / 1000)) ms" >&3
    [ "$at" -lt "$verified" ]
    code 1 on operator "$YAGURA respond undo cut"
    is open att tcp 10.9.2.1 80
    # without its key nothing can be signed, nor verified
    mv "$YAGURA_STATE/keys" "$WORK/keys"
    code 2 on operator "$YAGURA respond do cut"
    unwrapped
    says "THIS HOST IS CUT OFF, and the ledger does not take it" "the ledger's key is missing" "yagura respond start --state /run/yagura"
    is shut att tcp 10.9.2.1 80
    # what it names: from a ledger that is whole
    code 0 on operator "$YAGURA respond start --runbook $WORK/cut.yaml --state $WORK/elsewhere"
    code 0 on operator "$YAGURA respond do cut --state $WORK/elsewhere"
    connect again adm 10.9.1.1
    code 0 on again "$YAGURA respond confirm --state $WORK/elsewhere"
    in_ns srv nft list set inet yagura live | grep -q 'elements = { ipv4, ipv6 }'
    is shut att tcp 10.9.2.1 80
}

@test "the operator is found behind a terminal multiplexer, and so is who looks at it later" {
    program tmux
    mkdir -p "$YAGURA_STATE"
    connect operator adm 10.9.1.1
    local t="tmux -L $NS -f /dev/null"
    # the screen of tmux is not to be read as an answer
    WAIT=2 on operator "exec $t new-session -s s" || true
    for _ in $(seq 50); do $t has-session -t s 2>/dev/null && break; sleep 0.1; done
    look() {
        rm -f "$WORK/said"
        $t send-keys -t s "$ISOLATE $YAGURA_STATE $1 >$WORK/said 2>&1; echo end >>$WORK/said" Enter
        for _ in $(seq 100); do grep -q '^end' "$WORK/said" 2>/dev/null && break; sleep 0.1; done
        output=$(cat "$WORK/said")
    }
    look who
    says "seat network" "10.9.1.2" "through tmux"
    look "begin contain 60"
    says trial
    look confirm
    says "was there before"
    # the line breaks; he comes again and looks at the same screen
    kill "$(cat "$WORK/operator.pid")"
    for _ in $(seq 50); do [ -z "$($t list-clients 2>/dev/null)" ] && break; sleep 0.1; done
    look confirm
    says "cannot be told"
    connect again adm 10.9.1.1
    WAIT=2 on again "exec $t attach -t s" || true
    look confirm
    says_not error
    look look
    says confirmed
    $t kill-server
    in_ns srv nft list set inet yagura live | grep -q 'elements = { ipv4, ipv6 }'
}

@test "who changes rules meanwhile is noticed" {
    mkdir -p "$YAGURA_STATE"
    foreign
    connect operator adm 10.9.1.1
    code 0 on operator "$ISOLATE $YAGURA_STATE begin contain 300"
    in_ns srv nft add element inet f2b-table addr-set-sshd '{ 10.9.2.78 }' # a ban is no change
    code 0 on operator "$ISOLATE $YAGURA_STATE look"
    says "altered 0"
    [ "$(grep '^changed' <<<"$output")" = "changed " ]
    in_ns srv nft add rule ip filter INPUT tcp dport 25 accept
    in_ns srv nft add table inet stranger
    code 0 on operator "$ISOLATE $YAGURA_STATE look"
    says "changed ip filter, inet stranger" "altered 0" trial
    in_ns srv nft insert rule inet yagura incoming tcp dport 4445 accept
    code 0 on operator "$ISOLATE $YAGURA_STATE look"
    says "altered 1"
    connect again adm 10.9.1.1
    code 2 on again "$ISOLATE $YAGURA_STATE confirm"
    says "somebody else changed"
    in_ns srv nft flush ruleset
    code 0 on again "$ISOLATE $YAGURA_STATE look"
    says removed
    code 2 on again "$ISOLATE $YAGURA_STATE confirm"
    says "took the rules away"
    code 0 on again "$ISOLATE $YAGURA_STATE end"
}

@test "ports --close shuts what has no business outside, a published container port too" {
    foreign
    others >"$WORK/before"
    connect operator adm 10.9.1.1
    stand database att 10.9.2.1 3306
    stand published att 10.9.2.1 8080
    stand visitor att fd09:2::1 80
    stand outgoing srv 10.9.2.2 4444
    code 0 on operator "$YAGURA ports --close --dry-run"
    says "is shut" "stays open" "Nothing was changed"
    others | diff "$WORK/before" -
    code 0 on operator "$YAGURA ports --close --yes --trial 20 --json"
    holds 'summary["stand"] == "trial"' 'summary["left"] == 0' \
        '{o["port"]: o["open"] for o in every if o["type"] == "closing" and o["proto"] == "tcp"} == {"22": True, "80": True, "443": True, "111": False, "3306": False}'
    for target in "tcp 10.9.2.1 3306" "tcp 10.9.2.1 111" "tcp fd09:2::1 3306" "tcp 10.9.2.1 8080" "udp 10.9.2.1 137" "udp fd09:2::1 53"; do
        # shellcheck disable=SC2086
        is shut att $target
    done
    is open att tcp 10.9.2.1 80
    is open att tcp fd09:2::1 443
    connect stranger att 10.9.2.1 # anybody may come to the way in
    code 0 on stranger "echo here"
    is open srv tcp 10.9.2.2 4444 # what goes out is nobody's business here
    is open srv udp 10.9.2.2 53
    is open con tcp 10.9.2.2 4444
    [ "$(stands database)" != answers ]
    [ "$(stands published)" != answers ]
    [ "$(stands visitor)" = answers ]
    [ "$(stands outgoing)" = answers ]
    code "0 1 3" on operator "$YAGURA ports"
    unwrapped
    says "Ports are shut on trial" "log in anew, and say there: $YAGURA ports --confirm"
    code 2 on operator "$YAGURA ports --confirm"
    says "was there before"
    connect again adm 10.9.1.1
    code 0 on again "$YAGURA ports --confirm"
    says Confirmed
    code "0 1 3" on again "$YAGURA ports --json"
    holds '[o["stand"] for o in every if o["type"] == "firewall"] == ["confirmed"]'
    in_ns srv nft delete table inet yagura_ports
    code 1 on again "$YAGURA ports"
    says "Ports should be shut, and are open"
    in_ns srv nft -f "$YAGURA_STATE/ports.nft"
    is shut att tcp 10.9.2.1 3306
    code 0 on again "$YAGURA ports --open"
    others | diff "$WORK/before" -
    is open att tcp 10.9.2.1 3306
    is open att tcp 10.9.2.1 8080
    code 0 "$YAGURA" ledger show
    says ports-close ports-confirm ports-open
    # unless somebody confirms, the kernel opens them
    printf 'ports:\n  allow: [3306, 8000-8090]\n' >"$WORK/yagura.yaml"
    code 0 on again "$YAGURA ports --close --yes --trial 5 --config $WORK/yagura.yaml"
    is open att tcp 10.9.2.1 3306
    is open att tcp 10.9.2.1 8080
    is shut att tcp 10.9.2.1 111
    sleep 5
    is open att tcp 10.9.2.1 111
}

@test "--from-outside tells from another machine what is really shut" {
    in_ns srv nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c tcp dport 3306 drop; add rule inet t c tcp dport 111 reject with tcp reset'
    code 1 in_ns att "$YAGURA" ports --from-outside 10.9.2.1 --json 80 111 3306 137/udp 138/udp
    holds '{(o["port"], o["proto"]): o["answer"] for o in every if o["type"] == "outside"} == {(80, "tcp"): "open", (111, "tcp"): "refused", (3306, "tcp"): "silent", (137, "udp"): "open", (138, "udp"): "refused"}'
    code 1 in_ns att "$YAGURA" ports --from-outside fd09:2::1
    says "137/udp" "! " "is open" "on that host: yagura ports --close"
    says_not "111/tcp"
    code 1 in_ns att "$YAGURA" --lang ja ports --from-outside fd09:2::1
    says "開いている"
    says_not "未解決"
    in_ns srv nft flush ruleset
    in_ns srv nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c meta l4proto { tcp, udp } drop'
    local start=$SECONDS
    code 0 in_ns att "$YAGURA" ports --from-outside fd09:2::1
    says "0 open"
    [ $((SECONDS - start)) -lt 10 ]
    code 2 "$YAGURA" ports --from-outside no-such-name.invalid
    code 2 "$YAGURA" ports --from-outside 127.0.0.1 70000
}

@test "visitors get a notice over HTTP and TLS, whatever the rules of others do with these ports" {
    program curl openssl setpriv pgrep
    mkdir -p "$YAGURA_STATE"
    chown games "$YAGURA_STATE" # a user of its own has it, as in the package
    chmod 755 "$WORK"/../.. "$WORK"/.. "$WORK" 2>/dev/null || true
    in_ns srv nft -f - <<'RULES'
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		tcp dport { 22, 80, 443 } accept
	}
}
table ip nat {
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		iifname != "tocon" tcp dport 80 dnat to 10.9.3.2:80
	}
}
RULES
    others >"$WORK/before"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=www.example \
        -addext subjectAltName=DNS:www.example -keyout "$WORK/key.pem" -out "$WORK/chain.pem" 2>/dev/null
    chmod 600 "$WORK/key.pem"
    page() { in_ns "$1" curl -sS -m 5 -i --cacert "$WORK/chain.pem" --resolve www.example:443:10.9.2.1 --resolve www.example:80:10.9.2.1 "${@:2}" 2>&1; }
    connect operator adm 10.9.1.1
    stand visitor att fd09:2::1 80
    code 0 on operator "$ISOLATE $YAGURA_STATE begin web 300 10.9.3.99 $WORK/chain.pem $WORK/key.pem"
    for url in http://www.example/any https://www.example/any "http://[fd09:2::1]/"; do
        code 0 page att "$url"
        says "HTTP/1.1 503" "Retry-After" "休止しています" "out of service"
    done
    code 0 page att -I http://www.example/
    says "HTTP/1.1 503"
    says_not 休止
    code 0 page att --http1.1 -X POST --data-binary @"$YAGURA" http://www.example/ || true
    [ "$(stands visitor)" != answers ]
    # nobody gets at the page's port, nor at anything else
    local port
    port=$(awk '$1 == "port" { print $2 }' "$YAGURA_STATE/notice.conf")
    is shut att tcp 10.9.2.1 "$port"
    is shut att tcp 10.9.2.1 22
    is shut att tcp 10.9.2.1 3306
    is shut srv tcp 10.9.2.2 4444
    is open srv tcp 127.0.0.1 80
    # who answers is nobody, can do nothing, and holds 200 visitors
    local pid
    pid=$(pgrep -nxf "$BUILD/libexec/yagura-notice /proc/.*")
    echo "$pid" >"$WORK/shown.pid"
    [ "$(stat -c %u "/proc/$pid/mem")" = 0 ] # not to be looked into: the key is there
    grep -qE '^Uid:\s65534\s65534\s65534' "/proc/$pid/status"
    grep -q '^CapEff:.0000000000000000' "/proc/$pid/status"
    grep -qE '^Seccomp:.2' "/proc/$pid/status"
    [ "$(ls "/proc/$pid/fd" | wc -l)" -lt 8 ]
    in_ns att /usr/bin/python3 -c 'import socket; a = [socket.create_connection(("10.9.2.1", 80)) for _ in range(400)]; b = socket.create_connection(("10.9.2.1", 80)); b.sendall(b"GET / HTTP/1.0\r\n\r\n"); assert b.recv(99).startswith(b"HTTP/1.1 503")'
    connect again adm 10.9.1.1
    code 0 on again "$ISOLATE $YAGURA_STATE confirm"
    # a restart
    in_ns srv nft delete table inet yagura
    kill "$pid"
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    in_ns srv setpriv --reuid games --regid games --clear-groups --inh-caps +net_admin --ambient-caps +net_admin \
        nft -f "$YAGURA_STATE/firewall.nft"
    # until its unit has started it they are refused, and do not reach the site
    code "7 56" page att "http://[fd09:2::1]/"
    keep notice srv setpriv --reuid games --regid games --clear-groups --inh-caps +net_admin,+dac_read_search \
        --ambient-caps +net_admin,+dac_read_search "$BUILD/libexec/yagura-notice" "$YAGURA_STATE"
    grep -q '^CapEff:.0000000000000000' "/proc/$(cat "$WORK/notice.pid")/status"
    code 0 page att https://www.example/
    says "HTTP/1.1 503"
    # for good is for good: another mode needs no trial, and keeps the way in
    code 0 on again "$ISOLATE $YAGURA_STATE begin contain 60"
    says confirmed
    code 28 page att http://www.example/
    ! kill -0 "$(cat "$WORK/notice.pid")" 2>/dev/null || false
    connect third adm 10.9.1.1
    code 0 on third "$ISOLATE $YAGURA_STATE end"
    others | diff "$WORK/before" -
    ls "$YAGURA_STATE"
    [ "$(ls "$YAGURA_STATE")" = notice.lock ]
}

# from NS SOURCE-PORT ADDRESS PORT [transparent]: opens a connection from a port; "open" or "shut"
from() {
    in_ns "$1" /usr/bin/python3 - "$2" "$3" "$4" "${5:-}" <<'PY'
import socket, sys
s = socket.socket()
s.settimeout(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if sys.argv[4]:
    s.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
s.bind(("0.0.0.0", int(sys.argv[1])))
try:
    s.connect((sys.argv[2], int(sys.argv[3])))
    print("open" if s.recv(64) else "shut")
except OSError:
    print("shut")
PY
}
@test "a way in is no way out: who holds its port, or the notice's, reaches nobody from there" {
    mkdir -p "$YAGURA_STATE"
    connect operator adm 10.9.1.1
    code 0 on operator "echo in"
    program curl
    keep desk adm "$HELPERS/net" serve 445/tcp
    [ "$(from srv 1022 10.9.1.2 445)" = open ]
    [ "$(from srv 1080 10.9.2.2 4444 transparent)" = open ]
    code 0 on operator "$ISOLATE $YAGURA_STATE begin web 60"
    says trial
    # somebody else has those ports now; the session lives on
    kill "$(cat "$WORK/ways.pid")" "$(cat "$WORK/services.pid")"
    for _ in $(seq 50); do in_ns srv ss -Htln | grep -qE ':(22|80) ' || break; sleep 0.1; done
    [ "$(from srv 22 10.9.1.2 445)" = shut ]
    [ "$(from srv 80 10.9.2.2 4444 transparent)" = shut ]
    code 0 on operator "echo still here"
    [ "$(in_ns att curl -s -m 5 -o /dev/null -w '%{http_code}' http://10.9.2.1/)" = 503 ]
    code 0 on operator "$ISOLATE $YAGURA_STATE end"
}

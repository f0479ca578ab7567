#!/usr/bin/env bats
# What listens, whether it should, and the rules for the router in front: proved by packets.
load lib

NS=yg$$
SHUT_TCP="111 135 137 138 139 445"
SHUT_UDP="111 137 138 445"

teardown() {
    local ns pid
    for pid in $(cat "$WORK"/*.pid 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
    for ns in out router in; do ip netns delete "$NS-$ns" 2>/dev/null || true; done
}
in_ns() { local ns=$1; shift; ip netns exec "$NS-$ns" "$@"; }
probe() { local ns=$1; shift; in_ns "$ns" "$HELPERS/net" probe "$@"; }
serve() {
    local ns=$1 try
    shift
    ip netns exec "$NS-$ns" "$HELPERS/net" serve "$@" >"$WORK/$ns.ready" 2>"$WORK/$ns.errors" 3>&- &
    echo $! >"$WORK/$ns.pid"
    for try in $(seq 50); do grep -q ready "$WORK/$ns.ready" && return 0; sleep 0.1; done
    cat "$WORK/$ns.errors"
    return 1
}
# outside 10.9.1.2 -- 10.9.1.1 router 10.9.2.1 -- 10.9.2.2 inside, the same in IPv6
network() {
    local side
    as_root
    program ip nft
    ip netns add "$NS-out" 2>/dev/null || skip "network namespaces cannot be made here"
    ip netns add "$NS-router"
    ip netns add "$NS-in"
    # addresses count at once, without waiting whether somebody else has them
    for side in out router in; do in_ns $side sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0; done
    ip link add "${NS}a" netns "$NS-out" type veth peer name "${NS}b" netns "$NS-router" || skip "no veth here"
    ip link add "${NS}c" netns "$NS-router" type veth peer name "${NS}d" netns "$NS-in"
    for side in "out ${NS}a 1.2" "router ${NS}b 1.1" "router ${NS}c 2.1" "in ${NS}d 2.2"; do
        # shellcheck disable=SC2086
        set -- $side
        in_ns "$1" ip link set lo up
        in_ns "$1" ip address add "10.9.$3/24" dev "$2"
        in_ns "$1" ip address add "fd09:${3%.*}::${3#*.}/64" dev "$2" nodad
        in_ns "$1" ip link set "$2" up
    done
    in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    in_ns out ip route add default via 10.9.1.1
    in_ns out ip -6 route add default via fd09:1::1
    in_ns in ip route add default via 10.9.2.1
    in_ns in ip -6 route add default via fd09:2::1
    for side in $(seq 50); do
        [ "$(in_ns router cat "/sys/class/net/${NS}b/operstate" "/sys/class/net/${NS}c/operstate" | sort -u)" = up ] && break
        sleep 0.1
    done
}
load_rules() {
    "$YAGURA" ports --gateway >"$WORK/gateway.nft"
    in_ns router nft -f "$WORK/gateway.nft"
}
# each WORD is PORT/PROTO; ANSWER is open or shut
all_are() {
    local answer=$1 from=$2 address=$3 port got bad=0
    shift 3
    rm -rf "$WORK/probes"
    mkdir "$WORK/probes"
    # side by side: what is shut takes its time to say nothing
    for port; do probe "$from" "${port#*/}" "$address" "${port%/*}" >"$WORK/probes/${port%/*}.${port#*/}" 3>&- & done
    for got in $(jobs -p); do [ "$got" = "$(cat "$WORK/in.pid" 2>/dev/null)" ] || [ "$got" = "$(cat "$WORK/router.pid" 2>/dev/null)" ] || wait "$got" || true; done
    for port; do
        got=$(cat "$WORK/probes/${port%/*}.${port#*/}")
        [ "$got" = "$answer" ] || { echo "$port at $address from $from: ${got:-nothing}, not $answer"; bad=1; }
    done
    return $bad
}
services() { for p in $SHUT_TCP 80 443; do echo "$p/tcp"; done; for p in $SHUT_UDP 53; do echo "$p/udp"; done; }

@test "the rules pass nft's own check, load, and may be loaded again" {
    as_root
    program nft
    "$YAGURA" ports --gateway >"$WORK/gateway.nft"
    nft -c -f "$WORK/gateway.nft"
    network
    load_rules
    first=$(in_ns router nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//')
    load_rules
    [ "$(in_ns router nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//')" = "$first" ]
    # the rules of others stay
    in_ns router nft add table inet others
    load_rules
    in_ns router nft list table inet others
    # the JSON form names the same ports
    code 0 "$YAGURA" ports --gateway --json
    holds '{(o["first"], o["last"]) for o in every if o["type"] == "gateway"} >= {(137, 139), (445, 445), (111, 111)}' \
        'all(o["tcp"] or o["udp"] for o in every if o["type"] == "gateway")'
}

@test "packets from outside: shut ports are shut, the web stays open" {
    network
    # shellcheck disable=SC2046
    serve in $(services)
    # shellcheck disable=SC2046
    serve router $(services)
    local address port shut
    shut="$(for p in $SHUT_TCP; do echo "$p/tcp"; done) $(for p in $SHUT_UDP; do echo "$p/udp"; done)"
    # before: everything is open, so that "shut" below means something
    for address in 10.9.2.2 fd09:2::2 10.9.1.1 fd09:1::1; do
        # shellcheck disable=SC2086
        all_are open out "$address" $shut 80/tcp 53/udp
    done
    load_rules
    for address in 10.9.2.2 fd09:2::2 10.9.1.1 fd09:1::1; do
        # shellcheck disable=SC2086
        all_are shut out "$address" $shut
        all_are open out "$address" 80/tcp 443/tcp 53/udp
    done
    # the router may talk to itself
    all_are open router 127.0.0.1 445/tcp 111/udp
}

@test "answers to a client's own port in a shut range still come" {
    network
    serve in 80/tcp 53/udp
    serve out 80/tcp 53/udp
    load_rules
    local source
    for source in 2049 1433 6001; do
        [ "$(probe out tcp 10.9.2.2 80 "$source")" = open ]
        [ "$(probe out tcp fd09:2::2 80 "$source")" = open ]
        [ "$(probe in tcp 10.9.1.2 80 "$source")" = open ]
        [ "$(probe in tcp fd09:1::2 80 "$source")" = open ]
    done
    [ "$(probe out udp 10.9.2.2 53 1024)" = open ]
    [ "$(probe in udp fd09:1::2 53 4999)" = open ]
    # the router asks others from a port of its own, and is answered from theirs
    kill "$(cat "$WORK/in.pid")"
    serve in 2049/tcp 161/udp
    [ "$(probe router tcp 10.9.2.2 2049)" = open ]
    [ "$(probe router udp fd09:2::2 161)" = open ]
}

@test "what a shut port sends opens nothing: no way in for who waits for it" {
    network
    serve in 80/tcp 53/udp
    serve out 80/tcp 53/udp
    [ "$(probe in tcp 10.9.1.2 80 445)" = open ]
    load_rules
    local source
    for source in 139 445; do
        [ "$(probe in tcp 10.9.1.2 80 "$source")" = shut ]
        [ "$(probe in tcp fd09:1::2 80 "$source")" = shut ]
    done
    for source in 111 137 1434 11211; do
        [ "$(probe in udp 10.9.1.2 53 "$source")" = shut ]
        [ "$(probe out udp fd09:2::2 53 "$source")" = shut ]
    done
}

@test "a standing connection ends though the server speaks first" {
    network
    serve in 445/tcp 1433/tcp 80/tcp
    local port try
    for port in 445 1433 80; do
        mkfifo "$WORK/ask.$port"
        ip netns exec "$NS-out" "$HELPERS/net" stand 10.9.2.2 $port <"$WORK/ask.$port" >"$WORK/said.$port" 3>&- &
        echo $! >"$WORK/stand$port.pid"
    done
    exec 7>"$WORK/ask.445" 8>"$WORK/ask.1433" 9>"$WORK/ask.80"
    for try in $(seq 50); do [ "$(cat "$WORK"/said.* | grep -c standing)" = 3 ] && break; sleep 0.1; done
    echo wait >&7; echo wait >&8; echo wait >&9
    sleep 0.3
    load_rules
    sleep 2
    echo >&7; echo >&8; echo >&9
    sleep 1.5
    exec 7>&- 8>&- 9>&-
    [ "$(tail -1 "$WORK/said.445")" = silent ]
    [ "$(tail -1 "$WORK/said.1433")" = silent ]
    [ "$(tail -1 "$WORK/said.80")" = answers ]
}

@test "connections that stood before the rules end with them" {
    network
    serve in 445/tcp 80/tcp
    local port try
    for port in 445 80; do
        mkfifo "$WORK/ask.$port"
        ip netns exec "$NS-out" "$HELPERS/net" stand 10.9.2.2 $port <"$WORK/ask.$port" >"$WORK/said.$port" 3>&- &
        echo $! >"$WORK/stand$port.pid"
    done
    exec 7>"$WORK/ask.445" 8>"$WORK/ask.80"
    for try in $(seq 50); do grep -q standing "$WORK/said.445" && grep -q standing "$WORK/said.80" && break; sleep 0.1; done
    echo >&7; echo >&8; sleep 0.5
    grep -q answers "$WORK/said.445"
    load_rules
    echo >&7; echo >&8
    sleep 1.5
    exec 7>&- 8>&-
    [ "$(tail -1 "$WORK/said.445")" = silent ]
    [ "$(tail -1 "$WORK/said.80")" = answers ]
}

@test "a port that a container publishes is open though ufw denies it" { # CASES 28
    local root=$WORK/root id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    mkdir -p "$root"/{etc/ufw,var/lib/dpkg,etc/containers/systemd} "$root/var/lib/docker/containers/$id"
    printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\n' >"$root/etc/os-release"
    echo web1 >"$root/etc/hostname"
    : >"$root/var/lib/dpkg/status"
    printf 'ENABLED=yes\nLOGLEVEL=low\n' >"$root/etc/ufw/ufw.conf"
    cat >"$root/etc/ufw/user.rules" <<'RULES'
*filter
:ufw-user-input - [0:0]
### RULES ###

### tuple ### deny tcp 3306 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 3306 -j DROP

### END RULES ###
COMMIT
RULES
    cat >"$root/var/lib/docker/containers/$id/config.v2.json" <<JSON
{"ID":"$id","Name":"/shop-db","Config":{"Image":"mariadb:11"},"State":{"Running":true},
 "NetworkSettings":{"Ports":{"3306/tcp":[{"HostIp":"0.0.0.0","HostPort":"3306"},{"HostIp":"::","HostPort":"3306"}],"9000/tcp":null}}}
JSON
    cat >"$root/var/lib/docker/containers/$id/hostconfig.json" <<'JSON'
{"PortBindings":{"3306/tcp":[{"HostIp":"","HostPort":"3306"}]},"RestartPolicy":{"Name":"unless-stopped"}}
JSON
    code 1 "$YAGURA" ports --root "$root" --json
    holds '[o for o in every if o["type"] == "port" and o.get("port") == "3306" and o["opinion"] == "no-business" and o.get("from") == "container" and o["scope"] == "any"]' \
        '"shop-db" in json.dumps(every)' 'not [o for o in every if o.get("port") == "9000"]'
    code 1 "$YAGURA" ports --root "$root"
    says 3306
    code 1 "$YAGURA" audit --root "$root" --json
    holds '[f for f in findings if f["verdict"] == "affected" and f.get("port", "").startswith("3306") or f["verdict"] == "affected" and "3306" in json.dumps(f["evidence"])]'
    # bound to loopback it is local
    sed -i 's/0\.0\.0\.0/127.0.0.1/; s/"::"/"::1"/' "$root/var/lib/docker/containers/$id/config.v2.json"
    sed -i 's/"HostIp":""/"HostIp":"127.0.0.1"/' "$root/var/lib/docker/containers/$id/hostconfig.json"
    code "0 3" "$YAGURA" ports --root "$root" --json
    holds 'not [o for o in every if o["type"] == "port" and o["opinion"] == "no-business"]' \
        '[o for o in every if o["type"] == "port" and o["port"] == "3306" and o["opinion"] == "local"]'
    # what cannot be read is said, never "nothing published"
    echo '{"ID":' >"$root/var/lib/docker/containers/$id/config.v2.json"
    code 3 "$YAGURA" ports --root "$root" --json
    code 3 "$YAGURA" facts --root "$root" --json
    holds 'any("config.v2.json" in json.dumps(u) for u in unread)'
}

@test "a Linux that does not run: what runs and listens there is unknown, never good" {
    local root=$WORK/root kind
    mkdir -p "$root"/{etc,var/lib/dpkg}
    for kind in debian alpine; do
        printf 'ID=%s\nVERSION_ID="12"\nPRETTY_NAME="%s 12"\nVERSION_CODENAME=bookworm\n' $kind $kind >"$root/etc/os-release"
        printf 'Package: redis-server\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n' >"$root/var/lib/dpkg/status"
        code 3 "$YAGURA" ports --root "$root"
        says "listening sockets" "not running"
        says_not "Nothing was found to listen"
        code 3 "$YAGURA" ports --root "$root" --json
        holds 'summary["unknown"] > 0' 'not [o for o in every if o["type"] == "port"]'
        code 3 "$YAGURA" facts --root "$root" --json
        holds '{"listening sockets", "running processes"} <= {u["what"] for u in unread}'
        code "1 3" "$YAGURA" audit --checklist --root "$root" --json
        holds 'len([o for o in every if o["type"] == "check" and "listener" in o["rule"]]) >= 10' \
            'all(o["outcome"] == "unknown" for o in every if o["type"] == "check" and ("listener" in o["rule"] or o["rule"] in ("linux-app-server-root", "linux-php-dev-server")))'
    done
}

@test "what listens on this host is what the kernel says" {
    program ss
    as_root
    code "0 1 3" "$YAGURA" ports --json
    printf '%s\n' "$stdout" | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    o = json.loads(line)
    if o["type"] == "port" and o.get("from", "live") == "live":
        print(o["proto"], o["port"])' | sort -u >"$WORK/ours"
    ss -Hltn4 | awk '{n=split($4,a,":"); print "tcp", a[n]}' >"$WORK/theirs"
    ss -Hltn6 | awk '{n=split($4,a,":"); print "tcp", a[n]}' >>"$WORK/theirs"
    ss -Hlun | awk '{n=split($4,a,":"); print "udp", a[n]}' >>"$WORK/theirs"
    sort -u -o "$WORK/theirs" "$WORK/theirs"
    diff "$WORK/ours" "$WORK/theirs"
}

@test "a program that listens over IPv4 and over IPv6 is one line, and two records" {
    /usr/bin/python3 -c '
import socket, sys, time
held = []
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")): # as nginx does
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, 8889))
    s.listen()
    held.append(s)
print("ready", flush=True)
time.sleep(600)' >"$WORK/ready" 2>/dev/null 3>&- &
    echo $! >"$WORK/listener.pid"
    for _ in $(seq 100); do grep -q ready "$WORK/ready" && break; sleep 0.1; done
    grep -q ready "$WORK/ready" || skip "port 8889 is taken here, or there is no IPv6"
    code "0 1 3" "$YAGURA" ports --json
    holds 'len([o for o in every if o.get("port") == "8889"]) == 2'
    export COLUMNS=200
    code "0 1 3" "$YAGURA" ports
    [ "$(grep -c '8889/tcp' <<<"$stdout")" = 1 ]
    grep -qE '8889/tcp +\* ' <<<"$stdout"
    says "$(grep -cE '^[ !?] +[0-9]+/' <<<"$stdout") with no business outside"
}

@test "a listener that comes and goes is seen, with its process" {
    "$HELPERS/net" serve 8888/tcp >"$WORK/ready" 3>&- &
    echo $! >"$WORK/listener.pid"
    for _ in $(seq 50); do grep -q ready "$WORK/ready" && break; sleep 0.1; done
    grep -q ready "$WORK/ready" || skip "port 8888 is taken here"
    code 1 "$YAGURA" ports --json
    holds '[o for o in every if o.get("port") == "8888" and o["opinion"] == "no-business" and o["process"] == "net"]'
    # the package that brings the program; python's own, however the script is called
    local owner
    owner=$(dpkg -S "$(readlink -f /usr/bin/python3)" | cut -d: -f1)
    holds "[o for o in every if o.get('port') == '8888' and o['package'] == '$owner']"
    COLUMNS=200 code 1 "$YAGURA" ports
    grep -qE "net +$owner" <<<"$stdout"
    kill "$(cat "$WORK/listener.pid")"
    sleep 0.3
    code "0 1 3" "$YAGURA" ports --json
    holds 'not [o for o in every if o.get("port") == "8888"]'
}

@test "the ports of a server of 2001 are told from its disk" {
    images
    code 1 "$YAGURA" ports --image "$IMAGES/windows2000-iis5-found.img" --json
    holds '{"137", "138", "139", "445"} <= {o["port"] for o in every if o["type"] == "port" and o["opinion"] == "no-business"}' \
        '"80" in {o["port"] for o in every if o["type"] == "port" and o["opinion"] == "published"}'
    code 1 "$YAGURA" ports --image "$IMAGES/solaris7-iplanet-found.img" --json
    holds '{"111", "600"} <= {o.get("port") for o in every if o["type"] == "port" and o["opinion"] == "no-business"}'
    code "0 1 3" "$YAGURA" ports --image "$IMAGES/solaris7-iplanet-mended.img" --json
    holds '"600" not in {o.get("port") for o in every}'
}

@test "services of inetd have their port or their RPC number, and an unknown port is said" {
    images
    code 1 "$YAGURA" ports --image "$IMAGES/solaris26-apache-found.img" --json
    holds 'all(o["opinion"] == "no-business" for o in every if o.get("process") in ("in.fingerd", "sadmind", "rpc.rstatd", "rpc.ttdbserverd"))' \
        '[o["port"] for o in every if o.get("process") == "in.fingerd"] == ["79"]' \
        '{o["rpc"] for o in every if "rpc" in o} == {"100232", "100001", "100083"}'
    code 1 "$YAGURA" ports --image "$IMAGES/solaris26-apache-found.img"
    says "79/tcp" "sadmind (RPC 100232)" "RPC/udp"
    says_not "  /tcp" "  /udp"
    code 1 "$YAGURA" ports --image "$IMAGES/solaris7-iplanet-found.img"
    says "time (inetd)" "echo (inetd)"
    # the host's own file counts before ours; what neither knows is no port, and not clean
    mkdir -p "$WORK/sun/etc/inet" "$WORK/sun/var/sadm/system/admin"
    echo "                           Solaris 7 s998s_u3SunServer_21al2b SPARC" >"$WORK/sun/etc/release"
    printf 'finger 7979/tcp\n' >"$WORK/sun/etc/inet/services"
    printf '%s\tstream\ttcp\tnowait\tnobody\t/usr/sbin/in.x\tin.x\n' finger gopherd >"$WORK/sun/etc/inet/inetd.conf"
    code 3 "$YAGURA" ports --root "$WORK/sun" --json
    holds '{o["port"] if isinstance(o["port"], str) else "?" for o in every if o["type"] == "port"} == {"7979", "?"}' \
        '[o["opinion"] for o in every if o["type"] == "port" and o["service"] == "gopherd"] == ["unknown"]' 'summary["unknown"] >= 1'
    code 3 "$YAGURA" ports --root "$WORK/sun"
    says "? ?/tcp" "cannot judge" "Not everything could be looked at"
}

@test "that a filter does not help is said of published ports only" {
    images
    code 1 "$YAGURA" audit --image "$IMAGES/solaris26-apache-found.img" --json
    holds 'not any("does not close this" in n for f in findings if f["rule"]["id"] == "sadmind-2003" for n in f["notes"])' \
        'any("has no business outside" in n for f in findings if f["rule"]["id"] == "sadmind-2003" for n in f["notes"])' \
        'all("80/tcp" in n or "443/tcp" in n for f in findings for n in f["notes"] if "does not close this" in n)' \
        'any("does not close this" in n for f in findings for n in f["notes"])' \
        'any("state=active" in e["fact"] and "/usr/sbin/sadmind" in e["fact"] for f in findings if f["rule"]["id"] == "sadmind-2003" for e in f["evidence"])' \
        'not any(e["fact"] == "path" for f in findings for e in f["evidence"])'
}

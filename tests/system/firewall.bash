# firewall.bash - a server, an administrator, an attacker and a container, each in a network namespace
# of its own; nothing leaves them. For firewall.bats and firewall_real.bats; loaded after lib.
NS=fw$$
ISOLATE=$BUILD/tests/act/isolate

network_ends() {
    local ns pid
    for pid in $(cat "$WORK"/*.pid 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
    # whatever else runs in these namespaces is this test's
    for ns in srv adm att con; do
        for pid in $(ip netns pids "$NS-$ns" 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
    done
    for ns in srv adm att con; do ip netns delete "$NS-$ns" 2>/dev/null || true; done
}
in_ns() { local ns=$1; shift; ip netns exec "$NS-$ns" "$@"; }
# keep NAME NS COMMAND ...: in the background until the test ends
keep() {
    local name=$1 ns=$2 try
    shift 2
    ip netns exec "$NS-$ns" "$@" >"$WORK/$name.ready" 2>"$WORK/$name.errors" 3>&- </dev/null &
    echo $! >"$WORK/$name.pid"
    for try in $(seq 300); do grep -q . "$WORK/$name.ready" && return 0; sleep 0.1; done
    cat "$WORK/$name.errors"
    return 1
}
# server 10.9.N.1 -- 10.9.N.2 of: 1 administrator, 2 attacker, 3 container; the same in fd09:N::
network() {
    local side n=0
    ip netns add "$NS-srv" 2>/dev/null || skip "network namespaces cannot be made here"
    for side in adm att con; do ip netns add "$NS-$side"; done
    for side in srv adm att con; do
        in_ns $side ip link set lo up
        in_ns $side sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
    done
    for side in adm att con; do
        n=$((n + 1))
        ip link add "to$side" netns "$NS-srv" type veth peer name eth0 netns "$NS-$side" || skip "no veth here"
        in_ns srv ip address add "10.9.$n.1/24" dev "to$side"
        in_ns srv ip address add "fd09:$n::1/64" dev "to$side" nodad
        in_ns srv ip link set "to$side" up
        in_ns $side ip address add "10.9.$n.2/24" dev eth0
        in_ns $side ip address add "fd09:$n::2/64" dev eth0 nodad
        in_ns $side ip link set eth0 up
        in_ns $side ip route add default via "10.9.$n.1"
        in_ns $side ip -6 route add default via "fd09:$n::1"
    done
    in_ns srv sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    for side in $(seq 50); do
        [ "$(in_ns srv cat /sys/class/net/to{adm,att,con}/operstate | sort -u)" = up ] && break
        sleep 0.1
    done
}
# A way in as sshd is one, and what answers on the ports of the server and elsewhere.
serve() {
    keep ways srv "$HELPERS/session" serve 22
    keep services srv "$HELPERS/net" serve 80/tcp 443/tcp 111/tcp 3306/tcp 137/udp 53/udp
    keep lair att "$HELPERS/net" serve 4444/tcp 53/udp
    keep inside con "$HELPERS/net" serve 80/tcp
}
# connect NAME NS ADDRESS [PORT]: a session; on NAME COMMAND: in it
connect() {
    ip netns exec "$NS-$2" "$HELPERS/session" connect "$3" "${4:-22}" "$WORK/$1.sock" >/dev/null 2>&1 3>&- </dev/null &
    echo $! >"$WORK/$1.pid"
    for _ in $(seq 300); do [ -S "$WORK/$1.sock" ] && return 0; sleep 0.1; done
    return 1
}
on() { local name=$1; shift; "$HELPERS/session" do "$WORK/$name.sock" "${WAIT:-15}" "export YAGURA_LIBEXEC=$BUILD/libexec YAGURA_DATA=$BUILD/share LC_ALL=C.UTF-8 YAGURA_STATE=$YAGURA_STATE; $*"; }
probe() { in_ns "$1" "$HELPERS/net" probe "$2" "$3" "$4"; }
is() { local got; got=$(probe "$2" "$3" "$4" "$5"); [ "$got" = "$1" ] || [ "$1" = shut -a "$got" = refused ] || { echo "$3 $4 $5 from $2: $got, not $1"; return 1; }; }
others() { in_ns srv nft -s list ruleset; }
# stand NAME NS ADDRESS PORT: a standing connection; stands NAME says "answers" or "silent"
stand() {
    mkfifo "$WORK/$1.in"
    ip netns exec "$NS-$2" "$HELPERS/net" stand "$3" "$4" <"$WORK/$1.in" >"$WORK/$1.out" 2>/dev/null 3>&- &
    echo $! >"$WORK/$1.pid"
    exec {fd}>"$WORK/$1.in"
    eval "FD_$1=$fd"
    for _ in $(seq 50); do grep -q standing "$WORK/$1.out" && return 0; sleep 0.1; done
    return 1
}
stands() {
    local fd=FD_$1 before
    before=$(wc -l <"$WORK/$1.out")
    echo x >&"${!fd}" || { echo ended; return 0; }
    for _ in $(seq 40); do [ "$(wc -l <"$WORK/$1.out")" -gt "$before" ] && break; sleep 0.1; done
    tail -1 "$WORK/$1.out"
}

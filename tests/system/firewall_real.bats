#!/usr/bin/env bats
# Isolation and `ports --close` on a server whose sshd, sudo, ufw, firewalld, fail2ban and Docker are
# the real ones: it has processes, mounts, /etc, /run and a network of its own. firewall.bats has the
# rules that such programs leave, for where one of them does not start.
load lib
load firewall

SSH=(ssh -F none -e none -q -tt -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
    -o ConnectTimeout=10 -o IdentitiesOnly=yes)

setup() {
    as_root
    program ip nft ss nsenter unshare /usr/sbin/sshd ssh ssh-keygen sudo
    WAIT=60 # seconds for an answer, at most
    network
    house
}
teardown() {
    [ -z "$HOUSE" ] || kill -KILL "$HOUSE" || true # and with it all that runs there
    network_ends
}
# The server as a machine of its own, in the namespace of its network. Not by `ip netns exec`, which
# puts another /sys in place, without the cgroups that containers need.
house() {
    local try
    cp -a /etc "$WORK/etc"
    cat >"$WORK/boot" <<'BOOT'
set -e
mount --bind "$1/etc" /etc
for dir in /run /var/log; do mount -t tmpfs -o mode=755 none $dir; done
mkdir -p /run/sshd /run/lock /run/dbus
echo ready
while :; do sleep 3600 & wait; done
BOOT
    nsenter --net="/run/netns/$NS-srv" unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
        bash "$WORK/boot" "$WORK" >"$WORK/house.ready" 2>"$WORK/house.errors" 3>&- </dev/null &
    for try in $(seq 100); do grep -q . "$WORK/house.ready" && break; sleep 0.1; done
    HOUSE=$(pgrep -P $!) && [ -s "$WORK/house.ready" ] || skip "no machine of its own: $(tail -1 "$WORK/house.errors")"
    printf 'oper:x:4711:4711::/run/oper:/bin/sh\n' >>"$WORK/etc/passwd"
    printf 'oper:x:4711:\n' >>"$WORK/etc/group"
    printf 'oper:*:19000:0:99999:7:::\n' >>"$WORK/etc/shadow"
    printf 'Defaults env_keep += "YAGURA_*"\noper ALL=(ALL) NOPASSWD: ALL\n' >"$WORK/etc/sudoers.d/oper"
    chmod 440 "$WORK/etc/sudoers.d/oper"
    in_house install -d -o oper -g oper /run/oper
    ssh-keygen -q -t ed25519 -N '' -f "$WORK/key"
    ssh-keygen -q -t ed25519 -N '' -f "$WORK/host"
    SSH+=(-i "$WORK/key")
    install -m 644 "$WORK/key.pub" "$WORK/etc/ssh/oper.pub"
    cat >"$WORK/sshd_config" <<CONFIG
HostKey $WORK/host
AuthorizedKeysFile /etc/ssh/oper.pub
UsePAM no
PasswordAuthentication no
PidFile none
CONFIG
    runs sshd /usr/sbin/sshd -D -e -f "$WORK/sshd_config"
    until_true 15 answers 22
}
in_house() { nsenter -t "$HOUSE" -m -p -n "$@"; }
# runs NAME COMMAND ...: in the background, until the house falls
runs() {
    in_house "${@:2}" >"$WORK/$1.log" 2>&1 3>&- </dev/null &
}
answers() { in_house bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null; }
until_true() {
    local end=$((SECONDS + $1))
    until "${@:2}"; do
        [ $SECONDS -lt $end ] || {
            echo "not true in time: ${*:2}"
            return 1
        }
        sleep 0.1
    done
}
# log_in NAME NS TARGET [OPTION ...]: a session of the real ssh; on NAME COMMAND: in it
log_in() {
    rm -f "$WORK/$1.sock"
    ip netns exec "$NS-$2" "$HELPERS/session" run "$WORK/$1.sock" "${SSH[@]}" "${@:4}" "$3" >"$WORK/$1.log" 2>&1 3>&- </dev/null &
    echo $! >"$WORK/$1.pid"
    until_true 20 [ -S "$WORK/$1.sock" ] && code 0 on "$1" "stty -echo; PS1=; PS2=; TERM=xterm; export TERM; true"
}
log_out() { kill "$(cat "$WORK/$1.pid")"; rm "$WORK/$1.pid"; }
as_root_on() { local name=$1; shift; on "$name" "sudo -n $YAGURA $*"; }
# The rules of others, without what counts
others() { in_house nft -s list ruleset 2>/dev/null; } # it warns of those that iptables made

# What is served on the server, inside and outside of it.
serve_real() {
    runs services "$HELPERS/net" serve 80/tcp 443/tcp 111/tcp 3306/tcp 137/udp
    keep lair att "$HELPERS/net" serve 4444/tcp
    until_true 15 answers 3306
}
# The attacker comes by nothing, and nothing of the server's comes to him.
cut_off() {
    local target
    for target in "22" "80" "3306" "$@"; do
        is shut att tcp 10.9.2.1 "$target"
        is shut att tcp fd09:2::1 "$target"
    done
    is shut srv tcp 10.9.2.2 4444
}

@test "behind sshd and sudo the administrator is found, and stays in through every mode" {
    serve_real
    log_in operator adm oper@10.9.1.1
    log_in shell att oper@10.9.2.1
    code 0 on shell "echo in"
    code 0 as_root_on operator respond start --because test
    code 0 as_root_on operator respond do isolate --mode web --trial 300 --yes
    unwrapped
    says "on trial" "NEW connection"
    WAIT=1 code "90 91" on shell "echo in"
    cut_off 443
    code 2 as_root_on operator respond confirm
    says "was there before"
    log_in again adm oper@10.9.1.1
    code 0 as_root_on again respond confirm
    code 0 as_root_on operator respond undo isolate --yes
    [ -z "$(others)" ]
    is open att tcp 10.9.2.1 80
    # once confirmed it stays so when the mode changes
    code 0 as_root_on operator respond do isolate --mode contain --trial 300 --yes
    log_out again
    log_in again adm oper@10.9.1.1
    code 0 as_root_on again respond confirm
    cut_off
    code 0 on operator "echo still here"
    says "still here"
    code 2 as_root_on operator respond do isolate --mode full --yes
    says "would lock you out"
    code 0 as_root_on operator respond do isolate --mode full --allow 10.9.1.2 --yes
    cut_off
    for session in operator again; do
        code 0 on "$session" "echo still here"
        says "still here"
    done
    log_out again
    log_in again adm oper@10.9.1.1
    is shut adm tcp fd09:1::1 22
    code 0 as_root_on again respond undo isolate --yes
    [ -z "$(others)" ]
    code 0 "$YAGURA" ledger verify
}

@test "in tmux and in screen, behind sudo and su, the administrator is found" {
    program tmux screen
    local mux
    as_oper() { in_house setpriv --reuid oper --regid oper --init-groups env HOME=/run/oper "$@"; }
    typed() { # TEXT: typed in the window; then what it says is awaited
        local line="{ $*; } >/run/oper/said 2>&1; echo end >>/run/oper/said"
        in_house rm -f /run/oper/said
        if [ $mux = tmux ]; then
            as_oper tmux -S /run/oper/tmux send-keys -t s -l "$line"
            as_oper tmux -S /run/oper/tmux send-keys -t s Enter
        else
            as_oper env SCREENDIR=/run/oper/screens screen -S s -p 0 -X stuff "$line^M"
        fi
        until_true 30 in_house grep -qs '^end' /run/oper/said
        output=$(in_house cat /run/oper/said)
    }
    mkdir -p "$YAGURA_STATE"
    for mux in tmux screen; do
        log_in operator adm oper@10.9.1.1
        if [ $mux = tmux ]; then
            WAIT=1 on operator "exec tmux -S /run/oper/tmux -f /dev/null new-session -s s" >/dev/null || true
            until_true 15 as_oper tmux -S /run/oper/tmux has-session -t s
        else
            WAIT=1 on operator "mkdir -m 700 /run/oper/screens; SCREENDIR=/run/oper/screens exec screen -c /dev/null -S s" >/dev/null || true
            until_true 15 as_oper env SCREENDIR=/run/oper/screens screen -S s -Q info
        fi
        typed "sudo -n $ISOLATE $YAGURA_STATE who"
        says "seat network" "user oper local" "10.9.1.2"
        # su to another account takes the terminal away
        typed "sudo -n su oper -c 'sudo -n $ISOLATE $YAGURA_STATE who'"
        says "seat network" "10.9.1.2"
        typed "sudo -n setsid -w $ISOLATE $YAGURA_STATE who"
        says "seat network" "10.9.1.2"
        # and who became root in it by su
        typed "sudo -n su - root -c '$ISOLATE $YAGURA_STATE begin contain 300'"
        says trial
        is shut att tcp 10.9.2.1 22
        typed "sudo -n $ISOLATE $YAGURA_STATE confirm"
        says "was there before"
        typed "echo still here"
        says "still here"
        log_in again adm oper@10.9.1.1
        code 0 on again "sudo -n $ISOLATE $YAGURA_STATE confirm"
        # the line breaks; he comes again, and looks at the same screen
        log_out operator
        [ $mux = tmux ] && attach="tmux -S /run/oper/tmux attach -t s" || attach="env SCREENDIR=/run/oper/screens screen -d -r s"
        WAIT=1 on again "exec $attach" >/dev/null || true
        typed "sudo -n $ISOLATE $YAGURA_STATE who"
        says "seat network" "10.9.1.2" "through $mux"
        typed "sudo -n $ISOLATE $YAGURA_STATE look"
        says confirmed "altered 0"
        typed "sudo -n $ISOLATE $YAGURA_STATE end"
        log_out again
        is open att tcp 10.9.2.1 22
    done
}

@test "behind a jump host, this server itself, or a proxy for everybody: his address is never 127.0.0.1" {
    program haproxy
    mkdir -p "$YAGURA_STATE"
    isolate() { on "$1" "sudo -n $ISOLATE $YAGURA_STATE ${*:2}"; }
    # another machine as the jump host: it is where he comes from
    nsenter --net="/run/netns/$NS-con" -t "$HOUSE" -m -p /usr/sbin/sshd -D -e -f "$WORK/sshd_config" >"$WORK/jump.log" 2>&1 3>&- </dev/null &
    until_true 15 is open adm tcp 10.9.3.2 22
    log_in jumped adm oper@10.9.3.1 -o "ProxyCommand ${SSH[*]} -W %h:%p oper@10.9.3.2"
    code 0 isolate jumped who
    says "seat network" "way 10.9.3.2:" "10.9.3.1:22"
    # this server as the jump host: from 127.0.0.1, and yet from where he is
    log_in local adm oper@127.0.0.1 -o "ProxyCommand ${SSH[*]} -W %h:%p oper@10.9.1.1"
    code 0 on local 'echo "$SSH_CONNECTION"'
    says "127.0.0.1"
    code 0 isolate local who
    says "seat network" "way 10.9.1.2:" "10.9.1.1:22" "through sshd"
    code 0 isolate local begin contain 300
    code 0 on local "echo still here"
    says "still here"
    WAIT=1 code "90 91" on jumped "echo still here"
    log_in again adm oper@127.0.0.1 -o "ProxyCommand ${SSH[*]} -W %h:%p oper@10.9.1.1"
    code 0 isolate again confirm
    code 0 isolate again end
    # one proxy for everybody
    cat >"$WORK/haproxy.cfg" <<CONFIG
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend ssh
    bind :::2222 v4v6
    default_backend sshd
backend sshd
    server here 127.0.0.1:22
CONFIG
    runs haproxy haproxy -db -f "$WORK/haproxy.cfg"
    until_true 15 answers 2222
    log_in through adm oper@10.9.1.1 -p 2222
    log_in other att oper@10.9.2.1 -p 2222
    code 0 isolate through who
    says "seat hidden" "haproxy" "connections"
    says_not "way "
    code 2 isolate through begin contain 60
    says "would lock you out" "--allow"
    [ -z "$(others)" ]
    code 0 isolate through begin contain 300 10.9.1.2
    code 0 on through "echo still here"
    says "still here"
    WAIT=1 code "90 91" on other "echo still here"
    is shut att tcp 10.9.2.1 2222
    code 0 isolate through end
}

@test "what others do to the rules that cut off is said by status, and mended by resume" {
    serve_real
    log_in operator adm oper@10.9.1.1
    code 0 as_root_on operator respond start --because test
    code 0 as_root_on operator respond do isolate --mode contain --trial 300 --yes
    code 1 as_root_on operator respond status
    unwrapped
    says "isolated (contain) on trial"
    log_in again adm oper@10.9.1.1
    code 0 as_root_on again respond confirm
    cut_off
    others >"$WORK/confirmed"
    # all rules taken away, as by a restart of nftables; and somebody comes at once
    in_house nft flush ruleset
    stand visitor att 10.9.2.1 80
    stand home srv 10.9.2.2 4444
    code 1 as_root_on operator respond status --json
    holds '[(o["stand"], o["scope"]) for o in every if o["type"] == "firewall"] == [("removed", "isolation")]'
    code 1 as_root_on operator respond status
    unwrapped
    says "somebody else took our rules away"
    code 0 as_root_on operator respond resume
    unwrapped
    says "they are back" "2 connections made meanwhile were ended"
    [ "$(stands visitor)" != answers ]
    [ "$(stands home)" != answers ]
    cut_off
    [ "$(others)" = "$(cat "$WORK/confirmed")" ]
    # a way in more, or IPv6 let through, though no rule was changed
    for change in "add element inet yagura named4 { 10.9.2.2 }" "delete element inet yagura live { ipv6 }" \
        "insert rule inet yagura incoming tcp dport 80 accept"; do
        # shellcheck disable=SC2086
        in_house nft $change
        code 1 as_root_on operator respond status
        unwrapped
        says "changed rules in our table"
        code 0 as_root_on operator respond resume
        cut_off
    done
    # not by somebody whom these rules would lock out
    in_house nft flush ruleset
    log_in elsewhere con oper@10.9.3.1
    code 1 as_root_on elsewhere respond resume
    unwrapped
    says "could not be mended" "lock you out" "THIS HOST IS OPEN"
    code 0 on elsewhere "echo still here"
    is open att tcp 10.9.2.1 80
    # and then it is a trial as the first one was
    code 0 as_root_on operator respond do isolate --mode contain --trial 300 --yes
    cut_off
    code 2 as_root_on again respond confirm
    log_in third adm oper@10.9.1.1
    code 0 as_root_on third respond confirm
    code 1 as_root_on third respond status
    unwrapped
    says "stays so after a restart"
}

# Docker, with a container of our own that answers on 80: published as 8080 (and by IPv6).
docker_runs() {
    program dockerd docker
    DOCKER=(in_house env -u DOCKER_HOST -u DOCKER_CONTEXT "DOCKER_CONFIG=$WORK/docker" docker -H "unix:///run/docker.sock")
    up() { "${DOCKER[@]}" version >/dev/null 2>&1; }
    runs dockerd dockerd --data-root "$WORK/docker/data" --exec-root /run/docker -p /run/docker.pid \
        -H unix:///run/docker.sock --storage-driver vfs
    until_true 60 up >/dev/null || skip "dockerd: $(tail -1 "$WORK/dockerd.log")"
    mkdir -p "$WORK/image"/{usr,helpers,tmp,proc,dev,etc}
    for link in bin lib lib64; do ln -s "usr/$link" "$WORK/image/$link"; done
    tar -C "$WORK/image" -c . | "${DOCKER[@]}" import - own:1 >/dev/null
    "${DOCKER[@]}" run -d --name web -p 8080:80 -v /usr:/usr:ro -v "$HELPERS:/helpers:ro" own:1 \
        /usr/bin/python3 /helpers/net serve 80/tcp >"$WORK/run.log" 2>&1 || skip "a container: $(tail -1 "$WORK/run.log")"
    until_true 20 is open att tcp 10.9.2.1 8080
}
from_container() { "${DOCKER[@]}" exec web /usr/bin/python3 /helpers/net probe tcp 10.9.2.2 4444; }
# fail2ban, which bans for sshd by nftables
fail2ban_runs() {
    program fail2ban-server fail2ban-client
    mkdir "$WORK/f2b"
    cp -r /etc/fail2ban/. "$WORK/f2b"
    rm -f "$WORK/f2b/jail.d"/*
    : >"$WORK/auth.log"
    printf '[sshd]\nenabled = true\nbackend = polling\nlogpath = %s\nbanaction = nftables[type=multiport]\n' "$WORK/auth.log" >"$WORK/f2b/jail.local"
    BANS=(in_house fail2ban-client -c "$WORK/f2b" -s /run/f2b.sock -p /run/f2b.pid)
    printf '[Definition]\ndbfile = None\n' >"$WORK/f2b/fail2ban.local"
    runs fail2ban fail2ban-server -f -c "$WORK/f2b" -s /run/f2b.sock -p /run/f2b.pid --logtarget stdout
    until_true 30 "${BANS[@]}" ping >/dev/null 2>&1 || skip "fail2ban-server: $(tail -1 "$WORK/fail2ban.log")"
    "${BANS[@]}" set sshd banip 10.9.2.77 >/dev/null
    until_true 30 banned 10.9.2.77
}

# CrowdSec's bouncer, which bans in tables of its own. What it asks is not the engine but a list.
crowdsec_runs() {
    program crowdsec-firewall-bouncer
    echo 10.9.2.77 >"$WORK/decisions"
    runs engine "$HELPERS/decisions" 18080 "$WORK/decisions"
    until_true 20 answers 18080
    sed -e 's/^mode:.*/mode: nftables/; s/^daemonize:.*/daemonize: false/; s/^log_mode:.*/log_mode: stdout/' \
        -e 's/^update_frequency:.*/update_frequency: 1s/; s/^  enabled: true/  enabled: false/' \
        -e 's|^api_url:.*|api_url: http://127.0.0.1:18080/|; s/^api_key:.*/api_key: none/' \
        /etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml >"$WORK/bouncer.yaml"
    runs bouncer crowdsec-firewall-bouncer -c "$WORK/bouncer.yaml"
    until_true 30 banned 10.9.2.77 || skip "crowdsec-firewall-bouncer: $(tail -1 "$WORK/bouncer.log")"
}
banned() { others | grep -q "$1"; }
unbanned() { ! banned "$1"; }

@test "beside CrowdSec: its bans go on while the server is cut off, and undone its rules are as they were" {
    crowdsec_runs
    serve_real
    is open att tcp 10.9.2.1 80
    others >"$WORK/before"
    grep -q "table ip crowdsec " "$WORK/before"
    log_in operator adm oper@10.9.1.1
    code 0 as_root_on operator respond start --because test
    code 0 as_root_on operator respond do isolate --mode contain --trial 300 --yes
    cut_off
    echo 10.9.2.78 >>"$WORK/decisions"
    until_true 30 banned 10.9.2.78
    code 1 as_root_on operator respond status --json
    holds '[(o["stand"], o["altered"], o["changed"]) for o in every if o["type"] == "firewall"] == [("trial", False, "")]' # a ban is no change
    log_in again adm oper@10.9.1.1
    code 0 as_root_on again respond confirm
    sed -i /10.9.2.78/d "$WORK/decisions"
    until_true 30 unbanned 10.9.2.78
    code 0 as_root_on again respond undo isolate --yes
    others | diff "$WORK/before" -
    is open att tcp 10.9.2.1 80
    # who is banned stays so
    echo 10.9.2.2 >>"$WORK/decisions"
    until_true 30 banned 10.9.2.2
    is shut att tcp 10.9.2.1 80
}

@test "beside ufw, fail2ban and Docker: a published port is shut too, and undone their rules are as they were" {
    program ufw
    docker_runs
    fail2ban_runs
    for words in "default deny incoming" "allow 22/tcp" "allow 80/tcp" "deny 8080/tcp" "--force enable"; do
        # shellcheck disable=SC2086
        in_house ufw $words >>"$WORK/ufw.log" 2>&1 || skip "ufw: $(tail -1 "$WORK/ufw.log")"
    done
    serve_real
    is shut att tcp 10.9.2.1 3306
    is open att tcp 10.9.2.1 8080 # though ufw denies it
    others >"$WORK/before"
    for word in ufw-user-input f2b DOCKER; do grep -q "$word" "$WORK/before"; done
    stand published att 10.9.2.1 8080
    log_in operator adm oper@10.9.1.1
    code 0 as_root_on operator respond start --because test
    code 0 as_root_on operator respond do isolate --mode contain --trial 300 --yes
    [ "$(stands published)" != answers ]
    cut_off 8080
    # what a container opens does not leave the host either
    [ "$(from_container)" != open ]
    # a ban in the meantime is no change, and works
    "${BANS[@]}" set sshd banip 10.9.2.78 >/dev/null
    until_true 30 banned 10.9.2.78
    code 1 as_root_on operator ports
    says_not "is not as it was"
    log_in again adm oper@10.9.1.1
    code 0 as_root_on again respond confirm
    "${BANS[@]}" set sshd unbanip 10.9.2.78 >/dev/null
    until_true 30 unbanned 10.9.2.78
    code 0 as_root_on again respond undo isolate --yes
    others | diff "$WORK/before" -
    is open att tcp 10.9.2.1 8080
    is open att tcp 10.9.2.1 80
}

@test "ports --close shuts what Docker publishes, over IPv4 and IPv6, also what it publishes later" {
    docker_runs
    serve_real
    is open att tcp fd09:2::1 8080
    others >"$WORK/before"
    stand published att 10.9.2.1 8080
    stand published6 att fd09:2::1 8080
    stand visitor att 10.9.2.1 80
    log_in operator adm oper@10.9.1.1
    code 0 as_root_on operator ports --close --yes --trial 300
    [ "$(stands published)" != answers ]
    [ "$(stands published6)" != answers ]
    [ "$(stands visitor)" = answers ]
    is shut att tcp 10.9.2.1 8080
    is shut att tcp fd09:2::1 8080
    is open att tcp fd09:2::1 80
    # what goes out is nobody's business here
    [ "$(from_container)" = open ]
    log_in again adm oper@10.9.1.1
    code 0 as_root_on again ports --confirm
    # a container more, while ports are shut
    "${DOCKER[@]}" run -d --name more -p 8081:80 -v /usr:/usr:ro -v "$HELPERS:/helpers:ro" own:1 \
        /usr/bin/python3 /helpers/net serve 80/tcp >/dev/null
    until_true 20 answers 8081
    is shut att tcp 10.9.2.1 8081
    is shut att tcp fd09:2::1 8081
    "${DOCKER[@]}" rm -f more >/dev/null
    code 0 as_root_on again ports --open
    others | diff "$WORK/before" -
    is open att tcp 10.9.2.1 8080
    is open att tcp fd09:2::1 8080
}

@test "beside firewalld: undone, its rules are as they were, and its reload is noticed" {
    program firewalld firewall-cmd dbus-daemon
    in_house dbus-daemon --system --nopidfile --fork 2>"$WORK/dbus.log" 3>&- || skip "dbus-daemon: $(tail -1 "$WORK/dbus.log")"
    runs firewalld firewalld --nofork --nopid
    until_true 60 in_house firewall-cmd --state >"$WORK/cmd.log" 2>&1 || skip "firewalld: $(tail -1 "$WORK/firewalld.log" "$WORK/cmd.log")"
    in_house firewall-cmd --permanent --add-service=http >/dev/null
    in_house firewall-cmd --reload >/dev/null
    serve_real
    is open att tcp 10.9.2.1 80
    is shut att tcp 10.9.2.1 3306
    others >"$WORK/before"
    grep -q "table inet firewalld" "$WORK/before"
    log_in operator adm oper@10.9.1.1
    code 0 as_root_on operator respond start --because test
    code 0 as_root_on operator respond do isolate --mode contain --trial 300 --yes
    cut_off
    log_in again adm oper@10.9.1.1
    code 0 as_root_on again respond confirm
    in_house firewall-cmd --reload >/dev/null
    cut_off # it takes its own table and no other
    code 0 as_root_on again respond undo isolate --yes
    others | diff "$WORK/before" -
    is open att tcp 10.9.2.1 80
}

#!/usr/bin/env bats
# Programs behind the web server, and as whom they answer: real ones, asked through a real nginx, say
# their user themselves. The network and the servers' settings are those of a namespace.
load lib

setup() {
    as_root
    program nginx node php-fpm8.2 curl unshare nsenter ip setpriv /usr/bin/python3
    local path=$WORK
    while [ "$path" != / ]; do chmod o+x "$path"; path=$(dirname "$path"); done
    mkdir -m 777 "$WORK/run"
    unshare -mn sleep 900 3>&- &
    echo $! >"$WORK/pids"
    HOST=$!
    for _ in $(seq 100); do [ "$(readlink /proc/self/ns/net)" = "$(readlink "/proc/$HOST/ns/net")" ] || break; sleep 0.1; done
    inside ip link set lo up || skip "namespaces cannot be made here"
    mkdir "$WORK/nginx" "$WORK/empty"
    inside mount --bind "$WORK/nginx" /etc/nginx
    [ ! -d /etc/apache2 ] || inside mount --bind "$WORK/empty" /etc/apache2
    [ ! -d /etc/lighttpd ] || inside mount --bind "$WORK/empty" /etc/lighttpd
}
teardown() {
    [ ! -f "$WORK/pids" ] || tac "$WORK/pids" | xargs -r kill 2>/dev/null || :
}
inside() { nsenter -t "$HOST" -m -n "$@"; }
# stays COMMAND ...: until the test ends; no function, so that it is the program that is ended
stays() {
    nsenter -t "$HOST" -m -n "$@" >>"$WORK/background" 2>&1 </dev/null 3>&- &
    echo $! >>"$WORK/pids"
}
# front LINE ...: the site, served by the real nginx
front() {
    {
        printf 'pid %s/front.pid;\nerror_log %s/front.log;\nuser www-data;\nworker_processes 1;\nevents {}\nhttp {\naccess_log off;\n' "$WORK" "$WORK"
        printf '%s\n' "$@" '}'
    } >"$WORK/nginx/nginx.conf"
    inside nginx -t 2>>"$WORK/background"
    stays nginx -g 'daemon off;'
}
# app USER WHERE [FOLDER]: answers with its user's number; WHERE is a port of loopback or a path, FOLDER
# where it is started
NODE_APP='process.umask(0); require("http").createServer((q, a) => a.end("uid " + process.getuid())).listen(isNaN(process.argv[1]) ? process.argv[1] : {port: +process.argv[1], host: "127.0.0.1"})'
app() { stays setpriv --reuid "$1" --regid "$1" --clear-groups env -C "${3:-/}" node -e "$NODE_APP" "$2"; }
# answers PATH TEXT: soon, through nginx
answers() {
    for _ in $(seq 300); do
        ! grep -qF "$2" <<<"$(inside curl -s -m 5 "http://localhost$1")" || return 0
        sleep 0.1
    done
    tail -n 5 "$WORK/background" "$WORK/front.log"
    return 1
}
opened() {
    for _ in $(seq 300); do
        ! grep -qF "$2" <<<"$(inside curl -s -m 5 "http://127.0.0.1:$1/")" || return 0
        sleep 0.1
    done
    return 1
}
looked_at() { code "0 1 3" inside "$YAGURA" facts --json; }
audited() { code "0 1 2 3" inside "$YAGURA" audit --json "$@"; }

@test "who is root behind nginx is found, over TCP and a Unix socket; who is not, is not" {
    front 'upstream group { server 127.0.0.1:3003; server unix:'"$WORK"'/run/group.sock backup; }' \
        'server { listen 80; location /a/ { proxy_pass http://127.0.0.1:3001; }' \
        "location /b/ { proxy_pass http://unix:$WORK/link/root.sock:/; }" \
        'location /c/ { proxy_pass http://localhost:3002/x/; }' \
        "location /d/ { proxy_pass http://unix:$WORK/run/other.sock; }" \
        'location /e/ { proxy_pass http://group/e; }' \
        'location /f/ { proxy_pass http://127.0.0.1:3099; } }'
    ln -s run "$WORK/link"
    app root 3001
    # as its unit's folder has it
    app root root.sock "$WORK/run"
    app www-data 3002
    app www-data "$WORK/run/other.sock"
    app root 3003
    app root 3098 # nobody asks it
    answers /a/ "uid 0"
    answers /b/ "uid 0"
    answers /c/ "uid 33"
    answers /d/ "uid 33"
    answers /e/ "uid 0"
    looked_at
    holds "{u['address']: u['user'] for u in kind('upstream')} == {'127.0.0.1:3001': 'root', 'unix:$WORK/link/root.sock': 'root', 'localhost:3002': 'www-data', 'unix:$WORK/run/other.sock': 'www-data', '127.0.0.1:3003': 'root'}" \
        'all(u["server"] == "nginx" and u["process"] and u["executable"].endswith("/node") for u in kind("upstream"))'
    audited
    holds "sorted(f['subject']['name'] for f in findings if f['rule']['id'] == 'linux-upstream-root') == ['127.0.0.1:3001', '127.0.0.1:3003', 'unix:$WORK/link/root.sock']" \
        'all(f["severity"] == "high" for f in findings if f["rule"]["id"] == "linux-upstream-root")'
}

@test "a master that is root is none, as long as its workers are not" {
    echo '<?php echo "uid ", posix_getuid();' >"$WORK/run/uid.php"
    printf 'fastcgi_param SCRIPT_FILENAME %s/run/uid.php;\nfastcgi_param REQUEST_METHOD GET;\n' "$WORK" >"$WORK/fastcgi"
    front "server { listen 80; location /nginx/ { proxy_pass http://127.0.0.1:3001/; }" \
        'location /cluster/ { proxy_pass http://127.0.0.1:3002; }' \
        "location /fork/ { proxy_pass http://unix:$WORK/run/fork.sock; }" \
        "location /all/ { proxy_pass http://unix:$WORK/run/all.sock; }" \
        "location /fpm/ { include $WORK/fastcgi; fastcgi_pass unix:$WORK/run/fpm.sock; } }"
    # nginx behind nginx
    printf 'pid %s/back.pid;\nerror_log %s/back.log;\nuser www-data;\nworker_processes 1;\nevents {}\nhttp { access_log off; server { listen 127.0.0.1:3001; return 200 back; } }\n' "$WORK" "$WORK" >"$WORK/back.conf"
    stays nginx -c "$WORK/back.conf" -g 'daemon off;'
    # the workers hold no socket: the master accepts and hands on
    cat >"$WORK/cluster.js" <<'JS'
const cluster = require("cluster");
if (cluster.isPrimary) { cluster.setupPrimary({uid: 33, gid: 33}); cluster.fork(); }
else require("http").createServer((q, a) => a.end("uid " + process.getuid())).listen(3002, "127.0.0.1");
JS
    stays node "$WORK/cluster.js"
    # as gunicorn and unicorn do: the socket is opened by root, and its workers have it from him
    cat >"$WORK/fork.py" <<'PY'
import http.server, os, signal, socketserver, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def address_string(self): return ""
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"uid %d" % os.getuid())
os.umask(0)
server = socketserver.UnixStreamServer(sys.argv[1], Answer)
worker = os.fork()
if worker == 0:
    os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2])); server.serve_forever()
signal.signal(signal.SIGTERM, lambda *_: (os.kill(worker, signal.SIGTERM), sys.exit()))
os.wait()
PY
    stays /usr/bin/python3 "$WORK/fork.py" "$WORK/run/fork.sock" 33
    stays /usr/bin/python3 "$WORK/fork.py" "$WORK/run/all.sock" 0
    # one of php-fpm that starts its workers when it is asked
    printf '[global]\nerror_log = %s/fpm.log\n[www]\nuser = www-data\ngroup = www-data\nlisten = %s/run/fpm.sock\nlisten.mode = 0666\npm = ondemand\npm.max_children = 1\n' "$WORK" "$WORK" >"$WORK/fpm.conf"
    stays php-fpm8.2 -F -y "$WORK/fpm.conf"
    for _ in $(seq 300); do [ ! -S "$WORK/run/fpm.sock" ] || break; sleep 0.1; done
    looked_at # before php-fpm has a worker
    holds "[u.get('workers') for u in kind('upstream') if 'fpm' in u['address']] == [None]"
    audited
    holds 'not [f for f in findings if f["rule"]["id"] == "linux-upstream-root" and "fpm" in f["subject"]["name"]]'
    answers /nginx/ back
    answers /cluster/ "uid 33"
    answers /fork/ "uid 33"
    answers /all/ "uid 0"
    answers /fpm/ "uid 33"
    looked_at
    holds "{u['address']: u.get('workers') for u in kind('upstream')} == {'127.0.0.1:3001': 'www-data', '127.0.0.1:3002': 'www-data', 'unix:$WORK/run/fork.sock': 'www-data', 'unix:$WORK/run/all.sock': None, 'unix:$WORK/run/fpm.sock': 'www-data'}" \
        'all(u["user"] == "root" for u in kind("upstream"))'
    audited
    holds "[f['subject']['name'] for f in findings if f['rule']['id'] == 'linux-upstream-root'] == ['unix:$WORK/run/all.sock']"
    # and so it is of those that serve the network by themselves
    sed 's/UnixStreamServer(sys.argv\[1\]/TCPServer(("", int(sys.argv[1]))/' "$WORK/fork.py" >"$WORK/open.py"
    stays /usr/bin/python3 "$WORK/open.py" 3010 33
    stays /usr/bin/python3 "$WORK/open.py" 3011 0
    opened 3010 "uid 33"
    opened 3011 "uid 0"
    looked_at
    holds "sorted((p['user'], p.get('workers', '')) for p in kind('process') if p['serves'] == 'yes' and p['name'].startswith('python')) == [('root', ''), ('root', 'www-data')]"
    audited
    holds "len([f for f in findings if f['rule']['id'] == 'linux-app-server-root']) == 1"
}

@test "where a request goes that only it tells is not known, and neither is it of what does not run" {
    front 'map $host $there { default 127.0.0.1:3001; }' 'server { listen 80; location / { proxy_pass http://$there; } }'
    audited --checklist
    holds '[o["outcome"] for o in every if o["type"] == "check" and o["rule"] == "linux-upstream-root"] == ["unknown"]'
    mkdir -p "$WORK/root/etc/nginx"
    cp /etc/os-release "$WORK/root/etc/"
    echo 'http { server { location / { proxy_pass http://127.0.0.1:3001; } } }' >"$WORK/root/etc/nginx/nginx.conf"
    code "1 3" "$YAGURA" audit --checklist --root "$WORK/root" --json
    holds '[o["outcome"] for o in every if o["type"] == "check" and o["rule"] == "linux-upstream-root"] == ["unknown"]'
}

#!/usr/bin/env bats
# Debian: this machine against its own apt, and roots of other machines against nothing of ours.
load lib

setup() { FAKE=$WORK/root; }
teardown() { ! mountpoint -q "$WORK/chroot/proc" || umount "$WORK/chroot/proc"; }

# release ID VERSION CODENAME: a root with an os-release and one package
release() {
    mkdir -p "$FAKE"/{etc/apt,var/lib/dpkg,var/lib/apt/lists,usr/bin}
    printf 'ID=%s\nVERSION_ID="%s"\nVERSION_CODENAME=%s\nPRETTY_NAME="%s %s (%s)"\n' "$1" "$2" "$3" "$1" "$2" "$3" >"$FAKE/etc/os-release"
    echo fake >"$FAKE/etc/hostname"
    printf '%s\n' "Package: openssl" "Status: install ok installed" "Architecture: amd64" "Version: ${4:-1.0.1t-1}" "Source: openssl" "" >"$FAKE/var/lib/dpkg/status"
    printf '%s\n' "Package: dpkg" "Status: install ok installed" "Architecture: amd64" "Version: 1.21.22" "" >>"$FAKE/var/lib/dpkg/status"
}
# lists VALID-UNTIL: a security archive that has a newer openssl
lists() {
    local base=$FAKE/var/lib/apt/lists/mirror.example_debian-security_dists_bookworm-security size sum
    echo "deb http://mirror.example/debian-security bookworm-security main" >"$FAKE/etc/apt/sources.list"
    printf '%s\n' "Package: openssl" "Architecture: amd64" "Version: 9.9.9-1" "Source: openssl" \
        "Filename: pool/openssl.deb" "Size: 1" "SHA256: $(printf '%064d' 0)" "" >"${base}_main_binary-amd64_Packages"
    size=$(stat -c %s "${base}_main_binary-amd64_Packages")
    sum=$(sha256sum "${base}_main_binary-amd64_Packages" | cut -d' ' -f1)
    cat >"${base}_InRelease" <<RELEASE
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Origin: Debian
Label: Debian-Security
Suite: oldstable-security
Codename: bookworm-security
Date: ${2:-$(LC_ALL=C date -Ru -d yesterday)}
Valid-Until: $1
Acquire-By-Hash: yes
Architectures: amd64
Components: main
SHA256:
 $sum $size main/binary-amd64/Packages
-----BEGIN PGP SIGNATURE-----

none
-----END PGP SIGNATURE-----
RELEASE
    LISTS=$base
}
tomorrow() { LC_ALL=C date -Ru -d '+5 days'; }
# A bare root breaks rules of the checklists (no firewall, no clock): only what is critical counts,
# so that 3 means: nothing found, something unknown.
audit() { "$YAGURA" audit --root "$FAKE" --json --fail-on critical "$@"; }
facts() { "$YAGURA" facts --root "$FAKE" --json "$@"; }
host_version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null; }

@test "this machine: the same updates as apt, package by package" {
    program apt-get
    run "$ROOT/tests/collect/apt_against_apt" --yagura "$YAGURA"
    [ "$status" -ne 77 ] || skip "there is no apt here"
    echo "$output" | tail -20
    [ "$status" -eq 0 ]
}

@test "this machine: an audit of / as a root agrees with the live one about packages" {
    as_root
    program apt-get
    code "0 1 3" "$YAGURA" audit --json
    printf '%s\n' "$stdout" >"$WORK/live"
    code "0 1 3" "$YAGURA" audit --root / --json
    printf '%s\n' "$stdout" >"$WORK/as-root"
    /usr/bin/python3 - "$WORK/live" "$WORK/as-root" <<'PY'
import json, sys
def packages(path):
    return {(o["rule"]["id"], o["subject"]["name"], o["verdict"]) for o in map(json.loads, open(path))
            if o["type"] == "finding" and o["subject"]["kind"] == "package" and "update" in o["rule"]["id"]}
live, root = map(packages, sys.argv[1:])
assert live == root, live ^ root
PY
}

@test "a release whose support has ended is unknown, not clean" { # CASES 15
    release debian 8 jessie
    code "1 3" audit
    holds 'summary["found"] + summary["unknown"] > 0' \
        'not [f for f in findings if f["verdict"] in ("fixed", "not_affected")]'
    code "1 3" "$YAGURA" audit --root "$FAKE"
    says "cannot judge"
    # a derivative that nobody here knows
    release tanuki 3 ponpoko
    code "1 3" "$YAGURA" audit --root "$FAKE"
    says "cannot judge"
    # and the end of support is a finding of its own, dated
    release debian 10 buster
    code "1 3" audit
    holds '[f for f in findings if "support" in json.dumps(f).lower()]'
    release debian 12 bookworm
    code "1 3" audit --as-of 2024-01-01
    holds 'not [f for f in findings if f["verdict"] == "affected" and "end of" in f["summary"].lower()]'
}

@test "what waits today says nothing of another day" {
    release debian 12 bookworm
    lists "$(tomorrow)"
    code 3 audit --as-of 2001-06-06 --fail-on medium
    holds 'not verdicts("debian-security-update")' 'verdicts("updates-unknown") == {"unknown"}' 'summary["today"] == 0'
}

@test "lists that are fresh are believed" {
    release debian 12 bookworm
    lists "$(tomorrow)"
    code 1 audit --fail-on high
    holds '[f for f in findings if f["subject"]["name"] == "openssl" and f["verdict"] == "affected"]'
    code "0 3" facts
    holds '[s["state"] for s in kind("update-source")] == ["fresh"]'
}

@test "a list that is too long to be remembered is read all the same" {
    local list
    release debian 12 bookworm
    lists "$(tomorrow)"
    list=${LISTS}_main_binary-amd64_Packages
    seq 500000 | sed 's/.*/Package: package-with-a-name-&\nVersion: 1.0.0-1+deb12u1\nArchitecture: amd64\n/' >>"$list"
    sed -i "s,^ .* main/binary-amd64/Packages, $(sha256sum "$list" | cut -d' ' -f1) $(stat -c %s "$list") main/binary-amd64/Packages," \
        "${LISTS}_InRelease"
    code 1 audit --fail-on high
    holds '[f for f in findings if f["subject"]["name"] == "openssl" and f["verdict"] == "affected"]' \
        '"caged" not in json.dumps(every)'
}

@test "lists that are missing, expired, cut, old or of another distribution are loud" { # CASES 16
    release debian 12 bookworm
    # none at all
    echo "deb http://mirror.example/debian-security bookworm-security main" >"$FAKE/etc/apt/sources.list"
    code 3 audit
    holds 'summary["unknown"] > 0'
    code "0 3" facts
    holds '[s["state"] for s in kind("update-source")] == ["missing"]'
    # expired
    lists "Sat, 04 Jan 2025 10:00:00 UTC"
    code "1 3" audit
    holds 'summary["unknown"] > 0' 'any("expired" in json.dumps(f) or "Valid-Until" in json.dumps(f) for f in findings if f["verdict"] == "unknown")'
    code "0 3" facts
    holds '"expired" in [s["state"] for s in kind("update-source")]'
    # cut in the middle of a stanza: not what the archive signed
    lists "$(tomorrow)"
    truncate -s 40 "${LISTS}_main_binary-amd64_Packages"
    code "1 3" audit
    holds 'summary["unknown"] > 0'
    # a packed list that is cut
    rm "${LISTS}_main_binary-amd64_Packages"
    head -c 300 /dev/urandom | lz4 -q >"${LISTS}_main_binary-amd64_Packages.lz4" 2>/dev/null || head -c 300 /dev/urandom >"${LISTS}_main_binary-amd64_Packages.lz4"
    truncate -s 100 "${LISTS}_main_binary-amd64_Packages.lz4"
    code 3 audit
    holds 'summary["unknown"] > 0' '"Packages.lz4" in json.dumps(findings)'
    rm "${LISTS}_main_binary-amd64_Packages.lz4"
    # a year old and without an end of validity
    lists "$(tomorrow)" "Sat, 04 Jan 2025 10:00:00 UTC"
    sed -i '/^Valid-Until/d' "${LISTS}_InRelease"
    mkdir -p "$FAKE/var/lib/apt/periodic"
    touch -d 2025-01-04 "${LISTS}"_* "$FAKE/var/lib/apt/periodic/update-success-stamp"
    code "1 3" audit
    holds 'summary["unknown"] > 0'
    code "0 3" facts
    holds '"stale" in [s["state"] for s in kind("update-source")]'
    # noise in place of the Release
    lists "$(tomorrow)"
    head -c 2000 /dev/urandom >"${LISTS}_InRelease"
    code "1 3" audit
    holds 'summary["unknown"] > 0'
    # a sources.list that has no security archive at all
    lists "$(tomorrow)"
    echo "deb http://mirror.example/ubuntu noble main" >"$FAKE/etc/apt/sources.list"
    code 3 audit
    holds 'summary["unknown"] > 0'
}

@test "a root without a package database never gets the host's answer" { # CASES 18
    [ -n "$(host_version dpkg)" ] || skip "this host is no Debian"
    release debian 12 bookworm
    rm -r "$FAKE/var"
    code 3 audit
    holds 'summary["unknown"] > 0'
    code 3 facts
    holds 'not kind("package")' 'not kind("update")' 'not [f for f in kind("listener") if f.get("from") == "live"]' 'not kind("process")' 'unread'
    # an empty folder
    mkdir "$WORK/nothing"
    code 3 "$YAGURA" facts --root "$WORK/nothing" --json
    holds 'not [f for f in facts if f["kind"] in ("package", "process", "kernel", "update") and f.get("running")]' 'not kind("package")'
    # a foreign one: the image's packages, not the host's
    release ubuntu 24.04 noble 3.0.13-0ubuntu3
    code "0 3" facts
    holds '[p["version"] for p in kind("package") if p["name"] == "openssl"] == ["3.0.13-0ubuntu3"]' 'len(kind("package")) == 2'
    # an rpm system
    rm -r "$FAKE/var"
    release fedora 39 ''
    rm -r "$FAKE/var/lib/dpkg"
    mkdir -p "$FAKE/var/lib/rpm"
    head -c 4096 /dev/urandom >"$FAKE/var/lib/rpm/rpmdb.sqlite"
    code 3 audit
    says "cannot" || holds 'summary["unknown"] > 0'
}

@test "an unreadable package database is unknown" { # CASES 18
    release debian 12 bookworm
    rm "$FAKE/var/lib/dpkg/status"
    mkdir "$FAKE/var/lib/dpkg/status"
    code 3 audit
    holds 'summary["unknown"] > 0' '"dpkg/status" in json.dumps(findings)'
    rmdir "$FAKE/var/lib/dpkg/status"
    # a pipe, a device and a link out of the root
    mkfifo "$FAKE/var/lib/dpkg/status"
    code 3 timeout -k 1 20 "$YAGURA" audit --root "$FAKE" --json --fail-on critical
    holds '"dpkg/status" in json.dumps(findings)'
    rm "$FAKE/var/lib/dpkg/status"
    ln -s /var/lib/dpkg/status "$FAKE/var/lib/dpkg/status"
    code 3 facts
    holds 'not kind("package")'
    rm "$FAKE/var/lib/dpkg/status"
    ln -s ../../../../../../../../../../../../var/lib/dpkg/status "$FAKE/var/lib/dpkg/status"
    code 3 facts
    holds 'not kind("package")'
    if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
        rm "$FAKE/var/lib/dpkg/status"
        release debian 12 bookworm
        chmod 000 "$FAKE/var/lib/dpkg/status"
        chmod -R o+rX "$FAKE/etc" "$FAKE/usr"
        chmod o+rx "$WORK" "$(dirname "$WORK")" "$(dirname "$(dirname "$WORK")")" "$FAKE" "$FAKE/var" "$FAKE/var/lib" "$FAKE/var/lib/dpkg"
        mkdir -m 777 "$WORK/other"
        code 3 setpriv --reuid 65534 --regid 65534 --clear-groups env YAGURA_STATE="$WORK/other/state" "$YAGURA" audit --root "$FAKE" --json --fail-on critical
        holds '"dpkg/status" in json.dumps(findings)' '"denied" in json.dumps(findings).lower()'
    fi
}

@test "links in a root lead nowhere outside it, whatever they are called" { # CASES 18, 19
    release debian 12 bookworm
    [ -r /etc/shadow ] || skip "only root can tell"
    secret=$(head -1 /etc/shadow | cut -c1-40)
    mkdir -p "$FAKE"/{etc/ssh,etc/nginx/sites-enabled,etc/apache2,var/www/html,root,proc/self}
    local place
    for place in etc/hostname etc/nginx/nginx.conf etc/apache2/apache2.conf etc/ssh/sshd_config etc/apt/sources.list etc/inetd.conf etc/machine-id; do
        rm -f "$FAKE/$place"
        ln -s /etc/shadow "$FAKE/$place"
    done
    ln -s ../../../../../../../../../../etc/shadow "$FAKE/etc/nginx/sites-enabled/shop"
    ln -s / "$FAKE/var/lib/apt/lists/partial"
    ln -s loop "$FAKE/etc/loop"
    ln -s /etc/loop "$FAKE/etc/resolv.conf"
    code "0 1 3" facts
    says_not "$secret" "root:\$"
    says_not "$(cat /etc/machine-id 2>/dev/null || echo none-here)"
    code "0 1 3" audit
    says_not "$secret"
    # absolute links mean the root's own files
    echo inside-name >"$FAKE/etc/the-name"
    rm "$FAKE/etc/hostname"
    ln -s /etc/the-name "$FAKE/etc/hostname"
    code "0 1 3" facts
    says "inside-name"
}

@test "pipes, devices and sockets in a root hold nobody up" {
    as_root
    release debian 12 bookworm
    mkdir -p "$FAKE"/{etc/ssh,etc/nginx,etc/apache2,etc/apt/sources.list.d,var/www/html,etc/ufw}
    local place
    for place in etc/nginx/nginx.conf etc/apache2/apache2.conf etc/ssh/sshd_config etc/apt/sources.list.d/a.list etc/ufw/ufw.conf etc/inetd.conf etc/machine-id; do
        rm -f "$FAKE/$place"
        mkfifo "$FAKE/$place"
    done
    mknod "$FAKE/etc/shadow" c 1 5 2>/dev/null || true # /dev/zero
    rm -f "$FAKE/etc/hostname"
    mknod "$FAKE/etc/hostname" c 1 5 2>/dev/null || true
    start=$SECONDS
    code "0 1 3" timeout -k 1 30 "$YAGURA" audit --root "$FAKE" --json
    [ $((SECONDS - start)) -lt 10 ]
    holds 'summary'
}

@test "an ordinary user's audit of this host says what root would have seen more of" {
    as_root
    program setpriv
    mkdir -m 777 "$WORK/other"
    chmod o+rx "$WORK" "$(dirname "$WORK")" "$(dirname "$(dirname "$WORK")")"
    [ -x "$YAGURA" ] && setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$YAGURA" || skip "the build folder is not for everybody"
    code "0 1 3" setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$WORK/other" YAGURA_STATE="$WORK/other/state" "$YAGURA" audit --json
    printf '%s\n' "$stdout" | grep -o '"rule":{"id":"debian-[^"]*"\|"kind":"package","name":"[^"]*"' | sort >"$WORK/user"
    code "0 1 3" "$YAGURA" audit --json
    printf '%s\n' "$stdout" | grep -o '"rule":{"id":"debian-[^"]*"\|"kind":"package","name":"[^"]*"' | sort >"$WORK/root-says"
    [ "$(grep -c package "$WORK/user")" -ge 1 ] || [ "$(grep -c package "$WORK/root-says")" -eq 0 ]
    # no package of root's is missing
    [ -z "$(comm -13 <(grep '"kind":"package"' "$WORK/user") <(grep '"kind":"package"' "$WORK/root-says"))" ]
}

@test "another release in a folder: the same updates as its own apt" {
    slow
    as_root
    program debootstrap
    # the mirror is the host's own, whatever it is
    mirror=$(sed -nE 's/^ *deb +(\[[^]]*\] +)?(http[^ ]+) +[a-z]+ +.*main.*/\2/p; s/^URIs: *([^ ]+).*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -1)
    [ -n "$mirror" ] || skip "the host has no mirror"
    timeout 300 debootstrap --variant=minbase bullseye "$WORK/chroot" "$mirror" >"$WORK/debootstrap.log" 2>&1 ||
        skip "debootstrap did not work: $(tail -1 "$WORK/debootstrap.log")"
    cp /etc/resolv.conf "$WORK/chroot/etc/resolv.conf" 2>/dev/null || true
    cp /etc/apt/apt.conf.d/* "$WORK/chroot/etc/apt/apt.conf.d/" 2>/dev/null || true
    chroot "$WORK/chroot" apt-get -qq update >"$WORK/update.log" 2>&1 || true
    code "1 3" "$YAGURA" audit --root "$WORK/chroot" --json
    holds 'summary["os"].startswith("Debian GNU/Linux 11")'
    run "$ROOT/tests/collect/apt_against_apt" --yagura "$YAGURA" --root "$WORK/chroot"
    echo "$output" | tail -20
    [ "$status" -eq 0 ]
}

@test "Debian's untouched nginx, Apache and lighttpd: nothing above low" {
    slow
    as_root
    program debootstrap
    mirror=$(sed -nE 's/^ *deb +(\[[^]]*\] +)?(http[^ ]+) +[a-z]+ +.*main.*/\2/p; s/^URIs: *([^ ]+).*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -1)
    [ -n "$mirror" ] || skip "the host has no mirror"
    timeout 300 debootstrap --variant=minbase --include=nginx-light,apache2,lighttpd bookworm "$WORK/web" "$mirror" >"$WORK/debootstrap.log" 2>&1 ||
        skip "debootstrap did not work: $(tail -1 "$WORK/debootstrap.log")"
    code "1 3" "$YAGURA" audit --root "$WORK/web" --json
    # the checklist judged something here, and what it found is small
    holds '[f for f in findings if f["rule"].get("checklist") == "linux"]' \
        'not [f for f in findings if f["rule"].get("checklist") and f["verdict"] in ("affected", "broken") and f["severity"] not in ("low", "info")]'
    # it can find more: the same root with pages that anyone may write
    chmod 0777 "$WORK/web/var/www/html"
    code 1 "$YAGURA" audit --root "$WORK/web" --json
    holds '[f for f in findings if f["rule"].get("checklist") and f["severity"] in ("medium", "high", "critical") and f["verdict"] == "affected"]'
}

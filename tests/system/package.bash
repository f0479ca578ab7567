# package.bash - the Debian package, and a Debian to install it in: for package.bats and boot.bats.

# Makes it, or takes the one that is newer than all it is made of: DEB.
package() {
    slow
    program dpkg-buildpackage dh lintian
    DEB=$(ls "$BUILD"/deb-test/yagura_*.deb 2>/dev/null | head -1)
    if [ -z "$DEB" ] || [ -n "$(find "$ROOT/src" "$ROOT/libexec" "$ROOT/data" "$ROOT/packaging" -newer "$DEB" -type f | head -1)" ]; then
        mkdir -p "$BUILD/deb-test"
        (cd "$ROOT" && scripts/deb "$BUILD/deb-test") || return 1
    fi
    DEB=$(ls "$BUILD"/deb-test/yagura_*.deb | head -1)
}

# install_in FOLDER PACKAGES: a small Debian 12 with these packages (a,b) and ours, from the host's
# own mirror; nothing of this test's environment reaches its programs.
install_in() {
    local root=$1 mirror
    as_root
    program debootstrap
    mirror=$(sed -nE 's/^ *deb +(\[[^]]*\] +)?(http[^ ]+) +[a-z]+ +.*main.*/\2/p; s/^URIs: *([^ ]+).*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -1)
    [ -n "$mirror" ] || skip "the host has no mirror"
    timeout 900 debootstrap --variant=minbase --include="adduser,$2" bookworm "$root" "$mirror" >"$WORK/debootstrap.log" 2>&1 ||
        skip "debootstrap did not work: $(tail -1 "$WORK/debootstrap.log")"
    cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
    cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
    cp "$DEB" "$root/root/yagura.deb"
    unset YAGURA_STATE
    export DEBIAN_FRONTEND=noninteractive
    chroot "$root" apt-get -qq update >"$WORK/apt.log" 2>&1 || true
    chroot "$root" apt-get -qq -y --no-install-recommends install /root/yagura.deb >>"$WORK/apt.log" 2>&1 || {
        tail -20 "$WORK/apt.log"
        return 1
    }
}

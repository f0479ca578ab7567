# patching.bash - hosts to be patched: this machine's own root with a layer of its own over it, in
# which apt and dpkg are the real ones and know one archive, made here.

# hosts NAME ...: each sees the others' /exchange; needs root and overlayfs.
hosts() {
    as_root
    program apt-get dpkg-deb dpkg-scanpackages unshare
    HOSTS=$WORK/hosts
    mkdir -p "$HOSTS"
    mount -t tmpfs tmpfs "$HOSTS" || skip "no tmpfs can be mounted"
    mkdir -p "$HOSTS/repo"
    local name
    for name; do
        mkdir -p "$HOSTS/$name"/{upper,work,root}
        mount -t overlay overlay -o "lowerdir=/,upperdir=$HOSTS/$name/upper,workdir=$HOSTS/$name/work" \
            "$HOSTS/$name/root" || skip "no overlay can be mounted"
        mkdir -p "$HOSTS/$name/root/repo"
        mount --bind "$HOSTS/repo" "$HOSTS/$name/root/repo"
        rm -rf "$HOSTS/$name/root/etc/apt/"{sources.list,sources.list.d,preferences.d,preferences} \
            "$HOSTS/$name/root/var/lib/apt/lists" "$HOSTS/$name/root/etc/yagura" "$HOSTS/$name/root/var/lib/yagura"
        mkdir -p "$HOSTS/$name/root/etc/apt/"{sources.list.d,preferences.d} "$HOSTS/$name/root/etc/yagura"
        echo "deb [trusted=yes] file:/repo bookworm-security main" >"$HOSTS/$name/root/etc/apt/sources.list"
        echo "$name" >"$HOSTS/$name/root/etc/hostname"
        tr -dc a-f0-9 </dev/urandom | head -c 32 >"$HOSTS/$name/root/etc/machine-id"
    done
}
end_hosts() {
    local place
    [ -n "$HOSTS" ] || HOSTS=$WORK/hosts
    [ -z "$BOOTING" ] || kill -KILL "$BOOTING" 2>/dev/null || true
    for place in "$HOSTS"/*/root/repo "$HOSTS"/*/root; do
        ! mountpoint -q "$place" || umount -l "$place"
    done
    ! mountpoint -q "$HOSTS" || umount -l "$HOSTS"
}
# on HOST COMMAND ...: with processes and a network of its own, loopback only.
on() {
    local root=$HOSTS/$1/root
    shift
    # shellcheck disable=SC2016
    unshare --fork --pid --kill-child --net --mount --uts sh -c '
        root=$1; shift
        hostname "$(cat "$root/etc/hostname")"
        mount -t proc proc "$root/proc" && mount -t devtmpfs dev "$root/dev" 2>/dev/null || mount --bind /dev "$root/dev"
        ip link set lo up
        exec chroot "$root" "$@"' sh "$root" env -u YAGURA_STATE HOME=/root "$@"
}
yagura_on() {
    local host=$1
    shift
    on "$host" "$YAGURA" "$@"
}

# boot HOST UNIT: systemd there, as the first process of a container; it ends with the test.
boot() {
    local root=$HOSTS/$1/root
    mkdir -p "$WORK/$1-run"
    # shellcheck disable=SC2016
    unshare --fork --pid --kill-child --cgroup --net --mount --uts --ipc sh -c '
        root=$1
        mount -t proc proc "$root/proc" && mount -t sysfs -o ro sysfs "$root/sys" &&
            mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" && mount -t tmpfs run "$root/run" &&
            mount -t tmpfs dev "$root/dev" || exit 77
        for node in null zero urandom random full tty; do
            : >"$root/dev/$node" && mount --bind "/dev/$node" "$root/dev/$node"
        done
        exec chroot "$root" env -i container=lxc /lib/systemd/systemd --unit="$2"' sh "$root" "$2" >"$WORK/$1-boot.log" 2>&1 &
    BOOTING=$!
    local n
    for ((n = 0; n < 150; n++)); do
        FIRST=$(pgrep -P "$BOOTING" | head -1)
        [ -z "$FIRST" ] || [ "$(enter "$1" systemctl is-active "$2" 2>/dev/null)" != active ] || return 0
        sleep 0.2
    done
    skip "systemd does not start in a container here: $(tail -1 "$WORK/$1-boot.log")"
}
# enter HOST COMMAND ...: in what boot() has started.
enter() {
    local root=$HOSTS/$1/root
    shift
    nsenter -t "$FIRST" -p -C -n -m -u -i chroot "$root" env -u YAGURA_STATE HOME=/root "$@"
}

# deb NAME VERSION [POSTINST [DEPENDS]]: into the archive, with a configuration file; of SOURCE, if
# that is set.
deb() {
    local dir=$WORK/deb-$1-$2
    mkdir -p "$dir/DEBIAN" "$dir/etc" "$dir/usr/share/$1" "$HOSTS/repo/pool"
    printf '%s\n' "Package: $1" "Version: $2" "Architecture: all" "Maintainer: nobody <nobody@mirror.example>" \
        ${SOURCE:+"Source: $SOURCE"} ${4:+"Depends: $4"} "Description: a package of the tests" >"$dir/DEBIAN/control"
    echo "/etc/$1.conf" >"$dir/DEBIAN/conffiles"
    echo "as shipped with $2" >"$dir/etc/$1.conf"
    echo "$2" >"$dir/usr/share/$1/version"
    if [ -n "$3" ]; then
        printf '#!/bin/sh\n%s\n' "$3" >"$dir/DEBIAN/postinst"
        chmod 755 "$dir/DEBIAN/postinst"
    fi
    [ ! -d "$WORK/files-$1" ] || cp -a "$WORK/files-$1/." "$dir/"
    dpkg-deb --root-owner-group -Znone -b "$dir" "$HOSTS/repo/pool/$1_$2_all.deb" >/dev/null
    archive
}
# The archive's lists, as a security archive.
archive() {
    local base=$HOSTS/repo/dists/bookworm-security list size sum
    mkdir -p "$base/main/binary-amd64" "$base/main/binary-all"
    (cd "$HOSTS/repo" && dpkg-scanpackages -m pool 2>/dev/null) >"$base/main/binary-amd64/Packages"
    list=$base/main/binary-amd64/Packages
    size=$(stat -c %s "$list")
    sum=$(sha256sum "$list" | cut -d' ' -f1)
    cat >"$base/Release" <<RELEASE
Origin: Debian
Label: Debian-Security
Suite: oldstable-security
Codename: bookworm-security
Date: $(LC_ALL=C date -Ru)
Valid-Until: $(LC_ALL=C date -Ru -d '+5 days')
Architectures: amd64
Components: main
SHA256:
 $sum $size main/binary-amd64/Packages
RELEASE
}
# has HOST PACKAGE: the version that dpkg has there.
has() { on "$1" dpkg-query -W -f '${Version} ${db:Status-Status}' "$2"; }

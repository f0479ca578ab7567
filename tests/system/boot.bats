# A real boot: systemd, the package's own units, a page that was defaced while the machine was off.
load lib
load package

teardown() { ! mountpoint -q "$WORK/root/proc" || umount "$WORK/root/proc"; }

@test "a page that was defaced while the machine was off is undone at its boot, and never adopted" {
    package
    program qemu-system-x86_64 mke2fs
    local root=$WORK/root
    install_in "$root" systemd-sysv,linux-image-cloud-amd64,nginx-light,nftables,iproute2
    mount -t proc proc "$root/proc"
    (
        set -e
        mkdir -p "$root"/srv/www/{a,b}
        for page in index.html a/page.html b/page.html; do echo "published $page" >"$root/srv/www/$page"; done
        chroot "$root" chown -R www-data: /srv/www/a
        chmod 2775 "$root/srv/www/a"
        echo 'server { listen 80 default_server; root /srv/www; }' >"$root/etc/nginx/sites-available/default"
        # the hook says who it is, that the socket was its input, and that it may not write
        echo 'on_tamper: "echo HOOK user $(id -u) $(grep -c tamper) line; touch /srv/www/hook 2>/dev/null || echo HOOK refused"' >"$root/etc/yagura/yagura.yaml"
        chmod 600 "$root/etc/yagura/yagura.yaml"
        chroot "$root" yagura init /srv/www --name www
        # and now the machine is off
        echo defaced >"$root/srv/www/index.html"
        echo added >"$root/srv/www/new.html"
    ) >"$WORK/install.log" 2>&1 || {
        tail -20 "$WORK/install.log"
        return 1
    }
    umount "$root/proc"
    cp "$BUILD/deface" "$HELPERS/boot_test" "$root/usr/local/bin/"
    printf '[Unit]\nAfter=at-network.service nginx.service yagura-guard.service\n[Service]\nType=oneshot\nExecStart=/usr/local/bin/boot_test\n' \
        >"$root/etc/systemd/system/boot-test.service"
    ln -s ../boot-test.service "$root/etc/systemd/system/multi-user.target.wants/"
    # ordered as whatever brings a network up; no names of protocols (/etc/protocols) are there
    printf '[Unit]\nDefaultDependencies=no\nAfter=network-pre.target\nWants=network.target\nBefore=network.target\n[Service]\nType=oneshot\nExecStart=/bin/sh -c "nft list tables >/run/at-network"\n' \
        >"$root/etc/systemd/system/at-network.service"
    ln -s ../at-network.service "$root/etc/systemd/system/multi-user.target.wants/"
    ln -s /dev/null "$root/etc/systemd/system/serial-getty@ttyS0.service"
    truncate -s 2G "$WORK/disk.img"
    mke2fs -q -t ext4 -d "$root" "$WORK/disk.img"
    local boot
    for boot in first second third; do
        "$HELPERS/boot" "$root" "$WORK/disk.img" 900 >>"$WORK/said" 2>&1 || {
            tail -60 "$WORK/said"
            return 1
        }
    done
    grep -a "^BOOT: \|^JOURNAL: " "$WORK/said" | tr -d '\r'
    stdout= output=$(tr -d '\r' <"$WORK/said")
    # the first answer of the server is the published page already
    says "BOOT: page: published index.html" "BOOT: guard: active" "BOOT: new file: gone" "BOOT: user: yagura" \
        "BOOT: folder: published a/page.html 2775" "BOOT: after the guard was killed: published index.html" \
        "HOOK refused" "BOOT: audit: success" "BOOT: end"
    [[ $output =~ HOOK\ user\ [1-9][0-9]*\ 1\ line ]]
    [ "$(grep -c '"done":3,"back":3' <<<"$output")" = 10 ]
    says_not '"back":0' '"back":1' '"back":2'
    # what was confirmed is there before the network, without a timer; what was not is not
    says "BOOT: 1: stand: isolation trial ports trial" "BOOT: 1: kept then: firewall.nft "
    says_not "BOOT: 1: kept: f" "BOOT: 1: kept: p" "firewall.nft ports.nft"
    says "BOOT: 2: at the network: table inet yagura " "flags timeout elements = { ipv4, ipv6 } } }" \
        "BOOT: 2: units: active inactive active" "BOOT: 2: stand: isolation confirmed ports lapsed" \
        "BOOT: 2: visitor: HTTP/1.1 503"
    says "BOOT: 3: at the network: table inet yagura_ports " "BOOT: 3: units: inactive active inactive" \
        "BOOT: 3: stand: isolation lapsed ports confirmed" "BOOT: 3: visitor: HTTP/1.1 200"
}

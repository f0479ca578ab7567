#!/usr/bin/env bats
# The example images are what examples/README.md says: other people's tools can read them.

setup_file() {
    export IMAGES="$BATS_FILE_TMPDIR/images"
    local program
    for program in mkntfs makefs hivexregedit mcopy i686-w64-mingw32-windres fls icat mmls; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || skip "no $program"
    done
    "$BATS_TEST_DIRNAME/../../examples/build" "$IMAGES"
}

# inode IMAGE OFFSET PATH: the number under which icat knows a file
inode() {
    fls -o "$2" -rp "$1" | awk -F'\t' -v path="$3" '
        tolower($2) == tolower(path) { sub(/^[^ ]* /, "", $1); sub(/:$/, "", $1); print $1; exit }'
}

content() {
    icat -o "$2" "$1" "$(inode "$1" "$2" "$3")"
}

@test "ten images, and a second build gives the same bytes" {
    [ "$(find "$IMAGES" -maxdepth 1 -name '*.img' | wc -l)" -eq 10 ]
    "$BATS_TEST_DIRNAME/../../examples/build" "$BATS_TEST_TMPDIR/again" nt4-iis4 solaris26-apache
    local image
    for image in "$BATS_TEST_TMPDIR"/again/*.img; do
        cmp "$image" "$IMAGES/$(basename "$image")"
    done
}

@test "an unknown host is named, with those that there are" {
    run "$BATS_TEST_DIRNAME/../../examples/build" "$BATS_TEST_TMPDIR" nt5
    [ "$status" -eq 1 ]
    [[ "$output" == *"no such host or image: nt5"*"nt4-iis3"* ]]
}

@test "Windows 2000: hives open, a file has its version, root.exe is cmd.exe" {
    local image="$IMAGES/windows2000-iis5-found.img"
    content "$image" 63 WINNT/system32/config/software > "$BATS_TEST_TMPDIR/software"
    run hivexget "$BATS_TEST_TMPDIR/software" 'Microsoft\Windows NT\CurrentVersion' CSDVersion
    [ "$output" = "Service Pack 1" ]
    content "$image" 63 WINNT/system32/inetsrv/w3svc.dll > "$BATS_TEST_TMPDIR/w3svc.dll"
    i686-w64-mingw32-windres -J coff "$BATS_TEST_TMPDIR/w3svc.dll" | grep -q 'FILEVERSION 5, 0, 2195, 1600'
    cmp <(content "$image" 63 Inetpub/scripts/root.exe) <(content "$image" 63 WINNT/system32/cmd.exe)
}

@test "the mended hosts are the same hosts" {
    local host
    for host in windows2000-iis5 nt4-iis4; do
        cmp <(dd if="$IMAGES/$host-found.img" bs=1 skip=$((63 * 512 + 72)) count=8 status=none) \
            <(dd if="$IMAGES/$host-mended.img" bs=1 skip=$((63 * 512 + 72)) count=8 status=none)
    done
    cmp <(fsstat "$IMAGES/nt4-iis3-found.img" | grep 'Volume ID') \
        <(fsstat "$IMAGES/nt4-iis3-mended.img" | grep 'Volume ID')
    cmp <(dd if="$IMAGES/solaris7-iplanet-found.img" bs=1 skip=$((8192 + 144)) count=8 status=none) \
        <(dd if="$IMAGES/solaris7-iplanet-mended.img" bs=1 skip=$((8192 + 144)) count=8 status=none)
}

@test "Solaris: labels and file systems of both kinds" {
    mmls "$IMAGES/solaris7-iplanet-found.img" | grep -q '000: *000 *0000000000'
    content "$IMAGES/solaris7-iplanet-found.img" 0 etc/inet/inetd.conf | grep -q '^pcserver'
    mmls -t sun -o 128 "$IMAGES/solaris26-apache-found.img" | grep -q '/ (0x02)'
    # fls does not know Solaris' folders on x86; that there is a file system is all it can say
    fsstat -o 256 "$IMAGES/solaris26-apache-found.img" | grep -q 'UFS 1'
}

@test "no mended image has anything of the worm, and two found ones have" {
    local image
    for image in "$IMAGES"/*.img; do
        case "$image" in
        */windows2000-iis5-found.img | */solaris7-iplanet-found.img)
            grep -qaE 'root\.exe|/dev/cuc' "$image" ;;
        */windows2000-iis5-mended.img)
            # its log still tells what happened; the file is not there
            [ -z "$(inode "$image" 63 Inetpub/scripts/root.exe)" ]
            run grep -qaE 'PoizonBOx' "$image"
            [ "$status" -eq 1 ] ;;
        *)
            run grep -qaE 'root\.exe|/dev/cuc|PoizonBOx' "$image"
            [ "$status" -eq 1 ] ;;
        esac
    done
}

@test "expected.tsv speaks of every image, with verdicts that there are" {
    local table="$BATS_TEST_DIRNAME/../../examples/expected.tsv" image
    for image in "$IMAGES"/*.img; do
        [ "$(grep -c "^$(basename "$image" .img)	" "$table")" -ge 8 ]
    done
    run awk -F'\t' '!/^#/ && (NF != 4 || $3 !~ /^(affected|broken|fixed|unknown|not_affected)([|](affected|broken|fixed|unknown|not_affected))*$/)' "$table"
    [ -z "$output" ]
}

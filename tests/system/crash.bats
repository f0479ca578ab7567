#!/usr/bin/env bats
# Whatever ends it early, no published byte is lost and no page is half-written. See
# tests/fault/crash; a quick run takes one point in seven.
load lib

strike() {
    as_root
    case $BUILD in *-asan) skip "a point takes ten times as long under the sanitizers" ;; esac
    run "$ROOT/tests/fault/crash" "$BUILD" "$1"
    echo "$output" | grep -E 'points|WRONG' | cut -c1-300 >&3
    [ "$status" = 0 ] || { echo "$output" | tail -30; false; }
}

@test "killed at every call that changes a file" {
    strike kill
    [ -n "$QUICK" ] || [ "$(echo "$output" | sed -n 's/^kill: \([0-9]*\) points/\1/p')" -ge 2000 ]
}

@test "every write, fsync and rename that fails is said and loses nothing" {
    strike fail
}

@test "every allocation that fails is said and loses nothing" {
    strike memory
}

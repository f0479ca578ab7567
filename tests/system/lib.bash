# lib.bash - what every scenario loads. BUILD is the folder of the build that is tested.
: "${BUILD:=$PWD/build}"
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SHARED=${YAGURA_SHARED:-$ROOT/../shared}
YAGURA=$BUILD/yagura
export YAGURA_STATE="$BATS_TEST_TMPDIR/state"
export LC_ALL=C.UTF-8
unset LANG LANGUAGE

# Ten images, made once for all files of one run.
images() {
    local dir="$BUILD/demo"
    (
        flock 9
        if [ ! -f "$dir/.made" ] || [ -n "$(find "$ROOT/examples" -type f -newer "$dir/.made" | head -1)" ]; then
            "$ROOT/examples/build" "$dir" >&2 && : >"$dir/.made"
        fi
    ) 9>"$BUILD/demo.lock"
    IMAGES=$dir
}

# need FILE REASON: skips where the data beside the repository is not there.
need() { [ -e "$1" ] || skip "$1 is not there"; }
slow() { [ -z "$QUICK" ] || skip "slow: left out of a quick run"; }

# code N COMMAND ...: runs it; fails with what it printed unless it ends with N.
code() {
    local wanted=$1 got=0
    shift
    output=$("$@" 2>&1 </dev/null) || got=$?
    [ "$got" = "$wanted" ] || {
        echo "$* ended with $got, not $wanted:"
        echo "$output" | head -40
        return 1
    }
}
says() {
    [[ "$output" == *"$1"* ]] || {
        echo "nothing says \"$1\" in:"
        echo "$output" | head -40
        return 1
    }
}

# lib.bash - what every scenario loads.
#
# BUILD is the build folder that is tested (default: build beside the sources); QUICK=1 leaves
# out what is slow. Each test has a memory of its own; nothing of the host's memory, language
# or colours reaches it.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${BUILD:=$ROOT/build}"
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
SHARED=${YAGURA_SHARED:-$ROOT/../shared}
HELPERS=$ROOT/tests/system/helpers
YAGURA=$BUILD/yagura
# In setup_file there is no folder of a test yet.
WORK=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}
export YAGURA_STATE="$WORK/state"
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
export PATH="$PATH:/usr/sbin:/sbin"
unset LANG LANGUAGE NO_COLOR YAGURA_DATA YAGURA_LIBEXEC YAGURA_LOCALE

# Ten images, made once for all files of one run.
images() {
    local dir # builds share it by a link
    dir=$(readlink -m "$BUILD/demo")
    (
        flock 9
        if [ ! -f "$dir/.made" ] || [ -n "$(find "$ROOT/examples" -type f -newer "$dir/.made" | head -1)" ]; then
            "$ROOT/examples/build" "$dir" >&2 && : >"$dir/.made"
        fi
    ) 9>"$dir.lock"
    IMAGES=$dir
}

# need FILE: skips where the data beside the repository is not there. program NAME ...: where a
# program is not installed.
need() { [ -e "$1" ] || skip "$1 is not there"; }
program() {
    local name
    for name; do command -v "$name" >/dev/null || skip "$name is not installed"; done
}
as_root() { [ "$(id -u)" = 0 ] || skip "only root may do this"; }
slow() { [ -z "$QUICK" ] || [ "$QUICK" = 0 ] || skip "slow: left out of a quick run"; }

# code N COMMAND ...: runs it; fails with what it printed unless it ends with N (N may be a
# list: "1 3"). Standard output and error are both in $output; $stdout has the first alone.
code() {
    local wanted=$1 got=0 errors
    shift
    errors=$(mktemp "$WORK/errors.XXXXXX")
    stdout=$("$@" 2>"$errors" </dev/null) || got=$?
    stderr=$(cat "$errors")
    output=${stderr:+$stderr$'\n'}$stdout
    rm -f "$errors"
    [[ " $wanted " == *" $got "* ]] || {
        echo "$* ended with $got, not $wanted:"
        echo "$output" | tail -40 | cut -c1-400
        return 1
    }
}
says() {
    local text
    for text; do
        [[ "$output" == *"$text"* ]] || {
            echo "nothing says \"$text\" in:"
            echo "$output" | tail -40 | cut -c1-400
            return 1
        }
    done
}
# Joins the lines of $output to one, also where a broken command goes on behind a backslash.
unwrapped() { output=$(tr -s '\n\\ ' ' ' <<<"$output"); }
says_not() {
    local text
    for text; do
        [[ "$output" != *"$text"* ]] || {
            echo "\"$text\" should not be said in:"
            echo "$output" | grep -F -- "$text" | head -5 | cut -c1-400
            return 1
        }
    done
}
# holds EXPRESSION ...: python over the JSON Lines of $stdout (see helpers/lines).
holds() {
    local expression
    for expression; do
        printf '%s\n' "$stdout" | /usr/bin/python3 "$HELPERS/lines" "$expression" || return 1
    done
}
# narrow COLUMNS: no line of $stdout is wider.
narrow() { printf '%s\n' "$stdout" | /usr/bin/python3 "$HELPERS/columns" "$1"; }
# within SECONDS COMMAND ...: fails when it takes longer (it is killed then).
within() { timeout -k 1 "$@"; }

# guard.bash - a site of the test's own with a guard over it; loaded after lib.
#
# SITE is the document root, LISTING what it was when it was published. The guard's events (JSON
# Lines) are in $WORK/events, what it says in $WORK/said.
SITE=$WORK/site/www
LISTING=$WORK/published
DEFACE=$BUILD/deface
GUARD=

# some N M: M of it in a quick run, else N
some() { if [ -z "$QUICK" ] || [ "$QUICK" = 0 ]; then echo "$1"; else echo "$2"; fi; }
guarded() { "$HELPERS/guarded" "$@"; }

# site FILES: made and published
site() {
    guarded make "$SITE" "${1:-100}"
    publish_it
}
publish_it() {
    code 0 "$YAGURA" init "$SITE" --json
    guarded list "$SITE" >"$LISTING"
}
# until SECONDS COMMAND ...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || {
            echo "not true in time: $*"
            return 1
        }
        sleep 0.05
    done
}
# status EXPRESSION ...: python over what the guard says of itself
status() {
    stdout=$(guarded ask "$YAGURA_STATE" status 2>/dev/null) && [ -n "$stdout" ] && holds "$@" >/dev/null 2>&1
}
# guard [OPTION ...]: starts one and waits until it is on guard, at most $GUARD_SECONDS
guard() {
    "$YAGURA" guard --json "$@" >>"$WORK/events" 2>>"$WORK/said" </dev/null 3>&- &
    GUARD=$!
    until_true "${GUARD_SECONDS:-60}" status 'True' || {
        cat "$WORK/said"
        return 1
    }
}
inner() { pgrep -P "$GUARD"; }
guard_ends() {
    [ -n "$GUARD" ] || return 0
    kill -CONT "$(inner)" 2>/dev/null || :
    kill -TERM "$GUARD" 2>/dev/null || :
    wait "$GUARD" 2>/dev/null || :
    GUARD=
}
# A guard that a sanitizer ended was started anew, and the site may be right all the same.
sane() {
    [ ! -f "$WORK/said" ] || ! grep -E -A 30 'Sanitizer|runtime error:' "$WORK/said"
}
# The supervisor and what it supervises, at once.
guard_killed() {
    local child
    child=$(inner)
    kill -KILL "$GUARD" 2>/dev/null || :
    kill -KILL "$child" 2>/dev/null || :
    wait "$GUARD" 2>/dev/null || :
    GUARD=
}
as_published() {
    guarded list "$SITE" >"$WORK/now" 2>&1
    cmp -s "$LISTING" "$WORK/now"
}
# back SECONDS: the tree is as it was published, byte for byte and attribute for attribute
back() {
    until_true "${1:-20}" as_published >/dev/null && return 0
    diff "$LISTING" "$WORK/now" | head -20
    tail -5 "$WORK/events"
    cat "$WORK/said"
    return 1
}
# events EXPRESSION ...: python over all that the guard told
events() {
    stdout=$(cat "$WORK/events")
    holds "$@"
}
# tell TEXT: shown whether the test passes or not
tell() { echo "# $*" >&3; }
# jq_int KEY: a number of a line of JSON
jq_int() { /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

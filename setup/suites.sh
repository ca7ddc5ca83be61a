# shellcheck shell=bash
# Running suites: each is shown as it runs, kept in a log, counted by tally.py, and none stops the
# others, so that one run tells everything there is to mend.
#
# Sourced after speak.sh. `suites_begin NAME` comes first and `suites_end` last.
: "${tools:?speak.sh is sourced first}"

suites_begin() {
    results="$tools/results/$1"
    rm -rf "$results"
    mkdir -p "$results"
}

# suite NAME COMMAND…: a runner that prints its own count.
suite() {
    local name=$1 began=$SECONDS log status=0
    shift
    log="$results/${name// /-}.log"
    say "$name ..."
    "$@" </dev/null 2>&1 | tee "$log" || status=${PIPESTATUS[0]}
    python3 setup/tally.py add "$results/tally" "$name" "$status" $((SECONDS - began)) "$log"
    say "$name: ended with $status after $((SECONDS - began)) s"
}

# check NAME COMMAND…: a command that is one test.
check() {
    suite "$1" as_one_test "$@"
}

as_one_test() {
    local name=$1
    shift
    if "$@"; then printf 'ok - %s\n' "$name"; else
        printf 'not ok - %s\n' "$name"
        return 1
    fi
}

suites_end() { python3 setup/tally.py close "$results/tally"; }

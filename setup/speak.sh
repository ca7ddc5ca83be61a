# shellcheck shell=bash
# How a set-up script speaks: a long step says what it begins and how many seconds it took, and a
# step whose inputs have not changed since it last succeeded is not done again.
#
# Sourced by every script beside it, from the root of the repository.

# Where all set-up keeps what it fetched or made; `make clean` removes it.
tools=".tools"
mkdir -p "$tools/stamps"

say() { printf '[midan] %s\n' "$*"; }

fail() {
    printf '[midan] %s\n' "$@" >&2
    exit 1
}

# step WORDS COMMAND…: runs the command, telling before and after.
#
# The command is run bare, not as a condition: `set -e` then also holds inside a function it names.
step() {
    local began=$SECONDS
    under_way=$1
    shift
    say "$under_way ..."
    "$@"
    say "$under_way: done in $((SECONDS - began)) s"
    under_way=""
}

trap '[ -z "${under_way:-}" ] || say "$under_way: failed" >&2' EXIT

# digest PATH…: one hash over the names and contents of all files below the paths, in name order.
digest() {
    find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# is_fresh NAME DIGEST: did the step NAME last succeed with these inputs?
is_fresh() { [ "$(cat "$tools/stamps/$1" 2>/dev/null)" = "$2" ]; }

# Called before the work begins, so that half a result never counts as fresh.
mark_stale() { rm -f "$tools/stamps/$1"; }

mark_fresh() { printf '%s\n' "$2" >"$tools/stamps/$1"; }

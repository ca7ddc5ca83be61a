#!/usr/bin/env bash
# At a pace: the events come while they are read, first by the loop that only consumes and decodes, then by the whole pipeline.
#   load-tests/paced.sh [embedded|kafka] [more options of `midan bench`]
set -euo pipefail
cd "$(dirname "$0")/.."
log=${1:-embedded}
[ $# -gt 0 ] && shift
rate=${RATE:-20000}
exec "${MIDAN:-target/release/midan}" bench --log "$log" --rate "$rate" --events "${EVENTS:-$((rate * 30))}" "$@"

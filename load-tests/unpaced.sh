#!/usr/bin/env bash
# As fast as it goes: the topic is filled first, then read by the loop that only consumes and decodes, and by the whole pipeline.
#   load-tests/unpaced.sh [embedded|kafka] [more options of `midan bench`]
set -euo pipefail
cd "$(dirname "$0")/.."
log=${1:-embedded}
[ $# -gt 0 ] && shift
exec "${MIDAN:-target/release/midan}" bench --log "$log" --events "${EVENTS:-1000000}" --repeat "${REPEAT:-3}" "$@"

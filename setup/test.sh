#!/usr/bin/env bash
# `make test`: sets up what the tests need, then runs every suite and adds up what they say.
#
#   MIDAN_DATA=DIR   the shared data; without it the tests on it say that they are skipped
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh
source setup/suites.sh

if [ -n "${MIDAN_DATA:-}" ]; then
    [ -d "$MIDAN_DATA" ] || fail "DATA=$MIDAN_DATA is not a folder"
    MIDAN_DATA=$(cd "$MIDAN_DATA" && pwd)
    export MIDAN_DATA
else
    unset MIDAN_DATA
fi

setup/tools.sh tests
setup/onnxruntime.sh
setup/console.sh
setup/kafka.sh
setup/chromium.sh
setup/prometheus.sh
setup/checkers.sh
setup/training.sh

browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

export MIDAN_ONNXRUNTIME="${MIDAN_ONNXRUNTIME:-$PWD/$tools/onnxruntime/libonnxruntime.so}"
export MIDAN_KAFKA_HOME="$PWD/$tools/kafka"
export MIDAN_CHROMIUM="${MIDAN_CHROMIUM:-$(browser)}"
export MIDAN_BIN="$PWD/target/ci/midan"
export CARGO_TERM_COLOR=never NO_COLOR=1

# Unit tests and the one integration binary, for which cargo also builds the program itself.
rust() { cargo test --locked --profile ci --tests --no-fail-fast -- --skip simulation::; }

# Ten thousand nights of faults, with both cores to themselves: docs/BENCHMARKS.md says how long.
schedules() { MIDAN_SCHEDULES=10000 cargo test --locked --profile ci --test it simulation:: -- --nocapture; }

console() { npm --prefix dashboards/console run --silent "$@"; }

# Some of the browser's checks need states that only the mock can show; the others run on both.
console_on_mock() { env --unset=MIDAN_BIN npm --prefix dashboards/console run --silent e2e; }

rules() { "$tools/prometheus/promtool" test rules dashboards/prometheus/rules/midan.test.yml; }

scripts() { PYTHONPATH=setup python3 -m unittest discover --start-directory setup/tests; }

# Ten faults in half an hour of a night: kill -9, sleepers, clean leaves, the broker dead, the broker fenced. The long run of a hundred is in docs/BENCHMARKS.md.
# Its checker reads with another client than Midan's, which is kcat.
chaos() {
    command -v kcat >/dev/null || {
        say "skipped: kcat (Debian's package of that name) is not here"
        return 0
    }
    load-tests/chaos/chaos.py --midan "$MIDAN_BIN" --jars "$MIDAN_KAFKA_HOME/libs" --venue rabat --from-kick-off -60 --minutes 30 --speed 60 \
        --kills 10 --every 3 --session 3
}

training() { "$tools/training/bin/python" -m pytest -q models/train; }

suites_begin test
suite "set-up scripts" scripts
check "alert rules" rules
suite "rust" rust
suite "ten thousand schedules" schedules
suite "console" console test
suite "console in a browser" console e2e
suite "console on its mock" console_on_mock
check "chaos on a real Kafka" chaos
suite "delivery" setup/compose_test.sh
suite "model training" training
suites_end

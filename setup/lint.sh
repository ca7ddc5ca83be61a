#!/usr/bin/env bash
# `make lint`: everything that is judged without being run.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh
source setup/suites.sh

setup/tools.sh
setup/onnxruntime.sh
setup/console.sh
setup/checkers.sh

if ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
    fail "rustfmt and clippy are needed; install with: rustup component add rustfmt clippy"
fi

export CARGO_TERM_COLOR=never NO_COLOR=1

formatting() { cargo fmt --check; }

lints() { cargo clippy --locked --profile ci --all-targets -- -D warnings; }

console() { npm --prefix dashboards/console run --silent "$@"; }

scripts() { shellcheck --external-sources setup/*.sh .ci/run; }

dockerfile() { "$tools/checkers/bin/hadolint" --failure-threshold info Dockerfile; }

compose() { "$tools/checkers/bin/python" setup/compose_check.py; }

suites_begin lint
check "format" formatting
check "scripts" scripts
check "console lint" console lint
check "console types" console check
check "Dockerfile" dockerfile
check "compose file" compose
check "licences" setup/licences.sh
check "clippy" lints
suites_end

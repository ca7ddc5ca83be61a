#!/usr/bin/env bash
# The program as it ships: target/release/midan, with the console inside.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh

step "building target/release/midan (a first build takes several minutes)" cargo build --release --locked

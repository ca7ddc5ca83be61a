#!/usr/bin/env bash
# Licences, sources and yanked versions of all dependencies, as far as they show without the network.
# cargo-deny, which deny.toml is also written for, would be built from source in every CI run, for minutes,
# and finds its advisories only on the network.
set -euo pipefail
cd "$(dirname "$0")/.."

exec python3 setup/licences.py

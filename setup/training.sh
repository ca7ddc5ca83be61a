#!/usr/bin/env bash
# What the models are trained with, in .tools/training: the packages of models/train/requirements.txt, pinned by hash.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh

home="$tools/training"

install() {
    mark_stale training
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: \
        --require-hashes --requirement models/train/requirements.txt
}

wanted="$(python3 --version) $(digest models/train/requirements.txt)"
if [ -x "$home/bin/python" ] && is_fresh training "$wanted"; then
    exit 0
fi
step "installing what the models are trained with" install
mark_fresh training "$wanted"

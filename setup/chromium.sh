#!/usr/bin/env bash
# A real browser for the console's tests: Debian's Chromium, or one that is already there.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh
source setup/debian.sh

if [ -x "${MIDAN_CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null; then
    exit 0
fi
debian_packages chromium fonts-dejavu-core

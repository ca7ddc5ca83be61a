#!/usr/bin/env bash
# The tools that everything else stands on: each is looked for once, installed from Debian where
# that is possible, and otherwise named together with the command that installs it.
#
#   setup/tools.sh          what a build needs
#   setup/tools.sh tests    also what `make test` needs
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh
source setup/debian.sh

missing=()

# has COMMAND LEAST VERSION: is the command there, and its version LEAST or later?
has() { command -v "$1" >/dev/null && printf '%s\n%s\n' "$2" "$3" | sort -CV; }

# from_debian COMMAND PACKAGE…: a command that any version of will do.
from_debian() {
    local command=$1
    shift
    command -v "$command" >/dev/null || debian_packages "$@"
}

# asked COMMAND LEAST VERSION HOW: a tool that set-up does not install by itself.
asked() {
    has "$1" "$2" "$3" || missing+=("$1 $2 or later is needed, found: ${3:-none}. Install with: $4")
}

number() { grep -oE '[0-9]+(\.[0-9]+)+' | head -1 || true; }

node_version() { node --version 2>/dev/null | number; }

java_version() { java -version 2>&1 | number; }

build_tools() {
    from_debian cc build-essential
    from_debian c++ build-essential
    from_debian make make
    from_debian cmake cmake
    from_debian pkg-config pkg-config
    from_debian git git
    from_debian python3 python3
    pkg-config --exists openssl || debian_packages libssl-dev
    # librdkafka signs in by OAUTHBEARER through curl.
    pkg-config --exists libcurl || debian_packages libcurl4-openssl-dev
    python3 -m pip --version >/dev/null 2>&1 || debian_packages python3-pip
    python3 -c 'import ensurepip' 2>/dev/null || debian_packages python3-venv

    local rust="https://rustup.rs, then: rustup toolchain install stable"
    asked cargo 1.95 "$(cargo --version 2>/dev/null | number)" "$rust"
    asked rustc 1.95 "$(rustc --version 2>/dev/null | number)" "$rust"
    asked python3 3.11 "$(python3 --version | number)" "apt-get install python3 (Debian 12, Ubuntu 24.04 or later)"
    has node 20.19 "$(node_version)" || debian_node
    asked node 20.19 "$(node_version)" "apt-get install nodejs npm (Debian 13, Ubuntu 26.04), or https://nodejs.org"
    asked npm 9 "$(npm --version 2>/dev/null | number)" "apt-get install npm"
}

# Debian's Node is taken only where it is new enough and no other one would be covered by it.
debian_node() {
    command -v node >/dev/null && return 0
    local offered
    offered=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/ *Candidate: //p' | number)
    printf '20\n%s\n' "$offered" | sort -CV && debian_packages nodejs npm
    return 0
}

test_tools() {
    from_debian java default-jre-headless
    from_debian mvn maven
    asked java 17 "$(java_version)" "apt-get install default-jre-headless"
}

build_tools
[ "${1:-}" = tests ] && test_tools
[ ${#missing[@]} -eq 0 ] || fail "${missing[@]}"
say "tools are there: rustc $(rustc --version | number), node $(node_version), $(python3 --version)"

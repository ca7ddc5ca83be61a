#!/usr/bin/env bash
# A Kafka for tests, as jars: .tools/kafka/libs holds the class path of a real broker, every jar
# checked against the committed list of hashes.
#
#   setup/kafka.sh            fetch and check
#   setup/kafka.sh --pin      write the list anew after the versions in kafka.pom.xml have changed
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh

home="$tools/kafka"
pins="$PWD/setup/kafka.sha256"

fetch() {
    mark_stale kafka
    rm -rf "$home"
    mvn --quiet --batch-mode -Dstyle.color=never --file setup/kafka.pom.xml dependency:copy-dependencies \
        -DoutputDirectory="$PWD/$home/libs"
}

pin() { (cd "$home/libs" && LC_ALL=C sha256sum -- *.jar >"$pins"); }

# Exactly the pinned jars: none missing, none changed, none added.
check() {
    (cd "$home/libs" && sha256sum --check --quiet --strict "$pins")
    [ "$(find "$home/libs" -type f | wc -l)" -eq "$(wc -l <"$pins")" ]
}

if [ "${1:-}" = --pin ]; then
    step "fetching Kafka's jars" fetch
    pin
    exit 0
fi

wanted=$(digest setup/kafka.pom.xml setup/kafka.sha256)
if [ -d "$home/libs" ] && is_fresh kafka "$wanted"; then
    exit 0
fi
step "fetching Kafka's jars" fetch
step "checking their hashes" check
mark_fresh kafka "$wanted"

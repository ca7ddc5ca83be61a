#!/usr/bin/env bash
# The console's web files, built only when a source of them has changed: the binary embeds
# dashboards/console/dist, so an untouched folder also keeps cargo from linking again.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh

console=dashboards/console

packages="$(node --version) $(digest $console/package.json $console/package-lock.json)"
if ! [ -d $console/node_modules ] || ! is_fresh console-packages "$packages"; then
    mark_stale console-packages
    step "installing the console's npm packages" npm --prefix $console ci --no-audit --no-fund --loglevel=error
    mark_fresh console-packages "$packages"
fi

# What the build reads; the tests beside it, and the screenshots they leave, build nothing.
sources="$packages $(digest $console/src $console/public $console/index.html $console/*.config.* $console/tsconfig.json)"
if ! [ -f $console/dist/index.html ] || ! is_fresh console-build "$sources"; then
    mark_stale console-build
    step "building the console" npm --prefix $console run --silent build
    mark_fresh console-build "$sources"
fi

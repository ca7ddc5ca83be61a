#!/usr/bin/env bash
# Prometheus and Alertmanager for tests, in .tools/prometheus: promtool and amtool judge the rules and
# the routes, and both servers are started with the very files that docker-compose.yml mounts.
#
# Programs that are already installed are linked to. Otherwise Debian's packages are unpacked, not
# installed: installing them would start two services on the machine of whoever runs the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
source setup/speak.sh
source setup/debian.sh

home="$tools/prometheus"
# Debian's Alertmanager reads its templates from this folder, wherever the program itself lies.
templates=/usr/share/prometheus/alertmanager

link_installed() {
    ln -sf "$(command -v prometheus)" "$home/prometheus" \
        && ln -sf "$(command -v promtool)" "$home/promtool" \
        && ln -sf "$(command -v amtool)" "$home/amtool" \
        && ln -sf "$(command -v prometheus-alertmanager || command -v alertmanager)" "$home/alertmanager"
} 2>/dev/null

unpack_packages() {
    local fetched program
    fetched=$(mktemp -d)
    (cd "$fetched" && apt-get download -qq prometheus prometheus-alertmanager)
    for package in "$fetched"/*.deb; do dpkg --extract "$package" "$fetched/root"; done
    for program in prometheus promtool amtool; do cp "$fetched/root/usr/bin/$program" "$home/$program"; done
    cp "$fetched/root/usr/bin/prometheus-alertmanager" "$home/alertmanager"
    if needs_templates; then
        may_install || fail "$templates is missing; install it with: sudo apt-get install prometheus-alertmanager"
        as_root mkdir -p "$templates"
        as_root cp "$fetched/root$templates"/*.tmpl "$templates/"
    fi
    rm -rf "$fetched"
}

needs_templates() { [ ! -e "$templates/default.tmpl" ] && grep --quiet --text "$templates" "$home/alertmanager"; }

works() {
    local program
    for program in promtool amtool prometheus alertmanager; do "$home/$program" --version || return 1; done
    ! needs_templates
} >/dev/null 2>&1

works && exit 0
rm -rf "$home" && mkdir -p "$home"
link_installed && works && exit 0
rm -rf "$home" && mkdir -p "$home"
command -v apt-get >/dev/null \
    || fail "prometheus, promtool, alertmanager and amtool are needed; install them with this system's package manager"
[ -n "$(apt-cache search --names-only '^prometheus-alertmanager$')" ] || debian_lists
step "unpacking Prometheus and Alertmanager" unpack_packages
works || fail "the unpacked programs do not run; install them with: sudo apt-get install prometheus prometheus-alertmanager"

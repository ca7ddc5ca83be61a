# shellcheck shell=bash
# Debian packages on demand: what is there costs nothing, what is missing is installed with root or
# sudo, and without either the command that installs it is named.
#
# Sourced after speak.sh.
: "${tools:?speak.sh is sourced first}"

# debian_packages PACKAGE…
debian_packages() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null \
        || fail "missing: ${missing[*]} (names of Debian packages); install them with this system's package manager"
    may_install || fail "missing: ${missing[*]}" "install with: sudo apt-get install ${missing[*]}"
    debian_lists
    step "installing ${missing[*]}" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}"
}

# Package lists are read anew once in a day at most: a mirror keeps no package that its lists have dropped.
debian_lists() {
    [ -n "$(find "$tools/stamps/debian-lists" -mmin -1440 2>/dev/null)" ] && return 0
    may_install || fail "Debian's package lists are missing" "read them with: sudo apt-get update"
    step "reading Debian's package lists" as_root apt-get update -qq
    touch "$tools/stamps/debian-lists"
}

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

may_install() { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

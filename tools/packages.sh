#!/bin/sh
# Installs what is missing of the named sections of tools/packages.txt: packages.sh build demo ...
# Quick and silent when all is there.
set -eu
list=$(dirname "$0")/packages.txt

die() {
    echo "packages: $*" >&2
    exit 1
}

wanted() {
    for section in "$@"; do
        awk -v want="[$section]" '/^\[/ {on = $1 == want} on && /^[a-z0-9]/ {print $1}' "$list"
    done | sort -u
}

missing() {
    have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
    for package in $(wanted "$@"); do
        echo "$have" | grep -qxF "$package" || printf '%s ' "$package"
    done
}

# A package that brings a daemon must not start it on the machine of somebody who runs tests.
hold_services() {
    policy=/usr/sbin/policy-rc.d
    [ -e $policy ] && return
    trap 'rm -f $policy' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod +x $policy
}

install() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install -y --no-install-recommends "$@" < /dev/null > /dev/null
}

for section in "$@"; do
    grep -q "^\[$section\]" "$list" || die "no section [$section] in $list"
done
command -v dpkg-query > /dev/null || die "not a Debian system; install what $list names by hand"
need=$(missing "$@")
[ -n "$need" ] || exit 0
command -v apt-get > /dev/null || die "no apt-get; these packages are missing: $need"
[ "$(id -u)" = 0 ] || die "these packages are missing, and only root can install them:
    sudo apt-get install --no-install-recommends $need"
echo "packages: installing $need (this takes a while)"
hold_services
# shellcheck disable=SC2086  # a list of words is wanted
install $need 2> /dev/null || { apt-get -qq update && install $need; } ||
    die "apt-get could not install: $need"

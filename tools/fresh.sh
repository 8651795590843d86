#!/bin/bash
# Proves on a fresh Debian 12 that nothing is needed but make and the checkout: a debootstrap folder
# with its own mounts, processes and network, a clean clone in it, and make targets run there.
#
#   tools/fresh.sh [TARGET ...]      demo and test unless told otherwise
#   FRESH_SHELL=1 tools/fresh.sh     a shell instead
#
# FRESH_DIR     where the folder and the base archive live     (build-fresh)
# FRESH_MIRROR  where debootstrap takes the base from          (the host's first deb source)
# FRESH_KEEP    1: leave the folder                            (removed)
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(realpath -m "${FRESH_DIR:-build-fresh}")
root=$dir/root
base=$dir/base.tar
targets=${*:-demo test}

host_mirror() {
    { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2> /dev/null || true; } |
        grep -oE -m 1 '^(URIs:|deb ) *https?://[^ ]+' | grep -oE 'https?://.*'
}

# The base is made once; later runs unpack it.
make_base() {
    [ -e "$base" ] && return
    local mirror=${FRESH_MIRROR:-$(host_mirror)}
    echo "fresh: debootstrap from $mirror"
    rm -rf "$dir/base"
    debootstrap --variant=minbase --include=make bookworm "$dir/base" "$mirror" > "$dir/base.log" ||
        { tail -5 "$dir/base.log"; exit 1; }
    rm -f "$dir/base/var/cache/apt/archives/"*.deb
    tar -C "$dir/base" -cf "$base.part" .
    mv "$base.part" "$base"
    rm -rf "$dir/base"
}

# The host's way to its packages: sources, keys, proxy and leniency about dates.
copy_apt() {
    rm -f "$root/etc/apt/sources.list"
    cp -a /etc/apt/{sources.list,sources.list.d,keyrings,trusted.gpg.d} "$root/etc/apt/" \
        2> /dev/null || true # not every host has all of them; apt tells if one was needed
    cp -an /usr/share/keyrings "$root/usr/share/"
    grep -lE '^ *Acquire::(https?|Check)' /etc/apt/apt.conf.d/* 2> /dev/null |
        xargs -r cp -t "$root/etc/apt/apt.conf.d/"
}

unpack() {
    rm -rf "$root"
    mkdir -p "$root"
    tar -C "$root" -xf "$base"
    copy_apt
    git clone -q --no-hardlinks . "$root/opt/conclave"
    echo "nameserver 10.0.2.3" > "$root/etc/resolv.conf" # slirp4netns answers there
    printf '127.0.0.1 localhost fresh\n' > "$root/etc/hosts"
}

# A network of its own with a way out through an unprivileged translator: the host's is not touched.
open_network() {
    touch "$dir/net"
    unshare --net="$dir/net" true
    slirp4netns --configure --mtu=65520 --disable-host-loopback --netns-type=path --ready-fd=3 \
        "$dir/net" tap0 3> >(head -c 1 > "$dir/ready") > "$dir/slirp.log" 2>&1 &
    slirp=$!
    for _ in $(seq 100); do
        [ -s "$dir/ready" ] && return
        sleep 0.1
    done
    cat "$dir/slirp.log"
    exit 1
}

close_all() {
    [ -z "${slirp:-}" ] || kill "$slirp" 2> /dev/null || true
    umount "$dir/net" 2> /dev/null || true
    rm -f "$dir/net" "$dir/ready"
    [ -n "${FRESH_KEEP:-}" ] || rm -rf "$root"
}

# In the namespaces, before the chroot: the mounts of a machine.
inside='
    set -e
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount -t sysfs sysfs "$1/sys"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/run"
    mount -t tmpfs tmpfs "$1/tmp"
    hostname fresh
    cd "$1"
    shift
    exec chroot . /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        TERM="${TERM:-dumb}" sh -c "$@"'

enter() {
    nsenter --net="$dir/net" unshare --mount --pid --fork --kill-child --uts --ipc \
        bash -c "$inside" inside "$root" "$1"
}

[ "$(id -u)" = 0 ] || { echo "fresh: needs root" >&2; exit 1; }
sh tools/packages.sh fresh
mkdir -p "$dir"
make_base
unpack
trap close_all EXIT
trap 'exit 130' INT TERM
open_network
if [ -n "${FRESH_SHELL:-}" ]; then
    enter "cd /opt/conclave && exec bash"
    exit
fi
for target in $targets; do
    echo "fresh: make $target"
    enter "cd /opt/conclave && make $target" < /dev/null
    echo "fresh: make $target: ok"
done

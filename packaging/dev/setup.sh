#!/bin/bash
# Installs the Debian packages that building, testing and running clara needs, and only those that are missing.
# Nothing is started: a host that had no sshd before has none running afterwards.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

packages=(
    # compiler and checks
    g++ cmake ninja-build ccache pkg-config clang-format clang-tidy mandoc shellcheck bash-completion python3
    # libraries
    catch2 libcli11-dev libext2fs-dev libfmt-dev libnl-route-3-dev libssl-dev libxml2-dev libyaml-cpp-dev lxc-dev
    nlohmann-json3-dev
    # what runs guests and makes images
    e2fsprogs erofs-utils iproute2 lxc mmdebstrap procps tar util-linux xz-utils
    # what the images "minimal", "dnsmasq" and "mariadb" take from this host
    busybox-static netbase openssh-server procserv libreadline8
    dnsmasq-base mariadb-client-core mariadb-server-core
    # libvirt with its schema and qemu driver, which take our domains
    libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libxml2-utils ovmf qemu-system-common qemu-system-x86
    # EPICS base from Debian's source package (image epics-softioc), its package, Debian's own CA client
    ca-certificates dpkg-dev file libreadline-dev make patch perl libca-dev
    # peers of ./dev bench: lxc-copy calls it
    rsync
)

# An entry may have another name on another release: what apt knows decides.
renamed() {
    case $1 in
        libreadline8) echo libreadline8t64 ;;
        *) echo "$1" ;;
    esac
}
installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# EPICS base is made here once, as tests run on a virtual host that has no way to Debian's mirror.
epics() {
    local scratch
    compgen -G '/var/cache/clara/epics-base-*/bin/*/softIoc' >/dev/null && return
    [ "$(id -u)" = 0 ] || return 0
    echo "setup: compiling EPICS base from Debian's source package, about 75 s, once" >&2
    scratch=$(mktemp -d)
    if ! templates/images/epics-softioc.sh "$scratch" >&2; then
        echo "setup: no EPICS base: the demo cannot run, tests that need a real IOC are listed as not run" >&2
    fi
    rm -rf "$scratch"
}

missing=()
for package in "${packages[@]}"; do
    installed "$package" || installed "$(renamed "$package")" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all ${#packages[@]} packages are here" >&2
    epics
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "setup: missing: ${missing[*]}" >&2
    echo "setup: installing needs root: sudo ./dev setup" >&2
    exit 4
fi

echo "setup: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >&2
for i in "${!missing[@]}"; do
    other=$(renamed "${missing[i]}")
    if [ "$other" != "${missing[i]}" ] && apt-cache show "$other" >/dev/null 2>&1; then missing[i]=$other; fi
done
# policy-rc.d 101 keeps maintainer scripts from starting daemons (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
fi
apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
epics

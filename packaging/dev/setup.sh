#!/bin/bash
# Installs the Debian packages that building, testing and running clara needs, and only those that are missing.
# Nothing is started: a host that had no sshd before has none running afterwards.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

packages=(
    # compiler and checks
    g++ cmake ninja-build ccache pkg-config clang-format clang-tidy mandoc shellcheck bash-completion python3
    # libraries
    catch2 libblkid-dev libcli11-dev libext2fs-dev libfmt-dev libfuse3-dev libnbd-dev libnl-route-3-dev libssl-dev
    libvirt-dev libxml2-dev libyaml-cpp-dev libzstd-dev lxc-dev nlohmann-json3-dev
    # what runs guests and makes images
    e2fsprogs erofs-utils iproute2 lxc mmdebstrap openssh-client procps qemu-utils tar util-linux xz-utils
    # what the images "minimal", "dnsmasq" and "mariadb" take from this host, and their form for virtual machines
    busybox-static netbase openssh-server procserv libreadline8
    dnsmasq-base mariadb-client-core mariadb-server-core qemu-guest-agent
    # libvirt with its schema and qemu driver, which run virtual machines
    libvirt-clients libvirt-daemon-system libvirt-daemon-driver-qemu libxml2-utils ovmf qemu-system-common
    qemu-system-x86
    # disks that boot: boot loader, EFI partition, initramfs
    cpio dosfstools fdisk grub-common grub-efi-amd64-bin grub-pc-bin kmod mtools
    # EPICS base from Debian's source package (images epics-softioc, epics-softioc-pva), its package, Debian's own CA client
    ca-certificates dpkg-dev file libreadline-dev make patch perl libca-dev
    # partitions and file systems that tests make
    btrfs-progs lvm2 ntfs-3g xfsprogs
    # peers of ./dev bench: lxc-copy calls rsync
    rsync restic borgbackup
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
    compgen -G '/var/cache/clara/epics-base-*/bin/*/softIoc' >/dev/null &&
        compgen -G '/var/cache/clara/epics-pva-*/bin/*/softIocPVA' >/dev/null && return
    [ "$(id -u)" = 0 ] || return 0
    echo "setup: compiling EPICS base from Debian's source package, about two and a half minutes, once" >&2
    scratch=$(mktemp -d)
    if ! templates/images/epics-softioc-pva.sh "$scratch" >&2; then
        echo "setup: no EPICS base: the demo cannot run, tests that need a real IOC are listed as not run" >&2
    fi
    rm -rf "$scratch"
}

# Kernel and guest agent of the tests' virtual machines: unpacked, not installed. There is no way to Debian's mirror
# in a virtual host.
machines() {
    local scratch kernel kit=/var/cache/clara/test-vm
    [ ! -d $kit ] || return 0
    [ "$(id -u)" = 0 ] || return 0
    echo "setup: unpacking a kernel for the tests' virtual machines" >&2
    scratch=$(mktemp -d)
    kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image-/ {print $2; exit}')
    if (cd "$scratch" && apt-get download -q -o APT::Sandbox::User=root "$kernel" qemu-guest-agent) >&2; then
        for package in "$scratch"/*.deb; do dpkg -x "$package" "$scratch/kit"; done
        mkdir -p "${kit%/*}"
        chmod 755 "$scratch/kit"
        cp -r "$scratch/kit" "$kit.partial.$$" && mv -T "$kit.partial.$$" $kit
    else
        echo "setup: no kernel: tests that need a virtual machine are listed as not run" >&2
    fi
    rm -rf "$scratch"
}

# Debian's kernel for virtual machines, for the same reason: clara-image finds the package where it would put it.
kernel() {
    local cache=/var/cache/clara/kernels package
    compgen -G "$cache/linux-image-*" >/dev/null && return
    [ "$(id -u)" = 0 ] || return 0
    package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    mkdir -p "$cache"
    rm -rf "$cache/.setup"
    mkdir "$cache/.setup"
    if [ -z "$package" ] || ! (cd "$cache/.setup" && apt-get -q download -o APT::Sandbox::User=root "$package" >&2) ||
        ! mv "$cache"/.setup/*.deb "$cache/"; then
        echo "setup: no kernel package: images for virtual machines cannot be made without a mirror" >&2
    fi
    rm -rf "$cache/.setup"
}

# A server that clara did not make, for the tests that import one.
foreign() {
    local disk=/var/cache/clara/test-disk/debian.raw
    [ ! -e $disk ] || return 0
    [ "$(id -u)" = 0 ] || return 0
    echo "setup: installing a small Debian on a disk for the tests, a minute, once" >&2
    mkdir -p "${disk%/*}"
    tests/system/foreign_disk.sh $disk >&2 ||
        echo "setup: no such disk: tests that import a server are listed as not run" >&2
}

missing=()
for package in "${packages[@]}"; do
    installed "$package" || installed "$(renamed "$package")" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all ${#packages[@]} packages are here" >&2
    epics
    machines
    kernel
    foreign
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
machines
kernel
foreign

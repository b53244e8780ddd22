#!/bin/bash
# Installs the Debian packages that building, testing and running clara needs, and only those that are missing.
# Nothing is started: a host that had no sshd before has none running afterwards.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

packages=(
    # compiler and checks
    g++ cmake ninja-build ccache pkg-config clang-format clang-tidy mandoc shellcheck bash-completion python3
    # libraries
    catch2 libblkid-dev libcli11-dev libext2fs-dev libfmt-dev libnl-route-3-dev libssl-dev libyaml-cpp-dev lxc-dev
    nlohmann-json3-dev
    # what runs guests and makes images
    e2fsprogs erofs-utils iproute2 lxc mmdebstrap openssh-client procps qemu-system-common qemu-utils tar
    util-linux xz-utils
    # what the image "minimal" takes from this host, and its form for virtual machines
    busybox-static netbase openssh-server procserv libreadline8 qemu-guest-agent
    # disks that boot: boot loader, EFI partition, initramfs; and what starts them
    cpio dosfstools fdisk grub-common grub-efi-amd64-bin grub-pc-bin kmod mtools ovmf qemu-system-x86
    # EPICS base from Debian's source package (image epics-softioc), its package, Debian's own CA client
    ca-certificates dpkg-dev file libreadline-dev make patch perl libca-dev
    # partitions and file systems that tests make
    btrfs-progs lvm2 ntfs-3g xfsprogs
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

missing=()
for package in "${packages[@]}"; do
    installed "$package" || installed "$(renamed "$package")" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all ${#packages[@]} packages are here" >&2
    epics
    kernel
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
kernel

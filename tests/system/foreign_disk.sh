#!/bin/bash
# foreign_disk.sh FILE: a small Debian server as somebody else would have installed it, as a raw disk: MBR, GRUB, one
# ext4, sysvinit, sshd, a static address, its root named /dev/sda1, no serial console. Tests import it.
set -euo pipefail
target=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

mmdebstrap --quiet --variant=essential --mode=root \
    --include=linux-image-cloud-amd64,e2fsprogs,initramfs-tools,sysvinit-core,udev,ifupdown,iproute2,openssh-server \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='echo oldserver >"$1/etc/hostname"' \
    --customize-hook='printf "127.0.0.1 localhost\n10.77.0.5 oldserver.example.org oldserver\n" >"$1/etc/hosts"' \
    --customize-hook='printf "auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet static\n address 10.77.0.5/24\n" >"$1/etc/network/interfaces"' \
    --customize-hook='printf "/dev/sda1 / ext4 errors=remount-ro 0 1\n" >"$1/etc/fstab"' \
    --customize-hook='echo 0123456789abcdef0123456789abcdef >"$1/etc/machine-id"' \
    --customize-hook='mkdir -p -m 700 "$1/root/.ssh"' \
    "$suite" "$work/root.tar"
mkdir "$work/root"
tar -C "$work/root" -xf "$work/root.tar"
kernel=$(basename "$work"/root/boot/vmlinuz-*)
mkdir -p "$work/root/boot/grub"
cat >"$work/root/boot/grub/grub.cfg" <<X
set timeout=0
menuentry 'Debian' {
    set root=(hd0,msdos1)
    linux /boot/$kernel root=/dev/sda1 ro net.ifnames=0 quiet
    initrd /boot/initrd.img-${kernel#vmlinuz-}
}
X
printf 'GRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX="root=/dev/sda1 net.ifnames=0"\n' >"$work/root/etc/default/grub"

truncate -s 900M "$work/disk"
echo '2048,,L,*' | sfdisk -q "$work/disk"
mke2fs -q -t ext4 -d "$work/root" -E offset=$((2048 * 512)) "$work/disk" $((900 * 1024 - 1024))
# As grub-install does, without a mount: the boot sector loads what lies behind it (GRUB's manual, "Images").
grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$work/core.img" biosdisk part_msdos ext2 normal linux echo
dd if=/usr/lib/grub/i386-pc/boot.img of="$work/disk" bs=440 count=1 conv=notrunc status=none
dd if="$work/core.img" of="$work/disk" bs=512 seek=1 conv=notrunc status=none
cp --sparse=always "$work/disk" "$target.partial.$$"
mv "$target.partial.$$" "$target"

#!/bin/bash
# debian-vm.sh DESTDIR: what `systemctl enable` and first boots leave behind, without systemd on the building host.
set -euo pipefail

dest=${1:?usage: debian-vm.sh DESTDIR}
wants=$dest/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants" "$dest/etc/systemd/system/getty.target.wants"
ln -sf /lib/systemd/system/systemd-networkd.service "$wants/systemd-networkd.service"
ln -sf /lib/systemd/system/serial-getty@.service "$dest/etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service"

# mmdebstrap leaves the building host's.
echo debian-vm >"$dest/etc/hostname"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$dest/etc/resolv.conf"

# Each guest has its own: the first boot makes what is empty or missing.
: >"$dest/etc/machine-id"
rm -f "$dest"/etc/ssh/ssh_host_*
cat >"$dest/etc/systemd/system/ssh-host-keys.service" <<'UNIT'
[Unit]
Description=Host keys for sshd where there are none
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
UNIT
ln -sf ../ssh-host-keys.service "$wants/ssh-host-keys.service"

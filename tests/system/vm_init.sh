#!/bin/sh
# PID 1 of the tests' virtual machines (libvirt_lib.sh). Kernel words: vm.name, vm.address, vm.deaf (to the power button).
export PATH=/bin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /var/run /run
mount -t devpts devpts /dev/pts
for module in /mod/*.ko; do insmod "$module"; done
name=vm address='' deaf=''
for word in $(cat /proc/cmdline); do
    case $word in
        vm.name=*) name=${word#*=} ;;
        vm.address=*) address=${word#*=} ;;
        vm.deaf) deaf=1 ;;
    esac
done
hostname "$name"
ip link set lo up
ip link set eth0 up
[ -z "$address" ] || ip addr add "$address" dev eth0

# One request a connection: a line that is run in a shell.
cat >/bin/answer <<'X'
#!/bin/sh
read -r line
eval "$line" 2>&1
X
chmod +x /bin/answer
nc -ll -p 7777 -e /bin/answer &

# Stands for an IOC: counts, under a procServ that the channel org.clara.console.0 is relayed to.
cat >/bin/ioc <<'X'
#!/bin/sh
echo "IOC starts, pid $$"
while read -r line; do
    [ "$line" != exit ] || exit 0
    echo "IOC heard $line"
done
X
chmod +x /bin/ioc
port_named() {
    for port in /sys/class/virtio-ports/*; do
        [ "$(cat "$port/name")" != "$1" ] || echo "/dev/${port##*/}"
    done
}
procServ -q -f -i ^D -n ioc 7779 /bin/ioc >/dev/null 2>&1 &
console=$(port_named org.clara.console.0)
if [ -n "$console" ]; then
    exec 3<>"$console" # a port is opened once at a time
    while :; do
        nc 127.0.0.1 7779 <&3 >&3 2>/dev/null
        sleep 1 # procServ starts its child when nobody connects for half a second
    done &
    exec 3>&-
fi
mkdir -p /var/log/clara
echo "init: $name is up" >/var/log/clara/init.log
qemu-ga -m virtio-serial -p "$(port_named org.qemu.guest_agent.0)" -t /tmp -d

# The ACPI power button: the first event of its input device.
button=''
for event in /sys/class/input/event*; do
    [ "$(cat "$event/device/name")" != "Power Button" ] || button=/dev/input/${event##*/}
done
if [ -z "$deaf" ]; then
    { head -c 24 "$button" >/dev/null; echo "$name: power button"; poweroff -f; } &
fi
echo "$name is up"
while :; do setsid cttyhack sh; done

# A libvirtd of the virtual host's own, and small machines for it. Source it inside a vhost only: the machine's
# libvirt is not touched, /etc, /var/lib and /run are the virtual host's already.
VM_KIT=/var/cache/clara/test-vm # kernel and guest agent, unpacked by ./dev setup

need_libvirt() { # starts virtlogd, virtlockd and libvirtd, which end with the virtual host
    local daemon
    for daemon in libvirtd virtlogd qemu-system-x86_64; do
        command -v $daemon >/dev/null || skip "no $daemon (./dev setup installs it)"
    done
    mkdir -p /var/log/libvirt /var/cache/libvirt
    mount -t tmpfs tmpfs /var/log/libvirt
    mount -t tmpfs tmpfs /var/cache/libvirt
    rm -f /etc/libvirt/qemu/networks/autostart/* /etc/libvirt/qemu/autostart/*
    cat >/etc/libvirt/libvirtd.conf <<X
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
X
    # Namespaces and control groups of its own would need more of a host than this one has.
    cat >/etc/libvirt/qemu.conf <<'X'
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = [ ]
cgroup_controllers = [ ]
X
    virtlogd -d
    virtlockd -d
    start_libvirtd
}
libvirt_answers() { virsh -q -c qemu:///system list >/dev/null 2>&1; }
start_libvirtd() {
    libvirtd -d
    becomes libvirt_answers
}
libvirtd_pid() { cat /run/libvirtd.pid; }
kill_libvirtd() { # as a crash: what runs, runs on
    local pid
    pid=$(libvirtd_pid)
    kill -KILL "$pid"
    becomes test ! -d "/proc/$pid"
}

# --- machines: a kernel and an initramfs, booted directly; up in some seconds even without KVM
depends_of() { # MODULE-FILE: names of the modules it needs
    tr '\0' '\n' <"$1" | sed -n 's/^depends=//p' | tr ',' '\n'
}
load_order() { # FOLDER MODULE...: files to be loaded, each after what it needs; what is built in is left out
    local folder=$1 name file dependency
    shift
    for name in "$@"; do
        file=$(find "$folder" -name "$name.ko" -o -name "${name//_/-}.ko" -o -name "${name//-/_}.ko" | head -1)
        [ -n "$file" ] || continue
        for dependency in $(depends_of "$file"); do load_order "$folder" "$dependency"; done
        echo "$file"
    done | awk '!seen[$0]++'
}
need_vm_kit() { # /run/vm/{vmlinuz,initrd}
    local root=/run/vm/root number=10 file
    [ -d $VM_KIT ] || skip "no kernel for virtual machines in $VM_KIT (./dev setup unpacks it)"
    mkdir -p $root/{bin,dev,proc,sys,mod,tmp,run,lib/x86_64-linux-gnu,lib64,usr/bin,var/log/clara}
    cp /bin/busybox $root/bin/
    for file in $(/bin/busybox --list); do [ "$file" = busybox ] || ln -s busybox "$root/bin/$file"; done
    for file in $(load_order $VM_KIT/lib/modules virtio_pci virtio_net virtio_console virtio_rng button evdev); do
        cp "$file" "$root/mod/$((number++))-${file##*/}"
    done
    for file in /usr/bin/procServ $VM_KIT/usr/sbin/qemu-ga; do
        cp "$file" "$root/usr/bin/"
        ldd "$file" | awk '/=> \//{print $3}' | xargs -I{} cp -Ln {} $root/lib/x86_64-linux-gnu/
    done
    cp -L /lib64/ld-linux-x86-64.so.2 $root/lib64/
    cp "$CLARA_SOURCE/tests/system/vm_init.sh" $root/init
    (cd $root && find . | cpio -o -H newc --quiet) >/run/vm/initrd
    cp $VM_KIT/boot/vmlinuz-* /run/vm/vmlinuz
    rm -r $root
}
vm_uuid() { printf '5eed0000-0000-4000-8000-0000000000%02x' "$1"; } # LAST-BYTE
vm_xml() { # NAME LAST-BYTE [EXTRA-KERNEL-WORDS]: a definition of ours
    cat <<X
<domain type='qemu'>
  <name>$1</name>
  <uuid>$(vm_uuid "$2")</uuid>
  <metadata><clara:guest xmlns:clara='https://clara.control/guest/1' name='$1' pool='/var/lib/clara'/></metadata>
  <memory unit='MiB'>112</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>
    <kernel>/run/vm/vmlinuz</kernel>
    <initrd>/run/vm/initrd</initrd>
    <cmdline>console=ttyS0 quiet vm.name=$1 vm.address=10.87.0.$2/24 ${3-}</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <interface type='bridge'>
      <mac address='02:c1:a7:00:00:$2'/>
      <source bridge='clarabr0'/>
      <model type='virtio'/>
    </interface>
    <serial type='pty'><log file='/var/lib/clara/guests/$1/console.log' append='on'/></serial>
    <console type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <channel type='unix'><target type='virtio' name='org.clara.console.0'/></channel>
    <memballoon model='none'/>
  </devices>
</domain>
X
}
make_vm() { # NAME LAST-BYTE [YAML [EXTRA-KERNEL-WORDS]]: what a create leaves in the pool, by hand
    local dir=/var/lib/clara/guests/$1
    mkdir -p "$dir"
    vm_xml "$1" "$2" "${4-}" >"$dir/domain.xml"
    cat >"$dir/guest.yaml" <<X
name: $1
pool: /var/lib/clara
kind: kvm
image: none@000000000000
nic: {network: controls, bridge: clarabr0, address: 10.87.0.$2/24, mac: "02:c1:a7:00:00:$2"}
machine: {uuid: $(vm_uuid "$2")}
${3-init: system
ports: [7777]}
X
    python3 - "$1" "$2" <<'X'
import json, pathlib, sys
book = pathlib.Path("/var/lib/clara/book.json")
data = json.loads(book.read_text()) if book.exists() else {"schema": "clara.book/1", "entries": []}
data["entries"].append({"name": sys.argv[1], "network": "controls", "address": f"10.87.0.{sys.argv[2]}",
                        "mac": f"02:c1:a7:00:00:{sys.argv[2]}", "kind": "kvm"})
book.write_text(json.dumps(data))
X
}
vm_says() { # ADDRESS COMMAND: what it prints in the machine
    local answer
    { exec {tcp}<>"/dev/tcp/$1/7777"; } 2>/dev/null || return 1
    echo "$2" >&"$tcp"
    IFS= read -r -t 10 answer <&"$tcp" || true
    exec {tcp}<&-
    echo "$answer"
}

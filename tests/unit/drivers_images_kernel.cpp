#include "catch.hpp"
#include "clara/drivers/images/grub.hpp"
#include "clara/drivers/images/kernel.hpp"

using namespace clara;

TEST_CASE("modules load after what they need, each once, by either spelling of their names") {
    const std::string dep =
        "kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko\n"
        "kernel/drivers/virtio/virtio_ring.ko:\n"
        "kernel/drivers/char/hw_random/virtio-rng.ko: kernel/drivers/virtio/virtio.ko "
        "kernel/drivers/virtio/virtio_ring.ko\n"
        "kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko "
        "kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko\n"
        "kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko\n"
        "kernel/net/core/failover.ko:\n";
    CHECK(load_order(dep, {"virtio_rng", "ext4", "virtio-net"}) ==
          std::vector<std::string>{"kernel/drivers/virtio/virtio_ring.ko", "kernel/drivers/virtio/virtio.ko",
                                   "kernel/drivers/char/hw_random/virtio-rng.ko",
                                   "kernel/net/core/failover.ko", "kernel/drivers/net/net_failover.ko",
                                   "kernel/drivers/net/virtio_net.ko"});
    CHECK(load_order("", {"virtio_net"}).empty());
}

TEST_CASE("GRUB's menu names the root by its UUID and what is started from it") {
    const std::string ours =
        render_grub_cfg("/boot/vmlinuz", "/boot/initrd.img", "1-2", "/usr/sbin/clara-init");
    CHECK(ours.find("linux /boot/vmlinuz root=UUID=1-2 rw quiet init=/usr/sbin/clara-init console=tty0 "
                    "console=ttyS0,115200") != std::string::npos);
    CHECK(ours.find("initrd /boot/initrd.img\n") != std::string::npos);
    CHECK(ours.find("set timeout=0\n") != std::string::npos);
    const std::string debian = render_grub_cfg("/vmlinuz", "/initrd.img", "1-2", "");
    CHECK(debian.find("linux /vmlinuz root=UUID=1-2 ro console=tty0") != std::string::npos);
}

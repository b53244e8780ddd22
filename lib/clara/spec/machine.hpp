// What a virtual machine has beyond a container: the part of a guest's spec that kind: kvm adds.
#pragma once
#include <cstdint>
#include <string>

#include "clara/base/net.hpp"

namespace clara {

/// A further disk: made empty, the system inside formats it.
struct ExtraDisk {
    std::string name;            ///< its serial number, /dev/disk/by-id/virtio-NAME inside
    std::uint64_t size = 0;      ///< bytes
    std::string bus = "virtio";  ///< virtio | sata
};

/// A further network card: plugged in, the system inside gives it its address.
struct ExtraNic {
    std::string network;           ///< name in site.yaml
    std::string model = "virtio";  ///< virtio | e1000
    Mac mac;                       ///< 0: further_mac() of the first card's
};

/// The hardware of a virtual machine.
struct Machine {
    std::string uuid;                  ///< chosen while planning; SMBIOS tells it inside
    std::string firmware = "bios";     ///< bios | uefi
    std::string chipset = "pc";        ///< pc | q35
    std::string cpu;                   ///< "host", a model such as EPYC; empty: what the hypervisor does best
    int cpus = 0;                      ///< virtual CPUs
    std::uint64_t memory = 0;          ///< bytes
    std::uint64_t memory_min = 0;      ///< bytes that the balloon leaves it; 0: all of them
    std::string disk = "virtio";       ///< bus of its first disk: virtio | sata
    std::string nic = "virtio";        ///< model of its first network card: virtio | e1000
    std::string display = "none";      ///< none | vnc (on the host's 127.0.0.1)
    std::string watchdog = "none";     ///< none | reset | poweroff | pause
    std::string on_crash = "restart";  ///< restart | destroy | preserve
    std::uint64_t tcg_cache = 128ULL << 20;  ///< bytes of translated code, where there is no KVM
};

/// The address of the `index`th further card (from 0). It differs from its guest's first MAC in the third
/// byte, which all first MACs have in common: as those are told apart by the address book, so are these.
Mac further_mac(Mac first, std::size_t index);

}  // namespace clara

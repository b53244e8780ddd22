// What a planner knows of a disk that is going to be copied.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/net.hpp"
#include "clara/ops/guest_tree.hpp"
#include "clara/ops/volumes.hpp"

namespace clara {

struct SourceFact {
    std::string system = "unknown";  ///< linux | windows | unknown
    std::string distribution;        ///< ID of os-release, e.g. debian
    std::string name;                ///< PRETTY_NAME of os-release
    std::string obstacle;            ///< why its files cannot be changed; empty: they can
    bool virtio = false;             ///< it surely boots from a virtio disk
    std::string firmware = "bios";   ///< bios | uefi
    std::uint64_t size = 0;          ///< bytes the guest sees
    std::uint64_t needs = 0;      ///< bytes a copy of all of it takes, as far as holes tell; 0: nobody knows
    std::optional<Ipv4> address;  ///< that it gives itself
    std::string hostname;         ///< as it is written, with a domain or without
    std::string image;            ///< NAME@DIGEST that the disk is linked to; empty: none
};

/// What the files of a Linux system say: virtio, address, hostname.
void read_linux(const GuestTree& tree, SourceFact& fact);

/// True where every kernel of the system finds a virtio disk by itself or by its initramfs. The initramfs is
/// not opened: what it is made of by rule counts, so false means "not sure".
bool boots_from_virtio(const GuestTree& tree);

/// uefi or bios. A disk for both is taken for bios. `boot_code`: the master boot record begins with a program
/// (Windows writes one that only complains).
std::string firmware_of(const std::vector<Volume>& volumes, bool boot_code);

}  // namespace clara

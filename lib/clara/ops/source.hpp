// What a server is copied from, as the read halves of the drivers found it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "clara/base/net.hpp"

namespace clara {

/// What lies on a disk that nobody writes to.
struct SourceFact {
    std::string system = "unknown";  ///< linux | windows | unknown
    std::string distribution;        ///< ID of os-release, e.g. debian
    std::string name;                ///< PRETTY_NAME of os-release
    std::string obstacle;            ///< why its files cannot be changed; empty: they can
    bool virtio = false;             ///< it boots from a virtio disk
    std::string firmware = "bios";   ///< bios | uefi
    std::uint64_t size = 0;          ///< bytes that the system sees
    std::uint64_t needs = 0;         ///< bytes that a full copy takes
    std::optional<Ipv4> address;     ///< as its own configuration has it
    std::string hostname;
    std::string image;  ///< NAME@DIGEST that it is linked to; empty: none
};

}  // namespace clara

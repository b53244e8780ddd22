// Addresses as values. IPv4 only: Channel Access has no other.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace clara {

struct Ipv4 {
    std::uint32_t value = 0;  ///< host byte order
    auto operator<=>(const Ipv4&) const = default;
    static std::optional<Ipv4> parse(const std::string& text);  ///< dotted quad only
    std::string str() const;
};

/// e.g. 10.87.0.1/24: an address and the length of its network prefix.
struct Subnet {
    Ipv4 address;
    int prefix = 0;
    auto operator<=>(const Subnet&) const = default;
    static std::optional<Subnet> parse(const std::string& text);
    std::string str() const;
    std::uint32_t mask() const { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }
    Ipv4 network() const { return {address.value & mask()}; }
    Ipv4 broadcast() const { return {address.value | ~mask()}; }
    bool contains(Ipv4 a) const { return (a.value & mask()) == (address.value & mask()); }
    /// Contained, and neither the network's nor the broadcast address.
    bool usable(Ipv4 a) const { return contains(a) && a != network() && a != broadcast(); }
};

struct Mac {
    std::uint64_t value = 0;  ///< 48 bits
    auto operator<=>(const Mac&) const = default;
    static std::optional<Mac> parse(const std::string& text);  ///< aa:bb:cc:dd:ee:ff
    std::string str() const;
    bool locally_administered_unicast() const { return ((value >> 40) & 3) == 2; }
};

}  // namespace clara

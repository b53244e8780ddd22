#include "clara/ops/allocate.hpp"

#include <fmt/format.h>

#include "clara/base/error.hpp"

namespace clara {
namespace {
// 02: locally administered, unicast (IEEE 802-2014, 8.4); c1:a7 marks clara's in an ARP table.
constexpr std::uint64_t mac_prefix = 0x02c1a7;
}  // namespace

Allocator::Allocator(const Facts& facts, unsigned skip) : skip_(skip) {
    for (const auto& [address, mac] : facts.on_wire) {
        taken_[address] = "in use on the wire by " + mac.str();
        macs_.insert(mac);
    }
    for (const auto& [name, guest] : facts.guests) {
        guests_.push_back({name, guest.network, guest.address, guest.mac});
        macs_.insert(guest.mac);
    }
    for (const auto& entry : facts.book) {
        guests_.push_back(entry);
        macs_.insert(entry.mac);
    }
}

std::map<Ipv4, std::string> Allocator::taken_on(const Network& network) const {
    std::map<Ipv4, std::string> taken = taken_;
    for (const auto& entry : guests_)
        if (!network.isolated || entry.network == network.name)
            taken[entry.address] = "the address of " + entry.name;
    return taken;
}

Ipv4 Allocator::address(const Network& network, const std::string& wanted) {
    std::string range = fmt::format("{}-{}", network.first.str(), network.last.str());
    const auto taken = taken_on(network);
    Ipv4 chosen;
    if (wanted == "auto") {
        std::vector<Ipv4> free;
        for (Ipv4 a = network.first; a <= network.last && free.size() <= skip_; ++a.value)
            if (network.subnet.usable(a) && a != network.subnet.address && a != network.gateway &&
                !taken.count(a))
                free.push_back(a);
        if (free.empty())
            throw Error(ErrorKind::refused,
                        fmt::format("network {} is full: no free address in {}", network.name, range),
                        "widen the range in site.yaml, or destroy guests that are not needed");
        chosen = free.back();
    } else {
        auto parsed = Ipv4::parse(wanted);
        if (!parsed)
            throw Error(ErrorKind::usage, fmt::format("'{}' is not an IPv4 address", wanted),
                        "e.g. --address 10.87.0.11, or auto");
        chosen = *parsed;
        if (!network.subnet.usable(chosen))
            throw Error(ErrorKind::usage,
                        fmt::format("address {} lies outside network {} ({}/{})", chosen.str(), network.name,
                                    network.subnet.network().str(), network.subnet.prefix),
                        "take one of " + range + ", or --address auto");
        if (chosen == network.subnet.address || chosen == network.gateway)
            throw Error(ErrorKind::refused,
                        fmt::format("address {} belongs to the host or the gateway of network {}",
                                    chosen.str(), network.name),
                        "take one of " + range + ", or --address auto");
        if (auto found = taken.find(chosen); found != taken.end())
            throw Error(ErrorKind::refused, fmt::format("address {} is {}", chosen.str(), found->second),
                        "take another one, or --address auto");
    }
    taken_[chosen] = "asked for twice in this batch";
    return chosen;
}

Mac Allocator::mac(const Random& random) {
    for (;;) {
        Mac mac{mac_prefix << 24 | (random() & 0xffffff)};
        if (macs_.insert(mac).second) return mac;
    }
}

}  // namespace clara

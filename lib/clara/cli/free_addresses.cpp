#include "clara/cli/free_addresses.hpp"

#include <map>
#include <set>

#include "clara/base/error.hpp"
#include "clara/drivers/network/arp.hpp"
#include "clara/ops/allocate.hpp"

namespace clara {
namespace {

/// The addresses this batch would take: the planner's own choice, errors left to the planner.
std::map<std::string, std::vector<Ipv4>> draft(const std::vector<AddressWish>& wishes, const Site& site,
                                               const Facts& facts, unsigned skip) {
    Allocator allocator(facts, skip);
    std::map<std::string, std::vector<Ipv4>> by_network;
    for (const auto& wish : wishes) {
        const Network& network = site.network(wish.network);
        try {
            by_network[network.name].push_back(allocator.address(network, wish.address));
        } catch (const Error&) {
            continue;  // the planner meets the same and tells it as that guest's own
        }
    }
    return by_network;
}

}  // namespace

void probe_addresses(const std::vector<AddressWish>& wishes, const Site& site, Facts& facts, unsigned skip) {
    std::set<Ipv4> probed;
    for (bool again = true; again;) {
        again = false;
        for (const auto& [name, addresses] : draft(wishes, site, facts, skip)) {
            const Network& network = site.network(name);
            std::vector<Ipv4> fresh;
            for (auto address : addresses)
                if (probed.insert(address).second) fresh.push_back(address);
            if (fresh.empty() || !facts.bridges.count(network.bridge)) continue;
            for (const auto& [address, mac] : arp_probe(network.bridge, fresh, site.arp_wait)) {
                facts.on_wire[address] = mac;
                again = true;
            }
        }
    }
}

}  // namespace clara

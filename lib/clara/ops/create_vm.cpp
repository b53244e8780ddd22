#include "clara/ops/create_vm.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/domain_xml.hpp"
#include "clara/ops/lifecycle.hpp"

namespace clara {
namespace {

std::string owner_of(Mac mac, const Facts& facts) {
    for (const auto& [name, guest] : facts.guests)
        if (guest.mac == mac) return name;
    for (const auto& entry : facts.book)
        if (entry.mac == mac) return entry.name;
    return "";
}

}  // namespace

void check_vm(const GuestSpec& spec, const Site& site, const Facts& facts) {
    check_libvirt("kvm", facts);
    for (const auto& nic : spec.networks) {
        const Network& network = site.network(nic.network);
        if (!network.managed && !facts.bridges.count(network.bridge))
            throw Error(ErrorKind::refused,
                        fmt::format("bridge {} of network {} is missing", network.bridge, network.name),
                        "make the bridge, or set 'managed: true' for the network in site.yaml");
        if (nic.mac.value == 0) continue;
        if (auto owner = owner_of(nic.mac, facts); !owner.empty())
            throw Error(ErrorKind::refused, fmt::format("MAC {} is that of {}", nic.mac.str(), owner),
                        "leave mac out of networks in the template");
    }
}

void choose_identity(GuestSpec& spec, const Facts& facts, const Random& random) {
    if (!spec.machine) spec.machine.emplace();
    if (spec.machine->uuid.empty()) spec.machine->uuid = random_uuid(random);
    for (std::size_t i = 0; i < spec.networks.size(); ++i) {
        Mac& mac = spec.networks[i].mac;
        if (mac.value == 0) mac = further_mac(spec.nic.mac, i);
        if (auto owner = owner_of(mac, facts); !owner.empty())
            throw Error(ErrorKind::refused, fmt::format("MAC {} is that of {}", mac.str(), owner),
                        "give the card another: mac under networks");
    }
}

DefineGuest vm_definition(const GuestSpec& spec, const Site& site, const Facts& facts) {
    // Where nobody looked: emulation runs everywhere.
    const std::string hypervisor = facts.accelerator.empty() ? "qemu" : facts.accelerator;
    return {site.libvirt_uri, spec.name, domain_xml(spec, site, facts, hypervisor),
            spec.pool,        "kvm",     libvirt_starts(spec)};
}

bool libvirt_starts(const GuestSpec& spec) {
    const GuestSpec usual;
    return spec.autostart && spec.autostart_order == usual.autostart_order && spec.autostart_delay_s == 0;
}

std::string random_uuid(const Random& random) {
    std::uint64_t high = random(), low = random();
    high = (high & ~0xf000ULL) | 0x4000;                       // version 4: random
    low = (low & 0x3fffffffffffffffULL) | 0x8000000000000000;  // variant 1
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff,
                       low >> 48, low & 0xffffffffffff);
}

}  // namespace clara

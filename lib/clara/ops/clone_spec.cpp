#include "clara/ops/clone_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/create_vm.hpp"

namespace clara {
namespace {

// A server of today; the boot of a small one needs less, that of a large one is slow with less.
constexpr int usual_cpus = 2;
constexpr std::uint64_t usual_memory = 2ULL << 30;

Machine hardware(const CloneSource& source, const std::optional<DomainFacts>& domain,
                 const CloneOptions& options) {
    Machine machine;
    if (source.spec && source.spec->machine) machine = *source.spec->machine;
    machine.uuid.clear();
    if (domain) {
        machine.cpus = domain->cpus;
        machine.memory = domain->memory;
        machine.firmware = domain->uefi ? "uefi" : "bios";
        machine.chipset = domain->machine.find("q35") == std::string::npos ? "pc" : "q35";
    } else {
        const bool known = source.fact.virtio;
        machine.cpus = usual_cpus;
        machine.memory = usual_memory;
        machine.firmware = source.fact.firmware;
        machine.chipset = machine.firmware == "uefi" ? "q35" : "pc";  // what such systems were made for
        machine.disk = known ? "virtio" : "sata";
        machine.nic = known ? "virtio" : "e1000";
        // Nobody knows whether it says anything on a serial line.
        if (source.fact.system != "linux") machine.display = "vnc";
    }
    if (!options.firmware.empty()) machine.firmware = options.firmware;
    if (!options.disk_bus.empty()) machine.disk = options.disk_bus;
    if (!options.nic_model.empty()) machine.nic = options.nic_model;
    if (options.cpus) machine.cpus = options.cpus;
    if (options.memory) machine.memory = options.memory;
    machine.memory_min = std::min(machine.memory_min, machine.memory);
    return machine;
}

[[noreturn]] void refuse(std::string message, std::string hint) {
    throw Error(ErrorKind::refused, std::move(message), std::move(hint));
}

void check_exact(const CloneSource& source, const Network& network, const Site& site) {
    if (network.isolated) return;
    std::string isolated;
    for (const auto& other : site.networks)
        if (other.isolated) isolated = other.name;
    refuse(fmt::format("an exact copy of {} would have its name and addresses on network {}, which is not "
                       "isolated",
                       source.what, network.name),
           isolated.empty() ? "add a network with 'isolated: true' to site.yaml, and name it with --network"
                            : "--network " + isolated + ", or leave out --exact");
}

std::string exact_address(const CloneSource& source, const CloneOptions& options) {
    if (options.address != "auto") return options.address;
    if (source.spec) return source.spec->nic.subnet.address.str();
    if (source.fact.address) return source.fact.address->str();
    throw Error(ErrorKind::usage, "the address of " + source.what + " is not known",
                "--address ADDRESS says what it has inside");
}

Mac first_mac(const std::optional<DomainFacts>& domain, Allocator& allocator, const CloneOptions& options,
              const Random& random) {
    if (options.mac) return *options.mac;
    if (options.exact && domain && !domain->nics.empty() && domain->nics[0].mac) return *domain->nics[0].mac;
    return allocator.mac(random);
}

}  // namespace

GuestSpec clone_spec(const std::string& name, const std::string& pool, const CloneSource& source,
                     const std::optional<DomainFacts>& domain, const CloneOptions& options) {
    GuestSpec spec;
    if (source.spec) spec = *source.spec;
    spec.name = name;
    spec.pool = pool;
    spec.kind = "kvm";
    spec.origin = source.what;
    if (!source.spec) {
        spec.init = "system";
        spec.description = "Copy of " + source.what;
        spec.disk = source.fact.size;
    }
    spec.image = options.linked ? source.fact.image : "";
    spec.installer.clear();
    spec.devices.clear();  // only one guest at a time can have them
    spec.autostart = false;
    spec.machine = hardware(source, domain, options);
    return spec;
}

void choose_place(GuestSpec& spec, const CloneSource& source, const std::optional<DomainFacts>& domain,
                  const Site& site, const Facts& facts, Allocator& allocator, const CloneOptions& options,
                  const Random& random) {
    const std::string wanted =
        options.network.empty() && source.spec ? source.spec->nic.network : options.network;
    const Network& network = site.network(wanted);
    if (options.exact) check_exact(source, network, site);
    if (!network.managed && !facts.bridges.count(network.bridge))
        refuse(fmt::format("bridge {} of network {} is missing", network.bridge, network.name),
               "make the bridge, or set 'managed: true' for the network in site.yaml");
    const std::string address = options.exact ? exact_address(source, options) : options.address;
    spec.nic = {network.name, network.bridge,
                Subnet{allocator.address(network, address), network.subnet.prefix}, network.gateway,
                first_mac(domain, allocator, options, random)};
    if (!options.exact) spec.nameservers = network.nameservers;
    for (std::size_t i = 0; i < spec.networks.size(); ++i) {
        ExtraNic& nic = spec.networks[i];
        if (!options.exact)
            nic.mac = further_mac(spec.nic.mac, i);
        else if (domain && i + 1 < domain->nics.size())
            nic.mac = domain->nics[i + 1].mac.value_or(nic.mac);
        if (options.exact) nic.network = network.name;
    }
    spec.machine->uuid = random_uuid(random);
}

}  // namespace clara

#include "clara/drivers/host.hpp"

#include "clara/drivers/probe_hooks.hpp"

namespace clara {

HostDrivers::HostDrivers(const Site& site) : lxc(site), probe(probe_hooks(site)), points(kvm, site.run_dir) {}

HostDrivers make_host_drivers(const Site& site) {
    return HostDrivers(site);
}

}  // namespace clara

#include "clara/drivers/host.hpp"

#include "clara/drivers/probe_hooks.hpp"

namespace clara {

HostDrivers make_host_drivers(const Site& site) {
    return {{}, LxcDriver(site), {}, GuestProbe(lxc_probe_hooks(site))};
}

}  // namespace clara

// All drivers of this host, put together for the Executor.
#pragma once
#include "clara/drivers/epics/prove.hpp"
#include "clara/drivers/guests_by_kind.hpp"
#include "clara/drivers/libvirt/driver.hpp"
#include "clara/drivers/lxc/driver.hpp"
#include "clara/drivers/network/bridge.hpp"
#include "clara/drivers/points/point_driver.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// Owns the drivers; must outlive what drivers() returns.
struct HostDrivers {
    explicit HostDrivers(const Site& site);
    HostDrivers(const HostDrivers&) = delete;

    DirStorage storage;
    LxcDriver lxc;
    LibvirtDriver kvm;
    GuestsByKind guests{lxc, kvm};
    BridgeDriver network;
    GuestProbe probe;
    StorePoints points;
    Drivers drivers() { return {storage, guests, network, probe, points}; }
};

HostDrivers make_host_drivers(const Site& site);

}  // namespace clara

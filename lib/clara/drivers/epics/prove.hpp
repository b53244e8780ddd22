// Proof from the outside that a guest is there: its own address answers on its ports.
#pragma once
#include <functional>
#include <string>

#include "clara/plan/drivers.hpp"

namespace clara {

struct ProbeHooks {
    /// The last lines of the IOC's own log, or the daemon's, for the error; may be empty.
    std::function<std::string(const GuestSpec&)> ioc_log;
    /// Host pid of the guest's init, 0 where it is not known (a VM): lets second CA and PVAccess servers be
    /// found.
    std::function<int(const GuestSpec&)> init_pid;
};

/// Waits for ARP with the guest's own MAC, ssh on 22 (where our init runs), and for an IOC procServ on 7001,
/// CA search and TCP handshake on 5064, where it serves PVAccess also search on 5076 and greeting on 5075;
/// then spec.ports. procServ is left alone after one banner: it starts its child only after 0.5 s without any
/// traffic.
class GuestProbe : public ProbeDriver {
  public:
    explicit GuestProbe(ProbeHooks hooks = {}) : hooks_(std::move(hooks)) {}
    /// E.g. "ARP 1 ms, ssh 31 ms, procServ 62 ms, CA 1.05 s".
    std::string prove(const ProveGuest& what, const std::function<bool()>& interrupted) override;

  private:
    ProbeHooks hooks_;
};

}  // namespace clara

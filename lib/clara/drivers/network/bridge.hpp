// Bridges of this host by rtnetlink (libnl-route): the change half and the read half.
#pragma once
#include <optional>
#include <set>
#include <string>

#include "clara/plan/drivers.hpp"

namespace clara {

/// Works in the network namespace of the calling thread.
class BridgeDriver : public NetworkDriver {
  public:
    /// STP off, no forward delay, a MAC that follows from the address (a bridge without one takes its
    /// lowest port's and changes it as guests come and go), address with its broadcast, up.
    /// Safe when many run at once. Error{refused}: the name is not a bridge's, the bridge has other
    /// addresses, or another interface has an address in that subnet.
    bool ensure_bridge(const EnsureBridge& wanted) override;
    /// Absence is fine. Error{refused} while ports are attached.
    void remove_bridge(const std::string& bridge) override;
};

/// 02:ca and the four bytes of the address; guests have 02:c1:a7.
Mac bridge_mac(Ipv4 address);

struct Interface {
    int index = 0;
    Mac mac;
    bool up = false;
    bool has_ports = false;  ///< of a bridge
};
std::optional<Interface> interface_named(const std::string& name);

/// Names of the bridges that exist.
std::set<std::string> bridges();
/// IPv4 addresses of an interface; empty where it is missing.
std::set<Subnet> addresses_of(const std::string& interface);

/// Correct this host's own ARP cache: an entry of a former guest of that address would be believed for
/// seconds, and a kernel ignores replies within 1 s of an entry's last change (man arp(7), locktime).
void learn_neighbour(const std::string& interface, Ipv4 address, Mac mac);

}  // namespace clara

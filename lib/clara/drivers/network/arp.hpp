// Who has an address on a bridge: ARP by a packet socket (RFC 826, RFC 5227). Needs CAP_NET_RAW.
#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/handle.hpp"
#include "clara/base/net.hpp"

namespace clara {

class ArpSocket {
  public:
    /// Error{failed} where the interface is missing.
    explicit ArpSocket(const std::string& interface);

    /// A broadcast request. Without a sender it is RFC 5227's probe, which changes nobody's ARP cache.
    void ask(Ipv4 target, Ipv4 sender = {});
    /// "ADDRESS is at MAC" to everybody (RFC 5227 section 2.3): caches that know another MAC change.
    void announce(Ipv4 address, Mac mac);

    struct Heard {
        Ipv4 address;
        Mac mac;
        bool probing = false;  ///< it asks whether it may take the address (RFC 5227 section 2.1.1)
    };
    /// The next message of another station, nullopt when none is waiting. Never blocks.
    std::optional<Heard> hear();

    int fd() const { return fd_.get(); }

  private:
    void send(unsigned short op, Mac hardware, Ipv4 sender, Ipv4 target);
    Fd fd_;
    int index_ = 0;
    Mac own_;
};

/// Probes all the addresses at once, three times, and tells which are in use or being probed by another
/// station, and by whom. Empty at once where the bridge is missing, down or has no port: nobody is there.
///
/// RFC 5227 waits 3 to 7 seconds, made for wireless networks and sleeping switches. Here the answer comes
/// from a kernel on the same bridge within a millisecond, and a person waits: `wait` (Site::arp_wait) is
/// shorter, and site.yaml lengthens it where the bridge reaches slow networks.
std::map<Ipv4, Mac> arp_probe(const std::string& bridge, const std::vector<Ipv4>& addresses,
                              std::chrono::milliseconds wait);

}  // namespace clara

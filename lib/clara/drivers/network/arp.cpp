#include "clara/drivers/network/arp.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "clara/base/error.hpp"
#include "clara/drivers/network/bridge.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int probe_num = 3;  // RFC 5227 section 1.1, PROBE_NUM

void put(unsigned char* to, Mac mac) {
    for (int i = 0; i < 6; ++i) to[i] = static_cast<unsigned char>(mac.value >> (40 - 8 * i));
}
void put(unsigned char* to, Ipv4 address) {
    in_addr_t net = htonl(address.value);
    std::memcpy(to, &net, sizeof net);
}
Mac mac_at(const unsigned char* from) {
    Mac mac;
    for (int i = 0; i < 6; ++i) mac.value = mac.value << 8 | from[i];
    return mac;
}
Ipv4 ipv4_at(const unsigned char* from) {
    in_addr_t net = 0;
    std::memcpy(&net, from, sizeof net);
    return {ntohl(net)};
}

}  // namespace

ArpSocket::ArpSocket(const std::string& interface) {
    auto found = interface_named(interface);
    if (!found) throw Error(ErrorKind::failed, "there is no interface " + interface);
    index_ = found->index;
    own_ = found->mac;
    // Protocol 0 until it is bound: else it would hear every interface for a moment.
    fd_ = Fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) throw system_error("cannot open a packet socket", errno);
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ARP);
    at.sll_ifindex = index_;
    if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
        throw system_error("cannot listen for ARP on " + interface, errno);
}

void ArpSocket::ask(Ipv4 target, Ipv4 sender) {
    send(ARPOP_REQUEST, own_, sender, target);
}

void ArpSocket::announce(Ipv4 address, Mac mac) {
    send(ARPOP_REQUEST, mac, address, address);
}

void ArpSocket::send(unsigned short op, Mac hardware, Ipv4 sender, Ipv4 target) {
    ether_arp arp{};
    arp.ea_hdr = {htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), 6, 4, htons(op)};
    put(arp.arp_sha, hardware);
    put(arp.arp_spa, sender);
    put(arp.arp_tpa, target);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_ARP);
    to.sll_ifindex = index_;
    to.sll_halen = 6;
    std::memset(to.sll_addr, 0xff, 6);
    auto* address = reinterpret_cast<sockaddr*>(&to);
    while (::sendto(fd_.get(), &arp, sizeof arp, 0, address, sizeof to) < 0) {
        if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
            throw system_error("cannot send an ARP request for " + target.str(), errno);
        pollfd room{fd_.get(), POLLOUT, 0};
        ::poll(&room, 1, 1);
    }
}

std::optional<ArpSocket::Heard> ArpSocket::hear() {
    for (;;) {
        ether_arp arp;
        ssize_t got = ::recv(fd_.get(), &arp, sizeof arp, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return std::nullopt;
        if (got < 0) throw system_error("cannot hear ARP", errno);
        if (got < static_cast<ssize_t>(sizeof arp) || arp.ea_hdr.ar_hrd != htons(ARPHRD_ETHER) ||
            arp.ea_hdr.ar_pro != htons(ETHERTYPE_IP) || arp.ea_hdr.ar_hln != 6 || arp.ea_hdr.ar_pln != 4)
            continue;
        Mac mac = mac_at(arp.arp_sha);
        Ipv4 sender = ipv4_at(arp.arp_spa);
        if (mac == own_) continue;
        if (sender != Ipv4{}) return Heard{sender, mac, false};
        if (arp.ea_hdr.ar_op == htons(ARPOP_REQUEST)) return Heard{ipv4_at(arp.arp_tpa), mac, true};
    }
}

std::map<Ipv4, Mac> arp_probe(const std::string& bridge, const std::vector<Ipv4>& addresses,
                              milliseconds wait) {
    std::map<Ipv4, Mac> in_use;
    std::set<Ipv4> asked(addresses.begin(), addresses.end());
    auto interface = interface_named(bridge);
    if (!interface || !interface->up || !interface->has_ports || asked.empty()) return in_use;
    ArpSocket socket(bridge);
    auto start = steady_clock::now();
    auto next_probe = start;
    int probes = 0;
    while (in_use.size() < asked.size()) {
        auto now = steady_clock::now();
        if (now >= start + wait && probes == probe_num) break;
        if (probes < probe_num && now >= next_probe) {
            for (Ipv4 address : asked)
                if (!in_use.count(address)) socket.ask(address);
            ++probes;
            next_probe = start + probes * wait / 5;
            continue;
        }
        auto until = probes < probe_num ? next_probe : start + wait;
        pollfd one{socket.fd(), POLLIN, 0};
        ::poll(&one, 1, static_cast<int>(std::chrono::ceil<milliseconds>(until - now).count()));
        while (auto heard = socket.hear())
            if (asked.count(heard->address)) in_use[heard->address] = heard->mac;
    }
    return in_use;
}

}  // namespace clara

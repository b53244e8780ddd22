#include "nic.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/ether.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "clara/base/handle.hpp"

namespace guest {
namespace {

sockaddr_in at(const std::string& dotted) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, dotted.c_str(), &address.sin_addr);
    return address;
}

class Interface {
  public:
    explicit Interface(const std::string& name)
        : name_(name), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

    bool has_mac(const ether_addr& mac) {
        ifreq request = fresh();
        return ::ioctl(socket_.get(), SIOCGIFHWADDR, &request) == 0 &&
               std::memcmp(request.ifr_hwaddr.sa_data, &mac, sizeof mac) == 0;
    }
    void set(unsigned long what, const std::string& dotted) {
        ifreq request = fresh();
        const sockaddr_in address = at(dotted);
        std::memcpy(&request.ifr_addr, &address, sizeof address);
        must(::ioctl(socket_.get(), what, &request), dotted);
    }
    void up() {
        ifreq request = fresh();
        must(::ioctl(socket_.get(), SIOCGIFFLAGS, &request), "flags");
        request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
        must(::ioctl(socket_.get(), SIOCSIFFLAGS, &request), "up");
    }
    void default_route(const std::string& gateway) {
        const sockaddr_in to = at(gateway), any = at("0.0.0.0");
        rtentry route{};
        std::memcpy(&route.rt_gateway, &to, sizeof to);
        std::memcpy(&route.rt_dst, &any, sizeof any);
        std::memcpy(&route.rt_genmask, &any, sizeof any);
        route.rt_flags = RTF_UP | RTF_GATEWAY;
        route.rt_dev = name_.data();
        must(::ioctl(socket_.get(), SIOCADDRT, &route), "gateway " + gateway);
    }

  private:
    ifreq fresh() const {
        ifreq request{};
        name_.copy(request.ifr_name, IFNAMSIZ - 1);
        return request;
    }
    void must(int result, const std::string& what) const {
        if (result != 0 && errno != EEXIST)
            throw std::runtime_error(name_ + ": " + what + ": " + std::strerror(errno));
    }

    std::string name_;
    clara::Fd socket_;
};

std::string name_of(const std::string& mac) {
    ether_addr wanted{};
    if (!::ether_aton_r(mac.c_str(), &wanted)) throw std::runtime_error("no MAC: " + mac);
    for (unsigned index = 1; index < 64; ++index) {  // a machine has two or three
        char name[IF_NAMESIZE];
        if (::if_indextoname(index, name) && Interface(name).has_mac(wanted)) return name;
    }
    throw std::runtime_error("no card has the MAC " + mac);
}

// The neighbours' switches and ARP tables learn at once where the address is now: it may have been another
// machine's a moment ago.
void announce_address(const std::string& name) {
    clara::Fd file(::open(("/proc/sys/net/ipv4/conf/" + name + "/arp_notify").c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), "1\n", 2) != 2)
        throw std::runtime_error(name + ": arp_notify: " + std::strerror(errno));
}

}  // namespace

void set_up_network(const Nic& nic) {
    Interface("lo").up();
    if (nic.mac.empty()) return;
    const std::string name = name_of(nic.mac);
    announce_address(name);
    Interface card(name);
    card.set(SIOCSIFADDR, nic.address);
    card.set(SIOCSIFNETMASK, nic.netmask);
    card.set(SIOCSIFBRDADDR, nic.broadcast);
    card.up();
    if (!nic.gateway.empty()) card.default_route(nic.gateway);
}

}  // namespace guest

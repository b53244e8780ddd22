#include "clara/drivers/network/bridge.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/route/neighbour.h>

#include <array>
#include <cstring>

#include "clara/base/log.hpp"
#include "clara/drivers/network/netlink.hpp"

namespace clara {
namespace {

std::array<unsigned char, 6> bytes_of(Mac mac) {
    std::array<unsigned char, 6> bytes;
    for (int i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(mac.value >> (40 - 8 * i));
    return bytes;
}

NlAddress nl_address(Ipv4 address) {
    in_addr_t net = htonl(address.value);
    NlAddress made(nl_addr_build(AF_INET, &net, sizeof net));
    if (!made) throw std::bad_alloc();
    return made;
}

bool is_bridge(rtnl_link* link) {
    const char* type = rtnl_link_get_type(link);
    return type && std::strcmp(type, "bridge") == 0;
}

/// One message for the link with all its settings: nobody ever sees half a bridge. libnl has no setters for
/// STP and the forward delay, so it is put together by hand. False where the name exists.
bool make_link(nl_sock* socket, const EnsureBridge& wanted) {
    NlMessage message(nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL));
    ifinfomsg info{};
    info.ifi_flags = info.ifi_change = IFF_UP;
    auto mac = bytes_of(bridge_mac(wanted.address.address));
    bool ok = message && nlmsg_append(message.get(), &info, sizeof info, NLMSG_ALIGNTO) == 0 &&
              nla_put_string(message.get(), IFLA_IFNAME, wanted.bridge.c_str()) == 0 &&
              nla_put(message.get(), IFLA_ADDRESS, mac.size(), mac.data()) == 0;
    nlattr* link_info = ok ? nla_nest_start(message.get(), IFLA_LINKINFO) : nullptr;
    ok = link_info && nla_put_string(message.get(), IFLA_INFO_KIND, "bridge") == 0;
    nlattr* data = ok ? nla_nest_start(message.get(), IFLA_INFO_DATA) : nullptr;
    ok = data && nla_put_u32(message.get(), IFLA_BR_STP_STATE, 0) == 0 &&
         nla_put_u32(message.get(), IFLA_BR_FORWARD_DELAY, 0) == 0;
    if (!ok) throw std::bad_alloc();
    nla_nest_end(message.get(), data);
    nla_nest_end(message.get(), link_info);
    int code = nl_send_sync(socket, message.release());
    if (code == -NLE_EXIST) return false;
    if (code < 0) throw netlink_error("cannot make bridge " + wanted.bridge, code);
    return true;
}

void bring_up(nl_sock* socket, rtnl_link* link, const std::string& name) {
    if (rtnl_link_get_flags(link) & IFF_UP) return;
    Link change(rtnl_link_alloc());
    if (!change) throw std::bad_alloc();
    rtnl_link_set_flags(change.get(), IFF_UP);
    if (int code = rtnl_link_change(socket, link, change.get(), 0); code < 0)
        throw netlink_error("cannot bring up " + name, code);
}

/// True where the bridge has the address already.
bool check_addresses(const std::vector<AddressEntry>& entries, int index, const EnsureBridge& wanted) {
    bool there = false;
    for (const AddressEntry& entry : entries) {
        bool here = entry.interface == index;
        if (here && entry.address == wanted.address) {
            there = true;
            if (entry.broadcast != wanted.address.broadcast())
                log::warn("{} has no broadcast address: Channel Access searches from this host find nothing",
                          wanted.bridge);
        } else if (here) {
            throw Error(ErrorKind::refused,
                        fmt::format("bridge {} has the address {}, not {}", wanted.bridge,
                                    entry.address.str(), wanted.address.str()),
                        "correct `bridge` or `subnet` of the network in site.yaml");
        } else if (wanted.isolated || !entry.routed) {
            continue;
        } else if (wanted.address.contains(entry.address.address) ||
                   entry.address.contains(wanted.address.address)) {
            throw Error(ErrorKind::refused,
                        fmt::format("cannot give {} to bridge {}: another interface of this host has {}",
                                    wanted.address.str(), wanted.bridge, entry.address.str()),
                        "choose another `subnet` for the network in site.yaml");
        }
    }
    return there;
}

void add_address(nl_sock* socket, int index, const EnsureBridge& wanted) {
    LinkAddress address(rtnl_addr_alloc());
    if (!address) throw std::bad_alloc();
    rtnl_addr_set_ifindex(address.get(), index);
    rtnl_addr_set_local(address.get(), nl_address(wanted.address.address).get());
    rtnl_addr_set_prefixlen(address.get(), wanted.address.prefix);
    rtnl_addr_set_broadcast(address.get(), nl_address(wanted.address.broadcast()).get());
    if (wanted.isolated) rtnl_addr_set_flags(address.get(), IFA_F_NOPREFIXROUTE);
    int code = rtnl_addr_add(socket, address.get(), NLM_F_CREATE | NLM_F_EXCL);
    if (code < 0 && code != -NLE_EXIST)  // a neighbour that ran at the same time was faster
        throw netlink_error(fmt::format("cannot give {} to {}", wanted.address.str(), wanted.bridge), code);
}

/// The name of a port of the bridge, empty where it has none.
std::string first_port(nl_sock* socket, int bridge) {
    NlCache links = list_links(socket);
    for (nl_object* o = nl_cache_get_first(links.get()); o; o = nl_cache_get_next(o)) {
        auto* port = reinterpret_cast<rtnl_link*>(o);
        if (rtnl_link_get_master(port) == bridge) return rtnl_link_get_name(port);
    }
    return {};
}

}  // namespace

Mac bridge_mac(Ipv4 address) {
    return {std::uint64_t{0x02ca} << 32 | address.value};
}

bool BridgeDriver::ensure_bridge(const EnsureBridge& wanted) {
    if (wanted.bridge.empty() || wanted.bridge.size() >= IFNAMSIZ)
        throw Error(ErrorKind::usage, fmt::format("'{}' cannot name a bridge", wanted.bridge),
                    "1 to 15 characters");
    NlSocket socket = open_netlink();
    // Listed first: where the bridge is still missing afterwards, none of these is its own, made meanwhile by
    // a run beside this one.
    const std::vector<AddressEntry> before = list_addresses(socket.get());
    Link link = find_link(socket.get(), wanted.bridge);
    bool made = false;
    if (!link) {
        check_addresses(before, 0, wanted);
        made = make_link(socket.get(), wanted);
        link = find_link(socket.get(), wanted.bridge);
        if (!link) throw Error(ErrorKind::failed, "bridge " + wanted.bridge + " vanished while it was made");
    }
    if (!is_bridge(link.get()))
        throw Error(ErrorKind::refused, wanted.bridge + " exists and is not a bridge",
                    "choose another `bridge` for the network in site.yaml");
    int index = rtnl_link_get_ifindex(link.get());
    try {
        if (!check_addresses(list_addresses(socket.get()), index, wanted))
            add_address(socket.get(), index, wanted);
        bring_up(socket.get(), link.get(), wanted.bridge);
    } catch (const Error&) {
        if (made) rtnl_link_delete(socket.get(), link.get());
        throw;
    }
    return made;
}

void BridgeDriver::remove_bridge(const std::string& bridge) {
    NlSocket socket = open_netlink();
    Link link = find_link(socket.get(), bridge);
    if (!link) return;
    if (!is_bridge(link.get())) throw Error(ErrorKind::refused, bridge + " is not a bridge");
    if (std::string port = first_port(socket.get(), rtnl_link_get_ifindex(link.get())); !port.empty())
        throw Error(ErrorKind::refused, fmt::format("bridge {} is in use by {}", bridge, port),
                    "stop the guests on it first");
    int code = rtnl_link_delete(socket.get(), link.get());
    if (code < 0 && code != -NLE_NODEV) throw netlink_error("cannot remove bridge " + bridge, code);
}

std::optional<Interface> interface_named(const std::string& name) {
    NlSocket socket = open_netlink();
    Link link = find_link(socket.get(), name);
    if (!link) return std::nullopt;
    Interface found;
    found.index = rtnl_link_get_ifindex(link.get());
    found.up = rtnl_link_get_flags(link.get()) & IFF_UP;
    found.has_ports = is_bridge(link.get()) && !first_port(socket.get(), found.index).empty();
    nl_addr* address = rtnl_link_get_addr(link.get());
    if (address && nl_addr_get_len(address) == 6) {
        const auto* byte = static_cast<const unsigned char*>(nl_addr_get_binary_addr(address));
        for (int i = 0; i < 6; ++i) found.mac.value = found.mac.value << 8 | byte[i];
    }
    return found;
}

std::set<std::string> bridges() {
    NlSocket socket = open_netlink();
    NlCache links = list_links(socket.get());
    std::set<std::string> names;
    for (nl_object* o = nl_cache_get_first(links.get()); o; o = nl_cache_get_next(o)) {
        auto* link = reinterpret_cast<rtnl_link*>(o);
        if (is_bridge(link)) names.insert(rtnl_link_get_name(link));
    }
    return names;
}

std::set<Subnet> addresses_of(const std::string& interface) {
    NlSocket socket = open_netlink();
    Link link = find_link(socket.get(), interface);
    std::set<Subnet> found;
    if (!link) return found;
    for (const AddressEntry& entry : list_addresses(socket.get()))
        if (entry.interface == rtnl_link_get_ifindex(link.get())) found.insert(entry.address);
    return found;
}

void learn_neighbour(const std::string& interface, Ipv4 address, Mac mac) {
    NlSocket socket = open_netlink();
    Link link = find_link(socket.get(), interface);
    Handle<rtnl_neigh, rtnl_neigh_put> entry(rtnl_neigh_alloc());
    if (!entry) throw std::bad_alloc();
    if (!link) throw Error(ErrorKind::failed, "there is no interface " + interface);
    auto bytes = bytes_of(mac);
    NlAddress hardware(nl_addr_build(AF_LLC, bytes.data(), bytes.size()));
    if (!hardware) throw std::bad_alloc();
    rtnl_neigh_set_ifindex(entry.get(), rtnl_link_get_ifindex(link.get()));
    rtnl_neigh_set_dst(entry.get(), nl_address(address).get());
    rtnl_neigh_set_lladdr(entry.get(), hardware.get());
    rtnl_neigh_set_state(entry.get(), NUD_STALE);  // used at once, and confirmed by the kernel itself
    if (int code = rtnl_neigh_add(socket.get(), entry.get(), NLM_F_CREATE | NLM_F_REPLACE); code < 0)
        throw netlink_error("cannot note the MAC of " + address.str(), code);
}

}  // namespace clara

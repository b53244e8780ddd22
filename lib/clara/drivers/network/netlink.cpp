#include "clara/drivers/network/netlink.hpp"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <netlink/errno.h>

#include <cstring>

namespace clara {
namespace {

Ipv4 ipv4_of(const nl_addr* address) {
    if (!address || nl_addr_get_len(address) != sizeof(in_addr_t)) return {};
    in_addr_t net = 0;
    std::memcpy(&net, nl_addr_get_binary_addr(address), sizeof net);
    return {ntohl(net)};
}

}  // namespace

NlSocket open_netlink() {
    NlSocket socket(nl_socket_alloc());
    if (!socket) throw std::bad_alloc();
    if (int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0)
        throw netlink_error("cannot open a netlink socket", code);
    return socket;
}

Error netlink_error(const std::string& what, int code) {
    std::string hint = code == -NLE_PERM ? "run it as root" : "";
    return {ErrorKind::failed, what + ": " + nl_geterror(code), hint};
}

std::vector<AddressEntry> list_addresses(nl_sock* socket) {
    nl_cache* raw = nullptr;
    if (int code = rtnl_addr_alloc_cache(socket, &raw); code < 0)
        throw netlink_error("cannot list addresses", code);
    NlCache cache(raw);
    std::vector<AddressEntry> entries;
    for (nl_object* o = nl_cache_get_first(raw); o; o = nl_cache_get_next(o)) {
        auto* address = reinterpret_cast<rtnl_addr*>(o);
        nl_addr* local = rtnl_addr_get_local(address);
        if (rtnl_addr_get_family(address) != AF_INET || !local) continue;
        entries.push_back({rtnl_addr_get_ifindex(address),
                           {ipv4_of(local), rtnl_addr_get_prefixlen(address)},
                           ipv4_of(rtnl_addr_get_broadcast(address)),
                           !(rtnl_addr_get_flags(address) & IFA_F_NOPREFIXROUTE)});
    }
    return entries;
}

NlCache list_links(nl_sock* socket) {
    nl_cache* raw = nullptr;
    if (int code = rtnl_link_alloc_cache(socket, AF_UNSPEC, &raw); code < 0)
        throw netlink_error("cannot list interfaces", code);
    return NlCache(raw);
}

Link find_link(nl_sock* socket, const std::string& name) {
    rtnl_link* raw = nullptr;
    int code = rtnl_link_get_kernel(socket, 0, name.c_str(), &raw);
    if (code == -NLE_NODEV || code == -NLE_OBJ_NOTFOUND) return nullptr;
    if (code < 0) throw netlink_error("cannot look at interface " + name, code);
    return Link(raw);
}

}  // namespace clara

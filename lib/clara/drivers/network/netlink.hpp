// The little of libnl that we use, with owners and exceptions. Private to drivers/network.
#pragma once
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>

#include <string>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/net.hpp"

namespace clara {

using NlSocket = Handle<nl_sock, nl_socket_free>;
using NlCache = Handle<nl_cache, nl_cache_free>;
using NlMessage = Handle<nl_msg, nlmsg_free>;
using NlAddress = Handle<nl_addr, nl_addr_put>;
using Link = Handle<rtnl_link, rtnl_link_put>;
using LinkAddress = Handle<rtnl_addr, rtnl_addr_put>;

/// A connected NETLINK_ROUTE socket.
NlSocket open_netlink();
/// libnl's negative codes: "WHAT: REASON".
Error netlink_error(const std::string& what, int code);

struct AddressEntry {
    int interface = 0;
    Subnet address;
    Ipv4 broadcast;      ///< 0.0.0.0: none
    bool routed = true;  ///< the kernel has a route to its subnet
};
std::vector<AddressEntry> list_addresses(nl_sock* socket);

/// All links; walk them with nl_cache_get_first() and nl_cache_get_next().
NlCache list_links(nl_sock* socket);
/// Null where there is none of that name.
Link find_link(nl_sock* socket, const std::string& name);

}  // namespace clara

// Who a copy of a server is: what it must not share with the one it was copied from.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "clara/base/net.hpp"

namespace clara {

/// The address a copy gets. Of several interfaces the first one that the source's configuration gives an
/// address is meant.
struct NewAddress {
    Subnet address;
    std::optional<Ipv4> gateway;
    std::vector<std::string> nameservers;
    Mac mac;
};

struct Identity {
    std::string hostname;               ///< without a domain: that of the source stays
    std::string machine_id;             ///< 32 hex digits
    std::string connection_uuid;        ///< for NetworkManager, whose connections have one
    std::optional<NewAddress> address;  ///< nullopt: the network's configuration stays as it is
};

}  // namespace clara

// PVAccess, as much of it as tells that a server is there and which PVs it serves. Numbers: "pvAccess
// Protocol Specification", sections "Message Structure", "Connection Validation", "Channel Discovery"; what
// the specification leaves open is what EPICS 7.0.3.1 does (pvAccess/src/server/responseHandlers.cpp).
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clara/base/net.hpp"

namespace clara::pva {

constexpr std::uint16_t server_port = 5075;     ///< EPICS_PVA_SERVER_PORT's default, TCP
constexpr std::uint16_t broadcast_port = 5076;  ///< EPICS_PVA_BROADCAST_PORT's default, UDP: searches
constexpr std::size_t max_name = 1024;          ///< bytes of a PV name that we send

/// A server speaks first: "set byte order", then it wants to know who connects. The connection stands when it
/// has acknowledged connection_answer(). nullopt while more bytes are needed, "" where it stands, else what
/// is wrong. (Who leaves before that makes EPICS' server deaf: it takes no other client for 6 s.)
std::optional<std::string> connection_problem(std::string_view received);
/// What the client says to all that the server has sent; empty while it is not asked.
/// Error{failed} where connection_problem() finds that it is no PVAccess server.
std::string connection_answer(std::string_view received);

/// What all datagrams of one search share.
struct Search {
    std::uint32_t sequence = 0;  ///< comes back in each answer
    std::uint16_t reply_port =
        0;  ///< UDP, of the asker: answers go there, from a port of the server's choice
    /// Asked of one address: one server hears it there and hands it on to the others of its machine; who has
    /// no such PV says so. Else by broadcast, where only those answer who have one.
    bool unicast = true;
};

/// Search requests for the names in as few datagrams of at most 1440 bytes (MAX_UDP_UNFRAGMENTED_SEND) as
/// they fit in; the channel id of names[i] is i. Longer names than max_name are left out. Without any name
/// one datagram that every server answers, after 50 to 150 ms ("server discovery").
std::vector<std::string> search_datagrams(const std::vector<std::string>& names, const Search& question);

struct Answer {
    std::uint32_t sequence = 0;
    Ipv4 address;            ///< of the server
    std::uint16_t port = 0;  ///< its TCP port
    bool found = false;      ///< it has the PVs; in answers to a discovery always false
    std::vector<std::uint32_t> ids;
};
/// What one datagram that came from `from` says. Broken messages, and servers of other protocols than "tcp",
/// say nothing.
std::vector<Answer> search_answers(std::string_view datagram, Ipv4 from);

/// TCP ports of all PVAccess servers at `host`, as they say themselves within `wait`.
std::set<std::uint16_t> server_ports(Ipv4 host, std::chrono::milliseconds wait);

}  // namespace clara::pva

// Channel Access, as much of it as a look from the outside needs. Numbers: "Channel Access Protocol
// Specification" (CAref), sections "Message Structure" and "Commands"; minor version 13 is EPICS 7's.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clara/base/net.hpp"

namespace clara::ca {

constexpr std::uint16_t server_port = 5064;  ///< EPICS_CA_SERVER_PORT's default, TCP and UDP
constexpr std::uint16_t minor_version = 13;
constexpr std::size_t max_name = 4096;  ///< bytes of a PV name that we send

enum Command : std::uint16_t {
    version = 0,
    search = 6,
    not_found = 14,
    read_notify = 15,
    create_channel = 18,
    client_name = 20,
    host_name = 21,
    access_rights = 22,
    create_channel_failed = 26,
};

/// The 16 byte header, big endian, and its payload (padded to 8 bytes on the wire).
struct Message {
    std::uint16_t command = 0;
    std::uint16_t type = 0;
    std::uint32_t count = 0;
    std::uint32_t p1 = 0, p2 = 0;
    std::string payload;
};

std::string encode(const Message& message);
/// Takes one whole message off the front of `bytes`; nullopt where more bytes are needed.
/// Error{failed} for a payload beyond `limit`: whoever answers there is no CA server.
std::optional<Message> decode(std::string_view& bytes, std::size_t limit = 64 << 10);

struct Server {
    Ipv4 address;
    std::uint16_t port = 0;  ///< TCP
    auto operator<=>(const Server&) const = default;
    std::string str() const;  ///< e.g. 10.87.0.12:5064
};

/// Search requests for the names in as few datagrams of at most 1024 bytes (CAref's MAX_UDP_SEND) as they
/// fit in; the channel id of names[i] is first_id + i. Names that fit in no datagram are left out.
std::vector<std::string> search_datagrams(const std::vector<std::string>& names, std::uint32_t first_id = 0);

struct Answer {
    std::uint32_t id;
    Server server;
};
/// What one datagram that came from `from` says. Broken ones say nothing.
std::vector<Answer> search_answers(std::string_view datagram, Ipv4 from);

/// Asks `to` (one host, or a broadcast address) on UDP 5064 and listens for `wait`, or until all names
/// have an answer. `interface` binds the question to one bridge; empty: as routed.
std::map<std::string, Server> find(const std::vector<std::string>& names, Ipv4 to,
                                   std::chrono::milliseconds wait, const std::string& interface = {});

/// Bytes that open a circuit and, where a name is given, ask for its channel with id 1.
std::string hello(const std::string& pv);

/// One value as text (DBR_STRING), over TCP. Error{failed} says what did not answer.
std::string get(Server server, const std::string& pv, std::chrono::milliseconds timeout);

}  // namespace clara::ca

// Servers of a guest that are not on the standard port, as the kernel's socket tables tell.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace clara {

struct ServerProcess {
    int pid = 0;       ///< on the host
    std::string name;  ///< of the program, as the guest says; printable
    std::set<std::uint16_t> tcp;
    std::string str() const;  ///< e.g. "softIoc (pid 412) on TCP 40123"
};

/// Processes in the pid namespace of `init` that have a socket on the UDP port of searches and listen on TCP,
/// but not on the protocol's own port: the first CA server of an address gets 5064, every further one a
/// dynamic port (CAref "EPICS_CA_SERVER_PORT"), which firewalls, gateways and people do not expect; PVAccess
/// does the same with 5075. Clients of PVAccess hear its UDP port too, those of CA do not.
std::vector<ServerProcess> extra_servers(int init, std::uint16_t udp, std::uint16_t tcp);

/// Inode -> local port of the sockets in a table of /proc/PID/net; `state` -1 is any (10 is listening).
std::vector<std::pair<std::uint64_t, std::uint16_t>> sockets_in(const std::string& table, int state);

}  // namespace clara

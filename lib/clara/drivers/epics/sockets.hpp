// Non-blocking sockets for probes. Private to drivers/epics.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "clara/base/handle.hpp"
#include "clara/base/net.hpp"

namespace clara {

inline sockaddr_in socket_address(Ipv4 address, std::uint16_t port) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    in.sin_addr.s_addr = htonl(address.value);
    return in;
}

/// SOCK_STREAM or SOCK_DGRAM, non-blocking, closed on exec. Throws Error.
Fd open_socket(int type);
/// From here on it talks through that interface alone, whatever the routes say; empty: as they say.
void bind_to_interface(int fd, const std::string& interface);
/// Binds a socket to a port of the kernel's choice, of all addresses, and tells the port.
std::uint16_t bind_any(int fd);
/// Starts to connect; 0, EINPROGRESS, or the error.
int start_connect(int fd, Ipv4 address, std::uint16_t port);
/// The error a connect ended with, 0 where it is through.
int connect_result(int fd);
/// Waits until poll(2) has `events` for fd; false where the time is over.
bool wait_for(int fd, short events, std::chrono::steady_clock::time_point deadline);

}  // namespace clara

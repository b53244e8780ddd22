#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/drivers/epics/ca.hpp"
#include "clara/drivers/epics/sockets.hpp"

namespace clara::ca {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// 32 datagrams of 1 KiB fit into the socket buffer that Linux gives an IOC by default
// (net.core.rmem_default).
constexpr std::size_t burst = 32;
constexpr milliseconds burst_pause{2};

void send_datagram(int fd, const std::string& datagram, const sockaddr_in& to) {
    auto* address = reinterpret_cast<const sockaddr*>(&to);
    if (::sendto(fd, datagram.data(), datagram.size(), 0, address, sizeof to) >= 0) return;
    // Nobody on that bridge, or its queue is full: as good as no answer, and asked again.
    if (errno == ENETUNREACH || errno == EHOSTUNREACH || errno == EAGAIN || errno == ENOBUFS ||
        errno == ECONNREFUSED || errno == ENETDOWN)
        return;
    throw system_error("cannot send a Channel Access search", errno);
}

/// Reads all that has come; the first server that answers for a name stays.
void collect(int fd, const std::vector<std::string>& names, std::map<std::string, Server>& found) {
    char buffer[64 << 10];
    for (;;) {
        sockaddr_in from{};
        socklen_t size = sizeof from;
        auto* address = reinterpret_cast<sockaddr*>(&from);
        ssize_t got = ::recvfrom(fd, buffer, sizeof buffer, 0, address, &size);
        if (got < 0 && (errno == EINTR || errno == ECONNREFUSED)) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0) throw system_error("cannot read Channel Access answers", errno);
        std::string_view datagram(buffer, static_cast<std::size_t>(got));
        for (const Answer& answer : search_answers(datagram, {ntohl(from.sin_addr.s_addr)}))
            if (answer.id < names.size()) found.emplace(names[answer.id], answer.server);
    }
}

void send_all(int fd, std::string_view bytes, steady_clock::time_point deadline, const std::string& whom) {
    while (!bytes.empty()) {
        ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) throw system_error("cannot talk to " + whom, errno);
        if (!wait_for(fd, POLLOUT, deadline)) throw Error(ErrorKind::failed, whom + " takes no data");
    }
}

/// The next message of `command`; others pass by.
Message expect(int fd, std::string& buffer, Command command, steady_clock::time_point deadline,
               const std::string& whom) {
    for (;;) {
        std::string_view bytes = buffer;
        auto message = decode(bytes);
        buffer.erase(0, buffer.size() - bytes.size());
        if (message && message->command == command) return *message;
        if (message && message->command == create_channel_failed)
            throw Error(ErrorKind::failed, whom + " does not have it");
        if (message) continue;
        if (!wait_for(fd, POLLIN, deadline)) throw Error(ErrorKind::failed, whom + " does not answer");
        char chunk[4096];
        ssize_t got = ::recv(fd, chunk, sizeof chunk, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) throw system_error("cannot read from " + whom, errno);
        if (got == 0) throw Error(ErrorKind::failed, whom + " closed the connection");
        buffer.append(chunk, static_cast<std::size_t>(got));
    }
}

}  // namespace

std::map<std::string, Server> find(const std::vector<std::string>& names, Ipv4 to, milliseconds wait,
                                   const std::string& interface) {
    std::map<std::string, Server> found;
    const std::vector<std::string> datagrams = search_datagrams(names);
    if (datagrams.empty()) return found;
    Fd fd = open_socket(SOCK_DGRAM);
    int on = 1;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0)
        throw system_error("cannot broadcast", errno);
    if (!interface.empty() && ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                           static_cast<socklen_t>(interface.size())) != 0) {
        if (errno == ENODEV) return found;  // no bridge, hence nobody on it
        throw system_error("cannot search on " + interface, errno);
    }
    sockaddr_in address = socket_address(to, server_port);
    auto start = steady_clock::now();
    for (int round = 0; round < 2; ++round) {  // twice: a datagram may be lost
        for (std::size_t i = 0; i < datagrams.size(); ++i) {
            send_datagram(fd.get(), datagrams[i], address);
            if (i % burst != burst - 1) continue;
            std::this_thread::sleep_for(burst_pause);
            collect(fd.get(), names, found);
        }
        auto until = std::max(start + (round + 1) * wait / 2, steady_clock::now() + wait / 4);
        while (found.size() < names.size() && wait_for(fd.get(), POLLIN, until))
            collect(fd.get(), names, found);
        if (found.size() == names.size()) break;
    }
    return found;
}

std::string get(Server server, const std::string& pv, milliseconds timeout) {
    if (pv.empty() || pv.size() > max_name)
        throw Error(ErrorKind::usage, "no PV has such a name: '" + pv + "'");
    const std::string whom = "the Channel Access server " + server.str();
    auto deadline = steady_clock::now() + timeout;
    Fd fd = open_socket(SOCK_STREAM);
    int code = start_connect(fd.get(), server.address, server.port);
    if (code == EINPROGRESS) {
        if (!wait_for(fd.get(), POLLOUT, deadline)) throw Error(ErrorKind::failed, whom + " does not answer");
        code = connect_result(fd.get());
    }
    if (code != 0) throw system_error("cannot connect to " + whom, code);
    std::string buffer;
    try {
        send_all(fd.get(), hello(pv), deadline, whom);
        Message channel = expect(fd.get(), buffer, create_channel, deadline, whom);
        constexpr std::uint16_t dbr_string = 0;
        send_all(fd.get(), encode({read_notify, dbr_string, 1, channel.p2, 1, {}}), deadline, whom);
        Message value = expect(fd.get(), buffer, read_notify, deadline, whom);
        constexpr std::uint32_t eca_normal = 1;
        if (value.p1 != eca_normal)
            throw Error(ErrorKind::failed, whom + " refuses the read, status " + std::to_string(value.p1));
        std::size_t end = value.payload.find('\0');  // MAX_STRING_SIZE is 40 bytes, NUL included
        return value.payload.substr(0, std::min<std::size_t>(end, 40));
    } catch (Error& e) {
        throw e.in("reading " + pv);
    }
}

}  // namespace clara::ca

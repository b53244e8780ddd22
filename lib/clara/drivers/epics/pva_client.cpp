#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/epics/pva.hpp"
#include "clara/drivers/epics/sockets.hpp"

namespace clara::pva {

std::set<std::uint16_t> server_ports(Ipv4 host, std::chrono::milliseconds wait) {
    using std::chrono::steady_clock;
    Fd fd = open_socket(SOCK_DGRAM);
    Search question;
    question.sequence = static_cast<std::uint32_t>(system_random()());
    question.reply_port = bind_any(fd.get());
    sockaddr_in to = socket_address(host, broadcast_port);
    std::set<std::uint16_t> ports;
    const auto start = steady_clock::now();
    for (int round = 1; round <= 2; ++round) {  // twice: a datagram may be lost
        for (const std::string& datagram : search_datagrams({}, question))
            if (::sendto(fd.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&to),
                         sizeof to) < 0)
                throw system_error("cannot send a PVAccess search", errno);
        while (wait_for(fd.get(), POLLIN, start + round * wait / 2)) {
            char buffer[64 << 10];
            sockaddr_in from{};
            socklen_t size = sizeof from;
            ssize_t got =
                ::recvfrom(fd.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
            if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNREFUSED)) continue;
            if (got < 0) throw system_error("cannot read PVAccess answers", errno);
            if (ntohl(from.sin_addr.s_addr) != host.value) continue;
            for (const Answer& answer : search_answers({buffer, static_cast<std::size_t>(got)}, host))
                if (answer.address == host && answer.sequence == question.sequence) ports.insert(answer.port);
        }
    }
    return ports;
}

}  // namespace clara::pva

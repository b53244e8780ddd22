#include "clara/drivers/epics/sockets.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "clara/base/error.hpp"

namespace clara {

Fd open_socket(int type) {
    Fd fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) throw system_error("cannot open a socket", errno);
    return fd;
}

void bind_to_interface(int fd, const std::string& interface) {
    if (!interface.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                           static_cast<socklen_t>(interface.size())) != 0)
        throw system_error("cannot talk through " + interface, errno);
}

std::uint16_t bind_any(int fd) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    socklen_t size = sizeof at;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        throw system_error("cannot get a port for answers", errno);
    return ntohs(at.sin_port);
}

int start_connect(int fd, Ipv4 address, std::uint16_t port) {
    sockaddr_in to = socket_address(address, port);
    return ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ? 0 : errno;
}

int connect_result(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool wait_for(int fd, short events, std::chrono::steady_clock::time_point deadline) {
    using std::chrono::milliseconds;
    for (;;) {
        auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        pollfd one{fd, events, 0};
        int ready = ::poll(&one, 1, left > 0 ? static_cast<int>(left) : 0);
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) throw system_error("cannot wait for a socket", errno);
    }
}

}  // namespace clara

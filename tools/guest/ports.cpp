#include "ports.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "log.hpp"

namespace guest {
namespace {

using namespace std::chrono_literals;

// A peer that vanished is noticed within two minutes instead of never.
void keep_alive(int fd) {
    const int on = 1, idle = 60, between = 15, tries = 4;  // seconds, seconds, probes
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

}  // namespace

Port::Port(Loop& loop, int port, std::function<void(clara::Fd, const sockaddr_in&)> accepted)
    : loop_(loop), port_(port), accepted_(std::move(accepted)) {}

void Port::open() {
    closed_ = false;
    clara::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(static_cast<std::uint16_t>(port_));
    if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 || ::listen(fd.get(), 64) != 0) {
        if (!complained_) complain("cannot listen on port %d, trying on: %s", port_, std::strerror(errno));
        complained_ = true;
        loop_.after(1000ms, [this] {
            if (!closed_) open();
        });
        return;
    }
    fd_ = std::move(fd);
    loop_.watch(fd_.get(), POLLIN, [this](short) { ready(); });
}

void Port::close() {
    closed_ = true;
    if (fd_) loop_.forget(fd_.get());
    fd_.reset();
}

void Port::pause(bool paused) {
    if (fd_) loop_.set_events(fd_.get(), paused ? 0 : POLLIN);
}

void Port::ready() {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    clara::Fd client(
        ::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) {
        keep_alive(client.get());
        return accepted_(std::move(client), peer);
    }
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return;  // it went away again
    say("port %d: %s", port_, std::strerror(errno));
    pause(true);
    loop_.after(1000ms, [this] { pause(false); });
}

std::string tell_peer(const sockaddr_in& peer) {
    char text[INET_ADDRSTRLEN] = "?";
    ::inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text);
    return text;
}

}  // namespace guest

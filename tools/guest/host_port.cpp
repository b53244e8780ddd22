#include "host_port.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "log.hpp"

namespace guest {
namespace {

using namespace std::chrono_literals;
constexpr auto first_pause = 50ms, longest_pause = 1000ms;
constexpr const char* ports = "/sys/class/virtio-ports";

bool would_block() {
    return errno == EAGAIN || errno == EINTR;
}

}  // namespace

std::map<std::string, std::string> host_ports() {
    std::map<std::string, std::string> found;
    clara::Handle<DIR, ::closedir> folder(::opendir(ports));
    while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
        const std::string device = entry->d_name;
        clara::Fd file(::open((std::string(ports) + "/" + device + "/name").c_str(), O_RDONLY | O_CLOEXEC));
        char text[128];
        const ssize_t got = file ? ::read(file.get(), text, sizeof text) : 0;
        if (got > 1) found[std::string(text, static_cast<std::size_t>(got) - 1)] = "/dev/" + device;
    }
    return found;
}

PortRelay::PortRelay(Loop& loop, const HostPort& port) : loop_(loop), what_(port) {}

PortRelay::~PortRelay() {
    disconnect();
    loop_.cancel(retry_);
    if (edges_) loop_.forget(edges_.get());
}

// poll(2) says POLLHUP all the time while the host's end is closed (drivers/char/virtio_console.c,
// port_fops_poll): it would keep the loop spinning. epoll tells each change once, and is itself polled.
void PortRelay::open() {
    const std::string device = host_ports()[what_.port];
    port_.reset(device.empty() ? -1 : ::open(device.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    edges_.reset(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    if (!port_ || !edges_ || ::epoll_ctl(edges_.get(), EPOLL_CTL_ADD, port_.get(), &event) != 0) {
        // The host's ports are announced one by one, some of them after we have begun.
        if (!complained_) say("port %s is not there yet", what_.port.c_str());
        complained_ = true;
        retry_ = loop_.after(longest_pause, [this] { open(); });
        return;
    }
    loop_.watch(edges_.get(), POLLIN, [this](short) { port_ready(); });
    port_ready();
}

bool PortRelay::host_there() const {
    pollfd one{port_.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) >= 0 && !(one.revents & POLLHUP);
}

void PortRelay::port_ready() {
    epoll_event event{};
    ::epoll_wait(edges_.get(), &event, 1, 0);
    if (!host_there()) {
        disconnect();
        char unread[4096];  // what the host typed last is for nobody now
        while (::read(port_.get(), unread, sizeof unread) > 0) {
        }
        return;
    }
    if (socket_) return pump();
    if (pause_ == 0ms) connect();
}

void PortRelay::connect() {
    loop_.cancel(retry_);
    if (!host_there()) return disconnect();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    what_.socket.copy(address.sun_path, sizeof address.sun_path - 1);
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket_ && ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        pause_ = 0ms;
        loop_.watch(socket_.get(), POLLIN, [this](short) { pump(); });
        return pump();
    }
    socket_.reset();
    pause_ = std::clamp<std::chrono::milliseconds>(pause_ * 2, first_pause, longest_pause);
    retry_ = loop_.after(pause_, [this] { connect(); });
}

void PortRelay::disconnect() {
    loop_.cancel(retry_);
    pause_ = 0ms;
    if (socket_) loop_.forget(socket_.get());
    socket_.reset();
    up_ = down_ = {};
}

PortRelay::Moved PortRelay::move(int from, int to, Way& way) {
    Moved moved = Moved::nothing;
    if (way.empty()) {
        const ssize_t got = ::read(from, way.data, sizeof way.data);
        if (got == 0 || (got < 0 && !would_block())) return Moved::over;
        way.begin = 0;
        way.end = got > 0 ? static_cast<std::size_t>(got) : 0;
        if (got > 0) moved = Moved::some;
    }
    if (!way.empty()) {
        const ssize_t put = ::write(to, way.data + way.begin, way.end - way.begin);
        if (put < 0 && !would_block()) return Moved::over;
        if (put > 0) {
            way.begin += static_cast<std::size_t>(put);
            moved = Moved::some;
        }
    }
    return moved;
}

// Until nothing moves: the port tells of each change but once.
void PortRelay::pump() {
    for (;;) {
        const Moved up = move(port_.get(), socket_.get(), up_);
        const Moved down = up == Moved::over ? up : move(socket_.get(), port_.get(), down_);
        if (down == Moved::over) {
            disconnect();
            if (host_there()) {  // procServ has ended: it comes back
                pause_ = first_pause;
                retry_ = loop_.after(pause_, [this] { connect(); });
            }
            return;
        }
        if (up == Moved::nothing && down == Moved::nothing) break;
    }
    loop_.set_events(socket_.get(),
                     static_cast<short>((down_.empty() ? POLLIN : 0) | (up_.empty() ? 0 : POLLOUT)));
}

}  // namespace guest

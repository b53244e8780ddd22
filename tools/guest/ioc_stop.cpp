#include "ioc_stop.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "log.hpp"

namespace guest {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 10s;
constexpr auto second_message = 300ms;
constexpr std::size_t longest_line = 4096;
constexpr const char *toggle_restart = "\x14" /* ^T */, *clear_line = "\x15" /* ^U */;

bool has(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

IocStop::IocStop(Loop& loop, const std::string& socket, std::function<void()> over)
    : loop_(loop),
      over_(std::move(over)),
      fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.copy(address.sun_path, sizeof address.sun_path - 1);
    if (!fd_ || ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        say("procServ does not answer (%s), the IOC ends without a word", std::strerror(errno));
        deadline_ = loop_.after(0ms, [this] { finish(); });
        return;
    }
    loop_.watch(fd_.get(), POLLIN, [this](short) { ready(); });
    deadline_ = loop_.after(patience, [this] {
        complain("the IOC did not exit within 10 s");
        finish();
    });
}

void IocStop::ready() {
    char buffer[2048];
    ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return finish();  // procServ itself has ended
    for (ssize_t i = 0; i < got && fd_; ++i) {
        if (buffer[i] != '\n') {
            if (rest_.size() < longest_line) rest_ += buffer[i];
            continue;
        }
        line(rest_);
        rest_.clear();
    }
}

// The banner, in this order: auto restart, the child's PID or SHUT DOWN, "N user(s)"; then what happens.
void IocStop::line(const std::string& text) {
    if (!has(text, "@@@")) return;
    if (!asked_) {
        if (has(text, "auto restart is ON") || has(text, "auto restart mode is ON")) restarts_ = true;
        if (has(text, "is SHUT DOWN")) down_ = true;
        if (!has(text, "user(s) and")) return;
        asked_ = true;
        if (restarts_) type(toggle_restart);
        if (down_) return finish();
        return type(clear_line + std::string("exit\n"));
    }
    // Two messages in either order. A closed terminal comes when the IOC has done all it does at its end;
    // where that is told first, the other follows only with procServ's next tick, half a second later.
    if (has(text, "Child process is shutting down")) return finish();
    if (has(text, "Received a sigChild")) {
        loop_.cancel(deadline_);
        deadline_ = loop_.after(second_message, [this] { finish(); });
    }
}

void IocStop::type(const std::string& keys) {
    if (::send(fd_.get(), keys.data(), keys.size(), MSG_NOSIGNAL) < 0)
        say("procServ: %s", std::strerror(errno));
}

void IocStop::finish() {
    close();
    auto over = std::move(over_);
    over_ = nullptr;
    if (over) over();
}

void IocStop::close() {
    loop_.cancel(deadline_);
    if (fd_) loop_.forget(fd_.get());
    fd_.reset();
}

}  // namespace guest

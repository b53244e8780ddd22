#include "clara/drivers/epics/procserv.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/drivers/epics/telnet.hpp"
#include "clara/drivers/guest_root.hpp"

namespace clara {
namespace {

using Time = std::chrono::steady_clock;
constexpr auto second_message = std::chrono::milliseconds(300);
constexpr std::size_t text_limit = 1 << 20;  // an IOC may be chatty; the end is what counts

// Keys of procServ 2.7's control port: kill the child, start it while it is down; ^U clears a half-typed
// line.
constexpr const char *kill_key = "\x18", *start_key = "\x12",
                     *exit_line =
                         "\x15"
                         "exit\n";

/// The text between two marks, e.g. between("PID: 12\r", "PID: ", "\r").
std::string between(const std::string& text, const std::string& from, const std::string& to) {
    auto begin = text.find(from);
    if (begin == std::string::npos) return {};
    begin += from.size();
    return text.substr(begin, text.find(to, begin) - begin);
}

class Conversation {
  public:
    Conversation(Fd fd, Time::time_point deadline) : fd_(std::move(fd)), deadline_(deadline) {}

    const std::string& heard() const { return heard_; }
    void forget() { heard_.clear(); }
    /// A few keys, which the socket's buffer takes whole. Not by write(2): procServ may be gone (SIGPIPE).
    void say(const std::string& keys) {
        const std::string bytes = telnet_escape(keys);
        if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
            throw system_error("cannot talk to procServ", errno);
    }

    /// Listen until `enough` or the time is over (false).
    template <class F>
    bool listen(F enough, Time::time_point until) {
        until = std::min(until, deadline_);
        while (!enough()) {
            auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Time::now()).count();
            if (left <= 0) return false;
            throw_if_interrupted();
            pollfd wait{fd_.get(), POLLIN, 0};
            if (::poll(&wait, 1, static_cast<int>(left)) <= 0) continue;
            char buffer[4096];
            ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
            if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (got <= 0) throw Error(ErrorKind::failed, "procServ closed its console", "see clara-log NAME");
            heard_ += filter_.feed({buffer, static_cast<std::size_t>(got)});
            if (heard_.size() > text_limit) heard_.erase(0, text_limit / 2);
        }
        return true;
    }
    template <class F>
    bool listen(F enough) {
        return listen(enough, deadline_);
    }

    ProcServStatus banner() {
        std::optional<ProcServStatus> status;
        if (!listen([&] { return (status = parse_banner(heard_)).has_value(); }))
            throw Error(ErrorKind::failed, "procServ did not send its banner in time");
        return *status;
    }

  private:
    Fd fd_;
    Time::time_point deadline_;
    TelnetFilter filter_;
    std::string heard_;
};

}  // namespace

std::optional<ProcServStatus> parse_banner(const std::string& text) {
    // The line that ends it: "@@@ 0 user(s) and 0 logger(s) connected (plus you)"
    if (text.find("user(s) and") == std::string::npos || text.find("(plus you)") == std::string::npos)
        return std::nullopt;
    ProcServStatus status;
    status.version = between(text, "procServ Process Server ", ")");
    std::string restart = between(text, "auto restart ", ",");  // "is ON", in 2.8 "mode is ON"
    status.auto_restart = restart.substr(restart.rfind(' ') + 1);
    status.child = between(text, "@@@ Child \"", "\"");
    std::string pid = between(text, "@@@ Child \"" + status.child + "\" PID: ", "\n");
    status.child_pid = std::atoi(pid.c_str());
    status.child_started = between(text, "@@@ Child \"" + status.child + "\" started at: ", "\r");
    std::string users = text.substr(0, text.find(" user(s) and"));
    status.users = std::atoi(users.substr(users.rfind(' ') + 1).c_str());
    return status;
}

Fd connect_inside(int init_pid, const std::string& socket) {
    Fd place = GuestRoot(init_pid).open(socket, O_PATH);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // The way to connect to a descriptor; a plain path would be looked up in our own root.
    const std::string path = "/proc/self/fd/" + std::to_string(place.get());
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    // Not blocking while it connects: a procServ that hangs with a full queue would hold us up for ever.
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::fcntl(fd.get(), F_SETFL, 0) != 0)
        throw system_error("cannot reach " + socket + " in the guest", errno);
    return fd;
}

int restart_ioc(int init_pid, std::chrono::milliseconds timeout, std::chrono::milliseconds patience,
                const std::string& socket) {
    return restart_ioc(connect_inside(init_pid, socket), timeout, patience);
}

int restart_ioc(Fd console, std::chrono::milliseconds timeout, std::chrono::milliseconds patience) {
    Conversation procserv(std::move(console), Time::now() + timeout);
    const ProcServStatus before = procserv.banner();
    procserv.forget();
    auto heard = [&](const char* text) { return procserv.heard().find(text) != std::string::npos; };
    auto ended = [&] { return heard("Received a sigChild"); };
    if (before.child_pid) {
        procserv.say(exit_line);
        if (!procserv.listen(ended, Time::now() + patience)) {
            procserv.say(kill_key);
            if (!procserv.listen(ended)) throw Error(ErrorKind::failed, "the IOC did not end");
        }
        // The start key counts only after this, which may come before or after the child was reaped.
        procserv.listen([&] { return heard("Child process is shutting down"); },
                        Time::now() + second_message);
    }
    // From here on silence: procServ starts its child only after half a second without traffic.
    if (before.auto_restart != "ON") procserv.say(start_key);
    const std::string news = "The PID of new child \"" + before.child + "\" is: ";
    auto started = [&] { return between(procserv.heard(), news, "\n").find('\r') != std::string::npos; };
    if (!procserv.listen(started))
        throw Error(ErrorKind::failed, "procServ did not start the IOC again in time", "see clara-log NAME");
    return std::atoi(between(procserv.heard(), news, "\n").c_str());
}

}  // namespace clara

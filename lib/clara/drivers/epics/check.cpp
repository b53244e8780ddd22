#include "clara/drivers/epics/check.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "clara/base/error.hpp"
#include "clara/drivers/epics/ca.hpp"
#include "clara/drivers/epics/sockets.hpp"
#include "clara/drivers/network/bridge.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_greeting = 16 << 10;  // procServ's banner has about 700 bytes

/// `expected` at the front of what came; nullopt while it may still become that.
std::optional<std::string> starts_with(std::string_view received, std::string_view expected) {
    std::size_t n = std::min(received.size(), expected.size());
    if (received.substr(0, n) != expected.substr(0, n)) return "something else answers";
    if (n < expected.size()) return std::nullopt;
    return "";
}

}  // namespace

std::string lower_reason(int code) {
    std::string text = std::strerror(code);
    if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    return text;
}

void Check::retry_later(ProbeTime now) {
    using Step = ProbeTime::duration;
    due = now + std::clamp<Step>((now - begun) / 64, milliseconds(2), milliseconds(50));
}

ArpCheck::ArpCheck(const std::string& bridge, Ipv4 guest, Mac mac, Ipv4 host)
    : Check("ARP", "ARP for " + guest.str()),
      bridge_(bridge),
      socket_(bridge),
      guest_(guest),
      host_(host),
      mac_(mac) {}

void ArpCheck::attempt(ProbeTime now) {
    socket_.ask(guest_, host_);
    retry_later(now);
}

void ArpCheck::ready(ProbeTime now, short) {
    while (auto heard = socket_.hear()) {
        if (heard->address != guest_ || heard->probing) continue;
        if (heard->mac != mac_)
            throw Error(ErrorKind::failed,
                        fmt::format("{} is answered by {}, not by the guest's {}", guest_.str(),
                                    heard->mac.str(), mac_.str()),
                        "another machine uses this address: find it, or give the guest another one");
        if (answered) continue;
        answered = now;
        if (host_ != Ipv4{}) learn_neighbour(bridge_, guest_, mac_);
    }
}

TcpCheck::TcpCheck(std::string short_name, std::string long_name, Ipv4 guest, std::uint16_t port,
                   std::string opening, Judge judge, Reply reply)
    : Check(std::move(short_name), std::move(long_name)),
      guest_(guest),
      port_(port),
      opening_(std::move(opening)),
      judge_(std::move(judge)),
      reply_(std::move(reply)) {}

void TcpCheck::attempt(ProbeTime now) {
    connected_ = replied_ = false;
    received_.clear();
    fd_ = open_socket(SOCK_STREAM);
    bind_to_interface(fd_.get(), interface_);
    due = ProbeTime::max();  // one connection at a time
    int code = start_connect(fd_.get(), guest_, port_);
    if (code == 0) return through(now);
    if (code != EINPROGRESS) failed(now, lower_reason(code));
}

void TcpCheck::failed(ProbeTime now, const std::string& why) {
    problem = why;
    fd_.reset();
    retry_later(now);
}

/// The connection is open.
void TcpCheck::through(ProbeTime now) {
    connected_ = true;
    problem = "connects but says nothing";
    if (!judge_) {
        answered = now;
        return fd_.reset();
    }
    say(now, opening_);
}

/// A fresh connection's buffer takes these few bytes whole.
void TcpCheck::say(ProbeTime now, const std::string& words) {
    if (!words.empty() &&
        ::send(fd_.get(), words.data(), words.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(words.size()))
        failed(now, lower_reason(errno));
}

void TcpCheck::ready(ProbeTime now, short) {
    if (!connected_) {
        if (int code = connect_result(fd_.get()); code != 0) return failed(now, lower_reason(code));
        return through(now);
    }
    char chunk[4096];
    ssize_t got = ::recv(fd_.get(), chunk, sizeof chunk, 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got < 0) return failed(now, lower_reason(errno));
    if (got == 0) return failed(now, "it closes the connection at once");
    received_.append(chunk, static_cast<std::size_t>(got));
    auto verdict = judge_(received_);
    if (!verdict && received_.size() >= max_greeting) return failed(now, "it sends too much");
    if (!verdict) {
        if (!reply_ || replied_) return;
        const std::string words = reply_(received_);
        if (words.empty()) return;
        replied_ = true;
        problem = "it does not take the connection";
        return say(now, words);
    }
    if (!verdict->empty()) return failed(now, *verdict);
    answered = now;
    fd_.reset();
}

Judge ssh_banner() {
    return [](std::string_view received) { return starts_with(received, "SSH-"); };  // RFC 4253 section 4.2
}

Judge procserv_banner() {
    return [](std::string_view received) { return starts_with(received, "@@@ Welcome to procServ"); };
}

Judge ca_greeting(const std::string& pv) {
    return [pv](std::string_view received) -> std::optional<std::string> {
        try {
            while (auto message = ca::decode(received)) {
                if (message->command == ca::version && pv.empty()) return "";
                if (message->command == ca::create_channel) return "";
                if (message->command == ca::create_channel_failed) return "it does not have " + pv;
            }
        } catch (const Error& e) {
            return e.message();
        }
        return std::nullopt;
    };
}

}  // namespace clara

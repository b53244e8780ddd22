#include "clara/drivers/epics/search_check.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/epics/ca.hpp"
#include "clara/drivers/epics/sockets.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;

// A usual IOC answers 1.1 s after its guest's start; each broadcast is work for every IOC of the bridge.
constexpr milliseconds first_broadcast{2000}, broadcast_pause{500};

}  // namespace

SearchCheck::SearchCheck(std::string short_name, std::string long_name, Ports ports, Ipv4 guest,
                         Ipv4 broadcast, std::vector<std::string> pvs)
    : Check(std::move(short_name), std::move(long_name)),
      ports_(ports),
      guest_(guest),
      pvs_(std::move(pvs)),
      fd_(open_socket(SOCK_DGRAM)),
      broadcast_(broadcast) {
    for (std::uint32_t i = 0; i < pvs_.size(); ++i) missing_.insert(i);
    int on = 1;
    if (::setsockopt(fd_.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0)
        throw system_error("cannot broadcast", errno);
}

void SearchCheck::go_through(const std::string& interface) {
    bind_to_interface(fd_.get(), interface);
}

void SearchCheck::attempt(ProbeTime now) {
    if (next_broadcast_ == ProbeTime::max()) next_broadcast_ = now + first_broadcast;
    ask(guest_, false);
    if (now >= next_broadcast_) {
        ask(broadcast_, true);
        next_broadcast_ = now + broadcast_pause;
    }
    retry_later(now);
}

void SearchCheck::ask(Ipv4 whom, bool broadcast) {
    sockaddr_in to = socket_address(whom, ports_.udp);
    for (const std::string& datagram : question(broadcast))
        if (::sendto(fd_.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&to),
                     sizeof to) < 0)
            problem = lower_reason(errno);
}

void SearchCheck::ready(ProbeTime now, short) {
    char buffer[64 << 10];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    ssize_t got = ::recvfrom(fd_.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) {
        if (errno != EINTR && errno != EAGAIN) problem = lower_reason(errno);
        return;
    }
    if (ntohl(from.sin_addr.s_addr) != guest_.value) return;
    hear({buffer, static_cast<std::size_t>(got)});
    if (missing_.empty() && !answered) answered = now;
    if (missing_.empty() || pvs_.empty()) return;
    const std::uint32_t first = *missing_.begin();
    if (denied_.count(first))
        problem = "it does not have " + pvs_[first];
    else if (missing_.size() < pvs_.size())
        problem = "no answer for " + pvs_[first];
}

void SearchCheck::found(std::uint32_t id, std::uint16_t port) {
    if (port == ports_.tcp)
        missing_.erase(id);
    else
        problem = fmt::format("the server listens on TCP {} instead of {}", port, ports_.tcp);
}

CaSearchCheck::CaSearchCheck(Ipv4 guest, Ipv4 broadcast, std::vector<std::string> pvs)
    : SearchCheck("CA", "Channel Access search on UDP 5064", {ca::server_port, ca::server_port}, guest,
                  broadcast, std::move(pvs)) {}

std::vector<std::string> CaSearchCheck::question(bool) const {
    return ca::search_datagrams(pvs_);
}

void CaSearchCheck::hear(std::string_view datagram) {
    for (const auto& answer : ca::search_answers(datagram, guest_))
        if (answer.server.address == guest_) found(answer.id, answer.server.port);
}

PvaSearchCheck::PvaSearchCheck(Ipv4 guest, Ipv4 broadcast, std::vector<std::string> pvs)
    : SearchCheck("PVA", "PVAccess search on UDP 5076", {pva::broadcast_port, pva::server_port}, guest,
                  broadcast, std::move(pvs)) {
    if (pvs_.empty()) missing_.insert(0);  // the server itself
    search_.sequence = static_cast<std::uint32_t>(system_random()());
    search_.reply_port = bind_any(fd_.get());
}

std::vector<std::string> PvaSearchCheck::question(bool broadcast) const {
    if (broadcast && pvs_.empty()) return {};  // every server of the bridge would answer
    pva::Search search = search_;
    search.unicast = !broadcast;
    return pva::search_datagrams(pvs_, search);
}

void PvaSearchCheck::hear(std::string_view datagram) {
    for (const auto& answer : pva::search_answers(datagram, guest_)) {
        if (answer.address != guest_ || answer.sequence != search_.sequence) continue;
        if (pvs_.empty()) found(0, answer.port);
        for (std::uint32_t id : answer.ids) {
            if (answer.found)
                found(id, answer.port);
            else if (answer.port == ports_.tcp)
                denied_.insert(id);
        }
    }
}

}  // namespace clara

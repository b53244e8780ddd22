#include "clara/drivers/epics/prove.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <map>

#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/epics/ca.hpp"
#include "clara/drivers/epics/extra_servers.hpp"
#include "clara/drivers/epics/pva.hpp"
#include "clara/drivers/epics/search_check.hpp"
#include "clara/drivers/network/bridge.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Checks = std::vector<std::unique_ptr<Check>>;

constexpr milliseconds longest_poll{100};  // an interrupt is noticed within this time

/// The host's address in the guest's subnet, 0.0.0.0 where it has none.
Ipv4 host_address(const Nic& nic) {
    for (const Subnet& own : addresses_of(nic.bridge))
        if (own.contains(nic.subnet.address)) return own.address;
    return {};
}

bool may_read_console(const GuestSpec& spec, Ipv4 host) {
    if (spec.console_allow.empty()) return true;
    for (const Subnet& allowed : spec.console_allow)
        if (allowed.contains(host)) return true;
    return false;
}

void add_ioc_checks(Checks& checks, const ProveGuest& what, Ipv4 host) {
    const GuestSpec& spec = what.spec;
    Ipv4 guest = spec.nic.subnet.address;
    auto tcp = [&](const char* name, const std::string& label, std::uint16_t port, std::string opening,
                   Judge judge, Reply reply = {}) {
        checks.push_back(std::make_unique<TcpCheck>(name, label, guest, port, std::move(opening),
                                                    std::move(judge), std::move(reply)));
    };
    // Who may not read the console gets a closed connection, which still proves that it listens.
    tcp("procServ", "procServ on TCP 7001", 7001, "",
        may_read_console(spec, host) ? procserv_banner() : Judge{});
    std::vector<std::string> pvs = spec.ioc->pvs;
    if (pvs.empty() && !what.pvs.empty()) pvs.push_back(what.pvs.front());
    if (!pvs.empty())
        checks.push_back(std::make_unique<CaSearchCheck>(guest, spec.nic.subnet.broadcast(), pvs));
    const std::string first = pvs.empty() ? "" : pvs.front();
    tcp("CA", "Channel Access on TCP 5064", ca::server_port, ca::hello(first), ca_greeting(first));
    if (!spec.ioc->pva) return;
    if (!spec.ioc->pva_pvs.empty()) pvs = spec.ioc->pva_pvs;
    checks.push_back(std::make_unique<PvaSearchCheck>(guest, spec.nic.subnet.broadcast(), pvs));
    tcp("PVA", "PVAccess on TCP 5075", pva::server_port, "", pva::connection_problem, pva::connection_answer);
}

/// The first one is ARP: before it answers, a connect would only wait for the kernel's own ARP, 1 s apart.
Checks checks_for(const ProveGuest& what) {
    const GuestSpec& spec = what.spec;
    Ipv4 guest = spec.nic.subnet.address, host = host_address(spec.nic);
    Checks checks;
    checks.push_back(std::make_unique<ArpCheck>(spec.nic.bridge, guest, spec.nic.mac, host));
    if (spec.init == "clara")
        checks.push_back(std::make_unique<TcpCheck>("ssh", "ssh on TCP 22", guest, 22, "", ssh_banner()));
    if (spec.ioc) add_ioc_checks(checks, what, host);
    for (int port : spec.ports)
        checks.push_back(std::make_unique<TcpCheck>(fmt::format("TCP {}", port), fmt::format("TCP {}", port),
                                                    guest, static_cast<std::uint16_t>(port), "", Judge{}));
    if (host.value != 0)
        for (auto& check : checks) check->go_through(spec.nic.bridge);
    return checks;
}

/// Tries what is due, waits for the next event or time, and hands out what came.
void turn(const std::vector<Check*>& open, ProbeTime deadline) {
    auto now = steady_clock::now();
    ProbeTime wake = std::min(deadline, now + longest_poll);
    std::vector<pollfd> polled;
    for (Check* check : open) {
        if (check->begun == ProbeTime::max()) check->begun = now;
        if (now >= check->due) check->attempt(now);
        wake = std::min(wake, check->answered ? now : check->due);
        polled.push_back(check->interest());  // poll(2) passes over a descriptor of -1
    }
    auto wait = std::chrono::ceil<milliseconds>(wake - now).count();
    int ready = ::poll(polled.data(), polled.size(), static_cast<int>(std::max<long>(wait, 0)));
    if (ready < 0 && errno != EINTR) throw system_error("cannot wait for the guest", errno);
    now = steady_clock::now();
    for (std::size_t i = 0; ready > 0 && i < open.size(); ++i)
        if (polled[i].fd >= 0 && polled[i].revents) open[i]->ready(now, polled[i].revents);
}

std::string time_text(steady_clock::duration time) {
    double seconds = std::chrono::duration<double>(time).count();
    if (seconds < 1) return fmt::format("{:.0f} ms", std::ceil(seconds * 1000));
    return fmt::format("{:.2f} s", seconds);
}

/// "ssh 31 ms, CA 1.05 s": a name that several checks share tells the last one's time.
std::string note_of(const Checks& checks, ProbeTime start) {
    std::string note;
    for (auto it = checks.begin(); it != checks.end(); ++it) {
        ProbeTime last = *(*it)->answered;
        while (std::next(it) != checks.end() && (*std::next(it))->name == (*it)->name)
            last = std::max(last, *(*++it)->answered);
        note += fmt::format("{}{} {}", note.empty() ? "" : ", ", (*it)->name, time_text(last - start));
    }
    return note;
}

/// Servers that searches find, but not where everybody looks for them. It is no failure.
void tell_extra_servers(const GuestSpec& spec, int init, const std::string& whom) {
    auto tell = [&](const char* protocol, const ServerProcess& other) {
        log::warn("{}: a second {} server in the guest, {}, is not on the standard port", whom, protocol,
                  other.str());
    };
    for (const ServerProcess& other : extra_servers(init, ca::server_port, ca::server_port))
        tell("CA", other);
    if (!spec.ioc->pva) return;
    auto others = extra_servers(init, pva::broadcast_port, pva::server_port);
    if (others.empty()) return;
    // Clients are among them: servers say themselves where they are, within 150 ms.
    const std::set<std::uint16_t> ports = pva::server_ports(spec.nic.subnet.address, milliseconds(400));
    for (ServerProcess& other : others) {
        std::erase_if(other.tcp, [&](std::uint16_t port) { return !ports.count(port); });
        if (!other.tcp.empty()) tell("PVAccess", other);
    }
}

}  // namespace

std::string GuestProbe::prove(const ProveGuest& what, const std::function<bool()>& interrupted) {
    const GuestSpec& spec = what.spec;
    const std::string whom = fmt::format("{} ({})", spec.name, spec.nic.subnet.address.str());
    Checks checks = checks_for(what);
    const ProbeTime start = steady_clock::now(), deadline = start + what.timeout;
    for (;;) {
        std::vector<Check*> open;
        if (!checks.front()->answered)
            open.push_back(checks.front().get());
        else
            for (const auto& check : checks)
                if (!check->answered) open.push_back(check.get());
        if (open.empty()) break;
        if (interrupted && interrupted()) {
            throw_if_interrupted();
            throw Error(ErrorKind::interrupted, "interrupted while waiting for " + whom);
        }
        if (steady_clock::now() >= deadline) {
            std::string silent;
            for (const auto& check : checks)
                if (!check->answered)
                    silent +=
                        fmt::format("{}{} ({})", silent.empty() ? "" : ", ", check->what, check->problem);
            bool logged = (spec.ioc || spec.daemon.present() || spec.kind == "kvm") && hooks_.ioc_log;
            std::string log = logged ? hooks_.ioc_log(spec) : "";
            throw Error(ErrorKind::failed,
                        fmt::format("{} did not answer within {}: {}{}{}", whom, duration_text(what.timeout),
                                    silent, log.empty() ? "" : "\nlast lines of its log:\n", log),
                        fmt::format("`clara-log {}` shows more, `clara-console {}` is its console; --timeout "
                                    "waits longer",
                                    spec.name, spec.name));
        }
        turn(open, deadline);
    }
    int init = spec.ioc && hooks_.init_pid ? hooks_.init_pid(spec) : 0;
    if (init > 0) tell_extra_servers(spec, init, whom);
    return note_of(checks, start);
}

}  // namespace clara

#include "clara/drivers/libvirt/driver.hpp"

#include <unistd.h>

#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/epics/procserv.hpp"
#include "clara/drivers/libvirt/backup.hpp"
#include "clara/drivers/libvirt/ours.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/domain_mark.hpp"
#include "clara/ops/inside.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Run = DomainState::Run;

constexpr milliseconds look_again{50};
constexpr milliseconds press_again_after{5000};  // a guest that boots does not hear the button at first
constexpr milliseconds restart_limit{10000};     // for a libvirtd that is being started anew
constexpr const char* hook_says = "clara-libvirt-hook: ";

DomainState require_domain(Hypervisor& host, const std::string& name, const std::string& uri) {
    if (auto domain = host.find(name)) return *domain;
    throw Error(ErrorKind::refused, "libvirt knows no domain " + name + " in " + uri);
}

/// libvirt wraps what the hook says into its own words, "Hook script execution failed: ... : TEXT".
Error told_by_hook(const Error& error) {
    const auto at = error.message().find(hook_says);
    if (at == std::string::npos) return error;
    std::string text = error.message().substr(at + std::string(hook_says).size()), hint;
    const auto line = text.find("\nhint: ");
    if (line != std::string::npos) {
        hint = text.substr(line + 7);
        text.resize(line);
    }
    while (!hint.empty() && hint.back() == '\n') hint.pop_back();
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return {error.kind(), text, hint};
}

/// Defines it with its copy in the guest's folder, which stays as it was where libvirt refuses. A pool that
/// does not have the guest has no copy.
void define_with_copy(Hypervisor& host, const DefineGuest& guest) {
    std::string folder = pool::guest(guest.pool, guest.name);
    if (!exists(folder)) folder = pool::guest(guest.pool, pool::partial(guest.name));
    if (!exists(folder)) return host.define(guest.config);
    constexpr const char* copy = "domain.xml";
    const Fd dir = open_dir(folder);
    const auto before = read_file_at(dir.get(), copy);
    write_file_at(dir.get(), copy, guest.config, 0640);
    try {
        host.define(guest.config);
    } catch (...) {
        if (before)
            write_file_at(dir.get(), copy, *before, 0640);
        else
            ::unlinkat(dir.get(), copy, 0);
        throw;
    }
}

}  // namespace

void refuse_foreign(Hypervisor& host, const std::string& name, const std::string* pool) {
    const DomainIdentity domain = read_domain_identity(host.xml(name));
    const std::string any = domain.mark ? domain.mark->pool : "";
    if (auto why = why_foreign_domain(domain, pool ? *pool : any); !why.empty())
        throw Error(ErrorKind::refused, name + " " + why,
                    "choose another name, or remove that one first: virsh undefine " + name);
}

std::shared_ptr<Hypervisor> LibvirtDriver::connect(const std::string& uri) {
    std::lock_guard guard(mutex_);
    auto& known = connections_[uri];
    if (!known || !known->alive()) known = open_hypervisor(uri, Access::change, options_);
    return known;
}

std::shared_ptr<Hypervisor> LibvirtDriver::reconnect(const std::string& uri) {
    for (const auto deadline = steady_clock::now() + restart_limit;;) {
        try {
            return connect(uri);
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::refused || steady_clock::now() >= deadline) throw;
        }
        std::this_thread::sleep_for(look_again);
    }
}

void LibvirtDriver::define(const DefineGuest& guest) {
    const DomainIdentity wanted = read_domain_identity(guest.config);
    if (wanted.name != guest.name || !why_foreign_domain(wanted, guest.pool).empty())
        throw Error(ErrorKind::failed,
                    "the definition of " + guest.name + " does not say that it is this guest");
    auto host = connect(guest.home);
    if (const auto there = host->find(guest.name)) {
        refuse_foreign(*host, guest.name, &guest.pool);
        // libvirt replaces by UUID and refuses a second one of the name.
        const std::string uuid = read_domain_identity(host->xml(guest.name)).uuid;
        if (wanted.uuid != uuid) {
            if (runs(there))
                throw Error(ErrorKind::refused, guest.name + " runs with another UUID",
                            "stop it first: clara-stop " + guest.name);
            host->undefine(guest.name);
        }
    }
    define_with_copy(*host, guest);
    host->set_autostart(guest.name, guest.autostart);
}

void LibvirtDriver::undefine(const UndefineGuest& guest) {
    auto host = connect(guest.home);
    const auto there = host->find(guest.name);
    if (!there) return;
    refuse_foreign(*host, guest.name, &guest.pool);
    if (runs(there))
        throw Error(ErrorKind::refused, guest.name + " is running",
                    "stop it first: clara-stop " + guest.name);
    host->undefine(guest.name);
}

bool LibvirtDriver::running(const GuestRef& guest) {
    return runs(connect(guest.home)->find(guest.name));
}

void LibvirtDriver::start(const StartGuest& guest) {
    auto host = connect(guest.home);
    const DomainState before = require_domain(*host, guest.name, guest.home);
    refuse_foreign(*host, guest.name, nullptr);
    if (runs(before)) throw Error(ErrorKind::refused, guest.name + " is running already");
    try {
        host->start(guest.name);
    } catch (const Error& error) {
        start_failed(*host, {guest.home, guest.name, guest.kind}, error);
    }
}

void LibvirtDriver::start_failed(Hypervisor& host, const GuestRef& guest, const Error& error) {
    // Where libvirtd died over it, its successor takes on what it had begun, or ends it.
    const bool lost = !host.alive();
    std::string trouble;
    try {
        if (lost && runs(reconnect(guest.home)->find(guest.name))) return;
    } catch (const Error& e) {
        trouble = std::string("; whether it runs is not known: ") + e.what();
    }
    if (!trouble.empty())
        throw Error(ErrorKind::undo_incomplete, error.message() + trouble,
                    "when libvirtd is up again: clara-list, clara-stop " + guest.name);
    Error told = told_by_hook(error);
    if (!told.hint().empty()) throw told;
    throw Error(told.kind(), told.message(), "more may be in /var/log/libvirt/qemu/" + guest.name + ".log");
}

bool LibvirtDriver::await_end(const std::string& uri, const std::string& name, milliseconds timeout,
                              bool press_again) {
    const auto deadline = steady_clock::now() + timeout;
    auto press = steady_clock::now() + press_again_after;
    for (;; std::this_thread::sleep_for(look_again)) {
        auto host = reconnect(uri);
        try {
            if (!runs(host->find(name))) return true;
            if (steady_clock::now() >= deadline) return false;
            if (press_again && steady_clock::now() >= press) {
                host->ask_to_stop(name, StopRequest::power_button);
                press += press_again_after;
            }
        } catch (const Error&) {
            if (host->alive()) throw;  // else libvirtd was stopped between the two
        }
    }
}

void LibvirtDriver::stop(const StopGuest& guest) {
    auto host = connect(guest.home);
    if (!runs(host->find(guest.name))) return;
    refuse_foreign(*host, guest.name, nullptr);
    bool asked = false;
    if (guest.timeout > milliseconds{0}) try {
            host->ask_to_stop(guest.name, StopRequest::polite);
            asked = true;
        } catch (const Error& e) {
            log::warn("{}; it is stopped by force", e.what());
        }
    if (asked && await_end(guest.home, guest.name, guest.timeout, true)) return;
    reconnect(guest.home)->kill(guest.name);
    if (!await_end(guest.home, guest.name, options_.work_limit, false))
        throw Error(ErrorKind::failed, guest.name + " does not end, although libvirt has killed it",
                    "more may be in /var/log/libvirt/qemu/" + guest.name + ".log");
}

void LibvirtDriver::restart_ioc(const RestartIoc& guest) {
    auto host = connect(guest.home);
    if (!runs(require_domain(*host, guest.name, guest.home)))
        throw Error(ErrorKind::refused, guest.name + " is not running", "clara-start " + guest.name);
    clara::restart_ioc(host->open_channel(guest.name, inside::console_channel, false));
}

void LibvirtDriver::copy_disks(const CopyDisks& copy) {
    copy_running_disks(copy, [&] { return reconnect(copy.home); });
}

}  // namespace clara

#include "clara/cli/vm_console.hpp"

#include <poll.h>
#include <unistd.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/libvirt/agent.hpp"
#include "clara/drivers/log_source.hpp"
#include "clara/ops/inside.hpp"

namespace clara {
namespace {

constexpr int between_looks = 250;  // ms
constexpr std::size_t lines_before = 10;

/// libvirt's log of it: the console itself stays with whoever has it.
int watch(const Site& site, const GuestSpec& spec) {
    const LogSource log = open_log(site, spec, console_service);
    write_all(STDOUT_FILENO, plain_log(log_tail(log.read, console_service, lines_before)));
    if (!log.more) throw Error(ErrorKind::refused, spec.name + " does not run", "clara-start " + spec.name);
    log::info("{}: ^C leaves", spec.name);
    while (!interrupted()) {
        auto more = log.more();
        if (!more) break;
        write_all(STDOUT_FILENO, plain_log(*more));
        ::poll(nullptr, 0, between_looks);
    }
    return 0;
}

}  // namespace

int vm_console(const Site& site, const GuestSpec& spec, const VmConsoleOptions& options) {
    if (options.log) return watch(site, spec);
    auto host = open_hypervisor(site.libvirt_uri, Access::change);
    const auto domain = host->find(spec.name);
    if (!domain || domain->run == DomainState::Run::off)
        throw Error(ErrorKind::refused, spec.name + " does not run", "clara-start " + spec.name);
    if (!options.command.empty()) {
        const AgentResult result = agent_run(*host, spec.name, options.command);
        write_all(STDOUT_FILENO, result.out);
        write_all(STDERR_FILENO, result.err);
        return result.status;
    }
    SessionOptions session = options.session;
    session.telnet = spec.ioc && !options.shell;
    const Fd console = session.telnet ? host->open_channel(spec.name, inside::console_channel, options.force)
                                      : host->open_console(spec.name, options.force);
    if (::isatty(STDIN_FILENO))
        log::info("{}: {} leaves{}", spec.name, session.escape ? options.escape : "nothing but the end",
                  session.telnet ? "" : "; Enter brings a prompt");
    run_session(console.get(), session);
    return 0;
}

}  // namespace clara

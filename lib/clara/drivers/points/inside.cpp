#include "clara/drivers/points/inside.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

#include "clara/base/error.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/libvirt/agent.hpp"

namespace clara::points {
namespace {

constexpr std::chrono::minutes limit{30};  // a database's dump takes its time

std::string last_line(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

struct Ended {
    int status = 0;
    std::string says;
};

Ended in_container(const std::string& home, const std::string& guest, const Command& command) {
    std::vector<std::string> argv{"lxc-attach", "--clear-env", "-P", home, "-n", guest, "--"};
    argv.insert(argv.end(), command.begin(), command.end());
    const RunResult result = run(argv, {.timeout = limit});
    return {result.status, result.err.empty() ? result.out : result.err};
}

Ended in_machine(LibvirtDriver& libvirt, const std::string& home, const std::string& guest,
                 const Command& command) {
    const AgentResult result = agent_run(*libvirt.connect(home), guest, command);
    return {result.status, result.err.empty() ? result.out : result.err};
}

}  // namespace

void run_inside(LibvirtDriver& libvirt, const std::string& kind, const std::string& home,
                const std::string& guest, const std::vector<Command>& commands) {
    for (const auto& command : commands) {
        const Ended ended =
            kind == "kvm" ? in_machine(libvirt, home, guest, command) : in_container(home, guest, command);
        if (ended.status != 0)
            throw Error(ErrorKind::failed,
                        fmt::format("'{}' inside ended with status {}: {}", fmt::join(command, " "),
                                    ended.status, last_line(ended.says)),
                        "see backup: in its template; clara-backup run --no-hooks leaves these commands out");
    }
}

}  // namespace clara::points

// clara-log: the last lines of a guest's log, of one that runs or not.
#include <poll.h>
#include <unistd.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/cli/app.hpp"
#include "clara/drivers/log_source.hpp"
#include "clara/drivers/running_guest.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-log",
    .summary = "show a guest's logs, whether it runs or not",
    .description =
        "Prints the end of the log of the guest's IOC (or service): all that the IOC has said, "
        "kept and rotated by "
        "the guest itself. The log of a guest that is stopped is read from its disk, which is "
        "not changed.\n\n"
        "--service names another log: init tells of starts and ends, sshd of log-ins; console is "
        "what a virtual machine has said on its serial console. The other logs of a virtual machine "
        "are read through its guest agent, so only while it runs.",
    .examples = {{"clara-log magnets", "the last 20 lines"},
                 {"clara-log -f magnets", "follow it until ^C or the guest's end"},
                 {"clara-log -n 1000 --service init magnets", "what its init did"}},
    .takes = {.json = false, .pool = true}};

constexpr int between_looks = 250;  // ms

}  // namespace

int main(int argc, char** argv) {
    std::string name, service;
    std::size_t lines = 20;
    bool want_follow = false, raw = false;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags&) {
            app.add_option("NAME", name, "The guest")->required();
            app.add_option("-n,--lines", lines, "How many of the last lines")->capture_default_str();
            app.add_flag("-f,--follow", want_follow, "Go on with what is added");
            app.add_option("--service", service, "Which log; default: the IOC's or the service's");
            app.add_flag("--raw", raw, "With the control characters the IOC wrote");
        },
        [&](CommonFlags& flags) {
            require_root();
            const Site site = read_site(flags.config);
            const std::string pool = site.pool(flags.pool).path;
            const GuestSpec spec = require_guest(pool, name);
            if (service.empty()) service = main_service(spec);
            auto print = [&](const std::string& text) {
                write_all(STDOUT_FILENO, raw ? text : plain_log(text));
            };
            // Before the tail: a line may be told twice, none is missed.
            const LogSource log = open_log(site, spec, service);
            if (want_follow && !log.more)
                throw Error(ErrorKind::refused, name + " does not run", "clara-start " + name);
            print(log_tail(log.read, service, lines));
            while (want_follow && !interrupted()) {
                auto more = log.more();
                if (!more) break;
                print(*more);
                ::poll(nullptr, 0, between_looks);
            }
            return 0;
        });
}

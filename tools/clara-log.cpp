// clara-log: the last lines of a guest's log, of one that runs or not.
#include <poll.h>
#include <unistd.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/cli/app.hpp"
#include "clara/drivers/guest_log.hpp"
#include "clara/drivers/lxc/states.hpp"
#include "clara/drivers/running_guest.hpp"
#include "clara/drivers/storage/layout.hpp"

using namespace clara;

namespace {

const ToolDoc doc{.name = "clara-log",
                  .summary = "show a guest's logs, whether it runs or not",
                  .description =
                      "Prints the end of the log of the guest's IOC (or service): all that the IOC has said, "
                      "kept and rotated by "
                      "the guest itself. The log of a guest that is stopped is read from its disk, which is "
                      "not changed.\n\n"
                      "--service names another log: init tells of starts and ends, sshd of log-ins.",
                  .examples = {{"clara-log magnets", "the last 20 lines"},
                               {"clara-log -f magnets", "follow it until ^C or the guest's end"},
                               {"clara-log -n 1000 --service init magnets", "what its init did"}},
                  .takes = {.json = false, .pool = true}};

constexpr int between_looks = 250;  // ms

std::string main_service(const GuestSpec& spec) {
    if (spec.ioc) return "ioc";
    if (spec.daemon.present()) return spec.daemon.name.empty() ? "service" : spec.daemon.name;
    return "init";
}

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
            if (spec.init != "clara")
                throw Error(
                    ErrorKind::refused, name + " runs its image's own init, so its logs are its own",
                    "clara-console --shell " + name + ", or " + site.lxc_path + "/" + name + "/console.log");
            if (service.empty()) service = main_service(spec);
            auto print = [&](const std::string& text) {
                write_all(STDOUT_FILENO, raw ? text : plain_log(text));
            };
            const int init = lxc_init_pid(site.lxc_path, name);
            if (!init) {
                if (want_follow) require_running(site, name);
                print(log_tail(stopped_log(pool::guest(pool, name) + "/disk.raw"), service, lines));
                return 0;
            }
            const GuestRoot guest(init);
            LogFollower follower(guest,
                                 service);  // before the tail: a line may be told twice, none is missed
            print(log_tail(running_log(guest), service, lines));
            while (want_follow && !interrupted()) {
                auto more = follower.more();
                if (!more) break;
                print(*more);
                ::poll(nullptr, 0, between_looks);
            }
            return 0;
        });
}

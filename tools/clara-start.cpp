// clara-start: start guests and wait until they answer.
#include "clara/cli/autostart.hpp"
#include "clara/cli/lifecycle_flow.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-start",
    .summary = "start guests and wait until they answer",
    .description =
        "Starts each guest and waits until its own address answers on its ports: ssh, the procServ "
        "console, Channel Access; a virtual machine has 2 minutes for it where --timeout is not given. A "
        "guest that runs already is left alone. What does not answer in time "
        "is named with the last lines of the IOC's log, and the guest is stopped again; --no-wait "
        "starts without looking.\n\n"
        "With --autostart it does what a host does that comes up: all guests marked so are started, one "
        "after "
        "the other in their order (autostart.order, then by name), with their pauses (autostart.delay). "
        "clara-autostart.service runs it at boot.",
    .examples = {{"clara-start magnets", "start one guest"},
                 {"clara-start 'bpm[01-20]' --jobs 4", "start twenty, four at a time"},
                 {"clara-start --autostart", "what this host starts when it comes up"},
                 {"clara-start --all --dry-run", "show what starting all guests would do"}},
    .takes = {.pool = true, .change = true, .timeout = true, .jobs = true}};

}  // namespace

int main(int argc, char** argv) {
    Selection guests;
    LifecycleOptions options;
    bool no_wait = false, autostart = false;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags& flags) {
            flags.timeout = options.answer_timeout;
            add_selection(app, guests);
            app.add_flag("--autostart", autostart, "All that are marked so, in their order")
                ->excludes("NAME")
                ->excludes("--all")
                ->excludes("--tag");
            app.add_flag("--no-wait", no_wait, "Do not wait until the ports answer");
        },
        [&](CommonFlags& flags) {
            options.prove = !no_wait;
            options.answer_timeout = flags.timeout;
            if (flags.timeout_set) options.vm_answer_timeout = flags.timeout;
            auto start = [&](const Selection& which) {
                return run_verb(
                    {.name = "start", .starts = true, .disks = true}, which,
                    [&](const Planning& p) { return plan_start(p.spec(), p.site, p.facts, options); }, flags);
            };
            if (!autostart) return start(guests);
            return start_in_order(flags, [&](const std::string& name) { return start({{name}, false}); });
        });
}

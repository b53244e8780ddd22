// clara-start: start guests and wait until they answer.
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
        "starts without looking.",
    .examples = {{"clara-start magnets", "start one guest"},
                 {"clara-start 'bpm[01-20]' --jobs 4", "start twenty, four at a time"},
                 {"clara-start --all --dry-run", "show what starting all guests would do"}},
    .takes = {.pool = true, .change = true, .timeout = true, .jobs = true}};

}  // namespace

int main(int argc, char** argv) {
    Selection guests;
    LifecycleOptions options;
    bool no_wait = false;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags& flags) {
            flags.timeout = options.answer_timeout;
            add_selection(app, guests);
            app.add_flag("--no-wait", no_wait, "Do not wait until the ports answer");
        },
        [&](CommonFlags& flags) {
            options.prove = !no_wait;
            options.answer_timeout = flags.timeout;
            if (flags.timeout_set) options.vm_answer_timeout = flags.timeout;
            return run_verb(
                {.name = "start", .starts = true, .disks = true}, guests,
                [&](const Planning& p) { return plan_start(p.spec(), p.site, p.facts, options); }, flags);
        });
}

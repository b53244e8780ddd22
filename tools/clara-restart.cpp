// clara-restart: restart guests, or only the IOCs in them.
#include "clara/cli/lifecycle_flow.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-restart",
    .summary = "restart guests, or only the IOCs in them",
    .description =
        "Stops each guest cleanly, starts it again and waits until it answers; one that does not run is "
        "started. All that could stand against the start is looked at before the stop.\n\n"
        "With --soft the guest runs on and only its IOC is restarted under procServ: the IOC ends and "
        "begins again, with its console and its ssh sessions in place.",
    .examples = {{"clara-restart magnets", "restart the whole guest"},
                 {"clara-restart --soft 'bpm[01-20]'", "restart twenty IOCs in their running guests"}},
    .takes = {.pool = true, .change = true, .timeout = true, .jobs = true}};

}  // namespace

int main(int argc, char** argv) {
    Selection guests;
    LifecycleOptions options;
    bool no_wait = false, soft = false;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags& flags) {
            flags.timeout = options.answer_timeout;
            add_selection(app, guests);
            app.add_flag("--soft", soft, "Restart only the IOC, under procServ");
            app.add_flag("--no-wait", no_wait, "Do not wait until the ports answer");
        },
        [&](CommonFlags& flags) {
            options.prove = !no_wait;
            options.answer_timeout = flags.timeout;
            if (flags.timeout_set) options.vm_answer_timeout = flags.timeout;
            auto plan = soft ? plan_soft_restart : plan_restart;
            return run_verb(
                {.name = "restart", .starts = !soft, .disks = !soft}, guests,
                [&](const Planning& p) { return plan(p.spec(), p.site, p.facts, options); }, flags);
        });
}

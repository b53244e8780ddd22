// clara-stop: stop guests cleanly.
#include "clara/cli/lifecycle_flow.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-stop",
    .summary = "stop guests cleanly",
    .description =
        "Asks each guest to shut down, its IOC first, and returns when it is gone and its disk is free. "
        "One that has not ended after --timeout is stopped by force. A guest that does not run is left "
        "alone.",
    .examples = {{"clara-stop magnets", "stop one guest"},
                 {"clara-stop --all --reason 'power cut on Monday'", "stop all guests of the pool"}},
    .takes = {.pool = true, .change = true, .timeout = true, .jobs = true}};

}  // namespace

int main(int argc, char** argv) {
    Selection guests;
    LifecycleOptions options;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags& flags) {
            flags.timeout = options.stop_timeout;
            add_selection(app, guests);
        },
        [&](CommonFlags& flags) {
            options.stop_timeout = flags.timeout;
            return run_verb(
                {.name = "stop"}, guests,
                [&](const Planning& p) { return plan_stop(p.name, p.pool, p.site, p.facts, options); },
                flags);
        });
}

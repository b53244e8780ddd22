// clara-destroy: delete guests with their disks.
#include "clara/cli/lifecycle_flow.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-destroy",
    .summary = "delete guests with their disks",
    .description =
        "Deletes each guest: its disk, its container and its place in the address book. Asks first; "
        "without a terminal --yes is required. A guest that runs is refused, unless --force says to "
        "stop it.\n\n"
        "It also clears what an interrupted create or destroy has left of a guest.",
    .examples = {{"clara-destroy magnets", "ask, then delete a stopped guest"},
                 {"clara-destroy --force --yes 'test[1-5]'", "stop and delete five without a question"}},
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
            app.add_flag("--force", options.force, "Stop guests that run");
        },
        [&](CommonFlags& flags) {
            options.stop_timeout = flags.timeout;
            return run_verb(
                {.name = "destroy", .question = "Delete", .disks = true}, guests,
                [&](const Planning& p) { return plan_destroy(p.name, p.pool, p.site, p.facts, options); },
                flags);
        });
}

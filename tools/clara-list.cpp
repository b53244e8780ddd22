// clara-list: the guests of a pool and how they are.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/base/log.hpp"
#include "clara/cli/guest_rows.hpp"
#include "clara/cli/selection.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/storage/index.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-list",
    .summary = "list guests and how they are",
    .description =
        "Lists the guests of a pool: kind (lxc: a container, kvm: a virtual machine), state, address, "
        "template, image, time since the start, memory "
        "without page cache, CPU time, and whether the host starts them by itself. A guest that is "
        "privileged, that another host runs, or whose guest.yaml cannot be read is said so.\n\n"
        "States are stopped, starting, running, stopping, and leftover: a run was killed, and its "
        "mounts are still there. The next start, or clara-stop, clears them. The state of virtual machines "
        "is unknown as long as libvirt cannot be asked.",
    .examples = {{"clara-list", "all guests"},
                 {"clara-list 'bpm[01-20]' --sort memory", "twenty, the largest first"},
                 {"clara-list --tag injection", "those that have this tag"},
                 {"clara-list --json | jq -r '.guests[] | select(.state != \"running\").name'",
                  "names of those that do not run"}},
    .takes = {.pool = true}};

std::vector<GuestFact> chosen(const Selection& selection, const Facts& facts) {
    std::vector<GuestFact> guests;
    for (const auto& name : listed(selection, facts.guests)) {
        try {
            guests.push_back(known_guest(name, facts));
        } catch (Error& e) {
            throw e.in(name);
        }
    }
    return guests;
}

}  // namespace

int main(int argc, char** argv) {
    Selection selection;
    std::string sort = "name";
    bool names_only = false;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags&) {
            add_listing(app, selection);
            app.add_option("--sort", sort, fmt::format("Order: {}", fmt::join(sort_keys(), ", ")))
                ->type_name("KEY")
                ->check(CLI::IsMember(sort_keys()).description(""))
                ->capture_default_str();
            app.add_flag("--names", names_only, "Only the names, one a line");
        },
        [&](CommonFlags& flags) {
            const Site site = read_site(flags.config);
            const std::string pool = site.pool(flags.pool).path;
            if (names_only) {
                Facts facts;
                facts.guests = read_guests(pool);
                for (const auto& guest : chosen(selection, facts)) fmt::print("{}\n", guest.name);
                return 0;
            }
            const Facts facts = gather_facts(site, {.pool = pool, .remember = true, .helpers = false});
            auto guests = chosen(selection, facts);
            if (!facts.libvirt_problem.empty())
                log::warn("{} ({})", facts.libvirt_problem, facts.libvirt_hint);
            sort_guests(guests, sort);
            if (flags.json) {
                nlohmann::ordered_json json{{"schema", "clara.list/1"},
                                            {"pool", pool},
                                            {"guests", guest_json(guests, facts.hostname)}};
                fmt::print("{}\n",
                           json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
            } else {
                guest_table(guests).print();
            }
            return 0;
        });
}

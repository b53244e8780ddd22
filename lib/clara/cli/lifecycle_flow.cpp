#include "clara/cli/lifecycle_flow.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "clara/base/error.hpp"
#include "clara/cli/batch.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/host.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/ops/host_paths.hpp"

namespace clara {
namespace {

/// Host paths that the guests need. A guest.yaml that cannot be read is told when that guest is planned.
std::set<std::string> host_paths(const std::string& pool, const std::map<std::string, GuestFact>& guests,
                                 const std::vector<std::string>& names) {
    std::set<std::string> paths;
    for (const auto& name : names) {
        auto guest = guests.find(name);
        if (guest == guests.end() || !guest->second.problem.empty()) continue;
        if (auto spec = load_guest(pool, name))
            for (auto& path : needed_paths(*spec)) paths.insert(std::move(path));
    }
    return paths;
}

/// "bpm01 (with 3 snapshots), bpm02 and 18 more"
std::string few(const std::vector<Plan>& plans) {
    std::string text;
    for (std::size_t i = 0; i < plans.size() && i < 5; ++i)
        text += (i ? ", " : "") + plans[i].guest + (plans[i].note.empty() ? "" : " (" + plans[i].note + ")");
    return plans.size() <= 5 ? text : fmt::format("{} and {} more", text, plans.size() - 5);
}

}  // namespace

int run_verb(const Verb& verb, const Selection& selection, const GuestPlanner& planner,
             const CommonFlags& flags) {
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    if (!flags.dry_run) require_root();

    const auto guests = read_guests(pool, false);
    const auto names = selected(selection, guests);
    FactsRequest request{.pool = pool, .helpers = verb.starts};
    if (verb.starts) {
        request.paths = host_paths(pool, guests, names);
        request.path_deadline = flags.timeout;
    }
    if (verb.disks) request.disks = names;
    const Facts facts = gather_facts(site, request);

    Batch batch = plan_each(verb.name, names, [&](const std::string& name) {
        auto spec = [&] {
            known_guest(name, facts);
            auto loaded = load_guest(pool, name);
            if (!loaded) throw Error(ErrorKind::busy, "it was removed just now");
            return *loaded;
        };
        return planner({name, pool, site, facts, spec});
    });
    if (!verb.question.empty() && !flags.dry_run && !flags.yes && !batch.plans.empty() &&
        !confirm(fmt::format("{} {}?", verb.question, few(batch.plans))))
        throw Error(ErrorKind::refused, "not confirmed, nothing touched");
    HostDrivers host = make_host_drivers(site);
    Drivers drivers = host.drivers();
    return carry_out(batch, drivers, flags);
}

}  // namespace clara

#include "clara/cli/create_flow.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <map>
#include <set>

#include "clara/cli/batch.hpp"
#include "clara/cli/free_addresses.hpp"
#include "clara/drivers/epics/ca.hpp"
#include "clara/drivers/epics/db.hpp"
#include "clara/drivers/host.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/ops/host_paths.hpp"

namespace clara {
namespace {

// A create that lost the race for its address so often is in trouble of another kind.
constexpr int attempts = 100;
// Free addresses that one that lost a race chooses among.
constexpr unsigned crowd = 64;

using Served = decltype(Facts::pv_served);

Served probe_pvs(const std::vector<CreateItem>& items, const Site& site,
                 const std::set<std::string>& bridges) {
    Served served;
    std::map<std::string, std::vector<std::string>> by_network;
    for (const auto& item : items)
        for (const auto& pv : item.pvs) by_network[site.network(item.spec.nic.network).name].push_back(pv);
    for (const auto& [name, pvs] : by_network) {
        const Network& network = site.network(name);
        if (!bridges.count(network.bridge)) continue;
        for (const auto& [pv, server] :
             ca::find(pvs, network.subnet.broadcast(), site.arp_wait, network.bridge))
            served[pv] = server.str();
    }
    return served;
}

Facts facts_for(const std::vector<CreateItem>& items, const Site& site, const CreateOptions& options,
                const CommonFlags& flags, unsigned skip) {
    FactsRequest request;
    request.pool = items.front().spec.pool;
    request.path_deadline = flags.timeout;
    request.remember = !flags.dry_run;
    for (const auto& item : items) {
        request.kvm = request.kvm || item.spec.kind == "kvm";
        for (auto& path : needed_paths(item.spec)) request.paths.insert(std::move(path));
    }
    Facts facts = gather_facts(site, request);
    // Side by side: each waits for silence, a quarter of the time that a create takes.
    auto served = std::async(std::launch::async, [&items, &site, bridges = facts.bridges, &options] {
        return options.allow_duplicate_pv ? Served{} : probe_pvs(items, site, bridges);
    });
    std::vector<AddressWish> wishes;
    for (const auto& item : items) wishes.push_back({item.spec.nic.network, item.address});
    probe_addresses(wishes, site, facts, skip);
    facts.pv_served = served.get();
    return facts;
}

Batch plan_batch(const std::vector<CreateItem>& items, const Site& site, const Facts& facts,
                 const CreateOptions& options, unsigned skip) {
    Allocator allocator(facts, skip);
    Batch batch{"create", {}, {}};
    for (const auto& item : items) {
        try {
            batch.plans.push_back(
                plan_create(item, site, facts, allocator, options, system_clock(), system_random()));
        } catch (const Error& e) {
            batch.refused.push_back(
                {.guest = item.spec.name, .message = e.message(), .hint = e.hint(), .kind = e.kind()});
        }
    }
    return batch;
}

/// Plans and runs until no guest lost its address to somebody else meanwhile.
Report make(std::vector<CreateItem> items, const Site& site, const CreateOptions& options,
            const CommonFlags& flags) {
    HostDrivers host = make_host_drivers(site);
    Drivers drivers = host.drivers();
    Report report{"create", {}};
    for (int attempt = 1; !items.empty(); ++attempt) {
        unsigned skip = attempt == 1 ? 0 : static_cast<unsigned>(system_random()() % crowd);
        Batch batch = plan_batch(items, site, facts_for(items, site, options, flags, skip), options, skip);
        Report round = execute(batch.plans, drivers,
                               {.lock_wait = flags.lock_wait,
                                .jobs = flags.jobs ? flags.jobs : 1,
                                .reason = flags.reason,
                                .on_action = progress_of(batch.plans.size())});
        std::vector<CreateItem> again;
        for (auto& outcome : batch.refused) report.outcomes.push_back(std::move(outcome));
        for (auto& outcome : round.outcomes) {
            auto item = std::find_if(items.begin(), items.end(),
                                     [&](const CreateItem& i) { return i.spec.name == outcome.guest; });
            if (outcome.stale && attempt < attempts)
                again.push_back(*item);
            else {
                // The guest is gone again, so the probe's hint (look into its log) would lead nowhere.
                if (outcome.unproven && outcome.kind == ErrorKind::failed)
                    outcome.hint =
                        "it was taken back; mend the template or the db files, or wait longer: --timeout";
                report.outcomes.push_back(std::move(outcome));
            }
        }
        items = std::move(again);
    }
    return report;
}

}  // namespace

int create_guests(const std::vector<Request>& requests, const Site& site, const CreateOptions& options,
                  const CommonFlags& flags) {
    if (!flags.dry_run) require_root();
    std::map<std::string, std::vector<CreateItem>> by_pool;
    for (const auto& request : requests) {
        CreateItem item{resolve(request, site), request.address, {}};
        if (item.spec.ioc)
            item.pvs = item.spec.ioc->pvs.empty() ? record_names(*item.spec.ioc) : item.spec.ioc->pvs;
        by_pool[item.spec.pool].push_back(std::move(item));
    }
    Report report{"create", {}};
    Batch shown{"create", {}, {}};
    for (const auto& [pool, items] : by_pool) {
        if (flags.dry_run) {
            Batch batch = plan_batch(items, site, facts_for(items, site, options, flags, 0), options, 0);
            std::move(batch.plans.begin(), batch.plans.end(), std::back_inserter(shown.plans));
            std::move(batch.refused.begin(), batch.refused.end(), std::back_inserter(shown.refused));
            continue;
        }
        Report part = make(items, site, options, flags);
        std::move(part.outcomes.begin(), part.outcomes.end(), std::back_inserter(report.outcomes));
    }
    return flags.dry_run ? show_plans(shown, flags) : show_report(report, flags);
}

}  // namespace clara

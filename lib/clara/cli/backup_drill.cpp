#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/backup_source.hpp"
#include "clara/cli/batch.hpp"
#include "clara/drivers/host.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/ops/drill.hpp"
#include "clara/ops/host_paths.hpp"
#include "clara/ops/lifecycle.hpp"

namespace clara {
namespace {

/// Each drill has a site of its own: the real one, and the bridge that is only there for it.
Site site_of(const Site& site, const RestoreSource& source) {
    Site drill = site;
    std::erase_if(drill.networks, [](const Network& network) { return network.name == "drill"; });
    drill.networks.push_back(drill_network(source.spec));
    return drill;
}

Plan plan_up(const DrillRun& run, const RestoreSource& source, const std::string& pool, const Site& site,
             const Facts& facts) {
    const std::string name = drill_name(source.spec.name);
    Allocator allocator(facts, 0);
    if (source.spec.kind != "kvm") {
        RestoreOptions options{.start = true, .network = "drill", .exact = true};
        options.lifecycle.answer_timeout = run.answer_timeout;
        return plan_restore_as(name, source, pool, site, facts, allocator, system_random(), options);
    }
    CloneOptions options{
        .network = "drill", .exact = true, .overlay = true, .start = true, .timeout = run.vm_answer_timeout};
    ClonePlan clone = plan_clone(name, pool, read_clone(source), site, facts, allocator, options,
                                 system_clock(), system_random());
    clone.plan.actions.insert(clone.plan.actions.begin(),
                              HoldPoint{source.store, source.spec.name, source.point.info.name,
                                        drill_holder(facts.hostname, pool, source.spec.name)});
    return clone.plan;
}

/// What a killed drill of that guest has left.
Plan plan_clear(const std::string& guest, const std::string& store, const std::string& pool, const Site& site,
                const Facts& facts) {
    const std::string name = drill_name(guest);
    Plan plan{"clear", name, pool, "", {}};
    if (facts.guests.count(name) || facts.leftovers.count(name))
        plan = plan_destroy(name, pool, site, facts, {.force = true});
    const std::string holder = drill_holder(facts.hostname, pool, guest);
    for (const auto& point : points::read_points(store, guest))
        if (std::find(point.state.holders.begin(), point.state.holders.end(), holder) !=
            point.state.holders.end())
            plan.actions.push_back(HoldPoint{store, guest, point.info.name, holder, false});
    return plan;
}

/// Each guest by itself: its site, its drivers, its report.
class Drill {
  public:
    Drill(const DrillRun& run, const CommonFlags& flags, const Site& site, std::string pool,
          std::string store)
        : run_(run), flags_(flags), site_(site), pool_(std::move(pool)), store_(std::move(store)) {}

    /// Its plan and what came of it; with --dry-run the plan alone.
    std::pair<Plan, Outcome> one(const std::string& guest) {
        const RestoreSource source =
            drill_source(read_source(guest, wanted_point(store_, guest, run_.point), store_));
        const Site site = site_of(site_, source);
        HostDrivers host = make_host_drivers(site);
        Drivers drivers = host.drivers();
        const std::string& kind = source.spec.kind;
        Facts now = facts(site, source.spec);
        if (!flags_.dry_run && clear(guest, site, drivers, now)) now = facts(site, source.spec);
        const Network& network = site.networks.back();
        const Plan plan =
            plan_drill(plan_up(run_, source, pool_, site, now), source, network, home_of(kind, site));
        if (flags_.dry_run) return {plan, {.guest = guest, .ok = true}};
        Report report =
            execute({plan}, drivers,
                    {.lock_wait = flags_.lock_wait, .reason = flags_.reason, .on_action = progress_of(1)});
        Outcome outcome = report.outcomes.front();
        if (!outcome.ok) drivers.network.remove_bridge(network.bridge);
        outcome.guest = guest;
        return {plan, outcome};
    }

  private:
    Facts facts(const Site& site, const GuestSpec& spec) const {
        const auto paths = needed_paths(spec);
        FactsRequest request{
            .pool = pool_, .paths = {paths.begin(), paths.end()}, .path_deadline = run_.answer_timeout};
        request.kvm = spec.kind == "kvm";
        return gather_facts(site, request);
    }

    /// True where there was something: what is known of the host is old then.
    bool clear(const std::string& guest, const Site& site, Drivers& drivers, const Facts& now) const {
        const Plan plan = plan_clear(guest, store_, pool_, site, now);
        if (plan.empty()) return false;
        log::info("{}: clearing up what an interrupted drill has left", guest);
        const Report report = execute({plan}, drivers, {.lock_wait = flags_.lock_wait});
        const Outcome& outcome = report.outcomes.front();
        if (!outcome.ok) throw Error(outcome.kind, outcome.message, outcome.hint);
        return true;
    }

    const DrillRun& run_;
    const CommonFlags& flags_;
    const Site& site_;
    std::string pool_, store_;
};

int drill_all(const DrillRun& run, const std::string& store, const std::string& pool, const Site& site,
              const CommonFlags& flags) {
    const auto names = guests_with_points(run.guests, points::read_points(store), store, pool);
    if (!run.point.empty() && names.size() != 1)
        throw Error(ErrorKind::usage, "--point is of one guest", "name that guest alone");
    Batch batch{"drill", {}, {}};
    Report report{"drill", {}};
    Drill drill(run, flags, site, pool, store);
    for (const auto& name : names) try {
            throw_if_interrupted();
            auto [plan, outcome] = drill.one(name);
            batch.plans.push_back(plan);
            report.outcomes.push_back(outcome);
        } catch (const Error& e) {
            if (e.kind() == ErrorKind::interrupted || e.kind() == ErrorKind::terminated) throw;
            const Outcome refused{.guest = name, .message = e.message(), .hint = e.hint(), .kind = e.kind()};
            batch.refused.push_back(refused);
            report.outcomes.push_back(refused);
        }
    return flags.dry_run ? show_plans(batch, flags) : show_report(report, flags);
}

}  // namespace

int drill(const DrillRun& run, const CommonFlags& flags) {
    if (!flags.dry_run) require_root();
    check_selection(run.guests);
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    return on_store(run.store, site, flags, {.writes = !flags.dry_run},
                    [&](const std::string& store) { return drill_all(run, store, pool, site, flags); });
}

}  // namespace clara

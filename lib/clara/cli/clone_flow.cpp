#include "clara/cli/clone_flow.hpp"

#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/cli/batch.hpp"
#include "clara/cli/create_flow.hpp"
#include "clara/cli/free_addresses.hpp"
#include "clara/drivers/clone_source.hpp"
#include "clara/drivers/disks/remote.hpp"
#include "clara/drivers/host.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/storage/fetched.hpp"

namespace clara {
namespace {

// A clone that lost the race for its address so often is in trouble of another kind.
constexpr int attempts = 100;

/// An image is made into a guest by what makes guests from templates.
int clone_image(const CloneRequest& request, const std::string& image, const Site& site,
                const CommonFlags& flags) {
    const CloneOptions& o = request.options;
    if (o.exact) throw Error(ErrorKind::usage, "--exact: an image is nobody, so there is nothing to be kept");
    if (o.rate) throw Error(ErrorKind::usage, "--bwlimit: an image is linked to or copied within the pool");
    Request create{.name = request.name, .template_name = request.template_name};
    create.set = request.set;
    create.set.emplace_back("image", image);
    if (o.cpus) create.set.emplace_back("machine.cpus", std::to_string(o.cpus));
    if (o.memory) create.set.emplace_back("machine.memory", std::to_string(o.memory));
    for (const auto& [key, value] : {std::pair{"machine.firmware", o.firmware},
                                     {"machine.disk", o.disk_bus},
                                     {"machine.nic", o.nic_model}})
        if (!value.empty()) create.set.emplace_back(key, value);
    create.address = o.address;
    create.network = o.network;
    create.pool = flags.pool;
    create.kind = "kvm";
    CreateOptions options;
    options.start = o.start;
    options.prove = o.prove;
    options.allow_duplicate_pv = o.allow_duplicate_pv;
    options.vm_timeout = o.timeout;
    options.full = request.full;
    return create_guests({create}, site, options, flags);
}

void refuse_image_flags(const CloneRequest& request) {
    if (!request.set.empty())
        throw Error(ErrorKind::usage, "--set: only an image is made into a server by a template",
                    "--cpus and --memory say what the copy has");
}

Facts look(const std::string& pool, const Site& site, const CommonFlags& flags) {
    return gather_facts(site, {.pool = pool, .remember = !flags.dry_run, .kvm = true});
}

ExecutorOptions executor_options(const CommonFlags& flags) {
    return {.lock_wait = flags.lock_wait, .jobs = 1, .reason = flags.reason, .on_action = progress_of(1)};
}

/// The disk of another machine comes into the pool first. False: it did not, and that was told.
bool fetch(const CloneRequest& request, const std::string& pool, const Site& site, const Facts& facts,
           const CommonFlags& flags, int& status) {
    parse_remote_disk(request.source);  // throws
    Batch batch{"fetch", {}, {}};
    batch.plans = {plan_fetch(request.name, pool, request.source, request.options.rate, facts)};
    if (flags.dry_run) {
        status = show_plans(batch, flags);
        log::info("then it is cloned as a disk file is, by what is found on it");
        return false;
    }
    HostDrivers host = make_host_drivers(site);
    Drivers drivers = host.drivers();
    const Report report = execute(batch.plans, drivers, executor_options(flags));
    if (report.outcomes.front().ok) return true;
    status = show_report(report, flags);
    return false;
}

ClonePlan plan_now(const CloneRequest& request, const CloneSource& source, const std::string& pool,
                   const Site& site, Facts facts, unsigned skip) {
    const CloneOptions& o = request.options;
    if (!o.exact) {
        const std::string network = o.network.empty() && source.spec ? source.spec->nic.network : o.network;
        probe_addresses({{network, o.address}}, site, facts, skip);
    }
    Allocator allocator(facts, skip);
    return plan_clone(request.name, pool, source, site, facts, allocator, o, system_clock(), system_random());
}

int forget(const CloneRequest& request, const std::string& pool, const Site& site, const CommonFlags& flags) {
    Batch batch{"forget", {}, {}};
    batch.plans = {{"forget", request.name, pool, "", {DropFetched{pool, request.name}}}};
    HostDrivers host = make_host_drivers(site);
    Drivers drivers = host.drivers();
    return carry_out(batch, drivers, flags);
}

Report run(const CloneRequest& request, const CloneSource& source, const std::string& pool, const Site& site,
           const CommonFlags& flags, Facts facts) {
    HostDrivers host = make_host_drivers(site);
    Drivers drivers = host.drivers();
    for (int attempt = 1;; ++attempt) {
        const ClonePlan clone =
            plan_now(request, source, pool, site, facts, attempt == 1 ? 0 : system_random()() % 64);
        if (attempt == 1)
            for (const auto& warning : clone.warnings) log::warn("{}: {}", request.name, warning);
        Report report = execute({clone.plan}, drivers, executor_options(flags));
        report.verb = "clone";
        if (!report.outcomes.front().stale || attempt == attempts) return report;
        facts = look(pool, site, flags);
    }
}

}  // namespace

int clone_vm(const CloneRequest& request, const CommonFlags& flags) {
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    if (!flags.dry_run) require_root();
    if (request.forget) return forget(request, pool, site, flags);
    const Facts facts = look(pool, site, flags);
    const SourceName name = find_source(request.source, facts);
    if (name.kind == SourceName::Kind::image) return clone_image(request, name.name, site, flags);
    refuse_image_flags(request);
    CloneSource source;
    if (name.kind == SourceName::Kind::remote) {
        int status = 0;
        if (!fetch(request, pool, site, facts, flags, status)) return status;
        if (request.options.exact && fetched::read(pool, request.name).value_or(fetched::Fact{}).changed)
            throw Error(ErrorKind::refused,
                        "what was read for " + request.name + " has been made another server since",
                        "read it anew: clara-vm-clone --forget, then this command again");
        source = fetched_source(request.source, request.name, pool);
    } else {
        source = read_source(name, request.format, pool, site, facts);
    }
    if (!flags.dry_run) return show_report(run(request, source, pool, site, flags, facts), flags);
    const ClonePlan clone = plan_now(request, source, pool, site, facts, 0);
    for (const auto& warning : clone.warnings) log::warn("{}: {}", request.name, warning);
    return show_plans({"clone", {clone.plan}, {}}, flags);
}

}  // namespace clara

#include "clara/drivers/host_facts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>

#include "clara/base/direct_io.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/libvirt/accelerator.hpp"
#include "clara/drivers/libvirt/states.hpp"
#include "clara/drivers/lxc/states.hpp"
#include "clara/drivers/network/bridge.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/lease.hpp"
#include "clara/drivers/storage/snapshot_list.hpp"

namespace clara {
namespace {

constexpr std::size_t looks_at_once = 16;  // each is a process

PathFact fact_of(PathState state) {
    switch (state) {
        case PathState::ok:
            return {PathFact::State::ok};
        case PathState::stale:
            return {PathFact::State::stale};
        case PathState::hung:
            return {PathFact::State::hung};
        case PathState::absent:
            break;
    }
    return {PathFact::State::absent};
}

/// Containers, ours or not: folders in LXC's path with a config.
std::set<std::string> defined_containers(const std::string& lxc_path) {
    std::set<std::string> names;
    if (!exists(lxc_path)) return names;
    for (const std::string& name : list_dir(lxc_path))
        if (exists(lxc_path + "/" + name + "/config")) names.insert(name);
    return names;
}

constexpr std::size_t domain_xml_limit = 4 << 20;  // bytes

/// What libvirt says of KVM guests. A pool without any does not ask: that costs the loading of libvirt.
void add_domains(const Site& site, const FactsRequest& request, Facts& facts) {
    std::set<std::string> names;
    for (const auto& [name, guest] : facts.guests)
        if (kind_of(name, facts) == "kvm") names.insert(name);
    const bool leftover = std::any_of(facts.leftovers.begin(), facts.leftovers.end(),
                                      [&](const auto& name) { return kind_of(name, facts) == "kvm"; });
    if (names.empty() && !leftover && !request.kvm) return;
    std::map<std::string, DomainFact> domains;
    try {
        domains = domain_states(site);
    } catch (const Error& e) {  // planners say so where it matters; containers are none of libvirt's business
        facts.libvirt_problem = e.message();
        facts.libvirt_hint = e.hint();
        for (const auto& name : names) facts.guests[name].state = GuestState::unknown;
        return;
    }
    for (const auto& [name, domain] : domains) {
        facts.kvm_defined.insert(name);
        if (!names.count(name)) continue;
        GuestFact& guest = facts.guests[name];
        guest.state = domain.state;
        guest.condition = domain.condition;
        guest.uptime_s = domain.uptime_s;
        guest.memory = domain.memory;
        guest.cpu_s = domain.cpu_s;
    }
    for (const auto& name : names) {
        if (facts.kvm_defined.count(name)) continue;
        const std::string copy = pool::guest(request.pool, name) + "/domain.xml";
        if (::access(copy.c_str(), R_OK) != 0 && errno == EACCES)
            continue;  // not root: a listing needs it not
        if (auto xml = read_file(copy, domain_xml_limit)) facts.domain_xml[name] = std::move(*xml);
    }
}

/// Which containers run here.
void add_containers(const Site& site, std::map<std::string, GuestFact>& guests) {
    for (const auto& [name, now] : lxc_states(site)) {
        auto it = guests.find(name);
        if (it == guests.end() || it->second.kind == "kvm") continue;  // somebody else's container
        it->second.state = now.state;
        it->second.init_pid = now.init_pid;
        it->second.uptime_s = now.uptime_s;
        it->second.memory = now.memory;
        it->second.cpu_s = now.cpu_s;
    }
}

/// What another host that shares the pool has a lease of.
void add_leases(const std::string& pool, std::map<std::string, GuestFact>& guests) {
    const std::string here = this_host();
    for (auto& [name, guest] : guests) {
        if (guest.state != GuestState::stopped && guest.state != GuestState::unknown) continue;
        const std::string folder = pool::guest(pool, name);
        Fd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!dir && errno == ENOENT) continue;  // destroyed since it was listed
        if (!dir) throw system_error("cannot open " + folder, errno);
        auto lease = read_lease(dir.get());
        if (lease && lease->host != here) guest.lease_holder = lease->host;
    }
}

}  // namespace

std::map<std::string, PathFact> probe_paths(const std::set<std::string>& paths,
                                            std::chrono::milliseconds deadline, PathLook look) {
    std::map<std::string, PathFact> facts;
    for (auto next = paths.begin(); next != paths.end();) {
        std::map<std::string, std::future<PathState>> looks;
        for (; next != paths.end() && looks.size() < looks_at_once; ++next)
            looks[*next] = std::async(std::launch::async, probe_path, *next, deadline, look);
        for (auto& [path, state] : looks) facts[path] = fact_of(state.get());
    }
    return facts;
}

Facts gather_facts(const Site& site, const FactsRequest& request) {
    Facts facts;
    facts.hostname = this_host();
    // man cgroups: the file is in the root of a v2 tree only; hybrid hosts run LXC's limits on v1.
    facts.cgroup_version = exists("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1;
    facts.apparmor = read_file("/sys/module/apparmor/parameters/enabled").value_or("").starts_with('Y');
    PoolIndex pool = read_pool(request.pool, request.remember);
    facts.guests = std::move(pool.guests);
    for (const auto& name : request.disks)
        if (facts.guests.count(name)) facts.disks[name] = read_disk_fact(request.pool, name);
    facts.book = std::move(pool.book);
    facts.leftovers = std::move(pool.leftovers);
    add_containers(site, facts.guests);
    add_domains(site, request, facts);
    add_leases(request.pool, facts.guests);
    facts.pool_free = pool.free;
    ImageList images = list_images(request.pool);
    facts.images = std::move(images.images);
    facts.broken_images = std::move(images.broken);
    facts.bridges = bridges();
    facts.lxc_defined = defined_containers(site.lxc_path);
    facts.paths = probe_paths(request.paths, request.path_deadline);
    if (request.kvm) {
        facts.accelerator = accelerator(site, request.remember);
        facts.direct_io = takes_direct_io(request.pool);
    }
    if (request.helpers) {
        facts.hook = helper_path("clara-lxc-hook");
        helper_path("clara-init");  // the hook needs it
        if (request.kvm) facts.share_helper = helper_path("clara-virtiofsd");
    }
    return facts;
}

}  // namespace clara

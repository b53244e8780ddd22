#include "clara/drivers/host_facts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <future>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/images/store.hpp"
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

/// What runs here, and what another host that shares the pool has a lease of.
void add_run_state(const Site& site, const std::string& pool, std::map<std::string, GuestFact>& guests) {
    for (const auto& [name, now] : lxc_states(site)) {
        auto it = guests.find(name);
        if (it == guests.end()) continue;  // somebody else's container
        it->second.state = now.state;
        it->second.init_pid = now.init_pid;
        it->second.uptime_s = now.uptime_s;
        it->second.memory = now.memory;
        it->second.cpu_s = now.cpu_s;
    }
    const std::string here = this_host();
    for (auto& [name, guest] : guests) {
        if (guest.state != GuestState::stopped) continue;
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
    add_run_state(site, request.pool, facts.guests);
    for (const auto& name : request.disks)
        if (facts.guests.count(name)) facts.disks[name] = read_guest_disk(request.pool, name);
    facts.book = std::move(pool.book);
    facts.leftovers = std::move(pool.leftovers);
    facts.pool_free = pool.free;
    ImageList images = list_images(request.pool);
    facts.images = std::move(images.images);
    facts.broken_images = std::move(images.broken);
    facts.bridges = bridges();
    facts.lxc_defined = defined_containers(site.lxc_path);
    facts.paths = probe_paths(request.paths, request.path_deadline);
    if (request.helpers) {
        facts.hook = helper_path("clara-lxc-hook");
        helper_path("clara-init");  // the hook needs it
    }
    return facts;
}

}  // namespace clara

#include "clara/drivers/host_facts.hpp"

#include <unistd.h>

#include <algorithm>
#include <future>
#include <iterator>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/network/bridge.hpp"
#include "clara/drivers/storage/index.hpp"

namespace clara {
namespace {

constexpr std::size_t looks_at_once = 16;  // each is a process

std::string host_name() {
    char name[256];
    if (::gethostname(name, sizeof name) != 0) throw system_error("cannot tell this host's name", errno);
    name[sizeof name - 1] = '\0';
    return name;
}

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
    facts.hostname = host_name();
    facts.root = ::geteuid() == 0;
    // man cgroups: the file is in the root of a v2 tree only; hybrid hosts run LXC's limits on v1.
    facts.cgroup_version = exists("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1;
    facts.apparmor = read_file("/sys/module/apparmor/parameters/enabled").value_or("").starts_with('Y');
    PoolIndex pool = read_pool(request.pool);
    facts.guests = std::move(pool.guests);
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
        facts.init = helper_path("clara-init");
    }
    return facts;
}

}  // namespace clara

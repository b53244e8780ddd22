#include "clara/ops/host_paths.hpp"

#include "clara/base/error.hpp"

namespace clara {

std::vector<std::string> needed_paths(const GuestSpec& spec) {
    std::vector<std::string> paths;
    const Mount* home = nullptr;  // the mount that st.cmd lies on: the longest that fits
    for (const auto& mount : spec.mounts) {
        if (!mount.optional) paths.push_back(mount.host);
        if (!spec.ioc || spec.ioc->st_cmd.rfind(mount.guest + "/", 0) != 0) continue;
        if (!home || mount.guest.size() > home->guest.size()) home = &mount;
    }
    for (const auto& device : spec.devices) paths.push_back(device.host);
    if (home && !home->optional) paths.push_back(home->host + spec.ioc->st_cmd.substr(home->guest.size()));
    return paths;
}

void check_paths(const GuestSpec& spec, const Facts& facts) {
    for (const auto& path : needed_paths(spec)) {
        auto found = facts.paths.find(path);
        auto state = found == facts.paths.end() ? PathFact::State::absent : found->second.state;
        if (state == PathFact::State::absent)
            throw Error(ErrorKind::refused, path + " is missing on this host",
                        "mount it, or mend the path, or mark the mount optional");
        if (state == PathFact::State::stale)
            throw Error(ErrorKind::refused, path + " is stale (the server behind it has changed)",
                        "umount and mount it again");
        if (state == PathFact::State::hung)
            throw Error(ErrorKind::refused, path + " does not answer",
                        "look at the server behind the mount; umount -l frees it");
    }
}

}  // namespace clara

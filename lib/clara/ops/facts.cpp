#include "clara/ops/facts.hpp"

#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/spec/names.hpp"

namespace clara {

const char* to_string(GuestState state) {
    switch (state) {
        case GuestState::stopped:
            return "stopped";
        case GuestState::starting:
            return "starting";
        case GuestState::running:
            return "running";
        case GuestState::stopping:
            return "stopping";
        case GuestState::leftover:
            return "leftover";
        case GuestState::unknown:
            break;
    }
    return "unknown";
}

std::string kind_of(const std::string& name, const Facts& facts) {
    auto guest = facts.guests.find(name);
    if (guest != facts.guests.end() && !guest->second.kind.empty()) return guest->second.kind;
    for (const auto& entry : facts.book)
        if (entry.name == name) return entry.kind;
    return "lxc";
}

const GuestFact& known_guest(const std::string& name, const Facts& facts) {
    auto guest = facts.guests.find(name);
    if (guest != facts.guests.end()) return guest->second;
    std::vector<std::string> names;
    for (const auto& [known, fact] : facts.guests) names.push_back(known);
    auto near = nearest(name, names);
    throw Error(ErrorKind::usage, "there is no such guest",
                near.empty() ? "clara-list shows them" : fmt::format("did you mean '{}'?", near));
}

void check_owner(const GuestFact& guest) {
    if (!guest.lease_holder.empty())
        throw Error(ErrorKind::busy, fmt::format("{} runs on host {}", guest.name, guest.lease_holder),
                    fmt::format("do it there: ssh {}", guest.lease_holder));
}

const DiskFact& disk_of(const std::string& name, const Facts& facts) {
    static const DiskFact none;
    auto disk = facts.disks.find(name);
    return disk == facts.disks.end() ? none : disk->second;
}

std::vector<std::string> kept_by_rollbacks(const std::string& name, const Facts& facts) {
    std::vector<std::string> names;
    for (const auto& snapshot : disk_of(name, facts).snapshots)
        if (is_rollback_name(snapshot.info.name)) names.push_back(snapshot.info.name);
    return names;
}

}  // namespace clara

#include "clara/ops/create_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

// What a guest needs at once: a formatted disk, its files and guest.yaml (measured: 0.7 MB), with room to
// breathe.
constexpr std::uint64_t room_needed = 4 << 20;

[[noreturn]] void refuse(std::string message, std::string hint) {
    throw Error(ErrorKind::refused, std::move(message), std::move(hint));
}

/// Images that could be meant: of the name, for the other kind of guest.
bool other_kind_has(const GuestSpec& spec, const Facts& facts) {
    return std::any_of(facts.images.begin(), facts.images.end(), [&](const ImageInfo& image) {
        return image.kind != spec.kind && (image.id() == spec.image || image.name == spec.image);
    });
}

[[noreturn]] void refuse_image(const GuestSpec& spec, const std::vector<std::string>& names,
                               const Facts& facts) {
    const std::string name = spec.image.substr(0, spec.image.find('@'));
    const std::string build =
        fmt::format("clara-image build {}{}", name, spec.kind == "lxc" ? "" : " --kind " + spec.kind);
    if (other_kind_has(spec, facts))
        refuse(fmt::format("image {} is not there for {} guests", spec.image, spec.kind), build);
    auto near = nearest(spec.image, names);
    refuse(fmt::format("image {} is not in {}", spec.image, spec.pool),
           near.empty() ? build + ", or clara-image list" : fmt::format("did you mean {}?", near));
}

}  // namespace

void check_name(const GuestSpec& spec, const Facts& facts) {
    if (auto problem = name_problem(spec.name); !problem.empty())
        throw Error(ErrorKind::usage, fmt::format("'{}' is no name for a guest: {}", spec.name, problem),
                    "e.g. magnets, bpm01");
    if (facts.guests.count(spec.name))
        refuse(fmt::format("guest {} exists already in {}", spec.name, spec.pool),
               "choose another name, or remove it first: clara-destroy " + spec.name);
    const bool ours = facts.leftovers.count(spec.name) > 0;
    if (facts.lxc_defined.count(spec.name) && !ours)
        refuse(fmt::format("a container {} exists already, and no guest of this pool", spec.name),
               "choose another name");
    if (facts.kvm_defined.count(spec.name) && !ours)
        refuse(fmt::format("a domain {} exists already, and no guest of this pool", spec.name),
               "choose another name");
    bool in_book = std::any_of(facts.book.begin(), facts.book.end(),
                               [&](const BookEntry& e) { return e.name == spec.name; });
    if (in_book && !ours)
        throw Error(ErrorKind::busy, fmt::format("{} is being created by somebody else right now", spec.name),
                    "wait for it (clara-list), or choose another name");
}

const ImageInfo& image_for(const GuestSpec& spec, const Facts& facts) {
    const ImageInfo* found = nullptr;
    std::vector<std::string> names;
    for (const auto& image : facts.images) {
        if (image.kind != spec.kind) continue;
        names.push_back(image.name);
        if (image.id() != spec.image && image.name != spec.image) continue;
        if (!found || image.created > found->created) found = &image;
    }
    for (const auto& id : facts.broken_images)
        if (id == spec.image || (!found && id.rfind(spec.image + "@", 0) == 0))
            refuse(fmt::format("image {} is damaged: its file does not fit its image.yaml", id),
                   fmt::format("clara-image verify {}, then build or import it again", id));
    if (!found) refuse_image(spec, names, facts);
    return *found;
}

void check_pvs(const CreateItem& item, const Facts& facts, bool allowed) {
    if (allowed) return;
    for (const auto& pv : item.pvs)
        if (auto served = facts.pv_served.find(pv); served != facts.pv_served.end())
            refuse(fmt::format("PV {} is served already by {}", pv, served->second),
                   "stop that IOC, change the macros, or say --allow-duplicate-pv");
}

void check_second_ioc(const GuestSpec& copy, const std::string& what, const Network& network, bool allowed) {
    if (!copy.ioc || network.isolated || allowed) return;
    refuse(
        fmt::format("{} is an IOC, and its copy would serve the same PVs on network {}", what, network.name),
        "put it on an isolated network, or say --allow-duplicate-pv");
}

void check_room(const GuestSpec& spec, const Facts& facts) {
    if (facts.pool_free < room_needed)
        refuse(fmt::format("pool {} is full: {} KiB left", spec.pool, facts.pool_free >> 10),
               "make room, or take another --pool");
}

}  // namespace clara

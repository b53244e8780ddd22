#include <fmt/format.h>

#include "clara/plan/plan.hpp"

namespace clara {
namespace {

/// Verb in both forms and the object, so that both sentences come from one place.
struct Sentence {
    const char* before;
    const char* during;
    std::string object;
};

const char* noun(const std::string& kind) {
    return kind == "kvm" ? "domain" : "container";
}

std::string size_text(std::uint64_t bytes) {
    for (auto [unit, name] : {std::pair{1ULL << 30, "GiB"}, {1ULL << 20, "MiB"}, {1ULL << 10, "KiB"}})
        if (bytes >= unit && bytes % unit == 0) return fmt::format("{} {}", bytes / unit, name);
    return fmt::format("{} B", bytes);
}

struct Teller {
    Sentence operator()(const ClearLeftover& a) const {
        return {"Clear", "Clearing",
                fmt::format("what an interrupted create of {} left in {}", a.name, a.pool)};
    }
    Sentence operator()(const EnsureBridge& a) const {
        return {"Make", "Making",
                fmt::format("sure that bridge {} is up with {}", a.bridge, a.address.str())};
    }
    Sentence operator()(const ReserveAddress& a) const {
        return {"Reserve", "Reserving",
                fmt::format("address {} ({}) on {} for {}", a.address.str(), a.mac.str(), a.network, a.name)};
    }
    Sentence operator()(const ReleaseAddress& a) const {
        return {"Release", "Releasing", "the address of " + a.name};
    }
    Sentence operator()(const MakeDisk& a) const {
        std::string disks = "disk of " + size_text(a.size);
        if (!a.image.empty()) disks += (a.full ? ", a copy of image " : " linked to image ") + a.image;
        for (auto size : a.more) disks += ", another of " + size_text(size);
        return {"Create", "Creating", fmt::format("{} for {} in {}", disks, a.name, a.pool)};
    }
    Sentence operator()(const CopyDisks& a) const {
        std::string disks;
        for (const auto& disk : a.disks) {
            disks += fmt::format("{} {} to {}", disks.empty() ? "" : ",", disk.source, disk.file);
            if (!disk.image.empty()) disks += " linked to image " + disk.image;
        }
        return {
            "Copy", "Copying",
            fmt::format("the disks of {}{}:{}", a.from, a.domain.empty() ? "" : ", which runs on", disks)};
    }
    Sentence operator()(const FetchDisk& a) const {
        return {"Read", "Reading", fmt::format("{} into {}/incoming", a.url, a.pool)};
    }
    Sentence operator()(const DropFetched& a) const {
        return {"Remove", "Removing",
                fmt::format("what was fetched for {} from {}/incoming", a.name, a.pool)};
    }
    Sentence operator()(const GiveIdentity& a) const {
        std::string address;
        if (a.identity.address) address = ", " + a.identity.address->address.str();
        return {"Make", "Making", fmt::format("it a server of its own: {}{}", a.identity.hostname, address)};
    }
    Sentence operator()(const FillDisk& a) const {
        std::string files;
        for (const auto& file : a.files) files += " " + file.path;
        return {"Write", "Writing", fmt::format("{} files into it:{}", a.files.size(), files)};
    }
    Sentence operator()(const WriteSpec& a) const {
        return {"Write", "Writing",
                !a.spec.image.empty()       ? fmt::format("guest.yaml (image {})", a.spec.image)
                : !a.spec.installer.empty() ? "guest.yaml (installer " + a.spec.installer + ")"
                                            : "guest.yaml"};
    }
    Sentence operator()(const DefineGuest& a) const {
        return {"Define", "Defining", fmt::format("{} {} in {}", noun(a.kind), a.name, a.home)};
    }
    Sentence operator()(const UndefineGuest& a) const {
        return {"Remove", "Removing", fmt::format("{} {} from {}", noun(a.kind), a.name, a.home)};
    }
    Sentence operator()(const PublishGuest& a) const {
        return {"Publish", "Publishing", fmt::format("{}/guests/{}", a.pool, a.name)};
    }
    Sentence operator()(const StartGuest& a) const { return {"Start", "Starting", a.name}; }
    Sentence operator()(const ProveGuest& a) const {
        return {"Wait", "Waiting",
                fmt::format("until {} answers on its ports, at most {} s", a.spec.nic.subnet.address.str(),
                            static_cast<double>(a.timeout.count()) / 1000)};
    }
    Sentence operator()(const StopGuest& a) const {
        return {
            "Stop", "Stopping",
            fmt::format("{}, by force after {} s", a.name, static_cast<double>(a.timeout.count()) / 1000)};
    }
    Sentence operator()(const RestartIoc& a) const {
        return {"Restart", "Restarting", "the IOC of " + a.name + " under procServ"};
    }
    Sentence operator()(const RemoveGuest& a) const {
        return {"Delete", "Deleting", fmt::format("{}/guests/{}", a.pool, a.name)};
    }
    Sentence operator()(const WakeGuest& a) const {
        return {"Start", "Starting", fmt::format("{} with the memory of snapshot {}", a.name, a.snapshot)};
    }
    Sentence operator()(const KeepState& a) const {
        const std::string what = a.memory  ? "memory and disks of " + a.name + ", which stands still for it,"
                                 : a.disks ? "the disks of " + a.name + ", while it runs,"
                                           : "the definition of " + a.name;
        return {"Keep", "Keeping", fmt::format("{} as snapshot {}", what, a.snapshot)};
    }
    Sentence operator()(const DropStates& a) const {
        return {"Take", "Taking", "what no snapshot needs out of the disks of " + a.name};
    }
    Sentence operator()(const ForgetBackups& a) const {
        return {"Forget", "Forgetting",
                "the backups of " + a.name + " that others would be based on: the next one is a full one"};
    }
    Sentence operator()(const MakeSnapshot& a) const {
        if (a.kind == "kvm")
            return {"Keep", "Keeping",
                    fmt::format("{}guest.yaml of {} as snapshot {}", a.running ? "" : "disks and ", a.name,
                                a.info.name)};
        return {"Copy", "Copying",
                fmt::format("disk and guest.yaml of {} as snapshot {}{}", a.name, a.info.name,
                            a.mount.empty() ? "" : ", while it runs")};
    }
    Sentence operator()(const PublishSnapshot& a) const {
        return {"Check", "Checking", fmt::format("and publish snapshot {} of {}", a.snapshot, a.name)};
    }
    Sentence operator()(const RemoveSnapshot& a) const {
        return {"Delete", "Deleting", fmt::format("snapshot {} of {}", a.snapshot, a.name)};
    }
    Sentence operator()(const PrepareRollback& a) const {
        if (a.kind == "kvm")
            return {"Look", "Looking", fmt::format("whether snapshot {} of {} is whole", a.snapshot, a.name)};
        return {"Copy", "Copying",
                fmt::format("and check the disk of snapshot {} of {}", a.snapshot, a.name)};
    }
    Sentence operator()(const SwitchDisk& a) const {
        if (a.kind == "kvm")
            return {"Take", "Taking",
                    fmt::format("the disks of {} back to snapshot {}; as they are now they are kept as {}",
                                a.name, a.snapshot, a.kept.name)};
        return {"Put", "Putting",
                fmt::format("it in the place of the disk of {}, which is kept as snapshot {}", a.name,
                            a.kept.name)};
    }
    Sentence operator()(const CopyImage& a) const {
        return {"Copy", "Copying", fmt::format("image {} from {} to {}", a.image, a.from, a.to)};
    }
    Sentence operator()(const MakePoint& a) const {
        const std::string how = !a.bitmap.empty()        ? "what has changed since " + a.info.parent
                                : !a.info.parent.empty() ? "all, and keep what differs from " + a.info.parent
                                                         : "all";
        return {"Back up", "Backing up",
                fmt::format("{}{} as {}/backups/{}/{}: read {}", a.name, a.running ? ", which runs on," : "",
                            a.store, a.name, a.info.name, how)};
    }
    Sentence operator()(const ProvePoint& a) const {
        return {"Read", "Reading",
                fmt::format("it again from the store and look through it{}",
                            a.last_good.empty() ? "" : ", beside " + a.last_good)};
    }
    Sentence operator()(const PublishPoint& a) const {
        return {"Publish", "Publishing", fmt::format("restore point {} of {}", a.point, a.name)};
    }
    Sentence operator()(const RemovePoint& a) const {
        return {"Remove", "Removing", fmt::format("restore point {} of {} ({})", a.point, a.name, a.reason)};
    }
    Sentence operator()(const RestorePoint& a) const {
        if (a.overlay)
            return {"Make", "Making",
                    fmt::format("disks for {} in {} that stand on restore point {} of {}", a.name, a.pool,
                                a.point, a.guest)};
        return {"Copy", "Copying",
                fmt::format("the disks of restore point {} of {} for {} in {}", a.point, a.guest, a.name,
                            a.pool)};
    }
    Sentence operator()(const HoldPoint& a) const {
        if (!a.hold) return {"Release", "Releasing", fmt::format("restore point {} of {}", a.point, a.guest)};
        return {"Hold", "Holding",
                fmt::format("restore point {} of {}, which {} stands on", a.point, a.guest, a.holder)};
    }
    Sentence operator()(const AbsorbPoint& a) const {
        return {"Copy", "Copying",
                fmt::format("all that the disks of {} have in {} beside them", a.name, a.store)};
    }
    Sentence operator()(const CopyPoint& a) const {
        return {"Copy", "Copying",
                fmt::format("restore point {} of {} to {}, {}, and read it again there", a.point, a.guest,
                            a.to, a.base.empty() ? "as a full one" : "based on " + a.base)};
    }
    Sentence operator()(const RemoveBridge& a) const {
        return {"Remove", "Removing", fmt::format("bridge {}", a.bridge)};
    }
    Sentence operator()(const SwapGuest& a) const {
        return {"Put", "Putting",
                fmt::format("it in the place of {}, which is kept as .{}.replaced", a.name, a.name)};
    }
    Sentence operator()(const DropReplaced& a) const {
        return {"Remove", "Removing",
                fmt::format("what was replaced: {}/guests/.{}.replaced", a.pool, a.name)};
    }
};

}  // namespace

std::string describe(const Action& action) {
    auto s = std::visit(Teller{}, action);
    return fmt::format("{} {}", s.before, s.object);
}

std::string describe_running(const Action& action) {
    auto s = std::visit(Teller{}, action);
    return fmt::format("{} {}", s.during, s.object);
}

std::string print(const Plan& plan) {
    std::string text = fmt::format("{} {}:{}\n", plan.verb, plan.guest,
                                   plan.empty()        ? " nothing to do"
                                   : plan.note.empty() ? ""
                                                       : " " + plan.note);
    int number = 0;
    for (const auto& action : plan.actions) text += fmt::format("  {:2}. {}\n", ++number, describe(action));
    return text;
}

}  // namespace clara

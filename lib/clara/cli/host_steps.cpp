#include "clara/cli/host_steps.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/network/bridge.hpp"
#include "clara/drivers/storage/mount.hpp"

namespace clara {
namespace {

/// What we make in a pool (design.md, "A guest on disk").
constexpr const char* pool_folders[] = {"guests", "images", "locks", "cache"};
constexpr const char* pool_files[] = {"book.json", "book.lock", "audit.log"};

void check_kernel() {
    std::string known = read_file("/proc/filesystems", 1 << 16).value_or("");
    for (const char* type : {"overlay", "erofs", "ext4"})
        if (known.find(fmt::format("\t{}\n", type)) == std::string::npos)
            throw Error(ErrorKind::refused, fmt::format("this kernel has no {} file system", type),
                        fmt::format("modprobe {}", type));
}

constexpr const char* libvirt_folder = "/etc/libvirt";
const std::string hook_folder = "/etc/libvirt/hooks/qemu.d";  // libvirt 6.5 and later
const std::string hook_link = hook_folder + "/50-clara";

/// Empty where it is no link.
std::string link_target(const std::string& path) {
    char target[4096];
    const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
    return size < 0 ? "" : std::string(target, static_cast<std::size_t>(size));
}

void link_hook(const std::string& helper) {
    make_dirs(hook_folder);
    const std::string partial = hook_folder + "/.50-clara.partial";
    if (::unlink(partial.c_str()) != 0 && errno != ENOENT)
        throw system_error("cannot remove " + partial, errno);
    if (::symlink(helper.c_str(), partial.c_str()) != 0 || ::rename(partial.c_str(), hook_link.c_str()) != 0)
        throw system_error("cannot link " + hook_link, errno);
    // It looks for hooks once (virHookInitialize).
    log::info("a libvirtd that runs sees the hook after systemctl restart libvirtd; guests run on meanwhile");
}

void unlink_hook() {
    if (::unlink(hook_link.c_str()) != 0 && errno != ENOENT)
        throw system_error("cannot remove " + hook_link, errno);
}

void add_hook_step(std::vector<HostStep>& steps) {
    if (!exists(libvirt_folder)) return;
    const std::string helper = helper_path("clara-libvirt-hook");
    if (link_target(hook_link) == helper) return;
    steps.push_back({fmt::format("Link {} to {}", hook_link, helper), [helper] { link_hook(helper); }});
}

void remove_entries(const std::string& folder, const std::vector<std::string>& names) {
    Fd dir = open_dir(folder);
    for (const auto& name : names) remove_tree_at(dir.get(), name);
}

}  // namespace

std::vector<HostStep> prepare_steps(const Site& site, const std::string& pool) {
    check_kernel();
    std::vector<HostStep> steps;
    for (const char* name : pool_folders)
        if (std::string folder = pool + "/" + name; !exists(folder))
            steps.push_back({"Make folder " + folder, [folder] { make_dirs(folder); }});
    for (const auto& network : site.networks) {
        auto addresses = addresses_of(network.bridge);
        if (!network.managed || addresses.count(network.subnet)) continue;
        EnsureBridge bridge{network.bridge, network.subnet, network.isolated};
        steps.push_back({describe(bridge), [bridge] { BridgeDriver().ensure_bridge(bridge); }});
    }
    add_hook_step(steps);
    return steps;
}

std::vector<HostStep> clean_steps(const Site& site, const std::string& pool) {
    const Facts facts = gather_facts(site, {.pool = pool, .helpers = false});
    for (const auto& [name, guest] : facts.guests)
        if (guest.state != GuestState::stopped)
            throw Error(ErrorKind::refused, fmt::format("{} is {}", name, to_string(guest.state)),
                        "clara-stop --all, then clean");
    std::vector<HostStep> steps;
    const std::string images = site.run_dir + "/images";
    if (exists(images))
        for (const auto& id : list_dir(images))
            // Mapped copies of a mount go as it does; the order does not matter.
            for (const auto& place : list_dir(images + "/" + id))
                if (std::string target = images + "/" + id + "/" + place; is_mount_point(target))
                    steps.push_back({"Unmount " + target, [target] { unmount(target); }});
    for (const auto& network : site.networks) {
        bool used = std::any_of(facts.guests.begin(), facts.guests.end(),
                                [&](const auto& entry) { return entry.second.network == network.name; });
        if (!network.managed || used || !facts.bridges.count(network.bridge)) continue;
        std::string bridge = network.bridge;
        steps.push_back({"Remove bridge " + bridge, [bridge] { BridgeDriver().remove_bridge(bridge); }});
    }
    const bool machines = std::any_of(facts.guests.begin(), facts.guests.end(), [&](const auto& entry) {
        return kind_of(entry.first, facts) == "kvm";
    });
    if (!machines && !link_target(hook_link).empty()) steps.push_back({"Remove " + hook_link, unlink_hook});
    if (!facts.guests.empty() || !facts.images.empty() || !facts.leftovers.empty() || !exists(pool))
        return steps;
    std::vector<std::string> ours;
    for (const auto& name : list_dir(pool))
        if (std::count(std::begin(pool_folders), std::end(pool_folders), name) ||
            std::count(std::begin(pool_files), std::end(pool_files), name))
            ours.push_back(name);
    if (!ours.empty())
        steps.push_back(
            {fmt::format("Delete {} in {}, which has neither guest nor image", fmt::join(ours, ", "), pool),
             [pool, ours] { remove_entries(pool, ours); }});
    return steps;
}

}  // namespace clara

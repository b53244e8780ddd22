// What clara-host does to the host as a whole: steps that are printed by --dry-run and else run in order.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "clara/spec/site.hpp"

namespace clara {

struct HostStep {
    std::string text;  ///< "Make folder /var/lib/clara/guests"
    std::function<void()> run;
};

/// Only what is missing: pool folders, managed bridges, and where libvirt is installed our hook.
/// Error{refused}: the kernel lacks a file system.
std::vector<HostStep> prepare_steps(const Site& site, const std::string& pool);

/// Unmounts the images of this boot; removes managed bridges that no guest of the pool needs, our hook where
/// no KVM guest is left, and what else we keep in a pool that has neither guest nor image. Error{refused}
/// while a guest runs.
std::vector<HostStep> clean_steps(const Site& site, const std::string& pool);

}  // namespace clara

// What a new domain's processors are: the machine's own (kvm), or emulated (qemu).
#pragma once
#include <chrono>
#include <string>

#include "clara/drivers/libvirt/kvm_guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

using KvmTest = int (*)(const char* device);  ///< as run_kvm_guest

/// The test in a child process: empty where that worked within the time, else why not, e.g. "it does not
/// answer". A /dev/kvm that is there may hang (a machine that is itself virtual).
std::string kvm_problem(std::chrono::milliseconds deadline = std::chrono::seconds(2),
                        const std::string& device = "/dev/kvm", KvmTest test = run_kvm_guest);

/// "kvm" or "qemu" as the site's `hypervisor` says; with auto kvm_problem() decides, once a boot: RUN/kvm
/// keeps that with `remember` (a dry run keeps nothing). Error{refused} where the site insists on a kvm that
/// does not work.
std::string accelerator(const Site& site, bool remember);

}  // namespace clara

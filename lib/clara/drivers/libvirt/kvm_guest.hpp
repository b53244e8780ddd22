// The smallest guest that shows whether KVM can run an operating system.
#pragma once
#include <cstddef>

namespace clara {

/// Makes a virtual machine on the device, e.g. /dev/kvm, which goes the way of every kernel: real mode,
/// protected mode, long mode with paging, an exception through its own table, a byte through a port, halt.
/// Real mode alone tells nothing: a nested KVM was seen to run firmware and to hang in any kernel. 0, or the
/// step that failed. It may never return, so it is run in a child process; it makes async-signal-safe calls
/// only.
int run_kvm_guest(const char* device);

/// What a step that failed means, e.g. "it makes no virtual machine".
const char* kvm_step_text(int step);

}  // namespace clara

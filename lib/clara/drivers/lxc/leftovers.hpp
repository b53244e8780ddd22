// What is left of a container whose processes were all killed, and that its next start would trip over.
#pragma once
#include <string>

namespace clara {

/// Its empty control groups: beside them LXC would make NAME-1. One in use stays.
void clear_groups(const std::string& name);

/// Its end of the veth pair: the kernel takes a network namespace apart some time after its last process.
void clear_interface(const std::string& name);

}  // namespace clara

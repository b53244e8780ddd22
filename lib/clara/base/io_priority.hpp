// Work that may wait.
#pragma once

namespace clara {

/// From here on this process reads and writes disks behind all others, as `ionice -c 2 -n 7` has it: threads
/// and programs that it starts as well. Where the kernel says no, that is a warning.
void stand_back();

}  // namespace clara

// Who runs this tool, for the audit line.
#pragma once
#include <string>

namespace clara {

/// "alice (sudo) from 10.1.2.3, pid 412" or "root on tty, pid 412".
std::string caller();

}  // namespace clara

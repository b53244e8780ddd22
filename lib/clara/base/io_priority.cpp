#include "clara/base/io_priority.hpp"

#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/log.hpp"

namespace clara {
namespace {

constexpr int lowest = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7);  // of those that are sure to get on

}  // namespace

void stand_back() {
    if (::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, lowest) != 0)
        log::warn("{}", system_error("cannot lower the priority of disk access", errno).message());
}

}  // namespace clara

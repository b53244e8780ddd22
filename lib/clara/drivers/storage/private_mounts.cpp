#include "clara/drivers/storage/private_mounts.hpp"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <exception>
#include <thread>

#include "clara/base/error.hpp"

namespace clara {
namespace {

// Nobody's disk lies below /sys.
constexpr const char* stage = "/sys";

void enter() {
    // Threads of a process share no namespaces but those they were born with: the others stay where they are.
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700,size=1m") != 0)
        throw system_error("cannot make a mount namespace", errno);
}

}  // namespace

void in_private_mounts(const std::function<void(const std::string& stage)>& work) {
    std::exception_ptr failure;
    std::thread([&] {
        try {
            enter();
            work(stage);
        } catch (...) {
            failure = std::current_exception();
        }
    }).join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace clara

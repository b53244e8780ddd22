#include "clara/drivers/libvirt/accelerator.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/storage/lease.hpp"

namespace clara {
namespace {

constexpr std::size_t memo_limit = 4096;  // bytes

}  // namespace

std::string kvm_problem(std::chrono::milliseconds deadline, const std::string& device, KvmTest test) {
    const char* path = device.c_str();
    const pid_t child = ::fork();
    if (child < 0) throw system_error("cannot fork", errno);
    if (child == 0) {  // async-signal-safe calls only
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::_exit(test(path));
    }
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    if (!handle) {
        const int why = errno;
        ::kill(child, SIGKILL);
        throw system_error("cannot watch a child process", why);
    }
    const auto end = std::chrono::steady_clock::now() + deadline;
    pollfd wait{handle.get(), POLLIN, 0};
    int ready = 0;
    do {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        ready = ::poll(&wait, 1, left > 0 ? static_cast<int>(left) : 0);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        ::kill(child, SIGKILL);  // one that hangs in the kernel stays: init reaps it when it can
        ::waitpid(child, nullptr, WNOHANG);
        return "it does not answer";
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (!WIFEXITED(status)) return "its test was killed";
    return kvm_step_text(WEXITSTATUS(status));
}

std::string accelerator(const Site& site, bool remember) {
    if (site.hypervisor == "qemu") return "qemu";
    const std::string memo = site.run_dir + "/kvm", boot = this_boot();
    std::string problem;
    // "BOOT-ID PROBLEM": the run folder may outlive a boot where it is on a disk.
    const auto known = read_file(memo, memo_limit);
    if (known && known->starts_with(boot + " ")) {
        problem = known->substr(boot.size() + 1, known->find('\n') - boot.size() - 1);
    } else {
        problem = exists("/dev/kvm") ? kvm_problem() : "it is absent";
        if (site.hypervisor == "auto" && !problem.empty())
            log::info("no KVM on this host (/dev/kvm: {}): domains are emulated by qemu", problem);
        if (remember) {
            make_dirs(site.run_dir);
            write_file(memo, boot + " " + problem + "\n");
        }
    }
    if (problem.empty()) return "kvm";
    if (site.hypervisor == "kvm")
        throw Error(ErrorKind::refused, "this host runs no KVM guests: /dev/kvm: " + problem,
                    "enable virtualisation in its firmware, or say hypervisor: qemu in site.yaml");
    return "qemu";
}

}  // namespace clara

#include "clara/drivers/libvirt/accelerator.hpp"

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/storage/lease.hpp"

namespace clara {
namespace {

// Each step's number is the child's exit status where it fails.
enum Step {
    works = 0,
    open_step,
    version_step,
    vm_step,
    memory_step,
    vcpu_step,
    registers_step,
    run_step,
    answer_step
};
constexpr const char* step_texts[] = {"",
                                      "it cannot be opened",
                                      "it has another interface",
                                      "it makes no virtual machine",
                                      "it takes no memory",
                                      "it makes no processor",
                                      "it takes no registers",
                                      "it does not run a guest",
                                      "its guest calculates wrongly"};

// mov al, 2; add al, bl; out 0x10, al; hlt  (real mode)
constexpr unsigned char code[] = {0xb0, 0x02, 0x00, 0xd8, 0xe6, 0x10, 0xf4};
constexpr unsigned char bl = 3, answer = 5;
constexpr std::size_t page = 4096;

}  // namespace

// Linux, Documentation/virt/kvm/api.rst.
int run_kvm_guest(const char* device) {
    const int kvm = ::open(device, O_RDWR | O_CLOEXEC);
    if (kvm < 0) return open_step;
    if (::ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) return version_step;
    const int vm = ::ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0) return vm_step;
    void* memory = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return memory_step;
    std::memcpy(memory, code, sizeof code);
    kvm_userspace_memory_region region{};
    region.guest_phys_addr = page;
    region.memory_size = page;
    region.userspace_addr = reinterpret_cast<std::uint64_t>(memory);
    if (::ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) != 0) return memory_step;
    const int vcpu = ::ioctl(vm, KVM_CREATE_VCPU, 0);
    const int size = ::ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (vcpu < 0 || size < static_cast<int>(sizeof(kvm_run))) return vcpu_step;
    void* shared =
        ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (shared == MAP_FAILED) return vcpu_step;
    const auto* run = static_cast<const kvm_run*>(shared);
    kvm_sregs special{};
    if (::ioctl(vcpu, KVM_GET_SREGS, &special) != 0) return registers_step;
    special.cs.base = special.cs.selector = 0;
    kvm_regs registers{};
    registers.rip = page;
    registers.rbx = bl;
    registers.rflags = 2;  // the bit that is always set
    if (::ioctl(vcpu, KVM_SET_SREGS, &special) != 0 || ::ioctl(vcpu, KVM_SET_REGS, &registers) != 0)
        return registers_step;
    if (::ioctl(vcpu, KVM_RUN, 0) != 0 || run->exit_reason != KVM_EXIT_IO) return run_step;
    const auto* out = static_cast<const unsigned char*>(shared) + run->io.data_offset;
    if (run->io.port != 0x10 || *out != answer) return answer_step;
    if (::ioctl(vcpu, KVM_RUN, 0) != 0 || run->exit_reason != KVM_EXIT_HLT) return run_step;
    return works;
}

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
    const int step = WEXITSTATUS(status);
    return step > answer_step ? "its test failed" : step_texts[step];
}

std::string accelerator(const Site& site, bool remember) {
    if (site.hypervisor == "qemu") return "qemu";
    const std::string memo = site.run_dir + "/kvm", boot = this_boot();
    std::string problem;
    // "BOOT-ID PROBLEM": the run folder may outlive a boot where it is on a disk.
    const auto known = read_file(memo, page);
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

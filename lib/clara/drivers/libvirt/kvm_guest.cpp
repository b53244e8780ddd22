#include "clara/drivers/libvirt/kvm_guest.hpp"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace clara {
namespace {

enum Step {
    works,
    open_step,
    version_step,
    vm_step,
    memory_step,
    vcpu_step,
    registers_step,
    run_step,
    answer_step
};
constexpr const char* texts[] = {"",
                                 "it cannot be opened",
                                 "it has another interface",
                                 "it makes no virtual machine",
                                 "it takes no memory",
                                 "it makes no processor",
                                 "it takes no registers",
                                 "it does not run a guest",
                                 "its guest calculates wrongly"};

}  // namespace

const char* kvm_step_text(int step) {
    return step >= 0 && step < static_cast<int>(std::size(texts)) ? texts[step] : "its test failed";
}

#if defined(__x86_64__)

// Loaded at 0x1000. From BL = 3 it makes 2 + 3, the exception handler adds 1: 6 goes to port 0x10.
asm(R"(
    .pushsection .rodata
    .balign 16
    .globl clara_kvm_code, clara_kvm_code_end
clara_kvm_code:
    .code16
    cli
    lgdtl 1f - clara_kvm_code + 0x1000
    movl $0x21, %eax                            # protected mode
    movl %eax, %cr0
    ljmpl $0x08, $(2f - clara_kvm_code + 0x1000)
    .code32
2:  movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %ss
    movl $0x2000, %esp
    movl %cr4, %eax
    orl $0x20, %eax                             # physical address extension
    movl %eax, %cr4
    movl $0x3000, %eax                          # page tables, made by the host
    movl %eax, %cr3
    movl $0xc0000080, %ecx                      # EFER: long mode
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80000000, %eax                       # paging
    movl %eax, %cr0
    ljmpl $0x18, $(3f - clara_kvm_code + 0x1000)
    .code64
3:  lidt 4f - clara_kvm_code + 0x1000
    movl $2, %eax
    addb %bl, %al
    int3
    outb %al, $0x10
    hlt
    .org clara_kvm_code + 0x100
    incb %al                                    # the handler of int3
    iretq
    .balign 8
1:  .word 31                                    # global descriptors: none, code 32, data, code 64
    .long 5f - clara_kvm_code + 0x1000
4:  .word 0x3f                                  # interrupt descriptors, made by the host
    .quad 0x2800
    .balign 8
5:  .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
clara_kvm_code_end:
    .popsection
)");
extern "C" const unsigned char clara_kvm_code[], clara_kvm_code_end[];

namespace {

constexpr std::size_t memory_size = 0x10000;
constexpr unsigned char bl = 3, answer = 6;

// struct kvm_cpuid2 ends in a flexible array that C++ gives a size, which would change the numbers of its
// ioctls.
struct CpuidHead {
    std::uint32_t count, padding;
};
struct Cpuid {
    CpuidHead head;
    kvm_cpuid_entry2 entries[128];
};
constexpr unsigned long get_supported_cpuid = _IOWR(KVMIO, 0x05, CpuidHead),
                        set_cpuid = _IOW(KVMIO, 0x90, CpuidHead);

void put(unsigned char* memory, std::size_t at, std::uint64_t value) {
    std::memcpy(memory + at, &value, sizeof value);
}

/// The first 2 MiB are themselves; interrupt 3 goes to the handler.
void fill(unsigned char* memory) {
    std::memcpy(memory + 0x1000, clara_kvm_code,
                static_cast<std::size_t>(clara_kvm_code_end - clara_kvm_code));
    put(memory, 0x3000, 0x4003);  // present, writable
    put(memory, 0x4000, 0x5003);
    put(memory, 0x5000, 0x83);                                            // and large
    put(memory, 0x2800 + 3 * 16, 0x1100 | 0x18 << 16 | 0x8e00ULL << 32);  // interrupt gate, code 64
}

Step prepare(int kvm, int vcpu) {
    static Cpuid cpuid;  // without it the processor knows no long mode
    cpuid.head.count = std::size(cpuid.entries);
    kvm_sregs special{};
    if (::ioctl(kvm, get_supported_cpuid, &cpuid) != 0 || ::ioctl(vcpu, set_cpuid, &cpuid) != 0 ||
        ::ioctl(vcpu, KVM_GET_SREGS, &special) != 0)
        return registers_step;
    special.cs.base = special.cs.selector = 0;
    kvm_regs registers{};
    registers.rip = 0x1000;
    registers.rbx = bl;
    registers.rflags = 2;  // the bit that is always set
    return ::ioctl(vcpu, KVM_SET_SREGS, &special) == 0 && ::ioctl(vcpu, KVM_SET_REGS, &registers) == 0
               ? works
               : registers_step;
}

}  // namespace

// Linux, Documentation/virt/kvm/api.rst.
int run_kvm_guest(const char* device) {
    const int kvm = ::open(device, O_RDWR | O_CLOEXEC);
    if (kvm < 0) return open_step;
    if (::ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) return version_step;
    const int vm = ::ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0) return vm_step;
    void* memory = ::mmap(nullptr, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return memory_step;
    fill(static_cast<unsigned char*>(memory));
    kvm_userspace_memory_region region{};
    region.memory_size = memory_size;
    region.userspace_addr = reinterpret_cast<std::uint64_t>(memory);
    if (::ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) != 0) return memory_step;
    const int vcpu = ::ioctl(vm, KVM_CREATE_VCPU, 0);
    const int size = ::ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (vcpu < 0 || size < static_cast<int>(sizeof(kvm_run))) return vcpu_step;
    void* shared =
        ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (shared == MAP_FAILED) return vcpu_step;
    const auto* run = static_cast<const kvm_run*>(shared);
    if (const Step step = prepare(kvm, vcpu)) return step;
    if (::ioctl(vcpu, KVM_RUN, 0) != 0 || run->exit_reason != KVM_EXIT_IO) return run_step;
    const auto* out = static_cast<const unsigned char*>(shared) + run->io.data_offset;
    if (run->io.port != 0x10 || *out != answer) return answer_step;
    return ::ioctl(vcpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_HLT ? works : run_step;
}

#else

int run_kvm_guest(const char*) {
    return run_step;
}

#endif

}  // namespace clara

// clara-virtiofsd: virtiofsd for folders that a virtual machine may only read. libvirt starts it in place of
// virtiofsd, which cannot do that itself. It sees all mounts read-only, and so does what it becomes.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

// Debian 12 (with qemu-system-common), then 13 (package virtiofsd).
constexpr const char* programs[] = {"/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"};

int failed(const char* what) {
    std::fprintf(stderr, "clara-virtiofsd: %s: %s\n", what, std::strerror(errno));
    return 1;
}

}  // namespace

int main(int, char** argv) {
    mount_attr read_only{};
    read_only.attr_set = MOUNT_ATTR_RDONLY;
    if (::unshare(CLONE_NEWNS) != 0) return failed("cannot make a mount namespace");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return failed("cannot keep mounts to itself");
    if (::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only) != 0)
        return failed("cannot make mounts read-only");
    for (const char* program : programs) {
        ::execv(program, argv);
        if (errno != ENOENT) return failed(program);
    }
    return failed("no virtiofsd (Debian 12: qemu-system-common, 13: virtiofsd)");
}

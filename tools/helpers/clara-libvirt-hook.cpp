// /etc/libvirt/hooks/qemu.d/50-clara NAME OPERATION SUB-OPERATION -, the domain's XML on standard input.
// Called by libvirtd on the way to every start (https://libvirt.org/hooks.html), hence quick and without
// libvirt.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "clara/base/error.hpp"
#include "clara/drivers/libvirt/hook.hpp"

int main(int argc, char** argv) {
    try {
        if (argc < 4)
            throw clara::Error(clara::ErrorKind::usage, "needs NAME OPERATION SUB-OPERATION",
                               "libvirtd calls this program; clara-host prepare installs it");
        clara::libvirt_hook({argv[1], argv[2], argv[3]}, STDIN_FILENO);
        return 0;
    } catch (const clara::Error& e) {
        // LibvirtDriver finds our words in libvirt's by this beginning.
        fmt::print(stderr, "clara-libvirt-hook: {}\n", e.message());
        if (!e.hint().empty()) fmt::print(stderr, "hint: {}\n", e.hint());
        return static_cast<int>(e.kind());
    } catch (const std::exception& e) {
        fmt::print(stderr, "clara-libvirt-hook: {}\n", e.what());
        return 1;
    }
}

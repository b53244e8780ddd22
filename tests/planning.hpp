// What tests of planners have in common.
#pragma once
#include "catch.hpp"
#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

inline Clock clock_at_noon() {
    return [] { return std::chrono::system_clock::from_time_t(1795392000); };  // 2026-11-23
}

/// What the work is refused with.
template <class Work>
Error refusal(Work work) {
    try {
        work();
    } catch (const Error& e) {
        return e;
    }
    FAIL("nothing was refused");
    return {ErrorKind::failed, ""};
}

inline Site vm_site() {
    Site site = default_site();
    site.libvirt_uri = "qemu:///system";
    return site;
}

/// A virtual machine with a system of its image's own.
inline GuestSpec vm_spec(const std::string& name) {
    GuestSpec spec;
    spec.name = name;
    spec.kind = "kvm";
    spec.pool = "/var/lib/clara";
    spec.image = "server@0123456789ab";
    spec.nic.bridge = "clarabr0";
    spec.nic.subnet = *Subnet::parse("10.87.0.11/24");
    return spec;
}

}  // namespace clara

// What a server is copied from, as the read halves of the drivers found it.
#pragma once
#include <optional>
#include <string>

#include "clara/ops/source.hpp"
#include "clara/spec/guest.hpp"

namespace clara {

struct CloneSource {
    enum class Kind {
        guest,   ///< of ours
        domain,  ///< of libvirt, not ours
        point,   ///< a restore point of a guest that was ours, and may be gone
        disk     ///< a file, a block device, or what was fetched of another machine
    } kind = Kind::disk;
    std::string what;               ///< for people, e.g. "guest build" or "/srv/build.vmdk"
    std::optional<GuestSpec> spec;  ///< of a guest or point
    std::string xml;                ///< of a guest, domain or point, as libvirt has it
    bool running = false;           ///< nothing is known of its disks then, but `fact.needs`
    SourceFact fact;                ///< of its first disk
    std::string path, format;       ///< of a disk
    bool fetched = false;           ///< it lies in POOL/incoming
};

}  // namespace clara

// Disks of other machines on their way into a pool: POOL/incoming/NAME.qcow2 for the guest NAME.
//
//   NAME.json                      whose disk it is
//   .NAME.qcow2.partial[.json]     while it comes (drivers/disks/remote.hpp)
//   NAME.qcow2                     all of it
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "clara/plan/action.hpp"

namespace clara::fetched {

struct Fact {
    std::string source;  ///< ssh://root@host/dev/sda
    bool whole = false;  ///< all of it is there
    /// A copy of it became a server of its own by changes in this very file, where the pool's file system
    /// cannot share blocks; for an exact copy it has to be read anew.
    bool changed = false;
};

/// nullopt where nothing has come for that guest.
std::optional<Fact> read(const std::string& pool, const std::string& name);

/// Nothing to do where all of it is there. Error{refused} where what there is comes from another disk.
void fetch(const FetchDisk& a);

/// Makes it the file `file` of the open folder, in no time and with no room.
void give(const std::string& pool, const std::string& name, int folder, const std::string& file);

/// To be called before the file `disk` is changed: where it is still the very file that was fetched, that is
/// noted.
void note_change(const std::string& pool, const std::string& name, const std::string& disk);

void drop(const std::string& pool, const std::string& name);  ///< absence is fine

}  // namespace clara::fetched

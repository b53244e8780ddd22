// Copies of disks as qcow2.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "clara/drivers/disks/qemu_img.hpp"

namespace clara {

struct ConvertOptions {
    std::uint64_t rate = 0;                ///< bytes a second that are written, 0: as fast as it goes
    bool check_room = true;                ///< false for block devices, whose holes nobody knows
    std::uint64_t needs = 0;               ///< bytes, where that is known and there is room
    mode_t mode = 0644;                    ///< of the new file
    std::string backing;                   ///< the copy is linked to it: see linked.hpp
    bool compare = false;                  ///< and it is not what the source stands on at once
    Trust trust = Trust::ours;             ///< foreign: inspect_foreign() was asked before
    std::function<void(double)> progress;  ///< per cent, 0 to 100, never less than before
};

/// Copies the disk, with all it stands on, into the new qcow2 `target`: sparse, under a partial name beside
/// it, fsynced, renamed. Whatever goes wrong (a signal, the end of the room), nothing is left of it; after a
/// SIGKILL of ours the partial file is, and is overwritten by the next run. Error{refused} where the target
/// exists or there is not enough room, {busy} where the source is being written.
void convert_disk(const std::string& source, const std::string& format, const std::string& target,
                  const ConvertOptions& options = {});

/// "(12.34/100%)" of qemu-img -p as a number, the last of several; -1 where there is none.
double last_percent(const std::string& text);

}  // namespace clara

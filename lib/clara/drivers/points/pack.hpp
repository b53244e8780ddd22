// From a disk to the compressed file of a restore point: read, compared with what is there, compressed by
// several threads, written in order.
#pragma once
#include <cstdint>
#include <functional>

#include "clara/drivers/points/packed.hpp"
#include "clara/drivers/points/source.hpp"
#include "clara/drivers/points/sums.hpp"

namespace clara::points {

struct PackOptions {
    unsigned threads = 2;
    int level = 3;           ///< of zstd: higher ones cost more time than they save room
    std::uint64_t rate = 0;  ///< bytes a second that are read, 0: as fast as it goes
    std::function<void(std::uint64_t done, std::uint64_t all)> progress;  ///< bytes to be read
};

struct Packed {
    PointDisk disk;  ///< without names
    Sums sums;       ///< of what lies in the file itself
};

/// Writes what differs from `parent`, which is empty for a full point, and finishes the file; the digests of
/// what is stored come through `file`. Error{partial} where the source cannot be read; interrupted() ends it.
Packed pack(Source& source, const Sums& parent, PackedWriter& to, PointFile& file,
            const PackOptions& options = {});

}  // namespace clara::points

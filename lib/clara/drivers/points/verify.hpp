// Is a point still what was written? Texts name what is wrong; none: all is well.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "clara/drivers/points/packed.hpp"
#include "clara/drivers/points/sums.hpp"
#include "clara/spec/point.hpp"

namespace clara::points {

struct VerifyOptions {
    unsigned threads = 2;
    std::function<void(std::uint64_t done)> progress;  ///< bytes read; from any thread
};

/// Every file of the manifest is read again from the store itself, past the host's page cache, and compared
/// with its digests. `folder` is the open point. interrupted() ends it with an Error.
std::vector<std::string> verify_stored(int folder, const PointInfo& info, const VerifyOptions& options = {});

/// Every cluster that lies in the file is decompressed and compared with its digest.
std::vector<std::string> verify_content(const PackedReader& disk, const Sums& sums, const std::string& name,
                                        const VerifyOptions& options = {});

}  // namespace clara::points

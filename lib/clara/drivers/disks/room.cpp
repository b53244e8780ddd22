#include "clara/drivers/disks/room.hpp"

#include <fmt/format.h>

#include "clara/base/files.hpp"
#include "clara/base/units.hpp"

namespace clara {
namespace {
constexpr const char* way_out = "make room there, or take another pool";
}

void require_room(const std::string& folder, std::uint64_t needed, const std::string& what) {
    const std::uint64_t free = free_bytes(folder);
    if (free >= needed) return;
    throw Error(ErrorKind::refused,
                fmt::format("{} needs {}, {} has {} free: {} are missing", what, size_text(needed), folder,
                            size_text(free), size_text(needed - free)),
                way_out);
}

Error ran_out_of_room(const std::string& folder, std::uint64_t left, const std::string& what) {
    const std::uint64_t free = free_bytes(folder);
    return {ErrorKind::failed,
            fmt::format("{}: no space left in {}, about {} more are needed", what, folder,
                        size_text(left > free ? left - free : left)),
            way_out};
}

}  // namespace clara

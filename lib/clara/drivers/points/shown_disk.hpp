// A point's disk, or a part of it, as a plain file that programs can open and write to.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace clara::points {

class SeenDisk;

/// Through FUSE, by a thread of ours in a mount namespace of its own: whatever ends us ends it. What is
/// written stays in a file without a name. While it is there, nobody else may use the SeenDisk.
class ShownDisk {
  public:
    /// Error{failed} where FUSE does not work.
    ShownDisk(SeenDisk& disk, std::uint64_t offset, std::uint64_t length);
    explicit ShownDisk(SeenDisk& disk);
    ~ShownDisk();  ///< nobody has it open any more
    ShownDisk(const ShownDisk&) = delete;
    ShownDisk& operator=(const ShownDisk&) = delete;

    std::string path() const;  ///< for programs, and for other threads of ours

  private:
    class Server;
    std::unique_ptr<Server> server_;
};

}  // namespace clara::points

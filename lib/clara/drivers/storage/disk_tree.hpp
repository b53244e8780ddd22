// The files of a disk that runs nowhere, read from its ext4 without mounting it.
#pragma once
#include <memory>
#include <string>

#include "clara/ops/tree_diff.hpp"

struct struct_ext2_filsys;

namespace clara {

class DiskTree {
  public:
    /// Error where `disk` has no sound ext4 from byte `offset` on. Its journal is not replayed: settle_ext4()
    /// a copy before.
    explicit DiskTree(const std::string& disk, std::uint64_t offset = 0);
    ~DiskTree();

    /// All below "upper", at most a million entries. Names are the guest's own: any bytes.
    Tree upper() const;
    /// All that is there, of a disk that no overlay lies above.
    Tree whole() const;
    /// True where the file of this disk has the bytes of the other's; both have the same size.
    bool same_content(std::uint32_t inode, const DiskTree& other, std::uint32_t others) const;

  private:
    Tree below(const char* top, bool overlay) const;

    std::string disk_;
    struct_ext2_filsys* fs_ = nullptr;
};

}  // namespace clara

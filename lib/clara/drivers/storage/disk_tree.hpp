// The files of a disk that runs nowhere, read from its ext4 without mounting it.
#pragma once
#include <memory>
#include <string>

#include "clara/ops/tree_diff.hpp"

struct struct_ext2_filsys;

namespace clara {

class DiskTree {
  public:
    /// Error where `disk` is no sound ext4. Its journal is not replayed: settle_ext4() a copy before.
    explicit DiskTree(const std::string& disk);
    ~DiskTree();

    /// All below "upper", at most a million entries. Names are the guest's own: any bytes.
    Tree upper() const;
    /// True where the file of this disk has the bytes of the other's; both have the same size.
    bool same_content(std::uint32_t inode, const DiskTree& other, std::uint32_t others) const;

  private:
    std::string disk_;
    struct_ext2_filsys* fs_ = nullptr;
};

}  // namespace clara

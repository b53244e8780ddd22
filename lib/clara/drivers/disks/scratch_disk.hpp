// What is written while somebody else's disk is only looked at.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "clara/base/handle.hpp"
#include "clara/drivers/disks/chain.hpp"

namespace clara {

/// A qcow2 without a name: a kill leaves nothing of it. It has to outlive who uses the chain.
class ScratchDisk {
  public:
    explicit ScratchDisk(std::uint64_t size);  ///< bytes that the system sees
    std::string path() const;
    /// The disk seen through it: what is written stays here.
    std::vector<ChainLink> above(const std::vector<ChainLink>& disk) const;

  private:
    Fd file_;
};

}  // namespace clara

// A file of a restore point on its way into another store.
#pragma once
#include <string>

#include "clara/base/handle.hpp"
#include "clara/drivers/points/pace.hpp"
#include "clara/spec/point.hpp"

namespace clara::points {

class Arriving {
  public:
    /// `what` for people. Both descriptors stay the caller's; the file's name is that of `listed`.
    Arriving(int source, int folder, const PointFile& listed, std::string what);
    /// Writes what is not there yet, and fsyncs. Every range is compared with its digest before it is
    /// written: Error{failed} where the source is not what its manifest says.
    void take(Pace& pace);

  private:
    std::size_t arrived();

    int source_;
    const PointFile& listed_;
    std::string what_;
    Fd file_;
};

}  // namespace clara::points

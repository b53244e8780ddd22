// Restore points in a second store.
#pragma once
#include "clara/plan/action.hpp"

namespace clara::points {

/// As CopyPoint. It is written as .POINT.coming: ranges that have arrived whole are not sent again. It
/// becomes POINT when all of it was read again past the page cache, and shows what the manifest of its source
/// says. The caller has lock_points() of the target. Error{failed} where the source is damaged: nothing is
/// made of it. StaleFacts: the points are not what they were when it was planned.
void copy_point(const CopyPoint& a);

}  // namespace clara::points

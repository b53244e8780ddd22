// Images beside restore points: containers need them.
#pragma once
#include "clara/plan/action.hpp"

namespace clara::points {

/// POOL/images/ID from one pool to another: under a partial name, renamed, read again; what is not as it was
/// goes again. Nothing to do where it is there. Error{refused} where the source has it not, Error{failed}
/// where it is damaged.
void copy_image(const CopyImage& copy);

bool has_image(const std::string& pool, const std::string& id);

}  // namespace clara::points

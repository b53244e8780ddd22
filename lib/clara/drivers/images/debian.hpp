#pragma once
#include "clara/drivers/images/layers.hpp"

namespace clara {

/// Error{failed} where mmdebstrap is not installed.
void need_mmdebstrap();

/// A Debian root file system by mmdebstrap, from the mirrors the host itself uses; packages are kept in the
/// cache. Returns the packages with versions.
std::vector<std::string> add_debian(const ImageLayer& layer, Tree& tree, const LayerContext& context);

}  // namespace clara

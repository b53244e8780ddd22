// How each kind of layer of a recipe gets into the tree.
#pragma once
#include <string>
#include <vector>

#include "clara/drivers/images/tree.hpp"
#include "clara/spec/image.hpp"

namespace clara {

struct LayerContext {
    std::string scratch;    ///< an empty folder of our own on the tree's file system
    std::string cache_dir;  ///< downloads and builds that outlive us, e.g. /var/cache/clara
    bool show_progress = true;
};

/// "Add folder /srv/root", as --dry-run prints it and a build says it.
std::string describe(const ImageLayer& layer);

/// What can be known before anything is made: files that are missing, packages this host lacks. Throws Error.
void check_layer(const ImageLayer& layer);

/// Returns what went in, e.g. packages with versions. Not for Kind::recipe.
std::vector<std::string> apply_layer(const ImageLayer& layer, Tree& tree, const LayerContext& context);

}  // namespace clara

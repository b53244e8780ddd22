// The way of clara-vm-clone: source -> facts -> plan -> printed or run; planned again when the address was
// taken meanwhile.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "clara/cli/app.hpp"
#include "clara/ops/clone.hpp"

namespace clara {

struct CloneRequest {
    std::string source, name;
    std::string format;         ///< of a disk file; empty: by its name
    std::string template_name;  ///< for images
    std::vector<std::pair<std::string, std::string>> set;
    bool full = false;    ///< of an image, too
    bool forget = false;  ///< what was read of another machine is dropped
    CloneOptions options;
};

/// Returns the tool's exit status.
int clone_vm(const CloneRequest& request, const CommonFlags& flags);

}  // namespace clara

// The way of a create: specs -> facts -> plans -> printed or run; planned again when an address was taken
// meanwhile.
#pragma once
#include <vector>

#include "clara/cli/app.hpp"
#include "clara/ops/create.hpp"
#include "clara/spec/template.hpp"

namespace clara {

/// Resolves the requests (all YAML problems at once), then makes the guests. Returns the tool's exit status.
int create_guests(const std::vector<Request>& requests, const Site& site, const CreateOptions& options,
                  const CommonFlags& flags);

}  // namespace clara

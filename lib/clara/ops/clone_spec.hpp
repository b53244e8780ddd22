// The guest that a copy becomes: part of ops/clone.
#pragma once
#include "clara/base/clock.hpp"
#include "clara/ops/clone.hpp"
#include "clara/ops/domain_read.hpp"

namespace clara {

/// Without its place on the network; `domain` is empty for a disk.
GuestSpec clone_spec(const std::string& name, const std::string& pool, const CloneSource& source,
                     const std::optional<DomainFacts>& domain, const CloneOptions& options);

/// Address, MACs and bridge. Error{refused}: `exact` on a network that is not isolated.
void choose_place(GuestSpec& spec, const CloneSource& source, const std::optional<DomainFacts>& domain,
                  const Site& site, const Facts& facts, Allocator& allocator, const CloneOptions& options,
                  const Random& random);

}  // namespace clara

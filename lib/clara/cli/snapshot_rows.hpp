// How snapshots and their differences are shown.
#pragma once
#include <string>
#include <vector>

#include "clara/ops/facts.hpp"
#include "clara/ops/tree_diff.hpp"

namespace clara {

/// A table, or `clara.snapshots/1`. `facts.disks` has those of the guests.
void print_snapshots(const std::string& pool, const std::vector<std::string>& guests, const Facts& facts,
                     bool json);

/// A line a change, or `clara.snapshot-diff/1`. An empty `to` is now.
void print_diff(const std::string& guest, const std::string& from, const std::string& to,
                const std::vector<TreeChange>& changes, bool json);

}  // namespace clara

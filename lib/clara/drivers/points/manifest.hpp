// manifest.json and state.json of a restore point. Both are sealed: their last member is the SHA-256 of all
// that comes before its line, and what follows has exactly one form, so that no changed byte goes unseen.
//   head -n -2 manifest.json | sha256sum
#pragma once
#include <string>
#include <string_view>

#include "clara/spec/point.hpp"

namespace clara::points {

std::string write_manifest(const PointInfo& info);
std::string write_state(const PointState& state);

/// Error{failed} that names `where`: the seal is broken, or a value is none that can be.
PointInfo read_manifest(std::string_view text, const std::string& where);
PointState read_state(std::string_view text, const std::string& where);

}  // namespace clara::points

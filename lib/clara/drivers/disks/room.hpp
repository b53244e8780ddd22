// Room for copies: asked before, and told of when it runs out in the middle.
#pragma once
#include <cstdint>
#include <string>

#include "clara/base/error.hpp"

namespace clara {

/// Error{refused} that says how much is missing, where the file system of `folder` has less than `needed`
/// bytes.
void require_room(const std::string& folder, std::uint64_t needed, const std::string& what);

/// The error of a copy that met the end of the room: `left` bytes were still to be written into `folder`.
Error ran_out_of_room(const std::string& folder, std::uint64_t left, const std::string& what);

}  // namespace clara

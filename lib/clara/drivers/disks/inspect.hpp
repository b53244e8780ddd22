// What a disk that is going to be copied holds.
#pragma once
#include <string>

#include "clara/ops/source.hpp"

namespace clara {

/// Nothing is written to the disk: journals are replayed into a scratch file without a name, which a kill
/// leaves nothing of. Error{busy} where somebody may be writing to the disk, {refused} where it is damaged,
/// cut short or not of its format; `foreign`: what inspect_foreign() refuses, too. Takes about 0.1 s.
SourceFact inspect_source(const std::string& path, const std::string& format, bool foreign);

}  // namespace clara

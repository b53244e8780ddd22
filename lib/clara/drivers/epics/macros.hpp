// EPICS macro substitution, as dbLoadRecords does it ("EPICS Application Developer's Guide", macLib):
// $(P), ${P}, $(P=default), $(P=default,Q=x), names and defaults with macros in them.
#pragma once
#include <map>
#include <string>

namespace clara {

constexpr char undefined_macro = '\x01';  ///< stands on both sides of the name of a macro without a value

/// A macro without a value or a default becomes undefined_macro NAME undefined_macro.
/// Error{usage}: values that refer to each other in a circle, or grow beyond 64 KiB.
std::string expand_macros(const std::string& line, const std::map<std::string, std::string>& values);

}  // namespace clara

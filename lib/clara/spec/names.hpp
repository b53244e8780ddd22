// Names of guests, and ranges of them.
#pragma once
#include <string>
#include <vector>

namespace clara {

/// A guest's name is a host name label (RFC 1123): 1-63 of a-z 0-9 -, begins with a letter, no - at the end.
/// Returns what is wrong, empty where nothing is.
std::string name_problem(const std::string& name);

/// bpm[01-03] -> bpm01 bpm02 bpm03; a[1-2]b[1-2] works; at most 10,000 names. Error{usage} where malformed.
std::vector<std::string> expand_range(const std::string& text);

/// The candidate most like `word` (edit distance at most 2), empty where none is.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace clara

// ${parameter} in the values of a template, and --set.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "clara/spec/schema.hpp"

namespace clara {

/// Name to value; the value's place is where it was written, so that a path in it counts from there.
using Parameters = std::map<std::string, Yaml>;

/// The key `parameters:` of a template.
const Key& parameters_key();

/// ${x} becomes the value of x, $${ becomes ${. An unknown x is a problem.
void substitute(Yaml& node, const Parameters& parameters, Problems& problems);

/// What the parameters of a template are worth for guest `name`, with the built-in ${name} and ${NAME}
/// (upper case). `set` entries that are no parameter are values of the template's keys: they go into `tree`.
Parameters read_parameters(Yaml& tree, const Key& keys, const std::string& name,
                           const std::vector<std::pair<std::string, std::string>>& set, const Place& where,
                           Problems& problems);

}  // namespace clara

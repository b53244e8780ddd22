// What no table of keys can tell: rules between keys, and files on the host.
#pragma once
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"
#include "clara/spec/yaml.hpp"

namespace clara {

/// Fills in what follows from other values (user ioc, uids, ssh keys, the IOC program) and checks the rest;
/// `tree` is the template the spec was read from, for the places.
void complete(GuestSpec& spec, const Site& site, const Yaml& tree, Problems& problems);

}  // namespace clara

#pragma once
#include <string>
#include <vector>

#include "clara/drivers/images/tree.hpp"

namespace clara {

/// Of "libreadline8t64 | libreadline8" the first one this host has; Error{failed} names all that it lacks.
std::vector<std::string> choose_host_packages(const std::vector<std::string>& wanted);

/// Copies this host's own installed packages into the tree: their files but for documentation and services'
/// settings, and the shared libraries these need. An entry with a leading / is one file of the host instead
/// of a package. With busybox-static among them, /usr/bin has a link for each applet that nothing else
/// provides. Returns what went in: "procserv 2.7.0-1+b1".
std::vector<std::string> add_host_packages(Tree& tree, const std::vector<std::string>& packages);

}  // namespace clara

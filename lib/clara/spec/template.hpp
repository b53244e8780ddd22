// Template + flags -> GuestSpec. Pure but for reading the named YAML files.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// What the command line or one entry of a fleet file asks for.
struct Request {
    std::string name;
    std::string template_name;  ///< name in the template path, or a path to a .yaml file
    std::vector<std::pair<std::string, std::string>> set;  ///< parameter or dotted key -> value
    std::string address = "auto";
    std::string network;  ///< "" = the site's default
    std::string pool;     ///< "" = the site's default
    std::string where;    ///< e.g. "iocs.yaml:12:5"; empty for the command line
    std::string folder;   ///< relative paths in `set` count from here; empty: the current folder
    std::string kind;     ///< lxc | kvm, whatever the template says; empty: as it says
};

/// The spec without address, MAC, image digest and creation time: those are chosen while planning.
/// `spec.image` is the image name (or NAME@DIGEST) as the template says.
/// Throws Error{usage} that lists all problems as "file:line:column: message".
GuestSpec resolve(const Request& request, const Site& site);

/// A fleet file: `defaults:` and `iocs:`; names may be ranges.
std::vector<Request> read_fleet(const std::string& file);

/// Text for --explain: every key with type, default, meaning and example, from the table that validates it.
std::string explain_template();
/// The same table as a man page section (roff).
std::string explain_template_roff();

}  // namespace clara

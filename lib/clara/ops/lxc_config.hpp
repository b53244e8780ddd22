// A guest as LXC wants it told: GuestSpec -> LXCPATH/NAME/config (man lxc.container.conf). Pure.
#pragma once
#include <string>

#include "clara/ops/facts.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// The first line of every config of ours begins with it; a container without it is somebody else's.
inline constexpr const char* lxc_config_mark = "# A guest of clara: made from its guest.yaml, do not edit.";
/// The whole first line: guests of two pools may not share a name on one host.
std::string lxc_config_head(const std::string& pool);
/// Why a definition with this first line may not replace or remove `config`; empty where it may.
std::string why_foreign(const std::string& config, const std::string& head);

/// Error{usage} where a path cannot be told to LXC (it has a control character).
std::string lxc_config(const GuestSpec& spec, const Site& site, const Facts& facts);

/// The host's end of the guest's veth pair, at most 15 characters: ve-NAME, or ve- and the name's hash.
std::string host_interface(const std::string& guest);

}  // namespace clara

// What the disks of a domain stand on, told anew. Pure.
#pragma once
#include <string>

namespace clara {

enum class Backing {
    none,     ///< each stands for itself: as in a restore point, and where one was restored
    headers,  ///< libvirt looks it up in the files' own headers at each start
};

/// Of the guest's own disks that are files; all else stays. `where` is for errors (see XmlDocument).
std::string with_backing(const std::string& xml, Backing backing, const std::string& where);

/// These disks, and UEFI's variables, in another folder under the names that they have.
std::string with_disks_in(const std::string& folder, const std::string& xml, const std::string& where);

}  // namespace clara

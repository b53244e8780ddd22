// A domain's XML made that of a copy: what belongs to the one domain alone is replaced, all else stays,
// elements and comments that clara does not know included. Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "clara/base/net.hpp"

namespace clara {

/// Where a disk of the copy lies. A disk with `drop` is not copied (the domain has it no more).
struct DiskEdit {
    std::string target;  ///< of the domain's disk, e.g. vda
    std::string source;  ///< file, or block device where `block`
    bool block = false;
    std::string format = "qcow2";  ///< qcow2 | raw
    std::string backing;           ///< qcow2 file it is linked to; empty: it stands for itself
    bool overlay = false;          ///< it stands on what its header says
    bool drop = false;
};

/// A network card of the copy, in the order of the domain's own.
struct NicEdit {
    Mac mac;
    std::string bridge;      ///< empty: plugged in where the domain's is
    std::string target;      ///< its name on the host; empty: libvirt's choice
    bool unplugged = false;  ///< its link is down
};

struct DomainEdits {
    std::string name, pool;       ///< of the copy; the mark in <metadata> says so
    std::string uuid;             ///< of domain and SMBIOS, where the XML tells that
    std::string smbios_uuid;      ///< what SMBIOS tells inside, where that is not `uuid`; empty: it is
    std::string genid;            ///< where the XML has one (Windows' VM generation id)
    std::string serial;           ///< SMBIOS serial number, where the XML tells one; empty: as it is
    std::string type;             ///< kvm | qemu; empty: as it is
    int cpus = 0;                 ///< 0: as they are
    std::uint64_t memory = 0;     ///< bytes, 0: as it is
    bool direct_io = true;        ///< caches of the disks as domain_xml() sets them
    std::vector<DiskEdit> disks;  ///< one for each of DomainFacts::disks that is own()
    std::vector<NicEdit> nics;    ///< one for each of DomainFacts::nics
};

struct EditedDomain {
    std::string xml;
    std::vector<std::string> warnings;  ///< what was taken out, and what still names the old domain
};

/// `where` is for errors (see XmlDocument). Error{usage}: no domain's XML. Error{refused}: a disk or card
/// without an edit or an edit without a disk or card, or a device that a copy cannot have for itself.
EditedDomain edit_domain_xml(const std::string& xml, const DomainEdits& edits, const std::string& where);

}  // namespace clara

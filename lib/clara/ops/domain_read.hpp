// What a domain's XML says, ours or not: who it is, and what belongs to it alone. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clara/base/net.hpp"
#include "clara/base/xml.hpp"

namespace clara {

struct DomainDisk {
    std::string target;  ///< vda: tells it from the domain's others
    std::string device;  ///< disk | lun | cdrom | floppy
    std::string bus;     ///< virtio | sata | scsi | ide ...
    std::string type;    ///< file | block | network | volume ...
    std::string source;  ///< path of the file or device, POOL/VOLUME, PROTOCOL:NAME; empty: no medium
    std::string format;  ///< qcow2 | raw ...; empty: not told, and never to be guessed
    bool read_only = false;
    bool shareable = false;
    bool own() const { return !source.empty() && !read_only && device != "cdrom"; }  ///< a copy needs its own
};

struct DomainNic {
    std::optional<Mac> mac;
    std::string type;    ///< bridge | network | direct ...
    std::string source;  ///< bridge, network or device of the host
    std::string target;  ///< its name on the host, where it is fixed
};

struct DomainFacts {
    std::string name, uuid;
    std::string type;     ///< kvm | qemu ...
    std::string machine;  ///< e.g. pc-q35-7.2
    bool uefi = false;
    std::string nvram;         ///< file of UEFI's variables; empty: none, or libvirt's default
    std::uint64_t memory = 0;  ///< bytes
    int cpus = 1;
    std::vector<DomainDisk> disks;
    std::vector<DomainNic> nics;
    std::vector<std::string> graphics;  ///< vnc, spice ...
    std::string guest, pool;            ///< of our mark in its <metadata>; empty: it is not ours
};

/// `where` is for errors (see XmlDocument). Error{usage}: no XML, or no domain in it.
DomainFacts read_domain(const std::string& xml, const std::string& where);

/// The parts that reading and changing have in common.
namespace domain_part {
XmlElement mark(XmlElement domain);    ///< <guest> of ours in <metadata>, not there: empty
DomainDisk disk(XmlElement disk);      ///< of a <disk>
std::string nvram(XmlElement domain);  ///< file in <nvram>
XmlElement root(const XmlDocument& document, const std::string& where);  ///< Error{usage}: no <domain>
}  // namespace domain_part

}  // namespace clara

// The devices of a virtual machine, as part of its domain XML. For ops/domain_xml.
#pragma once
#include "clara/base/xml.hpp"
#include "clara/ops/facts.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// Fills an empty <backingStore>: linked to a qcow2 file that others share, or the end of the chain. With it
/// written out, libvirt looks into no file to learn its format, and leaves the shared file's owner alone.
void set_backing(XmlElement backing, const std::string& image);

void add_disks(XmlElement devices, const GuestSpec& spec, const Facts& facts);
void add_nics(XmlElement devices, const GuestSpec& spec, const Site& site);
/// Serial console with its log, ports to the guest agent and to clara-init, serial lines of the host.
void add_consoles(XmlElement devices, const GuestSpec& spec);
/// Balloon, random numbers, watchdog, panic, shared folders, USB, screen.
void add_helpers(XmlElement devices, const GuestSpec& spec, const Facts& facts);

}  // namespace clara

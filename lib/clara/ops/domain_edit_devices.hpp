// The devices of a domain made those of its copy. For ops/domain_edit.
#pragma once
#include "clara/base/xml.hpp"
#include "clara/ops/domain_edit.hpp"

namespace clara {

using Warnings = std::vector<std::string>;

void edit_disks(XmlElement devices, const DomainEdits& edits, Warnings& warnings);
void edit_nics(XmlElement devices, const DomainEdits& edits, Warnings& warnings);
/// Serial lines, consoles, channels: their logs and files become the copy's own.
void edit_consoles(XmlElement devices, const DomainEdits& edits, Warnings& warnings);
/// What only one domain at a time can have is taken out, with a warning each.
void drop_passthrough(XmlElement devices, Warnings& warnings);
/// Ports and sockets of screens: libvirt's choice.
void edit_screens(XmlElement devices, Warnings& warnings);

}  // namespace clara

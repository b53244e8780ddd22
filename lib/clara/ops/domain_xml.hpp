// A virtual machine as libvirt wants it told: GuestSpec -> domain XML (libvirt.org/formatdomain.html). Pure.
#pragma once
#include <string>

#include "clara/ops/facts.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// `hypervisor` is kvm or qemu (no usable KVM). Error{usage}: a value cannot be told in XML, or the spec
/// names a network that the site does not have.
std::string domain_xml(const GuestSpec& spec, const Site& site, const Facts& facts,
                       const std::string& hypervisor);

/// Where a virtual machine's own files lie, below POOL/guests/NAME.
namespace domain_file {
std::string disk_name(std::size_t index);  ///< of the file alone
/// `index` 0 is the system's disk: disk.qcow2, then disk2.qcow2, disk3.qcow2 ...
std::string disk(const std::string& pool, const std::string& name, std::size_t index = 0);
std::string nvram(const std::string& pool, const std::string& name);        ///< nvram.fd: UEFI's variables
std::string console_log(const std::string& pool, const std::string& name);  ///< console.log
std::string image(const std::string& pool, const std::string& id);          ///< the disk of an image
}  // namespace domain_file

/// Names of virtio serial ports: the guest agent's own, and the one that clara-init relays to procServ.
inline constexpr const char* agent_port = "org.qemu.guest_agent.0";
inline constexpr const char* console_port = "org.clara.console.0";

/// Tag of the `index`th of the guest's mounts, as `mount -t virtiofs TAG PATH` takes it.
std::string mount_tag(std::size_t index);

}  // namespace clara

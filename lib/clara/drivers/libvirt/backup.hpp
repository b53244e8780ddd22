// The disks of a domain that runs, copied by libvirt's backup job.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "clara/drivers/libvirt/hypervisor.hpp"
#include "clara/plan/action.hpp"

namespace clara {

/// Copies all disks of `copy` at one moment into the guest's partial folder, as qcow2. The domain runs on and
/// nothing of it is changed. Whatever goes wrong, the job is ended and the files are removed. `connect`: for
/// each turn, with patience for a libvirtd that is being restarted.
void copy_running_disks(const CopyDisks& copy, const std::function<std::shared_ptr<Hypervisor>()>& connect);

/// <domainbackup> for Hypervisor::begin_backup(): https://libvirt.org/formatbackup.html
std::string backup_xml(const CopyDisks& copy, const std::string& folder);

/// The first file that the job writes to; empty where it is none that pushes to files.
std::string backup_target(const std::string& xml);

}  // namespace clara

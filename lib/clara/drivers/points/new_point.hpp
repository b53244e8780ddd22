// The making of one restore point, up to its proof.
#pragma once
#include <string>

#include "clara/drivers/libvirt/driver.hpp"
#include "clara/plan/action.hpp"

namespace clara::points {

/// Reads the guest's disks and writes STORE/backups/NAME/.POINT.partial. Returns the note for the report.
/// What is wrong with what was read (a damaged file system) is in its state.json: prove() puts it in
/// quarantine. The caller has lock_points().
std::string make_point(const MakePoint& a, LibvirtDriver& libvirt, const std::string& run_dir);

}  // namespace clara::points

// A copy becomes a server of its own.
#include <fmt/ranges.h>

#include "clara/base/error.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/disks/identity.hpp"
#include "clara/drivers/storage/clone.hpp"
#include "clara/drivers/storage/fetched.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::cloning {
namespace {

void warn_left_alone(const std::string& name, const GuestSystem& system) {
    log::warn(
        "{}: {}, so its disk was left as it is: name, address, keys and machine id are its source's. Keep it "
        "on an isolated network until they are changed inside",
        name, system.obstacle);
}

}  // namespace

void give_identity(const GiveIdentity& a) {
    const std::string path = pool::guest(a.pool, pool::partial(a.name)) + "/disk.qcow2";
    fetched::note_change(a.pool, a.name, path);
    GuestDisk disk(path, "qcow2");
    if (!disk.system().obstacle.empty()) {
        warn_left_alone(a.name, disk.system());
        disk.close();
        return;
    }
    const IdentityPlan plan = plan_identity(disk, a.identity, disk.volumes());
    const auto left_out = apply_identity(disk, plan, a.identity.hostname);
    disk.close();
    for (const auto& warning : plan.warnings) log::warn("{}: {}", a.name, warning);
    if (!left_out.empty())
        log::warn("{}: {} could not be changed: {} cannot be written from outside", a.name,
                  fmt::join(left_out, ", "), fmt::join(disk.closed_parts(), ", "));
}

}  // namespace clara::cloning

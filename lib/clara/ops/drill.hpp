// Planning of drills: a restore point comes up on a bridge with nothing else on it, answers, and goes. Pure.
#pragma once
#include <string>

#include "clara/ops/restore.hpp"
#include "clara/plan/plan.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// What the trial guest is called: drill-bpm01. Error{refused} where that is longer than a name may be.
std::string drill_name(const std::string& guest);

/// Where it is put: isolated, with the addresses of the guest's own network, so that nothing inside has to be
/// changed; its bridge is of this guest's drill alone.
Network drill_network(const GuestSpec& guest);

/// The same point without what reaches out of the guest: folders of the host are read-only, devices are left
/// out. Error{refused}: a virtual machine writes into a folder of the host, which would be the real one.
RestoreSource drill_source(const RestoreSource& source);

/// `up` makes, starts and proves the trial guest of the point; all that was made goes again behind it. Where
/// it does not come up, the Executor's undo takes it away, but for the bridge.
Plan plan_drill(Plan up, const RestoreSource& source, const Network& network, const std::string& home);

/// Who holds a point for a drill (HoldPoint::holder).
std::string drill_holder(const std::string& host, const std::string& pool, const std::string& guest);

}  // namespace clara

#include "clara/ops/init_machine.hpp"

#include "clara/ops/domain_xml.hpp"
#include "clara/ops/inside.hpp"

namespace clara {
namespace {

using Json = nlohmann::ordered_json;

Json nic(const Nic& nic) {
    Json out = {{"mac", nic.mac.str()}, {"address", nic.subnet.str()}};
    if (nic.gateway) out["gateway"] = nic.gateway->str();
    return out;
}

Json mounts(const GuestSpec& spec) {
    Json out = Json::array();
    for (std::size_t i = 0; i < spec.mounts.size(); ++i)
        out.push_back(
            {{"tag", mount_tag(i)}, {"path", spec.mounts[i].guest}, {"read_only", spec.mounts[i].read_only}});
    return out;
}

/// The host's serial lines are ttyS1 and so on, in the order of the template; the console is ttyS0.
Json devices(const GuestSpec& spec) {
    Json out = Json::array();
    for (const auto& device : spec.devices) {
        if (!device.usb.empty()) continue;
        const std::string line = "/dev/ttyS" + std::to_string(out.size() + 1);
        out.push_back(
            {{"device", line}, {"path", device.guest}, {"user", device.owner}, {"mode", device.mode}});
    }
    return out;
}

}  // namespace

nlohmann::ordered_json machine_section(const GuestSpec& spec) {
    Json out = {{"hostname", spec.name}, {"nic", nic(spec.nic)}};
    if (spec.ioc) out["console"] = {{"port", console_port}, {"socket", inside::console_socket}};
    out["mounts"] = mounts(spec);
    out["devices"] = devices(spec);
    out["watchdog"] = spec.machine && spec.machine->watchdog != "none";
    return out;
}

}  // namespace clara

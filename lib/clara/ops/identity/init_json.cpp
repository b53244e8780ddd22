// clara-init's /etc/clara/init.json in a virtual machine (docs/guest-init.md).
#include <nlohmann/json.hpp>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"

namespace clara::identity {

NetworkEdit edit_init_json(const std::string& text, const std::string& hostname, const NewAddress& address) {
    NetworkEdit edit;
    auto root = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!root.is_object()) {
        edit.warnings.emplace_back("not readable");
        return edit;
    }
    auto& machine = root["machine"];
    if (!machine.is_object()) machine = nlohmann::ordered_json::object();
    if (machine.contains("nic") && machine["nic"].is_object())
        edit.old_address = without_prefix(machine["nic"].value("address", ""));
    machine["hostname"] = hostname;
    nlohmann::ordered_json nic{{"mac", address.mac.str()}, {"address", address.address.str()}};
    if (address.gateway) nic["gateway"] = address.gateway->str();
    machine["nic"] = std::move(nic);
    edit.found = true;
    edit.text = root.dump(1) + "\n";
    return edit;
}

}  // namespace clara::identity

#include "clara/cli/guest_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "clara/base/units.hpp"

namespace clara {
namespace {

using Less = std::function<bool(const GuestFact&, const GuestFact&)>;

template <class Member>
Less rising(Member member) {
    return [member](const GuestFact& a, const GuestFact& b) { return a.*member < b.*member; };
}
template <class Member>
Less falling(Member member) {
    return [member](const GuestFact& a, const GuestFact& b) { return a.*member > b.*member; };
}

const std::map<std::string, Less>& orders() {
    static const std::map<std::string, Less> table{
        {"name", rising(&GuestFact::name)},
        {"kind", rising(&GuestFact::kind)},
        {"state", falling(&GuestFact::state)},
        {"address", rising(&GuestFact::address)},
        {"template", rising(&GuestFact::template_name)},
        {"image", rising(&GuestFact::image)},
        {"uptime", falling(&GuestFact::uptime_s)},
        {"memory", falling(&GuestFact::memory)},
        {"cpu", falling(&GuestFact::cpu_s)},
    };
    return table;
}

/// What is out of the ordinary about a guest.
std::string remarks(const GuestFact& guest) {
    std::string text;
    auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
    if (guest.privileged) add("privileged");
    if (!guest.condition.empty()) add(guest.condition);
    if (!guest.lease_holder.empty()) add("runs on " + guest.lease_holder);
    if (!guest.problem.empty()) add(guest.problem);
    return text;
}

std::string address_text(const GuestFact& guest) {
    return guest.address.value ? guest.address.str() : "";
}

}  // namespace

const std::vector<std::string>& sort_keys() {
    static const std::vector<std::string> keys = [] {
        std::vector<std::string> names;
        for (const auto& [name, order] : orders()) names.push_back(name);
        return names;
    }();
    return keys;
}

void sort_guests(std::vector<GuestFact>& guests, const std::string& key) {
    std::sort(guests.begin(), guests.end(), orders().at("name"));
    std::stable_sort(guests.begin(), guests.end(), orders().at(key));
}

Table guest_table(const std::vector<GuestFact>& guests) {
    Table table({{"NAME"},
                 {"KIND"},
                 {"STATE"},
                 {"ADDRESS"},
                 {"TEMPLATE"},
                 {"IMAGE"},
                 {"UPTIME", true},
                 {"MEMORY", true},
                 {"CPU", true},
                 {"AUTOSTART"},
                 {"REMARKS"}});
    for (const auto& guest : guests)
        table.add({guest.name, guest.kind, to_string(guest.state), address_text(guest), guest.template_name,
                   guest.image, guest.uptime_s ? uptime_text(*guest.uptime_s) : "",
                   guest.memory ? size_text(*guest.memory) : "",
                   guest.cpu_s ? fmt::format("{:.1f}s", *guest.cpu_s) : "", guest.autostart ? "yes" : "no",
                   remarks(guest)});
    return table;
}

nlohmann::ordered_json guest_json(const std::vector<GuestFact>& guests, const std::string& hostname) {
    auto list = nlohmann::ordered_json::array();
    auto or_null = [](const auto& value) {
        return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
    };
    for (const auto& guest : guests)
        list.push_back({{"name", guest.name},
                        {"kind", guest.kind},
                        {"state", to_string(guest.state)},
                        {"condition", guest.condition},
                        {"host", guest.lease_holder.empty() ? hostname : guest.lease_holder},
                        {"address", address_text(guest)},
                        {"mac", guest.mac.str()},
                        {"network", guest.network},
                        {"template", guest.template_name},
                        {"image", guest.image},
                        {"description", guest.description},
                        {"owner", guest.owner},
                        {"tags", guest.tags},
                        {"uptime_s", or_null(guest.uptime_s)},
                        {"memory", or_null(guest.memory)},
                        {"cpu_s", or_null(guest.cpu_s)},
                        {"init_pid", guest.init_pid},
                        {"autostart", guest.autostart},
                        {"privileged", guest.privileged},
                        {"problem", guest.problem}});
    return list;
}

}  // namespace clara

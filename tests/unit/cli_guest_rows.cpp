#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "clara/cli/guest_rows.hpp"

using namespace clara;

namespace {

std::vector<GuestFact> three() {
    GuestFact small{
        .name = "small", .kind = "lxc", .template_name = "soft-ioc", .image = "minimal@0123456789ab"};
    small.address = *Ipv4::parse("10.87.0.12");
    small.state = GuestState::running;
    small.uptime_s = 90;
    small.memory = 17 << 20;
    small.cpu_s = 1.26;
    GuestFact large = small;
    large.name = "large";
    large.address = *Ipv4::parse("10.87.0.9");
    large.memory = 40 << 20;
    large.privileged = large.autostart = true;
    GuestFact off{.name = "off"};
    off.problem = "guest.yaml:3:1: unknown key 'memroy'";
    return {small, large, off};
}

std::string order(const std::string& key) {
    auto guests = three();
    sort_guests(guests, key);
    return guests[0].name + " " + guests[1].name + " " + guests[2].name;
}

}  // namespace

TEST_CASE("guests are sorted by name, numbers with the largest first, addresses as numbers") {
    CHECK(order("name") == "large off small");
    CHECK(order("memory") == "large small off");
    CHECK(order("state") == "large small off");
    CHECK(order("address") == "off large small");
    for (const auto& key : sort_keys()) CHECK_NOTHROW(order(key));
}

TEST_CASE("a guest's row says what is out of the ordinary") {
    CHECK(guest_table(three()).str() ==
          "NAME   KIND  STATE    ADDRESS     TEMPLATE  IMAGE                 UPTIME    MEMORY   CPU  "
          "AUTOSTART  "
          "REMARKS\n"
          "small  lxc   running  10.87.0.12  soft-ioc  minimal@0123456789ab  1m 30s  17.0 MiB  1.3s  no      "
          "   -\n"
          "large  lxc   running  10.87.0.9   soft-ioc  minimal@0123456789ab  1m 30s  40.0 MiB  1.3s  yes     "
          "   "
          "privileged\n"
          "off    -     stopped  -           -         -                          -         -     -  no      "
          "   "
          "guest.yaml:3:1: unknown key 'memroy'\n");
}

TEST_CASE("JSON has numbers where they are known and null where not") {
    auto json = guest_json(three(), "host-a");
    CHECK(json[0]["memory"] == 17 << 20);
    CHECK(json[2]["memory"].is_null());
    CHECK(json[2]["uptime_s"].is_null());
    CHECK(json[1]["privileged"] == true);
    CHECK(json[0]["host"] == "host-a");
}

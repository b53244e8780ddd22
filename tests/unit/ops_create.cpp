#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/lxc_config.hpp"
#include "create_world.hpp"
#include "golden.hpp"

using namespace clara;

namespace {

/// The plan as a dry run prints it, or what stands against it.
std::string told(CreateWorld world, const CreateItem& item) {
    try {
        return print(world.plan(item));
    } catch (const Error& e) {
        return item.spec.name + " " + to_string(e.kind()) + ": " + e.what() + " (" + e.hint() + ")\n";
    }
}
std::string told(const CreateWorld& world, const std::string& name = "magnets") {
    return told(world, world.item(name));
}

}  // namespace

TEST_CASE("create, on hosts of all kinds") {
    CreateWorld plain;
    check_golden("create/plain.txt", told(plain));
    CreateWorld start = plain;
    start.options.start = true;
    check_golden("create/start.txt", told(start));
    start.options.prove = false;
    start.facts.bridges.clear();
    start.facts.leftovers = {"magnets"};
    start.facts.lxc_defined = {"magnets"};
    check_golden("create/leftover-no-bridge-no-wait.txt", told(start));
}

TEST_CASE("what stands against a create, all of it before anything is touched") {
    std::string text;
    auto against = [&](const char* facts, auto change, const std::string& name = "magnets") {
        CreateWorld world(std::string("bridges: [clarabr0]\n") + facts);
        CreateItem item = world.item(name);
        change(world, item);
        text += told(world, item);
    };
    auto as_it_is = [](CreateWorld&, CreateItem&) {};
    against("", as_it_is, "Bad_name");
    against("guests: {magnets: {}}", as_it_is);
    against("lxc: [magnets]", as_it_is);
    against("book: [magnets]", as_it_is);
    against("", [](auto&, auto& item) { item.spec.image = "minimla"; });
    against("", [](auto&, auto& item) { item.spec.image = "minimal@ffffffffffff"; });
    against("broken: [minimal@0123456789ab]", [](auto& world, auto&) { world.facts.images.clear(); });
    auto mounts = [](auto&, auto& item) { item.spec.mounts = {{"/srv/nfs", "/opt/iocs"}}; };
    against("paths: {/srv/nfs: absent}", mounts);
    against("paths: {/srv/nfs: stale}", mounts);
    against("paths: {/srv/nfs: hung}", mounts);
    against("paths: {/srv/nfs: ok}", [](auto&, auto& item) {
        item.spec.mounts = {{"/srv/nfs", "/opt/iocs"}};
        item.spec.ioc->db.clear();
        item.spec.ioc->st_cmd = "/opt/iocs/magnets/st.cmd";
    });
    against("", [](auto& world, auto&) { world.facts.pv_served["MAGNETS:CURRENT"] = "10.87.0.12:5064"; });
    against("", [](auto& world, auto&) { world.facts.pool_free = 1 << 20; });
    against("", [](auto& world, auto&) {
        world.site.networks[0].managed = false;
        world.facts.bridges.clear();
    });
    against("", [](auto&, auto& item) { item.address = "10.88.0.11"; });
    against("", [](auto&, auto& item) { item.address = "10.87.0.1"; });
    against("wire: {10.87.0.20: \"02:00:00:00:00:07\"}",
            [](auto&, auto& item) { item.address = "10.87.0.20"; });
    against("", [](auto& world, auto&) { world.site.networks[0].last = {0}; });
    check_golden("create/refused.txt", text);
}

TEST_CASE("a PV that is served already is allowed where the user says so") {
    CreateWorld world;
    world.facts.pv_served["MAGNETS:STATUS"] = "10.87.0.12:5064";
    world.options.allow_duplicate_pv = true;
    CHECK_NOTHROW(world.plan("magnets"));
}

TEST_CASE("what a create writes down") {
    CreateWorld world;
    world.facts.on_wire[*Ipv4::parse("10.87.0.11")] = {};
    Plan plan = world.plan("magnets");
    GuestSpec spec;
    std::string config;
    for (const auto& action : plan.actions) {
        if (auto* write = std::get_if<WriteSpec>(&action)) spec = write->spec;
        if (auto* define = std::get_if<DefineGuest>(&action)) config = define->config;
    }
    CHECK(spec.image == "minimal@0123456789ab");
    CHECK(spec.nic.subnet.str() == "10.87.0.12/24");
    CHECK(spec.nic.mac.str() == "02:c1:a7:00:00:01");
    CHECK(spec.created == "2026-11-23T00:00:00Z");
    CHECK(spec.ioc->pvs == std::vector<std::string>{"MAGNETS:STATUS"});
    CHECK(config == lxc_config(spec, world.site, world.facts));
}

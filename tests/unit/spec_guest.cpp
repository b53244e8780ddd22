#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/guest.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

GuestSpec full_spec() {
    GuestSpec spec;
    spec.name = "magnets";
    spec.template_name = "soft-ioc";
    spec.description = "Power supplies: \"ring\" #1";
    spec.owner = "alice";
    spec.pool = "/var/lib/clara";
    spec.image = "epics-softioc@0123456789ab";
    spec.init = "system";
    spec.nic = {"controls", "clarabr0", *Subnet::parse("10.87.0.11/24"), Ipv4::parse("10.87.0.1"),
                *Mac::parse("02:c1:a7:00:00:01")};
    Ioc& ioc = spec.ioc.emplace();
    ioc.executable = "/usr/bin/softIoc";
    ioc.paths = {"/usr/lib/epics/db"};
    ioc.db = {{"/srv/magnets.db", {{"P", "MAGNETS:"}, {"R", ""}}}};
    ioc.before_init = {"var x 1", "# odd: line"};
    ioc.user = "root";
    ioc.autosave = "/var/lib/ioc/autosave";
    ioc.pvs = {"MAGNETS:STATUS"};
    ioc.pva = true;
    ioc.pva_pvs = {"MAGNETS:IMAGE"};
    ioc.holdoff_s = 5;
    spec.environment = {{"EPICS_CA_AUTO_ADDR_LIST", "NO"}, {"EMPTY", ""}};
    spec.mounts = {{"/srv/nfs", "/opt/iocs", true, false}, {"/srv/data", "/data", false, true}};
    spec.devices = {{"/dev/ttyUSB0", "/dev/ttyS0", "root", 0600}};
    spec.files = {{"/etc/motd", "", "  two\nlines\n", "ioc", 0755}};
    spec.users = {{"alice", 1001, "/bin/bash", {"ssh-ed25519 AAAA alice"}}};
    spec.root_keys = {"ssh-ed25519 BBBB root"};
    spec.console_allow = {*Subnet::parse("10.0.0.0/8")};
    spec.ports = {7004, 8080};
    spec.memory = 100ULL << 20;
    spec.cpus = 0.3;
    spec.disk = (4ULL << 30) + 4096;
    spec.autostart = true;
    spec.autostart_order = 7;
    spec.autostart_delay_s = 90;
    spec.privileged = true;
    spec.capabilities = {"net_raw"};
    spec.nameservers = {"10.1.0.53"};
    spec.created = "2026-11-23T08:39:32Z";
    return spec;
}

}  // namespace

TEST_CASE("guest.yaml reads back as the spec it was written from") {
    GuestSpec spec = full_spec();
    std::string text = write_guest(spec);
    INFO(text);
    GuestSpec back = read_guest(text, "guest.yaml");
    CHECK(write_guest(back) == text);
    CHECK(back.nic.mac == spec.nic.mac);
    CHECK(back.nic.subnet == spec.nic.subnet);
    CHECK(back.ioc->db.at(0).macros == spec.ioc->db[0].macros);
    CHECK(back.ioc->before_init == spec.ioc->before_init);
    CHECK(back.ioc->holdoff_s == 5);
    CHECK(back.files.at(0).content == spec.files[0].content);
    CHECK(back.files.at(0).mode == 0755);
    CHECK_FALSE(back.mounts.at(1).read_only);
    CHECK(back.users.at(0).keys == spec.users[0].keys);
    CHECK(back.environment == spec.environment);
    CHECK(back.disk == spec.disk);
    CHECK(back.cpus == spec.cpus);
    CHECK(back.autostart_delay_s == 90);
    CHECK(back.ports == spec.ports);
    CHECK_FALSE(back.daemon.present());
}

TEST_CASE("a guest with a daemon and nothing else reads back") {
    GuestSpec spec;
    spec.name = "gw";
    spec.pool = "/p";
    spec.image = "minimal";
    spec.nic = {"controls", "br", *Subnet::parse("10.0.0.2/24"), {}, *Mac::parse("02:c1:a7:00:00:02")};
    spec.daemon = {"gateway", {"/usr/bin/gw", "-v", ""}, "ioc", "/tmp"};
    GuestSpec back = read_guest(write_guest(spec), "guest.yaml");
    CHECK(back.daemon.command == spec.daemon.command);
    CHECK_FALSE(back.ioc.has_value());
    CHECK_FALSE(back.nic.gateway.has_value());
    CHECK(back.disk == spec.disk);
}

TEST_CASE("a damaged guest.yaml is refused with all its problems") {
    try {
        read_guest("name: ../x\npool: relative\nimage: a/b\nnic: {address: 10.0.0.1}\nowner: \"a\\nb\"\n",
                   "g");
        FAIL("no error");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::usage);
        CHECK_THAT(e.message(), Contains("g:1:7: name: a name consists of"));
        CHECK_THAT(e.message(), Contains("g:2:7: pool: expected an absolute path"));
        CHECK_THAT(e.message(), Contains("g:3:8: image: an image's name"));
        CHECK_THAT(e.message(), Contains("g:4:16: nic.address: expected a subnet"));
        CHECK_THAT(e.message(), Contains("missing key 'nic.mac'"));
        CHECK_THAT(e.message(), Contains("g:5:8: owner: control characters"));
    }
}

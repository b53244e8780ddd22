#include "clara/base/error.hpp"
#include "clara/ops/lxc_config.hpp"
#include "golden.hpp"

using namespace clara;

namespace {

Site site() {
    Site result;
    result.idmap_base = 100000;
    result.idmap_count = 65536;
    return result;
}

Facts facts(int cgroup_version, bool apparmor) {
    Facts result;
    result.cgroup_version = cgroup_version;
    result.apparmor = apparmor;
    result.hook = "/usr/lib/clara/clara-lxc-hook";
    return result;
}

GuestSpec magnets() {
    GuestSpec spec;
    spec.name = "magnets";
    spec.pool = "/srv/it's mine";
    spec.nic = {"controls", "clarabr0", *Subnet::parse("10.87.0.11/24"), Ipv4::parse("10.87.0.1"),
                *Mac::parse("02:c1:a7:00:00:01")};
    spec.memory = 64 << 20;
    spec.cpus = 0.5;
    spec.autostart = true;
    spec.autostart_order = 10;
    spec.autostart_delay_s = 2;
    spec.capabilities = {"net_raw"};
    spec.mounts = {{"/srv/nfs/my iocs", "/opt/iocs"}, {"/srv/data", "/data", false, true}};
    return spec;
}

GuestSpec site_server() {
    GuestSpec spec = magnets();
    spec.name = "archiver-of-the-linac";
    spec.init = "system";
    spec.privileged = true;
    spec.nic.gateway.reset();
    spec.devices = {{"/dev/ttyUSB0", "/dev/ttyS0"}};
    spec.capabilities = {"sys_nice"};
    spec.autostart = false;
    return spec;
}

}  // namespace

TEST_CASE("an unprivileged IOC as LXC config, cgroup v1") {
    check_golden("lxc_config/ioc.conf", lxc_config(magnets(), site(), facts(1, false)));
}

TEST_CASE("a privileged server with its own init and a device as LXC config, cgroup v2, AppArmor") {
    check_golden("lxc_config/server.conf", lxc_config(site_server(), site(), facts(2, true)));
}

TEST_CASE("a path cannot add lines to the config") {
    GuestSpec spec = magnets();
    spec.mounts[0].host = "/srv/x\nlxc.init.cmd = /bin/sh";
    CHECK_THROWS_WITH(lxc_config(spec, site(), facts(1, false)), Catch::Contains("control character"));
}

TEST_CASE("the host's interface fits and tells guests apart") {
    CHECK(host_interface("magnets") == "ve-magnets");
    CHECK(host_interface("twelve-chars") == "ve-twelve-chars");
    std::string one = host_interface("archiver-of-the-linac-1");
    CHECK(one.size() == 15);
    CHECK(one != host_interface("archiver-of-the-linac-2"));
}

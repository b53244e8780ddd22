// A restore point on trial: where, and what of it is made and goes again.
#include "catch.hpp"
#include "clara/ops/domain_backing.hpp"
#include "clara/ops/drill.hpp"
#include "planning.hpp"

using namespace clara;

namespace {

RestoreSource vm_point() {
    RestoreSource source;
    source.store = "/nas";
    source.path = "/nas/backups/daq/20261129T030000Z";
    source.point.info.guest = "daq";
    source.point.info.name = "20261129T030000Z";
    source.spec = vm_spec("daq");
    return source;
}

template <class T>
bool has(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(),
                       [](const Action& action) { return std::holds_alternative<T>(action); });
}

}  // namespace

TEST_CASE("a drill's network repeats the guest's own, isolated, with a bridge of its own") {
    GuestSpec spec = vm_spec("daq");
    spec.nic.gateway = Ipv4::parse("10.87.0.1");
    const Network network = drill_network(spec);
    CHECK(network.isolated);
    CHECK(network.managed);
    CHECK(network.subnet.str() == "10.87.0.1/24");
    CHECK(network.bridge == "br-drill-daq");
    // Whatever the guest's address is, the host's is another one.
    for (const char* own : {"10.87.0.1/24", "10.87.0.254/24", "10.87.0.7/30", "10.87.0.5/30"}) {
        spec.nic.subnet = *Subnet::parse(own);
        for (const char* gateway : {"10.87.0.1", "10.87.0.254", "10.87.0.5"}) {
            spec.nic.gateway = Ipv4::parse(gateway);
            CHECK(drill_network(spec).subnet.address != spec.nic.subnet.address);
        }
    }
    spec.name = "a-server-with-quite-a-long-name";
    CHECK(drill_network(spec).bridge.size() < 16);
    CHECK(drill_network(spec).bridge != network.bridge);
}

TEST_CASE("the name of a drill is one, or it is refused") {
    CHECK(drill_name("daq") == "drill-daq");
    CHECK(refusal([] { drill_name(std::string(63, 'a')); }).kind() == ErrorKind::refused);
}

TEST_CASE("nothing that a drill does reaches the host") {
    RestoreSource source = vm_point();
    source.spec.kind = "lxc";
    source.spec.mounts = {{"/srv/autosave", "/var/autosave", false}};
    source.spec.devices.resize(1);
    const RestoreSource drill = drill_source(source);
    CHECK(drill.spec.mounts[0].read_only);
    CHECK(drill.spec.devices.empty());
    CHECK(drill.spec.name == "daq");
    source.spec.kind = "kvm";  // its shares cannot be made read-only
    CHECK(refusal([&] { drill_source(source); }).kind() == ErrorKind::refused);
}

TEST_CASE("what is made for a drill goes again, the hold on its point last") {
    Plan up{"clone", "drill-daq", "/var/lib/clara", "", {}};
    up.actions.push_back(
        HoldPoint{"/nas", "daq", "20261129T030000Z", drill_holder("h", "/var/lib/clara", "daq")});
    up.actions.push_back(StartGuest{"qemu:///system", "drill-daq", "kvm"});
    const RestoreSource source = vm_point();
    const Plan plan = plan_drill(up, source, drill_network(source.spec), "qemu:///system");
    CHECK(plan.verb == "drill");
    CHECK(has<StopGuest>(plan));
    CHECK(has<RemoveGuest>(plan));
    CHECK(has<UndefineGuest>(plan));
    CHECK(has<ReleaseAddress>(plan));
    CHECK(has<RemoveBridge>(plan));
    const auto& last = std::get<HoldPoint>(plan.actions.back());
    CHECK_FALSE(last.hold);
    CHECK(last.holder == "h:/var/lib/clara/guests/drill-daq");
}

TEST_CASE("a definition tells what its disks stand on") {
    const std::string xml =
        "<domain type='qemu'><name>daq</name><os><nvram>/pool/guests/daq/nvram.fd</nvram></os><devices>"
        "<disk type='file' device='disk'><driver type='qcow2'/><source file='/pool/guests/daq/disk.qcow2'/>"
        "<backingStore type='file'><format type='qcow2'/><source file='/pool/images/a/disk.qcow2'/>"
        "<backingStore/></backingStore><target dev='vda' bus='virtio'/></disk>"
        "<disk type='file' device='cdrom'><source file='/iso'/><target dev='sda'/></disk>"
        "</devices></domain>";
    const std::string alone = with_backing(xml, Backing::none, "a test");
    CHECK(alone.find("/pool/images/") == std::string::npos);
    CHECK(alone.find("<backingStore/>") != std::string::npos);
    CHECK(alone.find("/iso") != std::string::npos);
    CHECK(with_backing(xml, Backing::headers, "a test").find("backingStore") == std::string::npos);
    const std::string moved = with_disks_in("/nas/point", xml, "a test");
    CHECK(moved.find("/nas/point/disk.qcow2") != std::string::npos);
    CHECK(moved.find("/pool/guests/") == std::string::npos);
    CHECK(moved.find("/nas/point/nvram.fd") != std::string::npos);
    CHECK(moved.find("/iso") != std::string::npos);
}

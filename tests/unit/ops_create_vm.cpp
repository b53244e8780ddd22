#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/create_vm.hpp"
#include "clara/ops/domain_xml.hpp"
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

/// The same IOC as a virtual machine, on a host that has the image in both forms.
CreateItem vm(CreateWorld& world) {
    Network office = world.site.networks[0];
    office.name = "office";
    office.bridge = "br-office";
    world.site.networks.push_back(office);
    ImageInfo image{"epics-softioc", "fedcba9876543210"};
    image.kind = "kvm";
    world.facts.images.insert(world.facts.images.begin(), image);
    CreateItem item = world.item("magnets");
    item.spec.kind = "kvm";
    item.spec.image = "epics-softioc";
    item.spec.machine.emplace();
    item.spec.machine->memory = 256ULL << 20;
    item.spec.machine->cpus = 1;
    return item;
}

}  // namespace

TEST_CASE("create of virtual machines") {
    CreateWorld world;
    check_golden("create/vm.txt", told(world, vm(world)));
    world.options.start = true;
    world.facts.bridges.clear();
    world.facts.leftovers = {"magnets"};
    world.facts.kvm_defined = {"magnets"};
    CreateItem item = vm(world);
    item.spec.disks = {{"data", 20ULL << 30}, {"logs", 1ULL << 30}};
    item.spec.networks = {{"office"}};
    check_golden("create/vm-start.txt", told(world, item));
    item.spec.image = "";
    item.spec.installer = "/srv/iso/debian.iso";
    item.spec.ioc.reset();
    check_golden("create/vm-installer.txt", told(world, item));
}

TEST_CASE("what stands against the create of a virtual machine") {
    std::string text;
    auto against = [&](auto change) {
        CreateWorld world;
        CreateItem item = vm(world);
        change(world, item);
        text += told(world, item);
    };
    against([](auto& world, auto&) {
        world.facts.libvirt_problem = "libvirt does not answer at qemu:///system";
        world.facts.libvirt_hint = "systemctl start libvirtd";
    });
    against([](auto& world, auto&) { world.facts.kvm_defined = {"magnets"}; });
    against([](auto&, auto& item) { item.spec.image = "minimal"; });
    against([](auto&, auto& item) { item.spec.image = "epics-sotfioc"; });
    against([](auto&, auto& item) { item.spec.image = "nothing-like-it"; });
    against([](auto& world, auto& item) {
        item.spec.kind = "lxc";
        world.facts.images.erase(world.facts.images.begin());
    });
    against([](auto& world, auto& item) {
        item.spec.networks = {{"office"}};
        world.site.networks[1].managed = false;
    });
    against([](auto& world, auto& item) {
        item.spec.networks = {{"office", "virtio", *Mac::parse("02:c1:a7:00:00:77")}};
        world.facts.book.push_back({"bpm01", "controls", {}, *Mac::parse("02:c1:a7:00:00:77")});
    });
    check_golden("create/vm-refused.txt", text);
}

TEST_CASE("what the create of a virtual machine writes down") {
    CreateWorld world;
    world.facts.accelerator = "kvm";
    CreateItem item = vm(world);
    item.spec.autostart = true;
    item.spec.networks = {{"office"}};
    world.options.start = true;
    Plan plan = world.plan(item);
    const WriteSpec* write = nullptr;
    const DefineGuest* define = nullptr;
    for (const auto& action : plan.actions) {
        if (auto* a = std::get_if<WriteSpec>(&action)) write = a;
        if (auto* a = std::get_if<DefineGuest>(&action)) define = a;
        if (auto* a = std::get_if<FillDisk>(&action)) {
            CHECK(a->idmap_base == 0);
            CHECK(a->kind == "kvm");
        }
        if (auto* a = std::get_if<MakeDisk>(&action)) CHECK(a->image == "epics-softioc@fedcba987654");
        if (auto* a = std::get_if<ReserveAddress>(&action)) CHECK(a->kind == "kvm");
        if (auto* a = std::get_if<StartGuest>(&action)) CHECK(a->kind == "kvm");
        if (auto* a = std::get_if<ProveGuest>(&action)) CHECK(a->timeout == world.options.vm_timeout);
    }
    REQUIRE(write);
    REQUIRE(define);
    CHECK(write->spec.machine->uuid == "00000000-0000-4002-8000-000000000003");
    CHECK(write->spec.networks.at(0).mac.str() == "02:c1:a8:00:00:01");
    CHECK(define->kind == "kvm");
    CHECK(define->home == "qemu:///system");
    CHECK(define->autostart);
    GuestSpec ordered = item.spec;
    CHECK(libvirt_starts(ordered));
    ordered.autostart_order = 50;
    CHECK_FALSE(libvirt_starts(ordered));
    ordered = item.spec;
    ordered.autostart_delay_s = 1;
    CHECK_FALSE(libvirt_starts(ordered));
    CHECK(define->config == domain_xml(write->spec, world.site, world.facts, "kvm"));
    CHECK(read_guest(write_guest(write->spec), "guest.yaml").machine->uuid == write->spec.machine->uuid);
}

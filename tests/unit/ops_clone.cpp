#include <fmt/format.h>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/clone.hpp"
#include "domain_world.hpp"
#include "golden.hpp"

using namespace clara;
using Kind = CloneSource::Kind;

namespace {

/// The networks controls, office and lab, which is isolated; on controls the guest server, of golden files.
struct CloneWorld {
    Site site = domain_site();
    Facts facts = domain_facts();
    CloneOptions options;
    std::string name = "copy";

    CloneWorld() {
        Network lab = site.networks[0];
        lab.name = "lab";
        lab.bridge = "br-lab";
        lab.isolated = true;
        site.networks.push_back(lab);
        for (auto& network : site.networks) {
            network.first = Ipv4{network.subnet.network().value + 11};
            network.last = Ipv4{network.subnet.network().value + 250};
        }
        facts.bridges = {"clarabr0", "br-office"};
        facts.pool_free = 100ULL << 30;
        facts.accelerator = "qemu";
    }

    CloneSource guest(const std::string& of = "server") {
        CloneSource source{.kind = Kind::guest, .what = "guest " + of};
        source.spec = domain_spec(of);
        source.spec->name = of;
        source.xml = domain_xml(*source.spec, site, facts, "kvm");
        source.fact = {.system = "linux", .virtio = true, .size = 20ULL << 30, .needs = 600 << 20};
        source.fact.image = source.spec->image;
        facts.guests[of] = {.name = of, .kind = "kvm", .network = source.spec->nic.network};
        facts.guests[of].address = source.spec->nic.subnet.address;
        facts.guests[of].mac = source.spec->nic.mac;
        facts.book.push_back({of, "controls", facts.guests[of].address, facts.guests[of].mac, "kvm"});
        return source;
    }

    static CloneSource foreign() {
        CloneSource source{.kind = Kind::domain, .what = "domain daq"};
        source.xml = read_file(source_dir() + "/tests/golden/domain_edit/foreign.xml").value_or("");
        source.running = true;
        return source;
    }

    static CloneSource disk() {
        CloneSource source{.kind = Kind::disk, .what = "/srv/scope.vmdk"};
        source.path = "/srv/scope.vmdk";
        source.format = "vmdk";
        source.fact = {.system = "linux", .virtio = true, .firmware = "uefi", .size = 8ULL << 30};
        source.fact.needs = 1ULL << 30;
        return source;
    }

    ClonePlan plan(const CloneSource& source) {
        Allocator allocator(facts);
        std::uint64_t last = 0;
        return plan_clone(
            name, "/var/lib/clara", source, site, facts, allocator, options,
            [] { return std::chrono::system_clock::from_time_t(1795392000); },
            [last]() mutable { return ++last; });
    }

    /// What a dry run prints, the warnings, guest.yaml and the domain.
    std::string told(const CloneSource& source) {
        const ClonePlan clone = plan(source);
        std::string text = print(clone.plan);
        for (const auto& warning : clone.warnings) text += "warning: " + warning + "\n";
        for (const auto& action : clone.plan.actions) {
            if (auto* write = std::get_if<WriteSpec>(&action)) text += "--\n" + write_guest(write->spec);
            if (auto* define = std::get_if<DefineGuest>(&action)) text += "--\n" + define->config;
        }
        return text;
    }

    std::string refusal(const CloneSource& source) {
        try {
            return print(plan(source).plan);
        } catch (const Error& e) {
            return fmt::format("{}: {} ({})\n", to_string(e.kind()), e.message(), e.hint());
        }
    }
};

}  // namespace

TEST_CASE("a guest becomes two") {
    CloneWorld world;
    CloneSource source = world.guest();
    check_golden("clone/guest.txt", world.told(source));
    world.options.linked = true;
    world.options.memory = 3ULL << 30;
    world.options.cpus = 3;
    check_golden("clone/guest-linked.txt", world.told(source));
}

TEST_CASE("an exact copy has the names, MACs and SMBIOS UUID of its source") {
    CloneWorld world;
    CloneSource source = world.guest();
    world.options.exact = world.options.start = true;
    world.options.network = "lab";
    check_golden("clone/exact.txt", world.told(source));
}

TEST_CASE("a domain of somebody else's is copied while it runs") {
    CloneWorld world;
    check_golden("clone/foreign.txt", world.told(world.foreign()));
}

TEST_CASE("a disk becomes a server, by what is found on it") {
    CloneWorld world;
    world.facts.leftovers = {"copy"};
    world.facts.kvm_defined = {"copy"};
    check_golden("clone/disk.txt", world.told(world.disk()));
    CloneSource windows = world.disk();
    windows.fact = {.system = "windows", .size = 8ULL << 30};
    windows.fetched = true;
    windows.what = "ssh://root@scope/dev/sda";
    check_golden("clone/windows.txt", world.told(windows));
    check_golden("clone/fetch.txt",
                 print(plan_fetch("copy", "/var/lib/clara", windows.what, 50 << 20, world.facts)));
}

TEST_CASE("what stands against a clone") {
    std::string text;
    auto against = [&](auto change) {
        CloneWorld world;
        CloneSource source = world.guest();
        change(world, source);
        text += world.refusal(source);
    };
    against([](auto& w, auto&) { w.name = "server"; });
    against([](auto& w, auto&) { w.options.exact = true; });
    against([](auto& w, auto&) {
        w.options.exact = true;
        w.site.networks.pop_back();
    });
    against([](auto& w, auto&) { w.facts.pool_free = 10 << 20; });
    against([](auto& w, auto&) { w.options.address = "10.99.0.1"; });
    against([](auto& w, auto& s) { w.options.address = s.spec->nic.subnet.address.str(); });
    against([](auto& w, auto&) { w.facts.guests["server"].lease_holder = "b"; });
    against([](auto& w, auto&) { w.facts.guests["server"].kind = "lxc"; });
    against([](auto& w, auto&) { w.facts.guests["server"].state = GuestState::stopping; });
    against([](auto& w, auto& s) {
        s.running = true;
        w.options.rate = 1;
    });
    against([](auto& w, auto& s) {
        s.running = true;
        w.options.linked = true;
    });
    against([](auto& w, auto& s) {
        s.fact.image.clear();
        w.options.linked = true;
    });
    against([](auto& w, auto&) { w.facts.libvirt_problem = "libvirtd does not run"; });
    against([](auto& w, auto&) {
        w.facts.bridges.clear();
        w.options.network = "office";
        w.site.networks[1].managed = false;
    });
    against([](auto& w, auto& s) { s = w.guest("ioc"); });
    against([](auto& w, auto& s) {
        s = w.disk();
        w.options.exact = true;
        w.options.network = "lab";
    });
    against([](auto& w, auto& s) {
        s = w.foreign();
        s.xml = s.xml.substr(0, 500);
    });
    check_golden("clone/refused.txt", text);
}

// One suite for every GuestDriver: the in-memory twin, libvirt's test driver (test:///default), and in a
// virtual host LXC itself (tests/system/lxc.test) and a libvirtd with qemu (tests/system/kvm_lifecycle.test).
#include <cstdlib>
#include <vector>

#include "catch.hpp"
#include "clara/drivers/guests_by_kind.hpp"
#include "fixtures/guest_hosts.hpp"

using namespace clara;

namespace {

std::vector<std::unique_ptr<GuestHost>> hosts() {
    std::vector<std::unique_ptr<GuestHost>> result;
    result.push_back(std::make_unique<FakeHost>());
    result.push_back(std::make_unique<LibvirtHost>());
    if (std::getenv("CLARA_VHOST"))
        result.push_back(std::make_unique<LxcHost>());
    else
        WARN("not in a virtual host: LXC itself is not tested here but by tests/system/lxc.test");
    if (exists("/run/libvirt/libvirt-sock") && std::getenv("CLARA_VHOST"))
        result.push_back(std::make_unique<QemuHost>());
    else
        WARN("no libvirtd of its own: qemu is not tested here but by tests/system/kvm_lifecycle.test");
    return result;
}

}  // namespace

TEST_CASE("guests are defined, started, stopped and undefined", "[guests]") {
    for (auto& host : hosts()) {
        CAPTURE(host->home());
        host->define("a", "first");
        CHECK(host->note("a") == "first");
        CHECK_FALSE(host->running("a"));
        host->start("a");
        CHECK(host->running("a"));
        CHECK(kind_of([&] { host->start("a"); }) == ErrorKind::refused);
        CHECK(kind_of([&] { host->undefine("a"); }) == ErrorKind::refused);
        CHECK(host->running("a"));
        host->stop("a");
        CHECK_FALSE(host->running("a"));
        CHECK_NOTHROW(host->stop("a"));
        host->undefine("a");
        CHECK_FALSE(host->note("a"));
        CHECK_NOTHROW(host->undefine("a"));
        CHECK(kind_of([&] { host->start("a"); }) == ErrorKind::refused);
        CHECK(kind_of([&] {
                  host->driver().restart_ioc({host->home(), "a", host->kind()});
              }) == ErrorKind::refused);
    }
}

TEST_CASE("a definition replaces our own, never another's", "[guests]") {
    for (auto& host : hosts()) {
        CAPTURE(host->home());
        host->define("a", "old");
        host->define("a", "new");
        CHECK(host->note("a") == "new");
        host->make_foreign("b");
        CHECK(kind_of([&] { host->define("b", "ours"); }) == ErrorKind::refused);
        CHECK(kind_of([&] { host->undefine("b"); }) == ErrorKind::refused);
        CHECK(host->note("b") == "foreign");
        CHECK(kind_of([&] { host->define("a", "elsewhere", "/srv/pool"); }) == ErrorKind::refused);
        CHECK(kind_of([&] { host->undefine("a", "/srv/pool"); }) == ErrorKind::refused);
        CHECK(host->note("a") == "new");
    }
}

TEST_CASE("a guest that does not start is not running", "[guests]") {
    for (auto& host : hosts()) {
        CAPTURE(host->home());
        host->define("a");
        if (!host->break_start("a")) continue;
        CHECK(kind_of([&] { host->start("a"); }) == ErrorKind::failed);
        CHECK_FALSE(host->running("a"));
    }
}

TEST_CASE("actions go to the driver of their kind", "[guests]") {
    FakeGuests lxc, kvm;
    GuestsByKind both(lxc, kvm);
    both.define({"/var/lib/lxc", "a", lxc_text("a", "", ""), "", "lxc"});
    both.define({"qemu:///system", "b", lxc_text("b", "", ""), "", "kvm"});
    CHECK(lxc.configs.count("a") == 1);
    CHECK(kvm.configs.count("b") == 1);
    both.start({"qemu:///system", "b", "kvm"});
    both.restart_ioc({"qemu:///system", "b", "kvm"});
    CHECK(both.running({"qemu:///system", "b", "kvm"}));
    CHECK_FALSE(both.running({"/var/lib/lxc", "b", "lxc"}));
    CHECK(kvm.ioc_restarts["b"] == 1);
    both.stop({"qemu:///system", "b", 1s, "kvm"});
    both.undefine({"qemu:///system", "b", "", "kvm"});
    CHECK(kvm.configs.empty());
    CHECK(lxc.configs.size() == 1);
    CHECK_THROWS_WITH(both.start({"", "c", "xen"}), Catch::Contains("no guest of kind 'xen'"));
}

// Whether KVM is taken: only what was seen to work.
#include "clara/drivers/libvirt/accelerator.hpp"

#include <signal.h>
#include <unistd.h>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/storage/lease.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

TEST_CASE("a device that is no KVM is not taken for one", "[kvm]") {
    CHECK(kvm_problem(5s, "/nowhere/kvm") == "it cannot be opened");
    CHECK(kvm_problem(5s, "/dev/null") == "it has another interface");
}

TEST_CASE("one that hangs is given up, one that kills its user as well", "[kvm]") {
    CHECK(kvm_problem(50ms, "", [](const char*) { return ::pause(); }) == "it does not answer");
    CHECK(kvm_problem(5s, "", [](const char*) { return ::kill(::getpid(), SIGKILL); }) ==
          "its test was killed");
    CHECK(kvm_problem(5s, "", [](const char*) { return 0; }).empty());
}

TEST_CASE("what was found out is kept for this boot", "[kvm]") {
    TempDir dir;
    Site site;
    site.run_dir = dir / "run";
    const std::string first = accelerator(site, false);
    CHECK_FALSE(exists(site.run_dir));
    CHECK(accelerator(site, true) == first);
    CHECK(exists(site.run_dir + "/kvm"));
    write_file(site.run_dir + "/kvm", this_boot() + " it does not answer\n");
    CHECK(accelerator(site, true) == "qemu");
    write_file(site.run_dir + "/kvm", this_boot() + " \n");
    CHECK(accelerator(site, true) == "kvm");
    write_file(site.run_dir + "/kvm", "an-earlier-boot it does not answer\n");
    CHECK(accelerator(site, true) == first);
}

TEST_CASE("the site decides where it wants to", "[kvm]") {
    TempDir dir;
    Site site;
    site.run_dir = dir.path();
    site.hypervisor = "qemu";
    CHECK(accelerator(site, true) == "qemu");
    CHECK_FALSE(exists(site.run_dir + "/kvm"));
    site.hypervisor = "kvm";
    write_file(site.run_dir + "/kvm", this_boot() + " it is absent\n");
    CHECK_THROWS_WITH(accelerator(site, true), Catch::Contains("/dev/kvm: it is absent"));
}

#include "clara/base/error.hpp"
#include "clara/ops/domain_read.hpp"
#include "clara/ops/domain_xml.hpp"
#include "domain_world.hpp"
#include "golden.hpp"

using namespace clara;
using Catch::Matchers::Contains;

TEST_CASE("virtual machines of all kinds as domain XML") {
    for (const char* name : {"ioc", "server", "installer"})
        check_golden(std::string("domain/") + name + ".qemu.xml",
                     domain_xml(domain_spec(name), domain_site(), domain_facts(), "qemu"));
    Facts tmpfs = domain_facts();
    tmpfs.direct_io = false;
    check_golden("domain/ioc-tmpfs.kvm.xml", domain_xml(domain_spec("ioc"), domain_site(), tmpfs, "kvm"));
    check_golden("domain/server.kvm.xml",
                 domain_xml(domain_spec("server"), domain_site(), domain_facts(), "kvm"));
}

TEST_CASE("a domain that we made reads as the guest that it is") {
    DomainFacts read =
        read_domain(domain_xml(domain_spec("server"), domain_site(), domain_facts(), "kvm"), "domain.xml");
    CHECK(read.name == "archiver-of-the-linac");
    CHECK(read.guest == "archiver-of-the-linac");
    CHECK(read.pool == "/srv/clara & co");
    CHECK(read.uuid == "0b7d6a52-93f1-4c0e-9d27-5e4a1f3c8b60");
    CHECK(read.type == "kvm");
    CHECK(read.machine == "pc-q35-7.2");
    CHECK(read.uefi);
    CHECK(read.nvram == "/srv/clara & co/guests/archiver-of-the-linac/nvram.fd");
    CHECK(read.memory == 4ULL << 30);
    CHECK(read.cpus == 2);
    REQUIRE(read.disks.size() == 3);
    CHECK(read.disks[2].source == domain_file::disk("/srv/clara & co", "archiver-of-the-linac", 2));
    CHECK(read.disks[2].target == "sdb");
    CHECK(read.disks[1].target == "vda");
    CHECK(read.disks[0].format == "qcow2");
    REQUIRE(read.nics.size() == 3);
    CHECK(read.nics[1].mac->str() == "02:c1:a8:00:00:02");
    CHECK(read.nics[1].source == "br-office");
    CHECK(read.nics[2].mac->str() == "52:54:00:12:34:56");
    CHECK(read.graphics == std::vector<std::string>{"vnc"});
}

TEST_CASE("what cannot be told to libvirt is refused") {
    GuestSpec spec = domain_spec("ioc");
    spec.description = "a\x01";
    CHECK_THROWS_WITH(domain_xml(spec, domain_site(), domain_facts(), "qemu"),
                      Contains("cannot be told in XML"));
    spec = domain_spec("server");
    spec.networks[0].network = "machine";
    CHECK_THROWS_WITH(domain_xml(spec, domain_site(), domain_facts(), "qemu"), Contains("unknown network"));
    spec.machine.reset();
    CHECK_THROWS_WITH(domain_xml(spec, domain_site(), domain_facts(), "qemu"),
                      Contains("no virtual machine"));
}

TEST_CASE("values cannot become elements") {
    GuestSpec spec = domain_spec("ioc");
    spec.description = "</description><devices/>";
    spec.pool = "/srv/'\"/><x/>";
    DomainFacts read = read_domain(domain_xml(spec, domain_site(), domain_facts(), "qemu"), "domain.xml");
    CHECK(read.pool == spec.pool);
    CHECK(read.disks.at(0).source == spec.pool + "/guests/magnets/disk.qcow2");
}

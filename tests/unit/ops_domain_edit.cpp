#include "clara/base/error.hpp"
#include "clara/ops/domain_edit.hpp"
#include "clara/ops/domain_read.hpp"
#include "domain_world.hpp"
#include "golden.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

std::string foreign() {
    return read_file(source_dir() + "/tests/golden/domain_edit/foreign.xml").value_or("");
}

DomainEdits edits_of_foreign() {
    DomainEdits edits;
    edits.name = "daq-test";
    edits.pool = "/var/lib/clara";
    edits.uuid = "99999999-8888-4777-8666-555555555555";
    edits.genid = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    edits.serial = "clara-daq-test";
    edits.type = "qemu";
    edits.disks = {{.target = "vda",
                    .source = "/var/lib/clara/guests/daq-test/disk.qcow2",
                    .backing = "/var/lib/clara/images/daq@0123456789ab/disk.qcow2"},
                   {.target = "vdb", .source = "/dev/vg/daq-test", .block = true, .format = "raw"},
                   {.target = "vdc", .drop = true}};
    edits.nics = {{*Mac::parse("02:c1:a7:00:00:09"), "clarabr0", "ve-daq-test"},
                  {*Mac::parse("02:c1:a8:00:00:09"), "", ""}};
    return edits;
}

EditedDomain edit(const std::string& xml, const DomainEdits& edits) {
    return edit_domain_xml(xml, edits, "a.xml");
}

std::string refused(const std::string& xml, const DomainEdits& edits, ErrorKind kind = ErrorKind::refused) {
    try {
        edit(xml, edits);
    } catch (const Error& e) {
        CHECK(e.kind() == kind);
        return e.message();
    }
    return "no error";
}

}  // namespace

TEST_CASE("a domain that somebody else made becomes a copy with its own identity, all else stays") {
    EditedDomain copy = edit(foreign(), edits_of_foreign());
    std::string warnings;
    for (const auto& warning : copy.warnings) warnings += warning + "\n";
    check_golden("domain_edit/foreign-copy.xml", copy.xml);
    check_golden("domain_edit/foreign-copy.warnings.txt", warnings);
    DomainFacts read = read_domain(copy.xml, "copy");
    CHECK(read.guest == "daq-test");
    CHECK(read.pool == "/var/lib/clara");
    CHECK(read.disks.size() == 3);
    CHECK(read.nvram == "/var/lib/clara/guests/daq-test/nvram.fd");
}

TEST_CASE("nothing of the old identity is left in the copy of a guest of ours") {
    for (const char* name : {"ioc", "installer"}) {
        const GuestSpec spec = domain_spec(name);
        const std::string xml = domain_xml(spec, domain_site(), domain_facts(), "qemu");
        DomainEdits edits;
        edits.name = "copy";
        edits.pool = "/srv/other";
        edits.uuid = "99999999-8888-4777-8666-555555555555";
        edits.disks = {{.target = "vda", .source = "/srv/other/guests/copy/disk.qcow2"}};
        edits.nics = {{*Mac::parse("02:c1:a7:00:00:09"), "", "ve-copy"}};
        const EditedDomain copy = edit(xml, edits);
        CHECK_THAT(copy.xml, !Contains(spec.machine->uuid) && !Contains("/guests/" + spec.name) &&
                                 !Contains(spec.nic.mac.str()) && !Contains("ve-" + spec.name));
        // The template's description names it, which is told.
        CHECK(copy.warnings.size() == (spec.description.empty() ? 0 : 1));
        CHECK_THAT(copy.xml, Contains("/srv/other/guests/copy/console.log"));
    }
}

TEST_CASE("a copy that keeps its identity changes where it lies, and no more") {
    const GuestSpec spec = domain_spec("ioc");
    const std::string xml = domain_xml(spec, domain_site(), domain_facts(), "qemu");
    DomainEdits edits{.name = spec.name, .pool = spec.pool, .uuid = spec.machine->uuid};
    edits.disks = {{.target = "vda",
                    .source = domain_file::disk(spec.pool, spec.name),
                    .backing = domain_file::image(spec.pool, spec.image)}};
    edits.nics = {{spec.nic.mac, "", "ve-magnets"}};
    const EditedDomain copy = edit(xml, edits);
    CHECK(copy.xml == xml);
    CHECK(copy.warnings.empty());
}

TEST_CASE("every disk and card must be accounted for") {
    DomainEdits edits = edits_of_foreign();
    edits.disks.pop_back();
    CHECK_THAT(refused(foreign(), edits), Contains("disk vdc (/dev/scratch) is not among what is copied"));
    edits = edits_of_foreign();
    edits.disks.push_back({.target = "vdx", .source = "/x"});
    CHECK_THAT(refused(foreign(), edits), Contains("no disk vdx"));
    edits = edits_of_foreign();
    edits.nics.pop_back();
    CHECK_THAT(refused(foreign(), edits), Contains("2 network cards, not 1"));
}

TEST_CASE("devices that a copy cannot have are refused") {
    DomainEdits edits{.name = "b", .pool = "/p", .uuid = "99999999-8888-4777-8666-555555555555"};
    auto domain = [](const std::string& device) {
        return "<domain type='kvm'><name>a</name><devices>" + device + "</devices></domain>";
    };
    CHECK_THAT(
        refused(domain("<memory model='nvdimm'><source><path>/nv.img</path></source></memory>"), edits),
        Contains("/domain/devices/memory: memory that lies in a file"));
    edits.nics = {{*Mac::parse("02:c1:a7:00:00:09"), "", ""}};
    CHECK_THAT(
        refused(domain("<interface type='hostdev'><mac address='52:54:00:00:00:01'/></interface>"), edits),
        Contains("network card of the host"));
}

TEST_CASE("a domain with no more than a name gets what it lacks") {
    DomainEdits edits{.name = "b", .pool = "/p", .uuid = "99999999-8888-4777-8666-555555555555"};
    const EditedDomain copy = edit("<domain type='kvm'>\n <name>a</name>\n</domain>", edits);
    CHECK(copy.xml ==
          "<domain type=\"kvm\">\n <name>b</name>\n <uuid>99999999-8888-4777-8666-555555555555</uuid>\n "
          "<metadata>\n   <clara:guest xmlns:clara=\"https://clara.control/guest/1\" name=\"b\" "
          "pool=\"/p\"/>\n </metadata>\n "
          "<devices/>\n</domain>\n");
}

TEST_CASE("what is no domain is refused with its place") {
    const DomainEdits edits = edits_of_foreign();
    CHECK_THAT(refused("<domain>\n<name>x</domain>", edits, ErrorKind::usage), Contains("a.xml:2:"));
    CHECK_THAT(refused("<network/>", edits, ErrorKind::usage), Contains("expected <domain>, not <network>"));
    CHECK_THAT(refused("<domain/>", edits, ErrorKind::usage), Contains("has no name"));
    CHECK_THAT(refused("<!DOCTYPE x><domain><name>x</name></domain>", edits, ErrorKind::usage),
               Contains("document type"));
}

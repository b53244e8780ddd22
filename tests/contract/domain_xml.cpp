// What we tell libvirt is what it understands: its own schema, and its own qemu driver, take our domains.
#include "catch.hpp"
#include "clara/base/process.hpp"
#include "clara/ops/domain_edit.hpp"
#include "domain_world.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

std::string made(const std::string& name, const std::string& hypervisor) {
    return domain_xml(domain_spec(name), domain_site(), domain_facts(), hypervisor);
}

/// libvirt's qemu driver in virsh's own process, with all of its files below `root`.
std::string virsh(const std::string& root, const std::string& commands) {
    // As a user who may not open /dev/kvm it would ask qemu all that it can do again for each domain.
    make_dirs(root + "/etc");
    write_file(root + "/etc/qemu.conf", "user = \"root\"\ngroup = \"root\"\n");
    return run_ok({"virsh", "--quiet", "--connect", "qemu:///embed?root=" + root, commands},
                  {.timeout = std::chrono::minutes(8)});
}

}  // namespace

TEST_CASE("libvirt's schema holds of every domain that we make") {
    TempDir dir;
    for (const char* name : {"ioc", "server", "installer"})
        for (const char* hypervisor : {"kvm", "qemu"}) {
            const std::string file = dir / std::string(name) + "." + hypervisor + ".xml";
            write_file(file, made(name, hypervisor));
            INFO(name << " " << hypervisor);
            CHECK_NOTHROW(run_ok({"virt-xml-validate", file, "domain"}));
        }
    // A check that says yes to everything proves nothing.
    write_file(dir / "bad.xml",
               "<domain type='qemu'><name>x</name><memory>1</memory><os><type>hvm</type></os><x/></domain>");
    CHECK_THROWS(run_ok({"virt-xml-validate", dir / "bad.xml", "domain"}));
}

TEST_CASE("libvirt's qemu driver defines the domains that we make, and their copies") {
    TempDir dir;
    std::string define;
    auto add = [&](const std::string& name, const std::string& xml) {
        write_file(dir / name + ".xml", xml);
        define += "define " + (dir / name + ".xml") + "; ";
    };
    for (const char* name : {"ioc", "server", "installer"}) add(domain_spec(name).name, made(name, "qemu"));
    DomainEdits edits{
        .name = "magnets-copy", .pool = "/srv/other", .uuid = "99999999-8888-4777-8666-555555555555"};
    edits.disks = {{.target = "vda", .source = "/srv/other/guests/magnets-copy/disk.qcow2"}};
    edits.nics = {{*Mac::parse("02:c1:a7:00:00:09"), "clarabr0", "ve-copy"}};
    add(edits.name, edit_domain_xml(made("ioc", "qemu"), edits, "magnets").xml);
    const std::string said = virsh(dir / "libvirt", define + "list --all --name; dumpxml --inactive magnets");
    for (const char* name : {"magnets", "magnets-copy", "archiver-of-the-linac", "build01"})
        CHECK(said.find(std::string(name) + "\n") != std::string::npos);
    // libvirt keeps our mark, and reads the domain as we do.
    CHECK(said.find("<clara:guest xmlns:clara=\"https://clara.control/guest/1\" name=\"magnets\" "
                    "pool=\"/var/lib/clara\"/>") != std::string::npos);
    CHECK(said.find("<seclabel model='dac' relabel='no'/>") != std::string::npos);
}

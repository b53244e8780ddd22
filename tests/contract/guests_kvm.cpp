// What only domains have. LibvirtHost is libvirt's own test driver.
#include <sys/socket.h>
#include <sys/un.h>

#include "catch.hpp"
#include "clara/drivers/libvirt/backup.hpp"
#include "fixtures/guest_hosts.hpp"

using namespace clara;

TEST_CASE("somebody else's domain is neither started nor stopped", "[guests][kvm]") {
    LibvirtHost host;
    auto libvirt = host.libvirt.connect(host.home());
    host.make_foreign("b");
    CHECK(kind_of([&] { host.start("b"); }) == ErrorKind::refused);
    libvirt->start("b");
    CHECK(kind_of([&] { host.stop("b"); }) == ErrorKind::refused);
    CHECK(host.running("b"));
}

TEST_CASE("a definition that is another guest's is not handed to libvirt", "[guests][kvm]") {
    LibvirtHost host;
    const std::string other = host.config("other", "", "");
    CHECK_THROWS_WITH(host.driver().define({host.home(), "a", other, "", "kvm"}),
                      Catch::Contains("does not say that it is this guest"));
    CHECK_FALSE(host.note("other"));
}

TEST_CASE("a domain starts with the host where its guest does", "[guests][kvm]") {
    for (bool on : {true, false}) {
        LibvirtHost host;
        DefineGuest guest{host.home(), "a", host.config("a", "", ""), "", "kvm", on};
        host.driver().define(guest);
        guest.autostart = !on;
        host.driver().define(guest);
        // Only libvirt's own listing tells; the connection's domains die with it, so it is asked through
        // that.
        CHECK(host.libvirt.connect(host.home())->autostart("a") == !on);
    }
}

TEST_CASE("what is defined is kept in the guest's folder, under either name", "[guests][kvm]") {
    LibvirtHost host;  // a name of its own: the connection of the test before may end a moment later
    TempDir pool;
    for (const std::string folder : {"guests/.kept.partial", "guests/kept"}) {
        make_dirs(pool / folder);
        const std::string config = host.config("kept", folder, pool.path());
        host.driver().define({host.home(), "kept", config, pool.path(), "kvm"});
        CHECK(read_file(pool / folder + "/domain.xml") == config);
    }
    // One that libvirt does not take leaves the copy of the one it has.
    const std::string before = read_file(pool / "guests/kept/domain.xml").value();
    std::string bad = host.config("kept", "", pool.path());
    bad.replace(bad.find("<os>"), 4, "<os><type>none</type>");
    CHECK_THROWS_AS(host.driver().define({host.home(), "kept", bad, pool.path(), "kvm"}), Error);
    CHECK(read_file(pool / "guests/kept/domain.xml") == before);
}

TEST_CASE("of a snapshot libvirt tells the definition; there are no disks of what does not run",
          "[guests][kvm]") {
    LibvirtHost host;
    TempDir pool;
    make_dirs(pool / "guests/told/snapshots/.s.partial");
    host.define("told", "note", pool.path());
    const KeepState definition{host.home(), pool.path(), "told", "s"};
    CHECK(host.driver().keep_state(definition).empty());
    CHECK(read_file(pool / "guests/told/snapshots/.s.partial/domain.xml") ==
          host.libvirt.connect(host.home())->xml("told"));
    KeepState disks = definition;
    disks.disks = true;
    CHECK_THROWS_AS(host.driver().keep_state(disks), StaleFacts);
    CHECK_NOTHROW(host.driver().drop_states({host.home(), pool.path(), "told"}));
    CHECK_NOTHROW(host.driver().forget_backups({host.home(), "told"}));
    CHECK_THROWS_WITH(host.driver().wake({host.home(), pool.path(), "told", "s"}),
                      Catch::Contains("has lost its memory.xml"));
    host.make_foreign("b");
    make_dirs(pool / "guests/b/snapshots/.s.partial");
    CHECK(kind_of([&] {
              host.driver().keep_state({host.home(), pool.path(), "b", "s"});
          }) == ErrorKind::refused);
}

TEST_CASE("libvirt that is not there is refused with the way out", "[guests][kvm]") {
    LibvirtDriver driver;
    try {
        driver.start({"qemu+unix:///system?socket=/nowhere/sock", "a", "kvm"});
        FAIL("connected to nowhere");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::refused);
        CHECK_THAT(e.what(), Catch::Contains("/nowhere/sock"));
        CHECK_THAT(e.hint(), Catch::Contains("systemctl start libvirtd"));
    }
}

TEST_CASE("a libvirtd that hangs costs its time limit, once", "[guests][kvm]") {
    TempDir dir;
    // Takes the connection and never says a word.
    Fd mute(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (dir / "sock").copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(mute.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(mute.get(), 5) == 0);
    LibvirtDriver driver({.answer_limit = 200ms, .work_limit = 400ms});
    CHECK_THROWS_WITH(driver.start({"qemu+unix:///system?socket=" + (dir / "sock"), "a", "kvm"}),
                      Catch::Contains("does not answer within 200ms"));
}

TEST_CASE("what does not run is not copied by its hypervisor", "[guests][kvm]") {
    FakeHost fake;
    LibvirtHost libvirt;
    for (GuestHost* host : {static_cast<GuestHost*>(&fake), static_cast<GuestHost*>(&libvirt)}) {
        CAPTURE(host->home());
        CopyDisks copy{"/pool", "new", "a"};
        copy.home = host->home();
        copy.domain = "a";
        CHECK(kind_of([&] { host->driver().copy_disks(copy); }) == ErrorKind::refused);
        host->define("a", "");
        CHECK_THROWS_AS(host->driver().copy_disks(copy), StaleFacts);
        copy.rate = 1 << 20;
        CHECK(kind_of([&] { host->driver().copy_disks(copy); }) == ErrorKind::usage);
    }
}

TEST_CASE("a copy that libvirt does not make leaves nothing", "[guests][kvm]") {
    LibvirtHost host;  // the test driver knows no backup jobs
    TempDir dir;
    make_dirs(dir / "guests/.new.partial");
    host.define("a", "");
    host.start("a");
    CopyDisks copy{dir.path(), "new", "a"};
    copy.disks = {{.source = "/disk", .format = "raw", .file = "disk.qcow2", .target = "vda"}};
    copy.home = host.home();
    copy.domain = "a";
    CHECK_THROWS_WITH(host.driver().copy_disks(copy), Catch::Contains("not supported"));
    CHECK(list_dir(dir / "guests/.new.partial").empty());
    CHECK(host.running("a"));
}

TEST_CASE("a backup job says which disk goes where", "[guests][kvm]") {
    CopyDisks copy{"/pool", "new", "a"};
    copy.disks = {{.source = "/a", .format = "raw", .file = "disk.qcow2", .target = "vda"},
                  {.source = "/b", .format = "qcow2", .file = "disk2.qcow2", .target = "sda"}};
    const std::string xml = backup_xml(copy, "/pool & co/guests/.new.partial");
    CHECK_THAT(xml, Catch::Contains("<domainbackup mode=\"push\">") &&
                        Catch::Contains("<disk name=\"sda\" type=\"file\" backup=\"yes\">") &&
                        Catch::Contains("<driver type=\"qcow2\"/>"));
    CHECK(backup_target(xml) == "/pool & co/guests/.new.partial/disk.qcow2");
    CHECK(
        backup_target("<domainbackup mode='pull'><disks><disk name='vda'><scratch file='/s'/></disk></disks>"
                      "</domainbackup>")
            .empty());
}

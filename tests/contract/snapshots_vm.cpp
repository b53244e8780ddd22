// Snapshots of virtual machines that do not run, beside what every StorageDriver does (snapshots.cpp):
// several disks, kills between them, what the disks alone know.
#include <sys/wait.h>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/disks/qcow2_snapshots.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/snapshot_list.hpp"
#include "disk_tools.hpp"
#include "storage_steps.hpp"

using namespace clara;
using Catch::Contains;

namespace {

/// The guest vm1 with two disks, snapshot first with "one" on both, and "two" now.
struct Vm {
    TempDir dir;
    DirStorage storage;
    std::string pool = dir / "pool";

    Vm() {
        GuestSpec spec = Steps(pool, "vm1", 11).spec();
        spec.kind = "kvm";
        make_dirs(folder());
        write_file(folder() + "/guest.yaml", write_guest(spec), 0640);
        give("one");
        take("first");
        give("two");
    }
    std::string folder() const { return pool::guest(pool, "vm1"); }
    std::string disk(int number) const { return folder() + (number == 1 ? "/disk.qcow2" : "/disk2.qcow2"); }
    /// What belongs to a state beside the disks has its name in it.
    void give(const std::string& text) {
        for (int number : {1, 2}) {
            if (!exists(disk(number))) qemu_img({"create", "-q", "-f", "qcow2", disk(number), "8M"});
            write_beginning(disk(number), text);
        }
        write_file(folder() + "/domain.xml", "<domain>" + text + "</domain>");
        write_file(folder() + "/nvram.fd", text);
    }
    std::string state() {
        std::string text = beginning_now(disk(1)) + " " + beginning_now(disk(2));
        for (const char* file : {"/domain.xml", "/nvram.fd"})
            text += " " + read_file(folder() + file).value_or("-");
        return text + (exists(folder() + "/" + pool::unfinished_rollback) ? " torn" : "");
    }
    static SnapshotInfo info(const std::string& name) {
        return {.name = name, .time = "2026-11-23T08:39:32Z", .state = "stopped"};
    }
    void make(const std::string& name) {
        storage.make_snapshot({.pool = pool, .name = "vm1", .info = info(name), .kind = "kvm"});
    }
    void take(const std::string& name) {
        make(name);
        storage.publish_snapshot({pool, "vm1", name, "kvm"});
    }
    void back(const std::string& to, const std::string& kept = "before-rollback") {
        storage.prepare_rollback({pool, "vm1", to, kept, "kvm"});
        storage.switch_disk({pool, "vm1", to, info(kept), "kvm"});
    }
    /// With CLARA_TEST_SWITCH in a child; its wait status.
    int back_with(const char* hook, const char* kept = "before-rollback") {
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv("CLARA_TEST_SWITCH", hook, 1);
            try {
                back("first", kept);
            } catch (const Error&) {
                ::_exit(1);
            }
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        return status;
    }
    std::string tags(int number) {
        std::string names;
        for (const auto& one : read_inner_snapshots(disk(number))) names += one.name + " ";
        return names;
    }
    std::string problem(const std::string& snapshot) {
        for (const auto& one : read_disk_fact(pool, "vm1").snapshots)
            if (one.info.name == snapshot) return one.problem;
        return "not there";
    }
};

const std::string one = "one one <domain>one</domain> one", two = "two two <domain>two</domain> two";

}  // namespace

TEST_CASE("vm snapshots: definition and firmware variables go back with the disks") {
    if (!is_root()) return;
    Vm vm;
    CHECK(vm.state() == two);
    vm.back("first");
    CHECK(vm.state() == one);
    CHECK(vm.tags(1) == "clara.first clara.before-rollback ");
    CHECK(vm.tags(2) == vm.tags(1));
    vm.back("before-rollback", "before-rollback-2");
    CHECK(vm.state() == two);
    for (int number : {1, 2}) CHECK(check_disk(vm.disk(number), "qcow2").leaks == 0);
}

TEST_CASE(
    "vm snapshots: a rollback that is killed between two disks is known as such, and repaired by the next") {
    if (!is_root()) return;
    Vm vm;
    REQUIRE(WTERMSIG(vm.back_with("KILL")) == SIGKILL);
    CHECK(vm.state() == "one two <domain>two</domain> two torn");
    CHECK(read_file(vm.folder() + "/" + pool::unfinished_rollback) == "before-rollback");
    CHECK(vm.problem("before-rollback").empty());
    SECTION("to the snapshot") {
        vm.back("first", "before-rollback-2");
        CHECK(vm.state() == one);
        CHECK_THAT(vm.problem("before-rollback-2"), Contains("killed half-way"));
        SECTION("which may be taken back: it is torn again") {
            vm.storage.switch_disk_back({vm.pool, "vm1", "first", Vm::info("before-rollback-2"), "kvm"});
            CHECK(vm.state() == "one two <domain>two</domain> two torn");
        }
    }
    SECTION("to what was there before") {
        vm.back("before-rollback", "before-rollback-2");
        CHECK(vm.state() == two);
    }
    SECTION("which is killed, too") {
        REQUIRE(WTERMSIG(vm.back_with("KILL", "before-rollback-2")) == SIGKILL);
        vm.back("before-rollback", "before-rollback-3");
        CHECK(vm.state() == two);
    }
}

TEST_CASE("vm snapshots: a rollback that fails between two disks leaves all as it was") {
    if (!is_root()) return;
    Vm vm;
    CHECK(WEXITSTATUS(vm.back_with("FAIL")) == 1);
    CHECK(vm.state() == two);
    CHECK(vm.tags(1) == "clara.first ");
    CHECK(vm.tags(2) == "clara.first ");
    CHECK(list_dir(vm.folder() + "/snapshots") == std::vector<std::string>{"first"});
}

TEST_CASE("vm snapshots: what a killed run has left in the disks goes with the next") {
    if (!is_root()) return;
    Vm vm;
    vm.make("second");  // and nobody publishes it
    qemu_img({"snapshot", "-c", "clara.third", vm.disk(2)});
    qemu_img({"snapshot", "-c", "somebody's own", vm.disk(2)});
    vm.take("second");
    CHECK(vm.tags(1) == "clara.first clara.second ");
    CHECK(vm.tags(2) == "clara.first somebody's own clara.second ");
    vm.storage.remove_snapshot({vm.pool, "vm1", "first", "kvm"});
    CHECK(vm.tags(1) == "clara.second ");
}

TEST_CASE("vm snapshots: one that a disk has not is damaged, neither published nor gone back to") {
    if (!is_root()) return;
    Vm vm;
    vm.make("second");
    qemu_img({"snapshot", "-d", "clara.second", vm.disk(2)});
    CHECK_THROWS_WITH(vm.storage.publish_snapshot({vm.pool, "vm1", "second", "kvm"}),
                      Contains("disk2.qcow2 has no state of snapshot second"));
    qemu_img({"snapshot", "-d", "clara.first", vm.disk(1)});
    CHECK(vm.problem("first") == "disk.qcow2 does not have it");
    CHECK_THROWS_WITH(vm.back("first"), Contains("disk.qcow2 has no state of snapshot first"));
    CHECK(vm.state() == two);
    vm.storage.remove_snapshot({vm.pool, "vm1", "first", "kvm"});
    CHECK(vm.tags(2).empty());
}

TEST_CASE("vm snapshots: a disk that others are linked to stays as it is, and they are named") {
    if (!is_root()) return;
    Vm vm;
    make_dirs(vm.pool + "/guests/vm2");
    create_linked(open_dir(vm.pool + "/guests/vm2").get(), "disk.qcow2", "../vm1/disk2.qcow2", 0);
    for (auto& work :
         std::vector<std::function<void()>>{[&] { vm.make("second"); }, [&] { vm.back("first"); },
                                            [&] {
                                                vm.storage.remove_snapshot({vm.pool, "vm1", "first", "kvm"});
                                            }})
        CHECK_THROWS_WITH(work(), Contains("disk2.qcow2 is what vm2 stands on"));
    CHECK(vm.state() == two);
    CHECK(vm.problem("first").empty());
}

TEST_CASE("vm snapshots: dirty bitmaps of earlier backups do not stand in the way, and are gone then") {
    if (!is_root()) return;
    Vm vm;
    qemu_img({"bitmap", "--add", "-f", "qcow2", vm.disk(1), "backup"});
    vm.back("first");
    CHECK(vm.state() == one);
    CHECK(disk_info(vm.disk(1), "qcow2").bitmaps.empty());
}

TEST_CASE("vm snapshots: what its removal frees is nobody's to tell, its memory is") {
    if (!is_root()) return;
    Vm vm;
    const auto fact = read_disk_fact(vm.pool, "vm1");
    REQUIRE(fact.snapshots.size() == 1);
    CHECK_FALSE(fact.snapshots[0].exclusive);
    CHECK(fact.snapshots[0].info.memory == 0);
}

TEST_CASE("snapshots within a qcow2 are read as qemu-img reads them") {
    TempDir dir;
    const std::string disk = dir / "disk.qcow2";
    const std::string compat = GENERATE(as<std::string>(), "0.10", "1.1");
    qemu_img({"create", "-q", "-f", "qcow2", "-o", "compat=" + compat, disk, "8M"});
    CHECK(read_inner_snapshots(disk).empty());
    const std::string long_name(255, 'x');
    for (const auto& name : {std::string("a"), std::string("clara.x"), long_name})
        qemu_img({"snapshot", "-c", name, disk});
    qemu_img({"snapshot", "-d", "a", disk});
    const auto all = read_inner_snapshots(disk);
    REQUIRE(all.size() == 2);
    CHECK(all[0].name == "clara.x");
    CHECK(all[1].name == long_name);
    CHECK(all[0].vm_state == 0);
}

TEST_CASE("a table of snapshots that is not sound is refused") {
    TempDir dir;
    const std::string disk = dir / "disk.qcow2";
    qemu_img({"create", "-q", "-f", "qcow2", disk, "8M"});
    qemu_img({"snapshot", "-c", "a", disk});
    Fd file(::open(disk.c_str(), O_RDWR | O_CLOEXEC));
    auto put = [&](off_t at, const std::string& bytes) {
        REQUIRE(::pwrite(file.get(), bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()));
    };
    SECTION("more than QEMU takes") {
        put(60, std::string("\x00\x02\x00\x00", 4));
    }
    SECTION("beyond the end of the file") {
        put(64, std::string("\x00\x00\x00\x7f\x00\x00\x00\x00", 8));
    }
    SECTION("it points at what is none") {
        put(60, std::string("\x00\x00\xff\xff", 4));
    }
    CHECK(kind_of([&] { read_inner_snapshots(disk); }) == ErrorKind::refused);
}

// One suite for the snapshots of every StorageDriver.
#include "clara/drivers/storage/snapshots.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <functional>
#include <memory>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/drivers/storage/disk_file.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/drivers/storage/snapshot_list.hpp"
#include "disk_tools.hpp"
#include "fakes/storage.hpp"
#include "storage_steps.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

namespace {

/// A pool with the guest bpm01, ways to write on its disk and to look past the driver.
struct Rig {
    virtual ~Rig() = default;
    virtual StorageDriver& driver() = 0;
    virtual std::string pool() = 0;
    virtual void write(const std::string& text) = 0;  ///< /mark on the guest's disk
    virtual std::string mark() = 0;
    virtual std::vector<std::string> snapshots() = 0;
    virtual std::string mark_of(const std::string& snapshot) = 0;
    virtual std::string owner() = 0;  ///< as guest.yaml says
    virtual void give_owner(const std::string& name) = 0;
    virtual void run() = 0;  ///< its disk is in use from now on
    virtual void end() = 0;
    virtual std::string kind() { return "lxc"; }

    virtual void have_guest() {
        Steps steps(pool(), "bpm01", 11);
        for (auto& step : steps.create()) step(driver());
    }
    void make(const std::string& snapshot) {
        driver().make_snapshot({.pool = pool(), .name = "bpm01", .info = info(snapshot), .kind = kind()});
    }
    void publish(const std::string& snapshot) {
        driver().publish_snapshot({pool(), "bpm01", snapshot, kind()});
    }
    void remove(const std::string& snapshot) {
        driver().remove_snapshot({pool(), "bpm01", snapshot, kind()});
    }
    void take(const std::string& snapshot) { make(snapshot), publish(snapshot); }
    static SnapshotInfo info(const std::string& name) {
        return {.name = name, .time = "2026-11-23T08:39:32Z", .comment = "a: test", .state = "stopped"};
    }
    PrepareRollback prepare(const std::string& snapshot) {
        return {pool(), "bpm01", snapshot, "before-rollback", kind()};
    }
    SwitchDisk exchange(const std::string& snapshot) {
        return {pool(), "bpm01", snapshot, info("before-rollback"), kind()};
    }
};

struct FakeRig : Rig {
    FakeStorage storage;
    FakeRig() { have_guest(); }
    FakeStorage::Pool& fake() { return storage.pools["/pool"]; }
    FakeStorage::Guest& guest() { return fake().guests.at("bpm01"); }
    StorageDriver& driver() override { return storage; }
    std::string pool() override { return "/pool"; }
    void write(const std::string& text) override { guest().files["/mark"] = {"/mark", "", text}; }
    std::string mark() override { return guest().files["/mark"].content; }
    std::vector<std::string> snapshots() override {
        std::vector<std::string> names;
        for (const auto& [name, snapshot] : fake().snapshots["bpm01"]) names.push_back(name);
        return names;
    }
    std::string mark_of(const std::string& snapshot) override {
        return fake().snapshots["bpm01"].at(snapshot).guest->files.at("/mark").content;
    }
    std::string owner() override { return guest().spec->owner; }
    void give_owner(const std::string& name) override { guest().spec->owner = name; }
    void run() override { fake().running.insert("bpm01"); }
    void end() override { fake().running.erase("bpm01"); }
};

/// A pool of folders, and what is the same for both kinds of guest there.
struct FolderRig : Rig {
    TempDir dir;
    DirStorage storage;
    std::string folder() { return pool::guest(pool(), "bpm01"); }
    StorageDriver& driver() override { return storage; }
    std::string pool() override { return dir / "pool"; }
    std::vector<std::string> snapshots() override {
        std::vector<std::string> names;
        for (const auto& one : read_disk_fact(pool(), "bpm01").snapshots) {
            CHECK(one.problem == "");
            CHECK(one.info.comment == "a: test");
            names.push_back(one.info.name);
        }
        return names;
    }
    GuestSpec spec() { return read_guest(read_file(folder() + "/guest.yaml").value(), "guest.yaml"); }
    std::string owner() override { return spec().owner; }
    void give_owner(const std::string& name) override {
        GuestSpec changed = spec();
        changed.owner = name;
        write_file(folder() + "/guest.yaml", write_guest(changed));
    }
};

struct DirRig : FolderRig {
    Fd used;
    DirRig() {
        add_image(pool());
        have_guest();
    }
    void write(const std::string& text) override {
        Fd file = open_disk(open_dir(folder()).get(), "disk.raw", 10s);
        Loop loop = attach_loop(file.get(), LoopMode::read_write);
        Fd mount = new_mount("ext4", loop.path, {});
        write_file_at(open_dir_at(open_dir_at(mount.get(), ".").get(), "upper").get(), "mark", text);
    }
    std::string mark() override {
        return read_disk_file(folder() + "/disk.raw", "/upper/mark", 100).value_or("");
    }
    std::string mark_of(const std::string& snapshot) override {
        return read_disk_file(pool::snapshot(pool(), "bpm01", snapshot) + "/disk.raw", "/upper/mark", 100)
            .value_or("");
    }
    void run() override { used = open_disk(open_dir(folder()).get(), "disk.raw", 10s); }
    void end() override { used.reset(); }
};

/// A virtual machine with two disks. The mark lies at their beginning, and is told of both.
struct VmRig : FolderRig {
    std::unique_ptr<QemuIo> used;
    VmRig() { VmRig::have_guest(); }
    std::string kind() override { return "kvm"; }
    void have_guest() override {
        GuestSpec spec = Steps(pool(), "bpm01", 11).spec();
        spec.kind = "kvm";
        spec.machine = Machine{.uuid = "5eed0000-0000-4000-8000-000000000001", .cpus = 1, .memory = 1 << 28};
        make_dirs(folder());
        write_file(folder() + "/guest.yaml", write_guest(spec), 0640);
        for (const auto& disk : disks()) qemu_img({"create", "-q", "-f", "qcow2", disk, "8M"});
    }
    std::vector<std::string> disks() { return {folder() + "/disk.qcow2", folder() + "/disk2.qcow2"}; }
    void write(const std::string& text) override {
        for (const auto& disk : disks()) write_beginning(disk, text);
    }
    std::string of_all(const std::function<std::string(const std::string&)>& read) {
        const std::string first = read(disks()[0]), second = read(disks()[1]);
        return first == second ? first : first + " and " + second;
    }
    std::string mark() override { return of_all(beginning_now); }
    std::string mark_of(const std::string& snapshot) override {
        return of_all([&](const std::string& disk) { return beginning_of(disk, snapshot); });
    }
    void run() override { used = std::make_unique<QemuIo>(disks()[1]); }
    void end() override { used.reset(); }
};

std::unique_ptr<Rig> each_rig() {
    std::string which = GENERATE(as<std::string>(), "fake", "dir", "vm");
    UNSCOPED_INFO("storage: " << which);
    if (which == "vm" && ::geteuid() == 0) return std::make_unique<VmRig>();
    if (which == "dir" && ::geteuid() == 0) return std::make_unique<DirRig>();
    if (which != "fake") WARN("needs root: not run against folders");
    return std::make_unique<FakeRig>();
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("snapshots: one is there when it is published and not before, with the disk as it was") {
    auto rig = each_rig();
    rig->write("one");
    rig->make("first");
    CHECK(rig->snapshots().empty());
    rig->publish("first");
    CHECK(rig->snapshots() == Names{"first"});
    rig->write("two");
    rig->take("second");
    CHECK(rig->mark_of("first") == "one");
    CHECK(rig->mark_of("second") == "two");
    CHECK(rig->mark() == "two");
}

TEST_CASE("snapshots: removing takes it away under either name, and absence is fine") {
    auto rig = each_rig();
    rig->write("one");
    rig->take("first");
    rig->make("second");
    for (const char* name : {"first", "second", "never"}) rig->remove(name);
    CHECK(rig->snapshots().empty());
    CHECK_THROWS_AS(rig->publish("second"), Error);
    rig->take("first");
    CHECK(rig->snapshots() == Names{"first"});
}

TEST_CASE("snapshots: a disk that is in use elsewhere is not copied, one that is not is not waited for") {
    auto rig = each_rig();
    rig->write("one");
    rig->run();
    CHECK(kind_of([&] { rig->take("first"); }) == ErrorKind::busy);
    rig->end();
    if (rig->kind() == "lxc") {  // of a virtual machine that runs its qemu has the disks
        MakeSnapshot running{.pool = rig->pool(), .name = "bpm01", .info = Rig::info("first")};
        running.mount = rig->pool() + "/not-mounted";
        CHECK_THROWS_AS(rig->driver().make_snapshot(running), StaleFacts);
    }
    CHECK(rig->snapshots().empty());
    rig->take("first");
}

TEST_CASE("snapshots: a rollback brings back disk and guest.yaml, and keeps what it replaces") {
    auto rig = each_rig();
    rig->give_owner("alice");
    rig->write("one");
    rig->take("first");
    rig->give_owner("bob");
    rig->write("two");
    rig->driver().prepare_rollback(rig->prepare("first"));
    CHECK(rig->mark() == "two");
    CHECK(rig->snapshots() == Names{"first"});
    rig->driver().switch_disk(rig->exchange("first"));
    CHECK(rig->mark() == "one");
    CHECK(rig->owner() == "alice");
    CHECK(rig->snapshots().size() == 2);
    CHECK(rig->mark_of("before-rollback") == "two");

    SECTION("and can be taken back") {
        rig->write("something else");
        rig->driver().switch_disk_back(rig->exchange("first"));
        CHECK(rig->mark() == "two");
        CHECK(rig->owner() == "bob");
        CHECK(rig->snapshots() == Names{"first"});
        CHECK(rig->mark_of("first") == "one");
    }
    SECTION("which may go then") {
        rig->remove("before-rollback");
        rig->write("three");
        CHECK(rig->mark_of("first") == "one");
        CHECK(rig->snapshots() == Names{"first"});
    }
}

TEST_CASE("snapshots: the disk of a guest that runs is exchanged neither way") {
    auto rig = each_rig();
    rig->write("one");
    rig->take("first");
    rig->write("two");
    rig->driver().prepare_rollback(rig->prepare("first"));
    rig->run();
    CHECK(kind_of([&] { rig->driver().switch_disk(rig->exchange("first")); }) == ErrorKind::busy);
    rig->end();
    CHECK(rig->mark() == "two");
    rig->driver().prepare_rollback(rig->prepare("first"));
    rig->driver().switch_disk(rig->exchange("first"));
    rig->run();
    CHECK(kind_of([&] { rig->driver().switch_disk_back(rig->exchange("first")); }) == ErrorKind::busy);
    CHECK(rig->mark() == "one");
    CHECK(rig->mark_of("before-rollback") == "two");
    rig->end();
    rig->driver().switch_disk_back(rig->exchange("first"));
    CHECK(rig->mark() == "two");
}

TEST_CASE("snapshots: to one that is gone there is no way back") {
    auto rig = each_rig();
    rig->write("one");
    CHECK_THROWS_AS(rig->driver().prepare_rollback(rig->prepare("first")), Error);
    CHECK(rig->mark() == "one");
}

TEST_CASE("snapshots: they go with their guest") {
    auto rig = each_rig();
    rig->take("first");
    rig->driver().remove_guest({rig->pool(), "bpm01"});
    rig->driver().release({rig->pool(), "bpm01"});
    rig->have_guest();
    CHECK(rig->snapshots().empty());
}

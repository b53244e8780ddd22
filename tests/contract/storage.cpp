// One suite for every StorageDriver.
#include "fakes/storage.hpp"

#include <functional>
#include <memory>
#include <thread>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "disk_tools.hpp"
#include "storage_steps.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

/// A driver with a pool, and ways to look into the pool past the driver.
struct Rig {
    virtual ~Rig() = default;
    virtual StorageDriver& driver() = 0;
    virtual std::string pool() = 0;
    virtual std::vector<BookEntry> book() = 0;
    virtual bool has_guest(const std::string& name) = 0;
    virtual bool has_partial(const std::string& name) = 0;
    virtual void run(const std::string& name) = 0;  ///< its disk is in use from now on
    virtual void end(const std::string& name) = 0;
    /// A disk outside the pool that can be copied, and one that another program has open.
    virtual std::string disk() = 0;
    virtual void use_disk() = 0;
};

struct FakeRig : Rig {
    FakeStorage storage;
    FakeStorage::Pool& fake() { return storage.pools["/pool"]; }
    StorageDriver& driver() override { return storage; }
    std::string pool() override { return "/pool"; }
    std::vector<BookEntry> book() override { return fake().book; }
    bool has_guest(const std::string& name) override { return fake().guests.count(name); }
    bool has_partial(const std::string& name) override { return fake().partial.count(name); }
    void run(const std::string& name) override { fake().running.insert(name); }
    void end(const std::string& name) override { fake().running.erase(name); }
    std::string disk() override {
        storage.disks["/disk"].guest.files["/a"] = {"/a", "", "content"};
        return "/disk";
    }
    void use_disk() override { storage.disks["/disk"].in_use = true; }
};

struct DirRig : Rig {
    TempDir dir;
    DirStorage storage;
    std::map<std::string, Fd> disks;
    DirRig() { add_image(pool()); }
    StorageDriver& driver() override { return storage; }
    std::string pool() override { return dir / "pool"; }
    std::vector<BookEntry> book() override { return read_pool(pool()).book; }
    bool has_guest(const std::string& name) override { return read_pool(pool()).guests.count(name); }
    bool has_partial(const std::string& name) override {
        return exists(pool::guest(pool(), pool::partial(name)));
    }
    void run(const std::string& name) override {
        disks[name] = open_disk(open_dir(pool::guest(pool(), name)).get());
    }
    void end(const std::string& name) override { disks.erase(name); }
    std::string disk() override {
        qemu_img({"create", "-q", "-f", "qcow2", dir / "disk.qcow2", "8M"});
        return dir / "disk.qcow2";
    }
    void use_disk() override { running = std::make_unique<QemuIo>(dir / "disk.qcow2"); }
    std::unique_ptr<QemuIo> running;
};

using MakeRig = std::function<std::unique_ptr<Rig>()>;

/// Runs the test once for each implementation.
std::unique_ptr<Rig> each_rig() {
    static const std::map<std::string, MakeRig> makers{{"fake", [] { return std::make_unique<FakeRig>(); }},
                                                       {"dir", [] { return std::make_unique<DirRig>(); }}};
    std::string which = GENERATE(as<std::string>(), "fake", "dir");
    UNSCOPED_INFO("storage: " << which);
    if (which == "dir" && ::geteuid() != 0) {
        WARN("needs root: not run against folders");
        which = "fake";
    }
    return makers.at(which)();
}

}  // namespace

TEST_CASE("storage: a guest appears when it is published and not before") {
    auto rig = each_rig();
    Steps steps(rig->pool(), "bpm01", 11);
    for (auto& step : steps.create()) {
        CHECK_FALSE(rig->has_guest("bpm01"));
        step(rig->driver());
    }
    CHECK(rig->has_guest("bpm01"));
    CHECK_FALSE(rig->has_partial("bpm01"));
    CHECK(rig->book().size() == 1);
}

TEST_CASE("storage: name, address and MAC are given out once") {
    auto rig = each_rig();
    auto& driver = rig->driver();
    ReserveAddress first{rig->pool(), "bpm01", "controls", *Ipv4::parse("10.87.0.11"), {0x02c1a7000001}};
    driver.reserve(first);
    ReserveAddress other{rig->pool(), "bpm02", "controls", *Ipv4::parse("10.87.0.12"), {0x02c1a7000002}};

    auto with = [&](auto change) {
        ReserveAddress wanted = other;
        change(wanted);
        return wanted;
    };
    CHECK_THROWS_AS(driver.reserve(with([](auto& w) { w.name = "bpm01"; })), StaleFacts);
    CHECK_THROWS_AS(driver.reserve(with([&](auto& w) { w.address = first.address; })), StaleFacts);
    CHECK_THROWS_AS(driver.reserve(with([&](auto& w) { w.mac = first.mac; })), StaleFacts);
    CHECK(rig->book().size() == 1);
    // An isolated network may repeat the addresses of another one.
    CHECK_NOTHROW(driver.reserve(with([&](auto& w) { w.address = first.address, w.network = "sandbox"; })));

    driver.release({rig->pool(), "bpm01"});
    driver.release({rig->pool(), "bpm01"});
    CHECK_NOTHROW(driver.reserve(first));
    CHECK(rig->book().size() == 2);
}

TEST_CASE("storage: fifty at once get fifty addresses") {
    auto rig = each_rig();
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < 50; ++i)
            threads.emplace_back(
                [&, i] { reserve_any(rig->driver(), rig->pool(), "bpm" + std::to_string(i)); });
    }
    std::set<Ipv4> addresses;
    for (const auto& entry : rig->book()) addresses.insert(entry.address);
    CHECK(rig->book().size() == 50);
    CHECK(addresses.size() == 50);
}

TEST_CASE("storage: a create that stopped anywhere can be cleared and done again") {
    auto rig = each_rig();
    Steps steps(rig->pool(), "bpm01", 11);
    auto create = steps.create();
    std::size_t done = GENERATE(range<std::size_t>(1, 5));
    for (std::size_t i = 0; i < done; ++i) create[i](rig->driver());

    rig->driver().clear_leftover({rig->pool(), "bpm01"});
    CHECK(rig->book().empty());
    CHECK_FALSE(rig->has_partial("bpm01"));
    for (auto& step : create) step(rig->driver());
    CHECK(rig->has_guest("bpm01"));
}

TEST_CASE("storage: clearing up leaves a guest alone") {
    auto rig = each_rig();
    Steps steps(rig->pool(), "bpm01", 11);
    for (auto& step : steps.create()) step(rig->driver());
    rig->driver().clear_leftover({rig->pool(), "bpm01"});
    rig->driver().clear_leftover({rig->pool(), "never"});
    CHECK(rig->has_guest("bpm01"));
    CHECK(rig->book().size() == 1);
}

TEST_CASE("storage: two cannot make one guest") {
    auto rig = each_rig();
    auto& driver = rig->driver();
    Steps steps(rig->pool(), "bpm01", 11);
    auto create = steps.create();
    create[0](driver), create[1](driver);
    CHECK_THROWS_AS(driver.make_disk({rig->pool(), "bpm01", Steps::disk}), StaleFacts);
    CHECK(rig->has_partial("bpm01"));
    create[2](driver), create[3](driver), create[4](driver);
    try {
        driver.make_disk({rig->pool(), "bpm01", Steps::disk});
        FAIL("made over an existing guest");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::refused);
    }
    CHECK_FALSE(rig->has_partial("bpm01"));
    CHECK_THROWS_AS(create[4](driver), Error);  // nothing is there to be published
}

TEST_CASE("storage: a guest that runs is not removed") {
    auto rig = each_rig();
    Steps steps(rig->pool(), "bpm01", 11);
    for (auto& step : steps.create()) step(rig->driver());
    rig->run("bpm01");
    try {
        rig->driver().remove_guest({rig->pool(), "bpm01"});
        FAIL("removed while it runs");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::busy);
    }
    CHECK(rig->has_guest("bpm01"));
    rig->end("bpm01");
    rig->driver().remove_guest({rig->pool(), "bpm01"});
    CHECK_FALSE(rig->has_guest("bpm01"));
    CHECK(rig->book().size() == 1);  // released by an action of its own
    CHECK_NOTHROW(rig->driver().remove_guest({rig->pool(), "bpm01"}));
}

TEST_CASE("storage: a copy is made beside the guests, of a disk that nobody writes to") {
    auto rig = each_rig();
    auto& driver = rig->driver();
    CopyDisks copy{rig->pool(), "copy", "a test"};
    copy.disks = {{.source = rig->disk(), .format = "qcow2", .file = "disk.qcow2"}};
    driver.copy_disks(copy);
    CHECK(rig->has_partial("copy"));
    CHECK_FALSE(rig->has_guest("copy"));
    CHECK_THROWS_AS(driver.copy_disks(copy), StaleFacts);
    driver.remove_partial(rig->pool(), "copy");
    CHECK_FALSE(rig->has_partial("copy"));

    rig->use_disk();
    CHECK(kind_of([&] { driver.copy_disks(copy); }) == ErrorKind::busy);
    CHECK_FALSE(rig->has_partial("copy"));
    copy.domain = "running";  // then another driver copies it
    driver.copy_disks(copy);
    CHECK(rig->has_partial("copy"));
    driver.clear_leftover({rig->pool(), "copy"});

    Steps steps(rig->pool(), "copy", 11);
    for (auto& step : steps.create()) step(driver);
    CHECK(refused([&] { driver.copy_disks(copy); }));
    CHECK(rig->has_guest("copy"));
    CHECK_NOTHROW(driver.drop_fetched({rig->pool(), "copy"}));
}

// A virtual machine's folder: its disk is linked to an image's, filled, published, guarded.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/guest_disk.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "guest_disk_maker.hpp"
#include "storage_steps.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

/// A pool with one image, and the steps of a create on it.
struct KvmPool {
    TempDir pool;
    DirStorage storage;
    std::string image = Steps("", "any", 0).spec().image;

    KvmPool() {
        TempDir scratch;
        GuestDiskMaker maker(scratch);
        maker.linux_disk();
        make_dirs(pool / ("images/" + image));
        run_ok({"cp", scratch / "base.qcow2", disk_of_image()});
    }
    std::string disk_of_image() const { return pool::image_disk(pool.path(), image); }
    std::string disk(const std::string& guest) const {
        return pool::guest(pool.path(), guest) + "/disk.qcow2";
    }
    void create(const std::string& name, unsigned number) {
        for (auto& step : steps(name, number)) step();
    }
    std::vector<std::function<void()>> steps(const std::string& name, unsigned number) {
        Steps plain(pool.path(), name, number);
        FillDisk fill = plain.filling();
        fill.idmap_base = 0;
        fill.kind = "kvm";
        GuestSpec spec = plain.spec();
        spec.kind = "kvm";
        return {[this, plain] { storage.reserve(plain.reservation()); },
                [this, name] {
                    storage.make_disk({pool.path(), name, 1 << 30, "kvm", image});
                },
                [this, fill] { storage.fill_disk(fill); }, [this, spec] { storage.write_spec({spec}); },
                [this, name] {
                    storage.publish({pool.path(), name});
                }};
    }
};

}  // namespace

TEST_CASE("storage kvm: a guest has a small disk of its own on its image") {
    if (!is_root()) return;
    KvmPool pool;
    pool.create("vm1", 11);
    DiskInfo info = disk_info(pool.disk("vm1"), "qcow2");
    CHECK(info.backing == "../../images/" + pool.image + "/disk.qcow2");
    CHECK(info.size == 1 << 30);
    CHECK(info.taken <= 1 << 20);
    CHECK(check_disk(pool.disk("vm1"), "qcow2").leaks == 0);
    GuestDisk disk(pool.disk("vm1"), "qcow2");
    CHECK(disk.read("/etc/hostname") == "vm1\n");
    CHECK(disk.stat("/opt/ioc/run")->attributes.uid == 1000);
    CHECK(disk.stat("/var/autosave")->attributes.uid == 1000);
    disk.close();
}

TEST_CASE("storage kvm: a disk that a program writes to is not removed") {
    if (!is_root()) return;
    KvmPool pool;
    pool.create("vm1", 11);
    {
        QemuIo running(pool.disk("vm1"));
        CHECK(kind_of([&] { pool.storage.remove_guest({pool.pool.path(), "vm1"}); }) == ErrorKind::busy);
        CHECK(exists(pool.disk("vm1")));
    }
    pool.storage.remove_guest({pool.pool.path(), "vm1"});
    CHECK_FALSE(exists(pool.disk("vm1")));
}

TEST_CASE("storage kvm: every disk of a guest counts") {
    if (!is_root()) return;
    KvmPool pool;
    pool.create("vm1", 11);
    const std::string second = pool::guest(pool.pool.path(), "vm1") + "/disk2.qcow2";
    qemu_img({"create", "-q", "-f", "qcow2", second, "1M"});
    QemuIo running(second);
    CHECK_THROWS_WITH(pool.storage.remove_guest({pool.pool.path(), "vm1"}),
                      Catch::Contains("disk2.qcow2 is in use"));
}

TEST_CASE("storage kvm: a guest whose disk others stand on stays") {
    if (!is_root()) return;
    KvmPool pool;
    pool.create("vm1", 11);
    make_dirs(pool.pool / "guests/vm2");
    create_linked(open_dir(pool.pool / "guests/vm2").get(), "disk.qcow2", "../vm1/disk.qcow2", 0);
    create_linked(open_dir(pool.pool / "guests/vm1").get(), "snapshot.qcow2", "disk.qcow2", 0);
    CHECK_THROWS_WITH(pool.storage.remove_guest({pool.pool.path(), "vm1"}),
                      "disk.qcow2 of vm1 is what vm2 stands on");
    pool.storage.remove_guest({pool.pool.path(), "vm2"});
    CHECK_NOTHROW(pool.storage.remove_guest({pool.pool.path(), "vm1"}));
}

TEST_CASE("storage kvm: what is missing is said before anything stays") {
    if (!is_root()) return;
    KvmPool pool;
    auto steps = pool.steps("vm1", 11);
    REQUIRE(::unlink(pool.disk_of_image().c_str()) == 0);
    steps[0]();
    CHECK_THROWS_WITH(steps[1](), Catch::Contains("cannot open ../../images/"));
    CHECK(list_dir(pool.pool / "guests").empty());
}

TEST_CASE("storage kvm: an image that goes away while a guest is made is noticed") {
    if (!is_root()) return;
    KvmPool pool;
    auto steps = pool.steps("vm1", 11);
    steps[0](), steps[1](), steps[2]();
    REQUIRE(::unlink(pool.disk_of_image().c_str()) == 0);
    CHECK_THROWS_WITH(steps[3](), Catch::Contains("was removed meanwhile"));
    CHECK_THROWS_WITH(steps[4](), Catch::Contains("cannot open guest.yaml"));
}

TEST_CASE("storage kvm: a create that is killed anywhere can be cleared and done again") {
    if (!is_root()) return;
    KvmPool pool;
    for (int moment = 0; moment < 12; ++moment) {
        pid_t child = ::fork();
        if (child == 0) {
            pool.create("vm1", 11);
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(moment) * 5000);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        // The lock of a daemon that is being killed lasts a moment longer, as that of a loop device does.
        pool.storage.clear_leftover({pool.pool.path(), "vm1"});
        pool.storage.remove_guest({pool.pool.path(), "vm1"});
        pool.storage.release({pool.pool.path(), "vm1"});
        CHECK(list_dir(pool.pool / "guests").empty());
    }
    pool.create("vm1", 11);
    CHECK(check_disk(pool.disk("vm1"), "qcow2").leaks == 0);
}

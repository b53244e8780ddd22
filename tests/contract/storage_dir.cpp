// What only folders and real disks can show: contents, kills, a full pool, processes at once.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <set>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/storage/dir_storage.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "storage_steps.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

namespace {

bool is_root() {
    if (::geteuid() == 0) return true;
    WARN("needs root: not run");
    return false;
}

/// The disk of a guest, mounted for reading.
Fd look_into(const std::string& pool, const std::string& folder) {
    Fd file = open_disk(open_dir(pool::guest(pool, folder)).get(), "disk.raw", 2s);
    Loop loop = attach_loop(file.get(), LoopMode::read_only);
    return new_mount("ext4", loop.path, {{"ro", ""}}, MOUNT_ATTR_RDONLY);
}

/// e.g. "100000:101000 40755"
std::string owner_mode(int dir, const std::string& path) {
    struct stat st {};
    if (::fstatat(dir, path.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return "absent";
    char text[64];
    std::snprintf(text, sizeof text, "%u:%u %o", st.st_uid, st.st_gid, st.st_mode);
    return text;
}

/// POOL/images/test@000000000000 with folders of odd modes and a symbolic link.
void make_image(const std::string& pool) {
    TempDir tree;
    run_ok({"sh", "-c",
            "mkdir -p root tmp run var home/ioc && chmod 700 root && chmod 1777 tmp && chmod 750 home/ioc &&"
            "chown 1000:1000 home/ioc && ln -s ../run var/run && ln -s /etc/passwd-nowhere etc-link"},
           {.cwd = tree.path()});
    make_dirs(pool + "/images/test@000000000000");
    run_ok({"mkfs.erofs", "-Enosbcrc", pool::image(pool, "test@000000000000"), tree.path()});
}

}  // namespace

TEST_CASE("storage: files lie in the upper layer with mapped owners") {
    if (!is_root()) return;
    TempDir pool;
    add_image(pool.path());
    DirStorage storage;
    Steps steps(pool.path(), "bpm01", 11);
    FillDisk fill = steps.filling();
    fill.users = {{"operator", 2000}};
    fill.files.push_back({"/home/operator/.profile", "", "x", "operator", 0600});
    fill.files.push_back({"/etc/copy", "/etc/passwd", "", "33", 04711});
    storage.make_disk({pool.path(), "bpm01", Steps::disk});
    storage.fill_disk(fill);

    Fd disk = look_into(pool.path(), pool::partial("bpm01"));
    CHECK(read_file_at(disk.get(), "upper/etc/hostname") == "bpm01\n");
    CHECK(read_file_at(disk.get(), "upper/etc/copy") == read_file("/etc/passwd"));
    CHECK(owner_mode(disk.get(), "upper") == "100000:100000 40755");
    CHECK(owner_mode(disk.get(), "work") == "100000:100000 40700");
    CHECK(owner_mode(disk.get(), "upper/etc") == "100000:100000 40755");
    CHECK(owner_mode(disk.get(), "upper/etc/hostname") == "100000:100000 100644");
    CHECK(owner_mode(disk.get(), "upper/etc/copy") == "100033:100033 104711");
    CHECK(owner_mode(disk.get(), "upper/opt/ioc/run") == "101000:101000 100755");
    CHECK(owner_mode(disk.get(), "upper/var/autosave") == "101000:101000 40755");
    CHECK(owner_mode(disk.get(), "upper/home/operator/.profile") == "102000:102000 100600");
    disk.reset();
    CHECK(run({"e2fsck", "-fn", pool / "guests/.bpm01.partial/disk.raw"}).status == 0);
}

TEST_CASE("storage: parent folders look as in the image, and its links are followed") {
    if (!is_root()) return;
    TempDir pool;
    add_image(pool.path());
    DirStorage storage;
    make_image(pool.path());
    FillDisk fill{pool.path(), "bpm01", 100000};
    fill.image = "test@000000000000";
    for (const char* path : {"/root/.ssh/keys", "/tmp/a", "/home/ioc/b", "/var/run/new/c", "/etc-link"})
        fill.files.push_back({path, "", "x"});
    storage.make_disk({pool.path(), "bpm01", Steps::disk});
    storage.fill_disk(fill);

    Fd disk = look_into(pool.path(), pool::partial("bpm01"));
    CHECK(owner_mode(disk.get(), "upper/root") == "100000:100000 40700");
    CHECK(owner_mode(disk.get(), "upper/root/.ssh") == "100000:100000 40755");
    CHECK(owner_mode(disk.get(), "upper/tmp") == "100000:100000 41777");
    CHECK(owner_mode(disk.get(), "upper/home/ioc") == "101000:101000 40750");
    CHECK(read_file_at(disk.get(), "upper/run/new/c") == "x");
    CHECK(owner_mode(disk.get(), "upper/var") == "absent");
    CHECK(owner_mode(disk.get(), "upper/etc-link") == "100000:100000 100644");
}

TEST_CASE("storage: paths and owners that make no sense are refused") {
    if (!is_root()) return;
    TempDir pool;
    add_image(pool.path());
    DirStorage storage;
    storage.make_disk({pool.path(), "bpm01", Steps::disk});
    auto fill_with = [&](const PlacedFile& file) {
        FillDisk fill{pool.path(), "bpm01", 100000};
        fill.files = {file};
        storage.fill_disk(fill);
    };
    for (const char* path : {"", "/", "etc/x", "/../x", "/etc/../../x", "/./x"})
        CHECK_THROWS_AS(fill_with({path, "", "x"}), Error);
    CHECK_THROWS_WITH(fill_with({"/x", "", "x", "nobody-we-know"}),
                      "placing /x: no user 'nobody-we-know' in the guest");
    CHECK_THROWS_AS(fill_with({"/x", "", "x", "65534"}), Error);
    CHECK_THROWS_WITH(fill_with({"/x", "/dev/zero", ""}), "placing /x: /dev/zero is not a regular file");
    CHECK_THROWS_WITH(fill_with({"/x", "/no/such", ""}),
                      "placing /x: cannot read /no/such: No such file or directory");
}

TEST_CASE("storage: a create that is killed anywhere leaves a leftover that can be cleared") {
    if (!is_root()) return;
    TempDir pool;
    add_image(pool.path());
    DirStorage storage;
    Steps steps(pool.path(), "bpm01", 11);
    // Moments all over a create, which takes some milliseconds.
    for (int moment = 0; moment < 40; ++moment) {
        pid_t child = ::fork();
        if (child == 0) {
            for (auto& step : steps.create()) step(storage);
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(moment) * 300);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);

        PoolIndex left = read_pool(pool.path());
        if (left.guests.count("bpm01")) {  // it was faster
            CHECK(left.guests["bpm01"].problem.empty());
            CHECK_NOTHROW(look_into(pool.path(), "bpm01"));
            storage.remove_guest({pool.path(), "bpm01"});
            storage.release({pool.path(), "bpm01"});
            continue;
        }
        CHECK(left.leftovers.size() == (left.book.empty() ? 0 : 1));
        storage.clear_leftover({pool.path(), "bpm01"});
        left = read_pool(pool.path());
        CHECK(left.leftovers.empty());
        CHECK(left.book.empty());
    }
    for (auto& step : steps.create()) step(storage);
    CHECK(read_pool(pool.path()).guests.size() == 1);
}

TEST_CASE("storage: fifty processes at once get fifty addresses") {
    if (!is_root()) return;
    TempDir pool;
    add_image(pool.path());
    std::vector<pid_t> children;
    for (int i = 0; i < 50; ++i) {
        pid_t child = ::fork();
        if (child == 0) {
            try {
                DirStorage storage;
                reserve_any(storage, pool.path(), "bpm" + std::to_string(i));
                ::_exit(0);
            } catch (const std::exception&) {
                ::_exit(1);
            }
        }
        children.push_back(child);
    }
    for (pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    std::set<Ipv4> addresses;
    for (const auto& entry : read_pool(pool.path()).book) addresses.insert(entry.address);
    CHECK(addresses.size() == 50);
}

TEST_CASE("storage: a full pool is an error and leaves nothing") {
    if (!is_root()) return;
    DirStorage storage;
    // The pool is a tmpfs that is attached nowhere.
    std::string size = GENERATE(as<std::string>(), "64k", "4m");
    INFO("a pool of " << size);
    Fd mount = new_mount("tmpfs", "", {{"size", size}});
    Fd root = open_dir_at(mount.get(), ".");
    std::string pool = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(root.get());
    FillDisk fill{pool, "bpm01", 100000};
    fill.files = {{"/opt/big", "", std::string(16 << 20, 'x')}};
    auto create = [&] {
        storage.make_disk({pool, "bpm01", Steps::disk});
        storage.fill_disk(fill);
    };
    CHECK_THROWS_WITH(create(), Catch::Contains("no space left in pool " + pool));
    CHECK(exists(pool::guest(pool, pool::partial("bpm01"))) == (size == "4m"));  // it failed while filling
    storage.remove_partial(pool, "bpm01");
    CHECK(list_dir(pool::guests(pool)).empty());
    if (size == "64k") return;
    fill.files[0].content = "fits";
    CHECK_NOTHROW(create());
}

TEST_CASE("storage: a killed removal is finished by the next one") {
    if (!is_root()) return;
    TempDir pool;
    add_image(pool.path());
    DirStorage storage;
    Steps steps(pool.path(), "bpm01", 11);
    for (auto& step : steps.create()) step(storage);
    // As if killed after the rename.
    REQUIRE(::rename((pool / "guests/bpm01").c_str(), (pool / "guests/.bpm01.removed").c_str()) == 0);
    CHECK(read_pool(pool.path()).leftovers == std::set<std::string>{"bpm01"});
    {
        auto working = NamedLock::take((make_dirs(pool / "locks"), pool / "locks/bpm01"), "test", 0ms);
        CHECK(read_pool(pool.path()).leftovers.empty());
    }
    storage.clear_leftover({pool.path(), "bpm01"});
    CHECK(read_pool(pool.path()).leftovers.empty());
    CHECK(list_dir(pool / "guests").empty());
}

TEST_CASE("storage: a disk that is in use elsewhere is not removed with a leftover") {
    if (!is_root()) return;
    TempDir pool;
    add_image(pool.path());
    DirStorage storage;
    storage.make_disk({pool.path(), "bpm01", Steps::disk});
    Fd disk = open_disk(open_dir(pool / "guests/.bpm01.partial").get());
    CHECK_THROWS_WITH(storage.clear_leftover({pool.path(), "bpm01"}), "disk.raw is in use");
    disk.reset();
    CHECK_NOTHROW(storage.clear_leftover({pool.path(), "bpm01"}));
}

TEST_CASE("storage: no guest is made on an image that was removed meanwhile") {
    TempDir pool;
    add_image(pool.path());
    DirStorage storage;
    Steps steps(pool.path(), "bpm01", 11);
    storage.make_disk({pool.path(), "bpm01", Steps::disk});
    remove_image(pool.path(), steps.spec().image, pool / "run");
    CHECK_THROWS_WITH(storage.write_spec({steps.spec()}), Catch::Contains("was removed meanwhile"));

    add_image(pool.path());
    storage.write_spec({steps.spec()});
    CHECK_THROWS_WITH(remove_image(pool.path(), steps.spec().image, pool / "run"),
                      Catch::Contains("is used by"));
}

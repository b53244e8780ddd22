#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/images/build.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "clara/spec/guest.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

ImageResult make(const ImagePlan& plan, const std::string& pool) {
    return make_image(plan, {.pool = pool, .cache_dir = pool + "/cache"}, [](const std::string&) {});
}

std::string erofs_of(const std::string& pool, const ImageInfo& image) {
    return pool + "/images/" + image.id() + "/image.erofs";
}

/// The image's root folder, mounted for this descriptor alone.
Fd look_into(const std::string& pool, const ImageInfo& image) {
    Fd file(::open(erofs_of(pool, image).c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(file);
    Loop loop = attach_loop(file.get(), LoopMode::read_only);
    return new_mount("erofs", loop.path, {{"ro", ""}});
}

struct stat stat_in(const Fd& root, const std::string& path) {
    struct stat st {};
    INFO(path);
    REQUIRE(::fstatat(root.get(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0);
    return st;
}

/// What stays of a failed build: nothing but the lock file, which is never unlinked.
void check_nothing_left(const std::string& pool) {
    CHECK(list_images(pool).images.empty());
    if (exists(pool + "/images")) CHECK(list_dir(pool + "/images").empty());
}

ErrorKind kind_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& e) {
        return e.kind();
    }
    FAIL("no error");
    return ErrorKind::failed;
}

}  // namespace

TEST_CASE("an image of a folder has its files with ids, modes and links, without device nodes") {
    TempDir dir;
    const std::string root = dir / "root", pool = dir / "pool";
    make_dirs(root + "/etc");
    make_dirs(root + "/opt/data");
    write_file(root + "/opt/data/a", "hello");
    REQUIRE(::chown((root + "/opt/data/a").c_str(), 1000, 1001) == 0);
    REQUIRE(::chmod((root + "/opt/data/a").c_str(), 04751) == 0);
    REQUIRE(::link((root + "/opt/data/a").c_str(), (root + "/opt/b").c_str()) == 0);
    REQUIRE(::symlink("/etc/passwd", (root + "/opt/link").c_str()) == 0);
    REQUIRE(::mknod((root + "/opt/null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);

    auto result = make(plan_import({root, "", "", "clara"}, "site"), pool);
    CHECK(result.made);
    CHECK(exists(root + "/opt/data/a"));
    Fd image = look_into(pool, result.image);
    auto a = stat_in(image, "opt/data/a");
    CHECK(a.st_uid == 1000);
    CHECK(a.st_gid == 1001);
    CHECK((a.st_mode & 07777) == 04751);
    CHECK(stat_in(image, "opt/b").st_ino == a.st_ino);
    CHECK(S_ISLNK(stat_in(image, "opt/link").st_mode));
    CHECK_FALSE(exists_at(image.get(), "opt/null"));
    CHECK(stat_in(image, "home/ioc").st_uid == 1000);
    CHECK(exists_at(image.get(), "usr/sbin/clara-init"));
}

TEST_CASE("the same tree gives the same image, and is made once") {
    TempDir dir;
    const std::string pool = dir / "pool";
    for (const char* root : {"a", "b"}) make_dirs(dir / (std::string(root) + "/sub"));
    for (int i = 0; i < 50; ++i) {
        write_file(dir / ("a/sub/" + std::to_string(i)), "text" + std::to_string(i));
        write_file(dir / ("b/sub/" + std::to_string(49 - i)), "text" + std::to_string(49 - i));
    }
    write_file(dir / "a.yaml", "name: x\nlayers:\n  - folder: a\n");
    write_file(dir / "b.yaml", "name: x\nlayers:\n  - folder: b\n");
    ImageSettings settings{.pool = pool};
    auto first = make(plan_build(dir / "a.yaml", settings), pool);
    auto second = make(plan_build(dir / "b.yaml", settings), pool);
    CHECK(first.made);
    CHECK_FALSE(second.made);
    CHECK(first.image.digest == second.image.digest);
    CHECK(list_dir(pool + "/images").size() == 1);
}

TEST_CASE("verify finds one flipped bit") {
    TempDir dir;
    make_dirs(dir / "root");
    write_file(dir / "root/file", std::string(20000, 'x'));
    auto image = make(plan_import({dir / "root", "", "", "clara"}, "site"), dir / "pool").image;
    CHECK(verify_image(dir / "pool", image).empty());

    Fd file(::open(erofs_of(dir / "pool", image).c_str(), O_RDWR | O_CLOEXEC));
    char byte = 0;
    REQUIRE(::pread(file.get(), &byte, 1, 5000) == 1);
    byte = static_cast<char>(byte ^ 1);
    REQUIRE(::pwrite(file.get(), &byte, 1, 5000) == 1);
    CHECK(verify_image(dir / "pool", image).find("has changed") != std::string::npos);

    REQUIRE(::ftruncate(file.get(), 8192) == 0);  // that is seen without reading it all
    CHECK(list_images(dir / "pool").broken.count(image.id()) == 1);
}

TEST_CASE("an image is found by name and digits; a used one is not removed") {
    TempDir dir;
    const std::string pool = dir / "pool";
    make_dirs(dir / "root");
    auto old = make(plan_import({dir / "root", "", "", "clara"}, "site"), pool).image;
    CHECK(find_image(pool, "site").id() == old.id());
    CHECK(find_image(pool, old.id()).digest == old.digest);
    CHECK(kind_of([&] { find_image(pool, "sight"); }) == ErrorKind::usage);
    CHECK(kind_of([&] { find_image(pool, "site@12"); }) == ErrorKind::usage);

    GuestSpec guest;
    guest.name = "bpm01";
    guest.pool = pool;
    guest.image = old.id();
    guest.template_name = "soft-ioc";
    guest.created = old.created;
    guest.nic.network = "controls";
    guest.nic.bridge = "clarabr0";
    guest.nic.subnet = *Subnet::parse("10.87.0.11/24");
    guest.nic.mac = *Mac::parse("02:c1:a7:00:00:01");
    make_dirs(pool + "/guests/.bpm01.partial");  // one that is just being made counts, too
    write_file(pool + "/guests/.bpm01.partial/guest.yaml", write_guest(guest));
    CHECK(kind_of([&] { remove_image(pool, old.id(), dir / "run"); }) == ErrorKind::refused);
    CHECK(verify_image(pool, old).empty());

    REQUIRE(::unlink((pool + "/guests/.bpm01.partial/guest.yaml").c_str()) == 0);
    remove_image(pool, old.id(), dir / "run");
    check_nothing_left(pool);
}

TEST_CASE("a tar file that leads out of itself is refused") {
    TempDir dir;
    make_dirs(dir / "in/deep");
    write_file(dir / "in/x", "x");
    run_ok({"tar", "-C", dir / "in/deep", "-P", "-cf", dir / "bad.tar", "../x"});
    CHECK(kind_of([&] {
              make(plan_import({dir / "bad.tar", "", "", "clara"}, "site"), dir / "pool");
          }) == ErrorKind::refused);
    check_nothing_left(dir / "pool");
}

TEST_CASE("symbolic links of a layer do not lead a later layer out of the tree") {
    TempDir dir;
    make_dirs(dir / "evil");
    make_dirs(dir / "victim");
    REQUIRE(::symlink((dir / "victim").c_str(), (dir / "evil/etc").c_str()) == 0);
    REQUIRE(::symlink("../../../../../../../../..", (dir / "evil/up").c_str()) == 0);
    run_ok({"tar", "-C", dir / "evil", "-cf", dir / "evil.tar", "."});
    make_dirs(dir / "good/etc");
    write_file(dir / "good/etc/b", "b");
    write_file(dir / "recipe.yaml",
               "name: x\nlayers:\n  - tar: evil.tar\n  - folder: good\n  - file: {path: /etc/c, content: c}\n"
               "  - file: {path: /up/d, content: d}\n");
    auto image = make(plan_build(dir / "recipe.yaml", {.pool = dir / "pool"}), dir / "pool").image;
    CHECK(list_dir(dir / "victim").empty());
    CHECK_FALSE(exists("/d"));
    Fd root = look_into(dir / "pool", image);
    CHECK(exists_at(root.get(), "d"));
}

TEST_CASE("what this host lacks, and recipes below themselves, are told before anything is made") {
    TempDir dir;
    write_file(dir / "a.yaml", "name: a\nlayers:\n  - host-packages: [no-such-package, nor-this]\n");
    try {
        plan_build(dir / "a.yaml", {.pool = dir / "pool"});
        FAIL("no error");
    } catch (const Error& e) {
        CHECK(e.hint() == "apt-get install no-such-package nor-this");
    }
    make_dirs(dir / "images");
    write_file(dir / "images/loop.yaml", "name: loop\nlayers:\n  - recipe: loop\n");
    CHECK(kind_of([&] { plan_build("loop", {.pool = dir / "pool", .template_path = {dir.path()}}); }) ==
          ErrorKind::usage);
    CHECK_FALSE(exists(dir / "pool"));
}

TEST_CASE("where the disk is full nothing stays behind") {
    TempDir dir;
    make_dirs(dir / "root");
    make_dirs(dir / "pool");
    Fd big(::open((dir / "root/big").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    for (int i = 0; i < 4; ++i) write_all(big.get(), std::string(1 << 20, static_cast<char>('a' + i)));
    pid_t child = ::fork();
    if (child == 0) {  // in a mount namespace of its own
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", (dir / "pool").c_str(), "tmpfs", 0, "size=2m") != 0)
            ::_exit(1);
        try {
            make(plan_import({dir / "root", "", "", "clara"}, "site"), dir / "pool");
        } catch (const std::exception& e) {
            const bool told = std::string(e.what()).find("No space left") != std::string::npos;
            ::_exit(!told ? 2 : list_dir(dir / "pool/images").empty() ? 0 : 3);
        }
        ::_exit(4);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a killed build's leftover is cleared by the next") {
    TempDir dir;
    make_dirs(dir / "root");
    make_dirs(dir / "pool/images/.site.partial/tree/usr");
    make(plan_import({dir / "root", "", "", "clara"}, "site"), dir / "pool");
    CHECK(list_dir(dir / "pool/images").size() == 1);
}

TEST_CASE("a tree with an init of its own is a system") {
    TempDir dir;
    make_dirs(dir / "root/usr/lib/systemd");
    make_dirs(dir / "root/usr/sbin");
    write_file(dir / "root/usr/lib/systemd/systemd", "");
    REQUIRE(::symlink("usr/sbin", (dir / "root/sbin").c_str()) == 0);
    REQUIRE(::symlink("/usr/lib/systemd/systemd", (dir / "root/usr/sbin/init").c_str()) == 0);
    auto image = make(plan_import({dir / "root", "", "", ""}, "server"), dir / "pool").image;
    CHECK(image.init == "system");
    Fd root = look_into(dir / "pool", image);
    CHECK_FALSE(exists_at(root.get(), "home/ioc"));  // as it is
}

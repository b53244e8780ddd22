#include "clara/drivers/storage/disk_tree.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <filesystem>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

void make_disk(const std::string& disk, const std::string& tree) {
    run_ok({"mkfs.ext4", "-q", "-F", "-b", "1024", "-d", tree, disk, "16M"});
}

}  // namespace

TEST_CASE("the upper layer of a disk is read: kinds, owners, links, whiteouts, opaque folders") {
    if (::geteuid() != 0) {
        WARN("needs root: not run");
        return;
    }
    TempDir dir;
    const std::string upper = dir / "tree/upper";
    make_dirs(upper + "/etc/deep");
    make_dirs(dir / "tree/work/not-told");
    write_file(upper + "/etc/hosts", "127.0.0.1\n", 0640);
    write_file(upper + "/etc/deep/big", std::string(3000000, 'x'));
    std::filesystem::create_symlink("short", upper + "/link");
    std::filesystem::create_symlink(std::string(300, 'l'), upper + "/long");
    REQUIRE(::mknod((upper + "/gone").c_str(), S_IFCHR, makedev(0, 0)) == 0);
    REQUIRE(::mknod((upper + "/null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
    REQUIRE(::chown((upper + "/etc/hosts").c_str(), 100000, 101000) == 0);
    REQUIRE(::setxattr((upper + "/etc/deep").c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
    make_disk(dir / "a.raw", dir / "tree");

    const DiskTree a(dir / "a.raw");
    Tree tree = a.upper();
    CHECK(tree.size() == 8);
    CHECK(tree["/etc/hosts"].mode == (S_IFREG | 0640));
    CHECK(tree["/etc/hosts"].size == 10);
    CHECK(tree["/etc/hosts"].uid == 100000);
    CHECK(tree["/etc/hosts"].gid == 101000);
    CHECK(tree["/etc/hosts"].changed > 1700000000LL * 1000000000);
    CHECK(tree["/link"].link == "short");
    CHECK(tree["/long"].link == std::string(300, 'l'));
    CHECK(tree["/gone"].whiteout);
    CHECK_FALSE(tree["/null"].whiteout);
    CHECK(tree["/etc/deep"].opaque);
    CHECK_FALSE(tree["/etc"].opaque);
    CHECK(tree["/etc"].folder());

    write_file(upper + "/etc/deep/big", std::string(2999999, 'x') + "y");
    make_disk(dir / "b.raw", dir / "tree");
    const DiskTree b(dir / "b.raw");
    Tree other = b.upper();
    CHECK(a.same_content(tree["/etc/hosts"].inode, b, other["/etc/hosts"].inode));
    CHECK_FALSE(a.same_content(tree["/etc/deep/big"].inode, b, other["/etc/deep/big"].inode));
}

TEST_CASE("what is no disk of a guest is an error") {
    TempDir dir;
    write_file(dir / "junk", "not a file system");
    CHECK_THROWS_AS(DiskTree(dir / "junk"), Error);
    CHECK_THROWS_AS(DiskTree(dir / "absent"), Error);
    make_dirs(dir / "tree");
    make_disk(dir / "bare.raw", dir / "tree");
    CHECK_THROWS_AS(DiskTree(dir / "bare.raw").upper(), Error);  // no upper
}

#include "clara/drivers/storage/disk_file.hpp"

#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"

using namespace clara;

TEST_CASE("a stopped guest's log is read from its disk") {
    char name[] = "/tmp/clara-disk-XXXXXX";
    const std::string folder = ::mkdtemp(name);
    make_dirs(folder + "/tree/upper/var/log/clara");
    std::string text;
    for (int n = 0; n < 100000; ++n) text += std::to_string(n) + "\n";
    write_file(folder + "/tree/upper/var/log/clara/ioc.log", text);
    std::filesystem::create_symlink("/etc/shadow", folder + "/tree/upper/var/log/clara/link.log");
    const std::string disk = folder + "/disk.raw";
    run_ok({"mkfs.ext4", "-q", "-d", folder + "/tree", disk, "16M"});

    CHECK(read_disk_file(disk, "/upper/var/log/clara/ioc.log", 4 << 20) == text);
    CHECK(read_disk_file(disk, "/upper/var/log/clara/ioc.log", 6) == "99999\n");
    CHECK_FALSE(read_disk_file(disk, "/upper/var/log/clara/none.log", 100));
    CHECK_FALSE(read_disk_file(disk, "/upper/none/ioc.log", 100));
    CHECK_FALSE(read_disk_file(disk, "/upper/var/log/clara/link.log", 100));
    CHECK_FALSE(read_disk_file(disk, "/upper/var/log/clara", 100));
    CHECK_THROWS_AS(read_disk_file(folder + "/absent", "/x", 100), Error);
    write_file(folder + "/junk", "not a file system");
    CHECK_THROWS_AS(read_disk_file(folder + "/junk", "/x", 100), Error);
    std::filesystem::remove_all(folder);
}

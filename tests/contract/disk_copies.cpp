// Copies of disks by qemu-img.
#include <algorithm>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/disks/convert.hpp"
#include "clara/drivers/disks/room.hpp"
#include "copy_tools.hpp"
#include "disk_tools.hpp"
#include "temp_dir.hpp"

using namespace clara;

TEST_CASE("copies: any known format becomes a sparse qcow2") {
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    for (const std::string format : {"raw", "qcow2", "vmdk", "vdi"}) {
        INFO(format);
        const std::string source = dir / ("in." + format), target = dir / ("out-" + format + ".qcow2");
        qemu_img({"convert", "-f", "raw", "-O", format, raw, source});
        std::vector<double> told;
        convert_disk(source, format, target, {.progress = [&](double percent) { told.push_back(percent); }});
        CHECK(same(raw, target));
        CHECK(disk_info(target, "qcow2").taken < 12 * MiB);
        REQUIRE_FALSE(told.empty());
        CHECK(std::is_sorted(told.begin(), told.end()));
        CHECK(told.back() == 100);
        CHECK(hidden(dir.path()).empty());
    }
}

TEST_CASE("copies: a chain becomes one file") {
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    qemu_img({"create", "-q", "-f", "qcow2", "-b", "source.raw", "-F", "raw", dir / "top.qcow2"});
    convert_disk(dir / "top.qcow2", "qcow2", dir / "copy.qcow2");
    CHECK(same(raw, dir / "copy.qcow2"));
    CHECK(disk_info(dir / "copy.qcow2", "qcow2").backing.empty());
}

TEST_CASE("copies: nothing is made over a file, of a disk in use, or of one that is gone") {
    TempDir dir;
    qemu_img({"create", "-q", "-f", "qcow2", dir / "a.qcow2", "8M"});
    write_file(dir / "there.qcow2", "precious");
    CHECK(refused([&] { convert_disk(dir / "a.qcow2", "qcow2", dir / "there.qcow2"); }));
    CHECK(read_file(dir / "there.qcow2") == "precious");
    {
        QemuIo running(dir / "a.qcow2");
        CHECK(kind_of([&] { convert_disk(dir / "a.qcow2", "qcow2", dir / "b.qcow2"); }) == ErrorKind::busy);
    }
    CHECK_THROWS_AS(convert_disk(dir / "none.qcow2", "qcow2", dir / "b.qcow2"), Error);
    CHECK(list_dir(dir.path()) == std::vector<std::string>{"a.qcow2", "there.qcow2"});
}

TEST_CASE("copies: what a killed copy left is no obstacle") {
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    write_file(dir / ".copy.qcow2.partial", std::string(MiB, 'x'));
    convert_disk(raw, "raw", dir / "copy.qcow2");
    CHECK(same(raw, dir / "copy.qcow2"));
    CHECK(hidden(dir.path()).empty());
}

TEST_CASE("copies: missing room is told before, and met in the middle") {
    if (!is_root()) return;
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    SmallPool pool("4m");
    CHECK_THROWS_WITH(convert_disk(raw, "raw", pool.path + "/copy.qcow2"), Catch::Contains("are missing"));
    CHECK(list_dir(pool.path).empty());
    CHECK_THROWS_WITH(convert_disk(raw, "raw", pool.path + "/copy.qcow2", {.check_room = false}),
                      Catch::Contains("no space left in"));
    CHECK(list_dir(pool.path).empty());
    CHECK_NOTHROW(require_room(pool.path, 1 * MiB, "a test"));
    CHECK_THROWS_WITH(
        require_room(pool.path, 5 * MiB, "a test"),
        Catch::Contains("a test needs 5.0 MiB") && Catch::Contains("4.0 MiB free: 1.0 MiB are missing"));
}

TEST_CASE("copies: a rate is kept") {
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    auto began = std::chrono::steady_clock::now();
    convert_disk(raw, "raw", dir / "copy.qcow2", {.rate = 5 * MiB});
    CHECK(std::chrono::steady_clock::now() - began > std::chrono::milliseconds(700));  // 10 MiB of data
}

// Restore points for tests, as a backup makes them: packed from plain disks that change by a seed, in a
// store.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "clara/base/files.hpp"
#include "clara/drivers/points/manifest.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/pack.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/verify.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "disk_tools.hpp"
#include "temp_dir.hpp"

namespace clara {

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : generator_(seed) {}
    std::uint64_t below(std::uint64_t end) { return generator_() % end; }
    /// Nothing compresses it.
    std::string noise(std::size_t length) {
        std::string bytes(length, '\0');
        for (auto& byte : bytes) byte = static_cast<char>(generator_());
        return bytes;
    }
    /// Compresses to about a half, its end differs from its beginning.
    std::string words(std::size_t length) {
        std::string bytes(length, '\0');
        for (auto& byte : bytes) byte = static_cast<char>('a' + generator_() % 12);
        return bytes;
    }
    std::string any(std::size_t length) {
        switch (below(4)) {
            case 0:
                return noise(length);
            case 1:
                return words(length);
            case 2:
                return std::string(length, static_cast<char>('0' + below(10)));
            default:
                return std::string(length, '\0');
        }
    }

  private:
    std::mt19937_64 generator_;
};

/// A plain disk.
struct RawDisk {
    std::string path;
    Fd file;

    RawDisk(const std::string& where, std::uint64_t size)
        : path(where), file(::open(where.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
        REQUIRE(file);
        resize(size);
    }
    std::uint64_t size() const { return static_cast<std::uint64_t>(::lseek(file.get(), 0, SEEK_END)); }
    void resize(std::uint64_t size) { REQUIRE(::ftruncate(file.get(), static_cast<off_t>(size)) == 0); }
    void write(std::uint64_t at, const std::string& bytes) {
        const auto length = static_cast<ssize_t>(bytes.size());
        REQUIRE(::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) == length);
    }
    void punch(std::uint64_t at, std::uint64_t length) {
        REQUIRE(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at),
                            static_cast<off_t>(length)) == 0);
    }
    /// Writes, zeros and holes at any place, whole clusters or parts of them.
    void change(Dice& dice, int times) {
        for (int i = 0; i < times; ++i) {
            const std::uint64_t at = dice.below(size());
            const std::size_t length = std::min<std::uint64_t>(1 + dice.below(300000), size() - at);
            dice.below(5) == 0 ? punch(at, length) : write(at, dice.any(length));
        }
    }
};

inline bool same_disks(const std::string& raw, const std::string& qcow2) {
    return run({"qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, qcow2}).status == 0;
}

/// STORE/backups/bpm01 with points, and beside it what each disk was at that time.
class PointsWorld {
  public:
    const std::string guest = "bpm01";

    std::string store() const { return dir_.path(); }
    std::string folder(const std::string& point) const { return pool::point(store(), guest, point); }
    std::string beside(const std::string& name) const { return dir_ / name; }
    std::vector<Point> points() const { return points::read_points(store(), guest, true); }
    PointInfo info(const std::string& point) const { return points::read_point(store(), guest, point).info; }

    struct Disk {
        std::string file;  ///< disk.qcow2
        const RawDisk* raw = nullptr;
        std::string target;
    };

    /// The point of day `number`. A disk stands on the parent's of the same name, where that has one.
    std::string make(unsigned number, const std::string& parent, const std::vector<Disk>& disks) {
        PointInfo info{.guest = guest,
                       .name = "202611" + std::to_string(10 + number) + "T030000Z",
                       .number = number,
                       .time = "2026-11-" + std::to_string(10 + number) + "T03:00:00Z",
                       .kind = "kvm",
                       .born = "2026-01-01T00:00:00Z",
                       .parent = parent};
        make_dirs(folder(info.name));
        const Fd to = open_dir(folder(info.name));
        for (const auto& disk : disks) pack(to.get(), disk, info);
        add(to.get(), "guest.yaml", "name: bpm01\nkind: kvm\n", info);
        write_file_at(to.get(), "manifest.json", points::write_manifest(info));
        write_file_at(to.get(), "state.json", points::write_state({.note = "of day " + info.name}));
        return info.name;
    }

    /// Every point is whole and shows what its disks were when it was made; `but` is gone.
    void check_all(const std::string& but = "") {
        for (const auto& [point, disks] : shown_) {
            if (point == but) continue;
            INFO(point);
            const Point now = points::read_point(store(), guest, point);
            CHECK(now.state.note == "of day " + point);
            const Fd dir = open_dir(folder(point));
            CHECK(points::verify_stored(dir.get(), now.info) == std::vector<std::string>{});
            CHECK(now.info.disks.size() == disks.size());
            for (const auto& disk : now.info.disks) check_disk(dir.get(), now.info, disk);
        }
    }

  private:
    void add(int to, const std::string& name, const std::string& text, PointInfo& info) {
        write_file_at(to, name, text);
        info.files.push_back(points::listed(name, text));
    }

    void pack(int to, const Disk& disk, PointInfo& info) {
        points::Sums below;
        std::string backing;
        if (!info.parent.empty()) {
            const PointInfo parent = this->info(info.parent);
            for (const auto& one : parent.disks)
                if (one.file == disk.file && one.size <= disk.raw->size()) {
                    below = points::whole_sums(store(), parent, disk.file, points());
                    backing = "../" + info.parent + "/" + disk.file;
                }
        }
        const Fd file(::openat(to, disk.file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
        points::PackedWriter writer(file.get(), disk.raw->size(), backing);
        auto source = points::file_source(disk.raw->file.get());
        PointFile stored;
        points::Packed packed = points::pack(*source, below, writer, stored);
        packed.disk.file = stored.name = disk.file;
        packed.disk.target = disk.target;
        info.disks.push_back(packed.disk);
        info.files.push_back(stored);
        add(to, points::sums_file(disk.file), points::write_sums(packed.sums), info);
        const std::string copy = beside(info.name + "-" + disk.file + ".raw");
        run_ok({"cp", "--sparse=always", disk.raw->path, copy});
        shown_[info.name][disk.file] = {copy, packed.disk.content};
    }

    void check_disk(int dir, const PointInfo& point, const PointDisk& disk) {
        INFO(disk.file);
        const auto& [raw, content] = shown_[point.name][disk.file];
        const std::string path = folder(point.name) + "/" + disk.file;
        CHECK(same_disks(raw, path));
        CHECK(run({"qemu-img", "check", "-f", "qcow2", path}).status == 0);
        CHECK(disk.content == content);
        CHECK(points::content_of(points::whole_sums(store(), point, disk.file, points())) == content);
        const points::Sums sums = points::load_sums(dir, disk.file);
        const points::PackedReader reader = points::open_packed(dir, disk.file);
        CHECK(points::verify_content(reader, sums, disk.file) == std::vector<std::string>{});
        CHECK(disk.changed == sums.size() * points::cluster_size);
        CHECK(disk.dense == count(reader, points::PackedReader::Kind::plain));
        CHECK(disk.zeroed == count(reader, points::PackedReader::Kind::zero));
    }

    static std::uint64_t count(const points::PackedReader& reader, points::PackedReader::Kind kind) {
        const auto& all = reader.clusters();
        return points::cluster_size *
               static_cast<std::uint64_t>(
                   std::count_if(all.begin(), all.end(), [&](const auto& c) { return c.kind == kind; }));
    }

    struct Shown {
        std::string raw, content;
    };
    TempDir dir_;
    std::map<std::string, std::map<std::string, Shown>> shown_;
};

}  // namespace clara

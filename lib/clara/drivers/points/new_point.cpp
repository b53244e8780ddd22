#include "clara/drivers/points/new_point.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/base/stall.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/disks/disk_export.hpp"
#include "clara/drivers/disks/inner_snapshots.hpp"
#include "clara/drivers/libvirt/pull.hpp"
#include "clara/drivers/points/examine.hpp"
#include "clara/drivers/points/inside.hpp"
#include "clara/drivers/points/manifest.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/pack.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/drivers/storage/same_bytes.hpp"
#include "clara/drivers/storage/snapshots.hpp"
#include "clara/ops/domain_backing.hpp"
#include "clara/ops/domain_read.hpp"

namespace clara::points {
namespace {

constexpr unsigned most_threads = 4;  // compressing more disks at once is what --jobs is for

std::string file_of(const Fd& fd) {
    return fmt::format("/proc/{}/fd/{}", ::getpid(), fd.get());
}

class NewPoint {
  public:
    NewPoint(const MakePoint& a, LibvirtDriver& libvirt, std::string run_dir)
        : a_(a), libvirt_(libvirt), run_dir_(std::move(run_dir)), info_(a.info) {}

    std::string make() {
        check_parent();
        if (!exists(pool::guest(a_.pool, a_.name))) throw StaleFacts(a_.name + " was removed just now");
        folder_ = open_clean_points(a_.store, a_.name);
        const std::string partial = pool::partial(info_.name);
        {
            const StallRegion region;
            if (::mkdirat(folder_.get(), partial.c_str(), 0755) != 0)
                throw system_error("cannot make " + partial + " in the store", errno);
            to_ = open_dir_at(folder_.get(), partial);
        }
        try {
            info_.kind == "kvm" ? machine() : container();
            write_rest();
        } catch (Error& e) {
            const StallRegion region;
            try_remove_tree(folder_.get(), partial);
            rethrow_full(e, a_.store);
        }
        return note();
    }

  private:
    /// What the plan was made from still holds: nobody made or removed a point meanwhile.
    void check_parent() {
        points_ = read_points(a_.store, a_.name);
        std::uint64_t newest = 0;
        for (const auto& point : points_) newest = std::max(newest, point.info.number);
        if (newest >= info_.number) throw StaleFacts("another backup of " + a_.name + " was made just now");
        if (newest + 1 < info_.number)
            throw Error(ErrorKind::failed,
                        "restore points of " + a_.name + " that were there just now are gone",
                        "see whether the store is still mounted");
        if (info_.parent.empty()) return;
        const Point* parent = find_point(info_.parent, points_);
        if (!parent || !parent->good()) throw StaleFacts("point " + info_.parent + " is not there any more");
        parent_ = parent->info;
    }

    void before() {
        if (a_.running) run_inside(libvirt_, info_.kind, a_.home, a_.name, a_.before);
    }
    void after() {
        if (a_.running) run_inside(libvirt_, info_.kind, a_.home, a_.name, a_.after);
    }
    /// The commands behind the backup are run, however it went: they take back what those before it did.
    template <class Work>
    auto between_hooks(Work work) {
        before();
        std::exception_ptr failure;
        decltype(work()) result;
        try {
            result = work();
        } catch (...) {
            failure = std::current_exception();
        }
        after();
        if (failure) std::rethrow_exception(failure);
        return result;
    }

    void container() {
        MakeSnapshot copy{.pool = a_.pool, .name = a_.name, .mount = a_.mount};
        copy.patience = a_.patience;
        copy.freeze_limit = a_.freeze_limit;
        snapshots::NowCopy now = between_hooks([&] {
            try {
                return snapshots::copy_now(copy);
            } catch (const DiskUnreadable& e) {
                throw Error(ErrorKind::partial, e.message(), e.hint() + "; earlier points are kept");
            }
        });
        info_.moment = a_.running ? now.note : "it did not run";
        state_.quarantine = examine_container(file_of(now.disk));
        auto source = file_source(now.disk.get());
        pack_disk(*source, "disk.qcow2", "");
        copy_text(a_.home + "/" + a_.name + "/config", "config");
    }

    void machine() {
        const std::string xml = a_.defined
                                    ? libvirt_.connect(a_.home)->xml(a_.name)
                                    : read_file(pool::guest(a_.pool, a_.name) + "/domain.xml").value_or("");
        // As the disks are in the point: linked to no image.
        write_text("domain.xml",
                   xml.empty() ? xml : with_backing(xml, Backing::none, "definition of " + a_.name));
        const auto disks = vm_disks(a_.pool, a_.name);
        a_.running ? running_machine(xml, disks) : stopped_machine(disks);
        if (auto nvram = read_file(pool::guest(a_.pool, a_.name) + "/nvram.fd", 64 << 20))
            write_text("nvram.fd", *nvram);
    }

    void stopped_machine(const std::vector<std::string>& disks) {
        std::vector<std::unique_ptr<DiskExport>> held;  // all of one moment
        for (const auto& disk : disks) held.push_back(std::make_unique<DiskExport>(disk, "qcow2"));
        info_.moment = "it did not run";
        for (std::size_t i = 0; i < disks.size(); ++i) {
            {
                const Fd file(::open(held[i]->path().c_str(), O_RDONLY | O_CLOEXEC));
                if (!file) throw system_error("cannot open " + disks[i], errno);
                auto source = file_source(file.get());
                pack_disk(*source, disks[i].substr(disks[i].rfind('/') + 1), "");
            }
            held[i]->close();
        }
    }

    void running_machine(const std::string& xml, const std::vector<std::string>& disks) {
        PullRequest request{.domain = a_.name, .socket = pull_socket(run_dir_, a_.name)};
        request.since = a_.bitmap;
        if (a_.checkpoint) request.checkpoint = checkpoint_prefix + info_.name;
        const DomainFacts domain = read_domain(xml, a_.name);
        for (const auto& file : disks) {
            const auto disk = std::find_if(domain.disks.begin(), domain.disks.end(),
                                           [&](const DomainDisk& d) { return d.source == file; });
            if (disk == domain.disks.end())
                throw Error(ErrorKind::refused, file + " is no disk of the domain",
                            "take it out of the guest's folder, or attach it");
            request.disks.push_back({disk->target, file, file + ".scratch"});
        }
        auto job = between_hooks(
            [&] { return std::make_unique<PullJob>([&] { return libvirt_.connect(a_.home); }, request); });
        if (!job->since_lost().empty()) info_.full_because = "its bitmaps are broken: " + job->since_lost();
        const bool counted = !a_.bitmap.empty() && job->since_lost().empty();
        info_.moment = "it ran: as after a power cut, all disks at one moment";
        try {
            for (const auto& disk : request.disks) {
                const std::string name = disk.file.substr(disk.file.rfind('/') + 1);
                auto source = nbd_source(request.socket, disk.target, "");
                if (counted && base_of(name, source->size()))
                    source = nbd_source(request.socket, disk.target, pull_bitmap);
                pack_disk(*source, name, disk.target);
            }
            job->end();
        } catch (...) {
            job->drop_checkpoint();
            throw;
        }
    }

    /// The parent's disk that this one can stand on. One that has become smaller stands alone: what it grows
    /// by later must not show what was cut off.
    const PointDisk* base_of(const std::string& name, std::uint64_t size) const {
        for (const auto& disk : parent_.disks)
            if (disk.file == name) return disk.size <= size ? &disk : nullptr;
        return nullptr;
    }

    void pack_disk(Source& source, const std::string& name, const std::string& target) {
        const StallRegion region;
        Sums parent;
        std::string backing;
        if (base_of(name, source.size())) {
            parent = whole_sums(a_.store, parent_, name, points_);
            backing = "../" + parent_.name + "/" + name;
        }
        const Fd file(
            ::openat(to_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!file) throw system_error("cannot make " + name + " in the store", errno);
        PackedWriter writer(file.get(), source.size(), backing);
        PackOptions options{.threads = std::clamp(std::thread::hardware_concurrency(), 1U, most_threads),
                            .rate = a_.rate};
        options.progress = [&](std::uint64_t done, std::uint64_t all) {
            log::status(fmt::format("backing up {}: {} {} %", a_.name, name, all ? done * 100 / all : 100));
        };
        PointFile stored;
        Packed packed = pack(source, parent, writer, stored, options);
        packed.disk.file = stored.name = name;
        packed.disk.target = target;
        info_.disks.push_back(packed.disk);
        info_.files.push_back(stored);
        write_text(sums_file(name), write_sums(packed.sums));
    }

    void copy_text(const std::string& path, const std::string& name) {
        if (auto text = read_file(path)) write_text(name, *text);
    }
    void write_text(const std::string& name, const std::string& text) {
        const StallScope scope("writing to the store");
        write_file_at(to_.get(), name, text, 0640, Durable::content);
        info_.files.push_back(listed(name, text));
    }

    void write_rest() {
        const auto spec = read_file(pool::guest(a_.pool, a_.name) + "/guest.yaml");
        if (!spec) throw StaleFacts(a_.name + " was removed just now");
        write_text("guest.yaml", *spec);
        std::sort(info_.files.begin(), info_.files.end(),
                  [](const PointFile& x, const PointFile& y) { return x.name < y.name; });
        const StallRegion region;
        write_file_at(to_.get(), "manifest.json", write_manifest(info_), 0644, Durable::content);
        write_file_at(to_.get(), "state.json", write_state(state_), 0644, Durable::content);
        fsync_or_throw(to_.get(), info_.name);
    }

    std::string note() const {
        std::uint64_t read = 0, changed = 0, stored = 0;
        for (const auto& disk : info_.disks) read += disk.read, changed += disk.changed;
        for (const auto& file : info_.files) stored += file.size;
        std::string text = info_.parent.empty() ? "full" : size_text(changed) + " changed";
        if (!info_.full_because.empty()) text += " (" + info_.full_because + ")";
        return text + fmt::format(", {} read, {} stored", size_text(read), size_text(stored));
    }

    const MakePoint& a_;
    LibvirtDriver& libvirt_;
    std::string run_dir_;
    PointInfo info_, parent_;
    PointState state_;
    std::vector<Point> points_;
    Fd folder_, to_;
};

}  // namespace

std::string make_point(const MakePoint& a, LibvirtDriver& libvirt, const std::string& run_dir) {
    return NewPoint(a, libvirt, run_dir).make();
}

}  // namespace clara::points

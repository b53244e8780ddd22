#include "clara/drivers/points/transfer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <utility>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/points/arriving.hpp"
#include "clara/drivers/points/manifest.hpp"
#include "clara/drivers/points/merge.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/points/verify.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::points {
namespace {

class Transfer {
  public:
    explicit Transfer(const CopyPoint& a) : a_(a), coming_(pool::coming(a.point)), pace_(a.rate) {}

    void run() {
        read_source();
        target_ = open_clean_points(a_.to, a_.guest);
        drop_others();
        {
            const StallScope scope("writing to the store");
            make_dir_at(target_.get(), coming_);
            to_ = open_dir_at(target_.get(), coming_);
        }
        try {
            send();
        } catch (Error& e) {
            rethrow_full(e, a_.to);
        }
        prove();
        publish();
    }

  private:
    /// Opened under the lock, so that they can be read to their end whoever removes the point meanwhile.
    void read_source() {
        const auto lock = lock_points(a_.from, a_.guest, "copying points of " + a_.guest, {});
        points_ = read_points(a_.from, a_.guest, true);
        const Point* point = find_point(a_.point, points_);
        if (!point || !point->proven()) throw StaleFacts("point " + a_.point + " is not there any more");
        info_ = point->info;
        state_ = point->state;
        from_ = open_dir(pool::point(a_.from, a_.guest, a_.point));
        for (const auto& file : info_.files) {
            sources_.emplace_back(
                ::openat(from_.get(), file.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
            if (!sources_.back()) throw system_error("cannot open " + file.name, errno);
        }
        for (const auto& disk : info_.disks) chains_.push_back(chain_of_disk(disk.file));
    }

    struct Chain {
        std::list<PackedReader> readers;  ///< the newest first, down to what the target has
        std::string backing;              ///< of the copy
        Sums sums;                        ///< of what lies in all of these
    };

    Chain chain_of_disk(const std::string& disk) {
        Chain chain;
        for (std::string at = a_.point;;) {
            const Fd folder = open_dir(pool::point(a_.from, a_.guest, at));
            chain.readers.push_back(open_packed(folder.get(), disk));
            chain.sums = merged(load_sums(folder.get(), disk), chain.sums);
            const PackedReader& reader = chain.readers.back();
            if (!reader.backed()) return chain;
            if (!a_.base.empty() && reader.backing() == "../" + a_.base + "/" + disk) {
                chain.backing = reader.backing();
                return chain;
            }
            if (chain.readers.size() > points_.size())
                throw Error(ErrorKind::failed, a_.point + "/" + disk + " stands on itself");
            at = reader.backing().substr(3, reader.backing().find('/', 3) - 3);
            if (!find_point(at, points_))
                throw Error(ErrorKind::failed,
                            "point " + at + ", which " + a_.point + " stands on, is missing");
        }
    }

    /// What an earlier run has begun and this one does not go on with.
    void drop_others() {
        for (const auto& name : list_dir(target_.get()))
            if (name[0] == '.' && name.ends_with(".coming") && name != coming_)
                remove_tree_at(target_.get(), name);
    }

    void send() {
        const auto files = std::exchange(info_.files, {});
        for (std::size_t i = 0; i < info_.disks.size(); ++i) {
            Chain& chain = chains_[i];
            if (chain.readers.size() == 1) continue;  // as it is, with the other files
            for (const auto& name : {info_.disks[i].file, sums_file(info_.disks[i].file)})
                remove_tree_at(to_.get(), name);
            Merging merging{{}, std::move(chain.sums), chain.backing, &pace_};
            for (const auto& reader : chain.readers) merging.from.push_back(&reader);
            write_merged(to_.get(), std::move(merging), info_.disks[i], info_.files);
        }
        for (std::size_t i = 0; i < files.size(); ++i) {
            const bool made = std::any_of(info_.files.begin(), info_.files.end(),
                                          [&](const PointFile& f) { return f.name == files[i].name; });
            if (made) continue;
            Arriving file(sources_[i].get(), to_.get(), files[i], a_.guest + "/" + a_.point);
            file.take(pace_);
            info_.files.push_back(files[i]);
        }
        std::sort(info_.files.begin(), info_.files.end(),
                  [](const PointFile& x, const PointFile& y) { return x.name < y.name; });
        for (const auto& name : list_dir(to_.get()))  // of an earlier run, when the point was another
            if (std::none_of(info_.files.begin(), info_.files.end(),
                             [&](const PointFile& f) { return f.name == name; }))
                remove_tree_at(to_.get(), name);
        info_.parent = a_.base;
        info_.number = a_.number;
        const StallScope scope("writing to the store");
        write_file_at(to_.get(), "manifest.json", write_manifest(info_), 0644, Durable::content);
    }

    void prove() {
        std::vector<Point> there;
        if (!a_.base.empty()) {
            there = read_points(a_.to, a_.guest, true);
            const Point* base = find_point(a_.base, there);
            if (!base || !base->good())
                throw StaleFacts("point " + a_.base + " is not in " + a_.to + " any more");
        }
        const auto wrong = verify_merged(a_.to, to_.get(), info_, there);
        if (wrong.empty()) return;
        remove_tree_at(target_.get(), coming_);
        throw Error(
            ErrorKind::failed,
            fmt::format("the copy of {} is not what was sent: {}", a_.point, wrong.front()),
            fmt::format("clara-backup verify {} --deep looks through the store that it came from", a_.guest));
    }

    void publish() {
        state_.verified = iso8601(system_clock()());
        state_.holders.clear();
        const StallScope scope("writing to the store");
        write_file_at(to_.get(), "state.json", write_state(state_), 0644, Durable::content);
        fsync_or_throw(to_.get(), coming_);
        if (!rename_new(target_.get(), coming_, a_.point))
            throw StaleFacts("there is a point " + a_.point + " already");
        fsync_or_throw(target_.get(), "the folder of points");
    }

    const CopyPoint& a_;
    std::string coming_;
    Pace pace_;
    std::vector<Point> points_;
    PointInfo info_;
    PointState state_;
    Fd from_, target_, to_;
    std::vector<Fd> sources_;    ///< of info_.files
    std::vector<Chain> chains_;  ///< of info_.disks
};

}  // namespace

void copy_point(const CopyPoint& a) {
    Transfer(a).run();
}

}  // namespace clara::points

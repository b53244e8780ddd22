// Restore points in memory.
#pragma once
#include <map>
#include <mutex>
#include <set>

#include "clara/base/error.hpp"
#include "clara/drivers/storage/folders.hpp"
#include "clara/plan/drivers.hpp"
#include "fakes/storage.hpp"

namespace clara {

/// Backs up the guests of a FakeStorage.
class FakePoints : public PointDriver {
  public:
    explicit FakePoints(FakeStorage& storage) : storage_(storage) {}

    struct Made {
        Point point;
        FakeStorage::Guest guest;
    };
    using Made_ = std::map<std::string, Made>;                   ///< by name of the point
    std::map<std::string, Made_> points, partial;                ///< by guest
    std::map<std::string, std::map<std::string, Made_>> copies;  ///< by other store and guest
    std::map<std::string, FakeStorage::Guest> replaced;
    std::map<std::string, std::set<std::string>> pool_images;  ///< by pool, the store's too
    std::set<std::string> corrupt;  ///< guests whose next point is not what was read
    std::set<std::string> held;     ///< guests whose points another host works on

    void copy_image(const CopyImage& a) override {
        if (pool_images[a.to].count(a.image)) return;
        if (!pool_images[a.from].count(a.image))
            throw Error(ErrorKind::refused, "image " + a.image + " is not in pool " + a.from);
        pool_images[a.to].insert(a.image);
    }
    std::string make(const MakePoint& a) override {
        std::lock_guard guard(mutex_);
        check_free(a.name);
        auto& pool = storage_.pools[a.pool];
        std::uint64_t newest = 0;
        for (const auto& [name, made] : points[a.name]) newest = std::max(newest, made.point.info.number);
        if (a.info.number != newest + 1) throw StaleFacts("another backup was made just now");
        if (!a.info.parent.empty() &&
            (!points[a.name].count(a.info.parent) || !points[a.name][a.info.parent].point.good()))
            throw StaleFacts(a.info.parent + " is not there any more");
        const auto guest = pool.guests.find(a.name);
        if (guest == pool.guests.end()) throw StaleFacts("it was removed just now");
        if (pool.running.count(a.name) && !a.running) throw Error(ErrorKind::busy, "its disk is in use");
        Made made{{a.info}, guest->second};
        made.point.stored = guest->second.taken();
        partial[a.name][a.info.name] = made;
        return "copied";
    }
    void discard(const MakePoint& a) override { partial[a.name].erase(a.info.name); }
    void prove(const ProvePoint& a) override {
        Made& made = partial[a.name].at(a.point);
        if (!corrupt.count(a.name)) {
            made.point.state.verified = made.point.info.time;
            return;
        }
        made.point.state.quarantine = {"it is not what was read"};
        points[a.name][a.point] = made;
        partial[a.name].erase(a.point);
        throw Error(ErrorKind::partial, a.point + " is in quarantine: it is not what was read");
    }
    void publish(const PublishPoint& a) override {
        points[a.name][a.point] = partial[a.name].at(a.point);
        partial[a.name].erase(a.point);
    }
    void remove(const RemovePoint& a) override {
        check_free(a.name);
        std::string last;
        for (const auto& [name, made] : points[a.name])
            if (made.point.proven()) last = name;
        if (last == a.point)
            throw Error(ErrorKind::refused, a.point + " is the last proven point of " + a.name);
        if (points[a.name].count(a.point) && !points[a.name][a.point].point.state.holders.empty())
            throw Error(ErrorKind::refused, a.point + " is held");
        points[a.name].erase(a.point);
    }

    void restore(const RestorePoint& a) override {
        auto& pool = storage_.pools[a.pool];
        if (!a.replaces && pool.guests.count(a.name)) throw exists_already(a.name);
        if (!points[a.guest].count(a.point)) throw Error(ErrorKind::refused, "there is no such point");
        pool.partial[a.name] = points[a.guest][a.point].guest;
    }
    void drop_restored(const RestorePoint& a) override { storage_.pools[a.pool].partial.erase(a.name); }
    void swap(const SwapGuest& a) override {
        auto& pool = storage_.pools[a.pool];
        if (pool.running.count(a.name)) throw Error(ErrorKind::busy, "its disk is in use");
        if (replaced.count(a.name))
            throw Error(ErrorKind::refused, "an earlier restore has kept what it had");
        replaced[a.name] = pool.guests.at(a.name);
        pool.guests[a.name] = pool.partial.at(a.name);
        pool.partial.erase(a.name);
    }
    void swap_back(const SwapGuest& a) override {
        auto& pool = storage_.pools[a.pool];
        pool.partial[a.name] = pool.guests.at(a.name);
        pool.guests[a.name] = replaced.at(a.name);
        replaced.erase(a.name);
    }
    void drop_replaced(const DropReplaced& a) override { replaced.erase(a.name); }
    void hold(const HoldPoint& a) override {
        const auto made = points[a.guest].find(a.point);
        if (made == points[a.guest].end()) {
            if (a.hold) throw StaleFacts("point " + a.point + " is not there any more");
            return;
        }
        auto& holders = made->second.point.state.holders;
        std::erase(holders, a.holder);
        if (a.hold) holders.push_back(a.holder);
    }
    void copy(const CopyPoint& a) override {
        if (!points[a.guest].count(a.point)) throw StaleFacts("point " + a.point + " is not there any more");
        Made made = points[a.guest].at(a.point);
        if (copies[a.to][a.guest].count(a.point))
            throw StaleFacts("there is a point " + a.point + " already");
        made.point.info.parent = a.base;
        made.point.info.number = a.number;
        made.point.state.holders.clear();
        copies[a.to][a.guest][a.point] = made;
    }

  private:
    void check_free(const std::string& guest) {
        if (held.count(guest)) throw Error(ErrorKind::busy, "another host is at it");
    }
    std::mutex mutex_;
    FakeStorage& storage_;
};

}  // namespace clara

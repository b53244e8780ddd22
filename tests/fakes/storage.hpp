// A pool in memory.
#pragma once
#include <map>
#include <mutex>
#include <set>

#include "clara/base/error.hpp"
#include "clara/drivers/storage/book.hpp"
#include "clara/plan/drivers.hpp"

namespace clara {

class FakeStorage : public StorageDriver {
  public:
    struct Guest {
        std::uint64_t size = 0;
        std::map<std::string, PlacedFile> files;
        std::optional<GuestSpec> spec;
        std::uint64_t taken() const {
            std::uint64_t bytes = 0;
            for (const auto& [path, file] : files) bytes += file.content.size();
            return bytes;
        }
    };
    /// `next` is the disk of a prepared rollback.
    struct Snapshot {
        SnapshotInfo info;
        std::optional<Guest> guest, next;
    };
    using Snapshots = std::map<std::string, Snapshot>;
    struct Pool {
        std::map<std::string, Guest> partial, guests;
        std::map<std::string, Snapshots> snapshots, partial_snapshots;  ///< by guest
        std::vector<BookEntry> book;
        std::set<std::string> running;                ///< names whose disk is in use
        std::uint64_t room = std::uint64_t{1} << 40;  ///< bytes that files may still take
        std::map<std::string, std::string> fetched;   ///< guest -> url
    };
    /// A disk outside the pool, by path or url.
    struct Disk {
        Guest guest;
        bool in_use = false, damaged = false;
    };
    std::map<std::string, Disk> disks;
    std::map<std::string, Pool> pools;

    void clear_leftover(const ClearLeftover& a) override {
        remove_partial(a.pool, a.name);
        if (!pool(a.pool).guests.count(a.name)) release({a.pool, a.name});
    }
    void reserve(const ReserveAddress& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        if (auto why = conflict(p.book, a); !why.empty()) throw StaleFacts(why);
        p.book.push_back({a.name, a.network, a.address, a.mac});
    }
    void release(const ReleaseAddress& a) override {
        std::lock_guard guard(mutex_);
        std::erase_if(pools[a.pool].book, [&](const BookEntry& e) { return e.name == a.name; });
    }
    void make_disk(const MakeDisk& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        if (p.guests.count(a.name)) throw exists_already(a.name);
        if (!p.partial.emplace(a.name, Guest{a.size}).second)
            throw StaleFacts("an interrupted create left ." + a.name + ".partial in the way");
    }
    void copy_disks(const CopyDisks& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        if (p.guests.count(a.name)) throw exists_already(a.name);
        if (p.partial.count(a.name))
            throw StaleFacts("an interrupted create left ." + a.name + ".partial in the way");
        Guest copy;
        if (a.domain.empty())
            for (const auto& disk : a.disks) {
                const Guest& from = disk.fetched ? source(p.fetched, a.name).guest : source(disk).guest;
                copy.files.insert(from.files.begin(), from.files.end());
            }
        p.partial[a.name] = take_room(p, copy);
    }
    void fetch_disk(const FetchDisk& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        if (auto there = p.fetched.find(a.name); there != p.fetched.end() && there->second != a.url)
            throw Error(ErrorKind::refused, "what was fetched is of " + there->second);
        if (!disks.count(a.url)) throw Error(ErrorKind::unreachable, "no connection");
        p.fetched[a.name] = a.url;
    }
    void drop_fetched(const DropFetched& a) override {
        std::lock_guard guard(mutex_);
        pools[a.pool].fetched.erase(a.name);
    }
    void give_identity(const GiveIdentity& a) override {
        Guest& guest = made(a.pool, a.name);
        guest.files["/etc/hostname"] = {"/etc/hostname", "", a.identity.hostname + "\n"};
    }
    void fill_disk(const FillDisk& a) override {
        Guest& guest = made(a.pool, a.name);
        std::lock_guard guard(mutex_);
        std::uint64_t& room = pools[a.pool].room;
        for (const auto& file : a.files) {
            if (file.content.size() > room)
                throw Error(ErrorKind::failed, "placing " + file.path + ": no space left in pool " + a.pool);
            room -= file.content.size();
            guest.files[file.path] = file;
        }
    }
    void write_spec(const WriteSpec& a) override { made(a.spec.pool, a.spec.name).spec = a.spec; }
    void publish(const PublishGuest& a) override {
        Guest& guest = made(a.pool, a.name);
        if (!guest.spec) throw Error(ErrorKind::failed, "cannot open guest.yaml");
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        if (!p.guests.emplace(a.name, guest).second) throw exists_already(a.name);
        p.partial.erase(a.name);
    }
    void remove_guest(const RemoveGuest& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        if (p.running.count(a.name)) throw Error(ErrorKind::busy, "guest " + a.name + " runs");
        p.guests.erase(a.name);
        p.snapshots.erase(a.name);
        p.partial_snapshots.erase(a.name);
    }
    void remove_partial(const std::string& pool_path, const std::string& name) override {
        std::lock_guard guard(mutex_);
        pools[pool_path].partial.erase(name);
    }
    std::string make_snapshot(const MakeSnapshot& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        const bool runs = p.running.count(a.name);
        if (runs && a.mount.empty() && !a.running) throw Error(ErrorKind::busy, "disk.raw is in use");
        if (!runs && !a.mount.empty()) throw StaleFacts(a.name + " has stopped meanwhile");
        Snapshot snapshot{a.info, take_room(p, p.guests.at(a.name)), {}};
        new_partial(p, a.name)[a.info.name] = snapshot;
        return runs ? "no write was blocked" : "";
    }
    void publish_snapshot(const PublishSnapshot& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        auto& partial = p.partial_snapshots[a.name];
        if (!partial.count(a.snapshot))
            throw Error(ErrorKind::failed, "cannot open ." + a.snapshot + ".partial");
        if (partial[a.snapshot].guest->files.count("/damaged"))
            throw Error(ErrorKind::failed, "its file system is damaged");
        if (!p.snapshots[a.name].emplace(a.snapshot, partial[a.snapshot]).second)
            throw Error(ErrorKind::refused, "there is a snapshot " + a.snapshot + " already");
        partial.erase(a.snapshot);
    }
    void remove_snapshot(const RemoveSnapshot& a) override {
        std::lock_guard guard(mutex_);
        pools[a.pool].partial_snapshots[a.name].erase(a.snapshot);
        pools[a.pool].snapshots[a.name].erase(a.snapshot);
    }
    void prepare_rollback(const PrepareRollback& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        auto from = p.snapshots[a.name].find(a.snapshot);
        if (from == p.snapshots[a.name].end())
            throw Error(ErrorKind::failed, "cannot open the disk of snapshot " + a.snapshot);
        if (from->second.guest->files.count("/damaged"))
            throw Error(ErrorKind::failed, "its file system is damaged");
        Snapshot kept{{}, {}, take_room(p, *from->second.guest)};
        new_partial(p, a.name)[a.kept] = kept;
    }
    void switch_disk(const SwitchDisk& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        if (p.running.count(a.name)) throw Error(ErrorKind::busy, "guest " + a.name + " runs");
        auto& partial = p.partial_snapshots[a.name];
        if (!partial.count(a.kept.name)) throw Error(ErrorKind::failed, "nothing is prepared");
        Snapshot kept{a.kept, p.guests.at(a.name), {}};
        p.guests.at(a.name) = *partial[a.kept.name].next;
        partial.erase(a.kept.name);
        p.snapshots[a.name][a.kept.name] = kept;
    }
    void switch_disk_back(const SwitchDisk& a) override {
        std::lock_guard guard(mutex_);
        Pool& p = pools[a.pool];
        if (p.running.count(a.name)) throw Error(ErrorKind::busy, "guest " + a.name + " runs");
        p.guests.at(a.name) = *p.snapshots[a.name].at(a.kept.name).guest;
        p.snapshots[a.name].erase(a.kept.name);
    }

  private:
    const Disk& source(const DiskCopy& wanted) {
        auto found = disks.find(wanted.source);
        if (found == disks.end()) throw Error(ErrorKind::failed, wanted.source + " is not there");
        if (found->second.in_use) throw Error(ErrorKind::busy, wanted.source + " is in use");
        if (found->second.damaged) throw Error(ErrorKind::refused, wanted.source + " is damaged");
        return found->second;
    }
    const Disk& source(const std::map<std::string, std::string>& fetched, const std::string& guest) {
        auto url = fetched.find(guest);
        if (url == fetched.end()) throw Error(ErrorKind::failed, "nothing was fetched for " + guest);
        return disks.at(url->second);
    }
    static Guest take_room(Pool& p, const Guest& copied) {
        if (copied.taken() > p.room) throw Error(ErrorKind::failed, "no space left in the pool");
        return copied;
    }
    /// What killed runs have left goes first.
    static Snapshots& new_partial(Pool& p, const std::string& guest) {
        p.partial_snapshots[guest].clear();
        return p.partial_snapshots[guest];
    }
    static Error exists_already(const std::string& name) {
        return Error(ErrorKind::refused, "there is a guest " + name + " already");
    }
    Pool& pool(const std::string& path) {
        std::lock_guard guard(mutex_);
        return pools[path];
    }
    Guest& made(const std::string& path, const std::string& name) {
        std::lock_guard guard(mutex_);
        auto& partial = pools[path].partial;
        auto found = partial.find(name);
        if (found == partial.end())
            throw Error(ErrorKind::failed, "cannot open ." + name + ".partial: No such file or directory");
        return found->second;
    }
    std::mutex mutex_;
};

}  // namespace clara

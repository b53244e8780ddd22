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
    };
    struct Pool {
        std::map<std::string, Guest> partial, guests;
        std::vector<BookEntry> book;
        std::set<std::string> running;                ///< names whose disk is in use
        std::uint64_t room = std::uint64_t{1} << 40;  ///< bytes that files may still take
    };
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
    }
    void remove_partial(const std::string& pool_path, const std::string& name) override {
        std::lock_guard guard(mutex_);
        pools[pool_path].partial.erase(name);
    }

  private:
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

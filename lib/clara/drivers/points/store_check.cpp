#include "clara/drivers/points/store_check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/base/probe_path.hpp"
#include "clara/base/stall.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara::points {
namespace {

using nlohmann::json;

constexpr const char* id_file = ".store.json";
constexpr const char* memory_file = "stores.json";  // in POOL: path -> id
constexpr const char* schema = "clara.store/1";

std::optional<std::string> id_of(const std::string& store) {
    const auto text = read_file(pool::backups(store) + "/" + id_file, 4096);
    if (!text) return std::nullopt;
    const json tree = json::parse(*text, nullptr, false);
    if (!tree.is_object() || tree.value("schema", "") != schema || !tree["id"].is_string())
        throw Error(ErrorKind::failed, pool::backups(store) + "/" + id_file + " is damaged",
                    "if this is the right store, write {\"schema\": \"" + std::string(schema) +
                        "\", \"id\": \"...\"} into it: the id is in " + memory_file + " of the guests' pool");
    return tree["id"].get<std::string>();
}

std::map<std::string, std::string> memory(const std::string& pool) {
    std::map<std::string, std::string> ids;
    const json tree =
        json::parse(read_file(pool + "/" + memory_file, 1 << 20).value_or("{}"), nullptr, false);
    if (!tree.is_object()) throw Error(ErrorKind::failed, pool + "/" + memory_file + " is damaged");
    for (const auto& [path, id] : tree.items())
        if (id.is_string()) ids[path] = id.get<std::string>();
    return ids;
}

bool is_mounted(const std::string& path) {
    struct statx st {};
    if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE, &st) != 0)
        throw system_error("cannot examine " + path, errno);
    return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool is_read_only(const std::string& path) {
    struct statvfs fs {};
    if (::statvfs(path.c_str(), &fs) != 0) throw system_error("cannot examine " + path, errno);
    return (fs.f_flag & ST_RDONLY) != 0;
}

Error refused(const std::string& what, const std::string& hint) {
    return {ErrorKind::refused, what, hint};
}

}  // namespace

bool store_answers(const std::string& store, std::chrono::milliseconds patience) {
    switch (probe_path(store, patience)) {
        case PathState::hung:
            throw Error(ErrorKind::unreachable,
                        fmt::format("the store {} does not answer within {}", store, duration_text(patience)),
                        "see whether its server is up; nothing was touched");
        case PathState::stale:
            throw Error(ErrorKind::unreachable, "the store " + store + " is mounted but stale",
                        "mount it again: umount " + store + "; mount " + store);
        case PathState::absent:
            return false;
        case PathState::ok:
            break;
    }
    return true;
}

void check_store(const std::string& store, const StoreCheck& check) {
    const StallScope scope("looking at the store");
    if (check.mounted && !is_mounted(store))
        throw refused(store + " is a folder of this host: nothing is mounted there",
                      "mount it; 'mounted: true' of this pool in site.yaml says that it has to be");
    if (check.writes && is_read_only(store))
        throw refused("the store " + store + " is read-only", "mount -o remount,rw " + store);
    const auto id = id_of(store);
    if (check.remembered_in.empty() || check.accept_other) return;
    const auto known = memory(check.remembered_in);
    const auto last = known.find(store);
    if (last == known.end() || id == last->second) return;
    throw refused(id ? store + " is another store than last time" : store + " holds no backups any more",
                  "is it mounted? If this one takes its place for good: --new-store");
}

void open_store(const std::string& store) {
    {
        const StallScope scope("opening the store");
        make_dirs(pool::backups(store));
        make_dirs(store + "/locks");
    }
    const auto lock =
        lock_in_store(store + "/locks/store@backups", "making a store", std::chrono::seconds(30));
    const StallScope scope("opening the store");
    if (id_of(store)) return;
    const Random random = system_random();
    const std::string id = fmt::format("{:016x}{:016x}", random(), random());
    write_file(pool::backups(store) + "/" + id_file, json{{"schema", schema}, {"id", id}}.dump(2) + "\n");
}

void remember_store(const std::string& store, const std::string& remembered_in) {
    make_dirs(remembered_in + "/locks");
    const auto own = NamedLock::take(remembered_in + "/locks/store@memory", "remembering a store",
                                     std::chrono::seconds(30));
    std::optional<std::string> id;
    {
        const StallScope scope("opening the store");
        id = id_of(store);
    }
    auto known = memory(remembered_in);
    if (!id || known[store] == *id) return;
    known[store] = *id;
    write_file(remembered_in + "/" + memory_file, json(known).dump(2) + "\n");
}

}  // namespace clara::points

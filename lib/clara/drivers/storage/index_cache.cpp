#include "clara/drivers/storage/index_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"

namespace clara {
namespace {

using nlohmann::json;

// Counted up when fields are added below.
constexpr const char* schema = "clara.index/2";
// A file's time advances in steps (4 ms on Linux, 1-2 s elsewhere): within one step a second change keeps the
// stamp. So a file this young is read again the next time.
constexpr std::uint64_t young_ns = 2'000'000'000;

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
}

json to_json(const IndexCache::Stamp& s, const GuestFact& f) {
    return json::array({s.inode, s.mtime_ns, s.size, f.name, f.kind, f.template_name, f.image, f.description,
                        f.owner, f.network, f.address.value, f.mac.value, f.autostart, f.privileged,
                        f.has_ioc, f.tags});
}

}  // namespace

std::optional<IndexCache::Stamp> IndexCache::stamp(int dir, const std::string& path) {
    struct stat st {};
    if (::fstatat(dir, path.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return Stamp{st.st_ino,
                 static_cast<std::uint64_t>(st.st_mtim.tv_sec) * 1'000'000'000 +
                     static_cast<std::uint64_t>(st.st_mtim.tv_nsec),
                 static_cast<std::uint64_t>(st.st_size)};
}

IndexCache::IndexCache(std::string folder) : folder_(std::move(folder)) {
    try {
        if (auto text = read_file(folder_ + "/index.json")) load(*text);
    } catch (const std::exception& e) {
        known_.clear();
        log::debug("reading every guest.yaml: {}/index.json: {}", folder_, e.what());
    }
}

void IndexCache::load(const std::string& text) {
    json file = json::parse(text);
    if (file.at("schema") != schema) return;
    for (const auto& j : file.at("guests")) {
        Entry entry;
        std::size_t at = 0;
        auto next = [&](auto& into) { j.at(at++).get_to(into); };
        next(entry.stamp.inode), next(entry.stamp.mtime_ns), next(entry.stamp.size);
        GuestFact& f = entry.fact;
        next(f.name), next(f.kind), next(f.template_name), next(f.image), next(f.description), next(f.owner);
        next(f.network), next(f.address.value), next(f.mac.value);
        next(f.autostart), next(f.privileged), next(f.has_ioc), next(f.tags);
        known_[f.name] = std::move(entry);
    }
}

const GuestFact* IndexCache::find(const std::string& name, const std::optional<Stamp>& stamp) const {
    auto entry = known_.find(name);
    return stamp && entry != known_.end() && entry->second.stamp == *stamp ? &entry->second.fact : nullptr;
}

void IndexCache::keep(const GuestFact& fact, const std::optional<Stamp>& stamp) {
    if (!stamp || !fact.problem.empty() || stamp->mtime_ns + young_ns > now_ns()) return;
    changed_ = changed_ || !find(fact.name, stamp);
    kept_[fact.name] = {*stamp, fact};
}

void IndexCache::store() {
    if (!changed_ && kept_.size() == known_.size()) return;
    json guests = json::array();
    for (const auto& [name, entry] : kept_) guests.push_back(to_json(entry.stamp, entry.fact));
    try {
        make_dirs(folder_);
        write_file_at(open_dir(folder_).get(), "index.json",
                      json{{"schema", schema}, {"guests", guests}}.dump(), 0644, Durable::nothing);
    } catch (const std::exception& e) {
        log::debug("the next list is no faster: {}", e.what());
    }
}

}  // namespace clara

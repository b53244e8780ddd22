#include "clara/drivers/storage/index.hpp"

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/drivers/storage/book.hpp"
#include "clara/drivers/storage/index_cache.hpp"
#include "clara/drivers/storage/layout.hpp"

namespace clara {
namespace {

GuestFact fact_of(const GuestSpec& spec) {
    GuestFact fact;
    fact.name = spec.name;
    fact.kind = spec.kind;
    fact.template_name = spec.template_name;
    fact.image = spec.image;
    fact.description = spec.description;
    fact.owner = spec.owner;
    fact.network = spec.nic.network;
    fact.address = spec.nic.subnet.address;
    fact.mac = spec.nic.mac;
    fact.autostart = spec.autostart;
    fact.privileged = spec.privileged;
    fact.has_ioc = spec.ioc.has_value();
    fact.tags = spec.tags;
    return fact;
}

GuestFact read_fact(int guests, const std::string& name) {
    try {
        std::string path = name + "/guest.yaml";
        auto text = read_file_at(guests, path);
        if (!text) throw Error(ErrorKind::failed, "guest.yaml is missing");
        GuestFact fact = fact_of(read_guest(*text, path));
        if (fact.name != name) throw Error(ErrorKind::failed, "guest.yaml is that of " + fact.name);
        return fact;
    } catch (const Error& e) {
        GuestFact fact;
        fact.name = name;
        fact.problem = e.message();
        return fact;
    }
}

/// "bpm01" of ".bpm01.partial" and ".bpm01.removed", empty for anything else.
std::string leftover_name(const std::string& entry) {
    for (const std::string& suffix : {pool::partial(""), pool::removed("")}) {
        std::string end = suffix.substr(1);  // without the dot in front
        if (entry.size() > 1 + end.size() && entry[0] == '.' && entry.ends_with(end))
            return entry.substr(1, entry.size() - 1 - end.size());
    }
    return {};
}

bool nobody_works_on(const std::string& pool, const std::string& name) {
    return !NamedLock::holder(pool::lock(pool, name));
}

bool in_book(const std::vector<BookEntry>& book, const std::string& name) {
    return std::any_of(book.begin(), book.end(), [&](const BookEntry& e) { return e.name == name; });
}

/// Looks again after the lock was seen free: a run that ended meanwhile left nothing.
std::set<std::string> find_leftovers(const std::string& pool, const std::vector<std::string>& folders,
                                     const PoolIndex& index) {
    std::set<std::string> found;
    for (const auto& folder : folders)
        if (auto name = leftover_name(folder);
            !name.empty() && nobody_works_on(pool, name) && exists(pool::guest(pool, folder)))
            found.insert(name);
    std::set<std::string> reserved_only;
    for (const auto& entry : index.book)
        if (!index.guests.count(entry.name) && nobody_works_on(pool, entry.name) &&
            !exists(pool::guest(pool, entry.name)))
            reserved_only.insert(entry.name);
    if (!reserved_only.empty())
        for (auto book = read_book(pool); const auto& name : reserved_only)
            if (in_book(book, name)) found.insert(name);
    return found;
}

std::map<std::string, GuestFact> read_listed(const std::string& pool, const std::vector<std::string>& names,
                                             bool remember) {
    Fd dir = open_dir(pool::guests(pool));
    IndexCache cache(pool::cache(pool));
    std::map<std::string, GuestFact> guests;
    for (const auto& name : names) {
        if (name[0] == '.') continue;
        auto stamp = IndexCache::stamp(dir.get(), name + "/guest.yaml");
        const GuestFact* known = cache.find(name, stamp);
        GuestFact fact = known ? *known : read_fact(dir.get(), name);
        if (!stamp && !exists_at(dir.get(), name)) continue;  // removed while we looked
        cache.keep(fact, stamp);
        guests.emplace(name, std::move(fact));
    }
    if (remember) cache.store();
    return guests;
}

std::vector<std::string> list_guests(const std::string& pool) {
    return exists(pool::guests(pool)) ? list_dir(pool::guests(pool)) : std::vector<std::string>();
}

}  // namespace

std::map<std::string, GuestFact> read_guests(const std::string& pool, bool remember) {
    auto names = list_guests(pool);
    return names.empty() ? std::map<std::string, GuestFact>() : read_listed(pool, names, remember);
}

PoolIndex read_pool(const std::string& pool, bool remember) {
    PoolIndex index;
    if (!exists(pool)) return index;
    index.book = read_book(pool);
    auto names = list_guests(pool);
    if (!names.empty()) index.guests = read_listed(pool, names, remember);
    index.leftovers = find_leftovers(pool, names, index);
    index.free = free_bytes(pool);
    return index;
}

std::optional<GuestSpec> load_guest(const std::string& pool, const std::string& name) {
    std::string path = pool::guest(pool, name) + "/guest.yaml";
    auto text = read_file(path);
    if (!text) return std::nullopt;
    return read_guest(*text, path);
}

}  // namespace clara

#include "clara/drivers/storage/book.hpp"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/lock.hpp"
#include "clara/drivers/storage/lease.hpp"

namespace clara {
namespace {

using nlohmann::json;

constexpr const char* schema = "clara.book/1";
// A change takes some milliseconds, so this outlasts a queue of thousands.
constexpr std::chrono::seconds lock_wait{30};

BookEntry entry_of(const json& j, const std::string& pool) {
    try {
        auto address = Ipv4::parse(j.at("address").get<std::string>());
        auto mac = Mac::parse(j.at("mac").get<std::string>());
        if (address && mac) return {j.at("name"), j.at("network"), *address, *mac, j.value("kind", "lxc")};
    } catch (const json::exception&) {  // said below, with the entry
    }
    throw Error(ErrorKind::failed, "the address book " + pool + "/book.json has a damaged entry: " + j.dump(),
                "correct it, or restore the book from a backup of the pool");
}

/// The file's own form, with who reserved an entry and when, which only people read.
json load(const std::string& pool) {
    auto text = read_file(pool + "/book.json");
    if (!text) return {{"schema", schema}, {"entries", json::array()}};
    json book = json::parse(*text, nullptr, false);
    if (!book.is_object() || book.value("schema", json()) != schema || !book["entries"].is_array())
        throw Error(ErrorKind::failed, "the address book " + pool + "/book.json is damaged",
                    "restore it from a backup of the pool");
    for (const auto& j : book["entries"]) entry_of(j, pool);  // throws
    return book;
}

std::vector<BookEntry> entries_of(const json& book, const std::string& pool) {
    std::vector<BookEntry> entries;
    for (const auto& j : book["entries"]) entries.push_back(entry_of(j, pool));
    return entries;
}

/// The folder is fsynced when the guest is published: a reservation that a power cut loses had no guest yet.
void store(const std::string& pool, const json& book) {
    Fd dir = open_dir(pool);
    write_file_at(dir.get(), "book.json", book.dump(1) + "\n", 0644, Durable::content);
}

NamedLock lock_book(const std::string& pool, const std::string& what) {
    make_dirs(pool);
    return NamedLock::take(pool + "/book.lock", what, lock_wait);
}

void throw_on_conflict(const std::vector<BookEntry>& book, const ReserveAddress& wanted) {
    if (auto why = conflict(book, wanted); !why.empty()) throw StaleFacts(why);
}

}  // namespace

std::string conflict(const std::vector<BookEntry>& book, const ReserveAddress& wanted) {
    for (const auto& entry : book) {
        if (entry.name == wanted.name) return "the name " + wanted.name + " is taken";
        if (entry.network == wanted.network && entry.address == wanted.address)
            return "address " + wanted.address.str() + " is taken by " + entry.name;
        if (wanted.repeats && entry.network != wanted.network) continue;
        if (entry.mac == wanted.mac) return "MAC " + wanted.mac.str() + " is taken by " + entry.name;
    }
    return {};
}

std::vector<BookEntry> read_book(const std::string& pool) {
    return entries_of(load(pool), pool);
}

void reserve_in_book(const ReserveAddress& wanted) {
    // Most of many rivals lose: they need not queue for the lock to hear it.
    throw_on_conflict(read_book(wanted.pool), wanted);
    auto lock = lock_book(wanted.pool, "reserving an address for " + wanted.name);
    json book = load(wanted.pool);
    throw_on_conflict(entries_of(book, wanted.pool), wanted);
    json entry = {{"name", wanted.name},
                  {"network", wanted.network},
                  {"address", wanted.address.str()},
                  {"mac", wanted.mac.str()},
                  {"host", this_host()},
                  {"pid", ::getpid()},
                  {"since", iso8601(system_clock()())}};
    if (wanted.kind != "lxc") entry["kind"] = wanted.kind;
    book["entries"].push_back(std::move(entry));
    store(wanted.pool, book);
}

void release_in_book(const std::string& pool, const std::string& name) {
    auto lock = lock_book(pool, "releasing the address of " + name);
    json book = load(pool);
    auto& entries = book["entries"];
    auto end = std::remove_if(entries.begin(), entries.end(),
                              [&](const json& e) { return e.value("name", json()) == name; });
    if (end == entries.end()) return;
    entries.erase(end, entries.end());
    store(pool, book);
}

}  // namespace clara

// Reading a pool: the cache may be right, stale, damaged or absent, the answer is the same.
#include <fcntl.h>
#include <sys/stat.h>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/storage/book.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "storage_steps.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

std::string cache_file(const TempDir& pool) {
    return pool / "cache/index.json";
}

/// Writes guest.yaml with a modification time long ago: the cache does not trust young files.
void write_old(const TempDir& pool, const std::string& name, const std::string& text, time_t age_s = 1000) {
    std::string folder = pool::guest(pool.path(), name);
    make_dirs(folder);
    write_file(folder + "/guest.yaml", text);
    timespec old[2] = {{::time(nullptr) - age_s, 0}, {::time(nullptr) - age_s, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (folder + "/guest.yaml").c_str(), old, 0) == 0);
}

void add_guest(const TempDir& pool, const std::string& name, unsigned number) {
    write_old(pool, name, write_guest(Steps(pool.path(), name, number).spec()));
}

}  // namespace

TEST_CASE("index: an absent pool is empty") {
    PoolIndex index = read_pool("/no/such/pool");
    CHECK(index.guests.empty());
    CHECK(index.leftovers.empty());
}

TEST_CASE("index: guests come back with what their specs say") {
    TempDir pool;
    GuestSpec spec = Steps(pool.path(), "bpm01", 11).spec();
    spec.tags = {"injection", "night"};
    write_old(pool, "bpm01", write_guest(spec));
    for (int round = 0; round < 2; ++round) {  // without and with the cache
        auto guests = read_guests(pool.path());
        REQUIRE(guests.size() == 1);
        CHECK(guests["bpm01"].problem.empty());
        CHECK(guests["bpm01"].address.str() == "10.87.0.11");
        CHECK(guests["bpm01"].mac == Mac{0x02c1a700000b});
        CHECK(guests["bpm01"].network == "controls");
        CHECK(guests["bpm01"].image == "minimal@0123456789ab");
        CHECK(guests["bpm01"].tags == spec.tags);
        CHECK(exists(cache_file(pool)));
    }
    CHECK(load_guest(pool.path(), "bpm01")->nic.subnet.str() == "10.87.0.11/24");
    CHECK_FALSE(load_guest(pool.path(), "bpm02"));
}

TEST_CASE("index: the cache is used, and only for the file it was made from") {
    TempDir pool;
    add_guest(pool, "bpm01", 11);
    read_guests(pool.path());
    // What only the cache says shows that it is read.
    std::string text = read_file(cache_file(pool)).value();
    text.replace(text.find("controls"), 8, "CONTROLS");
    write_file(cache_file(pool), text);
    CHECK(read_guests(pool.path())["bpm01"].network == "CONTROLS");

    write_old(pool, "bpm01", write_guest(Steps(pool.path(), "bpm01", 12).spec()), 500);
    CHECK(read_guests(pool.path())["bpm01"].address.str() == "10.87.0.12");
    CHECK(read_guests(pool.path())["bpm01"].network == "controls");
}

TEST_CASE("index: a file that has just been written is not trusted to keep its stamp") {
    TempDir pool;
    add_guest(pool, "old", 11);
    make_dirs(pool::guest(pool.path(), "young"));
    write_file(pool::guest(pool.path(), "young") + "/guest.yaml",
               write_guest(Steps(pool.path(), "young", 12).spec()));
    CHECK(read_guests(pool.path()).size() == 2);
    std::string cached = read_file(cache_file(pool)).value();
    CHECK(cached.find("\"old\"") != std::string::npos);
    CHECK(cached.find("\"young\"") == std::string::npos);
}

TEST_CASE("index: a damaged cache only costs time") {
    TempDir pool;
    add_guest(pool, "bpm01", 11);
    read_guests(pool.path());
    for (const char* junk :
         {"", "junk", "{}", "[]", "{\"schema\":\"clara.index/2\",\"guests\":[[1,2,\"x\"]]}",
          "{\"schema\":\"clara.index/2\",\"guests\":7}", "{\"schema\":\"clara.index/99\"}"}) {
        INFO(junk);
        write_file(cache_file(pool), junk);
        CHECK(read_guests(pool.path())["bpm01"].address.str() == "10.87.0.11");
        CHECK(read_file(cache_file(pool)) != junk);  // mended
    }
    ::unlink(cache_file(pool).c_str());
    ::rmdir((pool / "cache").c_str());
    write_file(pool / "cache", "a file where the folder should be");
    CHECK(read_guests(pool.path())["bpm01"].address.str() == "10.87.0.11");
}

TEST_CASE("index: one broken guest does not hide the others") {
    TempDir pool;
    add_guest(pool, "bpm01", 11);
    add_guest(pool, "copied", 12);
    write_old(pool, "copied", write_guest(Steps(pool.path(), "bpm01", 11).spec()));
    write_old(pool, "broken", "{ [");
    make_dirs(pool::guest(pool.path(), "empty"));
    for (int round = 0; round < 2; ++round) {
        auto guests = read_guests(pool.path());
        REQUIRE(guests.size() == 4);
        CHECK(guests["bpm01"].problem.empty());
        CHECK(guests["broken"].problem.find("guest.yaml") != std::string::npos);
        CHECK(guests["empty"].problem == "guest.yaml is missing");
        CHECK(guests["copied"].problem == "guest.yaml is that of bpm01");
        CHECK(guests["copied"].name == "copied");
    }
}

TEST_CASE("index: a damaged address book is an error, not an empty book") {
    TempDir pool;
    for (const char* junk : {"", "junk", "[]", "{}", "{\"schema\":\"clara.book/1\"}",
                             "{\"schema\":\"clara.book/1\",\"entries\":[{\"name\":\"a\"}]}",
                             "{\"schema\":\"clara.book/1\",\"entries\":[5]}"}) {
        INFO(junk);
        write_file(pool / "book.json", junk);
        CHECK_THROWS_WITH(read_pool(pool.path()), Catch::Contains("damaged"));
        CHECK_THROWS_AS(reserve_in_book(Steps(pool.path(), "bpm01", 11).reservation()), Error);
        CHECK_THROWS_AS(release_in_book(pool.path(), "a"), Error);
        CHECK(read_file(pool / "book.json") == junk);
    }
}

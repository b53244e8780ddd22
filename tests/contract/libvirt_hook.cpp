// What libvirtd runs before a start and after an end, without libvirtd.
#include <unistd.h>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/libvirt/hook.hpp"
#include "clara/drivers/storage/lease.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

struct Pool {
    TempDir dir;
    std::string guest = dir / "guests/bpm01";
    Pool() {
        make_dirs(guest);
        write_file(guest + "/guest.yaml", "name: bpm01\n");
    }
    std::string xml(const std::string& marked = "bpm01") const {
        return "<domain><name>bpm01</name><metadata><c:guest xmlns:c='https://clara.control/guest/1' name='" +
               marked + "' pool='" + dir.path() + "'/></metadata></domain>";
    }
    void call(const std::string& operation, const std::string& phase, const std::string& text) const {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        const Fd read(ends[0]);
        {
            const Fd write(ends[1]);
            write_all(write.get(), text);
        }
        libvirt_hook({"bpm01", operation, phase}, read.get());
    }
    std::optional<Lease> lease() const { return read_lease(open_dir(guest).get()); }
    void lease_of(const std::string& host) const {
        Lease other = new_lease(1, system_clock(), system_random());
        other.host = host;
        write_lease(open_dir(guest).get(), other);
    }
};

}  // namespace

TEST_CASE("a lease is taken before the start and given back after the end", "[hook]") {
    Pool pool;
    pool.call("prepare", "begin", pool.xml());
    REQUIRE(pool.lease());
    CHECK(pool.lease()->host == this_host());
    CHECK(pool.lease()->boot_id == this_boot());
    for (const char* between : {"start", "started", "stopped"}) pool.call(between, "begin", pool.xml());
    CHECK(pool.lease());
    pool.call("release", "end", pool.xml());
    CHECK_FALSE(pool.lease());
}

TEST_CASE("a machine whose disks are only half taken back is not started", "[hook]") {
    Pool pool;
    write_file(pool.guest + "/unfinished-rollback", "before-rollback");
    try {
        pool.call("prepare", "begin", pool.xml());
        FAIL("let through");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::refused);
        CHECK(e.hint() == "clara-snapshot rollback bpm01 before-rollback");
    }
    CHECK_FALSE(pool.lease());
}

TEST_CASE("another host's lease stands against the start, and is not given back by us", "[hook]") {
    Pool pool;
    pool.lease_of("elsewhere");
    try {
        pool.call("prepare", "begin", pool.xml());
        FAIL("it may start");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::busy);
        CHECK_THAT(e.what(), Contains("bpm01 belongs to host elsewhere"));
        CHECK_THAT(e.hint(), Contains(pool.guest));
    }
    pool.call("release", "end", pool.xml());
    REQUIRE(pool.lease());
    CHECK(pool.lease()->host == "elsewhere");
}

TEST_CASE("one of this host is void: nobody but libvirtd starts it here", "[hook]") {
    Pool pool;
    pool.lease_of(this_host());
    const std::string before = pool.lease()->run_id;
    pool.call("prepare", "begin", pool.xml());
    CHECK(pool.lease()->run_id != before);
}

TEST_CASE("a libvirtd that comes back writes the lease where it is missing", "[hook]") {
    Pool pool;
    pool.call("reconnect", "begin", pool.xml());
    REQUIRE(pool.lease());
    const std::string first = pool.lease()->run_id;
    pool.call("reconnect", "begin", pool.xml());
    CHECK(pool.lease()->run_id == first);
}

TEST_CASE("domains of others pass, even with the mark of another guest", "[hook]") {
    Pool pool;
    pool.lease_of("elsewhere");
    CHECK_NOTHROW(pool.call("prepare", "begin", "<domain><name>bpm01</name></domain>"));
    CHECK_NOTHROW(pool.call("prepare", "begin", pool.xml("other")));
    CHECK(pool.lease()->host == "elsewhere");
}

TEST_CASE("a pool that does not show the guest stands against the start", "[hook]") {
    Pool pool;
    REQUIRE(::unlink((pool.guest + "/guest.yaml").c_str()) == 0);
    CHECK_THROWS_WITH(pool.call("prepare", "begin", pool.xml()), Contains("there is no guest bpm01"));
    CHECK_FALSE(pool.lease());
}

TEST_CASE("what is no XML of a domain is refused", "[hook]") {
    Pool pool;
    CHECK_THROWS_WITH(pool.call("prepare", "begin", "<domain>"), Contains("cannot be read"));
    CHECK_NOTHROW(pool.call("migrate", "begin", "<domain>"));  // not ours to look at
}

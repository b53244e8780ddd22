#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/allocate.hpp"

using namespace clara;

namespace {

Network controls() {
    Network n;
    n.name = "controls";
    n.bridge = "clarabr0";
    n.subnet = *Subnet::parse("10.87.0.1/24");
    n.first = *Ipv4::parse("10.87.0.11");
    n.last = *Ipv4::parse("10.87.0.14");
    return n;
}

ErrorKind kind_of(Allocator& allocator, const std::string& wanted) {
    try {
        allocator.address(controls(), wanted);
    } catch (const Error& e) {
        return e.kind();
    }
    FAIL("no error for " << wanted);
    return ErrorKind::failed;
}

}  // namespace

TEST_CASE("auto takes the lowest address that nobody has") {
    Facts facts;
    facts.book.push_back({"a", "controls", *Ipv4::parse("10.87.0.11"), {}});
    facts.on_wire[*Ipv4::parse("10.87.0.12")] = *Mac::parse("02:00:00:00:00:01");
    facts.guests["c"].address = *Ipv4::parse("10.87.0.14");
    Allocator allocator(facts);
    CHECK(allocator.address(controls(), "auto").str() == "10.87.0.13");
    CHECK(kind_of(allocator, "auto") == ErrorKind::refused);  // the range is used up
}

TEST_CASE("one that lost a race passes over free addresses, but never over the last") {
    CHECK(Allocator({}, 2).address(controls(), "auto").str() == "10.87.0.13");
    CHECK(Allocator({}, 50).address(controls(), "auto").str() == "10.87.0.14");
}

TEST_CASE("an address asked for is checked against network, book, wire and batch") {
    Facts facts;
    facts.book.push_back({"a", "controls", *Ipv4::parse("10.87.0.11"), {}});
    facts.on_wire[*Ipv4::parse("10.87.0.12")] = *Mac::parse("02:00:00:00:00:01");
    Allocator allocator(facts);
    CHECK(allocator.address(controls(), "10.87.0.200").str() ==
          "10.87.0.200");                                            // outside the range, inside the network
    CHECK(kind_of(allocator, "10.87.0.200") == ErrorKind::refused);  // twice in one batch
    CHECK(kind_of(allocator, "10.87.0.11") == ErrorKind::refused);
    CHECK(kind_of(allocator, "10.87.0.12") == ErrorKind::refused);
    CHECK(kind_of(allocator, "10.87.0.1") == ErrorKind::refused);  // the host's own
    CHECK(kind_of(allocator, "10.87.1.5") == ErrorKind::usage);
    CHECK(kind_of(allocator, "10.87.0.255") == ErrorKind::usage);
    CHECK(kind_of(allocator, "10.87.0.0") == ErrorKind::usage);
    CHECK(kind_of(allocator, "10.87.0") == ErrorKind::usage);
}

TEST_CASE("a MAC is locally administered and new") {
    Facts facts;
    facts.book.push_back({"a", "controls", {}, *Mac::parse("02:c1:a7:00:00:05")});
    Allocator allocator(facts);
    std::uint64_t next = 5;
    Random random = [&next] { return next++; };
    Mac mac = allocator.mac(random);
    CHECK(mac.str() == "02:c1:a7:00:00:06");
    CHECK(mac.locally_administered_unicast());
}

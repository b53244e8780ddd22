// Digests of the clusters of a disk.
#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/points/sums.hpp"

using namespace clara;
using namespace clara::points;
using Catch::Matchers::Contains;

namespace {

Sum sum(std::uint64_t cluster, const std::string& content) {
    return {cluster, digest_of(content)};
}
Sum zeros(std::uint64_t cluster) {
    return {cluster, zero_digest};
}

}  // namespace

TEST_CASE("sums: digests are those of everybody") {
    CHECK(hex(digest_of("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex(digest_of("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("sums: what is written is read again") {
    for (const Sums& sums : {Sums{}, Sums{sum(0, "a")}, Sums{sum(1, "a"), zeros(2), sum(1ULL << 40, "b")}}) {
        const std::string text = write_sums(sums);
        CHECK(text.size() == 24 + sums.size() * 40);
        CHECK(read_sums(text, "disk.sums") == sums);
    }
}

TEST_CASE("sums: what cannot be is refused, and named") {
    const std::string good = write_sums({sum(3, "a"), sum(5, "b")});
    for (std::size_t length = 0; length < good.size(); ++length)
        CHECK_THROWS_WITH(read_sums(good.substr(0, length), "disk.sums"), Contains("disk.sums is damaged"));
    CHECK_THROWS_AS(read_sums(good + "x", "disk.sums"), Error);
    for (std::size_t at = 0; at < 24; ++at) {
        std::string bad = good;
        bad[at] ^= 1;
        INFO(at);
        CHECK_THROWS_AS(read_sums(bad, "disk.sums"), Error);
    }
    std::string many = good;
    for (std::size_t at = 16; at < 24; ++at) many[at] = '\xff';
    CHECK_THROWS_AS(read_sums(many, "disk.sums"), Error);
    CHECK_THROWS_AS(read_sums(write_sums({sum(5, "a"), sum(5, "b")}), "disk.sums"), Error);
    CHECK_THROWS_AS(read_sums(write_sums({sum(5, "a"), sum(4, "b")}), "disk.sums"), Error);
}

TEST_CASE("sums: the newer one wins, zeros too") {
    const Sums older{sum(1, "a"), sum(3, "b"), sum(5, "c")},
        newer{sum(0, "d"), sum(3, "e"), zeros(5), sum(9, "f")};
    CHECK(merged(older, newer) == Sums{sum(0, "d"), sum(1, "a"), sum(3, "e"), zeros(5), sum(9, "f")});
    CHECK(merged({}, newer) == newer);
    CHECK(merged(older, {}) == older);
    REQUIRE(find(older, 3));
    CHECK(*find(older, 3) == digest_of("b"));
    CHECK_FALSE(find(older, 4));
    CHECK_FALSE(find({}, 0));
}

TEST_CASE("sums: the content is the same whether zeros are written down or not, and nothing else is") {
    const std::string content = content_of({sum(1, "a"), sum(3, "b")});
    CHECK(content_of({zeros(0), sum(1, "a"), zeros(2), sum(3, "b"), zeros(7)}) == content);
    CHECK(content_of({sum(1, "a"), sum(4, "b")}) != content);
    CHECK(content_of({sum(1, "a"), sum(3, "c")}) != content);
    CHECK(content_of({sum(1, "a")}) != content);
    CHECK(content_of({}) == hex(digest_of("")));
}

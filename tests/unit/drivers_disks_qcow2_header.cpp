#include <random>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/disks/qcow2_header.hpp"

using namespace clara;

namespace {

/// A header as qemu-img writes it (QEMU docs/interop/qcow2.txt), its parts to be spoilt.
struct Head {
    std::string text = std::string(65536, '\0');

    Head() {
        text.replace(0, 4, "QFI\xfb");
        put(4, 3, 4), put(20, 16, 4), put(24, 1 << 30, 8), put(100, 112, 4);
        extension(112, 0xe2792aca, "qcow2");
        backing(256, "../../images/minimal@0123456789ab/disk.qcow2");
    }
    void put(std::size_t at, std::uint64_t value, std::size_t width) {
        for (; width-- > 0; ++at) text[at] = static_cast<char>(value >> (8 * width));
    }
    void backing(std::uint64_t at, const std::string& name) {
        put(8, at, 8), put(16, name.size(), 4);
        if (at + name.size() <= text.size()) text.replace(at, name.size(), name);
    }
    void extension(std::size_t at, std::uint32_t type, const std::string& data) {
        put(at, type, 4), put(at + 4, data.size(), 4);
        text.replace(at + 8, data.size(), data);
    }
    std::string refused() const {
        try {
            parse_qcow2_header(text);
            return "taken";
        } catch (const Error& e) {
            CHECK(e.kind() == ErrorKind::refused);
            return e.message();
        }
    }
};

}  // namespace

TEST_CASE("a linked disk's header says what it stands on") {
    Qcow2Header header = parse_qcow2_header(Head().text);
    CHECK(header.version == 3);
    CHECK(header.size == 1 << 30);
    CHECK(header.backing == "../../images/minimal@0123456789ab/disk.qcow2");
    CHECK(header.backing_format == "qcow2");
    CHECK_FALSE(header.external_data);
    CHECK_FALSE(header.encrypted);
}

TEST_CASE("flags of a qcow2 header are seen") {
    Head head;
    head.put(72, 1 | 2 | 4, 8);
    head.put(32, 2, 4);
    Qcow2Header header = parse_qcow2_header(head.text);
    CHECK(header.dirty);
    CHECK(header.corrupt);
    CHECK(header.external_data);
    CHECK(header.encrypted);
}

TEST_CASE("a header of version 2 has its extensions at once") {
    Head head;
    head.text.replace(72, 80, std::string(80, '\0'));
    head.put(4, 2, 4);
    head.extension(72, 0xe2792aca, "raw");
    head.backing(256, "base.raw");
    Qcow2Header header = parse_qcow2_header(head.text);
    CHECK(header.backing == "base.raw");
    CHECK(header.backing_format == "raw");
}

TEST_CASE("a header that contradicts itself is refused") {
    const std::string sound = "not a sound qcow2 file: ";
    auto spoilt = [](auto spoil) {
        Head head;
        spoil(head);
        return head.refused();
    };
    CHECK(spoilt([](Head& h) { h.text[0] = 'q'; }) == sound + "it does not begin as one");
    CHECK(spoilt([](Head& h) { h.put(4, 4, 4); }) == sound + "version 4");
    CHECK(spoilt([](Head& h) { h.put(20, 8, 4); }) == sound + "clusters of 2^8 bytes");
    CHECK(spoilt([](Head& h) { h.put(20, 64, 4); }) == sound + "clusters of 2^64 bytes");
    CHECK(spoilt([](Head& h) { h.put(24, ~0ULL, 8); }) == sound + "a size of 18446744073709551615 bytes");
    CHECK(spoilt([](Head& h) { h.put(16, 1024, 4); }) == sound + "a backing file's name of 1024 bytes");
    CHECK(spoilt([](Head& h) { h.put(16, 0, 4); }) == sound + "a backing file's name of 0 bytes");
    CHECK(spoilt([](Head& h) { h.put(8, 100, 8); }) ==
          sound + "the backing file's name lies outside the header");
    CHECK(spoilt([](Head& h) { h.put(8, 1ULL << 63, 8); }) ==
          sound + "the backing file's name lies outside the header");
    CHECK(spoilt([](Head& h) { h.put(8, 65530, 8); }) ==
          sound + "it ends or goes on past its first 65536 bytes");
    CHECK(spoilt([](Head& h) { h.backing(256, std::string("a\0b", 3)); }) ==
          sound + "the backing file's name holds a zero byte");
    CHECK(spoilt([](Head& h) { h.put(100, 96, 4); }) == sound + "a header of 96 bytes");
    CHECK(spoilt([](Head& h) { h.put(100, 0xfffffff8, 4); }) ==
          sound + "the backing file's name lies outside the header");
    CHECK(spoilt([](Head& h) { h.put(116, 0xffffffff, 4); }) ==
          sound + "a header extension is longer than the header");
    CHECK(spoilt([](Head& h) { h.put(72, 32, 8); }) ==
          sound + "it needs features that are not known here (0x20)");
    CHECK(spoilt([](Head& h) { h.text.resize(80); }) == sound + "it ends or goes on past its first 80 bytes");
    CHECK(spoilt([](Head& h) { h.text.resize(4); }) == sound + "it ends or goes on past its first 4 bytes");
    CHECK(spoilt([](Head& h) { h.text.clear(); }) == sound + "it does not begin as one");
}

TEST_CASE("whatever a header holds, it is taken or refused") {
    std::mt19937 random(20);  // the same each time
    auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    int taken = 0, refused = 0;
    for (int round = 0; round < 20000; ++round) {
        Head head;
        for (std::size_t bytes = 1 + below(4); bytes > 0; --bytes)
            head.text[4 + below(180)] = static_cast<char>(below(4) ? below(256) : 255);
        if (below(4) == 0) head.text.resize(below(512));
        try {
            Qcow2Header header = parse_qcow2_header(head.text);
            REQUIRE(header.backing.size() <= 1023);
            REQUIRE(header.backing_format.size() <= head.text.size());
            ++taken;
        } catch (const Error& e) {
            REQUIRE(e.kind() == ErrorKind::refused);
            ++refused;
        }
    }
    CHECK(taken > 1000);
    CHECK(refused > 1000);
}

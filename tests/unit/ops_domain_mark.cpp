#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/ops/domain_mark.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

std::string domain(const std::string& inside) {
    return "<domain type='qemu'><name>bpm01</name>" + inside + "</domain>";
}
const std::string ours =
    "<metadata><x:y xmlns:x='urn:x' name='other'/>"
    "<c:guest xmlns:c='https://clara.control/guest/1' name='bpm01' pool='/var/lib/clara'/></metadata>";

}  // namespace

TEST_CASE("our mark is found beside others, whatever its prefix is called") {
    auto identity = read_domain_identity(domain("<uuid>7f5d5a0e-0000-4000-8000-000000000001</uuid>" + ours));
    CHECK(identity.name == "bpm01");
    CHECK(identity.uuid == "7f5d5a0e-0000-4000-8000-000000000001");
    REQUIRE(identity.mark);
    CHECK(identity.mark->name == "bpm01");
    CHECK(identity.mark->pool == "/var/lib/clara");
    CHECK(why_foreign_domain(identity, "/var/lib/clara").empty());
    CHECK(why_foreign_domain(identity, "/srv/pool") == "is a guest of another pool");
}

TEST_CASE("a domain without our mark, or with that of another guest, is a stranger") {
    for (const std::string inside :
         {"", "<metadata/>", "<metadata><guest name='bpm01' pool='/var/lib/clara'/></metadata>",
          "<metadata><c:guest xmlns:c='https://clara.control/guest/2' name='bpm01' pool='/p'/></metadata>",
          "<devices><metadata><c:guest xmlns:c='https://clara.control/guest/1' "
          "name='bpm01'/></metadata></devices>"})
        CHECK(why_foreign_domain(read_domain_identity(domain(inside)), "/var/lib/clara") ==
              "is a domain that clara did not make");
    auto copy = read_domain_identity("<domain><name>bpm01-clone</name>" + ours + "</domain>");
    CHECK(why_foreign_domain(copy, "/var/lib/clara") == "is a domain that clara did not make");
}

TEST_CASE("XML that is none is refused, with the line") {
    CHECK_THROWS_WITH(read_domain_identity("<domain>\n<name>a</nmae>\n</domain>"), Contains("line 2"));
    CHECK_THROWS_WITH(read_domain_identity(""), Contains("cannot be read"));
    CHECK_THROWS_WITH(read_domain_identity("<network><name>a</name></network>"),
                      Contains("not that of a domain"));
    CHECK_THROWS_WITH(read_domain_identity("<domain/>"), Contains("no name"));
}

TEST_CASE("files of the host do not come in through entities") {
    const std::string text =
        "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><domain><name>a&e;</name></domain>";
    CHECK(read_domain_identity(text).name == "a");
}

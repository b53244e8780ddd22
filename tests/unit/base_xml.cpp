#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/xml.hpp"

using namespace clara;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string failure(const std::string& text) {
    try {
        XmlDocument::parse(text, "a.xml");
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::usage);
        return e.message();
    }
    return "no error";
}

const char* const odd =
    "<!-- kept -->\n<domain a=\"1\">\n\t<!-- this too -->\n  <q:thing xmlns:q=\"urn:q\" "
    "q:x=\"&lt;&amp;\">a<![CDATA[<b>]]>"
    "</q:thing>\n\n     <empty/>\n  <name>old</name>\n</domain>\n";

}  // namespace

TEST_CASE("a document that is not changed is written as it was read") {
    CHECK(XmlDocument::parse(odd, "a.xml").text() == odd);
    const std::string declared = std::string("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") + odd;
    CHECK(XmlDocument::parse(declared, "a.xml").text() == declared);
}

TEST_CASE("only what is changed looks different") {
    auto document = XmlDocument::parse(odd, "a.xml");
    auto name = document.root().find("name");
    name.set_text("<new> & \"better\"").set("id", "a'b\"c<&");
    name.add_after("uuid", "1").add("part");
    name.add_after("box").add("inner").add("more");
    document.root().find("thing").set("y", "2");
    document.root().find("empty").remove();
    std::string expected = odd;
    auto change = [&](const std::string& from, const std::string& to) {
        expected.replace(expected.find(from), from.size(), to);
    };
    change("\n\n     <empty/>", "");
    change("q:x=\"&lt;&amp;\">", "q:x=\"&lt;&amp;\" y=\"2\">");
    change("<name>old</name>",
           "<name id=\"a'b&quot;c&lt;&amp;\">&lt;new&gt; &amp; \"better\"</name>\n  "
           "<box>\n    <inner>\n      <more/>\n    </inner>\n  </box>\n  <uuid>1<part/></uuid>");
    CHECK(document.text() == expected);
}

TEST_CASE("elements are found by their path, whatever their prefix") {
    auto document = XmlDocument::parse(
        "<domain><a><b n='1'/></a><a><b n='2'/><c/></a><x:m xmlns:x='urn:m'><n>t</n>u</x:m></domain>",
        "a.xml");
    auto root = document.root();
    CHECK(root.find("a/b").get("n") == "1");
    CHECK_FALSE(root.find("a/c"));
    CHECK(root.all("a").size() == 2);
    CHECK(root.all().size() == 3);
    CHECK(root.find("m").uri() == "urn:m");
    CHECK(root.find("m").text() == "tu");
    CHECK(root.all("a")[1].find("b").path() == "/domain/a[2]/b");
    CHECK(root.find("a/b").has("n"));
    CHECK_FALSE(root.find("a/b").has("m"));
    CHECK(root.find("a/b").get("m").empty());
    CHECK(XmlElement().all().empty());
}

TEST_CASE("a document of our own is indented") {
    auto document = XmlDocument::make("domain");
    document.root().add("name", "x");
    document.root().add("guest").in_space("clara", "urn:c").set("pool", "/p");
    CHECK(document.indented_text() ==
          "<domain>\n  <name>x</name>\n  <clara:guest xmlns:clara=\"urn:c\" pool=\"/p\"/>\n</domain>\n");
}

TEST_CASE("what cannot be parsed is told with its place") {
    CHECK_THAT(failure("<a>\n  <b>\n</a>"), StartsWith("a.xml:3:5: ") && Contains("mismatch"));
    CHECK_THAT(failure(""), StartsWith("a.xml:"));
    CHECK_THAT(failure("text"), StartsWith("a.xml:1:1: "));
    CHECK_THAT(failure("<a>\xff\xfe</a>"), StartsWith("a.xml:1:"));
    CHECK_THAT(failure("<a b='1' b='2'/>"), Contains("redefined"));
    CHECK_THAT(failure("<a><x:b/></a><c/>"), StartsWith("a.xml:1:"));
    CHECK_THAT(failure(std::string(5 << 20, ' ')), Contains("larger than"));
    std::string deep;
    for (int i = 0; i < 5000; ++i) deep += "<a>";
    CHECK_THAT(failure(deep), Contains("depth"));
}

TEST_CASE("a document type is refused before anything in it is looked at") {
    CHECK_THAT(
        failure("<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n<a>&x;</a>"),
        Contains("a.xml:2:") && Contains("document type"));
    CHECK_THAT(failure("<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'><a/>"), Contains("document type"));
    std::string laughs = "<!DOCTYPE a [<!ENTITY l0 'ha'>";
    for (int i = 1; i < 30; ++i) {
        std::string all;
        for (int j = 0; j < 10; ++j) all += "&l" + std::to_string(i - 1) + ";";
        laughs += "<!ENTITY l" + std::to_string(i) + " '" + all + "'>";
    }
    CHECK_THAT(failure(laughs + "]><a b='&l29;'>&l29;</a>"), Contains("document type"));
    CHECK_THAT(failure("<a>&x;</a>"), Contains("Entity 'x' not defined"));
}

TEST_CASE("values that XML cannot hold are refused") {
    auto document = XmlDocument::make("a");
    CHECK_THROWS_AS(document.root().set("x", "a\x01"), Error);
    CHECK_THROWS_AS(document.root().set_text("\xff"), Error);
    CHECK_THROWS_AS(document.root().add("b", std::string("\x1b[31m")), Error);
    CHECK(document.indented_text() == "<a/>\n");
}

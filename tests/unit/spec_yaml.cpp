#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/yaml.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;

namespace {

Yaml load(const std::string& text) {
    Problems problems;
    Yaml tree = load_yaml(text, {"t.yaml", "/"}, problems);
    problems.check();
    return tree;
}

std::string failure(const std::string& text) {
    try {
        load(text);
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::usage);
        return e.message();
    }
    return "no error";
}

}  // namespace

TEST_CASE("a tree knows its values and their places") {
    Yaml tree = load("a: 1\nb:\n  - x\n  - {c: d}\ne:\n");
    REQUIRE(tree.find("b"));
    CHECK(tree.find("b")->items[1].find("c")->text == "d");
    CHECK(tree.find("b")->items[1].find("c")->place.str() == "t.yaml:4:9");
    CHECK(tree.find("e") == nullptr);
    CHECK(load("").null());
}

TEST_CASE("what a tree is written as reads back as the same tree") {
    const std::string nasty[] = {"",       "~",     "null",  "true", "- x", "a: b", "#x",   " lead", "trail ",
                                 "a\nb\n", "\ttab", "\"q\"", "'q'",  "é",   "%x",   "{",    "*a",    "a\\b",
                                 "...",    "---",   "@@",    "0x1",  "|",   ">",    "a #b", "x:",    "-"};
    Yaml tree;
    for (const auto& text : nasty) {
        Yaml list;
        list.kind = Yaml::Kind::list;
        list.items = {Yaml::scalar(text), Yaml::scalar(text + text)};
        tree.at_key("k" + text) = list;
    }
    CHECK(load(emit_yaml(tree)) == tree);
}

TEST_CASE("broken YAML is told with line and column") {
    CHECK_THAT(failure("a: [1\nb: 2\n"), Contains("t.yaml:"));
    CHECK_THAT(failure("a: b: c\n"), Contains("t.yaml:1:"));
    CHECK_THAT(failure("a: *nothing\n"), Contains("t.yaml:1:"));
    CHECK_THAT(failure("? [a, b]\n: c\n"), Contains("a key must be a word"));
    CHECK_THAT(failure("a: 1\n---\nb: 2\n"), Contains("a second document"));
    CHECK_THAT(failure("a: \"x\\0y\"\n"), Contains("NUL"));
}

TEST_CASE("all duplicate keys are told") {
    auto message = failure("a: 1\nb: 2\na: 3\nb: 4\n");
    CHECK_THAT(message, Contains("t.yaml:3:1: key 'a' is there already, in line 1"));
    CHECK_THAT(message, Contains("t.yaml:4:1: key 'b' is there already, in line 2"));
}

TEST_CASE("aliases work") {
    Yaml tree = load("a: &x {k: v}\nb: *x\nc: [*x, *x]\n");
    CHECK(*tree.find("b") == *tree.find("a"));
    CHECK(tree.find("c")->items[1].find("k")->text == "v");
}

TEST_CASE("alias bombs are refused") {
    std::string lists = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 30; ++i) {
        std::string before = "*a" + std::to_string(i - 1);
        lists += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int k = 0; k < 9; ++k) lists += before + ",";
        lists += "]\n";
    }
    CHECK_THAT(failure(lists), Contains("aliases expand to too much"));

    std::string text = "a: &a " + std::string(500000, 'x') + "\nb: [*a";
    for (int i = 0; i < 1000; ++i) text += ", *a";
    CHECK_THAT(failure(text + "]\n"), Contains("aliases expand to too much"));

    CHECK_THAT(failure("a: &a [*a]\n"), Contains("may not refer to what contains it"));
}

TEST_CASE("nesting is bounded") {
    CHECK_THAT(failure(std::string(100000, '[')), Contains("nested deeper than 64 levels"));
    CHECK_THAT(failure(std::string(70, '[') + std::string(70, ']')), Contains("nested deeper"));
    CHECK(load(std::string(60, '[') + std::string(60, ']')).kind == Yaml::Kind::list);
}

TEST_CASE("binary junk is refused") {
    CHECK_THAT(failure(std::string("a: b\0c\n", 7)), Contains("t.yaml:1:5: not a text file: byte 0x00"));
    for (const char* bad : {"a\n\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
        CHECK_THAT(failure(bad), Contains("not a text file"));
    CHECK(load("a: \"\xf0\x9f\x98\x80\"\n").find("a"));
}

TEST_CASE("files are looked at before they are read") {
    TempDir dir;
    Problems problems;
    CHECK_THROWS_WITH(load_yaml_file(dir / "none.yaml", problems), Contains("No such file"));
    CHECK_THROWS_WITH(load_yaml_file(dir.path(), problems), Contains("not a regular file"));
    CHECK_THROWS_WITH(load_yaml_file("/dev/zero", problems), Contains("not a regular file"));
    std::ofstream(dir / "big.yaml") << "a: 1\n";
    std::filesystem::resize_file(dir / "big.yaml", 100 << 20);
    CHECK_THROWS_WITH(load_yaml_file(dir / "big.yaml", problems), Contains("big.yaml: larger than 1 MiB"));
    std::ofstream(dir / "good.yaml") << "a: 1\n";
    Yaml good = load_yaml_file(dir / "good.yaml", problems);
    CHECK(good.find("a")->place.source->folder == dir.path());
}

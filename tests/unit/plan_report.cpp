#include "catch.hpp"
#include "clara/plan/report.hpp"

using namespace clara;

namespace {
Outcome good(const std::string& name) {
    Outcome o{name};
    o.ok = true;
    return o;
}
Outcome bad(const std::string& name, ErrorKind kind) {
    Outcome o{name};
    o.kind = kind;
    return o;
}
}  // namespace

TEST_CASE("exit code of a report") {
    CHECK(Report{"start", {}}.exit_code() == 0);
    CHECK(Report{"start", {good("a")}}.exit_code() == 0);
    CHECK(Report{"start", {bad("a", ErrorKind::refused)}}.exit_code() == 4);
    CHECK(Report{"start", {good("a"), bad("b", ErrorKind::refused)}}.exit_code() == 3);
    CHECK(Report{"start", {bad("a", ErrorKind::undo_incomplete), bad("b", ErrorKind::failed)}}.exit_code() ==
          6);
    CHECK(Report{"start", {good("a"), bad("b", ErrorKind::interrupted)}}.exit_code() == 130);
}

TEST_CASE("summary of a report") {
    CHECK(Report{"start", {good("a")}}.summary().empty());
    CHECK(Report{"start", {good("a"), bad("b", ErrorKind::failed), good("c")}}.summary() ==
          "failed for 1 of 3");
}

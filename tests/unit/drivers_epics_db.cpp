#include <algorithm>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/epics/db.hpp"
#include "clara/drivers/epics/macros.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Macros = std::map<std::string, std::string>;
using Names = std::vector<std::string>;

namespace {

Names names_in(const std::string& text, const Macros& macros = {}) {
    TempDir dir;
    write_file(dir / "a.db", text);
    return db_names(dir / "a.db", macros).pvs;
}

}  // namespace

TEST_CASE("macros") {
    Macros m = {{"P", "BPM01"}, {"Q", "$(P):Q"}, {"N", "P"}, {"E", ""}};
    CHECK(expand_macros("no macros here", m) == "no macros here");
    CHECK(expand_macros("$(P):X ${P}:Y", m) == "BPM01:X BPM01:Y");
    CHECK(expand_macros("$(Q)", m) == "BPM01:Q");
    CHECK(expand_macros("$($(N))", m) == "BPM01");
    CHECK(expand_macros("$(X=def)$(X=)|$(E=def)", m) == "def|");
    CHECK(expand_macros("$(X=$(Y=$(P)))", m) == "BPM01");
    CHECK(expand_macros("$(X=${P}:a)", m) == "BPM01:a");
    CHECK(expand_macros("$(X=\"a,b)\")", m) == "a,b)");
    CHECK(expand_macros("$(Z=$(P)$(R),R=7)$(R=none)", m) == std::string("BPM01\x01R\x01none"));
    CHECK(expand_macros("$(Q,P=OTHER) $(P)", m) == "OTHER:Q BPM01");
    CHECK(expand_macros("$(X)", m) == "\x01X\x01");
    CHECK(expand_macros("'$(P)' \"$(P)\"", m) == "'$(P)' \"BPM01\"");
    CHECK(expand_macros("\\$(P)", m) == "\\$(P)");
    CHECK(expand_macros("cost: 5$", m) == "cost: 5$");
    CHECK(expand_macros("$(P", m) == "BPM01");
}

TEST_CASE("macros that never end are refused") {
    CHECK_THROWS_AS(expand_macros("$(A)", Macros{{"A", "$(B)"}, {"B", "$(A)"}}), Error);
    Macros bomb = {{"M0", "xxxxxxxxxxxxxxxx"}};
    for (int i = 1; i < 20; ++i) {
        std::string one = "$(M" + std::to_string(i - 1) + ")";
        bomb["M" + std::to_string(i)] = one + one + one + one;
    }
    CHECK_THROWS_AS(expand_macros("$(M19)", bomb), Error);
    std::string deep;
    for (int i = 0; i < 10000; ++i) deep += "$(";
    CHECK_THROWS_AS(expand_macros(deep, {}), Error);
}

TEST_CASE("names of records and aliases") {
    CHECK(names_in(R"db(
# record(ai, "COMMENT")
record(ai, "$(P):CURRENT") {   # record(ai, "ALSO:COMMENT")
    field(DESC, "record(ai, \"NOT:ONE\")")
    field(INP, {pva:{pv:"OTHER:PV", record:"x"}})
    info(autosaveFields, "VAL")
    alias("$(P):I")
}
grecord(bo,SWITCH){field(ZNAM,"Off")}
record("*", "SWITCH") { field(ONAM, "On") }
alias("SWITCH", "TOGGLE")
record(calc,
       "$(P):SPLIT"
      ) { }
)db",
                   {{"P", "MAG"}}) == Names{"MAG:CURRENT", "MAG:I", "SWITCH", "TOGGLE", "MAG:SPLIT"});
}

TEST_CASE("a macro without a value matters in names only") {
    CHECK(names_in("record(ai,\"A\"){field(INP,\"$(WHERE)\")}\n# $(NOWHERE)\n") == Names{"A"});
    CHECK_THROWS_WITH(names_in("\nrecord(ai, \"$(P):A\") {}\n"),
                      Catch::Contains("a.db:2: macro P of a record's name has no value"));
    CHECK_THROWS_WITH(names_in("record(ai, $(S)$(P)) {}", {{"S", "s"}}), Catch::Contains("macro P"));
}

TEST_CASE("files that are no databases") {
    CHECK(names_in("").empty());
    CHECK(names_in(std::string("\x7f"
                               "ELF\0\0record(\1\2\3",
                               16))
              .empty());
    CHECK(names_in("record(ai").empty());
    CHECK(names_in("record(ai, )").empty());
    CHECK(names_in("record").empty());
    CHECK(names_in("alias").empty());
    CHECK(names_in("include").empty());
    CHECK_THROWS_WITH(names_in("record(ai, \"A"), Catch::Contains("a.db:1: a quoted string does not end"));
    CHECK_THROWS_WITH(names_in("record(ai, \"\")"), Catch::Contains("has no name"));
    CHECK_THROWS_AS(db_names("/nonexistent/a.db", {}), Error);
}

TEST_CASE("included files are read with the same macros") {
    TempDir dir;
    write_file(dir / "a.db", "include \"b.db\"\ninclude \"in-the-image.db\"\nrecord(ai,\"$(P):A\"){}\n");
    write_file(dir / "b.db", "record(ai,\"$(P):B\"){}\n");
    DbNames names = db_names(dir / "a.db", {{"P", "X"}});
    CHECK(names.pvs == Names{"X:B", "X:A"});
    CHECK(names.not_found == Names{"in-the-image.db"});
    write_file(dir / "b.db", "include \"a.db\"\n");
    CHECK_THROWS_WITH(db_names(dir / "a.db", {{"P", "X"}}), Catch::Contains("includes itself"));
}

TEST_CASE("all files of an IOC, each with its own macros") {
    TempDir dir;
    write_file(dir / "a.db", "record(ai,\"$(P):A\"){}\n");
    CHECK(db_names(std::vector<DbFile>{{dir / "a.db", {{"P", "X"}}}, {dir / "a.db", {{"P", "Y"}}}}).pvs ==
          Names{"X:A", "Y:A"});
    Ioc ioc;
    CHECK(record_names(ioc).empty());
    ioc.db = {{dir / "a.db", {{"P", "Z"}}}};
    CHECK(record_names(ioc) == Names{"Z:A"});
}

#include "catch.hpp"
#include "clara/cli/table.hpp"
#include "clara/cli/terminal.hpp"

using namespace clara;

TEST_CASE("a table aligns its columns and leaves nothing at the end of a line") {
    Table table({{"NAME"}, {"MEMORY", true}, {"STATE"}});
    table.add({"bpm01", "17.3 MiB", "running"});
    table.add({"magnets", "", "stopped"});
    CHECK(table.str() ==
          "NAME       MEMORY  STATE\n"
          "bpm01    17.3 MiB  running\n"
          "magnets         -  stopped\n");
}

TEST_CASE("a table counts characters, not bytes, and shows no control characters") {
    Table table({{"NAME"}, {"DESCRIPTION"}, {"END"}});
    table.add({"a", "Strahllage \u00b5m", "x"});
    table.add({"b", "\033[31mred", "y"});
    CHECK(table.str() ==
          "NAME  DESCRIPTION    END\n"
          "a     Strahllage \u00b5m  x\n"
          "b     ?[31mred       y\n");
}

TEST_CASE("only titles are bold, and only when asked") {
    Table table({{"NAME"}});
    table.add({"a"});
    CHECK(table.str(true) == "\033[1mNAME\033[0m\na\n");
}

TEST_CASE("a file is never decorated") {
    CHECK_FALSE(decorated(-1));
}

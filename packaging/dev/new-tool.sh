#!/bin/bash
# A new tool begins as one that works: help, man page, exit codes and JSON are there. usage: new-tool.sh NAME
set -euo pipefail
name=${1#clara-}
file=tools/clara-$name.cpp
[[ $name =~ ^[a-z][a-z-]*$ ]] || { echo "new-tool: a name is lower case letters and dashes" >&2; exit 2; }
[ ! -e "$file" ] || { echo "new-tool: $file is there already" >&2; exit 4; }

cat >"$file" <<END
// clara-$name: what it does, in one line.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "clara/cli/app.hpp"
#include "clara/spec/site.hpp"

using namespace clara;

int main(int argc, char** argv) {
    const ToolDoc doc{
        .name = "clara-$name",
        .summary = "say what it does",
        .description = "Prints the names of the site's networks: replace this by what the tool is for.",
        .examples = {{"clara-$name", "one name a line"}},
    };
    return run_tool(
        argc, argv, doc, [](CLI::App&, CommonFlags&) {},
        [](CommonFlags& flags) {
            nlohmann::json networks = nlohmann::json::array();
            for (const Network& network : read_site(flags.config).networks) {
                networks.push_back(network.name);
                if (!flags.json) fmt::print("{}\n", network.name);
            }
            if (flags.json) {
                fmt::print("{}\n", nlohmann::json{{"schema", "clara.$name/1"}, {"networks", networks}}.dump());
            }
            return 0;
        });
}
END
./dev docs
echo "new-tool: made $file and man/clara-$name.1; ./dev test checks both" >&2

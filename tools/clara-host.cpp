// clara-host: make this host ready for guests, look at it, or leave it as it was found.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/units.hpp"
#include "clara/cli/app.hpp"
#include "clara/cli/host_steps.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/plan/journal.hpp"

using namespace clara;

namespace {

using Json = nlohmann::ordered_json;

const ToolDoc doc{
    .name = "clara-host",
    .summary = "prepare this host for guests, show it, clean it",
    .description =
        "Makes what guests need on this host: the folders of the pool and the managed bridges of the "
        "site. Guests bring their bridge up themselves after a reboot; prepare is for before the first "
        "one.",
    .examples = {{"clara-host prepare", "make pool folders and bridges"},
                 {"clara-host clean --dry-run", "show what would be taken away"},
                 {"clara-host show", "pools, networks and how much is free"}},
    .takes = {.pool = true, .change = true}};

int carry_out(const std::string& verb, const std::string& pool, const std::vector<HostStep>& steps,
              const CommonFlags& flags) {
    Json texts = Json::array();
    for (const auto& step : steps) {
        texts.push_back({{"text", step.text}});
        if (!flags.json && !flags.quiet) fmt::print("{}\n", step.text);
        if (flags.dry_run) continue;
        throw_if_interrupted();
        step.run();
    }
    // A pool that was cleaned away keeps no log either.
    if (!flags.dry_run && !steps.empty() && exists(pool + "/guests"))
        audit({.verb = verb, .guest = "", .pool = pool}, "done", flags.reason);
    if (flags.json) {
        Json json{{"schema", flags.dry_run ? "clara.host-plan/1" : "clara.host-report/1"},
                  {"verb", verb},
                  {"actions", texts}};
        fmt::print("{}\n", json.dump(2));
    } else if (steps.empty() && !flags.quiet) {
        fmt::print("nothing to do\n");
    }
    return 0;
}

int show(const Site& site, const std::string& pool, bool as_json) {
    const Facts facts = gather_facts(site, {.pool = pool, .helpers = false});
    Json networks = Json::array();
    for (const auto& network : site.networks)
        networks.push_back({{"name", network.name},
                            {"bridge", network.bridge},
                            {"address", network.subnet.str()},
                            {"managed", network.managed},
                            {"up", facts.bridges.count(network.bridge) > 0}});
    if (as_json) {
        Json json{{"schema", "clara.host/1"},
                  {"host", facts.hostname},
                  {"site", site.file},
                  {"pool", pool},
                  {"guests", facts.guests.size()},
                  {"images", facts.images.size()},
                  {"free", facts.pool_free},
                  {"apparmor", facts.apparmor},
                  {"cgroup", facts.cgroup_version},
                  {"networks", networks}};
        fmt::print("{}\n", json.dump(2));
        return 0;
    }
    fmt::print("host     {}, cgroup v{}, AppArmor {}\n", facts.hostname, facts.cgroup_version,
               facts.apparmor ? "on" : "off");
    fmt::print("site     {}\n", site.file.empty() ? "built-in default" : site.file);
    fmt::print("pool     {}: {} guests, {} images, {} free\n", pool, facts.guests.size(), facts.images.size(),
               size_text(facts.pool_free));
    for (const auto& network : site.networks)
        fmt::print("network  {}: bridge {} {}, {}\n", network.name, network.bridge, network.subnet.str(),
                   facts.bridges.count(network.bridge) ? "up" : "missing");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App* prepare = nullptr;
    CLI::App* clean = nullptr;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags&) {
            app.require_subcommand(1);
            prepare = app.add_subcommand("prepare", "Make the pool's folders and the managed bridges");
            clean = app.add_subcommand(
                "clean",
                "Unmount images, remove bridges without guests, and what we keep in a pool "
                "that has neither guest nor image. Asks first. Refused while a guest runs");
            app.add_subcommand("show", "Show host, pool and networks");
        },
        [&](CommonFlags& flags) {
            const Site site = read_site(flags.config);
            const std::string pool = site.pool(flags.pool).path;
            if (!prepare->parsed() && !clean->parsed()) return show(site, pool, flags.json);
            if (!flags.dry_run) require_root();
            if (prepare->parsed()) return carry_out("prepare", pool, prepare_steps(site, pool), flags);
            auto steps = clean_steps(site, pool);
            if (!steps.empty() && !flags.dry_run && !flags.yes && !confirm("Clean this host?"))
                throw Error(ErrorKind::refused, "not confirmed, nothing touched");
            return carry_out("clean", pool, steps, flags);
        });
}

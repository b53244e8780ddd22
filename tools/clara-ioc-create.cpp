// clara-ioc-create: IOCs from YAML templates.
#include <algorithm>
#include <iostream>

#include "clara/base/error.hpp"
#include "clara/cli/create_flow.hpp"
#include "clara/cli/selection.hpp"

namespace {

using namespace clara;

const ToolDoc doc{
    .name = "clara-ioc-create",
    .summary = "make EPICS IOCs in containers from a YAML template",
    .description =
        "Makes one guest for each NAME: its own address on the network's bridge, its own small disk over a "
        "shared "
        "image, and the standard ports (ssh 22, Channel Access 5064/5065, PVAccess 5075/5076, procServ "
        "7001).\n\n"
        "A NAME may be a range, bpm[01-20]. A template is a name in the template path or a .yaml file; --set "
        "fills "
        "its parameters or overrides a key, limits.memory=64M. With -f a whole fleet comes from one file.\n\n"
        "With --start each guest is started, and the tool waits until its address answers on every port it "
        "should. "
        "A guest that does not within --timeout (virtual machines: 2 minutes where it is not given) is taken "
        "back: "
        "its log's last lines are in the error.\n\n"
        "With --kind kvm the same template makes virtual machines instead of containers: same address, "
        "ports, "
        "console. They need the image of that name in its kvm form.",
    .examples = {{"clara-ioc-create magnets --template soft-ioc --set db=magnets.db --start",
                  "one IOC from a database file"},
                 {"clara-ioc-create 'bpm[01-20]' --template soft-ioc --start --jobs 4", "twenty of them"},
                 {"clara-ioc-create magnets --template soft-ioc --kind kvm --start", "the same in a VM"},
                 {"clara-ioc-create -f iocs.yaml --dry-run", "what a fleet file would do"},
                 {"clara-ioc-create --explain", "every key of a template"}},
    .takes = {.pool = true, .change = true, .timeout = true, .jobs = true},
    .extra_roff = explain_template_roff};

struct Arguments {
    std::vector<std::string> names, set;
    std::string template_name = "soft-ioc", address = "auto", network, fleet, kind;
    bool explain = false, no_wait = false;
};

std::pair<std::string, std::string> split(const std::string& text) {
    auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        throw Error(ErrorKind::usage, "--set " + text + " has no '='", "e.g. --set db=magnets.db");
    return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<Request> requests_of(const Arguments& a, const CommonFlags& flags) {
    std::vector<Request> requests;
    if (!a.fleet.empty()) requests = read_fleet(a.fleet);
    for (const auto& name : expand_ranges(a.names)) {
        if (std::any_of(requests.begin(), requests.end(), [&](const Request& r) { return r.name == name; }))
            throw Error(ErrorKind::usage, "'" + name + "' is in the fleet file, too", "name it once");
        Request request;
        request.name = name;
        request.template_name = a.template_name;
        request.address = a.address;
        requests.push_back(std::move(request));
    }
    if (requests.empty())
        throw Error(ErrorKind::usage, "no NAME and no fleet file given",
                    "e.g. clara-ioc-create magnets --template soft-ioc");
    if (a.address != "auto" && requests.size() > 1)
        throw Error(ErrorKind::usage, "--address gives one address, but there are several guests",
                    "leave it out, or give each its address in a fleet file");
    for (auto& request : requests) {
        // Flags outrank what the fleet file says.
        for (const auto& text : a.set) request.set.push_back(split(text));
        if (!a.network.empty()) request.network = a.network;
        request.kind = a.kind;
        if (!flags.pool.empty()) request.pool = flags.pool;
    }
    return requests;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments a;
    CreateOptions options;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags& flags) {
            flags.timeout = options.timeout;
            app.add_option("NAME", a.names, "Names or ranges of the guests");
            app.add_option("-t,--template", a.template_name, "Template: its name, or a .yaml file")
                ->capture_default_str();
            app.add_option("-s,--set", a.set, "KEY=VALUE: a parameter of the template, or one of its keys")
                ->allow_extra_args(false);
            app.add_option("--kind", a.kind, "lxc or kvm, whatever the template says")
                ->check(CLI::IsMember({"lxc", "kvm"}).description(""));
            app.add_option("-f,--file", a.fleet, "Fleet file: many guests with shared defaults");
            app.add_option("--address", a.address, "Address, or auto for the next free one")
                ->capture_default_str();
            app.add_option("--network", a.network, "Network of site.yaml (default: its first)");
            app.add_flag("--start", options.start, "Start them and wait until their ports answer");
            app.add_flag("--no-wait", a.no_wait, "With --start: do not wait for the ports");
            app.add_flag("--allow-duplicate-pv", options.allow_duplicate_pv,
                         "Make it even if another server has one of its PVs");
            app.add_flag("--explain", a.explain, "Print every key of a template, and end");
        },
        [&](CommonFlags& flags) {
            if (a.explain) {
                std::cout << explain_template();
                return 0;
            }
            options.prove = !a.no_wait;
            options.timeout = flags.timeout;
            if (flags.timeout_set) options.vm_timeout = flags.timeout;
            return create_guests(requests_of(a, flags), read_site(flags.config), options, flags);
        });
}

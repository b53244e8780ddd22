// clara-snapshot: a guest's disk as it was, and the way back to it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "clara/base/caller.hpp"
#include "clara/base/error.hpp"
#include "clara/cli/lifecycle_flow.hpp"
#include "clara/cli/snapshot_rows.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/libvirt/states.hpp"
#include "clara/drivers/snapshot_diff.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/snapshot_list.hpp"
#include "clara/ops/host_paths.hpp"
#include "clara/ops/lifecycle.hpp"
#include "clara/ops/rollback.hpp"
#include "clara/ops/snapshot.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-snapshot",
    .summary = "take snapshots of guests, compare them, and go back to one",
    .description =
        "A snapshot is the state of a guest's disks and guest.yaml at one moment. It is taken of a guest "
        "that "
        "runs or not, in any pool.\n\n"
        "Of a container it is a copy of its disk; where the file system of the pool can share blocks it "
        "takes "
        "no room. The guest runs on: its disk is copied while it is in use and the copy is brought up to "
        "date "
        "until a moment without writes is found. Only where there is none within --patience are writes "
        "blocked, for the milliseconds it takes to compare the copy once more. What has reached the disk's "
        "file system before the snapshot is in it; the copy is checked before it counts.\n\n"
        "Of a virtual machine it lies in the disks themselves (qcow2), takes milliseconds and at first no "
        "room; the domain's definition and its firmware's variables are kept beside them. One that is taken "
        "while the machine runs is what a power cut at that moment would have left, of all its disks. With "
        "--memory it is the whole machine, which stands still while its memory is written; a rollback then "
        "goes on where it was instead of booting. What the removal of such a snapshot frees cannot be "
        "told.\n\n"
        "rollback brings disks and guest.yaml back. A guest that runs is stopped for it and started again, "
        "and its ports must answer. What is replaced is kept as the snapshot before-rollback until the guest "
        "has come up again; where it does not come up, all is put back as it was. A guest that does not run "
        "is left so, and before-rollback goes with its next clara-start. Backups of a virtual machine that "
        "was rolled back begin with a full one.\n\n"
        "diff compares files: of a container all it has changed, of a virtual machine the ext file systems "
        "of "
        "the system on its first disk, for which what a snapshot has beyond the image is copied for a while.",
    .examples = {{"clara-snapshot create magnets --comment 'before the new database'", "while it runs"},
                 {"clara-snapshot create --all --keep 7", "of all guests; all but the newest seven go"},
                 {"clara-snapshot create daq --memory", "of a virtual machine, as it runs"},
                 {"clara-snapshot list magnets", "time, size and comment of each"},
                 {"clara-snapshot diff magnets", "files changed since the newest snapshot"},
                 {"clara-snapshot rollback magnets", "back to the newest; asks first"},
                 {"clara-snapshot delete magnets at-20261123-083932", "one less"}},
    .takes = {.pool = true, .change = true, .timeout = true, .jobs = true}};

struct Args {
    Selection guests;
    std::string guest;
    std::vector<std::string> snapshots;
    SnapshotOptions create;
    unsigned newest = 0;
    RollbackOptions rollback;
    bool no_wait = false;
};

void set_up(CLI::App& app, Args& args, std::string& chosen) {
    auto add = [&](const char* verb, const char* text) { return add_verb(app, chosen, verb, text); };
    auto add_guest = [&](CLI::App* sub) {
        sub->add_option("NAME", args.guest, "The guest")->required()->type_name("GUEST");
    };
    CLI::App* create = add("create", "Take a snapshot of each guest, running or not");
    add_selection(*create, args.guests);
    create->add_option("--as", args.create.as, "Its name; default at-DATE-TIME");
    create->add_option("--comment", args.create.comment, "What it is for");
    create->add_option("--keep", args.newest, "Delete all but the newest so many afterwards")
        ->type_name("COUNT")
        ->check(CLI::Range(1U, static_cast<unsigned>(most_snapshots)).description(""));
    create->add_flag("--protect", args.create.keep, "Never deleted by --keep of a later one");
    create->add_flag("--memory", args.create.memory,
                     "Of a VM that runs, its memory too; it stands still while that is written");
    add_duration(*create, "--patience", args.create.patience,
                 "How long to look for a moment without writes before they are blocked");
    add_duration(*create, "--freeze-limit", args.create.freeze_limit,
                 "How long writes may be blocked; beyond it the snapshot fails");

    CLI::App* list = add("list", "Show the snapshots of guests, default all");
    add_listing(*list, args.guests);

    CLI::App* diff = add("diff", "Show what a guest has changed: + added, ~ changed, - removed");
    add_guest(diff);
    diff->add_option("SNAPSHOT", args.snapshots, "From which to which; default from the newest, and to now")
        ->expected(0, 2);

    CLI::App* rollback = add("rollback", "Bring disk and guest.yaml of a guest back");
    add_guest(rollback);
    rollback->add_option("SNAPSHOT", args.snapshots, "To which; default the newest")->expected(0, 1);
    rollback->add_flag("--start", args.rollback.start,
                       "Start the guest afterwards, also where it did not run");
    rollback->add_flag("--no-wait", args.no_wait,
                       "Do not wait until its ports answer; before-rollback stays");

    CLI::App* remove = add("delete", "Delete snapshots of a guest. Asks first");
    add_guest(remove);
    remove->add_option("SNAPSHOT", args.snapshots, "Which")->required();
}

Plan plan_back(const Planning& p, const Args& args) {
    const GuestFact& guest = known_guest(p.name, p.facts);
    const auto& snapshot = known_snapshot(p.name, args.snapshots.empty() ? "" : args.snapshots[0], p.facts);
    const GuestSpec then = load_snapshot_spec(p.pool, p.name, snapshot.info.name);
    std::optional<GuestSpec> now;
    if (guest.problem.empty()) now = p.spec();
    Facts facts = p.facts;
    const auto paths = needed_paths(then);
    for (auto& [path, fact] :
         probe_paths({paths.begin(), paths.end()}, args.rollback.lifecycle.answer_timeout))
        facts.paths[path] = fact;
    RollbackOptions options = args.rollback;
    if (then.kind == "kvm") {
        options.domain_then = load_snapshot_domain(p.pool, p.name, snapshot.info.name);
        if (is_defined(p.name, then.kind, p.facts)) options.domain_now = domain_xml(p.site, p.name);
    }
    return plan_rollback(p.name, p.pool, snapshot, then, now, p.site, facts, options, system_clock());
}

Plan plan_new(const Planning& p, SnapshotOptions options) {
    if (options.memory && kind_of(p.name, p.facts) == "kvm")
        if (const auto machine = p.spec().machine) {
            options.memory_size = machine->memory;
            options.uefi = machine->firmware == "uefi";
        }
    return plan_snapshot(p.name, p.pool, p.site, p.facts, options, system_clock());
}

int show_list(const Args& args, const CommonFlags& flags) {
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    Facts facts;
    facts.guests = read_guests(pool, false);
    const std::vector<std::string> names = listed(args.guests, facts.guests);
    for (const auto& name : names) known_guest(name, facts);
    for (const auto& name : names) facts.disks[name] = read_disk_fact(pool, name);
    print_snapshots(pool, names, facts, flags.json);
    return 0;
}

int show_diff(const Args& args, const CommonFlags& flags) {
    require_root();
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    Facts facts;
    facts.guests = read_guests(pool, false);
    known_guest(args.guest, facts);
    facts.disks[args.guest] = read_disk_fact(pool, args.guest);
    auto named = [&](std::size_t i) {
        return known_snapshot(args.guest, i < args.snapshots.size() ? args.snapshots[i] : "", facts)
            .info.name;
    };
    DiffRequest request{pool, args.guest, named(0), "", flags.lock_wait};
    if (args.snapshots.size() > 1) request.to = named(1);
    print_diff(args.guest, request.from, request.to, diff_snapshots(site, request), flags.json);
    return 0;
}

int carry_out(const std::string& verb, Args& args, const CommonFlags& flags) {
    args.create.who = args.rollback.who = caller();
    args.rollback.lifecycle.answer_timeout = flags.timeout;
    args.rollback.lifecycle.prove = !args.no_wait;
    if (args.newest) args.create.newest = args.newest;
    if (verb == "create" && !args.create.as.empty())
        if (auto problem = snapshot_name_problem(args.create.as); !problem.empty())
            throw Error(ErrorKind::usage, "--as: " + problem);
    const Selection one{{args.guest}, false};
    if (verb == "create")
        return run_verb(
            {.name = "snapshot", .disks = true}, args.guests,
            [&](const Planning& p) { return plan_new(p, args.create); }, flags);
    if (verb == "delete")
        return run_verb(
            {.name = "snapshot delete", .question = "Delete snapshots of", .disks = true}, one,
            [&](const Planning& p) {
                return plan_snapshot_delete(p.name, p.pool, args.snapshots, p.site, p.facts);
            },
            flags);
    return run_verb(
        {.name = "rollback", .starts = true, .question = "Roll back", .disks = true}, one,
        [&](const Planning& p) { return plan_back(p, args); }, flags);
}

}  // namespace

int main(int argc, char** argv) {
    Args args;
    std::string chosen;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags& flags) {
            flags.timeout = args.rollback.lifecycle.answer_timeout;
            set_up(app, args, chosen);
        },
        [&](CommonFlags& flags) {
            if (chosen == "list") return show_list(args, flags);
            if (chosen == "diff") return show_diff(args, flags);
            return carry_out(chosen, args, flags);
        });
}

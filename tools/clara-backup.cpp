// clara-backup: restore points of guests.
#include <fmt/format.h>

#include "clara/cli/backup_files.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/backup_rows.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-backup",
    .summary = "make, keep, verify and restore backups of guests",
    .description =
        "A restore point is one backup of one guest: plain files in STORE/backups/NAME/TIME, disks as "
        "compressed "
        "qcow2 that qemu-img opens with nothing of clara's installed. The store is a pool; site.yaml says "
        "which "
        "(backup.pool).\n\n"
        "run backs guests up while they run. Of a virtual machine only what libvirt's dirty bitmaps have "
        "counted "
        "as changed is read; where they are missing or broken all of it is read, and said so. Of a container "
        "the "
        "disk is copied at one moment, as clara-snapshot does, and what differs from the last point is "
        "stored. "
        "Each new point is read again from the store and looked through before anything older is removed. "
        "One "
        "that fails, or looks like mass corruption beside the last good one, goes into quarantine: exit "
        "status 3, "
        "and nothing of that guest is removed until it is accepted or removed.\n\n"
        "Rotation keeps the newest point of each of so many hours, days, weeks, months and years (keep: in "
        "site.yaml or in the guest's own guest.yaml); a finer rule's points do not count for a coarser one. "
        "The "
        "last good point goes only with --force-last-good.\n\n"
        "restore brings back a guest that is gone, in the place of one that is there (--in-place), or under "
        "another name (--as). With --boot-now a virtual machine starts at once on its point and is copied "
        "while "
        "it runs; killed meanwhile, the same command goes on.\n\n"
        "drill brings the newest point up as drill-NAME, as it was, on a bridge with nothing else on it, "
        "waits "
        "until its ports answer, and takes it away again.\n\n"
        "copy sends proven points to another pool, where its own rotation says what stays; a copy that was "
        "interrupted goes on where it was.\n\n"
        "files shows, copies out or mounts single files of a restore point, read-only; of a container as the "
        "guest saw them, above its image.",
    .examples = {{"clara-backup run --all", "every guest, then what no rule keeps goes"},
                 {"clara-backup run bpm[01-20] -n", "what would be done, with the reason of each removal"},
                 {"clara-backup list magnets", "its restore points"},
                 {"clara-backup status --nagios", "for monitoring"},
                 {"clara-backup verify --all --oldest-first --max-time 2h", "read points again, for cron"},
                 {"clara-backup restore magnets --in-place", "back to the newest good point; asks first"},
                 {"clara-backup restore magnets --as magnets2 --boot-now",
                  "a virtual machine beside it, at once"},
                 {"clara-backup drill --all", "does every guest come up from its backup?"},
                 {"clara-backup copy --all --to offsite", "proven points to another pool, for cron"},
                 {"clara-backup files extract bpm01 /etc/hosts /opt/ioc --to /root/back", "single files"},
                 {"clara-backup simulate --keep weekly=4,monthly=6", "what a year of daily runs keeps"}},
    .takes = {.pool = true, .change = true, .timeout = true, .jobs = true}};

struct Args {
    BackupRun run;
    VerifyRun verify;
    RestoreRun restore;
    FilesRun files;
    PointChange change;
    DrillRun drill;
    CopyRun copy;
    StoreChoice store;
    std::vector<std::string> guests;
    std::string guest, point;
    std::chrono::milliseconds every{std::chrono::hours(24)}, max_time{0};
    unsigned days = 365;
    bool nagios = false, no_prune = false, no_wait = false;
};

using Adder = std::function<CLI::App*(const char*, const char*)>;

void add_run(const Adder& add, Args& args) {
    CLI::App* run = add("run", "Back guests up, whether they run or not");
    add_selection(*run, args.run.guests);
    add_store(*run, args.store);
    add_keep(*run, args.run.keep, "What stays, instead of what site and guest say: weekly=4,monthly=6");
    run->add_flag("--no-prune", args.no_prune, "Remove nothing");
    run->add_flag("--full", args.run.options.full, "Stand on nothing: a full point");
    run->add_flag("--no-hooks", args.run.no_hooks, "Leave out the guest's own commands before and after");
    add_size(*run, "--bwlimit", args.run.options.rate, "Bytes a second that are read; default no limit");
    add_duration(*run, "--patience", args.run.options.patience,
                 "How long to look for a moment without writes before they are blocked");
    add_duration(*run, "--freeze-limit", args.run.options.freeze_limit, "How long writes may be blocked");
}

void add_verify(const Adder& add, Args& args) {
    CLI::App* verify = add("verify", "Read restore points again and compare them with their digests");
    add_selection(*verify, args.verify.guests);
    add_store(*verify, args.store);
    verify->add_flag("--oldest-first", args.verify.oldest_first,
                     "Those that were verified longest ago first");
    add_duration(*verify, "--max-time", args.max_time, "Begin no further point after that; 0s: all");
    verify->add_flag("--deep", args.verify.deep,
                     "Decompress every block and look through the file systems, too");
}

void add_restore(const Adder& add, Args& args) {
    CLI::App* restore = add("restore", "Bring a guest back from a restore point");
    restore->add_option("NAME", args.restore.guest, "The guest")->required()->type_name("GUEST");
    restore->add_option("--point", args.restore.point, "Which; default the newest good one");
    restore->add_option("--as", args.restore.as, "Under this name, with an address and keys of its own");
    restore->add_option("--network", args.restore.options.network, "With --as: where; default as it was");
    restore->add_flag("--allow-duplicate-pv", args.restore.options.allow_duplicate_pv,
                      "With --as: its IOC may serve the PVs that the guest serves");
    restore->add_flag("--in-place", args.restore.in_place, "In the place of the guest that is there");
    restore->add_flag("--start", args.restore.options.start, "Start it, and wait until its ports answer");
    restore->add_flag("--boot-now", args.restore.options.boot_now,
                      "Start it on disks that stand on the point, and copy them while it runs");
    add_size(*restore, "--bwlimit", args.restore.options.rate, "Bytes a second; default no limit");
    restore->add_flag("--no-wait", args.no_wait, "Do not wait for its ports; what was replaced stays");
    add_store(*restore, args.store);
}

void add_drill(const Adder& add, Args& args) {
    CLI::App* drill = add("drill", "Bring restore points up on an isolated bridge, and take them away again");
    add_selection(*drill, args.drill.guests);
    drill->add_option("--point", args.drill.point, "Which, of one guest; default the newest good one");
    add_store(*drill, args.store);
}

void add_copy(const Adder& add, Args& args) {
    CLI::App* copy = add("copy", "Send proven restore points to another pool, e.g. off-site");
    add_selection(*copy, args.copy.guests);
    copy->add_option("--to", args.copy.to, "The other pool")->required()->type_name("POOL");
    add_store(*copy, args.store);
    add_keep(*copy, args.run.keep, "What stays there, instead of what pool, guest and site say");
    copy->add_flag("--no-prune", args.no_prune, "Remove nothing there");
    add_size(*copy, "--bwlimit", args.copy.rate, "Bytes a second; default no limit");
}

void add_looks(const Adder& add, Args& args) {
    CLI::App* list = add("list", "Show restore points, default of all guests");
    list->add_option("NAME", args.guests, "Guests, or ranges of them")->type_name("GUEST");
    CLI::App* show = add("show", "Show all about one restore point");
    show->add_option("NAME", args.guest, "The guest")->required()->type_name("GUEST");
    show->add_option("POINT", args.point, "Which")->required();
    CLI::App* status = add("status", "Show how old each guest's newest good point is");
    status->add_flag("--nagios", args.nagios, "One line, and exit status 0 to 3, as monitoring wants them");
    for (CLI::App* sub : {list, show, status}) add_store(*sub, args.store);
    CLI::App* simulate = add("simulate", "Show what a policy keeps over a year, without any store");
    add_keep(*simulate, args.run.keep, "Which; default the site's");
    add_duration(*simulate, "--every", args.every, "Pause between two runs");
    simulate->add_option("--days", args.days, "For how long")->check(CLI::Range(1U, 3660U).description(""));
}

void add_changes(const Adder& add, Args& args) {
    using Kind = PointChange::Kind;
    const std::tuple<const char*, const char*, Kind> verbs[] = {
        {"protect", "Keep restore points whatever rotation says", Kind::protect},
        {"unprotect", "Leave them to rotation again", Kind::unprotect},
        {"note", "Write a line of text to restore points", Kind::note},
        {"accept", "Take points out of quarantine: they are as they should be", Kind::accept},
        {"remove", "Remove restore points. Asks first", Kind::remove}};
    for (const auto& [verb, text, kind] : verbs) {
        CLI::App* sub = add(verb, text);
        sub->add_option("NAME", args.change.guest, "The guest")->required()->type_name("GUEST");
        sub->add_option("POINT", args.change.points, "Which")->required();
        if (kind == Kind::note) sub->add_option("--text", args.change.note, "The note; empty: none");
        if (kind == Kind::remove)
            sub->add_flag("--force-last-good", args.change.force_last_good, "Even the last good one");
        add_store(*sub, args.store);
        sub->parse_complete_callback([&args, kind = kind] { args.change.kind = kind; });
    }
}

int carry_out_verb(const std::string& verb, Args& args, const CommonFlags& flags) {
    args.run.store = args.verify.store = args.restore.store = args.drill.store = args.copy.store = args.store;
    args.copy.keep = args.run.keep;
    args.run.options.prune = args.copy.prune = !args.no_prune;
    if (args.max_time.count() > 0) args.verify.max_time = args.max_time;
    args.restore.options.lifecycle.answer_timeout = flags.timeout;
    args.drill.answer_timeout = flags.timeout;
    if (flags.timeout_set)
        args.drill.vm_answer_timeout = args.restore.options.lifecycle.vm_answer_timeout = flags.timeout;
    args.restore.options.lifecycle.prove = !args.no_wait;
    if (verb == "run") return back_up(args.run, flags);
    if (verb == "verify") return verify_points(args.verify, flags);
    if (verb == "restore") return restore_guest(args.restore, flags);
    if (verb == "drill") return drill(args.drill, flags);
    if (verb == "copy") return copy_points(args.copy, flags);
    if (verb == "files") return look_at_files(args.files, flags);
    if (verb == "list") return list_points(args.guests, args.store, flags);
    if (verb == "show") return show_point(args.guest, args.point, args.store, flags);
    if (verb == "status") return show_status(args.store, args.nagios, flags);
    if (verb == "simulate") return show_simulation(args.run.keep, args.every, args.days, flags);
    return change_points(args.change, args.store, flags);
}

}  // namespace

int main(int argc, char** argv) {
    Args args;
    std::string chosen;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags& flags) {
            flags.timeout = args.restore.options.lifecycle.answer_timeout;
            const Adder add = [&](const char* verb, const char* text) {
                return add_verb(app, chosen, verb, text);
            };
            add_run(add, args);
            add_looks(add, args);
            add_verify(add, args);
            add_restore(add, args);
            add_drill(add, args);
            add_copy(add, args);
            add_files(*add("files", "Show, copy out or mount single files of a restore point"), args.files);
            add_changes(add, args);
        },
        [&](CommonFlags& flags) { return carry_out_verb(chosen, args, flags); });
}

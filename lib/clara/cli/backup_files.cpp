#include "clara/cli/backup_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/base/stall.hpp"
#include "clara/base/units.hpp"
#include "clara/cli/backup_files_rows.hpp"
#include "clara/cli/backup_source.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/drivers/points/files.hpp"
#include "clara/drivers/points/files_mount.hpp"
#include "clara/drivers/points/files_out.hpp"
#include "clara/drivers/points/proof.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

/// One that is named is taken as it is, and what is wrong with it is said.
void check_point(const FilesRun& run, const points::FilesChoice& choice, const std::vector<Point>& all) {
    const Point* point = find_point(choice.point, all);
    if (!point)
        throw Error(ErrorKind::usage, run.guest + " has no restore point " + choice.point,
                    "clara-backup list " + run.guest);
    const auto damage = points::known_damage(choice.store, choice.point, all);
    if (!damage.empty() && run.point.empty())
        throw Error(ErrorKind::refused,
                    fmt::format("restore point {} is damaged: {}", choice.point, damage.front()),
                    fmt::format("take an older one: clara-backup list {}; --point {} takes it all the same",
                                run.guest, choice.point));
    for (const auto& one : damage) log::warn("restore point {} is damaged: {}", choice.point, one);
    for (const auto& one : point->state.quarantine)
        log::warn("restore point {} is in quarantine: {}", choice.point, one);
}

points::FilesChoice choose(const FilesRun& run, const Site& site, const CommonFlags& flags,
                           const std::string& store) {
    points::FilesChoice choice;
    choice.pool = site.pool(flags.pool).path;
    choice.store = store;
    choice.guest = run.guest;
    choice.point = wanted_point(choice.store, run.guest, run.point);
    const auto all = points::read_points(choice.store, run.guest);
    check_point(run, choice, all);
    // Not from its manifest, which may be what is damaged.
    const std::string file = pool::point(choice.store, run.guest, choice.point) + "/guest.yaml";
    const GuestSpec spec = read_guest(read_file(file).value_or(""), file);
    choice.kind = spec.kind;
    choice.image = spec.image;
    choice.id_count = site.idmap_count;
    choice.disk = run.disk;
    if (run.partition) choice.partition = run.partition;
    return choice;
}

int extract(const FilesRun& run, const points::FilesChoice& choice, const CommonFlags& flags) {
    if (!exists(run.folder + "/."))
        throw Error(ErrorKind::refused, run.folder + " is no folder", "make it before");
    const points::GuestFiles files(choice);
    const auto done = points::copy_out(files.root(), run.paths, run.folder);
    if (done.left_out)
        log::warn("{} devices and sockets were left out: they mean nothing here", done.left_out);
    if (done.set_id)
        log::warn(
            "{} of the programs run as their owner (setuid, setgid), here too: keep others away from {}",
            done.set_id, run.folder);
    if (flags.json)
        print_json({{"schema", "clara.files-extracted/1"},
                    {"guest", choice.guest},
                    {"point", choice.point},
                    {"folder", run.folder},
                    {"files", done.files},
                    {"folders", done.folders},
                    {"bytes", done.bytes},
                    {"left_out", done.left_out},
                    {"set_id", done.set_id}});
    else if (!flags.quiet)
        fmt::print("{} files and {} folders ({}) of restore point {} are in {}\n", done.files, done.folders,
                   size_text(done.bytes), choice.point, run.folder);
    return 0;
}

int mount(const FilesRun& run, points::FilesChoice choice, const CommonFlags& flags) {
    choice.whole = false;  // several mounts would not go by one umount
    const auto parts = points::mount_files(choice, run.folder);
    if (flags.json)
        print_json({{"schema", "clara.files-mounted/1"},
                    {"guest", choice.guest},
                    {"point", choice.point},
                    {"folder", run.folder},
                    {"not_mounted", parts}});
    else if (!flags.quiet)
        fmt::print("restore point {} of {} is on {}, read-only, until: umount {}\n", choice.point,
                   choice.guest, run.folder, run.folder);
    if (!parts.empty()) log::info("not in it: {}; mount these with --partition", fmt::join(parts, ", "));
    return 0;
}

}  // namespace

void add_files(CLI::App& files, FilesRun& run) {
    auto add = [&](const char* verb, const char* text) { return add_verb(files, run.verb, verb, text); };
    CLI::App* list = add("list", "Show a folder or a file as ls -l does; owners are the guest's ids");
    list->add_option("NAME", run.guest, "The guest")->required()->type_name("GUEST");
    list->add_option("INSIDE", run.paths, "A path inside the guest; default /")->expected(0, 1);
    list->add_flag("-r,--recursive", run.recursive, "With all that is in folders");
    list->add_flag("--disks", run.disks, "Show its disks and partitions instead");
    CLI::App* extract = add("extract", "Copy files or whole folders out of it; nothing is overwritten");
    extract->add_option("NAME", run.guest, "The guest")->required()->type_name("GUEST");
    extract->add_option("INSIDE", run.paths, "Paths inside the guest")->required();
    extract->add_option("--to", run.folder, "Folder of this host that they are put into")
        ->required()
        ->type_name("FOLDER");
    CLI::App* mount = add("mount", "Mount it read-only; umount FOLDER ends that");
    mount->add_option("NAME", run.guest, "The guest")->required()->type_name("GUEST");
    mount->add_option("FOLDER", run.folder, "An empty folder of this host")->required()->type_name("FOLDER");
    CLI::App* umount = add("umount", "Unmount it again, as plain umount does");
    umount->add_option("FOLDER", run.folder, "Where it is mounted")->required()->type_name("FOLDER");
    for (CLI::App* sub : {list, extract, mount}) {
        sub->add_option("--point", run.point, "Which restore point; default the newest good one");
        sub->add_option("--disk", run.disk, "One of its disks as it is, e.g. disk2.qcow2");
        sub->add_option("--partition", run.partition, "One of its partitions")
            ->check(CLI::Range(1, 256).description(""));
        add_store(*sub, run.store);
    }
}

int look_at_files(const FilesRun& run, const CommonFlags& flags) {
    require_root();
    if (run.verb == "umount") {
        points::unmount_files(run.folder);
        return 0;
    }
    if (auto problem = name_problem(run.guest); !problem.empty())
        throw Error(ErrorKind::usage, fmt::format("'{}' is no name of a guest: {}", run.guest, problem));
    const Site site = read_site(flags.config);
    return on_store(run.store, site, flags, {}, [&](const std::string& store) {
        const StallRegion region;  // a daemon reads the disks
        const points::FilesChoice choice = choose(run, site, flags, store);
        if (run.verb == "extract") return extract(run, choice, flags);
        if (run.verb == "mount") return mount(run, choice, flags);
        if (run.disks) return show_disks(choice, flags);
        return show_files(choice, run.paths.empty() ? "/" : run.paths.front(), run.recursive, flags);
    });
}

}  // namespace clara

#include "clara/cli/backup_source.hpp"

#include <fmt/format.h>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/disks/inspect.hpp"
#include "clara/drivers/points/images.hpp"
#include "clara/drivers/points/proof.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/backup.hpp"

namespace clara {

std::string wanted_point(const std::string& store, const std::string& guest, const std::string& named) {
    if (!named.empty()) return named;
    const auto points = points::read_points(store, guest);
    if (const Point* last = last_proven(points)) return last->info.name;
    throw Error(ErrorKind::refused,
                points.empty() ? guest + " has no restore points in " + store
                               : "none of the restore points of " + guest + " is proven to be good",
                points.empty() ? "clara-backup list shows whose there are"
                               : "clara-backup list " + guest + "; --point POINT takes one all the same");
}

std::vector<std::string> guests_with_points(const Selection& selection,
                                            const std::map<std::string, std::vector<Point>>& known,
                                            const std::string& store, const std::string& pool) {
    std::map<std::string, GuestFact> guests;
    if (!selection.tags.empty()) guests = read_guests(pool, false);
    for (const auto& [name, points] : known) guests.try_emplace(name, GuestFact{.name = name});
    std::vector<std::string> names;
    for (const auto& name : selected(selection, guests)) {
        if (known.count(name))
            names.push_back(name);
        else if (selection.tags.empty())
            throw Error(ErrorKind::usage, name + " has no restore points in " + store, "clara-backup list");
    }
    return names;
}

RestoreSource read_source(const std::string& guest, const std::string& name, const std::string& store) {
    const StallRegion region;
    RestoreSource source{store, pool::point(store, guest, name), points::read_point(store, guest, name)};
    const auto all = points::read_points(store, guest, true);
    for (const Point* point : chain_of(name, all)) {
        const auto damage = points::look_at_point(store, *point, false);
        if (!damage.empty())
            throw Error(ErrorKind::failed,
                        fmt::format("restore point {} is damaged: {}", point->info.name, damage.front()),
                        "take an older one: clara-backup list " + guest);
    }
    const std::string spec = source.path + "/guest.yaml";
    source.spec = read_guest(read_file(spec).value_or(""), spec);
    source.domain_xml = read_file(source.path + "/domain.xml").value_or("");
    source.image_in_store =
        source.point.info.image.empty() || points::has_image(store, source.point.info.image);
    return source;
}

CloneSource read_clone(const RestoreSource& source) {
    return clone_of(source,
                    inspect_source(source.path + "/" + source.point.info.disks.front().file, "qcow2", false));
}

}  // namespace clara

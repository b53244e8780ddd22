#include <fmt/format.h>

#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/io_priority.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/backup_source.hpp"
#include "clara/cli/batch.hpp"
#include "clara/drivers/host.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/drivers/points/store.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/drivers/storage/layout.hpp"
#include "clara/ops/copy.hpp"

namespace clara {
namespace {

Keep keep_of(const CopyRun& run, const std::string& guest, const std::string& pool, const Pool& to,
             const Site& site) {
    if (run.keep) return *run.keep;
    if (to.keep) return *to.keep;
    if (const auto spec = exists(pool::guest(pool, guest)) ? load_guest(pool, guest) : std::nullopt;
        spec && spec->backup.keep)
        return *spec->backup.keep;
    return site.backup.keep.value_or(standard_keep);
}

std::vector<std::string> images_in(const std::string& pool) {
    std::vector<std::string> ids;
    if (!exists(pool + "/images")) return ids;
    for (const auto& image : list_images(pool).images) ids.push_back(image.id());
    return ids;
}

int copy_all(const CopyRun& run, const std::string& from, const Pool& to, const std::string& pool,
             const Site& site, const CommonFlags& flags) {
    const auto known = points::read_points(from);
    const auto names = guests_with_points(run.guests, known, from, pool);
    const auto images = images_in(to.path);
    Batch batch = plan_each("copy", names, [&](const std::string& name) {
        const CopyFacts facts{
            from, to.path, known.at(name), points::read_points(to.path, name), images, free_bytes(to.path)};
        return plan_copy(name, facts, {keep_of(run, name, pool, to, site), run.prune, run.rate},
                         system_clock()());
    });
    HostDrivers host = make_host_drivers(site);
    Drivers drivers = host.drivers();
    return carry_out(batch, drivers, flags);
}

}  // namespace

int copy_points(const CopyRun& run, const CommonFlags& flags) {
    if (!flags.dry_run) require_root();
    check_selection(run.guests);
    const Site site = read_site(flags.config);
    const std::string pool = site.pool(flags.pool).path;
    const Pool& to = site.pool(run.to);
    StoreChoice target = run.store;
    target.name = run.to;
    return on_store(run.store, site, flags, {}, [&](const std::string& from) {
        if (to.path == from)
            throw Error(ErrorKind::usage, "the restore points are in " + from + " already",
                        "--to another pool");
        ready_store(target, site, pool, !flags.dry_run);
        if (!flags.dry_run) stand_back();
        return copy_all(run, from, to, pool, site, flags);
    });
}

}  // namespace clara

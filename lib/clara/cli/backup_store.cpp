// How clara-backup comes to its store.
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/supervise.hpp"
#include "clara/drivers/points/store_check.hpp"
#include "clara/spec/site.hpp"

namespace clara {

void add_store(CLI::App& app, StoreChoice& store) {
    app.add_option("--store", store.name, "Pool that the restore points are in; default as site.yaml says")
        ->type_name("POOL");
    add_duration(app, "--store-timeout", store.limit, "How long a single call to the store may take");
    app.add_flag("--new-store", store.accept_other, "It is another one than last time, and that is meant so");
}

int on_store(const StoreChoice& choice, const Site& site, const CommonFlags& flags, const StoreUse& use,
             const std::function<int(const std::string&)>& work) {
    const Pool& store = site.pool(choice.name.empty() ? site.backup.pool : choice.name);
    const std::string pool = site.pool(flags.pool).path;
    const bool own = store.path == pool;  // need not be there yet
    const bool there = points::store_answers(store.path, choice.limit);
    if (!there && !own)
        throw Error(ErrorKind::refused, "the store " + store.path + " is not there",
                    "mount it, or make the folder");
    if (!there && use.writes) make_dirs(pool);
    if (use.before) use.before();
    return supervised({choice.limit, store.path, use.after_hang}, [&] {
        if (there || use.writes) {
            points::StoreCheck check{.mounted = store.mounted, .remembered_in = own ? "" : pool};
            check.accept_other = choice.accept_other;
            check.writes = use.writes;
            points::check_store(store.path, check);
        }
        if (use.writes) {
            points::open_store(store.path);
            if (!own) points::remember_store(store.path, pool);
        }
        return work(store.path);
    });
}

}  // namespace clara

// How clara-backup comes to its store.
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/cli/backup_flow.hpp"
#include "clara/cli/supervise.hpp"
#include "clara/drivers/points/store_check.hpp"
#include "clara/spec/site.hpp"

namespace clara {
namespace {

const Pool& pool_of(const StoreChoice& choice, const Site& site) {
    return site.pool(choice.name.empty() ? site.backup.pool : choice.name);
}

/// False where the pool itself is the store, and not there yet: it has no points, and is made for the first.
bool is_there(const StoreChoice& choice, const std::string& store, const std::string& pool) {
    if (points::store_answers(store, choice.limit)) return true;
    if (store == pool) return false;
    throw Error(ErrorKind::refused, "the store " + store + " is not there", "mount it, or make the folder");
}

void make_ready(const StoreChoice& choice, const Pool& store, const std::string& pool, bool writes) {
    if (writes && store.path == pool) make_dirs(pool);
    points::StoreCheck check{.mounted = store.mounted, .remembered_in = pool};
    check.accept_other = choice.accept_other;
    check.writes = writes;
    points::check_store(store.path, check);
    if (!writes) return;
    points::open_store(store.path);
    if (store.path != pool) points::remember_store(store.path, pool);
}

}  // namespace

void add_store(CLI::App& app, StoreChoice& store) {
    app.add_option("--store", store.name, "Pool that the restore points are in; default as site.yaml says")
        ->type_name("POOL");
    add_duration(app, "--store-timeout", store.limit, "How long a single call to the store may take");
    app.add_flag("--new-store", store.accept_other, "It is another one than last time, and that is meant so");
}

std::string ready_store(const StoreChoice& choice, const Site& site, const std::string& pool, bool writes) {
    const Pool& store = pool_of(choice, site);
    if (is_there(choice, store.path, pool) || writes) make_ready(choice, store, pool, writes);
    return store.path;
}

int on_store(const StoreChoice& choice, const Site& site, const CommonFlags& flags, const StoreUse& use,
             const std::function<int(const std::string&)>& work) {
    const Pool& store = pool_of(choice, site);
    const std::string pool = site.pool(flags.pool).path;
    const bool ready = is_there(choice, store.path, pool) || use.writes;
    if (use.before) use.before();
    return supervised({choice.limit, store.path, use.after_hang}, [&] {
        if (ready) make_ready(choice, store, pool, use.writes);
        return work(store.path);
    });
}

}  // namespace clara

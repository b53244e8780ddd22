#include "clara/drivers/running_guest.hpp"

#include "clara/base/error.hpp"
#include "clara/drivers/lxc/states.hpp"
#include "clara/drivers/storage/index.hpp"
#include "clara/spec/names.hpp"

namespace clara {

GuestSpec require_guest(const std::string& pool, const std::string& name) {
    if (auto problem = name_problem(name); !problem.empty()) throw Error(ErrorKind::usage, problem);
    if (auto spec = load_guest(pool, name)) return *spec;
    std::vector<std::string> known;
    for (const auto& [other, fact] : read_guests(pool)) known.push_back(other);
    const std::string near = nearest(name, known);
    throw Error(ErrorKind::usage, "there is no guest " + name + " in " + pool,
                near.empty() ? "clara-list shows the guests" : "did you mean " + near + "?");
}

int require_running(const Site& site, const std::string& name) {
    if (int pid = lxc_init_pid(site.lxc_path, name)) return pid;
    throw Error(ErrorKind::refused, name + " does not run", "clara-start " + name);
}

}  // namespace clara

#include "clara/plan/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "clara/base/caller.hpp"
#include "clara/base/clock.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"

namespace clara {
namespace {

/// A record that cannot be written is said, and keeps nobody from his work: a full pool is made room in by
/// stopping and destroying guests.
void append(const std::string& path, const std::string& text, int flags) {
    try {
        Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0640));
        if (!fd) throw system_error("cannot open it", errno);
        write_all(fd.get(), text);
    } catch (const Error& e) {
        log::warn("{} lacks this: {}", path, e.message());
    }
}

}  // namespace

void Journal::note(std::size_t step, const char* state) {
    nlohmann::json line{
        {"time", iso8601(system_clock()())}, {"verb", plan_.verb}, {"step", step + 1},
        {"of", plan_.actions.size()},        {"state", state},     {"action", describe(plan_.actions[step])}};
    lines_ += line.dump() + "\n";
    // The folder comes with the create's own MakeDisk and goes with a destroy; lines wait until there is one.
    for (const std::string& folder :
         {plan_.pool + "/guests/" + plan_.guest, plan_.pool + "/guests/." + plan_.guest + ".partial"})
        if (exists(folder)) {
            struct stat st {};
            bool first = step == 0 || ::stat((folder + "/journal").c_str(), &st) != 0;
            append(folder + "/journal", lines_, first ? O_TRUNC : 0);
            lines_.clear();
            return;
        }
}

void audit(const Plan& plan, const std::string& result, const std::string& reason) {
    nlohmann::json line{{"time", iso8601(system_clock()())},
                        {"who", caller()},
                        {"verb", plan.verb},
                        {"guest", plan.guest},
                        {"result", result},
                        {"reason", reason}};
    append(plan.pool + "/audit.log", line.dump() + "\n", 0);
}

}  // namespace clara

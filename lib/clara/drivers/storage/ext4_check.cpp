#include "clara/drivers/storage/ext4_check.hpp"

#include "clara/base/error.hpp"
#include "clara/base/process.hpp"

namespace clara {
namespace {

constexpr std::chrono::minutes check_limit{30};  // a data disk of some 100 GB on a slow pool

std::string last_line(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

}  // namespace

void settle_ext4(const std::string& path, const std::string& hint) {
    // man e2fsck: -p mends what needs no person and says 1 then, 4 where a person is needed.
    const RunResult result = run({"/sbin/e2fsck", "-f", "-p", path}, {.timeout = check_limit});
    if (result.status == 0 || result.status == 1) return;
    const std::string why = last_line(result.err.empty() ? result.out : result.err);
    throw Error(ErrorKind::failed, "its file system is damaged: " + why, hint);
}

}  // namespace clara

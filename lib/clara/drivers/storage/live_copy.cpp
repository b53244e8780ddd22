#include "clara/drivers/storage/live_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <thread>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/units.hpp"
#include "clara/drivers/storage/freeze.hpp"
#include "clara/drivers/storage/same_bytes.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds longest_pause{50};  // between two tries to find the disk quiet
constexpr int write_back_tries = 4;
constexpr std::size_t memory_limit = 64 << 20;  // bytes of differences kept until the thaw

struct stat examine(int fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw system_error("cannot examine the disk", errno);
    return st;
}

/// The loop device that a file system is mounted from.
class Device {
  public:
    explicit Device(int mount) {
        const dev_t number = examine(mount).st_dev;
        folder_ = fmt::format("/sys/dev/block/{}:{}", major(number), minor(number));
        path_ = fmt::format("/dev/block/{}:{}", major(number), minor(number));
        if (!exists(path_)) path_ = fmt::format("/dev/loop{}", minor(number));
    }

    void check_backs(int file) const {
        Fd device(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        loop_info64 info{};
        if (!device || ::ioctl(device.get(), LOOP_GET_STATUS64, &info) != 0)
            throw system_error("cannot examine " + path_, errno);
        const struct stat st = examine(file);
        if (info.lo_device != st.st_dev || info.lo_inode != st.st_ino)
            throw Error(ErrorKind::failed, path_ + " is mounted in the place of this guest's disk");
    }

    /// Whether the device counts what it does, which an administrator may have switched off.
    bool counts() const { return read_file(folder_ + "/queue/iostats").value_or("").starts_with('1'); }

    /// Writes under way and those done, in this order: a write that is in neither number has not begun.
    /// (Documentation/block/stat.rst: 5 and 7 are write requests and their sectors, 12 and 14 discards.)
    struct Sample {
        bool idle = false;
        std::vector<std::uint64_t> done;
    };
    Sample sample() const {
        Sample now;
        std::istringstream flying(read_file(folder_ + "/inflight").value_or(""));
        std::uint64_t reads = 0, writes = 0;
        now.idle = (flying >> reads >> writes) && writes == 0;
        std::istringstream fields(read_file(folder_ + "/stat").value_or(""));
        std::uint64_t value = 0;
        for (int field = 1; fields >> value; ++field)
            if (field == 5 || field == 7 || field == 12 || field == 14) now.done.push_back(value);
        now.idle = now.idle && now.done.size() == 4;
        return now;
    }

  private:
    std::string folder_, path_;
};

/// True: nothing was written while `to` was made equal to `from`.
bool copied_quietly(const Device& device, int from, int to, std::uint64_t size) {
    const auto before = device.sample();
    if (!before.idle) return false;
    differences(from, to, size, [&](std::uint64_t at, std::string_view bytes) { write_at(to, at, bytes); });
    const auto after = device.sample();
    return after.idle && after.done == before.done;
}

bool wait_for_quiet(const Device& device, int from, int to, std::uint64_t size, milliseconds patience) {
    if (!device.counts()) return false;
    const auto deadline = steady_clock::now() + patience;
    for (milliseconds pause{1}; steady_clock::now() < deadline; pause = std::min(2 * pause, longest_pause)) {
        if (copied_quietly(device, from, to, size)) return true;
        throw_if_interrupted();
        std::this_thread::sleep_for(pause);
    }
    return false;
}

/// A freeze begins with writing all that is not on the disk yet, which nothing can cut short once it has
/// begun. So that is done before, until little is left; a guest that writes more meanwhile is not frozen at
/// all.
void write_back(int mount, milliseconds limit) {
    for (int i = 0; i < write_back_tries; ++i) {
        const auto began = steady_clock::now();
        if (::syncfs(mount) != 0) throw system_error("cannot write the guest's disk", errno);
        if (steady_clock::now() - began <= limit / 2) return;
        throw_if_interrupted();
    }
    throw Error(ErrorKind::failed,
                "it writes so much that writes would be blocked for more than " + duration_text(limit),
                too_busy_hint);
}

/// The test hook: CLARA_TEST_FREEZE=KILL ends us while writes are blocked.
void end_for_test() {
    const char* hook = std::getenv("CLARA_TEST_FREEZE");
    if (hook && std::string(hook) == "KILL") ::raise(SIGKILL);
}

/// Differences are only remembered while the file system is frozen, and written when it is not.
std::chrono::microseconds copy_frozen(int mount, int from, int to, std::uint64_t size, milliseconds limit) {
    struct Piece {
        std::uint64_t at;
        std::size_t begin, length;
    };
    std::vector<Piece> pieces;
    std::string bytes;
    auto flush = [&] {
        for (const auto& piece : pieces)
            write_at(to, piece.at, std::string_view(bytes).substr(piece.begin, piece.length));
        pieces.clear();
        bytes.clear();
    };
    write_back(mount, limit);
    Freeze freeze(mount, limit);
    end_for_test();
    differences(from, to, size, [&](std::uint64_t at, std::string_view more) {
        if (bytes.size() + more.size() > memory_limit) flush();
        pieces.push_back({at, bytes.size(), more.size()});
        bytes += more;
    });
    const auto blocked = freeze.thaw();
    flush();
    return blocked;
}

}  // namespace

std::string LiveCopy::text() const {
    switch (how) {
        case How::cloned:
            return "cloned, no write was blocked";
        case How::quiet:
            return "no write was blocked";
        case How::frozen:
            break;
    }
    return fmt::format("writes were blocked for {:.1f} ms", static_cast<double>(blocked.count()) / 1000);
}

LiveCopy copy_live(int from, int mount, int to, const LiveLimits& limits) {
    const Device device(mount);
    device.check_backs(from);
    if (::syncfs(mount) != 0) throw system_error("cannot write the guest's disk", errno);
    if (::ioctl(to, FICLONE, from) == 0) return {.how = LiveCopy::How::cloned};
    const auto size = static_cast<std::uint64_t>(examine(from).st_size);
    if (::ftruncate(to, static_cast<off_t>(size)) != 0) throw system_error("cannot make the copy", errno);
    differences(from, to, size, [&](std::uint64_t at, std::string_view bytes) { write_at(to, at, bytes); });
    if (wait_for_quiet(device, from, to, size, limits.patience)) return {.how = LiveCopy::How::quiet};
    return {copy_frozen(mount, from, to, size, limits.freeze_limit), LiveCopy::How::frozen};
}

}  // namespace clara

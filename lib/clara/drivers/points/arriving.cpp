#include "clara/drivers/points/arriving.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/points/sums.hpp"

namespace clara::points {
namespace {

std::string read_range(int file, const PointFile& listed, std::size_t range) {
    const StallScope scope("reading from the store");
    const std::uint64_t at = range * digest_range;
    std::string bytes(std::min<std::uint64_t>(digest_range, listed.size - std::min(listed.size, at)), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
        const ssize_t got =
            ::pread(file, bytes.data() + have, bytes.size() - have, static_cast<off_t>(at + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw system_error("cannot read " + listed.name, errno);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
}

bool fits(const std::string& bytes, const PointFile& listed, std::size_t range) {
    return hex(digest_of(bytes)) == listed.ranges[range];
}

void write_range(int file, const std::string& bytes, std::uint64_t at, const std::string& name) {
    const StallScope scope("writing to the store");
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t put =
            ::pwrite(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(at + done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw system_error("cannot write " + name, errno);
        done += static_cast<std::size_t>(put);
    }
    // On its way at once, so that the fsync at the end has little left to do. It is an advice, fsync tells.
    ::sync_file_range(file, static_cast<off_t>(at), static_cast<off_t>(bytes.size()), SYNC_FILE_RANGE_WRITE);
}

}  // namespace

Arriving::Arriving(int source, int folder, const PointFile& listed, std::string what)
    : source_(source),
      listed_(listed),
      what_(std::move(what)),
      file_(::openat(folder, listed.name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640)) {
    if (!file_) throw system_error("cannot make " + listed.name, errno);
}

/// How many ranges, from the first on, have come whole.
std::size_t Arriving::arrived() {
    for (std::size_t range = 0; range < listed_.ranges.size(); ++range)
        if (!fits(read_range(file_.get(), listed_, range), listed_, range)) return range;
    return listed_.ranges.size();
}

void Arriving::take(Pace& pace) {
    for (std::size_t range = arrived(); range < listed_.ranges.size(); ++range) {
        throw_if_interrupted();
        log::status(
            fmt::format("copying {}: {} {} %", what_, listed_.name, range * 100 / listed_.ranges.size()));
        const std::string bytes = read_range(source_, listed_, range);
        if (!fits(bytes, listed_, range))
            throw Error(
                ErrorKind::failed,
                fmt::format("{} of {} is damaged from byte {} on", listed_.name, what_, range * digest_range),
                "it was not copied: clara-backup verify " + what_.substr(0, what_.find('/')));
        pace.wait(bytes.size());
        write_range(file_.get(), bytes, range * digest_range, listed_.name);
    }
    const StallScope scope("writing to the store");
    if (::ftruncate(file_.get(), static_cast<off_t>(listed_.size)) != 0)
        throw system_error("cannot write " + listed_.name, errno);
    fsync_or_throw(file_.get(), listed_.name);
}

}  // namespace clara::points

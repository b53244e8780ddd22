#include "clara/drivers/points/verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <mutex>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/large_buffer.hpp"
#include "clara/base/stall.hpp"

namespace clara::points {
namespace {

constexpr std::size_t alignment = 4096;  // O_DIRECT: of buffer, offset and length
constexpr std::size_t most_texts = 20;   // a disk that is gone needs no million lines

/// Runs work(0) ... work(count - 1) on several threads, and throws what one of them threw.
void in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr failure;
    auto run = [&] {
        try {
            for (std::size_t i; (i = next++) < count;) {
                throw_if_interrupted();
                work(i);
            }
        } catch (...) {
            std::lock_guard guard(mutex);
            failure = std::current_exception();
            next = count;
        }
    };
    {
        std::vector<std::jthread> helpers;
        for (unsigned i = 1; i < threads; ++i) helpers.emplace_back(run);
        run();
    }
    if (failure) std::rethrow_exception(failure);
}

/// Reads past the page cache: by O_DIRECT, or where the file system knows none, after dropping its pages.
Fd open_uncached(int folder, const std::string& name) {
    Fd file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_DIRECT));
    if (file || errno != EINVAL) return file;
    file = Fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (file) ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    return file;
}

struct Range {
    std::size_t file = 0, range = 0;
};

/// Bytes that were read; fewer at the file's end, or -errno.
ssize_t read_range(int file, char* to, std::uint64_t at) {
    const StallScope scope("reading from the store");
    std::size_t have = 0;
    while (have < digest_range) {
        const ssize_t got = ::pread(file, to + have, digest_range - have, static_cast<off_t>(at + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        have += static_cast<std::size_t>(got);
        if (got == 0 || static_cast<std::size_t>(got) % alignment != 0) break;
    }
    return static_cast<ssize_t>(have);
}

std::string look_at(int file, const PointFile& listed, std::size_t range) {
    thread_local const LargeBuffer buffer(digest_range);
    const std::uint64_t at = range * digest_range;
    const std::uint64_t length = std::min<std::uint64_t>(digest_range, listed.size - at);
    const ssize_t got = read_range(file, buffer.data(), at);
    const std::string where = fmt::format("{}: bytes {} to {}", listed.name, at, at + length - 1);
    if (got < 0) return where + system_error(" cannot be read", static_cast<int>(-got)).message();
    if (static_cast<std::uint64_t>(got) < length) return where + " are not all there";
    if (hex(digest_of(buffer.first(length))) != listed.ranges[range])
        return where + " are not what was written";
    return {};
}

}  // namespace

std::vector<std::string> verify_stored(int folder, const PointInfo& info, const VerifyOptions& options) {
    std::vector<std::string> wrong;
    std::vector<Fd> files(info.files.size());
    std::vector<Range> ranges;
    for (std::size_t i = 0; i < info.files.size(); ++i) {
        const PointFile& listed = info.files[i];
        files[i] = open_uncached(folder, listed.name);
        struct stat st {};
        if (!files[i] || ::fstat(files[i].get(), &st) != 0) {
            wrong.push_back(system_error(listed.name + " cannot be opened", errno).message());
            continue;
        }
        if (static_cast<std::uint64_t>(st.st_size) != listed.size)
            wrong.push_back(
                fmt::format("{} has {} bytes, {} were written", listed.name, st.st_size, listed.size));
        if (listed.ranges.size() != (listed.size + digest_range - 1) / digest_range)
            throw Error(ErrorKind::failed, "the digests of " + listed.name + " were not read");
        for (std::size_t range = 0; range < listed.ranges.size(); ++range) ranges.push_back({i, range});
    }
    std::mutex mutex;
    std::atomic<std::uint64_t> done{0};
    in_parallel(ranges.size(), options.threads, [&](std::size_t i) {
        const auto& [file, range] = ranges[i];
        std::string text = look_at(files[file].get(), info.files[file], range);
        done += digest_range;
        if (options.progress) options.progress(done);
        if (text.empty()) return;
        std::lock_guard guard(mutex);
        if (wrong.size() < most_texts) wrong.push_back(std::move(text));
    });
    return wrong;
}

std::vector<std::string> verify_content(const PackedReader& disk, const Sums& sums, const std::string& name,
                                        const VerifyOptions& options) {
    std::vector<std::string> wrong;
    const auto& clusters = disk.clusters();
    if (clusters.size() != sums.size()) return {name + " and its digests do not fit together"};
    std::mutex mutex;
    in_parallel(clusters.size(), options.threads, [&](std::size_t i) {
        thread_local std::string content(cluster_size, '\0');
        std::string text;
        const bool zero = clusters[i].kind == PackedReader::Kind::zero;
        try {
            if (clusters[i].index != sums[i].cluster) {
                text = name + " and its digests do not fit together";
            } else if (!zero) {
                disk.content(clusters[i], content.data());
            }
            if (text.empty() && (zero ? zero_digest : digest_of(content)) != sums[i].digest)
                text = fmt::format("{}: the block at {} is not what was read", name,
                                   sums[i].cluster * cluster_size);
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::failed) throw;
            text = e.message();
        }
        if (text.empty()) return;
        std::lock_guard guard(mutex);
        if (wrong.size() < most_texts) wrong.push_back(std::move(text));
    });
    return wrong;
}

}  // namespace clara::points

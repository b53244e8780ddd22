#include "clara/drivers/points/pack.hpp"

#include <zstd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/large_buffer.hpp"
#include "clara/drivers/points/pace.hpp"

namespace clara::points {
namespace {

constexpr std::uint64_t unit_clusters = 16;  // 1 MiB: one read
constexpr std::size_t ahead = 32;            // units that are done before it is their turn, at most
constexpr std::size_t dense_from = cluster_size * 95 / 100;  // bytes of a frame: compression gains nothing

/// Clusters that are worked on in one go.
struct Unit {
    std::uint64_t first = 0, count = 0;
    bool data = false;  ///< else all of it is zero
};

struct Piece {
    std::uint64_t cluster = 0;
    Digest digest{};
    std::string bytes;   ///< empty: zero
    bool dense = false;  ///< could not be compressed, and is not
};

std::uint64_t clusters_of(std::uint64_t bytes) {
    return (bytes + cluster_size - 1) / cluster_size;
}

/// Extents as whole clusters, ascending and without overlap.
std::vector<Unit> in_clusters(const std::vector<Extent>& extents) {
    std::vector<Unit> units;
    for (const auto& extent : extents) {
        if (extent.length == 0) continue;
        std::uint64_t first = extent.offset / cluster_size;
        const std::uint64_t end = clusters_of(extent.offset + extent.length);
        if (!units.empty()) first = std::max(first, units.back().first + units.back().count);
        if (first >= end) continue;
        if (!units.empty() && units.back().first + units.back().count == first)
            units.back().count += end - first;
        else
            units.push_back({first, end - first});
    }
    return units;
}

void add_split(std::vector<Unit>& units, std::uint64_t first, std::uint64_t end) {
    for (; first < end; first += unit_clusters)
        units.push_back({first, std::min(unit_clusters, end - first), true});
}

std::vector<Unit> units_of(Source& source) {
    std::vector<Unit> units;
    for (const auto& candidate : in_clusters(source.candidates())) {
        std::uint64_t at = candidate.first;
        const std::uint64_t end = candidate.first + candidate.count;
        for (const auto& data :
             in_clusters(source.data({candidate.first * cluster_size, candidate.count * cluster_size}))) {
            if (data.first > at) units.push_back({at, data.first - at, false});
            add_split(units, data.first, data.first + data.count);
            at = data.first + data.count;
        }
        if (at < end) units.push_back({at, end - at, false});
    }
    return units;
}

bool all_zero(const char* bytes, std::size_t length) {
    return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, length - 1) == 0;
}

/// What one thread needs.
class Worker {
  public:
    Worker(Source& source, const Sums& parent, int level)
        : reader_(source.reader()),
          size_(source.size()),
          parent_(parent),
          context_(::ZSTD_createCCtx()),
          buffer_(unit_clusters * cluster_size),
          frame_(::ZSTD_compressBound(cluster_size), '\0') {
        if (!context_ ||
            ::ZSTD_isError(::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level)))
            throw Error(ErrorKind::failed, "zstd cannot be set up");
    }

    std::vector<Piece> work(const Unit& unit) { return unit.data ? read(unit) : zeros(unit); }

  private:
    /// Where the parent has something, and only there, zeros have to be written down.
    std::vector<Piece> zeros(const Unit& unit) {
        std::vector<Piece> pieces;
        auto at = std::lower_bound(parent_.begin(), parent_.end(), unit.first,
                                   [](const Sum& sum, std::uint64_t first) { return sum.cluster < first; });
        for (; at != parent_.end() && at->cluster < unit.first + unit.count; ++at)
            if (at->digest != zero_digest) pieces.push_back({at->cluster, zero_digest});
        return pieces;
    }

    std::vector<Piece> read(const Unit& unit) {
        const std::uint64_t offset = unit.first * cluster_size;
        const std::uint64_t length = std::min(unit.count * cluster_size, size_ - offset);
        reader_->read(offset, buffer_.data(), length);
        std::fill(buffer_.data() + length, buffer_.data() + buffer_.size(), '\0');
        std::vector<Piece> pieces;
        for (std::uint64_t i = 0; i < unit.count; ++i) {
            const std::string_view content(buffer_.data() + i * cluster_size, cluster_size);
            const Digest* before = find(parent_, unit.first + i);
            if (all_zero(content.data(), content.size())) {
                if (before && *before != zero_digest) pieces.push_back({unit.first + i, zero_digest});
                continue;
            }
            const Digest digest = digest_of(content);
            if (before && *before == digest) continue;
            pieces.push_back(compressed(unit.first + i, digest, content));
        }
        return pieces;
    }

    Piece compressed(std::uint64_t cluster, const Digest& digest, std::string_view content) {
        const std::size_t length =
            ::ZSTD_compress2(context_.get(), frame_.data(), frame_.size(), content.data(), content.size());
        if (::ZSTD_isError(length))
            throw Error(ErrorKind::failed, std::string("zstd: ") + ::ZSTD_getErrorName(length));
        const bool dense = length > dense_from;
        return {cluster, digest, dense ? std::string(content) : frame_.substr(0, length), dense};
    }

    std::unique_ptr<Source::Reader> reader_;
    std::uint64_t size_;
    const Sums& parent_;
    std::unique_ptr<ZSTD_CCtx, FreeWith<::ZSTD_freeCCtx>> context_;
    LargeBuffer buffer_;
    std::string frame_;
};

/// Units in, pieces out, in order.
class Line {
  public:
    Line(Source& source, const Sums& parent, const PackOptions& options)
        : units_(units_of(source)), pace_(options.rate) {
        for (unsigned i = 0; i < std::max(1U, options.threads); ++i)
            threads_.emplace_back([this, &source, &parent, level = options.level](std::stop_token stop) {
                run(stop, source, parent, level);
            });
    }
    ~Line() {
        for (auto& thread : threads_) thread.request_stop();
        { std::lock_guard guard(mutex_); }  // nobody is between looking and sleeping
        changed_.notify_all();
    }

    const std::vector<Unit>& units() const { return units_; }

    std::vector<Piece> take(std::size_t index) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return done_.count(index) || failure_; });
        if (failure_) std::rethrow_exception(failure_);
        auto pieces = std::move(done_.extract(index).mapped());
        taken_ = index + 1;
        changed_.notify_all();
        return pieces;
    }

  private:
    void run(const std::stop_token& stop, Source& source, const Sums& parent, int level) try {
        Worker worker(source, parent, level);
        for (;;) {
            std::size_t index = 0;
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] {
                    return stop.stop_requested() || next_ >= units_.size() || next_ < taken_ + ahead;
                });
                if (stop.stop_requested() || next_ >= units_.size()) return;
                index = next_++;
            }
            if (units_[index].data) pace_.wait(units_[index].count * cluster_size);
            auto pieces = worker.work(units_[index]);
            std::lock_guard guard(mutex_);
            done_[index] = std::move(pieces);
            changed_.notify_all();
        }
    } catch (...) {
        std::lock_guard guard(mutex_);
        if (!failure_) failure_ = std::current_exception();
        changed_.notify_all();
    }

    std::vector<Unit> units_;
    Pace pace_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::size_t, std::vector<Piece>> done_;
    std::size_t next_ = 0, taken_ = 0;
    std::exception_ptr failure_;
    std::vector<std::jthread> threads_;  // last: they end before what they use
};

void put(const Piece& piece, PackedWriter& to, Packed& packed) {
    if (piece.bytes.empty())
        to.add_zero(piece.cluster);
    else if (piece.dense)
        to.add_plain(piece.cluster, piece.bytes);
    else
        to.add_compressed(piece.cluster, piece.bytes);
    packed.sums.push_back({piece.cluster, piece.digest});
    packed.disk.changed += cluster_size;
    if (piece.bytes.empty()) packed.disk.zeroed += cluster_size;
    if (piece.dense) packed.disk.dense += cluster_size;
}

}  // namespace

Packed pack(Source& source, const Sums& parent, PackedWriter& to, PointFile& file,
            const PackOptions& options) {
    Packed packed;
    packed.disk.size = source.size();
    Line line(source, parent, options);
    std::uint64_t all = 0;
    for (const auto& unit : line.units())
        if (unit.data) all += unit.count * cluster_size;
    for (std::size_t i = 0; i < line.units().size(); ++i) {
        throw_if_interrupted();
        for (const auto& piece : line.take(i)) put(piece, to, packed);
        if (!line.units()[i].data) continue;
        packed.disk.read += line.units()[i].count * cluster_size;
        if (options.progress) options.progress(packed.disk.read, all);
    }
    file = to.finish();
    const Sums whole = merged(parent, packed.sums);
    for (const auto& sum : whole)
        if (sum.digest != zero_digest) packed.disk.data += cluster_size;
    packed.disk.content = content_of(whole);
    return packed;
}

}  // namespace clara::points

#include "clara/drivers/points/stored_stream.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/stall.hpp"
#include "clara/drivers/points/sums.hpp"

namespace clara::points {
namespace {

constexpr std::size_t piece = 1 << 20;      // bytes of one write
constexpr std::size_t page = 4096;          // zeros of this size become a hole
constexpr std::uint64_t behind = 32 << 20;  // bytes that may wait in the host's page cache

bool is_zero(std::string_view bytes) {
    return bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace

void StoredStream::FreeContext::operator()(evp_md_ctx_st* context) const {
    ::EVP_MD_CTX_free(context);
}

StoredStream::StoredStream(int file)
    : file_(file), head_(digest_range), pending_(piece), context_(::EVP_MD_CTX_new()) {
    if (!context_ || ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) != 1)
        throw Error(ErrorKind::failed, "OpenSSL computes no SHA-256");
    stored_.ranges.emplace_back();  // of the beginning, known last
}

StoredStream::~StoredStream() = default;

void StoredStream::append(std::string_view bytes) {
    size_ += bytes.size();
    const std::size_t first = std::min(bytes.size(), head_.size() - in_head_);
    std::copy_n(bytes.data(), first, head_.data() + in_head_);
    in_head_ += first;
    bytes.remove_prefix(first);
    while (!bytes.empty()) {
        const std::size_t length = std::min(bytes.size(), pending_.size() - in_pending_);
        std::copy_n(bytes.data(), length, pending_.data() + in_pending_);
        in_pending_ += length;
        bytes.remove_prefix(length);
        if (in_pending_ == pending_.size()) flush();
    }
}

void StoredStream::pad(std::uint64_t unit) {
    const std::uint64_t rest = size_ % unit;
    if (rest != 0) append(std::string(unit - rest, '\0'));
}

void StoredStream::put_head(std::string_view bytes) {
    std::copy(bytes.begin(), bytes.end(), head_.data());
}

void StoredStream::flush() {
    write_out(flushed_, pending_.first(in_pending_));
    digest(pending_.first(in_pending_));
    flushed_ += in_pending_;
    in_pending_ = 0;
    if (flushed_ - written_back_ < behind) return;
    // A nightly run must not push what guests use out of the host's memory.
    const StallScope scope("writing to the store");
    ::sync_file_range(file_, static_cast<off_t>(written_back_), static_cast<off_t>(flushed_ - written_back_),
                      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
    ::posix_fadvise(file_, 0, static_cast<off_t>(written_back_), POSIX_FADV_DONTNEED);
    written_back_ = flushed_;
}

void StoredStream::write_out(std::uint64_t at, std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t to_page = page - at % page;
        if (bytes.size() >= to_page && is_zero(bytes.substr(0, to_page))) {
            bytes.remove_prefix(to_page);
            at += to_page;
            continue;
        }
        std::size_t length = std::min(to_page, bytes.size());
        while (length + page <= bytes.size() && !is_zero(bytes.substr(length, page))) length += page;
        if (bytes.size() - length < page) length = bytes.size();
        const StallScope scope("writing to the store");
        const ssize_t put = ::pwrite(file_, bytes.data(), length, static_cast<off_t>(at));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw system_error("cannot write to the store", errno);
        bytes.remove_prefix(static_cast<std::size_t>(put));
        at += static_cast<std::uint64_t>(put);
    }
}

void StoredStream::digest(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t length = std::min<std::size_t>(bytes.size(), digest_range - in_range_);
        if (::EVP_DigestUpdate(context_.get(), bytes.data(), length) != 1)
            throw Error(ErrorKind::failed, "OpenSSL computes no SHA-256");
        in_range_ += length;
        bytes.remove_prefix(length);
        if (in_range_ == digest_range) stored_.ranges.push_back(end_range());
    }
}

std::string StoredStream::end_range() {
    Digest digest{};
    if (::EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1 ||
        ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) != 1)
        throw Error(ErrorKind::failed, "OpenSSL computes no SHA-256");
    in_range_ = 0;
    return hex(digest);
}

PointFile StoredStream::finish() {
    flush();
    if (in_range_ > 0) stored_.ranges.push_back(end_range());
    write_out(0, head_.first(in_head_));
    stored_.ranges.front() = hex(digest_of(head_.first(in_head_)));
    stored_.size = size_;
    const StallScope scope("writing to the store");
    if (::ftruncate(file_, static_cast<off_t>(size_)) != 0)
        throw system_error("cannot write to the store", errno);
    fsync_or_throw(file_, "what was written to the store");
    return stored_;
}

}  // namespace clara::points

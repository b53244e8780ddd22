// A file that is written from front to end, but for its beginning, with the digests of its ranges.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "clara/base/large_buffer.hpp"
#include "clara/spec/point.hpp"

struct evp_md_ctx_st;

namespace clara::points {

class StoredStream {
  public:
    explicit StoredStream(int file);
    ~StoredStream();
    StoredStream(const StoredStream&) = delete;
    StoredStream& operator=(const StoredStream&) = delete;

    std::uint64_t size() const { return size_; }  ///< bytes so far
    void append(std::string_view bytes);
    void pad(std::uint64_t unit);  ///< with zeros, to a multiple of `unit` bytes
    /// Changes what lies in the first range (digest_range), which is written last.
    void put_head(std::string_view bytes);
    PointFile finish();  ///< fsyncs

  private:
    struct FreeContext {
        void operator()(evp_md_ctx_st* context) const;
    };
    void flush();
    void write_out(std::uint64_t at, std::string_view bytes);
    void digest(std::string_view bytes);
    std::string end_range();

    int file_;
    std::uint64_t size_ = 0, flushed_ = digest_range, written_back_ = 0;
    LargeBuffer head_, pending_;
    std::size_t in_head_ = 0, in_pending_ = 0;  ///< bytes
    std::uint64_t in_range_ = 0;
    PointFile stored_;
    std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

}  // namespace clara::points

#include <fmt/format.h>
#include <libnbd.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/drivers/points/source.hpp"

namespace clara::points {
namespace {

using Nbd = Handle<nbd_handle, nbd_close>;

// NBD answers for at most 4 GiB at once; less keeps single answers small.
constexpr std::uint64_t longest_question = 1ULL << 30;
constexpr std::uint32_t hole_or_zero = LIBNBD_STATE_HOLE | LIBNBD_STATE_ZERO;

Error nbd_error(const std::string& what) {
    const char* why = ::nbd_get_error();
    return {ErrorKind::failed, what + ": " + (why ? why : "?")};
}

/// For questions about these contexts, or without any for reading. Then answers come in one piece: where a
/// block cannot be read, QEMU 7.2 hangs up in the middle of an answer of several, and does not say why.
Nbd connect(const std::string& socket, const std::string& disk, const std::vector<std::string>& contexts) {
    Nbd nbd(::nbd_create());
    if (!nbd) throw nbd_error("cannot begin with NBD");
    if (::nbd_set_export_name(nbd.get(), disk.c_str()) != 0 ||
        ::nbd_set_request_structured_replies(nbd.get(), !contexts.empty()) != 0 ||
        std::any_of(
            contexts.begin(), contexts.end(),
            [&](const auto& context) { return ::nbd_add_meta_context(nbd.get(), context.c_str()) != 0; }) ||
        ::nbd_connect_unix(nbd.get(), socket.c_str()) != 0)
        throw nbd_error("cannot read disk " + disk + " from its QEMU");
    return nbd;
}

class NbdReader : public Source::Reader {
  public:
    explicit NbdReader(Nbd nbd) : nbd_(std::move(nbd)) {}
    void read(std::uint64_t offset, char* to, std::size_t length) override {
        if (::nbd_pread(nbd_.get(), to, length, offset, 0) == 0) return;
        Error error = nbd_error(fmt::format("the disk cannot be read at byte {}", offset));
        throw Error(ErrorKind::partial, error.message(),
                    "look at the disk below the pool (dmesg, smartctl); earlier points are kept");
    }

  private:
    Nbd nbd_;
};

class NbdSource : public Source {
  public:
    NbdSource(std::string socket, std::string disk, const std::string& bitmap)
        : socket_(std::move(socket)),
          disk_(std::move(disk)),
          context_(bitmap.empty() ? "" : "qemu:dirty-bitmap:" + bitmap),
          nbd_(connect(socket_, disk_, contexts())) {
        const std::int64_t size = ::nbd_get_size(nbd_.get());
        if (size < 0) throw nbd_error("the size of disk " + disk_ + " is not known");
        size_ = static_cast<std::uint64_t>(size);
        for (const auto& context : contexts())
            if (::nbd_can_meta_context(nbd_.get(), context.c_str()) != 1)
                throw Error(ErrorKind::failed, "QEMU does not tell '" + context + "' of disk " + disk_);
    }

    std::uint64_t size() const override { return size_; }

    std::vector<Extent> candidates() override {
        if (context_.empty()) return {{0, size_}};
        return ask(context_, {0, size_}, [](std::uint32_t flags) { return (flags & 1) != 0; });
    }
    std::vector<Extent> data(const Extent& within) override {
        return ask(LIBNBD_CONTEXT_BASE_ALLOCATION, within,
                   [](std::uint32_t flags) { return (flags & hole_or_zero) != hole_or_zero; });
    }
    std::unique_ptr<Reader> reader() override {
        return std::make_unique<NbdReader>(connect(socket_, disk_, {}));
    }

  private:
    std::vector<std::string> contexts() const {
        std::vector<std::string> all{LIBNBD_CONTEXT_BASE_ALLOCATION};
        if (!context_.empty()) all.push_back(context_);
        return all;
    }

    struct Answer {
        const std::string* context;
        std::uint64_t at, end;  ///< how far the answer reaches
        bool (*wanted)(std::uint32_t);
        std::vector<Extent>* found;
    };

    static int take(void* data, const char* context, std::uint64_t, std::uint32_t* entries, std::size_t count,
                    int*) {
        auto& answer = *static_cast<Answer*>(data);
        if (*answer.context != context) return 0;
        for (std::size_t i = 0; i + 1 < count; i += 2) {
            const std::uint64_t length = std::min<std::uint64_t>(entries[i], answer.end - answer.at);
            if (answer.wanted(entries[i + 1]) && length > 0) {
                auto& found = *answer.found;
                if (!found.empty() && found.back().offset + found.back().length == answer.at)
                    found.back().length += length;
                else
                    found.push_back({answer.at, length});
            }
            answer.at += length;
        }
        return 0;
    }

    std::vector<Extent> ask(const std::string& context, const Extent& within, bool (*wanted)(std::uint32_t)) {
        std::vector<Extent> found;
        const std::uint64_t end = std::min(size_, within.offset + within.length);
        for (std::uint64_t at = within.offset; at < end;) {
            Answer answer{&context, at, end, wanted, &found};
            if (::nbd_block_status(nbd_.get(), std::min(longest_question, end - at), at,
                                   {take, &answer, nullptr}, 0) != 0)
                throw nbd_error("cannot ask what lies on disk " + disk_);
            if (answer.at == at)
                throw Error(ErrorKind::failed, "QEMU does not say what lies on disk " + disk_);
            at = answer.at;
        }
        return found;
    }

    std::string socket_, disk_, context_;
    Nbd nbd_;
    std::uint64_t size_ = 0;
};

}  // namespace

std::unique_ptr<Source> nbd_source(const std::string& socket, const std::string& disk,
                                   const std::string& bitmap) {
    return std::make_unique<NbdSource>(socket, disk, bitmap);
}

}  // namespace clara::points

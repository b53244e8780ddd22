// The header of a qcow2 file, read by ourselves: the backing chains of hundreds of guests in milliseconds.
// Format: QEMU docs/interop/qcow2.txt. The file may come from anywhere, so nothing in it is believed unseen.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clara {

struct Qcow2Header {
    unsigned version = 0;        ///< 2 or 3
    std::uint64_t size = 0;      ///< bytes the guest sees
    std::string backing;         ///< as written, e.g. ../../images/NAME@DIGEST/disk.qcow2; empty: none
    std::string backing_format;  ///< empty: not written
    bool external_data = false;  ///< the data lies in another file, wherever that is
    bool dirty = false;          ///< not closed by its last writer (only with lazy refcounts)
    bool corrupt = false;        ///< QEMU found it so and refuses to write
    bool encrypted = false;
};

/// How much of a file's beginning parse_qcow2_header() needs, bytes.
constexpr std::size_t qcow2_head = 64 << 10;

/// True where the text begins as a qcow2 file does. Never a reason to take raw data for one.
bool looks_like_qcow2(std::string_view head);

/// `head` is the beginning of the file, at most qcow2_head bytes. Error{refused} says what is wrong with it.
Qcow2Header parse_qcow2_header(std::string_view head);

/// Of an open file; `name` is for the error.
Qcow2Header read_qcow2_header(int fd, const std::string& name);
Qcow2Header read_qcow2_header(const std::string& path);

}  // namespace clara

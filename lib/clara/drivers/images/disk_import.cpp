#include "clara/drivers/images/disk_import.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/disks/convert.hpp"

namespace clara {

std::optional<std::string> format_by_magic(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd) throw system_error("cannot open " + path, errno);
    std::array<char, 68> head{};
    const ssize_t got = ::read(fd.get(), head.data(), head.size());
    if (got < 0) throw system_error("cannot read " + path, errno);
    const std::string_view text(head.data(), static_cast<std::size_t>(got));
    if (text.starts_with("QFI\xfb")) return "qcow2";
    if (text.starts_with("KDMV") || text.starts_with("COWD") || text.starts_with("# Disk DescriptorFile"))
        return "vmdk";
    if (text.size() == head.size() && text.substr(64) == "\x7f\x10\xda\xbe")
        return "vdi";  // QEMU block/vdi.c
    return std::nullopt;
}

void import_disk(const std::string& path, const std::string& format, const std::string& target) {
    int last = -1;
    convert_disk(path, format, target, {.trust = Trust::foreign, .progress = [&](double percent) {
                                            if (static_cast<int>(percent) == last) return;
                                            last = static_cast<int>(percent);
                                            log::status(fmt::format("copying {}: {} %", path, last));
                                        }});
}

}  // namespace clara

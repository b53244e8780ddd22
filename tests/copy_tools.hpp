// What tests of copied disks share.
#pragma once
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/storage/mount.hpp"

namespace clara {

inline constexpr std::uint64_t MiB = 1 << 20;

/// 20 MiB of which every other MiB holds data, and a last piece that is no whole block.
inline std::string make_source(const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    std::string data(MiB, '\0');
    for (unsigned i = 0; i < 20; ++i) {
        for (std::size_t at = 0; at < data.size(); ++at)
            data[at] = i % 2 ? static_cast<char>(i * 31 + at * 7 + at / 4096) : '\0';
        file << data;
    }
    file << std::string(512, 'e');
    return path;
}

inline bool same(const std::string& raw, const std::string& qcow2) {
    return run({"qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, qcow2}).status == 0;
}

/// A tmpfs of that size as a pool.
struct SmallPool {
    Fd mount, root;
    std::string path;
    explicit SmallPool(const std::string& size)
        : mount(new_mount("tmpfs", "", {{"size", size}})),
          root(open_dir_at(mount.get(), ".")),
          path("/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(root.get())) {}
};

inline std::vector<std::string> hidden(const std::string& folder) {
    auto names = list_dir(folder);
    std::erase_if(names, [](const std::string& name) { return name[0] != '.'; });
    return names;
}

}  // namespace clara

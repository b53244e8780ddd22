// Images and the recipes they are built from.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace clara {

/// One layer of a recipe; layers are applied in order, later files win.
struct ImageLayer {
    enum class Kind { recipe, host_packages, mmdebstrap, script, folder, tar, file } kind;
    std::string path;  ///< recipe name, script, folder or tar (absolute after reading); file: target
    std::vector<std::string> packages;  ///< host_packages, mmdebstrap
    std::string variant = "minbase";    ///< mmdebstrap
    std::string suite = "bookworm";     ///< mmdebstrap
    std::string content;                ///< file
    unsigned mode = 0644;               ///< file
};

struct ImageRecipe {
    std::string name;
    std::string description;
    std::string init = "clara";  ///< clara | system
    std::vector<ImageLayer> layers;
    std::string compression;          ///< mkfs.erofs -z, e.g. lz4hc; empty: plain (fastest to start)
    std::string kind = "lxc";         ///< lxc (a root file system) | kvm (a disk that boots)
    std::uint64_t disk = 2ULL << 30;  ///< kvm: bytes the guest sees
    std::string kernel = "linux-image-cloud-amd64";  ///< kvm: Debian package, where the tree has no kernel
};

/// image.yaml beside image.erofs or disk.qcow2.
struct ImageInfo {
    std::string name;
    std::string digest;  ///< 64 hex digits: SHA-256 of the file
    std::string description;
    std::string init = "clara";
    std::string kind = "lxc";           ///< lxc (image.erofs) | kvm (disk.qcow2)
    std::uint64_t size = 0;             ///< bytes of the file
    std::uint64_t disk = 0;             ///< kvm: bytes the guest sees
    std::string created;                ///< UTC, ISO 8601
    std::string recipe;                 ///< path or "import PATH"
    std::vector<std::string> contents;  ///< packages with versions, "procserv 2.7.0-1"
    /// Folder name in POOL/images: NAME@ and the first 12 digits.
    std::string id() const { return name + "@" + digest.substr(0, 12); }
    /// Name of its file in that folder.
    const char* file() const { return kind == "kvm" ? "disk.qcow2" : "image.erofs"; }
};

ImageRecipe read_recipe(const std::string& file);
std::string write_image_info(const ImageInfo& info);
ImageInfo read_image_info(const std::string& yaml, const std::string& where);

}  // namespace clara

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
    std::string compression;  ///< mkfs.erofs -z, e.g. lz4hc; empty: plain (fastest to start)
};

/// image.yaml beside image.erofs.
struct ImageInfo {
    std::string name;
    std::string digest;  ///< 64 hex digits: SHA-256 of image.erofs
    std::string description;
    std::string init = "clara";
    std::string kind = "lxc";           ///< lxc (image.erofs) | kvm (disk.qcow2)
    std::uint64_t size = 0;             ///< bytes of image.erofs
    std::string created;                ///< UTC, ISO 8601
    std::string recipe;                 ///< path or "import PATH"
    std::vector<std::string> contents;  ///< packages with versions, "procserv 2.7.0-1"
    /// Folder name in POOL/images: NAME@ and the first 12 digits.
    std::string id() const { return name + "@" + digest.substr(0, 12); }
};

ImageRecipe read_recipe(const std::string& file);
std::string write_image_info(const ImageInfo& info);
ImageInfo read_image_info(const std::string& yaml, const std::string& where);

}  // namespace clara

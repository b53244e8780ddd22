#include "clara/ops/source.hpp"

#include <algorithm>

#include "clara/ops/identity/parts.hpp"
#include "clara/ops/identity/text.hpp"
#include "clara/ops/inside.hpp"

namespace clara {
namespace {

using identity::lines_of;
using identity::trimmed;
using identity::unquoted;
using identity::words_of;

// Types of partitions in a GPT (UEFI specification 5.3.3; GRUB's manual "BIOS installation").
constexpr const char* efi_system = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
constexpr const char* bios_boot = "21686148-6449-6e6f-744e-656564454649";

/// The value that a shell reading the files one after the other ends with.
std::string assigned(const GuestTree& tree, const std::vector<std::string>& files, const std::string& key) {
    std::string value;
    for (const auto& file : files)
        for (const auto& line : lines_of(tree.read(file).value_or("")))
            if (const std::string bare = trimmed(line); bare.starts_with(key + "="))
                value = unquoted(trimmed(bare.substr(key.size() + 1)));
    return value;
}

std::vector<std::string> files_in(const GuestTree& tree, const std::vector<std::string>& folders) {
    std::vector<std::string> files;
    for (const auto& folder : folders)
        for (const auto& name : tree.list(folder)) files.push_back(folder + "/" + name);
    return files;
}

bool has_word(const GuestTree& tree, const std::string& file, const std::string& wanted) {
    for (const auto& line : lines_of(tree.read(file).value_or("")))
        if (const auto words = words_of(line); !words.empty() && words[0] == wanted) return true;
    return false;
}

/// Debian's initramfs-tools, initramfs.conf(5): "most" takes all drivers of disks.
bool initramfs_tools_has_virtio(const GuestTree& tree) {
    std::vector<std::string> files{"/etc/initramfs-tools/initramfs.conf"};
    if (!tree.exists(files[0])) return false;
    for (auto& file : files_in(tree, {"/usr/share/initramfs-tools/conf.d", "/etc/initramfs-tools/conf.d"}))
        files.push_back(std::move(file));
    const std::string modules = assigned(tree, files, "MODULES");
    if (modules.empty() || modules == "most") return true;
    const std::string list = "/etc/initramfs-tools/modules";
    return has_word(tree, list, "virtio_blk") && has_word(tree, list, "virtio_pci");
}

/// dracut.conf(5): made for this one host, unless it is told otherwise.
bool dracut_has_virtio(const GuestTree& tree) {
    if (!tree.exists("/usr/bin/dracut") && !tree.exists("/usr/sbin/dracut") && !tree.exists("/sbin/dracut"))
        return false;
    auto files = files_in(tree, {"/usr/lib/dracut/dracut.conf.d", "/etc/dracut.conf.d"});
    files.insert(files.begin(), "/etc/dracut.conf");
    for (const auto& file : files)
        for (const auto& line : lines_of(tree.read(file).value_or("")))
            if (const std::string bare = trimmed(line);
                (bare.starts_with("add_drivers+=") || bare.starts_with("force_drivers+=")) &&
                bare.find("virtio_blk") != std::string::npos)
                return true;
    return assigned(tree, files, "hostonly") == "no";
}

/// Of modules.builtin or of the folders of modules: virtio_blk is there, with the bus it sits on.
bool built_in(const std::string& list) {
    return list.find("/virtio_blk.ko") != std::string::npos &&
           list.find("/virtio_pci.ko") != std::string::npos;
}

bool has_module(const GuestTree& tree, const std::string& folder, const std::string& name) {
    const auto files = tree.list(folder);
    return std::any_of(files.begin(), files.end(),
                       [&](const std::string& file) { return file.starts_with(name + ".ko"); });
}

bool has_initramfs(const GuestTree& tree, const std::string& version) {
    for (const auto& name : {"initrd.img-" + version, "initramfs-" + version + ".img", "initrd-" + version})
        if (tree.exists("/boot/" + name)) return true;
    return false;
}

}  // namespace

bool boots_from_virtio(const GuestTree& tree) {
    if (tree.exists(inside::init_json)) return true;  // clara's own image
    const bool by_rule = initramfs_tools_has_virtio(tree) || dracut_has_virtio(tree);
    bool any = false;
    for (const std::string folder : {"/lib/modules", "/usr/lib/modules"}) {
        for (const auto& version : tree.list(folder)) {
            const std::string modules = folder + "/" + version;
            any = true;
            if (built_in(tree.read(modules + "/modules.builtin").value_or(""))) continue;
            const bool there = has_module(tree, modules + "/kernel/drivers/block", "virtio_blk") &&
                               has_module(tree, modules + "/kernel/drivers/virtio", "virtio_pci");
            if (!by_rule || !there || !has_initramfs(tree, version)) return false;
        }
        if (any) return true;
    }
    return false;
}

void read_linux(const GuestTree& tree, SourceFact& fact) {
    fact.virtio = boots_from_virtio(tree);
    fact.hostname = identity::old_name(tree);
    // What would be changed says what there is.
    Identity any;
    any.hostname = "any";
    any.address = NewAddress{};
    IdentityPlan unused;
    fact.address = Ipv4::parse(identity::plan_network(tree, any, unused));
}

std::string firmware_of(const std::vector<Volume>& volumes, bool boot_code) {
    auto any_is = [&](auto matches) { return std::any_of(volumes.begin(), volumes.end(), matches); };
    const bool windows = any_is([](const Volume& v) { return v.type == "ntfs" || v.type == "BitLocker"; });
    if (any_is([](const Volume& v) { return v.part_type == bios_boot; })) return "bios";
    if (!any_is([](const Volume& v) { return v.part_type == efi_system || v.part_type == "0xef"; }))
        return "bios";
    const bool gpt = any_is([](const Volume& v) { return v.part_type == efi_system; });
    return !boot_code || (windows && gpt) ? "uefi" : "bios";
}

}  // namespace clara

#include "clara/spec/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "clara/spec/names.hpp"

namespace clara {
namespace {

constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

/// 1 to `longest` characters, each from one of the sets or from `more`, the first one not from `not_first`.
bool made_of(const std::string& word, std::size_t longest, std::initializer_list<std::string_view> sets,
             std::string_view more = "", std::string_view not_first = "") {
    auto allowed = [&](char c) {
        return more.find(c) != more.npos ||
               std::any_of(sets.begin(), sets.end(), [&](auto set) { return set.find(c) != set.npos; });
    };
    return !word.empty() && word.size() <= longest && std::all_of(word.begin(), word.end(), allowed) &&
           not_first.find(word.front()) == not_first.npos;
}

std::string unless(bool good, const std::string& problem) {
    return good ? "" : problem;
}

}  // namespace

std::string image_name_problem(const std::string& name) {
    return unless(made_of(name, 64, {lower, digits}, "._-", "._-"),
                  "an image's name consists of a-z, 0-9, '.', '_' and '-' and begins with a letter or digit");
}

std::string image_ref_problem(const std::string& ref) {
    auto at = ref.find('@');
    std::string digest = at == std::string::npos ? "0" : ref.substr(at + 1);
    auto name = image_name_problem(ref.substr(0, at));
    return !name.empty() ? name
                         : unless(made_of(digest, 64, {digits}, "abcdef"), "after '@' comes a digest in hex");
}

std::string digest_problem(const std::string& digest) {
    return unless(digest.size() == 64 && made_of(digest, 64, {digits}, "abcdef"), "expected 64 hex digits");
}

std::string word_problem(const std::string& name) {
    return unless(made_of(name, 31, {lower, digits}, "_-", "-0123456789"),
                  "a name here consists of a-z, 0-9, '_' and '-' and begins with a letter or '_'");
}

std::string variable_problem(const std::string& name) {
    return unless(made_of(name, 128, {lower, upper, digits}, "_", digits),
                  fmt::format("a variable's name consists of A-Z, a-z, 0-9 and '_', not '{}'", name));
}

std::string parameter_problem(const std::string& name) {
    if (name == "name" || name == "NAME") return "${" + name + "} is built in";
    return unless(made_of(name, 64, {lower, upper, digits}, "_-", "-_0123456789"),
                  "a parameter's name consists of letters, digits, '_' and '-' and begins with a letter");
}

std::string bridge_problem(const std::string& name) {
    // IFNAMSIZ of linux/if.h is 16 with the final zero.
    return unless(made_of(name, 15, {lower, upper, digits}, "._-", "-.") && name != "..",
                  "a bridge's name has at most 15 letters, digits, '.', '_' and '-'");
}

std::string capability_problem(const std::string& name) {
    return unless(made_of(name, 32, {lower}, "_"),
                  "a capability is written as in lxc.container.conf(5), e.g. net_raw");
}

std::string uri_problem(const std::string& uri) {
    return unless(uri.find("://") != std::string::npos && uri.find("://") > 0 &&
                      uri.find_first_of(" \t\n") == std::string::npos,
                  "a libvirt URI looks like qemu:///system");
}

std::string package_problem(const std::string& name) {  // Debian Policy 5.6.1
    return unless(made_of(name, 128, {lower, digits}, "+-.", "+-."),
                  "a Debian package's name is made of lower case letters, digits and + - .");
}

std::string device_problem(const std::string& path) {
    return unless(path.rfind("/dev/", 0) == 0 && path.size() > 5 && path.find("/..") == std::string::npos,
                  "a device is a path below /dev");
}

std::string usb_problem(const std::string& id) {
    bool good =
        id.size() == 9 && id[4] == ':' && made_of(id.substr(0, 4) + id.substr(5), 8, {digits}, "abcdef");
    return unless(good, "a USB device is VENDOR:PRODUCT in hex as lsusb prints it, e.g. \"0403:6001\"");
}

std::string disk_name_problem(const std::string& name) {
    // VIRTIO_BLK_ID_BYTES of linux/virtio_blk.h is 20.
    return unless(made_of(name, 20, {lower, digits}, "_-", "_-"),
                  "a disk's name has at most 20 of a-z, 0-9, '_' and '-' and begins with a letter or digit");
}

std::string cpu_model_problem(const std::string& name) {
    return unless(made_of(name, 64, {lower, upper, digits}, "._-", "._-"),
                  "a CPU's model is host, or a name of virsh cpu-models x86_64");
}

std::string uuid_problem(const std::string& uuid) {
    bool good = uuid.size() == 36 && made_of(uuid, 36, {digits}, "abcdef-", "-");
    for (std::size_t i = 0; good && i < uuid.size(); ++i)
        good = (uuid[i] == '-') == (i == 8 || i == 13 || i == 18 || i == 23);
    return unless(good, "expected a UUID such as 6f1c2b3a-0d4e-4f5a-8b6c-7d8e9f0a1b2c");
}

std::string remark_problem(const std::string& text) {
    auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (text.size() <= 1000 && std::none_of(text.begin(), text.end(), control)) return {};
    return "one line of at most 1000 bytes";
}

}  // namespace clara

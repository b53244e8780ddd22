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

std::string package_problem(const std::string& name) {  // Debian Policy 5.6.1
    return unless(made_of(name, 128, {lower, digits}, "+-.", "+-."),
                  "a Debian package's name is made of lower case letters, digits and + - .");
}

std::string device_problem(const std::string& path) {
    return unless(path.rfind("/dev/", 0) == 0 && path.size() > 5 && path.find("/..") == std::string::npos,
                  "a device is a path below /dev");
}

}  // namespace clara

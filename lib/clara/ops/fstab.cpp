#include "clara/ops/fstab.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

namespace clara {
namespace {

/// True and the rest where the text begins with the prefix. Quotes around it go.
bool after(const std::string& text, const std::string& prefix, std::string& rest) {
    if (!text.starts_with(prefix)) return false;
    rest = text.substr(prefix.size());
    if (rest.size() >= 2 && rest.front() == '"' && rest.back() == '"') rest = rest.substr(1, rest.size() - 2);
    return true;
}

/// UUIDs of some file systems and partitions are in capitals, and written in either.
bool same_id(const std::string& a, const std::string& b) {
    return !a.empty() &&
           std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::vector<FstabEntry> parse_fstab(const std::string& text) {
    std::vector<FstabEntry> entries;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        FstabEntry entry;
        if (words >> entry.source >> entry.target >> entry.type && entry.source[0] != '#')
            entries.push_back(std::move(entry));
    }
    return entries;
}

int partition_of_first_disk(const std::string& device) {
    for (const std::string prefix :
         {"/dev/sda", "/dev/vda", "/dev/hda", "/dev/xvda", "/dev/nvme0n1p", "/dev/mmcblk0p"}) {
        std::string rest;
        int number = 0;
        if (!after(device, prefix, rest)) continue;
        auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (error == std::errc() && end == rest.data() + rest.size()) return number;
    }
    return 0;
}

int root_points(const GuestTree& files, const Volume& volume, const std::vector<Volume>& volumes) {
    // Also one whose /usr lies elsewhere, or was removed.
    if (files.list("/etc").empty() ||
        (files.list("/sbin").empty() && files.list("/usr").empty() && !files.exists("/etc/passwd")))
        return -1;
    int points = files.read("/etc/os-release") ? 1 : 0;
    for (const auto& entry : parse_fstab(files.read("/etc/fstab").value_or("")))
        if (entry.target == "/" && volume_of(entry.source, volumes) == &volume) points += 2;
    return points;
}

const Volume* volume_of(const std::string& source, const std::vector<Volume>& volumes) {
    std::string id;
    auto named = [&](auto matches) -> const Volume* {
        auto found = std::find_if(volumes.begin(), volumes.end(), matches);
        return found == volumes.end() ? nullptr : &*found;
    };
    for (const char* prefix : {"UUID=", "/dev/disk/by-uuid/"})
        if (after(source, prefix, id)) return named([&](const Volume& v) { return same_id(id, v.uuid); });
    for (const char* prefix : {"LABEL=", "/dev/disk/by-label/"})
        if (after(source, prefix, id))
            return named([&](const Volume& v) { return !id.empty() && v.label == id; });
    for (const char* prefix : {"PARTUUID=", "/dev/disk/by-partuuid/"})
        if (after(source, prefix, id))
            return named([&](const Volume& v) { return same_id(id, v.part_uuid); });
    const int number = partition_of_first_disk(source);
    return number ? named([&](const Volume& v) { return v.number == number; }) : nullptr;
}

}  // namespace clara

#include "clara/cli/backup_files_rows.hpp"

#include <fmt/format.h>

#include "clara/base/clock.hpp"
#include "clara/base/units.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/table.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/points/files_out.hpp"

namespace clara {
namespace {

const char* type_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return "file";
        case S_IFDIR:
            return "folder";
        case S_IFLNK:
            return "link";
        case S_IFIFO:
            return "fifo";
        case S_IFSOCK:
            return "socket";
        case S_IFBLK:
            return "block-device";
        default:
            return "character-device";
    }
}

/// As ls -l writes it: drwxr-sr-t
std::string mode_text(mode_t mode) {
    constexpr std::pair<mode_t, char> types[] = {{S_IFDIR, 'd'},  {S_IFLNK, 'l'}, {S_IFIFO, 'p'},
                                                 {S_IFSOCK, 's'}, {S_IFBLK, 'b'}, {S_IFCHR, 'c'}};
    std::string text = "-rwxrwxrwx";
    for (const auto& [type, letter] : types)
        if ((mode & S_IFMT) == type) text[0] = letter;
    for (int bit = 0; bit < 9; ++bit)
        if (!(mode & (0400U >> bit))) text[static_cast<std::size_t>(bit) + 1] = '-';
    auto special = [&](mode_t bit, std::size_t at, char letter) {
        if (mode & bit) text[at] = text[at] == 'x' ? letter : static_cast<char>(letter - 'a' + 'A');
    };
    special(S_ISUID, 3, 's');
    special(S_ISGID, 6, 's');
    special(S_ISVTX, 9, 't');
    return text;
}

std::string time_of(const struct stat& info) {
    return iso8601(std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec));
}

}  // namespace

int show_files(const points::FilesChoice& choice, const std::string& path, bool recursive,
               const CommonFlags& flags) {
    const points::GuestFiles files(choice);
    Json list = Json::array();
    Table table({{"MODE"}, {"OWNER", true}, {"GROUP", true}, {"SIZE", true}, {"MODIFIED"}, {"NAME"}});
    points::list_files(files.root(), path, recursive, [&](const points::InnerFile& file) {
        const struct stat& info = file.info;
        if (!flags.json) {
            const std::string arrow = file.link.empty() ? "" : " -> " + file.link;
            return table.add({mode_text(info.st_mode), std::to_string(info.st_uid),
                              std::to_string(info.st_gid), std::to_string(info.st_size), time_of(info),
                              printable(file.path + arrow)});
        }
        list.push_back({{"path", file.path},
                        {"type", type_of(info.st_mode)},
                        {"mode", fmt::format("{:04o}", info.st_mode & 07777)},
                        {"uid", info.st_uid},
                        {"gid", info.st_gid},
                        {"size", info.st_size},
                        {"modified", time_of(info)}});
        if (!file.link.empty()) list.back()["link"] = file.link;
    });
    if (flags.json)
        print_json({{"schema", "clara.files/1"},
                    {"guest", choice.guest},
                    {"point", choice.point},
                    {"path", path},
                    {"files", list}});
    else
        table.print();
    return 0;
}

int show_disks(const points::FilesChoice& choice, const CommonFlags& flags) {
    Json list = Json::array();
    Table table({{"DISK"}, {"PARTITION"}, {"SIZE", true}, {"TYPE"}, {"LABEL"}});
    for (const auto& disk : points::disks_in(choice.store, choice.guest, choice.point)) {
        const MountedDisk opened(points::point_chain(choice.store, choice.guest, choice.point, disk));
        for (const auto& volume : opened.volumes()) {
            list.push_back({{"disk", disk},
                            {"partition", volume.number ? Json(volume.number) : Json()},
                            {"size", volume.size},
                            {"type", volume.type},
                            {"label", volume.label},
                            {"uuid", volume.uuid}});
            table.add({disk, volume.number ? std::to_string(volume.number) : "", size_text(volume.size),
                       volume.type, printable(volume.label)});
        }
    }
    if (flags.json)
        print_json({{"schema", "clara.files-disks/1"},
                    {"guest", choice.guest},
                    {"point", choice.point},
                    {"disks", list}});
    else
        table.print();
    return 0;
}

}  // namespace clara

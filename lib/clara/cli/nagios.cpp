#include "clara/cli/nagios.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/cli/terminal.hpp"

namespace clara {
namespace {

using Level = BackupStatus::Level;

constexpr std::size_t most_named = 10;  // guests; pagers and agents cut long lines

/// In one line, and without the bar that begins the figures.
std::string plain(const std::string& text) {
    std::string line = printable(text.substr(0, text.find('\n')));
    std::replace(line.begin(), line.end(), '|', '/');
    return line;
}

std::string figures(const std::vector<BackupStatus>& all) {
    std::string text;
    std::size_t late = 0, gone = 0;
    for (const auto& one : all) {
        if (one.gone) ++gone;
        if (one.level != Level::ok) ++late;
        if (one.gone) continue;
        text +=
            fmt::format("age_{}={};{:.0f};{:.0f} ", one.guest,
                        one.age_s ? fmt::format("{:.0f}s", *one.age_s) : "U", one.warning_s, one.critical_s);
    }
    return text + fmt::format("guests={} late={} gone={}", all.size() - gone, late, gone);
}

}  // namespace

const char* nagios_word(Level level) {
    constexpr const char* words[] = {"OK", "WARNING", "CRITICAL"};
    return words[static_cast<int>(level)];
}

Level worst_of(const std::vector<BackupStatus>& all) {
    Level worst = Level::ok;
    for (const auto& one : all) worst = std::max(worst, one.level);
    return worst;
}

std::string nagios_line(const std::vector<BackupStatus>& all) {
    std::vector<const BackupStatus*> late;
    for (const auto& one : all)
        if (one.level != Level::ok) late.push_back(&one);
    std::stable_sort(late.begin(), late.end(),
                     [](const BackupStatus* a, const BackupStatus* b) { return a->level > b->level; });
    std::string text;
    for (std::size_t i = 0; i < std::min(late.size(), most_named); ++i)
        text += fmt::format("{}{}: {}", i ? ", " : "", late[i]->guest, plain(late[i]->text));
    if (late.size() > most_named) text += fmt::format(" and {} more", late.size() - most_named);
    const auto guests = std::count_if(all.begin(), all.end(), [](const auto& one) { return !one.gone; });
    if (late.empty())
        text = guests ? fmt::format("{} guests have a proven restore point", guests) : "there are no guests";
    return fmt::format("BACKUP {} - {} | {}", nagios_word(worst_of(all)), text, figures(all));
}

std::string nagios_line(const std::string& trouble) {
    return "BACKUP UNKNOWN - " + plain(trouble);
}

}  // namespace clara

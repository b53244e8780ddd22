#include "clara/cli/table.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "clara/cli/terminal.hpp"

namespace clara {
namespace {

/// Columns on a screen: UTF-8 continuation bytes take none.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    for (auto& cell : cells) cell = cell.empty() ? "-" : printable(cell);
    rows_.push_back(std::move(cells));
}

std::string Table::str(bool bold_titles) const {
    std::vector<std::size_t> widths;
    for (const auto& column : columns_) widths.push_back(width(column.title));
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));

    std::string text;
    auto line = [&](auto&& cell) {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            std::string gap(widths[i] - width(cell(i)), ' ');
            text += (i ? "  " : "") + (columns_[i].right ? gap + cell(i) : cell(i) + gap);
        }
        text.erase(text.find_last_not_of(' ') + 1);
    };
    if (bold_titles) text += "\033[1m";
    line([&](std::size_t i) -> const std::string& { return columns_[i].title; });
    text += bold_titles ? "\033[0m\n" : "\n";
    for (const auto& row : rows_) {
        line([&](std::size_t i) -> const std::string& { return row[i]; });
        text += "\n";
    }
    return text;
}

void Table::print() const {
    std::fputs(str(decorated(STDOUT_FILENO)).c_str(), stdout);
}

}  // namespace clara

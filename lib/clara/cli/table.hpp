// A plain table: aligned columns, two spaces between, nothing at the end of a line. Bold titles on a terminal
// only.
#pragma once
#include <string>
#include <vector>

namespace clara {

struct Column {
    std::string title;
    bool right = false;  ///< numbers end under each other
};

class Table {
  public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    /// As many cells as columns; an empty one is shown as "-", so that each line has as many words for awk.
    void add(std::vector<std::string> cells);
    std::string str(bool bold_titles = false) const;
    /// To stdout.
    void print() const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace clara

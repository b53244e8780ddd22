#include "clara/spec/point.hpp"

namespace clara {

const Point* find_point(const std::string& name, const std::vector<Point>& points) {
    for (const auto& point : points)
        if (point.info.name == name) return &point;
    return nullptr;
}

std::string point_name(const std::string& time) {
    std::string name;
    for (const char c : time)
        if (c != '-' && c != ':') name += c;
    return name;
}

bool is_point_name(const std::string& name) {
    if (name.size() != 16 || name[8] != 'T' || name[15] != 'Z') return false;
    for (std::size_t i = 0; i < name.size(); ++i)
        if (i != 8 && i != 15 && (name[i] < '0' || name[i] > '9')) return false;
    return true;
}

}  // namespace clara

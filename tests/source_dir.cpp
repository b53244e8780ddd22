#include "source_dir.hpp"

std::string clara::source_dir() {
    return CLARA_SOURCE_DIR;
}

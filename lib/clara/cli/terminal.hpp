// What may be done only where a person looks on.
#pragma once
#include <string>

namespace clara {

/// A terminal that may be coloured: a tty, no NO_COLOR (https://no-color.org), TERM not "dumb".
bool decorated(int fd);

/// Ask on the terminal; true for "y" or "yes". Without one nobody is asked: Error{refused} that names --yes.
bool confirm(const std::string& question);

/// Text from YAML or a guest made safe to show: control characters become '?'.
std::string printable(const std::string& text);

}  // namespace clara

// A person, or a pipe, at a guest's console.
#pragma once
#include <chrono>
#include <optional>
#include <string>

namespace clara {

struct SessionOptions {
    bool telnet = true;          ///< procServ's protocol; else bytes as they are, as of a serial console
    bool read_only = false;      ///< what is typed goes nowhere
    std::optional<char> escape;  ///< the key that leaves (terminal only); none: nothing leaves but the end
    /// Standard input is no terminal and has ended: leave after so long without output.
    std::chrono::milliseconds linger{500};
};

/// Carries standard input to `remote` and what it says to standard output, telnet commands taken out where
/// there are any. Returns when either side ends, the escape key is typed or a signal arrives; the terminal is
/// as it was.
void run_session(int remote, const SessionOptions& options);

/// "^]" -> 0x1d, "^a" -> 0x01, "none" -> nullopt; Error{usage} else.
std::optional<char> parse_escape(const std::string& text);

}  // namespace clara

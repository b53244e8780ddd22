#include "clara/cli/session.hpp"

#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/drivers/epics/telnet.hpp"

namespace clara {
namespace {

/// Each key goes out as it is typed, ^C as well; Enter is sent as a line feed.
class RawTerminal {
  public:
    RawTerminal() {
        if (!::isatty(STDIN_FILENO) || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
        termios raw = before_;
        ::cfmakeraw(&raw);
        raw.c_iflag |= ICRNL;
        active_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    }
    ~RawTerminal() {
        if (active_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    }
    RawTerminal(const RawTerminal&) = delete;
    bool active() const { return active_; }

  private:
    termios before_{};
    bool active_ = false;
};

/// nullopt: try again; empty: the end.
std::optional<std::string> read_some(int fd) {
    char buffer[8192];
    ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
    if (got < 0 && errno == ECONNRESET) return std::string();
    if (got < 0) throw system_error("cannot read", errno);
    return std::string(buffer, static_cast<std::size_t>(got));
}

}  // namespace

void run_session(int remote, const SessionOptions& options) {
    ::signal(SIGPIPE, SIG_IGN);  // as an error it comes past the terminal's restoration
    RawTerminal terminal;
    TelnetFilter filter;
    // A reader who only looks may have no input at all (cron, </dev/null): its end means nothing then.
    bool input = terminal.active() || !options.read_only;
    while (!interrupted()) {
        const bool lingering = !input && !options.read_only;
        pollfd wait[] = {{remote, POLLIN, 0}, {input ? STDIN_FILENO : -1, POLLIN, 0}};
        const int ready = ::poll(wait, 2, lingering ? static_cast<int>(options.linger.count()) : -1);
        if (ready < 0 && errno != EINTR) throw system_error("cannot wait", errno);
        if (ready < 0) continue;
        if (ready == 0) return;
        if (wait[0].revents) {
            auto said = read_some(remote);
            if (said && said->empty()) return;
            if (said) write_all(STDOUT_FILENO, options.telnet ? filter.feed(*said) : *said);
        }
        if (!wait[1].revents) continue;
        auto typed = read_some(STDIN_FILENO);
        if (!typed) continue;
        if (typed->empty()) {
            input = false;
            continue;
        }
        const auto leave =
            terminal.active() && options.escape ? typed->find(*options.escape) : std::string::npos;
        if (!options.read_only) {
            const std::string keys = typed->substr(0, leave);
            write_all(remote, options.telnet ? telnet_escape(keys) : keys);
        }
        if (leave != std::string::npos) return;
    }
}

std::optional<char> parse_escape(const std::string& text) {
    if (text == "none") return std::nullopt;
    if (text.size() == 2 && text[0] == '^') {
        const char upper = text[1] >= 'a' && text[1] <= 'z' ? static_cast<char>(text[1] - 32) : text[1];
        if (upper >= '@' && upper <= '_') return static_cast<char>(upper - '@');
    }
    throw Error(ErrorKind::usage, "'" + text + "' is not an escape key",
                "give ^ and a letter or one of [ ] \\ _, or: none");
}

}  // namespace clara

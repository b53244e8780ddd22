// clara-console: a guest's console: its IOC's shell under procServ, its log, or a root shell.
#include <unistd.h>

#include <cerrno>

#include "clara/base/error.hpp"
#include "clara/base/log.hpp"
#include "clara/cli/app.hpp"
#include "clara/cli/session.hpp"
#include "clara/cli/vm_console.hpp"
#include "clara/drivers/epics/procserv.hpp"
#include "clara/drivers/running_guest.hpp"

using namespace clara;

namespace {

const ToolDoc doc{
    .name = "clara-console",
    .summary = "talk to a guest's IOC, or get a shell in it",
    .description =
        "Connects the terminal to the IOC's shell as procServ serves it on port 7001, but from the host and "
        "without the network: it works for a guest whose address does not answer. Others at the console see "
        "what "
        "is typed. The escape key leaves; ^X kills the IOC and procServ starts it again.\n\n"
        "Input that is not a terminal is sent line by line; after its end the tool leaves when the IOC has "
        "been "
        "silent for the time of --linger.\n\n"
        "--shell gives a root shell that needs neither ssh nor an address; a COMMAND runs instead of the "
        "shell.\n\n"
        "A virtual machine without an IOC, or with --shell, has its serial console here, and one person at a "
        "time may be there. --log shows what libvirt keeps of it. A COMMAND is run by the guest agent.",
    .examples = {{"clara-console magnets", "the IOC's shell; ^] leaves"},
                 {"echo dbl | clara-console magnets", "run one command in the IOC's shell"},
                 {"clara-console --log magnets", "watch, and disturb nothing"},
                 {"clara-console --shell magnets -- ss -ltn", "run a command in the guest"}},
    .takes = {.json = false, .pool = true}};

/// Does not return: lxc-attach takes our place.
[[noreturn]] void shell(const Site& site, const std::string& name, std::vector<std::string> command) {
    if (command.empty()) command = {"/bin/sh", "-l"};
    const char* term = std::getenv("TERM");
    std::vector<std::string> argv{
        "lxc-attach",  "-P",
        site.lxc_path, "-n",
        name,          "--clear-env",
        "-v",          "HOME=/root",
        "-v",          "USER=root",
        "-v",          std::string("TERM=") + (term ? term : "dumb"),
        "-v",          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "--"};
    argv.insert(argv.end(), command.begin(), command.end());
    std::vector<char*> words;
    for (auto& word : argv) words.push_back(word.data());
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    throw system_error("cannot run lxc-attach", errno);
}

}  // namespace

int main(int argc, char** argv) {
    std::string name, escape = "^]";
    bool log = false, want_shell = false, force = false;
    std::vector<std::string> command;
    SessionOptions session;
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags&) {
            app.add_option("NAME", name, "The guest")->required();
            app.add_option("COMMAND", command, "With --shell: program and arguments, after --");
            auto* log_flag = app.add_flag("--log", log, "Only watch: procServ's read-only port 7002");
            app.add_flag("--shell", want_shell, "A root shell in the guest")->excludes(log_flag);
            app.add_option("--escape", escape, "The key that leaves, e.g. ^A; none")->capture_default_str();
            app.add_flag("--force", force, "Take a virtual machine's console from whoever has it");
            add_duration(app, "--linger", session.linger, "Silence after the end of piped input");
        },
        [&](CommonFlags& flags) {
            session.escape = parse_escape(escape);
            if (!command.empty() && !want_shell) throw Error(ErrorKind::usage, "a command needs --shell");
            require_root();
            const Site site = read_site(flags.config);
            const GuestSpec spec = require_guest(site.pool(flags.pool).path, name);
            if (spec.kind == "kvm")
                return vm_console(site, spec, {want_shell, log, force, command, escape, session});
            const int init = require_running(site, name);
            if (want_shell) shell(site, name, command);
            if (!spec.ioc)
                throw Error(ErrorKind::refused, name + " has no IOC", "clara-console --shell " + name);
            session.read_only = log;
            Fd console = connect_inside(init, log ? inside::log_socket : inside::console_socket);
            if (::isatty(STDIN_FILENO))
                log::info("{}: {} leaves", name, session.escape ? escape : "nothing but the end");
            run_session(console.get(), session);
            return 0;
        });
}

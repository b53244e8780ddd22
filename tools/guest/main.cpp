// clara-init: PID 1 of a guest, container or virtual machine. Starts its services, carries its ports, reaps,
// and ends all of it cleanly.
//   clara-init [CONFIG]     default /etc/clara/init.json; --check CONFIG only reads it
//   shutdown, poweroff, halt, reboot: links to this; they ask PID 1 for the end
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "guest.hpp"
#include "log.hpp"

namespace {

int check(const char* file) {
    try {
        guest::read_config(file);
        return 0;
    } catch (const std::exception& e) {
        ::dprintf(STDERR_FILENO, "clara-init: %s: %s\n", file, e.what());
        return 2;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const char* slash = std::strrchr(argv[0], '/');
    const char* name = slash ? slash + 1 : argv[0];
    for (const char* end : {"shutdown", "poweroff", "halt", "reboot"})
        if (std::strcmp(name, end) == 0) return guest::ask_for_end(name, argc, argv);
    if (argc == 3 && std::strcmp(argv[1], "--check") == 0) return check(argv[2]);
    // As anything but PID 1 its last act, a signal to every process, would hit the whole machine.
    if (::getpid() != 1 || argc > 2) {
        ::dprintf(STDERR_FILENO,
                  "clara-init is the first process of a guest; by hand only: clara-init --check CONFIG\n");
        return 2;
    }
    int signal;
    bool machine;
    {
        guest::Guest guest;
        guest.boot(argc == 2 ? argv[1] : "/etc/clara/init.json");
        ::malloc_trim(0);  // what reading the configuration took
        signal = guest.run();
        machine = guest.machine();
    }
    guest::close_log();
    if (machine) guest::end_machine(signal == SIGINT);
    if (int root = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); root >= 0) ::syncfs(root);
    // Inside a pid namespace this ends just that, and tells LXC which of the two was meant.
    ::reboot(signal == SIGINT ? RB_AUTOBOOT : RB_POWER_OFF);
    return 0;  // not permitted: the end of PID 1 is the end of the guest as well
}

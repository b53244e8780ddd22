// clara-lxc-hook pre-start|post-stop --pool P --run-dir R [--ids BASE:COUNT] [--config FILE] --guest N
// Called by LXC, with what lxc_config() wrote. On the way to every start, hence no CLI11: it has to be quick.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "clara/base/error.hpp"
#include "clara/drivers/lxc/hook.hpp"

namespace {

clara::HookCall read_arguments(int argc, char** argv) {
    clara::HookCall call;
    call.monitor = ::getppid();
    for (int i = 2; i + 1 < argc; i += 2) {
        std::string_view flag = argv[i];
        const char* value = argv[i + 1];
        if (flag == "--pool")
            call.pool = value;
        else if (flag == "--run-dir")
            call.run_dir = value;
        else if (flag == "--guest")
            call.guest = value;
        else if (flag == "--config")
            call.config = value;
        else if (flag == "--ids" && std::sscanf(value, "%u:%u", &call.ids.base, &call.ids.count) == 2)
            continue;
        else
            throw clara::Error(clara::ErrorKind::usage, fmt::format("cannot use {} {}", flag, value));
    }
    if (call.pool.empty() || call.run_dir.empty() || call.guest.empty())
        throw clara::Error(clara::ErrorKind::usage, "needs --pool, --run-dir and --guest",
                           "LXC calls this program; see the guest's LXC config");
    return call;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string_view verb = argc > 1 ? argv[1] : "";
        const clara::HookCall call = read_arguments(argc, argv);
        if (verb == "pre-start")
            clara::pre_start(call);
        else if (verb == "post-stop")
            clara::post_stop(call);
        else
            throw clara::Error(clara::ErrorKind::usage, fmt::format("no such hook: {}", verb));
        return 0;
    } catch (const clara::Error& e) {
        fmt::print(stderr, "clara-lxc-hook: {}\n", e.message());
        if (!e.hint().empty()) fmt::print(stderr, "hint: {}\n", e.hint());
        return static_cast<int>(e.kind());
    } catch (const std::exception& e) {
        fmt::print(stderr, "clara-lxc-hook: {}\n", e.what());
        return 1;
    }
}

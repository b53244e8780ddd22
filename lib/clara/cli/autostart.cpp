#include "clara/cli/autostart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <tuple>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/host_facts.hpp"
#include "clara/drivers/storage/index.hpp"

namespace clara {
namespace {

struct Turn {
    int order;
    std::string name;
    std::chrono::seconds pause;  ///< after its start
    bool up;                     ///< already: by lxc.service, or by hand
};

std::vector<Turn> turns(const std::string& pool, const Site& site) {
    std::vector<Turn> all;
    const Facts facts = gather_facts(site, {.pool = pool});
    for (const auto& [name, guest] : facts.guests) {
        if (!guest.autostart) continue;
        if (auto spec = load_guest(pool, name))
            all.push_back({spec->autostart_order, name, std::chrono::seconds(spec->autostart_delay_s),
                           guest.state == GuestState::running});
    }
    std::sort(all.begin(), all.end(), [](const Turn& a, const Turn& b) {
        return std::tie(a.order, a.name) < std::tie(b.order, b.name);
    });
    return all;
}

void pause(std::chrono::seconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
        throw_if_interrupted();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

}  // namespace

int start_in_order(const CommonFlags& flags, const std::function<int(const std::string&)>& start) {
    if (flags.json)
        throw Error(ErrorKind::usage, "--json: with --autostart each guest has a report of its own",
                    "clara-list --json shows what runs afterwards");
    const Site site = read_site(flags.config);
    const std::vector<Turn> all = turns(site.pool(flags.pool).path, site);
    if (all.empty()) log::info("no guest is marked autostart");
    int status = 0;
    for (const Turn& turn : all) {
        if (turn.up) continue;
        const int ended = start(turn.name);
        if (ended != 0) status = status == 0 ? ended : static_cast<int>(ErrorKind::partial);
        if (&turn == &all.back() || turn.pause.count() == 0) continue;
        log::info("{}: {} s until the next one", turn.name, turn.pause.count());
        if (!flags.dry_run) pause(turn.pause);
    }
    return status;
}

}  // namespace clara

// clara-backup simulate
#include <fmt/format.h>

#include "clara/base/clock.hpp"
#include "clara/cli/backup_rows.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/table.hpp"
#include "clara/ops/rotation.hpp"
#include "clara/ops/simulate.hpp"
#include "clara/spec/site.hpp"

namespace clara {
namespace {

void print_text(const Simulation& simulation, const Keep& keep, unsigned days) {
    Table months({{"MONTH"}, {"POINTS", true}, {"REACH", true}});
    for (const auto& step : simulation.months())
        months.add({step.month(), std::to_string(step.points), fmt::format("{:.0f} d", step.reach_days)});
    months.print();
    fmt::print("\n");
    Table left({{"POINT"}, {"KEPT AS"}});
    for (const auto& decision : simulation.left) left.add({decision.point, decision.reason});
    left.print();
    const auto reach = reach_of(simulation, keep);
    fmt::print("\n{} after {} days: {} restore points, {}\n", keep_text(keep), days, simulation.left.size(),
               reach ? fmt::format("which reach {:.0f} to {:.0f} days back", reach->least, reach->most)
                     : fmt::format("{} when all periods have passed: --days", keep.total()));
}

Json to_json(const Simulation& simulation, const Keep& keep) {
    Json months = Json::array(), left = Json::array();
    for (const auto& step : simulation.months())
        months.push_back({{"month", step.month()}, {"points", step.points}, {"reach_days", step.reach_days}});
    for (const auto& decision : simulation.left)
        left.push_back({{"point", decision.point}, {"reason", decision.reason}});
    const auto reach = reach_of(simulation, keep);
    return {{"schema", "clara.backup-simulation/1"},
            {"keep", keep_text(keep)},
            {"points", left},
            {"reach_days_least", reach ? Json(reach->least) : Json()},
            {"reach_days_most", reach ? Json(reach->most) : Json()},
            {"months", months}};
}

}  // namespace

int show_simulation(const std::optional<Keep>& asked, std::chrono::milliseconds every, unsigned days,
                    const CommonFlags& flags) {
    const Keep keep = first_keep({asked, asked ? std::nullopt : read_site(flags.config).backup.keep});
    // A year that is the same for everybody.
    const auto begin = *parse_iso8601("2026-01-01T03:00:00Z");
    const auto simulation = simulate(keep, regular_runs(begin, every, days));
    if (flags.json)
        print_json(to_json(simulation, keep));
    else
        print_text(simulation, keep, days);
    return 0;
}

}  // namespace clara

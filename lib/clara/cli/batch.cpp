#include "clara/cli/batch.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <set>

#include "clara/base/log.hpp"
#include "clara/cli/json_out.hpp"
#include "clara/cli/tell.hpp"

namespace clara {
namespace {

Json to_json(const Outcome& outcome) {
    Json json{{"guest", outcome.guest},
              {"ok", outcome.ok},
              {"changed", outcome.changed},
              {"note", outcome.note},
              {"seconds", outcome.seconds}};
    if (!outcome.ok)
        json["error"] = {
            {"kind", to_string(outcome.kind)}, {"message", outcome.message}, {"hint", outcome.hint}};
    return json;
}

void tell_failure(const Outcome& outcome, const CommonFlags& flags) {
    tell(outcome.guest, outcome.kind, outcome.message, outcome.hint, flags.json);
}

/// stop -> stopped, create -> created, start -> started.
std::string past(const std::string& verb) {
    if (verb.empty()) return "done";
    if (verb == "snapshot") return "snapshot made";
    if (verb == "rollback") return "rolled back";
    if (verb == "backup") return "backed up";
    if (verb == "copy") return "copied";
    if (verb.back() == 'e') return verb + "d";
    return verb + (verb.back() == 'p' ? "ped" : "ed");
}

}  // namespace

Batch plan_each(const std::string& verb, const std::vector<std::string>& names,
                const std::function<Plan(const std::string&)>& plan) {
    Batch batch{verb, {}, {}};
    for (const auto& name : names) {
        try {
            batch.plans.push_back(plan(name));
        } catch (const Error& e) {
            batch.refused.push_back(
                {.guest = name, .message = e.message(), .hint = e.hint(), .kind = e.kind()});
        }
    }
    return batch;
}

std::function<void(const Plan&, const Action&)> progress_of(std::size_t plans) {
    struct State {
        std::mutex mutex;
        std::set<std::string> begun;
    };
    auto state = std::make_shared<State>();
    return [state, plans](const Plan& plan, const Action& action) {
        std::lock_guard guard(state->mutex);
        state->begun.insert(plan.guest);
        std::string text = describe_running(action);
        text = text.substr(0, text.find(": "));  // without the list of files
        log::debug("{}: {}", plan.guest, text);
        log::status(plans > 1 ? fmt::format("[{}/{}] {}: {}", state->begun.size(), plans, plan.guest, text)
                              : fmt::format("{}: {}", plan.guest, text));
    };
}

int show_report(const Report& report, const CommonFlags& flags) {
    log::status("");
    if (flags.json) {
        Json json{{"schema", "clara.report/1"},
                  {"verb", report.verb},
                  {"exit_status", report.exit_code()},
                  {"summary", report.summary()},
                  {"guests", Json::array()}};
        for (const auto& outcome : report.outcomes) json["guests"].push_back(to_json(outcome));
        print_json(json);
    }
    for (const auto& outcome : report.outcomes) {
        if (!outcome.ok)
            tell_failure(outcome, flags);
        else if (!flags.json && !flags.quiet)
            fmt::print("{}: {}{}{}\n", outcome.guest, outcome.changed ? past(report.verb) : "nothing to do",
                       outcome.note.empty() ? "" : ", ", outcome.note);
    }
    if (!flags.json && report.outcomes.size() > 1 && report.exit_code() != 0)
        log::write(log::Level::quiet, report.summary());
    return report.exit_code();
}

// What is refused is so in the dry run, too.
int show_plans(const Batch& batch, const CommonFlags& flags) {
    Report report{batch.verb, batch.refused};
    for (const auto& plan : batch.plans) report.outcomes.push_back({.guest = plan.guest, .ok = true});
    if (flags.json) {
        Json json{{"schema", "clara.plan/1"},
                  {"verb", batch.verb},
                  {"plans", Json::array()},
                  {"refused", Json::array()}};
        for (const auto& plan : batch.plans) {
            Json actions = Json::array();
            for (const auto& action : plan.actions) actions.push_back({{"text", describe(action)}});
            json["plans"].push_back(
                {{"guest", plan.guest}, {"pool", plan.pool}, {"note", plan.note}, {"actions", actions}});
        }
        for (const auto& outcome : batch.refused) json["refused"].push_back(to_json(outcome));
        print_json(json);
    } else {
        for (const auto& plan : batch.plans) fmt::print("{}", print(plan));
    }
    for (const auto& outcome : batch.refused) tell_failure(outcome, flags);
    return report.exit_code();
}

int carry_out(const Batch& batch, Drivers& drivers, const CommonFlags& flags) {
    if (flags.dry_run) return show_plans(batch, flags);
    Report report = execute(batch.plans, drivers,
                            {.lock_wait = flags.lock_wait,
                             .jobs = flags.jobs ? flags.jobs : 1,
                             .reason = flags.reason,
                             .on_action = progress_of(batch.plans.size())});
    report.verb = batch.verb;
    report.outcomes.insert(report.outcomes.begin(), batch.refused.begin(), batch.refused.end());
    return show_report(report, flags);
}

}  // namespace clara

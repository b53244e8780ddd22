#include "clara/plan/executor.hpp"

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/lock.hpp"
#include "clara/plan/do_action.hpp"
#include "clara/plan/journal.hpp"

namespace clara {
namespace {

/// The test hook: CLARA_TEST_STOP_AT=3:KILL stops before the fourth action (KILL, INT, TERM or FAIL).
void stop_for_test(std::size_t step) {
    const char* hook = std::getenv("CLARA_TEST_STOP_AT");
    if (!hook) return;
    std::string text = hook;
    if (text.rfind(std::to_string(step) + ":", 0) != 0) return;
    std::string how = text.substr(text.find(':') + 1);
    if (how == "KILL") ::raise(SIGKILL);
    if (how == "INT") ::raise(SIGINT);
    if (how == "TERM") ::raise(SIGTERM);
    if (how == "FAIL") throw Error(ErrorKind::failed, "stopped by CLARA_TEST_STOP_AT");
}

/// Undoes in reverse. What could not be undone comes back as text; nothing is thrown.
std::string undo_all(std::vector<Undo>& undos) {
    std::string trouble;
    for (auto undo = undos.rbegin(); undo != undos.rend(); ++undo) {
        try {
            (*undo)();
        } catch (const std::exception& e) {
            trouble += fmt::format("; undo: {}", e.what());
        }
    }
    return trouble;
}

/// Runs the actions of one plan. `failed` ends it: undoes what was done, in reverse, and says so.
class Run {
  public:
    Run(const Plan& plan, Drivers& drivers, const ExecutorOptions& options, Outcome& outcome)
        : plan_(plan), drivers_(drivers), options_(options), outcome_(outcome), journal_(plan) {}

    void all() {
        for (; step_ < plan_.actions.size(); ++step_) {
            if (options_.on_action) options_.on_action(plan_, plan_.actions[step_]);
            look_up();
            journal_.note(step_, "begin");
            act(plan_.actions[step_]);
        }
        look_up();
        outcome_.ok = outcome_.changed = true;
    }

    void failed(Error& e) {
        const bool inside = step_ < plan_.actions.size();
        outcome_.stale = dynamic_cast<StaleFacts*>(&e) != nullptr;
        outcome_.unproven = inside && std::holds_alternative<ProveGuest>(plan_.actions[step_]);
        if (inside && e.kind() != ErrorKind::interrupted && e.kind() != ErrorKind::terminated) {
            std::string doing = describe_running(plan_.actions[step_]);
            e.in(doing.substr(0, doing.find(": ")));  // a list of files helps in a dry run, not in an error
        }
        const std::string trouble = undo_all(undos_);
        outcome_.kind = trouble.empty() && finish_.empty() ? e.kind() : ErrorKind::undo_incomplete;
        outcome_.message = e.message() + trouble;
        outcome_.hint = !finish_.empty()  ? finish_
                        : trouble.empty() ? e.hint()
                                          : "look at the journal in the guest's folder and clear up by hand";
    }

  private:
    void look_up() {
        stop_for_test(step_);
        if (finish_.empty()) throw_if_interrupted();
    }

    void act(const Action& action) {
        // What is new has been proven by now: it stays, whatever comes of the old.
        if (std::holds_alternative<RemoveSnapshot>(action))
            only_forward("all is done but for old snapshots: clara-snapshot delete removes them");
        if (std::holds_alternative<RemovePoint>(action))
            only_forward("the new point is there; the next run removes what is too old");
        if (std::holds_alternative<DropReplaced>(action))
            only_forward("it is restored and up; what it has replaced is left: see clara-backup(1)");
        if (std::holds_alternative<AbsorbPoint>(action))
            only_forward("it is up, and its disks still stand on the point: the same command finishes it");
        Undo undo = do_action(action, drivers_, outcome_.note);
        if (undo) undos_.push_back(std::move(undo));
        if (std::holds_alternative<StopGuest>(action)) stopped_ = true;
        if (std::holds_alternative<SwitchDisk>(action) || std::holds_alternative<SwapGuest>(action))
            switched_ = true;
        // A restart's guest runs as it did before: whatever its proof says, nothing is to be taken back.
        if (std::holds_alternative<StartGuest>(action) && stopped_ && !switched_) undos_.clear();
        // Nothing brings it back.
        if (std::holds_alternative<RemoveGuest>(action))
            only_forward("it is deleted in part: clara-destroy finishes it");
    }

    /// The few milliseconds that are left are done even after ^C; `finish` says how, should they fail.
    void only_forward(const std::string& finish) {
        finish_ = finish;
        undos_.clear();
    }

    const Plan& plan_;
    Drivers& drivers_;
    const ExecutorOptions& options_;
    Outcome& outcome_;
    Journal journal_;
    std::vector<Undo> undos_;
    std::size_t step_ = 0;
    bool stopped_ = false, switched_ = false;
    std::string finish_;  ///< set where there is no way back
};

void run_actions(const Plan& plan, Drivers& drivers, const ExecutorOptions& options, Outcome& outcome) {
    Run run(plan, drivers, options, outcome);
    try {
        run.all();
    } catch (Error& e) {
        run.failed(e);
    } catch (const std::exception& e) {  // no memory, a library's own: undone all the same
        Error error(ErrorKind::failed, e.what());
        run.failed(error);
    }
}

Outcome run_plan(const Plan& plan, Drivers& drivers, const ExecutorOptions& options) {
    Outcome outcome{plan.guest};
    auto began = std::chrono::steady_clock::now();
    try {
        if (plan.empty()) {
            outcome.ok = true;
            outcome.note = plan.note;
            return outcome;
        }
        throw_if_interrupted();
        make_dirs(plan.pool + "/locks");
        auto lock = NamedLock::take(plan.pool + "/locks/" + plan.guest, plan.verb + " " + plan.guest,
                                    options.lock_wait);
        run_actions(plan, drivers, options, outcome);
        if (!outcome.stale) audit(plan, outcome.ok ? "done" : to_string(outcome.kind), options.reason);
    } catch (const Error& e) {
        outcome.ok = false;
        outcome.kind = e.kind();
        outcome.message = e.message();
        outcome.hint = e.hint();
    } catch (const std::exception& e) {
        outcome.ok = false;
        outcome.message = e.what();
    }
    if (outcome.ok && !plan.note.empty())
        outcome.note = outcome.note.empty() ? plan.note : plan.note + ": " + outcome.note;
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return outcome;
}

}  // namespace

Report execute(const std::vector<Plan>& plans, Drivers& drivers, const ExecutorOptions& options) {
    Report report;
    report.verb = plans.empty() ? "" : plans.front().verb;
    report.outcomes.resize(plans.size());
    std::atomic<std::size_t> next{0};
    auto work = [&] {
        for (std::size_t i; (i = next++) < plans.size();)
            report.outcomes[i] = run_plan(plans[i], drivers, options);
    };
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < options.jobs && i < plans.size(); ++i) helpers.emplace_back(work);
    work();
    helpers.clear();  // joins
    return report;
}

}  // namespace clara

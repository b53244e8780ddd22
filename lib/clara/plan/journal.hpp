// How far the last operation on a guest got: POOL/guests/NAME/journal, one JSON object a line.
#pragma once
#include <string>

#include "clara/plan/plan.hpp"

namespace clara {

/// Lines such as
/// {"time":"2026-11-23T08:39:32Z","verb":"create","step":3,"of":9,"state":"done","action":"Create disk ..."}.
/// A write needs no fsync: after a power cut the partial name alone tells that the work was not finished.
class Journal {
  public:
    explicit Journal(const Plan& plan) : plan_(plan) {}
    void note(std::size_t step, const char* state);

  private:
    const Plan& plan_;
    std::string lines_;
};

/// One line in POOL/audit.log: who, from where, when, what, with which result, why. Both only warn where they
/// cannot write.
void audit(const Plan& plan, const std::string& result, const std::string& reason);

}  // namespace clara

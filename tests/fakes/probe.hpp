// A probe that knows which ports a guest answers on.
#pragma once
#include <fmt/format.h>

#include <map>
#include <set>

#include "clara/base/error.hpp"
#include "clara/plan/drivers.hpp"

class FakeProbe : public clara::ProbeDriver {
  public:
    std::map<std::string, std::set<int>> answers;  ///< guest -> ports
    std::vector<std::string> proven;               ///< names, in order

    std::string prove(const clara::ProveGuest& what, const std::function<bool()>& interrupted) override {
        using clara::Error, clara::ErrorKind;
        if (interrupted && interrupted()) throw Error(ErrorKind::interrupted, "interrupted");
        std::vector<int> wanted = what.spec.ports;
        if (what.spec.init == "clara") wanted.push_back(22);
        if (what.spec.ioc) wanted.insert(wanted.end(), {7001, 5064});
        if (what.spec.ioc && what.spec.ioc->pva) wanted.insert(wanted.end(), {5075, 5076});
        for (int port : wanted)
            if (!answers[what.spec.name].count(port))
                throw Error(ErrorKind::failed,
                            fmt::format("{} did not answer: port {}", what.spec.name, port));
        proven.push_back(what.spec.name);
        return "ssh 1 ms, procServ 2 ms, CA 3 ms";
    }
};

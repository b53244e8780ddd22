// Bridges in memory.
#pragma once
#include <map>
#include <set>

#include "clara/base/error.hpp"
#include "clara/plan/drivers.hpp"

class FakeNetwork : public clara::NetworkDriver {
  public:
    std::map<std::string, clara::Subnet> bridges;
    std::set<std::string> with_ports;   ///< bridges that guests are attached to
    std::set<std::string> other_links;  ///< interfaces that are no bridges
    std::set<clara::Subnet> elsewhere;  ///< addresses of other interfaces

    bool ensure_bridge(const clara::EnsureBridge& wanted) override {
        using clara::Error, clara::ErrorKind;
        if (wanted.bridge.empty() || wanted.bridge.size() > 15) throw Error(ErrorKind::usage, "bad name");
        if (other_links.count(wanted.bridge)) throw Error(ErrorKind::refused, "not a bridge");
        for (const auto& taken : elsewhere)
            if (taken.contains(wanted.address.address)) throw Error(ErrorKind::refused, "address in use");
        auto [it, made] = bridges.emplace(wanted.bridge, wanted.address);
        if (it->second != wanted.address) throw Error(ErrorKind::refused, "another address");
        return made;
    }
    void remove_bridge(const std::string& bridge) override {
        using clara::Error, clara::ErrorKind;
        if (other_links.count(bridge)) throw Error(ErrorKind::refused, "not a bridge");
        if (with_ports.count(bridge)) throw Error(ErrorKind::refused, "in use");
        bridges.erase(bridge);
    }
};

// Virtual machines for tests: specs from tests/golden/domain, on a site with two networks.
#pragma once
#include <string>

#include "clara/base/files.hpp"
#include "clara/ops/domain_xml.hpp"
#include "source_dir.hpp"

namespace clara {

inline Site domain_site() {
    Site site;
    for (auto [name, bridge, address] :
         {std::tuple{"controls", "clarabr0", "10.87.0.1/24"}, {"office", "br-office", "10.88.0.1/24"}}) {
        Network network;
        network.name = name;
        network.bridge = bridge;
        network.subnet = *Subnet::parse(address);
        site.networks.push_back(network);
    }
    return site;
}

inline Facts domain_facts() {
    Facts facts;
    facts.share_helper = "/usr/lib/clara/clara-virtiofsd";
    return facts;
}

inline GuestSpec domain_spec(const std::string& name) {
    const std::string file = source_dir() + "/tests/golden/domain/" + name + ".yaml";
    return read_guest(read_file(file).value_or(""), file);
}

}  // namespace clara

// A host on which creates can be planned: one managed network, the image minimal, and a soft IOC to be made.
#pragma once
#include "clara/ops/create.hpp"
#include "facts_yaml.hpp"

namespace clara {

struct CreateWorld {
    Site site;
    Facts facts;
    CreateOptions options;

    explicit CreateWorld(const std::string& more_facts = "bridges: [clarabr0]") {
        site.pools = {{"default", "/var/lib/clara"}};
        Network network;
        network.name = "controls";
        network.bridge = "clarabr0";
        network.subnet = *Subnet::parse("10.87.0.1/24");
        network.first = *Ipv4::parse("10.87.0.11");
        network.last = *Ipv4::parse("10.87.0.250");
        site.networks = {network};
        facts = facts_from_yaml("images: {minimal: 0123456789abcdef}\n" + more_facts);
        facts.hook = "/usr/lib/clara/clara-lxc-hook";
    }

    CreateItem item(const std::string& name, const std::string& pool = "/var/lib/clara") const {
        CreateItem item;
        item.spec.name = name;
        item.spec.template_name = "soft-ioc";
        item.spec.pool = pool;
        item.spec.image = "minimal";
        item.spec.nic.network = "controls";
        Ioc ioc;
        ioc.executable = "/usr/bin/softIoc";
        ioc.db = {{"/srv/magnets.db", {{"P", "MAGNETS:"}}}};
        item.spec.ioc = ioc;
        item.pvs = {"MAGNETS:STATUS", "MAGNETS:CURRENT"};
        return item;
    }

    /// With the clock at 2026-11-23 and MACs that count from 02:c1:a7:00:00:01.
    Plan plan(const CreateItem& item) {
        Allocator allocator(facts);
        std::uint64_t last = 0;
        return plan_create(
            item, site, facts, allocator, options,
            [] { return std::chrono::system_clock::from_time_t(1795392000); },
            [last]() mutable { return ++last; });
    }
    Plan plan(const std::string& name) { return plan(item(name)); }
};

}  // namespace clara
